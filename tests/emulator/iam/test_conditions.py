"""Conditions where AWS's documentation leaves something open, or where a slip would open something."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from smas_emulator.iam.context import Context
from smas_emulator.iam.evaluation import Request, decide
from smas_emulator.iam.operators import OPERATORS

from tests.emulator.iam.cases import OBJECT, SESSION, USER, Values, allow, deny, policy, session, user
from tests.emulator.iam.documented_conditions import when

ANY_ARN = "arn:aws:s3:::b/{}"
# A value that each operator takes, unless it is 1.
VALUES = {"Bool": "true", "BinaryEquals": "YQ==", "IpAddress": "::1", "NotIpAddress": "::1"} | {
    name: "arn:aws:s3:::b" for name in OPERATORS if name.startswith("Arn")
}


def holds(condition: dict[str, Any], context: Values | None = None, **more: Any) -> bool:
    """Whether a condition holds for a request."""
    return when("", "", condition, context, holds=True, **more).decision().allowed


def denies(condition: dict[str, Any], context: Values) -> bool:
    """Whether a Deny with a condition denies a request that is allowed otherwise."""
    both = policy(allow(), deny(Condition=condition))
    return decide(Request("s3:GetObject", OBJECT, context), USER, identity=[both]).explicit


@pytest.mark.parametrize(
    ("condition", "context", "expected"),
    [
        # No values are as no key.
        ({"StringNotEquals": {"k": "c"}}, {"k": ()}, True),
        ({"Null": {"k": "true"}}, {"k": ()}, True),
        ({"Null": {"k": ["true", "false"]}}, {}, True),
        # Nor are several that are all empty; an empty text is one, but not to a quantifier.
        ({"StringNotEquals": {"k": "c"}}, {"k": ("", "")}, True),
        ({"Null": {"k": "true"}}, {"k": ("",)}, True),
        ({"Null": {"k": "false"}}, {"k": ("", "a")}, True),
        ({"Null": {"k": "false"}}, {"k": ""}, True),
        ({"StringEquals": {"k": ""}}, {"k": ""}, True),
        ({"StringNotEquals": {"k": ""}}, {"k": ""}, False),
        ({"ForAllValues:StringEquals": {"k": "a"}}, {"k": ("", "")}, True),
        ({"ForAllValues:StringEquals": {"k": "a"}}, {"k": ""}, True),
        ({"ForAllValues:StringEquals": {"k": "a"}}, {"k": ("", "a")}, False),
        ({"ForAnyValue:StringNotEquals": {"k": "a"}}, {"k": ("",)}, False),
        ({"ForAnyValue:StringNotEquals": {"k": "a"}}, {"k": ""}, False),
        ({"ForAnyValue:StringNotEquals": {"k": "a"}}, {"k": "b"}, True),
        ({"ForAllValues:StringEquals": {"k": "a"}}, {"k": ()}, True),
        ({"ForAnyValue:StringNotEquals": {"k": "a"}}, {}, False),
        ({"ForAnyValue:StringEqualsIfExists": {"k": "a"}}, {}, True),
        ({"ForAnyValue:StringEqualsIfExists": {"k": "a"}}, {"k": ("b",)}, False),
        ({"ForAllValues:StringEqualsIfExists": {"k": "a"}}, {"k": ("b",)}, False),
        # No values in the policy: with a quantifier nothing equals them.
        ({"ForAllValues:StringEquals": {"k": []}}, {}, True),
        ({"ForAllValues:StringEquals": {"k": []}}, {"k": ("a",)}, False),
        ({"ForAnyValue:StringEquals": {"k": []}}, {"k": ("a",)}, False),
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
    found = [
        holds({f"{quantifier}{operator}{suffix}": {"k": VALUES.get(operator, "1")}})
        for quantifier in ("", "ForAllValues:", "ForAnyValue:")
        for suffix in ("", "IfExists")
    ]
    assert found == ["Not" in operator, True, True, True, False, True]


UNDECIDED = [
    # Several values without the quantifier that they need, of which some or none would match.
    ("StringEquals", "a", ("a", "b")),
    ("StringNotEquals", "c", ("a", "b")),
    ("StringLike", "*", ("a",)),
    ("StringNotLikeIfExists", "c*", ("a",)),
    # Values that are none of the operator's kind.
    *((name, "1", junk) for name in OPERATORS if name.startswith("Numeric") for junk in ("one", "", "1e3")),
    *((name, "1", junk) for name in OPERATORS if name.startswith("Numeric") for junk in ("NaN", "-Infinity")),
    *((name, "2026", junk) for name in OPERATORS if "Date" in name for junk in ("yesterday", "2025-02-30")),
    *((name, "10.0.0.0/8", junk) for name in ("IpAddress", "NotIpAddress") for junk in ("localhost", "10.1")),
    *((name, "arn:*:*:*:*:*", "no ARN") for name in OPERATORS if name.startswith("Arn")),
    ("Bool", "true", "yes"),
    ("Bool", "false", "0"),
    ("BinaryEquals", "YQ==", "a!"),
    ("NumericLessThanIfExists", "1", "one"),
    # The same among several values.
    ("ForAllValues:NumericLessThan", "1", ("0", "one")),
    ("ForAllValues:NumericNotEquals", "1", ("0", "one")),
    ("ForAnyValue:NumericLessThan", "1", ("2", "one")),
    ("ForAnyValue:NumericNotEquals", "1", ("1", "one")),
]


@pytest.mark.parametrize(("operator", "wanted", "value"), UNDECIDED)
def test_what_cannot_be_decided_never_gives_more(
    operator: str, wanted: str, value: str | tuple[str, ...], caplog: pytest.LogCaptureFixture
) -> None:
    """It allows nothing, it denies, and the log says so, without the value, which may be a secret."""
    condition = {operator: {"aws:Key": wanted}}
    assert not holds(condition, {"aws:Key": value})
    assert denies(condition, {"aws:Key": value})
    allowing, denying = (record.getMessage() for record in caplog.records)
    assert allowing.startswith(
        f"{operator} cannot be decided and counts as not met, in an Allow: aws:key has "
    )
    assert denying.startswith(f"{operator} cannot be decided and counts as met, in a Deny: aws:key has ")


@pytest.mark.parametrize(
    ("operator", "wanted", "value"),
    [
        ("ForAllValues:NumericLessThan", "1", ("2", "one")),
        ("ForAnyValue:NumericLessThan", "1", ("0", "one")),
        ("ForAllValues:NumericNotEquals", "1", ("1", "one")),
        ("ForAnyValue:NumericNotEquals", "1", ("2", "one")),
    ],
)
def test_what_other_values_decide_is_decided(operator: str, wanted: str, value: tuple[str, ...]) -> None:
    """Whatever else is among them, one that differs or one that fits is enough."""
    condition = {operator: {"k": wanted}}
    assert holds(condition, {"k": value}) is denies(condition, {"k": value}) is ("Any" in operator)


def test_a_deny_needs_all_of_its_conditions() -> None:
    """One that cannot be decided does not make up for one that does not hold."""
    condition = {"NumericLessThan": {"k": "1"}, "StringEquals": {"l": "a"}}
    assert denies(condition, {"k": "one", "l": "a"})
    assert not denies(condition, {"k": "one", "l": "b"})


@pytest.mark.parametrize("operator", ["StringEquals", "StringNotEquals", "NumericLessThanIfExists", "Null"])
@pytest.mark.parametrize("context", [{}, {"k": "1"}, {"k": ("1", "2")}])
def test_a_condition_without_values_never_gives_more(
    operator: str, context: Values, caplog: pytest.LogCaptureFixture
) -> None:
    """https://docs.aws.amazon.com/IAM/latest/UserGuide/access-analyzer-reference-policy-checks.html."""
    assert not holds({operator: {"k": []}}, context)
    assert denies({operator: {"k": []}}, context)
    assert {record.getMessage() for record in caplog.records} == {
        f"Statement {number} is not understood: {operator} has no values for k." for number in (1, 2)
    }


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
