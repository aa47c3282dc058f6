"""A file of a version, opened where it is: like a local file, by ranged requests."""

from __future__ import annotations

import io
import os
import random
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from smas.errors import NotFound, Unavailable

from tests.client.site.answers import Given, s3_error
from tests.client.site.fixtures import M

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path
    from typing import IO

    from tests.client.site.fixtures import Stores
    from tests.client.site.wire import Sent, WsgiTransport

# Longer than the buffer of a mebibyte, so that reads cross it.
SIZE = (1 << 20) + (1 << 19) + 7
CONTENT = random.Random(1).randbytes(SIZE)
GET = "memory://get|"


@pytest.fixture
def opened(stores: Stores, tmp_path: Path) -> Callable[[], IO[bytes]]:
    """Opens the published file anew."""
    (tmp_path / "data.bin").write_bytes(CONTENT)
    store = stores.of("ds-fraud")
    store.push(tmp_path / "data.bin", M)
    return lambda: store.open(M, "data.bin")


places = st.integers(0, SIZE + 1000) | st.sampled_from([0, SIZE - 1, SIZE, 1 << 20])
steps = st.one_of(
    st.tuples(st.just("seek"), places),
    st.tuples(st.just("move"), st.integers(-3000, 3000)),
    st.tuples(st.just("from end"), st.integers(-SIZE, 100)),
    st.tuples(st.just("read"), st.integers(0, 5000) | st.just(1 << 20)),
    st.tuples(st.just("rest"), st.none()),
    st.tuples(st.just("line"), st.integers(0, 300)),
    st.tuples(st.just("into"), st.integers(0, 5000)),
)


def done(file: Any, step: str, value: int | None) -> Any:
    """What one step answers, and where it leads."""
    match step, value:
        case "seek", int():
            answer = file.seek(value)
        case "move", int():
            answer = file.seek(max(0, file.tell() + value))
        case "from end", int():
            answer = file.seek(value, os.SEEK_END)
        case "read", int():
            answer = file.read(value)
        case "line", int():
            answer = file.readline(value)
        case "into", int():
            buffer = bytearray(value)
            answer = (file.readinto(buffer), bytes(buffer))
        case _:
            answer = file.read()
    return answer, file.tell()


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(sequence=st.lists(steps, max_size=12))
def test_it_reads_and_seeks_like_a_file(
    opened: Callable[[], IO[bytes]], sequence: list[tuple[str, int | None]]
) -> None:
    """Any sequence of seeks and reads gives what the same bytes in memory give."""
    local = io.BytesIO(CONTENT)
    with opened() as remote:
        for step, value in sequence:
            # A difference of a megabyte is nothing to look at.
            assert (done(remote, step, value) == done(local, step, value)) is True, (step, value)


def test_small_reads_share_a_request(opened: Callable[[], IO[bytes]], wire: WsgiTransport) -> None:
    """Reading line by line or header by header costs a request a mebibyte, not one a read."""
    with opened() as remote:
        for _ in range(1000):
            remote.read(100)
    assert len(wire.requests("GET", GET)) == 1
    (asked,) = (one.headers["Range"] for one in wire.requests("GET", GET))
    assert asked == f"bytes=0-{(1 << 20) - 1}"


def test_what_is_not_read_does_not_travel(opened: Callable[[], IO[bytes]], wire: WsgiTransport) -> None:
    """Opening and seeking send nothing for the bytes; the end of the file is known without asking."""
    with opened() as remote:
        remote.seek(-10, os.SEEK_END)
        assert wire.requests("GET", GET) == []
        assert remote.read() == CONTENT[-10:]
        assert remote.read() == b""
    (asked,) = (one.headers["Range"] for one in wire.requests("GET", GET))
    assert asked == f"bytes={SIZE - 10}-{SIZE - 1}"


def test_impossible_places_and_closed_files_are_refused(opened: Callable[[], IO[bytes]]) -> None:
    """As with local files: ValueError, and the position stays."""
    remote = opened()
    remote.seek(5)
    with pytest.raises(ValueError, match="before the start"):
        remote.seek(-1)
    with pytest.raises(ValueError, match="whence"):
        remote.seek(0, 9)
    assert remote.tell() == 5
    assert (remote.readable(), remote.seekable(), remote.writable()) == (True, True, False)
    with pytest.raises(OSError, match="write"):
        remote.write(b"x")
    remote.close()
    with pytest.raises(ValueError, match="closed"):
        remote.read(1)


@pytest.mark.parametrize("kind", ["expired", "busy", "cut", "dropped"])
def test_a_read_that_breaks_goes_on(opened: Callable[[], IO[bytes]], wire: WsgiTransport, kind: str) -> None:
    """Expired URLs are asked for anew, and what broke off is continued where it did."""

    def cut(request: Sent) -> Given:
        whole = wire.carry_out(request)
        return Given(whole.status, whole.headers, whole.content()[:1000])

    happens: dict[str, Callable[[Sent], Given]] = {
        "expired": lambda _: s3_error(403, "AccessDenied"),
        "busy": lambda _: s3_error(503, "SlowDown"),
        "cut": cut,
    }
    if kind == "dropped":
        wire.drop("GET", GET)
    else:
        wire.instead("GET", GET, happens[kind])
    with opened() as remote:
        assert (remote.read() == CONTENT) is True
    ranges = [one.headers["Range"] for one in wire.requests("GET", GET)]
    assert ranges[1].startswith("bytes=1000-" if kind == "cut" else "bytes=0-")
    assert len(wire.requests("POST", "/downloads")) == (2 if kind == "expired" else 1)


def test_a_read_that_stays_broken_is_an_error(opened: Callable[[], IO[bytes]], wire: WsgiTransport) -> None:
    """Never fewer bytes than asked for without saying so."""
    wire.drop("GET", GET, times=1000)
    with opened() as remote, pytest.raises(Unavailable):
        remote.read(10)


def test_a_cached_file_is_read_from_the_disk(
    opened: Callable[[], IO[bytes]], stores: Stores, wire: WsgiTransport
) -> None:
    """What was fetched before is opened where it lies."""
    stores.of("ds-fraud").fetch(M, "data.bin")
    wire.sent.clear()
    with opened() as local:
        assert (local.read() == CONTENT) is True
    assert wire.requests("GET", GET) == []


def test_an_empty_file_and_an_unknown_one(stores: Stores, files: Path) -> None:
    """An empty file reads as such; one that is not of the version is named."""
    store = stores.of("ds-fraud")
    store.push(files, M)
    with store.open(M, "empty") as empty:
        assert empty.read() == b""
    with pytest.raises(NotFound, match="no file 'none'"):
        store.open(M, "none")
