"""A trail has the events that its selectors want, and selectors that CloudTrail takes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from smas_emulator.cloudtrail.selectors import check_advanced, check_basic, wanted
from smas_emulator.cloudtrail.trails import Trail
from smas_emulator.gateway.errors import AwsError

from tests.emulator.cloudtrail.account import ACCOUNT, BUCKET, REGION, event

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

Selector = dict[str, Any]
FUNCTION = f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:score"


def trail(**settings: Any) -> Trail:
    """A trail with given settings."""
    return Trail("audit", ACCOUNT, settings.pop("home", REGION), BUCKET, **settings)


def basic(*selectors: Selector) -> Trail:
    """A trail with basic selectors, which CloudTrail takes."""
    check_basic(selectors)
    return trail(selectors=selectors)


def advanced(*fields: Selector) -> Trail:
    """A trail with one advanced selector, which CloudTrail takes."""
    selectors = ({"FieldSelectors": fields},)
    check_advanced(selectors)
    return trail(advanced=selectors)


def management() -> Selector:
    """The condition that an advanced selector of management events begins with."""
    return {"Field": "eventCategory", "Equals": ["Management"]}


def data(kind: str = "AWS::S3::Object") -> list[Selector]:
    """The conditions that an advanced selector of data events begins with."""
    return [{"Field": "eventCategory", "Equals": ["Data"]}, {"Field": "resources.type", "Equals": [kind]}]


def invoked(arn: str) -> dict[str, Any]:
    """The event of a call of a function."""
    resources = [{"type": "AWS::Lambda::Function", "ARN": arn}]
    return event(eventCategory="Data", eventSource="lambda.amazonaws.com", resources=resources)


def resources(kind: str, *values: str) -> Selector:
    """A basic selector of data events alone."""
    return {"IncludeManagementEvents": False, "DataResources": [{"Type": kind, "Values": list(values)}]}


S3, LAMBDA, DYNAMODB = "AWS::S3::Object", "AWS::Lambda::Function", "AWS::DynamoDB::Table"


@pytest.mark.parametrize(
    ("settings", "record", "expected"),
    [
        ({}, event(), True),
        ({}, event(recipientAccountId="999999999999"), False),
        ({}, event(awsRegion="eu-west-1"), False),
        ({"multi_region": True}, event(awsRegion="eu-west-1"), True),
        ({"home": "eu-west-1"}, event(awsRegion="eu-west-1"), True),
        ({}, event(eventSource="iam.amazonaws.com"), True),
        ({"global_events": False}, event(eventSource="iam.amazonaws.com"), False),
        ({"global_events": False}, event(), True),
        ({"home": "eu-west-1"}, event(eventSource="iam.amazonaws.com"), False),
        ({"home": "eu-west-1", "multi_region": True}, event(eventSource="iam.amazonaws.com"), True),
        ({"home": "eu-west-1"}, event(eventSource="sts.amazonaws.com", awsRegion="eu-west-1"), True),
    ],
)
def test_by_place(settings: dict[str, Any], record: dict[str, Any], expected: bool) -> None:
    """A trail of one region, of all regions, with and without global services' events."""
    assert wanted(trail(**settings), record) is expected


