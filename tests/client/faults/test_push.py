"""Pushing through a bad network: a right version or an error, and the next push sends what is missing."""

from __future__ import annotations

import itertools
import json
from hashlib import sha256
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Final

import pytest
from hypothesis import event, given, settings
from hypothesis import strategies as st

from tests.client.faults.clients import (
    CONTENTS,
    MODEL,
    exit_code_of,
    files_in,
    impatient_store,
    patient_store,
    scratch_in,
    write,
)
from tests.client.faults.proxy import Fault, Kind, Proxy, What
from tests.client.faults.schedules import schedules
from tests.client.faults.upstream import Upstream, upstream

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from smas.results import Version

pytestmark = pytest.mark.enable_socket
MIB: Final = 1 << 20
# Three parts, each of its own bytes, most of them zero.
LARGE: Final = b"".join((number + bytes(size - 1)) for number, size in ((b"1", 32 * MIB), (b"2", 33 * MIB)))


@pytest.fixture(scope="module")
def running() -> Iterator[Upstream]:
    """A store, emptied by each example."""
    with upstream() as started:
        yield started


def check_push(
    running: Upstream,
    faults: list[Fault],
    contents: Mapping[str, bytes],
    connections: int,
    seconds: float,
) -> None:
    """Push ``contents`` with the faults, then without."""
    running.forget()
    with TemporaryDirectory() as scratch:
        source, cache = Path(scratch) / "out", Path(scratch) / "cache"
        write(source, contents)
        with Proxy(running.place, faults) as bad:
            hurried = impatient_store(running, bad.address, cache, connections, seconds)
            code = exit_code_of(lambda: hurried.push(source, MODEL))
        event(f"exit code {code}")
        assert code in {0, 4, 9}

        # The same address again: nothing that the impatient gave up is still under way.
        with Proxy(running.place, port=bad.port) as proxy:
            check_again(running, proxy, source, cache, contents, code)


def check_again(
    running: Upstream, proxy: Proxy, source: Path, cache: Path, contents: Mapping[str, bytes], code: int
) -> None:
    """Nothing wrong is there after a push that ended with ``code``, and another sends what is missing."""
    check_versions(running, proxy, cache, contents, at_least=0 if code else 1, at_most=1)

    missing = missing_bytes(running, contents)
    assert code or not missing
    proxy.schedule()
    again = patient_store(running, proxy.address, cache).push(source, MODEL)
    assert again.sent_bytes == missing == sum(seen.sent for seen in proxy.seen(Kind.PUT))
    check_versions(running, proxy, cache, contents, at_least=1, at_most=2)
    assert files_in(source) == contents
    assert scratch_in(cache) == []


def check_versions(
    running: Upstream,
    proxy: Proxy,
    cache: Path,
    contents: Mapping[str, bytes],
    *,
    at_least: int,
    at_most: int,
) -> None:
    """However many versions there are, each holds exactly ``contents``."""
    proxy.schedule()
    store = patient_store(running, proxy.address, cache)
    numbers: list[int] = []
    if exit_code_of(lambda: numbers.extend(item.version for item in store.versions(MODEL))):
        numbers.clear()  # there is no such model yet
    assert at_least <= len(numbers) <= at_most
    for number in numbers:
        version = store.version(f"{MODEL}@{number}")
        assert version.state == "available"
        assert bytes_of(running, version) == contents
        assert {file.path: file.sha256 for file in version.files} == {
            path: sha256(content).hexdigest() for path, content in contents.items()
        }


def bytes_of(running: Upstream, version: Version) -> dict[str, bytes]:
    """What S3 really holds for a version."""
    found = {}
    for file in version.files:
        held = running.bucket.version(f"blobs/{MODEL}/{file.sha256}", file.s3_version_id)
        found[file.path] = held.body or b""
    return found


def missing_bytes(running: Upstream, contents: Mapping[str, bytes]) -> int:
    """What S3 has neither as a whole nor as a part of the open upload."""
    running.verify()
    missing = 0
    for digest, size in {sha256(body).hexdigest(): len(body) for body in contents.values()}.items():
        if running.bucket.current(f"blobs/{MODEL}/{digest}"):
            continue
        missing += size
        if record := running.bucket.current(f"uploads/{MODEL}/{digest}.json"):
            upload_id = json.loads(record.body or b"")["upload_id"]
            _, parts = running.bucket.uploads.get(upload_id, ("", {}))
            missing -= sum(map(len, parts.values()))
    return missing


@given(faults=schedules(Kind.STORE, Kind.PUT), connections=st.integers(1, 5))
@settings(max_examples=40)
def test_a_push_is_right_or_fails_and_the_next_one_continues(
    running: Upstream, faults: list[Fault], connections: int
) -> None:
    """0 means one right version, any other code that no wrong one is there; then only the rest travels."""
    check_push(running, faults, CONTENTS, connections, 0.5)


@given(faults=schedules(Kind.STORE, Kind.PUT, without={What.STALL, What.STALL_IN_BODY}))
@settings(max_examples=6)
def test_a_push_of_a_large_file_goes_on_with_the_parts_that_s3_lacks(
    running: Upstream, faults: list[Fault]
) -> None:
    """The same of a file in parts: parts that arrived are never sent again."""
    check_push(running, faults, {"large.bin": LARGE, "config.json": b"{}"}, 2, 5)


@pytest.mark.parametrize("what", [what for what in What if Fault(what, Kind.PUT).fits(Kind.PUT)])
def test_one_fault_is_never_seen_by_the_user(running: Upstream, tmp_path: Path, what: What) -> None:
    """Each fault twice in a row, on the store's side and on S3's, is got over: one version comes of it."""
    running.forget()
    write(tmp_path / "out", CONTENTS)
    fitting = [Fault(what, kind) for kind in (Kind.STORE, Kind.PUT) if Fault(what, kind).fits(kind)]
    with Proxy(running.place, [fault for fault in fitting for _ in range(2)]) as proxy:
        pushed = impatient_store(running, proxy.address, tmp_path / "cache", 1).push(
            tmp_path / "out", MODEL, alias="champion"
        )
        assert (pushed.version.version, bytes_of(running, pushed.version)) == (1, CONTENTS)
        assert proxy.left() == []


def test_an_answer_that_is_lost_at_any_step_is_not_done_twice(running: Upstream, tmp_path: Path) -> None:
    """The store carries the n-th request out and its answer never comes: still one version, one alias."""
    write(tmp_path / "out", {"large.bin": LARGE})
    for steps in itertools.count():
        running.forget()
        faults = [Fault(What.NOTHING, Kind.STORE)] * steps + [Fault(What.LOST_ANSWER, Kind.STORE)]
        with Proxy(running.place, faults) as proxy:
            store = impatient_store(running, proxy.address, tmp_path / "cache", 1, 5)
            pushed = store.push(tmp_path / "out", MODEL, alias="champion")
            assert pushed.sent_bytes == len(LARGE) == sum(seen.sent for seen in proxy.seen(Kind.PUT))
            if proxy.left():
                break
            assert [version.version for version in store.versions(MODEL)] == [1]
            assert [alias.version for alias in store.aliases(MODEL)] == [1]
    assert steps >= 7
