"""How a condition operator compares one value of a request with one of a policy.

https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_condition_operators.html
"""

from __future__ import annotations

import base64
import binascii
import ipaddress
import operator
import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from typing import TypeAlias

from smas_emulator.iam.arns import COLONS, arn_pattern
from smas_emulator.iam.context import Context
from smas_emulator.iam.errors import Incomparable
from smas_emulator.iam.patterns import Pattern
from smas_emulator.iam.variables import Text, parts

Comparison: TypeAlias = Callable[[str, Context], bool]

_NUMBER = re.compile(r"[+-]?\d+(?:\.\d+)?", re.ASCII)
_EPOCH = re.compile(r"\d+(?:\.\d+)?", re.ASCII)
_YEAR = re.compile(r"\d{4}", re.ASCII)
# https://www.w3.org/TR/NOTE-datetime
_DATE = re.compile(
    r"\d{4}(?:-\d\d(?:-\d\d(?:T\d\d:\d\d(?::\d\d(?:\.\d+)?)?(?:Z|[+-]\d\d:?\d\d)?)?)?)?", re.ASCII
)
_FIRST_DAY = "0001-01-01"


@dataclass(frozen=True, slots=True)
class Operator:
    """An operator; a `negated` one holds where none of the policy's values compares.

    `comparison` compiles a value of the policy. Its second argument says whether that may have variables,
    which only texts and ARNs have. It raises `ValueError` for a value that the operator cannot take; what it
    returns raises `Incomparable` for one in a request.
    """

    comparison: Callable[[str, bool], Comparison]
    negated: bool = False


def _equals(wanted: str, variables: bool) -> Comparison:  # noqa: FBT001 - see `Operator`
    text = Text(parts(wanted, variables=variables))
    if text.fixed is not None:
        fixed = text.fixed
        return lambda value, _context: value == fixed
    return lambda value, context: value == text.filled(context)


def _equals_ignoring_case(wanted: str, variables: bool) -> Comparison:  # noqa: FBT001 - see `Operator`
    text = Text(parts(wanted, variables=variables))

    def compares(value: str, context: Context) -> bool:
        filled = text.filled(context)
        return filled is not None and value.lower() == filled.lower()

    return compares


def _like(wanted: str, variables: bool) -> Comparison:  # noqa: FBT001 - see `Operator`
    return Pattern.of(wanted, variables=variables).matches


def _arn_like(wanted: str, variables: bool) -> Comparison:  # noqa: FBT001 - see `Operator`
    matches = arn_pattern(wanted, variables=variables).matches

    def compares(value: str, context: Context) -> bool:
        if value.count(":") < COLONS:
            raise Incomparable
        return matches(value, context)

    return compares


def _bool(wanted: str, _variables: bool) -> Comparison:  # noqa: FBT001 - see `Operator`
    lower = wanted.lower()
    if lower not in {"true", "false"}:
        msg = f"{wanted!r} is neither true nor false"
        raise ValueError(msg)

    def compares(value: str, _context: Context) -> bool:
        found = value.lower()
        if found not in {"true", "false"}:
            raise Incomparable
        return found == lower

    return compares


def _binary(wanted: str, _variables: bool) -> Comparison:  # noqa: FBT001 - see `Operator`
    """Both values are base64; what they encode is compared byte for byte."""
    expected = _decoded(wanted)

    def compares(value: str, _context: Context) -> bool:
        try:
            return _decoded(value) == expected
        except ValueError:
            raise Incomparable from None

    return compares


def _decoded(text: str) -> bytes:
    try:
        return base64.b64decode(text, validate=True)
    except binascii.Error:
        msg = f"{text!r} is not base64"
        raise ValueError(msg) from None


def _in_network(wanted: str, _variables: bool) -> Comparison:  # noqa: FBT001 - see `Operator`
    network = ipaddress.ip_network(wanted, strict=False)

    def compares(value: str, _context: Context) -> bool:
        try:
            return ipaddress.ip_address(value) in network
        except ValueError:
            raise Incomparable from None

    return compares


def _ordered(
    measure: Callable[[str], Decimal], compare: Callable[[Decimal, Decimal], bool]
) -> Callable[[str, bool], Comparison]:
    def comparison(wanted: str, _variables: bool) -> Comparison:  # noqa: FBT001 - see `Operator`
        limit = measure(wanted)

        def compares(value: str, _context: Context) -> bool:
            try:
                return compare(measure(value), limit)
            except ValueError:
                raise Incomparable from None

        return compares

    return comparison


def _number(text: str) -> Decimal:
    if not _NUMBER.fullmatch(text):
        msg = f"{text!r} is not a number"
        raise ValueError(msg)
    return Decimal(text)


def _seconds(text: str) -> Decimal:
    """Seconds since 1970 of a date of ISO 8601 as W3C narrows it, or as they are; four digits are a year."""
    if _EPOCH.fullmatch(text) and not _YEAR.fullmatch(text):
        return Decimal(text)
    if not _DATE.fullmatch(text):
        msg = f"{text!r} is not a date"
        raise ValueError(msg)
    time = datetime.fromisoformat(text + _FIRST_DAY[len(text) :])
    return Decimal(str((time if time.tzinfo else time.replace(tzinfo=UTC)).timestamp()))


OPERATORS = {
    "StringEquals": Operator(_equals),
    "StringNotEquals": Operator(_equals, negated=True),
    "StringEqualsIgnoreCase": Operator(_equals_ignoring_case),
    "StringNotEqualsIgnoreCase": Operator(_equals_ignoring_case, negated=True),
    "StringLike": Operator(_like),
    "StringNotLike": Operator(_like, negated=True),
    "NumericEquals": Operator(_ordered(_number, operator.eq)),
    "NumericNotEquals": Operator(_ordered(_number, operator.eq), negated=True),
    "NumericLessThan": Operator(_ordered(_number, operator.lt)),
    "NumericLessThanEquals": Operator(_ordered(_number, operator.le)),
    "NumericGreaterThan": Operator(_ordered(_number, operator.gt)),
    "NumericGreaterThanEquals": Operator(_ordered(_number, operator.ge)),
    "DateEquals": Operator(_ordered(_seconds, operator.eq)),
    "DateNotEquals": Operator(_ordered(_seconds, operator.eq), negated=True),
    "DateLessThan": Operator(_ordered(_seconds, operator.lt)),
    "DateLessThanEquals": Operator(_ordered(_seconds, operator.le)),
    "DateGreaterThan": Operator(_ordered(_seconds, operator.gt)),
    "DateGreaterThanEquals": Operator(_ordered(_seconds, operator.ge)),
    "Bool": Operator(_bool),
    "BinaryEquals": Operator(_binary),
    "IpAddress": Operator(_in_network),
    "NotIpAddress": Operator(_in_network, negated=True),
    "ArnEquals": Operator(_arn_like),
    "ArnLike": Operator(_arn_like),
    "ArnNotEquals": Operator(_arn_like, negated=True),
    "ArnNotLike": Operator(_arn_like, negated=True),
}