@pytest.mark.parametrize(
    ("selectors", "record", "expected"),
    [
        ([{}], event(), True),
        ([{}], event(key="a"), False),
        ([{"ReadWriteType": "ReadOnly"}], event(), False),
        ([{"ReadWriteType": "ReadOnly"}], event(readOnly=True), True),
        ([{"ReadWriteType": "WriteOnly"}], event(readOnly=True), False),
        ([{"ReadWriteType": "ReadOnly"}, {"ReadWriteType": "WriteOnly"}], event(), True),
        ([{"IncludeManagementEvents": False}], event(), False),
        ([{"ExcludeManagementEventSources": ["kms.amazonaws.com"]}], event(), False),
        ([{"ExcludeManagementEventSources": ["rdsdata.amazonaws.com"]}], event(), True),
        ([resources(S3, "arn:aws:s3")], event(key="a"), True),
        ([resources(S3, "arn:aws:s3:::")], event(key="a"), True),
        ([resources(S3, "arn:aws:s3:::models/")], event(key="a"), True),
        ([resources(S3, "arn:aws:s3:::models/fraud")], event(key="fraud/1"), True),
        ([resources(S3, "arn:aws:s3:::models/fraud")], event(key="risk/1"), False),
        ([resources(S3, "arn:aws:s3:::other/", "arn:aws:s3:::models/")], event(key="a"), True),
        ([resources(S3)], event(key="a"), False),
        ([resources(S3, "arn:aws:s3")], event(), False),
        ([resources(LAMBDA, "arn:aws:lambda")], event(key="a"), False),
        ([resources(LAMBDA, "arn:aws:lambda")], invoked(FUNCTION), True),
        ([resources(LAMBDA, FUNCTION)], invoked(FUNCTION), True),
        ([resources(LAMBDA, FUNCTION)], invoked(f"{FUNCTION}2"), False),
        ([resources(S3, "arn:aws:s3") | {"ReadWriteType": "ReadOnly"}], event(key="a"), False),
        ([resources(S3, "arn:aws:s3") | {"ReadWriteType": "ReadOnly"}], event(key="a", readOnly=True), True),
        (
            [resources(S3, "arn:aws:s3:::models/")],
            event(eventCategory="Data", resources=[{"type": S3, "ARNPrefix": "arn:aws:s3:::models/"}]),
            True,
        ),
        ([resources(S3, "arn:aws:s3")], event(eventCategory="Data"), False),
    ],
)
def test_basic_selectors(selectors: list[Selector], record: dict[str, Any], expected: bool) -> None:
    """Management events by kind and source, data events by what they are about."""
    assert bool(wanted(basic(*selectors), record)) is expected


@pytest.mark.parametrize(
    ("fields", "record", "expected"),
    [
        ([management()], event(), True),
        ([management()], event(key="a"), False),
        ([management(), {"Field": "readOnly", "Equals": ["true"]}], event(), False),
        ([management(), {"Field": "readOnly", "Equals": ["false"]}], event(), True),
        ([management(), {"Field": "eventSource", "NotEquals": ["kms.amazonaws.com"]}], event(), False),
        ([management(), {"Field": "eventSource", "NotEquals": ["rdsdata.amazonaws.com"]}], event(), True),
        (data(), event(key="a"), True),
        (data(), event(), False),
        (data(LAMBDA), event(key="a"), False),
        ([*data(), {"Field": "eventName", "StartsWith": ["Get", "Put"]}], event(key="a"), True),
        ([*data(), {"Field": "eventName", "NotStartsWith": ["Get", "Put"]}], event(key="a"), False),
        ([*data(), {"Field": "eventName", "EndsWith": ["Tagging"]}], event(key="a"), False),
        (
            [*data(), {"Field": "eventName", "StartsWith": ["Put"], "NotEquals": ["PutObject"]}],
            event(key="a"),
            False,
        ),
        ([*data(), {"Field": "resources.ARN", "StartsWith": ["arn:aws:s3:::models/"]}], event(key="a"), True),
        ([*data(), {"Field": "resources.ARN", "NotEndsWith": [".tmp"]}], event(key="a.tmp"), False),
        ([*data(), {"Field": "resources.ARN", "Equals": ["arn:aws:s3:::models"]}], event(key="a"), False),
        ([*data(), {"Field": "userIdentity.arn", "EndsWith": ["/ds-fraud"]}], event(key="a"), True),
        ([*data(), {"Field": "userIdentity.arn", "Equals": ["x"]}], event(key="a", userIdentity={}), False),
        ([*data(), {"Field": "userIdentity.arn", "NotEquals": ["x"]}], event(key="a", userIdentity={}), True),
        (
            [*data(), {"Field": "eventType", "Equals": ["AwsApiCall"]}],
            event(key="a", eventType="AwsApiCall"),
            True,
        ),
    ],
)
def test_advanced_selectors(fields: list[Selector], record: dict[str, Any], expected: bool) -> None:
    """All conditions of a selector must hold; any value of a condition will do, none of a negated one."""
    assert wanted(advanced(*fields), record) is expected


