"""One permission that a call needs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from smas_emulator.gateway.errors import AwsError

if TYPE_CHECKING:
    from smas_emulator.iam.evaluation import Request


@dataclass(frozen=True, slots=True)
class Requirement:
    """A request that IAM must allow, with the policy of the thing it is about.

    `owner` is the account of that thing: callers of another one need its policy and their own to agree.
    `delegation_required` is for keys and roles, whose own policy must let identity policies decide
    (https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_evaluation-logic_policy-eval-basics-single-account.html).
    """

    request: Request
    owner: str
    resource_policy: str | None = None
    delegation_required: bool = False


class UnknownOperation(AwsError):
    """An operation whose permissions are not known here: it is refused, whoever calls it."""

    def __init__(self, service: str, operation: str) -> None:
        super().__init__(
            "AccessDenied",
            f"{service}:{operation} is refused: the permissions it needs are not known here.",
            403,
        )
