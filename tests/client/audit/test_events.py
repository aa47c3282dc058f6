"""`smas audit events`: what it asks, and what it prints."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest

from tests.client.audit.store import event, refusal
from tests.client.audit.test_csv_and_json import read

if TYPE_CHECKING:
    from tests.client.audit.conftest import AuditCommand
    from tests.client.audit.store import AuditStore

# All events of these tests are of this day.
SINCE = ("--since", "2026-11-24")


def test_filters_are_the_store_s_own(audit: AuditCommand) -> None:
    """Each option is a parameter of the route; what is not given is not sent."""
    assert audit.query("events") == {"limit": "101"}
    assert audit.query(
        *("events", "--model", "fraud/x", "--version", "3", "--who", "ds-fraud", "--action", "s3:Get*"),
        *("--outcome", "error", "--since", "2026-11-01", "--until", "2026-11-02T01:00:00+01:00", "-n", "5"),
    ) == {
        "model": "fraud/x",
        "version": "3",
        "actor": "ds-fraud",
        "action": "s3:Get*",
        "outcome": "error",
        "from": "2026-11-01T00:00:00Z",
        "to": "2026-11-02T00:00:00Z",
        "limit": "6",
    }


def test_short_ways_to_say_it(audit: AuditCommand) -> None:
    """A version beside its model, refusals, and so long ago."""
    assert audit.query("events", "-m", "fraud/x@12", "--denied", "--all") == {
        "model": "fraud/x",
        "version": "12",
        "outcome": "denied",
        "limit": "1000",
    }
    assert audit.query("events", "--denied", "--outcome", "denied")["outcome"] == "denied"
    for text, age in (
        ("2d", timedelta(days=2)),
        ("12h", timedelta(hours=12)),
        ("30m", timedelta(minutes=30)),
    ):
        asked = datetime.fromisoformat(audit.query("events", "--since", text)["from"])
        assert timedelta() <= datetime.now(UTC) - age - asked < timedelta(seconds=60)


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("--version", "3"), "name the model too"),
        (("--version", "0", "-m", "fraud/x"), "--version"),
        (("-m", "fraud/x@champion"), "aliases move"),
        (("-m", "fraud/x@0"), "no version's number"),
        (("-m", "fraud/x@3", "--version", "4"), "--version 4"),
        (("--denied", "--outcome", "success"), "--denied"),
        (("--outcome", "maybe"), "--outcome"),
        (("--since", "soon"), "2d, 12h or 30m ago"),
        (("--since", "2026-13-01"), "--since"),
        (("--until", "2026-11-24T12:00:00"), "--until"),
        (("--limit", "0"), "--limit"),
        (("--all", "--limit", "3"), "--all and --limit"),
        (("--csv", "--json"), "--csv and --json"),
        (("--follow", "--all"), "--follow"),
        (("--follow", "--until", "1h"), "--until"),
    ],
)
def test_what_makes_no_sense_is_wrong_usage(
    audit: AuditCommand, arguments: tuple[str, ...], told: str
) -> None:
    """Exit code 2, why, and nothing is asked."""
    ended = audit("events", *arguments)
    assert (ended.code, ended.out) == (2, "")
    assert told in ended.err
    assert audit.store.asked == []


@pytest.mark.parametrize(
    "arguments", [("-m", "Fraud/x"), ("-m", "fraud"), ("--since", "1h", "--until", "2h")]
)
def test_what_no_event_can_match_is_invalid(audit: AuditCommand, arguments: tuple[str, ...]) -> None:
    """Exit code 7, before anything is asked."""
    ended = audit("events", *arguments)
    assert (ended.code, ended.out) == (7, "")
    assert audit.store.asked == []


def test_others_are_told_whose_the_audit_is(audit: AuditCommand) -> None:
    """Exit code 4; compliance and auditors are named, and where to ask."""
    audit.store.allowed = False
    for command in ("events", "integrity"):
        ended = audit(command)
        assert (ended.code, ended.out) == (4, "")
        assert "only compliance and auditors read the audit" in ended.err
        assert "smas whoami" in ended.err


def test_a_screenful_unless_more_is_asked_for(audit: AuditCommand, store: AuditStore) -> None:
    """The newest hundred, and a word that there are more; --limit and --all show them."""
    store.events = [event(number) for number in range(250)]
    ended = audit.done("events", *SINCE)
    assert len(ended.out.splitlines()) == 101
    assert ended.out.splitlines()[1].startswith("2026-11-24T00:04:09Z")
    assert ended.err == "the newest 100: --limit or --all shows older ones too\n"
    assert len(store.asked) == 1
    few = audit.done("events", *SINCE, "--limit", "3")
    assert len(few.out.splitlines()) == 4
    everything = audit.done("events", *SINCE, "--all")
    assert (len(everything.out.splitlines()), everything.err) == (251, "")
    exactly = audit.done("events", *SINCE, "--limit", "250")
    assert (len(exactly.out.splitlines()), exactly.err) == (251, "")
    assert audit.done("events", *SINCE, "--limit", "3", "--quiet").err == ""


@pytest.mark.parametrize("limit", [("--all",), ("--limit", "20")], ids=" ".join)
@pytest.mark.parametrize("empties", [True, False])
def test_short_and_empty_pages_are_not_the_end(
    audit: AuditCommand, store: AuditStore, limit: tuple[str, ...], *, empties: bool
) -> None:
    """As the contract allows them; each event is printed once, in order."""
    store.events = [event(number) for number in range(20)]
    store.largest, store.empties = 3, empties
    printed = audit.done("events", *SINCE, *limit).out.splitlines()[1:]
    assert [line[:20] for line in printed] == [one["time"] for one in store.events[::-1]]


def test_pages_are_printed_before_the_next_is_asked_for(
    audit: AuditCommand, store: AuditStore, capsys: pytest.CaptureFixture[str]
) -> None:
    """Nothing is gathered: what was printed is forgotten, however many there are."""
    store.events = [event(number) for number in range(5)]
    store.largest = 1
    printed: list[int] = []
    store.before = lambda _: printed.append(capsys.readouterr().out.count("event-"))
    last = audit.done("events", *SINCE, "--all", "--json")
    assert printed == [0, 1, 1, 1, 1]
    assert last.out.count("event-") == 1


def test_events_that_arrive_meanwhile_move_nothing(audit: AuditCommand, store: AuditStore) -> None:
    """The cursor stands where it stood."""
    store.events = [event(number) for number in range(6)]
    store.largest = 2
    store.before = lambda query: store.events.append(event(100 + len(store.events))) if query else None
    printed = audit.done("events", *SINCE, "--all").out.splitlines()[1:]
    assert len(printed) == len(set(printed)) == 7
    assert printed[-1].startswith("2026-11-24T00:00:00Z")


def test_reads_and_writes_are_all_there_is(audit: AuditCommand, store: AuditStore) -> None:
    """Sorted out here, by the page: --limit counts what is left, and the store is asked for the rest."""
    store.events = [
        event(number, action="s3:PutObject" if number % 5 else "s3:GetObject") for number in range(50)
    ]
    store.events.append(refusal(60))
    store.largest = 4
    reads = audit.done("events", *SINCE, "--reads", "--json").out.splitlines()
    writes = audit.done("events", *SINCE, "--writes", "--json").out.splitlines()
    assert (len(reads), len(writes)) == (11, 40)
    assert not set(reads) & set(writes)
    assert {json.loads(line)["action"] for line in writes} == {"s3:PutObject"}
    assert "action" not in store.asked[0][1]
    two = audit.done("events", *SINCE, "--reads", "--limit", "2")
    assert len(two.out.splitlines()) == 3
    assert "the newest 2" in two.err


def test_people_are_all_but_the_store_itself(audit: AuditCommand, store: AuditStore) -> None:
    """What it does for every version is left out, and AWS by the way; whoever else it is stays."""
    roles = ["verifier-tagging", "verifier-scanning", "service", "worker", "compliance", "OrgAdmin", None]
    store.events = [event(number, role=role) for number, role in enumerate(roles)] + [refusal(60)]
    store.events.append(event(61, action="kms:Decrypt", source_ip="fas.s3.amazonaws.com"))
    store.events.append(event(62, action="kms:Decrypt", source_ip="fas.s3.amazonaws.com", outcome="denied"))
    left = audit.done("events", *SINCE, "--people", "--json", "-n", "9").out.splitlines()
    assert [json.loads(line)["role"] for line in left] == [
        *("data-scientist", "data-scientist", None, "OrgAdmin", "compliance")
    ]
    assert store.asked[-1][1]["limit"] == "1000"


def test_nothing_is_said_and_where_to_look(audit: AuditCommand) -> None:
    """On stderr: stdout is empty, but for the header of a CSV file."""
    ended = audit.done("events")
    assert (ended.out, ended.err) == ("", "nothing in the last 24 hours: --since looks further back\n")
    told = audit.done("events", "--since", "2026-11-01", "--until", "2026-11-02").err
    assert told.startswith("nothing since 2026-11-01T00:00:00Z and before 2026-11-02T00:00:00Z")
    assert audit.done("events", "--until", "2026-11-02").err.startswith("nothing in the 24 hours before 2026")
    assert audit.done("events", "--json").out == ""
    assert audit.done("events", "--csv").out.startswith("event_id,time,actor,")


def test_for_scripts_the_fields_are_the_store_s(audit: AuditCommand, store: AuditStore) -> None:
    """JSON a line with whatever the store answered; CSV with the contract's fields."""
    store.events = [event(1, new_field={"a": [1]}), refusal(0)]
    lines = audit.done("events", *SINCE, "--json").out.splitlines()
    assert [json.loads(line) for line in lines] == store.events
    header, *records = read(audit.done("events", *SINCE, "--csv").out)
    assert len(header) == 20
    assert [record[0] for record in records] == ["event-000001", "event-000000"]


def test_missing_log_files_are_told_at_the_end(audit: AuditCommand, store: AuditStore) -> None:
    """What is there is printed; the exit code says that something is missing, also where nothing is left."""
    store.events = [event(1)]
    store.unreadable = ["AWSLogs/1/CloudTrail/x.json.gz"]
    ended = audit("events", *SINCE, "--json", "--quiet")
    assert ended.code == 10
    assert len(ended.out.splitlines()) == 1
    told = json.loads(ended.err)["error"]
    assert "AWSLogs/1/CloudTrail/x.json.gz" in told["detail"]
    assert "smas audit integrity" in told["next"]
    store.unreadable = ["one", "two"]
    several = audit("events", *SINCE)
    assert "2 log files of the trail can't be read" in several.err
    assert "  - two: gone or damaged\n" in several.err


def test_no_text_of_others_steers_the_terminal(audit: AuditCommand, store: AuditStore) -> None:
    """Whatever a client wrote into its requests."""
    store.events = [event(actor="a\x1b[2J", path="\u202ex", user_agent="\x07")]
    assert not set(audit.done("events", *SINCE).out) & {"\x1b", "\u202e", "\x07"}
