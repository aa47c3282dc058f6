"""Files above 64 MiB: sent in parts, continued where somebody stopped, completed once."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from smas.errors import NotFound, NotServed, Unavailable

from tests.client.site.answers import Given
from tests.client.site.fixtures import BIG, M, digest_of, sparse

if TYPE_CHECKING:
    from pathlib import Path

    from tests.client.site.fixtures import Stores
    from tests.client.site.wire import Sent, WsgiTransport

PUT_PART = "memory://part|"


class Heard:
    """``Progress`` that remembers what was said, and how far it got."""

    def __init__(self) -> None:
        self.lines: list[str] = []
        self.total = self.done = 0

    def begin(self, _task: str, total: int) -> None:
        """See ``Progress.begin``."""
        self.total, self.done = total, 0

    def advance(self, count: int) -> None:
        """See ``Progress.advance``."""
        self.done += count

    def end(self) -> None:
        """See ``Progress.end``."""

    def say(self, line: str) -> None:
        """See ``Progress.say``."""
        self.lines.append(line)


@pytest.fixture
def large(tmp_path: Path) -> Path:
    """A file one byte too large for a single request."""
    return sparse(tmp_path / "large.bin")


def numbers_sent(wire: WsgiTransport) -> list[int]:
    """Numbers of the parts that were sent, in the order they left."""
    return [int(one.url.rpartition("|")[2]) for one in wire.requests("PUT", PUT_PART)]


def test_a_large_file_arrives_in_parts(stores: Stores, wire: WsgiTransport, large: Path) -> None:
    """Every part is sent once, nothing stays open, and the verifier finds the very bytes."""
    heard = Heard()
    pushed = stores.of("ds-fraud", progress=heard).push(large, M)
    assert (pushed.sent_files, pushed.sent_bytes) == (1, BIG)
    assert sorted(numbers_sent(wire)) == [1, 2, 3]
    assert (heard.done, heard.total) == (BIG, BIG)
    assert pushed.version.state == "available"
    assert pushed.version.files[0].sha256 == digest_of(large)
    assert list(stores.of("ds-fraud").open_uploads(M)) == []
    again = stores.of("ds-fraud").push(large, M)
    assert (again.sent_bytes, len(wire.requests("PUT", PUT_PART))) == (0, 3)


@pytest.mark.parametrize("who_continues", ["ds-fraud", "ds-fraud-2"])
def test_only_missing_parts_travel_after_a_failure(
    stores: Stores, wire: WsgiTransport, large: Path, who_continues: str
) -> None:
    """A push that failed half-way is continued, by its owner or a colleague; what S3 has is told."""
    wire.drop("PUT", "|2", times=4)
    with pytest.raises(Unavailable, match="tried 4 times"):
        stores.of("ds-fraud", connections=1).push(large, M)
    (upload,) = stores.of("ds-fraud-2").open_uploads(M)
    assert (upload.size, upload.part_count, upload.created_by) == (BIG, 3, "ds-fraud")
    held = {int(number) for number in wire.site.bucket.uploads[upload.upload_id][1]}
    wire.sent.clear()
    heard = Heard()
    pushed = stores.of(who_continues, progress=heard).push(large, M)
    assert sorted(numbers_sent(wire)) == sorted({1, 2, 3} - held)
    assert 2 in numbers_sent(wire)
    assert held
    assert any(f"{len(held)} of 3 parts are there already" in line for line in heard.lines)
    assert (heard.done, heard.total) == (BIG, BIG)
    assert pushed.version.state == "available"


def test_an_upload_that_somebody_ends_meanwhile_is_begun_anew(
    stores: Stores, wire: WsgiTransport, large: Path
) -> None:
    """A colleague's abort in the middle costs parts, not the push."""

    def abort_first(request: Sent) -> Given:
        upload_id = request.url.split("|")[2]
        wire.site.user("ds-fraud-2")(
            "DELETE", f"/v1/models/{M}/uploads/{request.url.split('/')[-1][:64]}?upload_id={upload_id}"
        )
        assert upload_id not in wire.site.bucket.uploads
        return wire.carry_out(request)

    wire.instead("PUT", "|3", abort_first)
    pushed = stores.of("ds-fraud", connections=1).push(large, M)
    assert pushed.version.state == "available"
    assert numbers_sent(wire).count(3) == 2


