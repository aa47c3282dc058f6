"""LookupEvents finds the management events of the last 90 days, each once, newest first."""

from __future__ import annotations

import base64
import itertools
import json
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from smas_emulator.cloudtrail.event_store import ATTRIBUTES, Lookup
from smas_emulator.gateway.errors import AwsError

from tests.emulator.cloudtrail.account import ACCOUNT, NOON, event, ids

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from tests.emulator.cloudtrail.account import Account

ROLE = f"arn:aws:iam::{ACCOUNT}:role/smas-data-scientist"


def found(account: Account, attribute: tuple[str, str] | None = None, **request: Any) -> list[str]:
    """The ids of the events that one call finds."""
    if attribute is not None:
        request["LookupAttributes"] = [{"AttributeKey": attribute[0], "AttributeValue": attribute[1]}]
    return [each["EventId"] for each in account.call("LookupEvents", **request)["Events"]]


def refused(account: Account, **request: Any) -> str:
    """The code of the error that a call is answered with."""
    with pytest.raises(AwsError) as refusal:
        account.call("LookupEvents", **request)
    return refusal.value.code


def test_an_event_as_it_is_shown(account: Account) -> None:
    """With its record as JSON, and what can be looked up beside it."""
    record = event(
        eventSource="sts.amazonaws.com",
        eventName="AssumeRole",
        readOnly=True,
        resources=[{"type": "AWS::IAM::Role", "ARN": ROLE, "accountId": ACCOUNT}],
    )
    account.store.add([record])

    [shown] = account.call("LookupEvents")["Events"]

    assert json.loads(shown.pop("CloudTrailEvent")) == record
    assert shown == {
        "EventId": record["eventID"],
        "EventName": "AssumeRole",
        "ReadOnly": "true",
        "AccessKeyId": "ASIAEXAMPLE",
        "EventTime": NOON.replace(microsecond=0),
        "EventSource": "sts.amazonaws.com",
        "Username": "ds-fraud",
        "Resources": [{"ResourceType": "AWS::IAM::Role", "ResourceName": ROLE}],
    }


@pytest.mark.parametrize(
    ("attribute", "value"),
    [
        ("EventName", "AssumeRole"),
        ("EventSource", "sts.amazonaws.com"),
        ("ReadOnly", "true"),
        ("Username", "alice"),
        ("AccessKeyId", "AKIAALICE"),
        ("ResourceType", "AWS::IAM::Role"),
        ("ResourceName", ROLE),
    ],
)
def test_every_attribute(account: Account, attribute: str, value: str) -> None:
    """Finds the one event that has the value, and nothing by another one."""
    sought = event(
        eventName="AssumeRole",
        eventSource="sts.amazonaws.com",
        readOnly=True,
        userIdentity={"type": "IAMUser", "userName": "alice", "accessKeyId": "AKIAALICE"},
        resources=[{"type": "AWS::IAM::Role", "ARN": ROLE}, {"type": "AWS::IAM::Role", "ARN": ROLE + "2"}],
    )
    account.store.add([event(), sought, event()])

    assert found(account, (attribute, value)) == ids([sought])
    assert found(account, (attribute, value.swapcase())) == []
    assert found(account, ("EventId", sought["eventID"])) == ids([sought])


@pytest.mark.parametrize(
    ("identity", "name"),
    [
        ({"type": "Root", "arn": f"arn:aws:iam::{ACCOUNT}:root"}, "root"),
        ({"type": "AWSService", "invokedBy": "config.amazonaws.com"}, "config.amazonaws.com"),
        ({"type": "Unknown"}, None),
    ],
)
def test_who_is_no_session(account: Account, identity: dict[str, str], name: str | None) -> None:
    """Root and services have names; nobody has none."""
    account.store.add([event(userIdentity=identity)])

    [shown] = account.call("LookupEvents")["Events"]

    assert shown.get("Username") == name


def test_by_time(account: Account) -> None:
    """Both ends belong to the range; without them it is the last 90 days."""
    times = [NOON - timedelta(minutes=minutes) for minutes in (0, 1, 2, 3)]
    events = [event(time=time) for time in reversed(times)]
    account.store.add(events)
    whole = [time.replace(microsecond=0) for time in times]

    assert found(account) == ids(list(reversed(events)))
    assert found(account, StartTime=whole[2], EndTime=whole[1]) == ids([events[2], events[1]])
    assert found(account, StartTime=whole[0], EndTime=whole[0]) == ids([events[3]])
    assert found(account, EndTime=whole[3] - timedelta(seconds=1)) == []
    assert refused(account, StartTime=whole[0], EndTime=whole[1]) == "InvalidTimeRangeException"
    assert found(account, StartTime=NOON - timedelta(days=400), EndTime=whole[3]) == ids(events[:1])


