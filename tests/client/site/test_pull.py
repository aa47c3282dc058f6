"""Fetching through the SDK, against the real application."""

from __future__ import annotations

import stat
from typing import TYPE_CHECKING

import pytest
from smas.errors import Corrupt, Forbidden, LocalFault, NotFound, NotServed, Unavailable

from tests.client.site.answers import Given
from tests.client.site.fixtures import BIG, M, contents_of, digest_of, sparse

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.client.site.fixtures import Stores
    from tests.client.site.wire import Sent, WsgiTransport

GET = "memory://get|"


@pytest.fixture
def published(stores: Stores, files: Path, wire: WsgiTransport) -> Path:
    """Version 1 of the model holds ``files``; nothing of it is in the cache."""
    stores.of("ds-fraud").push(files, M)
    wire.sent.clear()
    return files


def test_a_pull_fetches_what_was_published(stores: Stores, published: Path, tmp_path: Path) -> None:
    """Every path and byte, each digest once; the answer counts what travelled."""
    pulled = stores.of("ds-fraud-2").pull(M, tmp_path / "in")
    assert contents_of(tmp_path / "in") == contents_of(published)
    assert pulled.folder == str(tmp_path / "in")
    assert pulled.version.reference == f"{M}@1"
    fetched = (pulled.fetched_files, pulled.fetched_bytes, pulled.cached_files, pulled.unchanged_files)
    assert fetched == (3, len(b"weights of the modelmore weights"), 0, 0)


def test_a_second_pull_fetches_nothing(
    stores: Stores, wire: WsgiTransport, published: Path, tmp_path: Path
) -> None:
    """Into the same folder all is unchanged; into another one all comes from the cache."""
    store = stores.of("ds-fraud")
    store.pull(M, tmp_path / "in")
    requested = len(wire.requests("GET", GET))
    again = store.pull(M, tmp_path / "in")
    assert (again.unchanged_files, again.fetched_files, again.cached_files) == (4, 0, 0)
    elsewhere = store.pull(M, tmp_path / "elsewhere")
    assert (elsewhere.unchanged_files, elsewhere.fetched_files, elsewhere.cached_files) == (0, 0, 4)
    assert contents_of(tmp_path / "elsewhere") == contents_of(published)
    assert len(wire.requests("GET", GET)) == requested


def test_pulled_files_are_links_unless_copies_are_asked_for(
    stores: Stores, published: Path, tmp_path: Path
) -> None:
    """Links are read-only, so that nobody edits the cache by accident; copies are one's own."""
    store = stores.of("ds-fraud")
    store.pull(M, tmp_path / "links")
    linked = (tmp_path / "links" / "model.bin").stat()
    assert (linked.st_nlink > 1, bool(linked.st_mode & stat.S_IWUSR)) == (True, False)
    store.pull(M, tmp_path / "copies", copy=True)
    copied = (tmp_path / "copies" / "model.bin").stat()
    assert (copied.st_nlink, bool(copied.st_mode & stat.S_IWUSR)) == (1, True)
    assert contents_of(tmp_path / "copies") == contents_of(published)


def test_without_the_cache_nothing_but_the_folder_remains(
    stores: Stores, published: Path, tmp_path: Path
) -> None:
    """`use_cache=False` neither reads nor fills the cache."""
    pulled = stores.of("ds-fraud").pull(M, tmp_path / "in", use_cache=False)
    assert pulled.fetched_files == 3
    assert contents_of(tmp_path / "in") == contents_of(published)
    assert not list((tmp_path / "cache").rglob("blobs/*/*"))
    assert not list((tmp_path / "in" / ".smas").rglob("blobs/*/*"))


def test_a_newer_version_replaces_and_removes_what_pulls_wrote(
    stores: Stores, published: Path, tmp_path: Path
) -> None:
    """Files of the older version go, changed ones are replaced, and what one added oneself stays."""
    store = stores.of("ds-fraud")
    store.pull(M, tmp_path / "in")
    (tmp_path / "in" / "notes.txt").write_text("mine")
    (published / "model.bin").write_bytes(b"better weights")
    (published / "copy.bin").unlink()
    store.push(published, M)
    pulled = store.pull(f"{M}@latest", tmp_path / "in")
    assert pulled.removed == ["copy.bin"]
    assert (pulled.fetched_files, pulled.unchanged_files) == (1, 2)
    assert contents_of(tmp_path / "in") == {**contents_of(published), "notes.txt": b"mine"}