def test_any_advanced_selector_will_do() -> None:
    """The seeded trail's: all management events, and the objects of one bucket."""
    both = ({"FieldSelectors": [management()]}, {"FieldSelectors": data()})
    check_advanced(both)

    assert wanted(trail(advanced=both), event())
    assert wanted(trail(advanced=both), event(key="a"))
    assert not wanted(trail(advanced=both), invoked(FUNCTION))


def checked(check: Callable[[Sequence[Selector]], None], selectors: list[Selector], *, refused: bool) -> None:
    """Check selectors, and that they are refused by name, or not."""
    if not refused:
        check(selectors)
        return
    with pytest.raises(AwsError) as refusal:
        check(selectors)
    assert refusal.value.code == "InvalidEventSelectorsException"


def _objects(count: int) -> list[Selector]:
    values = [f"arn:aws:s3:::models/{number}" for number in range(count)]
    half = count // 2
    return [resources(S3, *values[:half]), resources(S3, *values[half:])]


def _names(count: int) -> list[Selector]:
    """Advanced selectors with so many values in all, their own categories and types included."""
    equals = {"Field": "eventName", "Equals": [f"Event{number}" for number in range(count - 3)]}
    return [{"FieldSelectors": [*data(), equals]}, {"FieldSelectors": [management()]}]


@pytest.mark.parametrize(
    ("selectors", "refused"),
    [
        ([], True),
        ([{}] * 5, False),
        ([{}] * 6, True),
        (_objects(250), False),
        (_objects(251), True),
        ([{"ReadWriteType": "read-only"}], True),
        ([{"ExcludeManagementEventSources": ["rdsdata.amazonaws.com", "kms.amazonaws.com"]}], False),
        ([{"ExcludeManagementEventSources": ["s3.amazonaws.com"]}], True),
        ([resources("AWS::SNS::Topic", "arn:aws:sns")], True),
        ([resources(S3, "arn:aws:s3:::models")], True),
        ([resources(S3, "arn:aws:s3:::*")], True),
        ([resources(S3, "arn:aws:s3:::*/")], True),
        ([resources(S3, "arn:aws:s3:::/models")], True),
        ([resources(S3, "models/")], True),
        ([resources(S3, "arn:aws:lambda")], True),
        ([resources(LAMBDA, "arn:aws:lambda:*")], True),
        ([resources(LAMBDA, FUNCTION)], False),
        ([resources(DYNAMODB, "arn:aws:dynamodb")], False),
    ],
)
def test_basic_selectors_that_are_refused(selectors: list[Selector], refused: bool) -> None:
    """One to five selectors, at most 250 resources in all, buckets with their slash, no wildcards."""
    checked(check_basic, selectors, refused=refused)


@pytest.mark.parametrize(
    ("selectors", "refused"),
    [
        ([], True),
        ([{}], True),
        ([{"FieldSelectors": []}], True),
        (_names(500), False),
        (_names(501), True),
        ([{"Name": "n" * 1000, "FieldSelectors": [management()]}], False),
        ([{"Name": "n" * 1001, "FieldSelectors": [management()]}], True),
        ([{"FieldSelectors": [{"Field": "readOnly", "Equals": ["true"]}]}], True),
        ([{"FieldSelectors": [{"Field": "eventCategory", "Equals": ["Insight"]}]}], True),
        ([{"FieldSelectors": [{"Field": "eventCategory", "NotEquals": ["Data"]}]}], True),
        ([{"FieldSelectors": [{"Field": "eventCategory", "Equals": ["Management", "Data"]}]}], True),
        ([{"FieldSelectors": data()[:1]}], True),
        ([{"FieldSelectors": [management(), management()]}], True),
        ([{"FieldSelectors": [management(), {"Field": "eventName", "Equals": ["x"]}]}], True),
        ([{"FieldSelectors": [management(), {"Equals": ["x"]}]}], True),
        ([{"FieldSelectors": [management(), {"Field": "readOnly"}]}], True),
        ([{"FieldSelectors": [management(), {"Field": "readOnly", "Equals": []}]}], True),
        ([{"FieldSelectors": [management(), {"Field": "readOnly", "Equals": ["yes"]}]}], True),
        ([{"FieldSelectors": [management(), {"Field": "readOnly", "NotEquals": ["true"]}]}], True),
        (
            [{"FieldSelectors": [management(), {"Field": "eventSource", "Equals": ["kms.amazonaws.com"]}]}],
            True,
        ),
        (
            [{"FieldSelectors": [management(), {"Field": "eventSource", "NotEquals": ["s3.amazonaws.com"]}]}],
            True,
        ),
        ([{"FieldSelectors": [*data(), {"Field": "resources.tags", "Equals": ["x"]}]}], True),
        ([{"FieldSelectors": [*data(), {"Field": "eventSource", "Equals": ["s3.amazonaws.com"]}]}], False),
        ([{"FieldSelectors": [data()[0], {"Field": "resources.type", "StartsWith": ["AWS::"]}]}], True),
        ([{"FieldSelectors": [{"Field": "eventCategory", "Equals": ["NetworkActivity"]}]}], True),
    ],
)
def test_advanced_selectors_that_are_refused(selectors: list[Selector], refused: bool) -> None:
    """At most 500 values, one category, its fields alone, and Equals where nothing else is taken."""
    checked(check_advanced, selectors, refused=refused)


