"""Who becomes whom: what STS and the roles' trust policies let through, and what a session policy may do."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest
from botocore.exceptions import ClientError

from tests.accounts import Keys, assume
from tests.infra.rendering import PERSONAS
from tests.stack.sessions import SUBJECT, VERIFIER, VERIFYING, allowed, service_keys, session

if TYPE_CHECKING:
    from tests.aws.deployed import Deployed
    from tests.stack.stored_models import StoredModels

TOKEN, TEAM = {"Key": "jti", "Value": "a-token"}, {"Key": "team", "Value": "fraud"}
PERSON: dict[str, Any] = {"RoleSessionName": "matrix", "SourceIdentity": SUBJECT, "Tags": [TOKEN, TEAM]}
OWN: dict[str, Any] = {"RoleSessionName": "matrix", "SourceIdentity": VERIFIER}
WRONG: dict[str, dict[str, Any]] = {
    "no source identity": {"SourceIdentity": None},
    "no tags": {"Tags": None},
    "no token": {"Tags": [TEAM]},
    "an empty token": {"Tags": [{"Key": "jti", "Value": ""}, TEAM]},
    "another tag": {"Tags": [TOKEN, TEAM, {"Key": "admin", "Value": "yes"}]},
    "a tag of another case": {"Tags": [TOKEN, {"Key": "Team", "Value": "nlp"}]},
    "a team under another name": {"Tags": [TOKEN, {"Key": "teams", "Value": "nlp"}]},
    "a team and another one": {"Tags": [TOKEN, TEAM, {"Key": "team2", "Value": "nlp"}]},
    "tags that pass themselves on": {
        "TransitiveTagKeys": ["admin"],
        "Tags": [TOKEN, {"Key": "admin", "Value": ""}],
    },
}
# An identity that is there already, and a request that is no good, are refused as such.
NO = frozenset({"AccessDenied", "ValidationError"})


def assumes(deployed: Deployed, keys: Keys, role: str, **asked: Any) -> bool:
    """Whether these keys are given a session of the role."""
    wanted = {name: value for name, value in asked.items() if value is not None}
    try:
        assume(deployed, keys, role.removeprefix("persona-"), **wanted)
    except ClientError as error:
        if error.response["Error"]["Code"] not in NO:
            raise
        return False
    return True


@pytest.mark.parametrize("role", PERSONAS)
def test_a_persona_is_assumed_for_a_token_of_a_named_person(deployed: Deployed, role: str) -> None:
    """With a source identity, a token's id and at most a team: anything less or more is refused."""
    service = service_keys(deployed)
    assert assumes(deployed, service, role, **PERSON)
    assert [
        why for why, changed in WRONG.items() if assumes(deployed, service, role, **{**PERSON, **changed})
    ] == []


@pytest.mark.parametrize("caller", ["administrator", "worker", *PERSONAS, *VERIFYING])
def test_a_persona_is_assumed_by_the_service_alone(deployed: Deployed, caller: str) -> None:
    """Not by whoever may do everything in the account, the worker, another persona or itself."""
    keys = deployed.caller_keys if caller == "administrator" else session(deployed, caller)
    assert [role for role in PERSONAS if assumes(deployed, keys, role, **PERSON)] == []


@pytest.mark.parametrize("role", VERIFYING)
def test_the_workers_roles_are_assumed_by_the_worker_alone(deployed: Deployed, role: str) -> None:
    """In its own name, and without tags."""
    worker = deployed.process_keys("worker")
    assert assumes(deployed, worker, role, **OWN)
    for changed in ({"SourceIdentity": None}, {"SourceIdentity": SUBJECT}, {"Tags": [TOKEN]}):
        assert not assumes(deployed, worker, role, **{**OWN, **changed})
    strangers = [
        deployed.caller_keys,
        *(session(deployed, each) for each in ("service", *PERSONAS, *VERIFYING)),
    ]
    assert not any(assumes(deployed, keys, role, **OWN) for keys in strangers)


def test_a_session_lasts_an_hour_and_no_longer(deployed: Deployed) -> None:
    """Role chaining caps it, and the role itself does: the service asks for just that."""
    sts = service_keys(deployed).client(deployed, "sts")
    asked = {"RoleArn": f"{deployed.role_prefix}auditor", **PERSON, "Tags": [TOKEN]}
    before = datetime.now(UTC)
    answer = sts.assume_role(**asked, DurationSeconds=3600)
    assert answer["SourceIdentity"] == SUBJECT
    ends = answer["Credentials"]["Expiration"]
    assert timedelta(minutes=59) < ends - before <= timedelta(minutes=61)
    with pytest.raises(ClientError, match="ValidationError"):
        sts.assume_role(**asked, DurationSeconds=3601)


def policy(*actions: str, resource: str) -> str:
    """A session policy that allows these."""
    statement = {"Effect": "Allow", "Action": list(actions), "Resource": resource}
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]})


def test_a_session_policy_narrows_and_never_widens(deployed: Deployed, models: StoredModels) -> None:
    """What it leaves out is refused, and what it alone allows is, too."""
    service, bucket = service_keys(deployed), f"arn:{deployed.stack['partition']}:s3:::{deployed.bucket}"
    one = policy("s3:GetObject", "kms:Decrypt", resource="*").replace(
        '"*"', f'["{bucket}/cards/fraud/*", "arn:*:kms:*"]'
    )
    narrowed, widened = (
        assume(deployed, service, "data-scientist", **PERSON, Policy=text).client(deployed, "s3")
        for text in (one, policy("s3:*", "kms:*", resource="*"))
    )
    assert allowed(narrowed.get_object, **models.place("cards"))
    assert not allowed(narrowed.get_object, **models.place("settings"))
    assert not allowed(narrowed.list_objects_v2, Bucket=deployed.bucket, Prefix="cards/fraud/")
    assert allowed(widened.get_object, **models.place("settings"))
    assert not allowed(widened.get_object, **models.place("cards", "nlp"))
    assert not allowed(widened.put_object, **models.new("settings"), **models.written("settings"))


def test_a_short_arn_in_a_session_policy_is_refused(deployed: Deployed) -> None:
    """At AssumeRole itself: the store sends no session policy, so that none can be wrong."""
    if not deployed.is_aws:
        pytest.skip("the local AWS completes a short ARN, and refuses what it then does not match")
    with pytest.raises(ClientError, match="MalformedPolicyDocument"):
        assume(
            deployed,
            service_keys(deployed),
            "data-scientist",
            **PERSON,
            Policy=policy("s3:GetObject", resource="arn:aws:s3"),
        )
