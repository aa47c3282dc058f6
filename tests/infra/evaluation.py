"""What policies together allow, decided as IAM decides: an Allow is needed, a Deny wins.

Just as much of IAM as our policies use
(https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_evaluation-logic.html); what it does
not know, it refuses to decide.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from tests.infra.rendering import BUCKET, listed

if TYPE_CHECKING:
    from collections.abc import Iterable

    from tests.infra.rendering import Policy


@dataclass(frozen=True)
class Request:
    """A request: what to do, to what, and what else IAM knows of it."""

    action: str
    resource: str
    context: dict[str, str | list[str]] = field(default_factory=dict)


def object_request(action: str, key: str, **context: str) -> Request:
    """A request about an object; see ``known``."""
    return Request(action, f"arn:aws:s3:::{BUCKET}/{key}", known(**context))


def list_request(action: str, prefix: str, **context: str) -> Request:
    """A request for what is under a prefix; see ``known``."""
    return Request(action, f"arn:aws:s3:::{BUCKET}", {**known(**context), "s3:prefix": prefix})


def known(team: str | None = None, subject: str | None = None, **context: str) -> dict[str, str | list[str]]:
    """What IAM knows of a session; ``__`` in other names stands for a colon, and ``_`` for a dash."""
    told = {name.replace("__", ":").replace("_", "-"): value for name, value in context.items()}
    who = {"aws:PrincipalTag/team": team, "aws:SourceIdentity": subject}
    return {**{name: value for name, value in who.items() if value is not None}, **told}


def allows(policies: Iterable[Policy], request: Request) -> bool:
    """Whether the policies together allow the request."""
    applying = [
        statement["Effect"]
        for policy in policies
        for statement in policy.statements
        if _applies(statement, request)
    ]
    return "Allow" in applying and "Deny" not in applying


def _applies(statement: dict[str, Any], request: Request) -> bool:
    action = any(_matches(pattern, request.action, {}) for pattern in listed(statement["Action"]))
    if "NotResource" in statement:
        resource = not any(
            _matches(each, request.resource, request.context) for each in statement["NotResource"]
        )
    else:
        patterns = listed(statement.get("Resource", "*"))  # a trust policy is about its role
        resource = any(_matches(each, request.resource, request.context) for each in patterns)
    return action and resource and _holds(statement.get("Condition", {}), request.context)


def _holds(conditions: dict[str, dict[str, Any]], context: dict[str, str | list[str]]) -> bool:
    return all(
        _test(operator, context.get(key), listed(wanted), context)
        for operator, tests in conditions.items()
        for key, wanted in tests.items()
    )


def _test(
    operator: str, value: str | list[str] | None, wanted: list[str], context: dict[str, str | list[str]]
) -> bool:
    match operator:
        case "Null":
            return (value is None) == (wanted == ["true"])
        case "ForAllValues:StringEquals":
            return all(each in wanted for each in listed(value or []))
        case "StringNotEquals":
            return value is None or value not in wanted  # of a key that is not there, a negation holds
        case "StringEquals" | "ArnEquals" | "Bool":
            return value in wanted
        case "StringLike":
            return isinstance(value, str) and any(_matches(pattern, value, context) for pattern in wanted)
        case "NumericGreaterThan":
            return isinstance(value, str) and int(value) > int(wanted[0])
    raise NotImplementedError(operator)


def _matches(pattern: str, text: str, context: dict[str, str | list[str]]) -> bool:
    """``*`` is any text, slashes too; a variable is its value to the letter, and matches nothing without."""
    written = ""
    for literal, variable in re.findall(r"([^$]+|\$(?!\{))|\$\{([^}]+)\}", pattern):
        if variable:
            value = context.get(variable)
            if not isinstance(value, str):
                return False
            written += re.escape(value)
        else:
            written += re.escape(literal).replace(r"\*", ".*").replace(r"\?", ".")
    return re.fullmatch(written, text, re.DOTALL) is not None