def test_what_is_older_than_90_days_is_forgotten(account: Account) -> None:
    """Whether it is still on the disk or not, and with what was found by it."""
    old = event(resources=[{"type": "AWS::IAM::Role", "ARN": ROLE}])
    account.store.add([old])
    account.clock.forward(days=90, seconds=-1)
    assert found(account) == ids([old])
    account.clock.forward(seconds=2)
    assert found(account, StartTime=NOON - timedelta(days=1)) == []

    account.store.add([fresh := event(time=account.clock.time)])
    account.clock.time = NOON
    assert found(account, EndTime=NOON + timedelta(days=91)) == ids([fresh])
    assert found(account, ("ResourceName", ROLE)) == []


def test_other_regions_and_accounts(account: Account) -> None:
    """Each has its own events."""
    account.store.add([event(awsRegion="eu-west-1"), event(recipientAccountId="999999999999")])

    assert found(account) == []
    assert len(account.call("LookupEvents", region="eu-west-1")["Events"]) == 1
    assert len(account.call("LookupEvents", account="999999999999")["Events"]) == 1


def test_at_most_50(account: Account) -> None:
    """In one answer."""
    account.store.add([event() for _ in range(51)])

    assert len(found(account)) == len(found(account, MaxResults=50)) == 50
    assert len(found(account, MaxResults=1)) == 1
    for wrong in (0, -1, 51):
        assert refused(account, MaxResults=wrong) == "InvalidMaxResultsException"


def test_no_insights(account: Account) -> None:
    """There are none, and no other category."""
    account.store.add([event()])

    assert account.call("LookupEvents", EventCategory="insight") == {"Events": []}
    assert refused(account, EventCategory="data") == "InvalidEventCategoryException"


@pytest.mark.parametrize(
    "attributes",
    [
        [{"AttributeKey": key, "AttributeValue": "a"} for key in ("EventName", "EventId")],
        [{"AttributeKey": "SourceIPAddress", "AttributeValue": "192.0.2.10"}],
        [{"AttributeKey": "record", "AttributeValue": "a"}],
        [{"AttributeKey": "EventName"}],
        [{"AttributeKey": "EventName", "AttributeValue": ""}],
        [{"AttributeKey": "EventName", "AttributeValue": "a" * 2001}],
        [{}],
    ],
)
def test_wrong_attributes(account: Account, attributes: list[dict[str, str]]) -> None:
    """One at a time, of those there are."""
    assert refused(account, LookupAttributes=attributes) == "InvalidLookupAttributesException"


def _token(*value: Any) -> str:
    return base64.urlsafe_b64encode(json.dumps(value).encode()).decode()


@pytest.mark.parametrize("token", ["", "nonsense", "ü", _token(), _token(1, 2), _token(1, 2, "other")])
def test_tokens_that_are_none(account: Account, token: str) -> None:
    """Are refused by name."""
    assert refused(account, NextToken=token) == "InvalidNextTokenException"


@pytest.mark.parametrize("time", [2**63, -1, 1.5, True, "1", None, [1]])
def test_tokens_that_somebody_made(account: Account, time: object) -> None:
    """Are refused too, though the rest of it was given out."""
    account.store.add([event() for _ in range(3)])
    given_out = account.call("LookupEvents", MaxResults=1)["NextToken"]
    _time, number, question = json.loads(base64.urlsafe_b64decode(given_out))

    assert refused(account, NextToken=_token(time, number, question)) == "InvalidNextTokenException"
    deep = base64.urlsafe_b64encode(b"[" * 100_000).decode()
    assert refused(account, NextToken=deep) == "InvalidNextTokenException"


def test_a_token_is_of_one_question(account: Account) -> None:
    """The page's size may change on the way, nothing else."""
    account.store.add([event() for _ in range(5)])
    token = account.call("LookupEvents", MaxResults=1)["NextToken"]

    assert len(found(account, NextToken=token, MaxResults=50)) == 4
    assert refused(account, NextToken=token, EndTime=NOON) == "InvalidNextTokenException"


def _pages(account: Account, region: str, between: Callable[[], object]) -> Iterable[list[str]]:
    """The pages of one region; something else happens between them."""
    token: dict[str, Any] = {}
    while True:
        answer = account.call("LookupEvents", region=region, MaxResults=3, **token)
        yield [each["EventId"] for each in answer["Events"]]
        if "NextToken" not in answer:
            return
        token = {"NextToken": answer["NextToken"]}
        between()


