"""The recorder delivers what is submitted exactly once, and goes on whatever goes wrong."""

from __future__ import annotations

import threading
import time
from collections import deque
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from smas_emulator.cloudtrail import recorder as recorder_module
from smas_emulator.cloudtrail.inbox import Inbox
from smas_emulator.cloudtrail.recorder import Recorder
from smas_emulator.cloudtrail.trails import Trail

from tests.emulator.cloudtrail.account import ACCOUNT, BUCKET, REGION, Account, event, ids

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

TRAIL = Trail("audit", ACCOUNT, REGION, BUCKET, logging=True)
Event = dict[str, Any]
NEVER = 10**6


def built(item: Event) -> Iterable[Event]:
    """The events of an item: the item itself; one that says so is none."""
    if "broken" in item:
        raise ValueError("no event at all")
    return [item]


@contextmanager
def recording(
    account: Account, *, log_seconds: float = NEVER, digest_seconds: float = NEVER
) -> Iterator[Recorder[Event]]:
    """A recorder that runs, for one trail."""
    recorder = Recorder(
        built, account.delivery, account.store, log_seconds=log_seconds, digest_seconds=digest_seconds
    )
    recorder.use([TRAIL])
    recorder.start()
    try:
        yield recorder
    finally:
        recorder.stop()


def looked_up(account: Account) -> list[str]:
    """The ids of all events that can be looked up."""
    return [each["EventId"] for each in account.call("LookupEvents", MaxResults=50)["Events"]]


def test_from_a_call_to_file_and_lookup(account: Account) -> None:
    """Management events are in both, data events are not looked up."""
    everything = (
        {"ReadWriteType": "All", "DataResources": [{"Type": "AWS::S3::Object", "Values": ["arn:aws:s3"]}]},
    )
    with recording(account) as recorder:
        recorder.use([Trail("audit", ACCOUNT, REGION, BUCKET, logging=True, selectors=everything)])
        events = [event(), event(key="a"), event()]
        for each in events:
            recorder.submit(each)
        assert recorder.flush() is True

        assert ids(account.buckets.events()) == ids(events)
        assert looked_up(account) == ids([events[2], events[0]])
        assert recorder.report() == {
            "counters": {"taken": 3, "recorded": 3, "events": 3, "log_files": 1, "digests": 0, "queued": 0},
            "faults": dict.fromkeys(
                (
                    *("reporting", "building", "storing", "working", "late", "delivering", "notifying"),
                    *("log_groups", "lost_events", "lost_lines"),
                ),
                0,
            ),
        }


def test_it_delivers_by_itself(account: Account) -> None:
    """Every so often, and digests every so often."""
    account.trail(EnableLogFileValidation=True)
    with recording(account, log_seconds=0.01, digest_seconds=0.02) as recorder:
        recorder.use([Trail("audit", ACCOUNT, REGION, BUCKET, logging=True, validation=True)])
        recorder.submit(event())
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline and recorder.report()["counters"]["digests"] < 2:
            time.sleep(0.005)

        assert recorder.report()["counters"]["log_files"] == 1
        assert recorder.report()["counters"]["digests"] >= 2


def test_what_cannot_be_built_is_counted(account: Account) -> None:
    """The next is recorded."""
    with recording(account) as recorder:
        recorder.submit({"broken": True})
        recorder.submit({"eventCategory": "Management"})
        recorder.submit(good := event())
        assert recorder.flush() is True

        assert ids(account.buckets.events()) == ids([good])
        assert recorder.report()["faults"]["building"] == 2
        assert recorder.report()["counters"]["taken"] == 3