def test_what_is_in_the_way_is_replaced_only_on_request(
    stores: Stores, wire: WsgiTransport, published: Path, tmp_path: Path
) -> None:
    """A file that no pull wrote is named and kept, unless `overwrite` says otherwise."""
    store = stores.of("ds-fraud")
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "model.bin").write_bytes(b"precious")
    with pytest.raises(LocalFault, match=r"model\.bin") as told:
        store.pull(M, tmp_path / "in")
    assert "--overwrite" in told.value.hint
    assert contents_of(tmp_path / "in") == {"model.bin": b"precious"}
    assert wire.requests("GET", GET) == []
    store.pull(M, tmp_path / "in", overwrite=True)
    assert contents_of(tmp_path / "in") == contents_of(published)


def test_verify_reads_what_looks_untouched(stores: Stores, published: Path, tmp_path: Path) -> None:
    """Bytes that changed behind the back of the file's time are found and fetched anew."""
    import os  # noqa: PLC0415

    store = stores.of("ds-fraud")
    store.pull(M, tmp_path / "in", copy=True)
    target = tmp_path / "in" / "model.bin"
    before = target.stat()
    target.write_bytes(b"WEIGHTS of the model")
    os.utime(target, ns=(before.st_atime_ns, before.st_mtime_ns))
    assert store.pull(M, tmp_path / "in", copy=True).unchanged_files == 4
    verified = store.pull(M, tmp_path / "in", copy=True, verify=True, overwrite=True)
    assert verified.unchanged_files == 3
    assert contents_of(tmp_path / "in") == contents_of(published)


@pytest.mark.parametrize(
    ("reference", "told"), [(f"{M}@9", "9"), (f"{M}@none", "none"), ("fraud/none", "none"), ("nlp/x", "nlp")]
)
def test_what_does_not_exist_is_not_found(
    stores: Stores, published: Path, tmp_path: Path, reference: str, told: str
) -> None:
    """Versions, aliases, models, and teams that one may not see; no folder is made."""
    assert published
    with pytest.raises(NotFound, match=told):
        stores.of("ds-fraud").pull(reference, tmp_path / "in")
    assert not (tmp_path / "in").exists()


def test_a_pull_waits_for_a_version_that_is_being_verified(
    stores: Stores, wire: WsgiTransport, files: Path, tmp_path: Path
) -> None:
    """`team/model@1` right after `push --no-wait` is served once it may be; or not within `wait_seconds`."""
    wire.verifies = False
    store = stores.of("ds-fraud")
    store.push(files, M, wait_seconds=0)
    with pytest.raises(NotServed, match="still not verified"):
        store.pull(f"{M}@1", tmp_path / "in", wait_seconds=0)
    wire.verifies = True
    assert store.pull(f"{M}@1", tmp_path / "in").version.state == "available"


def test_a_rejected_version_is_not_served(stores: Stores, wire: WsgiTransport, files: Path) -> None:
    """The error says that the version was refused and why."""

    def spoil(request: Sent) -> Given:
        key = request.url.split("|")[1]
        return Given(200, {"ETag": wire.site.bucket.put(key, b"x" * len(request.body)).etag})

    wire.instead("PUT", "memory://put|", spoil)
    store = stores.of("ds-fraud")
    with pytest.raises(NotServed):
        store.push(files / "model.bin", M)
    with pytest.raises(NotServed, match=r"rejected: model\.bin") as told:
        store.pull(f"{M}@1", files.parent / "in")
    assert told.value.code == "rejected"


def test_423_is_waited_for_as_long_as_the_store_asks(
    stores: Stores, wire: WsgiTransport, published: Path, tmp_path: Path
) -> None:
    """A machine that deploys gets 403 for other versions, 423 until the release, and then the bytes."""
    machine = stores.of("machine", connections=1)
    with pytest.raises(Forbidden, match="protected alias"):
        machine.pull(f"{M}@1", tmp_path / "in")
    stores.of("approver-fraud").set_alias(M, "production", 1)
    wire.verifies = False
    with pytest.raises(NotServed, match="released") as told:
        machine.pull(f"{M}@production", tmp_path / "in", wait_seconds=0)
    assert (told.value.code, told.value.retry_after_seconds) == ("quarantined", 1.0)

    def released_a_moment_later(request: Sent) -> Given:
        answer = wire.carry_out(request)
        wire.verify()
        return answer

    wire.instead("POST", "/downloads", released_a_moment_later)
    wire.sent.clear()
    machine.pull(f"{M}@production", tmp_path / "in")
    assert len(wire.requests("POST", "/downloads")) == 2
    assert contents_of(tmp_path / "in") == contents_of(published)


def _status(status: int, code: str) -> Callable[[Sent], Given]:
    return lambda _: Given(status, {}, f"<Error><Code>{code}</Code></Error>".encode())


