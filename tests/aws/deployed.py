"""A deployed store, as an administrator of its account sees it: Terraform's outputs, and credentials."""

from __future__ import annotations

import time
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any

from botocore.exceptions import BotoCoreError, ClientError

from deployment import canary
from tests.accounts import DIRECT, REMOTE, Keys, assume
from tests.aws.asked import Caller, NotAsked

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    import boto3

# IAM's changes reach STS everywhere within seconds, and nobody promises how many.
DOOR_SECONDS = 120


@dataclass(frozen=True)
class Person:
    """Somebody signed in to the store."""

    name: str
    token: str = field(repr=False)
    team: str


@dataclass(frozen=True)
class Deployed:
    """An `Account` (see `tests.accounts`) with a store that Terraform made in it."""

    session: boto3.Session
    outputs: Mapping[str, Any]
    endpoint: str | None = None
    _clients: dict[str, Any] = field(default_factory=dict, repr=False)
    _sessions: dict[str, Keys] = field(default_factory=dict, repr=False)

    # How long CloudTrail may take to deliver what was done.
    trail_seconds = 1800
    trail_poll_seconds = 20.0
    is_aws = True
    # One that no test becomes, to try the door on.
    spare_role = "token-groups"

    @property
    def settings(self) -> Mapping[str, str]:
        """The environment of the service."""
        return dict(self.outputs["service_settings"])

    @property
    def url(self) -> str:
        """The store's address."""
        return str(self.outputs["url"])

    @property
    def bucket(self) -> str:
        """The store's bucket."""
        return self.settings["SMAS_BUCKET"]

    @property
    def role_prefix(self) -> str:
        """What a role's name completes to its ARN."""
        return self.settings["SMAS_ROLE_PREFIX"]

    @property
    def role_name_prefix(self) -> str:
        """What a role's name completes to its name in IAM."""
        return self.role_prefix.rpartition("/")[2]

    @cached_property
    def stack(self) -> Mapping[str, Any]:
        """Addresses and ids; what is no output is asked of AWS."""
        trail = self.root_client("cloudtrail").get_trail(Name=self.settings["SMAS_TRAIL_ARN"])["Trail"]
        # Not the bucket's default, which a test holds against it.
        bytes_key = self.root_client("kms").describe_key(KeyId=f"alias/{self.role_name_prefix}bytes")
        return {
            "region": self.settings["AWS_REGION"],
            "account": self.role_prefix.split(":")[4],
            "partition": self.role_prefix.split(":")[1],
            "bucket": self.bucket,
            "bytes_key_arn": bytes_key["KeyMetadata"]["Arn"],
            "metadata_key_arn": self.settings["SMAS_METADATA_KEY_ARN"],
            "logs_key_arn": trail["KmsKeyId"],
            "trail_arn": self.settings["SMAS_TRAIL_ARN"],
            "trail_bucket": self.settings["SMAS_TRAIL_BUCKET"],
            "log_group": self.settings["SMAS_LOG_GROUP"],
            "events_queue_url": self.outputs["worker_settings"]["SMAS_EVENTS_QUEUE_URL"],
            "user_pool_id": self.outputs["user_pool_id"],
        }

    def root_client(self, service: str) -> Any:
        """A client with the caller's own credentials."""
        if service not in self._clients:
            self._clients[service] = self.session.client(
                service,  # type: ignore[call-overload]
                region_name=self.settings["AWS_REGION"],
                endpoint_url=self.endpoint,
                config=DIRECT if self.endpoint else REMOTE,
            )
        return self._clients[service]

    @cached_property
    def caller(self) -> Caller:
        """Whose credentials these are."""
        try:
            said = self.root_client("sts").get_caller_identity()
        except (BotoCoreError, ClientError) as error:
            message = f"AWS does not say whose credentials these are: {error}"
            raise NotAsked(message) from error
        return Caller(said["Account"], said["Arn"])

    @cached_property
    def caller_keys(self) -> Keys:
        """The caller's own keys."""
        held = self.session.get_credentials()
        if held is None:
            raise NotAsked("There are no AWS credentials here: name a profile, as AWS_PROFILE=…")
        frozen = held.get_frozen_credentials()
        return Keys(str(frozen.access_key), str(frozen.secret_key), frozen.token)

    def process_keys(self, process: str) -> Keys:
        """A session of `service` or `worker`, through the open door; on AWS it takes a while to open."""
        if process not in self._sessions:
            deadline = time.monotonic() + DOOR_SECONDS
            while process not in self._sessions:
                try:
                    self._sessions[process] = assume(self, self.caller_keys, process)
                except ClientError as error:
                    refused = error.response["Error"]["Code"] == "AccessDenied"
                    if not refused or time.monotonic() > deadline:
                        raise
                    time.sleep(2)
        return self._sessions[process]

    @contextmanager
    def signed_in(self) -> Iterator[Person]:
        """Somebody who publishes: the canary, with a second factor, as a deployment's smoke test has it."""
        pool, client = str(self.outputs["user_pool_id"]), str(self.outputs["canary_client_id"])
        with canary.signed_in(self.root_client("cognito-idp"), pool, client) as token:
            yield Person(canary.USER, token, "canary")

    def hasten(self) -> None:
        """Have the trail deliver at once, where that can be asked for."""
