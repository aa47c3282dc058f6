"""The local AWS as a deployed store: the same outputs, an administrator, a trail that delivers when asked."""

from __future__ import annotations

import json
import urllib.request
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import boto3

from tests.aws.deployed import Deployed, Person

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.local_aws import LocalStack

ADMINISTRATOR = "aws-tests"
_DIRECT = urllib.request.build_opener(urllib.request.ProxyHandler({}))
_SIGNED_IN_AS = "ds-fraud"


@dataclass(frozen=True)
class Local(Deployed):
    """The local stack, with its service and its worker."""

    local: LocalStack | None = None

    trail_seconds = 60
    trail_poll_seconds = 0.2
    is_aws = False
    spare_role = "shipper"

    @contextmanager
    def signed_in(self) -> Iterator[Person]:
        """One of the users that the local stack has; its pool knows no second factor."""
        assert self.local is not None
        yield Person(_SIGNED_IN_AS, self.local.token(_SIGNED_IN_AS), "fraud")

    def hasten(self) -> None:
        """Have everything recorded so far delivered, with a digest."""
        url = f"{self.endpoint}/_smas/cloudtrail/flush?digest=true"
        with _DIRECT.open(urllib.request.Request(url, method="POST"), timeout=60):
            pass


def outputs_of(local: LocalStack) -> dict[str, Any]:
    """What Terraform would put out of the local stack."""
    settings = local.environment
    return {
        "service_settings": settings,
        "worker_settings": settings,
        "url": settings["SMAS_PUBLIC_URL"],
        "user_pool_id": local.stack["user_pool_id"],
    }


def as_deployed(local: LocalStack) -> Local:
    """The local stack, in the name of an IAM user who may do everything: its root can assume no role."""
    iam = local.root_client("iam")
    iam.create_user(UserName=ADMINISTRATOR)
    everything = {"Effect": "Allow", "Action": "*", "Resource": "*"}
    policy = json.dumps({"Version": "2012-10-17", "Statement": [everything]})
    iam.put_user_policy(UserName=ADMINISTRATOR, PolicyName="everything", PolicyDocument=policy)
    key = iam.create_access_key(UserName=ADMINISTRATOR)["AccessKey"]
    session = boto3.Session(key["AccessKeyId"], key["SecretAccessKey"])
    return Local(session, outputs_of(local), local.endpoint, local=local)