@pytest.mark.parametrize(
    ("status", "code", "asked"),
    [(403, "AccessDenied", 2), (400, "ExpiredToken", 2), (503, "SlowDown", 1), (500, "InternalError", 1)],
)
def test_urls_that_expired_are_asked_for_anew(
    stores: Stores, wire: WsgiTransport, published: Path, tmp_path: Path, status: int, code: str, asked: int
) -> None:
    """A URL that S3 refuses is replaced by asking the store; one that fails in passing is used again."""
    wire.instead("GET", GET, _status(status, code))
    stores.of("ds-fraud", connections=1).pull(M, tmp_path / "in")
    assert len(wire.requests("POST", "/downloads")) == asked
    assert contents_of(tmp_path / "in") == contents_of(published)


def test_urls_that_stay_refused_end_the_pull(
    stores: Stores, wire: WsgiTransport, published: Path, tmp_path: Path
) -> None:
    """New URLs that are refused too are given up, and nothing stands under a final name."""
    assert published
    wire.instead("GET", GET, _status(403, "AccessDenied"), times=1000)
    with pytest.raises(Forbidden, match="also with a new URL"):
        stores.of("ds-fraud").pull(M, tmp_path / "in")
    # An empty file needs no request.
    assert set(contents_of(tmp_path / "in")) <= {"empty"}


@pytest.mark.parametrize("kind", ["other range", "whole", "truncated", "dropped"])
def test_answers_of_another_range_are_not_taken(
    stores: Stores, wire: WsgiTransport, published: Path, tmp_path: Path, kind: str
) -> None:
    """A proxy that answers other bytes than were asked for costs a try, never a wrong file."""

    def wrong(request: Sent) -> Given:
        right = wire.carry_out(request)
        content, headers = right.content(), dict(right.headers)
        match kind:
            case "other range":
                headers["Content-Range"] = "bytes 1-5/1000"
            case "whole":
                return Given(200, {}, content[:-1])
            case "truncated":
                content = content[:-1]
        return Given(206, headers, content)

    if kind == "dropped":
        wire.drop("GET", GET, times=3)
    else:
        wire.instead("GET", GET, wrong, times=2)
    stores.of("ds-fraud").pull(M, tmp_path / "in")
    assert contents_of(tmp_path / "in") == contents_of(published)


def test_bytes_that_stay_wrong_are_never_given_a_name(
    stores: Stores, wire: WsgiTransport, published: Path, tmp_path: Path
) -> None:
    """What S3 serves is held against its digest, fetched anew once, and refused when it stays wrong."""
    assert published

    def flipped(request: Sent) -> Given:
        right = wire.carry_out(request)
        content = right.content()
        return Given(206, right.headers, bytes([content[0] ^ 1]) + content[1:])

    wire.instead("GET", GET, flipped, times=1000)
    with pytest.raises(Corrupt, match="SHA-256 differs"):
        stores.of("ds-fraud").pull(M, tmp_path / "in")
    assert set(contents_of(tmp_path / "in")) <= {"empty"}


def test_a_large_file_is_fetched_in_ranges_and_continued(
    stores: Stores, wire: WsgiTransport, tmp_path: Path
) -> None:
    """A pull that failed half-way is continued by the next: the ranges that are here do not travel again."""
    store = stores.of("ds-fraud", connections=1)
    store.push(sparse(tmp_path / "large.bin"), M)

    def half(request: Sent) -> Given:
        right = wire.carry_out(request)
        wire.drop("GET", GET, times=1000)
        return Given(206, right.headers, right.content()[: BIG // 4])

    wire.instead("GET", GET, half)
    with pytest.raises(Unavailable):
        store.pull(M, tmp_path / "in")
    assert contents_of(tmp_path / "in") == {}
    wire.clear()
    pulled = store.pull(M, tmp_path / "in")
    # Whole ranges of 8 MiB are kept: one of the first quarter may have been cut.
    assert 0 < pulled.fetched_bytes <= BIG - BIG // 4 + (8 << 20)
    assert digest_of(tmp_path / "in" / "large.bin") == digest_of(tmp_path / "large.bin")


def test_one_file_is_fetched_into_the_cache(stores: Stores, published: Path) -> None:
    """`fetch` answers where the bytes are; unknown paths are named."""
    store = stores.of("ds-fraud")
    assert store.fetch(M, "model.bin").read_bytes() == (published / "model.bin").read_bytes()
    assert store.fetch(M, "empty").read_bytes() == b""
    with pytest.raises(NotFound, match="has no file 'none'"):
        store.fetch(M, "none")
