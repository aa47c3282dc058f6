"""Pulling through a bad network: right bytes or an error, never wrong bytes under a final name."""

from __future__ import annotations

from hashlib import sha256
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

import pytest
from hypothesis import event, given, settings
from hypothesis import strategies as st

from tests.client.faults.clients import (
    CONTENTS,
    MODEL,
    blobs_in,
    exit_code_of,
    files_in,
    impatient_store,
    left_in,
    missing_bytes,
    patient_store,
    scratch_in,
    write,
)
from tests.client.faults.proxy import Fault, Kind, Proxy, What
from tests.client.faults.schedules import schedules
from tests.client.faults.upstream import Upstream, upstream

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = pytest.mark.enable_socket


@pytest.fixture(scope="module")
def published() -> Iterator[Upstream]:
    """A store with one version, of ``CONTENTS``."""
    with upstream() as running, Proxy(running.place) as proxy, TemporaryDirectory() as scratch:
        write(Path(scratch) / "out", CONTENTS)
        patient_store(running, proxy.address, Path(scratch) / "cache").push(Path(scratch) / "out", MODEL)
        yield running


@given(
    faults=schedules(Kind.STORE, Kind.GET),
    connections=st.integers(1, 5),
    use_cache=st.booleans(),
    copy=st.booleans(),
)
@settings(max_examples=50)
def test_a_pull_is_right_or_fails_and_the_next_one_continues(
    published: Upstream, faults: list[Fault], connections: int, *, use_cache: bool, copy: bool
) -> None:
    """0 means identical bytes, any other code that nothing wrong has a name; then only the rest travels."""
    with TemporaryDirectory() as scratch, Proxy(published.place, faults) as proxy:
        folder, cache = Path(scratch) / "in", Path(scratch) / "cache"
        kept = cache if use_cache else folder / ".smas"
        hurried = impatient_store(published, proxy.address, cache, connections, 0.5)
        code = exit_code_of(lambda: hurried.pull(MODEL, folder, use_cache=use_cache, copy=copy))
        event(f"exit code {code}")
        assert code in {0, 4, 9, 10}
        assert files_in(folder).items() <= CONTENTS.items()
        assert code or files_in(folder) == CONTENTS
        assert all(sha256(content).hexdigest() == name for name, content in blobs_in(kept).items())

        missing = missing_bytes(folder, kept)
        assert code or not missing
        proxy.schedule()
        again = patient_store(published, proxy.address, cache).pull(
            MODEL, folder, use_cache=use_cache, copy=copy
        )
        assert files_in(folder) == CONTENTS
        assert again.fetched_bytes == missing == sum(seen.answered for seen in proxy.seen(Kind.GET))
        assert left_in(folder) == {"lock", "pulled.json"}
        assert scratch_in(cache) == []


@pytest.mark.parametrize("what", [what for what in What if Fault(what, Kind.GET).fits(Kind.GET)])
def test_one_fault_is_never_seen_by_the_user(published: Upstream, tmp_path: Path, what: What) -> None:
    """Each fault alone, on the store's side or on S3's, and then twice in a row, is got over."""
    fitting = [Fault(what, kind) for kind in (Kind.STORE, Kind.GET) if Fault(what, kind).fits(kind)]
    # What was fetched wrong twice is not believed a third time.
    times = 1 if what == What.WRONG_BYTES else 2
    with Proxy(published.place, [fault for fault in fitting for _ in range(times)]) as proxy:
        impatient_store(published, proxy.address, tmp_path / "cache", 1).pull(MODEL, tmp_path / "in")
        assert files_in(tmp_path / "in") == CONTENTS
        assert proxy.left() == []


def test_bytes_that_stay_wrong_are_refused(published: Upstream, tmp_path: Path) -> None:
    """What S3 serves wrong every time ends in exit code 10, with nothing under its name and nothing kept."""
    with Proxy(published.place, [Fault(What.WRONG_BYTES)] * 1000) as proxy:
        store = impatient_store(published, proxy.address, tmp_path / "cache")
        assert exit_code_of(lambda: store.pull(MODEL, tmp_path / "in")) == 10
        assert set(files_in(tmp_path / "in")) <= {"empty"}
        assert set(blobs_in(tmp_path / "cache")) <= {sha256(b"").hexdigest()}