_KINDS = st.sampled_from(["All", "ReadOnly", "WriteOnly"])
_RECORDS = st.builds(
    lambda key, read_only, source: event(key=key, readOnly=read_only, eventSource=source),
    st.none() | st.sampled_from(["a", "fraud/1"]),
    st.booleans(),
    st.sampled_from(["kms.amazonaws.com", "s3.amazonaws.com", "iam.amazonaws.com"]),
)


@given(_RECORDS, st.booleans(), st.sampled_from([(), ("kms.amazonaws.com",)]))
def test_reads_and_writes_are_all(record: dict[str, Any], included: bool, excluded: tuple[str, ...]) -> None:
    """A ReadOnly and a WriteOnly selector want what one with All wants, and nothing both do."""
    common = {
        **resources(S3, "arn:aws:s3:::models/fraud"),
        "IncludeManagementEvents": included,
        "ExcludeManagementEventSources": list(excluded),
    }
    everything, reads, writes = (
        wanted(basic({**common, "ReadWriteType": kind}), record) for kind in ("All", "ReadOnly", "WriteOnly")
    )
    both = wanted(
        basic({**common, "ReadWriteType": "ReadOnly"}, {**common, "ReadWriteType": "WriteOnly"}), record
    )

    assert both == everything == (reads or writes)
    assert not (reads and writes)


@given(_RECORDS, st.lists(_KINDS, min_size=1, max_size=4), _KINDS)
def test_another_selector_never_wants_less(record: dict[str, Any], kinds: list[str], more: str) -> None:
    """And their order does not matter."""
    selectors = [{"ReadWriteType": kind} for kind in kinds]
    fewer = wanted(basic(*selectors), record)
    longer = wanted(basic(*selectors, {"ReadWriteType": more}), record)

    assert longer or not fewer
    assert longer == wanted(basic({"ReadWriteType": more}, *reversed(selectors)), record)


_NAMES = st.sampled_from(["Get", "GetObject", "PutObject", "PutObjectTagging", "Object", ""])
_OPERATORS: dict[str, Callable[[str, list[str]], bool]] = {
    "Equals": lambda value, given: value in given,
    "StartsWith": lambda value, given: any(value[: len(each)] == each for each in given),
    "EndsWith": lambda value, given: any(each == value[len(value) - len(each) :] for each in given),
    "NotEquals": lambda value, given: value not in given,
    "NotStartsWith": lambda value, given: not any(value[: len(each)] == each for each in given),
    "NotEndsWith": lambda value, given: not any(each == value[len(value) - len(each) :] for each in given),
}


@given(
    _NAMES.filter(bool),
    st.dictionaries(
        st.sampled_from(sorted(_OPERATORS)),
        st.lists(_NAMES.filter(bool), min_size=1, max_size=3),
        min_size=1,
        max_size=3,
    ),
)
def test_operators_mean_what_they_say(name: str, condition: dict[str, list[str]]) -> None:
    """As read off the API's reference: all operators of a condition, any value, none of a negated one."""
    selector = {"Field": "eventName", **condition}
    expected = all(_OPERATORS[operator](name, values) for operator, values in condition.items())

    assert wanted(advanced(*data(), selector), event(key="a", eventName=name)) is expected
