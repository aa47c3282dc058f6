"""Conditions where AWS's documentation leaves something open, or where a slip would open something."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from smas_emulator.iam.context import Context
from smas_emulator.iam.operators import OPERATORS

from tests.emulator.iam.cases import SESSION, USER, Values, session, user
from tests.emulator.iam.documented_conditions import when

ANY_ARN = "arn:aws:s3:::b/{}"


def holds(condition: dict[str, Any], context: Values | None = None, **more: Any) -> bool:
    """Whether a condition holds for a request."""
    return when("", "", condition, context, holds=True, **more).decision().allowed


@pytest.mark.parametrize(
    ("condition", "context", "expected"),
    [
        # Several values without a quantifier, which AWS demands: any may match, and none may where negated.
        ({"StringEquals": {"k": "a"}}, {"k": ("a", "b")}, True),
        ({"StringEquals": {"k": "c"}}, {"k": ("a", "b")}, False),
        ({"StringNotEquals": {"k": "a"}}, {"k": ("a", "b")}, False),
        ({"StringNotEquals": {"k": "c"}}, {"k": ("a", "b")}, True),
        # No values are as no key.
        ({"StringNotEquals": {"k": "c"}}, {"k": ()}, True),
        ({"Null": {"k": "true"}}, {"k": ()}, True),
        ({"Null": {"k": ["true", "false"]}}, {}, True),
        ({"Null": {"k": "false"}}, {"k": ""}, True),
        ({"ForAllValues:StringEquals": {"k": "a"}}, {"k": ()}, True),
        ({"ForAnyValue:StringNotEquals": {"k": "a"}}, {}, False),
        ({"ForAnyValue:StringEqualsIfExists": {"k": "a"}}, {}, True),
        ({"ForAnyValue:StringEqualsIfExists": {"k": "a"}}, {"k": ("b",)}, False),
        ({"ForAllValues:StringEqualsIfExists": {"k": "a"}}, {"k": ("b",)}, False),
        # No values in the policy: nothing equals, everything differs.
        ({"StringEquals": {"k": []}}, {"k": "a"}, False),
        ({"StringNotEquals": {"k": []}}, {"k": "a"}, True),
        # Values that are none of their kind compare with nothing.
        ({"NumericEquals": {"k": "1"}}, {"k": "one"}, False),
        ({"NumericNotEquals": {"k": "1"}}, {"k": "one"}, True),
        ({"NumericLessThan": {"k": "1"}}, {"k": "-Infinity"}, False),
        ({"DateLessThan": {"k": "2026-01-01"}}, {"k": "yesterday"}, False),
        ({"DateLessThan": {"k": "2026-01-01"}}, {"k": "2025-02-30"}, False),
        ({"IpAddress": {"k": "10.0.0.0/8"}}, {"k": "localhost"}, False),
        ({"NotIpAddress": {"k": "10.0.0.0/8"}}, {"k": "localhost"}, True),
        ({"BinaryEquals": {"k": "YQ=="}}, {"k": "a!"}, False),
        ({"ArnLike": {"k": "*"}}, {"k": "arn:aws:s3:::b"}, False),
        ({"ArnLike": {"k": "arn:*:*:*:*:*"}}, {"k": "no ARN"}, False),
        # Ways to write a value.
        ({"Bool": {"k": "True"}}, {"k": "TRUE"}, True),
        ({"NumericEquals": {"k": "-1.50"}}, {"k": "-1.5"}, True),
        ({"DateEquals": {"k": "2026"}}, {"k": "2026-01-01T00:00:00Z"}, True),
        ({"DateEquals": {"k": "1767225600"}}, {"k": "2026-01-01T00:00:00Z"}, True),
        ({"DateEquals": {"k": "2026-01-01T00:00:00+0100"}}, {"k": "2025-12-31T23:00:00Z"}, True),
        ({"IpAddress": {"k": "203.0.113.7/24"}}, {"k": "203.0.113.200"}, True),
        ({"ArnLike": {"k": "arn:aws:s3:::b/*"}}, {"k": "arn:aws:s3:::b/a:b:c"}, True),
    ],
)
def test_a_condition_is_decided_so(condition: dict[str, Any], context: Values, *, expected: bool) -> None:
    """Rather than by accident."""
    assert holds(condition, context) is expected


@pytest.mark.parametrize("operator", sorted(OPERATORS))
def test_every_operator_has_its_rules_for_keys_that_are_not_there(operator: str) -> None:
    """Only negated ones hold, all do with IfExists, and of no values all but not any do."""
    value = {"Bool": "true", "BinaryEquals": "YQ==", "IpAddress": "::1", "NotIpAddress": "::1"}.get(
        operator, "1"
    )
    found = [
        holds({f"{quantifier}{operator}{suffix}": {"k": value}})
        for quantifier in ("", "ForAllValues:", "ForAnyValue:")
        for suffix in ("", "IfExists")
    ]
    assert found == ["Not" in operator, True, True, True, False, True]


@pytest.mark.parametrize("operator", ["Numeric", "Date"])
@given(one=st.integers(0, 10**9), other=st.integers(0, 10**9))
def test_numbers_and_dates_are_ordered(operator: str, one: int, other: int) -> None:
    """Each pair is less, equal or greater, and its negation is."""
    expected = {
        "Equals": one == other,
        "NotEquals": one != other,
        "LessThan": one < other,
        "LessThanEquals": one <= other,
        "GreaterThan": one > other,
        "GreaterThanEquals": one >= other,
    }
    # Seconds of at least five digits, so that none is a year.
    found = {
        name: holds({f"{operator}{name}": {"k": str(other + 10_000)}}, {"k": str(one + 10_000)})
        for name in expected
    }
    assert found == expected


@given(st.text("ab*?:/${}", min_size=1, max_size=6), st.text("ab*?:/", max_size=6))
def test_a_value_is_no_pattern_in_any_operator(tag: str, found: str) -> None:
    """What stands in a tag is equal to itself alone, in texts and in ARNs."""
    principal = session(tags={"team": tag})
    variable = "${aws:PrincipalTag/team}"
    for operator, written in (
        ("StringEquals", "{}"),
        ("StringLike", "{}"),
        ("ArnEquals", ANY_ARN),
        ("ArnLike", ANY_ARN),
    ):
        condition = {operator: {"k": written.format(variable)}}
        assert holds(condition, {"k": written.format(tag)}, principal=principal)
        assert holds(condition, {"k": written.format(found)}, principal=principal) == (found == tag)


def test_an_arn_may_come_from_a_variable() -> None:
    """All of it, or a part with colons of its own; and `${*}` is a star there too."""
    assert holds({"ArnEquals": {"k": "${aws:PrincipalArn}"}}, {"k": USER.arn})
    assert not holds({"ArnEquals": {"k": "${aws:PrincipalArn}"}}, {"k": user("Alice").arn})
    mine = {"ArnLike": {"k": "arn:aws:s3:*::b/${aws:userid}/*"}}
    assert holds(mine, {"k": f"arn:aws:s3:::b/{SESSION.user_id}/a"}, principal=SESSION)
    assert not holds(mine, {"k": "arn:aws:s3:::b/another:session/a"}, principal=SESSION)
    assert not holds(
        {"ArnLike": {"k": ANY_ARN.format("${aws:PrincipalTag/team}")}}, {"k": ANY_ARN.format("")}
    )
    assert holds({"ArnLike": {"k": ANY_ARN.format("${*}")}}, {"k": ANY_ARN.format("*")})
    assert not holds({"ArnLike": {"k": ANY_ARN.format("${*}")}}, {"k": ANY_ARN.format("a")})


def test_variables_have_values_in_texts_and_arns_alone() -> None:
    """In another operator they are no value of its kind, and in an old document plain text."""
    literal = OPERATORS["StringEquals"].comparison("${aws:username}", False)
    assert literal("${aws:username}", Context({"aws:username": "Bob"}))
    arn = OPERATORS["ArnLike"].comparison(ANY_ARN.format("${aws:username}"), False)
    assert not arn(ANY_ARN.format("Bob"), Context({"aws:username": "Bob"}))
    for operator in ("Bool", "NumericEquals", "DateEquals", "IpAddress", "BinaryEquals"):
        with pytest.raises(ValueError, match=r"aws:username"):
            OPERATORS[operator].comparison("${aws:username}", True)
