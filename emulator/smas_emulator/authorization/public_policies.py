"""Whether a bucket policy makes a bucket public, as S3 understands the word.

https://docs.aws.amazon.com/AmazonS3/latest/userguide/access-control-block-public-access.html#access-control-block-public-access-policy-status
"""

from __future__ import annotations

import ipaddress
import json
from typing import Any

# A positive test of one of these against fixed values narrows a grant to somebody.
_NARROWING = frozenset(
    {
        "aws:principalaccount",
        "aws:principalarn",
        "aws:principalorgid",
        "aws:sourceaccount",
        "aws:sourcearn",
        "aws:sourceowner",
        "aws:sourcevpc",
        "aws:sourcevpce",
        "aws:userid",
        "s3:dataaccesspointaccount",
        "s3:dataaccesspointarn",
        "s3:x-amz-server-side-encryption-aws-kms-key-id",
    }
)
_POSITIVE = frozenset({"stringequals", "stringlike", "arnequals", "arnlike"})
_WIDEST_PREFIX_V4, _WIDEST_PREFIX_V6 = 8, 32


def is_public(policy: str) -> bool:
    """Whether any statement of a bucket policy, as JSON, allows something to everybody.

    A text that is no policy is not public: S3 answers `MalformedPolicy` to it.
    """
    try:
        document = json.loads(policy)
    except json.JSONDecodeError:
        return False
    statements = document.get("Statement") if isinstance(document, dict) else None
    listed = statements if isinstance(statements, list) else [statements]
    return any(isinstance(each, dict) and _grants_to_everybody(each) for each in listed)


def _grants_to_everybody(statement: dict[str, Any]) -> bool:
    if statement.get("Effect") != "Allow":
        return False
    if "NotPrincipal" not in statement and not _names_everybody(statement.get("Principal")):
        return False
    conditions = statement.get("Condition") or {}
    return not any(
        _narrows(operator.lower(), key.lower(), values if isinstance(values, list) else [values])
        for operator, tests in conditions.items()
        for key, values in tests.items()
    )


def _names_everybody(principal: Any) -> bool:
    if not isinstance(principal, dict):
        return bool(principal == "*")
    named = principal.get("AWS", ())
    return "*" in (named if isinstance(named, list) else [named])


def _narrows(operator: str, key: str, values: list[Any]) -> bool:
    if key == "aws:sourceip" and operator == "ipaddress":
        return all(_is_narrow(str(value)) for value in values)
    return (
        key in _NARROWING
        and operator in _POSITIVE
        and not any(character in str(value) for value in values for character in "*?$")
    )


def _is_narrow(network: str) -> bool:
    """Very wide ranges count as everybody: wider than /8 for IPv4 and /32 for IPv6."""
    try:
        parsed = ipaddress.ip_network(network, strict=False)
    except ValueError:
        return False
    widest = _WIDEST_PREFIX_V4 if isinstance(parsed, ipaddress.IPv4Network) else _WIDEST_PREFIX_V6
    return int(parsed.prefixlen) >= widest