_regions = itertools.count()  # each example has one of its own


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=30)
@given(st.lists(st.integers(0, 5), max_size=20), st.lists(st.integers(0, 8), max_size=8))
def test_pages_have_no_gaps_and_no_doubles(account: Account, before: list[int], later: list[int]) -> None:
    """Whatever happens while somebody turns them; many events have the same second."""
    region = f"region-{next(_regions)}"
    arriving = list(later)

    def at(seconds: int) -> dict[str, Any]:
        return event(time=NOON + timedelta(seconds=seconds), awsRegion=region)

    def more_happens() -> None:
        if arriving:
            account.store.add([at(max([*before, arriving.pop(0)]))])

    events = [at(second) for second in before]
    account.store.add(events)
    account.clock.time = NOON + timedelta(minutes=1)
    pages = list(_pages(account, region, more_happens))
    seen = [each for page in pages for each in page]

    assert len(seen) == len(set(seen))
    assert set(ids(events)) <= set(seen)
    newest_first = sorted(events, key=lambda each: each["eventTime"], reverse=True)
    positions = [each["eventTime"] for each in newest_first]
    times = {each["eventID"]: each["eventTime"] for each in events}
    assert [times[each] for each in seen if each in times] == positions


_NAMES = st.sampled_from(["arn:aws:kms:::key/a", "arn:aws:kms:::key/b"])
_RESOURCES = st.builds(
    lambda kind, name: {"type": kind, "ARN": name}, st.sampled_from(["Key", "Role"]), _NAMES
)
_EVENTS = st.fixed_dictionaries(
    {
        "eventName": st.sampled_from(["CreateKey", "DeleteKey"]),
        "readOnly": st.booleans(),
        "recipientAccountId": st.sampled_from([ACCOUNT, "999999999999"]),
        "resources": st.lists(_RESOURCES, max_size=3),
    }
)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=30)
@given(st.lists(_EVENTS, max_size=12), st.integers(1, 5))
def test_a_lookup_finds_what_has_the_value(
    account: Account, happened: list[dict[str, Any]], most: int
) -> None:
    """Exactly that, once each, newest first, page by page; of resources, any one may have it."""
    region = f"region-{next(_regions)}"
    events = [
        event(time=NOON - timedelta(seconds=second), awsRegion=region, **members)
        for second, members in enumerate(happened)
    ]
    for record in events:
        account.store.add([record])

    def pages(attribute: tuple[str, str]) -> list[str]:
        asked = [{"AttributeKey": attribute[0], "AttributeValue": attribute[1]}]
        seen: list[str] = []
        token: dict[str, Any] = {}
        while True:
            answer = account.call(
                "LookupEvents", region=region, LookupAttributes=asked, MaxResults=most, **token
            )
            seen += [each["EventId"] for each in answer["Events"]]
            if "NextToken" not in answer:
                return seen
            token = {"NextToken": answer["NextToken"]}

    mine = [record for record in events if record["recipientAccountId"] == ACCOUNT]
    assert pages(("EventName", "DeleteKey")) == ids([r for r in mine if r["eventName"] == "DeleteKey"])
    assert pages(("ReadOnly", "true")) == ids([r for r in mine if r["readOnly"]])
    assert pages(("ResourceType", "Key")) == ids(
        [r for r in mine if any(each["type"] == "Key" for each in r["resources"])]
    )
    assert pages(("ResourceName", "arn:aws:kms:::key/a")) == ids(
        [r for r in mine if any(each["ARN"].endswith("/a") for each in r["resources"])]
    )


@pytest.mark.parametrize("attribute", [None, *ATTRIBUTES])
def test_no_lookup_searches_or_sorts_all_events(account: Account, attribute: str | None) -> None:
    """Whatever is looked up, an index has it in the order of the answer; so for later pages, too."""
    database = account.store._database
    lookup = Lookup(
        ACCOUNT, "us-east-1", (attribute, "a") if attribute else None, 0, NOON.timestamp(), 50, (1, 1)
    )
    for asked in (lookup, replace(lookup, before=None)):
        queries: list[str] = []
        database.set_trace_callback(queries.append)
        account.store.find(asked)
        database.set_trace_callback(None)
        steps = [row[3] for row in database.execute(f"EXPLAIN QUERY PLAN {queries[0]}")]

        index = ATTRIBUTES[attribute] if attribute else "time"
        assert f" INDEX by_{index} (place=?" in steps[0]
        assert not [step for step in steps if step.startswith("SCAN") or "TEMP B-TREE" in step]


def test_half_of_a_surrogate_pair_is_no_way_to_hide(account: Account) -> None:
    """JSON can carry it, and so can a name: the event is found, as are those beside it."""
    odd = event(userIdentity={"type": "IAMUser", "userName": "al\ud800ice"}, eventName="Odd\udfff")
    account.store.add([event(), odd, event()])

    assert len(found(account)) == 3
    assert found(account, ("Username", "al\ud800ice")) == ids([odd])


def test_a_failure_leaves_the_store_as_it_was(account: Account) -> None:
    """What could not be added is not there by half, and what comes later is."""
    with pytest.raises(KeyError):
        account.store.add([event(), {"eventID": "no record at all"}])
    with pytest.raises(Exception, match="type"):
        account.store.add([event(), event(eventID={"no": "text"})])
    assert found(account) == []

    account.store.add([later := event()])
    assert found(account) == ids([later])
