"""The views against the service's own reader, over the same log files: row for row the same."""

from __future__ import annotations

import tempfile
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hypothesis import given, settings
from hypothesis import strategies as st
from smas_emulator.gateway.calls import Outcome

from tests.fakes.audit import STORE, FakeTrailFiles
from tests.infra.athena.calls import BYTES, FRAUD, NOON, decryption, listing, on_object, read_as
from tests.infra.athena.questions import ALL_EVENTS, COLUMNS, athena_over, events_in, of_service
from tests.infra.athena.templates import VALUES

if TYPE_CHECKING:
    from tests.infra.athena.engine import Engine

ALL_RECORDS = f"SELECT * FROM {VALUES['database']}.audit_records"  # noqa: S608 - a constant


def test_the_view_has_the_rows_of_the_audit_api(athena: Engine, files: FakeTrailFiles) -> None:
    """All of two days: each event once, newest first, every column alike."""
    rows = athena.ask(ALL_EVENTS)

    assert tuple(rows[0]) == COLUMNS
    assert events_in(rows) == of_service(files)


def test_the_trail_tells_of_everything(files: FakeTrailFiles) -> None:
    """Else the comparison is worth little: all outcomes, and values as well as gaps in each column."""
    events = of_service(files)

    assert {event.outcome for event in events} == {"success", "denied", "error"}
    for column in COLUMNS:
        values = {getattr(event, column) for event in events}
        assert len(values) > 1, column
        if column not in {"event_id", "time", "action", "outcome", "source_ip", "user_agent", "request_id"}:
            assert None in values, column
    assert sum(event.path is not None for event in events) > 10
    assert sum(event.version is not None and event.path is None for event in events) > 10


def test_an_event_delivered_twice_is_there_twice_as_a_record_and_once_as_an_event(athena: Engine) -> None:
    """Also where the copies were delivered on different days."""
    copies: dict[str, set[str]] = {}
    for row in athena.ask(ALL_RECORDS):
        copies.setdefault(row["event_id"], set()).add(row["day"])
    events = [row["event_id"] for row in athena.ask(ALL_EVENTS)]

    assert any(len(days) > 1 for days in copies.values())
    assert len(events) == len(set(events))


def test_the_view_of_events_is_of_the_service_s_region(athena: Engine) -> None:
    """As the audit API is; the records of other regions are in the table all the same."""
    regions = {row["region"] for row in athena.ask(ALL_RECORDS)}
    role_changes = [row for row in athena.ask(ALL_EVENTS) if row["action"] == "iam:PutRolePolicy"]

    assert regions == {"eu-central-1", "us-east-1"}
    assert not role_changes


# Without what the engines behind the two answers are known to treat differently, see the README.
TEXT = st.text(st.characters(max_codepoint=0x2FFF, exclude_characters="\0"), max_size=8)
KINDS = st.sampled_from(
    ["blobs", "manifests", "authors", "moves", "tombstones", "cards", "requests", "settings", "Blobs", ""]
)
NAMES = st.sampled_from(["fraud", "x", "credit-risk", "X.json", "a" * 39, "a" * 40, "-x", "x_y", "é"]) | TEXT
ENDS = st.sampled_from(
    [
        BYTES,
        BYTES[1:],
        "9999999998.json",
        "9999999999.json",
        "7/me.json",
        "prod/7/me.json",
        "07.json",
        "7.json",
    ]
) | st.builds("{}/{}".format, TEXT, TEXT)
KEYS = st.builds("/".join, st.tuples(KINDS, NAMES, NAMES, ENDS)) | TEXT
SIGNED = st.builds(
    "{}{}/{}/{}{}".format,
    st.sampled_from(['; smas="', 'attachment; smas="', "; smas=", 'x; smas="a"; smas="']),
    st.sampled_from([FRAUD, "nlp/tagger", "fraud"]),
    st.sampled_from(["1", "0", "999999999", "1000000000", "x"]),
    st.lists(
        st.sampled_from(["a", "/", ".", "%20", "%C3%A9", "%", "%2", "+", "\\", "é", "%0A", '"', "%2F"])
    ).map("".join),
    st.sampled_from(['"', "", '";']),
)
RECORDS = st.lists(
    st.one_of(
        KEYS.map(lambda key: on_object("GetObject", key)),
        KEYS.map(listing),
        KEYS.map(decryption),
        SIGNED.map(read_as),
        st.builds(
            lambda key, source: on_object(
                "CopyObject",
                key,
                bucket="elsewhere",
                headers={"x-amz-copy-source": f"{STORE.bucket}/{source}"},
            ),
            TEXT,
            KEYS.filter(str.isascii),
        ),
        st.builds(
            lambda code, bytes_out: on_object(
                "GetObject", "a", outcome=Outcome(400, error_code=code, bytes_out=bytes_out)
            ),
            st.sampled_from(
                ["AccessDenied", "AccessDeniedX", "XAccessDenied", "UnauthorizedOperation", "Slow"]
            ),
            st.integers(0, 2**50),
        ),
    ),
    min_size=1,
    max_size=25,
)


@given(RECORDS)
@settings(max_examples=40, deadline=None)
def test_whatever_callers_make_up_is_read_alike(records: list[dict[str, Any]]) -> None:
    """Keys, dispositions, copies and errors of any kind: no query fails, and no column differs."""
    files = FakeTrailFiles()
    files.log(NOON + timedelta(minutes=5), records)

    with tempfile.TemporaryDirectory() as scratch:
        athena = athena_over(files, Path(scratch))
    try:
        assert events_in(athena.ask(ALL_EVENTS)) == of_service(files)
    finally:
        athena.close()