@pytest.mark.parametrize(("method", "route"), [("GET", "/parts"), ("POST", "/parts"), ("POST", "/complete")])
def test_an_upload_that_ends_just_before_the_store_is_asked_about_it_is_begun_anew(
    stores: Stores, wire: WsgiTransport, large: Path, method: str, route: str
) -> None:
    """It does not matter whether S3 or the store is the first to say that somebody ended the upload."""

    def abort_first(request: Sent) -> Given:
        ((upload_id, (key, _)),) = wire.site.bucket.uploads.items()
        where = f"/v1/models/{M}/uploads/{key.rpartition('/')[2]}?upload_id={upload_id}"
        assert wire.site.user("ds-fraud-2")("DELETE", where).status_code == 204
        return wire.carry_out(request)

    wire.instead(method, route, abort_first)
    pushed = stores.of("ds-fraud").push(large, M)
    assert pushed.version.state == "available"
    assert wire.site.bucket.uploads == {}


def test_a_part_that_somebody_replaces_is_found_at_completion(
    stores: Stores, wire: WsgiTransport, large: Path
) -> None:
    """When S3 holds another part than ours, completion looks at what it has instead of failing."""

    def replaced(request: Sent) -> Given:
        answer = wire.carry_out(request)
        return Given(answer.status, {"ETag": '"an-etag-that-s3-holds-no-more"'})

    wire.instead("PUT", "|2", replaced)
    pushed = stores.of("ds-fraud").push(large, M)
    assert pushed.version.state == "available"
    assert len(wire.requests("POST", "/complete")) == 2


def test_a_lost_answer_to_completion_is_asked_for_again(
    stores: Stores, wire: WsgiTransport, large: Path
) -> None:
    """Completion that was carried out, but never answered, is repeated without harm."""
    wire.lose_answers("POST", "/complete")
    pushed = stores.of("ds-fraud").push(large, M)
    assert (pushed.version.state, pushed.sent_bytes) == ("available", BIG)


def test_expired_part_urls_are_asked_for_anew(stores: Stores, wire: WsgiTransport, large: Path) -> None:
    """A part that is refused with 403 is sent to a new URL, at once."""
    wire.instead("PUT", "|2", lambda _: _expired())
    pushed = stores.of("ds-fraud", connections=1).push(large, M)
    assert pushed.version.state == "available"
    asked = [one for one in wire.requests("POST", "/parts") if b'"numbers"' in one.body]
    assert len(asked) == 2


def test_parts_damaged_on_the_way_never_become_readable(
    stores: Stores, wire: WsgiTransport, large: Path
) -> None:
    """Parts carry no digest of their own: the verifier finds out, and the next push sends them anew."""

    def damaged(request: Sent) -> Given:
        _, _, upload_id, number = request.url.split("|")
        wire.site.bucket.uploads[upload_id][1][int(number)] = b"x" + request.body[1:]
        return Given(200, {"ETag": f'"{_etag(wire, upload_id, int(number))}"'})

    wire.instead("PUT", "|1", damaged)
    store = stores.of("ds-fraud")
    with pytest.raises(NotServed, match="rejected"):
        store.push(large, M)
    again = store.push(large, M)
    assert (again.version.state, again.sent_bytes) == ("available", BIG)


def test_an_open_upload_can_be_given_up(stores: Stores, wire: WsgiTransport, large: Path) -> None:
    """Aborting frees what S3 has of it; there is nothing to abort twice."""
    wire.drop("PUT", "|2", times=4)
    with pytest.raises(Unavailable):
        stores.of("ds-fraud").push(large, M)
    store = stores.of("ds-fraud")
    (upload,) = store.open_uploads(M)
    store.abort_upload(M, upload.sha256)
    assert list(store.open_uploads(M)) == []
    assert wire.site.bucket.uploads == {}
    with pytest.raises(NotFound, match="no open upload"):
        store.abort_upload(M, upload.sha256)


def test_a_lost_answer_to_an_abort_is_no_error(stores: Stores, wire: WsgiTransport, large: Path) -> None:
    """Given up by a try whose answer was lost: the repetition finds nothing, which is what was wanted."""
    wire.drop("PUT", "|2", times=4)
    with pytest.raises(Unavailable):
        stores.of("ds-fraud").push(large, M)
    store = stores.of("ds-fraud")
    (upload,) = store.open_uploads(M)
    wire.lose_answers("DELETE", "/uploads/")
    store.abort_upload(M, upload.sha256)
    assert len(wire.requests("DELETE", "/uploads/")) == 2
    assert wire.site.bucket.uploads == {}


def _expired() -> Given:
    return Given(403, {}, b"<Error><Code>AccessDenied</Code><Message>Request has expired</Message></Error>")


def _etag(wire: WsgiTransport, upload_id: str, number: int) -> str:
    from hashlib import md5  # noqa: PLC0415

    return md5(wire.site.bucket.uploads[upload_id][1][number], usedforsecurity=False).hexdigest()