def test_a_store_that_fails_keeps_nothing_from_the_log_files(
    account: Account, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The events that cannot be looked up are counted."""

    def fail(_records: object) -> None:
        raise OSError("disk full")

    with recording(account) as recorder:
        monkeypatch.setattr(account.store, "add", fail)
        events = [event(), event()]
        for each in events:
            recorder.submit(each)
        assert recorder.flush() is True
        monkeypatch.undo()
        recorder.submit(later := event())
        recorder.flush()

        assert ids(account.buckets.events()) == ids([*events, later])
        assert recorder.report()["faults"]["storing"] == 2
        assert looked_up(account) == ids([later])


def test_a_fault_in_an_order_ends_nothing(account: Account, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is counted, who ordered is told, and the thread goes on."""

    def fail(*_arguments: object) -> bool:
        raise RuntimeError("a mistake of ours")

    with recording(account) as recorder:
        recorder.submit(first := event())
        with monkeypatch.context() as patched:
            patched.setattr(account.delivery, "deliver", fail)
            assert recorder.flush() is False
            patched.setattr(account.delivery, "use", fail)
            recorder.use([])
            assert recorder.flush() is False
        assert recorder.flush() is True

        assert ids(account.buckets.events()) == ids([first])
        assert recorder.report()["faults"]["working"] == 3


def test_a_stop_loses_nothing_and_says_so(account: Account) -> None:
    """What came before it is delivered under a digest; what comes later is counted, not waited for."""
    with recording(account) as recorder:
        recorder.use([Trail("audit", ACCOUNT, REGION, BUCKET, logging=True, validation=True)])
        events = [event() for _ in range(700)]
        for each in events:
            recorder.submit(each)
        assert recorder.stop() is True
        assert recorder.stop() is True
        recorder.submit(event())

        assert ids(account.buckets.events()) == ids(events)
        assert [len(digest["logFiles"]) for digest in account.buckets.digests()] == [1]
        assert recorder.report()["faults"]["late"] == 1
        assert recorder.flush() is False


def test_a_stop_that_cannot_deliver_says_so(account: Account) -> None:
    """It ends the thread all the same."""
    with recording(account) as recorder:
        account.buckets.broken[BUCKET] = OSError("disk full")
        recorder.submit(event())

        assert recorder.stop() is False
        assert recorder.report()["faults"]["delivering"] > 0


def test_one_that_never_ran(account: Account) -> None:
    """Has delivered nothing, and says so at once."""
    recorder = Recorder(built, account.delivery, account.store, log_seconds=NEVER, digest_seconds=NEVER)
    recorder.submit(event())

    assert recorder.flush() is False
    assert recorder.stop() is False


def test_who_reports_waits_for_room(account: Account, monkeypatch: pytest.MonkeyPatch) -> None:
    """While deliveries take long, so that memory stays bounded; nothing is lost."""
    monkeypatch.setattr(recorder_module, "MOST_QUEUED", 10)
    delivering, go_on = threading.Event(), threading.Event()
    deliver = account.delivery.deliver

    def slowly() -> bool:
        delivering.set()
        assert go_on.wait(20)
        return deliver()

    with recording(account) as recorder:
        monkeypatch.setattr(account.delivery, "deliver", slowly)
        flushing = threading.Thread(target=recorder.flush, daemon=True)
        flushing.start()
        assert delivering.wait(20)
        events = [event() for _ in range(30)]
        submitting = threading.Thread(target=deque, args=(map(recorder.submit, events), 0), daemon=True)
        submitting.start()
        submitting.join(0.1)
        assert submitting.is_alive()
        assert recorder.report()["counters"]["queued"] == 10
        go_on.set()
        submitting.join(20)
        flushing.join(20)
        assert recorder.stop() is True

    assert ids(account.buckets.events()) == ids(events)


@pytest.mark.parametrize("stops", [1, 3])
def test_submitting_while_it_stops(account: Account, stops: int) -> None:
    """From many threads: each event is delivered once, or counted as late; orders in between end nothing."""
    with recording(account) as recorder:
        groups = [[event() for _ in range(300)] for _ in range(4)]
        halfway = threading.Barrier(len(groups) + stops + 1)

        def submit(group: list[Event]) -> None:
            for number, each in enumerate(group):
                if number == 100:
                    halfway.wait(20)
                recorder.submit(each)

        def interfere() -> None:
            halfway.wait(20)
            for _ in range(5):
                recorder.use([TRAIL])
                recorder.flush()

        def stop() -> None:
            halfway.wait(20)
            recorder.stop()

        threads = [threading.Thread(target=submit, args=(group,), daemon=True) for group in groups]
        threads += [threading.Thread(target=stop, daemon=True) for _ in range(stops)]
        threads.append(threading.Thread(target=interfere, daemon=True))
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(30)
        assert not any(thread.is_alive() for thread in threads)

        delivered = ids(account.buckets.events())
        assert len(delivered) == len(set(delivered)) >= 400
        late_events = sum(map(len, groups)) - len(delivered)
        assert 0 <= late_events <= recorder.report()["faults"]["late"]
        for group in groups:  # in the order of each thread, from its beginning
            mine = [each for each in delivered if each in set(ids(group))]
            assert mine == ids(group)[: len(mine)]


_STEPS = st.lists(
    st.sampled_from(["event", "event", "unwanted", "flush", "digest", "on", "off", "move", "break", "mend"]),
    max_size=30,
)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder for all examples."""
    return tmp_path_factory.mktemp("recorder")


@settings(max_examples=50, suppress_health_check=[HealthCheck.too_slow])
@given(_STEPS)
def test_each_wanted_event_exactly_once(folder: Path, steps: list[str]) -> None:
    """Whatever order things come in: on, off, elsewhere, failing, flushed, stopped."""
    account = Account(folder)
    expected, on, bucket = [], True, BUCKET
    with recording(account) as recorder:
        for step in steps:
            match step:
                case "event":
                    recorder.submit(done := event())
                    expected += [done] if on else []
                case "unwanted":
                    recorder.submit(event(key="a"))
                case "flush" | "digest":
                    recorder.flush(digest=step == "digest")
                case "on" | "off" | "move":
                    on = step == "on" or (step == "move" and on)
                    bucket = (
                        {BUCKET: "other-logs", "other-logs": BUCKET}[bucket] if step == "move" else bucket
                    )
                    recorder.use([Trail("audit", ACCOUNT, REGION, bucket, logging=on)])
                case "break":
                    account.buckets.broken[BUCKET] = OSError("disk full")
                case _:
                    account.buckets.broken.clear()
        account.buckets.broken.clear()
        assert recorder.stop() is True

    delivered = ids([*account.buckets.events(), *account.buckets.events("other-logs")])
    assert sorted(delivered) == sorted(ids(expected))
    account.store.close()
    (folder / "events.sqlite").unlink()


def test_an_inbox_wakes_who_waits_for_room_when_it_closes() -> None:
    """They are refused, and counted."""
    inbox: Inbox[int] = Inbox(1)
    assert inbox.put(1)
    answers: list[bool] = []
    waiting = threading.Thread(target=lambda: answers.append(inbox.put(2)), daemon=True)
    waiting.start()
    waiting.join(0.05)
    assert answers == []
    assert inbox.put(3, wait=False)

    assert inbox.close() == [1, 3]
    waiting.join(20)
    assert (answers, inbox.refused, inbox.take(0)) == ([False], 1, [])
