"""A door into the roles of service and worker, for a while.

On AWS only Lambda assumes these two roles, and only they assume the personas. To see what a persona's own
session may do, the tests have to be the service for a moment: one statement in each role's trust policy lets
this caller in, and nobody any more after its time, even if whoever opened it is killed.
"""

from __future__ import annotations

import json
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

SID = "TestsOfThisHour"
OPEN_FOR = timedelta(minutes=90)


@contextmanager
def opened(iam: Any, roles: Sequence[str], caller_arn: str) -> Iterator[None]:
    """While inside, `caller_arn` may assume these roles; then their trust policies are what they were."""
    before = {role: trust_policy(iam, role) for role in roles}
    try:
        for role, trusted in before.items():
            statements = [*trusted["Statement"], _statement(caller_arn, datetime.now(UTC) + OPEN_FOR)]
            _put(iam, role, {**trusted, "Statement": statements})
        yield
    finally:
        for role, trusted in before.items():
            _put(iam, role, trusted)


def trust_policy(iam: Any, role: str) -> dict[str, Any]:
    """A role's trust policy, without a door that somebody who was killed left open."""
    found = iam.get_role(RoleName=role)["Role"]["AssumeRolePolicyDocument"]
    policy = dict(json.loads(found) if isinstance(found, str) else found)
    policy["Statement"] = [each for each in policy["Statement"] if each.get("Sid") != SID]
    return policy


def _statement(caller_arn: str, until: datetime) -> dict[str, Any]:
    return {
        "Sid": SID,
        "Effect": "Allow",
        "Principal": {"AWS": caller_arn},
        "Action": "sts:AssumeRole",
        "Condition": {"DateLessThan": {"aws:CurrentTime": until.strftime("%Y-%m-%dT%H:%M:%SZ")}},
    }


def _put(iam: Any, role: str, policy: dict[str, Any]) -> None:
    iam.update_assume_role_policy(RoleName=role, PolicyDocument=json.dumps(policy))
