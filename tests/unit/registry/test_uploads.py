"""Uploads: straight to storage, found again by anybody of the team, harmless to repeat."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from hashlib import sha256

import pytest

from service.domain.files import MAX_FILE_BYTES
from service.domain.parts import PART_BYTES, SINGLE_UPLOAD_BYTES
from service.errors import NotFound, UploadMismatch, ValidationFailed
from service.ports import Ticket
from service.registry import keys, uploads
from service.registry.blobs import STATE_TAG, VERIFIED
from service.registry.uploads import AlreadyStored, OpenUpload, Wanted
from tests.fakes.in_memory import FakeBlobStore, FakeObjectStore, InMemoryBucket
from tests.fakes.killed import Fuse, Killed, mortal_workspace
from tests.people import DS_FRAUD_2
from tests.unit.registry.conftest import MODEL, NOW, upload, workspace

BIG = SINGLE_UPLOAD_BYTES + 1
DIGEST = "b" * 64
# The fake holds parts of any size, so a "64 MiB + 1" file is built of two tiny stand-ins only where
# sizes are not looked at; tests that complete an upload use real sizes.


def start(bucket: InMemoryBucket, *wanted: Wanted, who: object = None) -> list[uploads.Start]:
    """Ask where to send these bytes."""
    stores = workspace(bucket) if who is None else workspace(bucket, DS_FRAUD_2)
    return uploads.start(stores, MODEL, wanted, NOW)


def opened(bucket: InMemoryBucket, size: int = BIG) -> OpenUpload:
    """An open multipart upload of ``DIGEST``."""
    (answer,) = start(bucket, Wanted(DIGEST, size))
    assert isinstance(answer, OpenUpload)
    return answer


def send_all(bucket: InMemoryBucket, upload: OpenUpload) -> list[tuple[int, str]]:
    """Send every part with its planned size; answers the part list."""
    numbers = range(1, upload.plan.part_count + 1)
    tickets = uploads.part_tickets(workspace(bucket), MODEL, DIGEST, upload.upload_id, numbers)
    return [
        (number, bucket.send(ticket, bytes(upload.plan.size_of(number))))
        for number, ticket in zip(numbers, tickets, strict=True)
    ]


def test_up_to_64_mib_is_one_request_and_above_it_at_least_two_parts(bucket: InMemoryBucket) -> None:
    """The border between single and multipart, from both sides."""
    single, multipart = start(bucket, Wanted("a" * 64, SINGLE_UPLOAD_BYTES), Wanted(DIGEST, BIG))
    assert isinstance(single, Ticket)
    assert isinstance(multipart, OpenUpload)
    assert multipart.plan.part_count >= 2


def test_empty_files_are_uploaded_like_others(bucket: InMemoryBucket) -> None:
    """Zero bytes are bytes too."""
    upload(bucket, b"")
    assert bucket.current(keys.blob(MODEL, sha256(b"").hexdigest()))


def test_verified_bytes_need_not_be_sent_again(bucket: InMemoryBucket) -> None:
    """Only what this model holds verified is ``stored``; merely received bytes are sent again."""
    upload(bucket, b"x")
    wanted = Wanted(sha256(b"x").hexdigest(), 1)
    assert isinstance(start(bucket, wanted)[0], Ticket)
    _tag_verified(bucket, b"x")
    assert isinstance(start(bucket, wanted)[0], AlreadyStored)


def test_another_models_verified_bytes_are_not_this_ones(bucket: InMemoryBucket) -> None:
    """A digest tells nobody whether another model holds the bytes."""
    digest = sha256(b"x").hexdigest()
    bucket.put(f"blobs/nlp/credit-risk/{digest}", b"x").tags[STATE_TAG] = VERIFIED
    assert isinstance(start(bucket, Wanted(digest, 1))[0], Ticket)


def test_a_verified_older_version_still_counts(bucket: InMemoryBucket) -> None:
    """Bytes overwritten after verification do not hide the verified ones."""
    upload(bucket, b"x")
    _tag_verified(bucket, b"x")
    bucket.put(keys.blob(MODEL, sha256(b"x").hexdigest()), b"y")
    assert isinstance(start(bucket, Wanted(sha256(b"x").hexdigest(), 1))[0], AlreadyStored)


def test_a_size_that_contradicts_stored_bytes_is_refused(bucket: InMemoryBucket) -> None:
    """One digest has one size, and we know it."""
    upload(bucket, b"x")
    _tag_verified(bucket, b"x")
    with pytest.raises(ValidationFailed):
        start(bucket, Wanted(sha256(b"x").hexdigest(), 2))


def test_answers_come_per_file_and_in_order(bucket: InMemoryBucket) -> None:
    """Also when a file is asked for twice: both get the same answer."""
    wanted = [Wanted(DIGEST, BIG), Wanted("a" * 64, 1), Wanted(DIGEST, BIG)]
    first, second, third = start(bucket, *wanted)
    assert isinstance(second, Ticket)
    assert first == third
    assert len(bucket.uploads) == 1


@pytest.mark.parametrize("count", [0, 1001])
def test_too_few_or_many_files_are_refused(bucket: InMemoryBucket, count: int) -> None:
    """1 to 1,000 files travel together."""
    with pytest.raises(ValidationFailed):
        start(bucket, *[Wanted(f"{n:064x}", 1) for n in range(count)])


def test_a_thousand_files_are_taken(bucket: InMemoryBucket) -> None:
    """The largest list allowed."""
    assert len(start(bucket, *[Wanted(f"{n:064x}", 1) for n in range(1000)])) == 1000


@pytest.mark.parametrize(("size", "fits"), [(-1, False), (MAX_FILE_BYTES, True), (MAX_FILE_BYTES + 1, False)])
def test_a_file_is_at_most_50_gb(bucket: InMemoryBucket, size: int, *, fits: bool) -> None:
    """The limit of a file's size, from both sides."""
    if fits:
        assert isinstance(start(bucket, Wanted(DIGEST, size))[0], OpenUpload)
    else:
        with pytest.raises(ValidationFailed):
            start(bucket, Wanted(DIGEST, size))


def test_anybody_of_the_team_finds_an_open_upload_again(bucket: InMemoryBucket) -> None:
    """Whoever asks for the same bytes continues the upload, and sees the parts that are there."""
    first = opened(bucket)
    ticket = uploads.part_tickets(workspace(bucket), MODEL, DIGEST, first.upload_id, [1])[0]
    bucket.send(ticket, b"part one")
    again = start(bucket, Wanted(DIGEST, BIG), who=DS_FRAUD_2)[0]
    assert again == first
    page = uploads.parts(workspace(bucket, DS_FRAUD_2), MODEL, DIGEST, first.upload_id, after=0, limit=10)
    assert [part.number for part in page.items] == [1]


def test_two_who_begin_at_once_share_one_upload(bucket: InMemoryBucket) -> None:
    """A race to open ends in one upload, and no other is left behind in storage."""
    with ThreadPoolExecutor(8) as threads:
        found = list(threads.map(lambda _: opened(bucket), range(8)))
    assert len({upload.upload_id for upload in found}) == 1
    assert set(bucket.uploads) == {found[0].upload_id}


def test_a_vanished_upload_is_begun_anew(bucket: InMemoryBucket) -> None:
    """When storage forgot the upload (its lifecycle ends it after a day), a new one takes its place."""
    first = opened(bucket)
    bucket.uploads.clear()
    assert opened(bucket).upload_id != first.upload_id


def test_completing_twice_is_harmless(bucket: InMemoryBucket) -> None:
    """A repeated complete, as after a time-out, answers the same and adds nothing."""
    upload = opened(bucket)
    listed = send_all(bucket, upload)
    for _ in range(2):
        assert uploads.complete(workspace(bucket), MODEL, DIGEST, upload.upload_id, listed) == BIG
    assert len(bucket.objects[keys.blob(MODEL, DIGEST)]) == 1
    assert uploads.open_uploads(workspace(bucket), MODEL, after=None, limit=10).items == ()


def test_killed_anywhere_complete_can_be_repeated() -> None:
    """After kill -9 between any two steps of completing, repeating it ends in one blob and no open upload."""
    size = 2 * PART_BYTES + 1
    for calls in range(20):
        bucket = InMemoryBucket()
        upload = opened(bucket, size)
        listed = send_all(bucket, upload)
        doomed = mortal_workspace(workspace(bucket), Fuse(calls))
        try:
            uploads.complete(doomed, MODEL, DIGEST, upload.upload_id, listed)
        except Killed:
            killed = True
        else:
            killed = False
        assert uploads.complete(workspace(bucket), MODEL, DIGEST, upload.upload_id, listed) == size
        assert len(bucket.objects[keys.blob(MODEL, DIGEST)]) == 1
        assert uploads.open_uploads(workspace(bucket), MODEL, after=None, limit=10).items == ()
        if not killed:
            break
    assert calls > 2


@pytest.mark.parametrize("damage", ["missing", "etag", "size", "twice"])
def test_a_part_list_that_storage_does_not_confirm_is_a_mismatch(bucket: InMemoryBucket, damage: str) -> None:
    """Missing parts, wrong etags, wrong sizes and repeated numbers are refused; the upload stays open."""
    upload = opened(bucket)
    listed = send_all(bucket, upload)
    if damage == "missing":
        listed = listed[:-1]
    elif damage == "etag":
        listed[0] = (1, "0" * 32)
    elif damage == "size":
        ticket = uploads.part_tickets(workspace(bucket), MODEL, DIGEST, upload.upload_id, [1])[0]
        listed[0] = (1, bucket.send(ticket, b"short"))
    else:
        listed.append(listed[0])
    with pytest.raises(UploadMismatch):
        uploads.complete(workspace(bucket), MODEL, DIGEST, upload.upload_id, listed)
    assert bucket.current(keys.blob(MODEL, DIGEST)) is None
    assert opened(bucket) == upload


def test_etags_are_taken_with_or_without_quotes_in_any_order(bucket: InMemoryBucket) -> None:
    """S3 sends etags in quotes; clients keep or drop them."""
    upload = opened(bucket)
    listed = [(number, f'"{etag}"') for number, etag in reversed(send_all(bucket, upload))]
    assert uploads.complete(workspace(bucket), MODEL, DIGEST, upload.upload_id, listed) == BIG


@pytest.mark.parametrize("numbers", [[0], [4], [-1]])
def test_part_numbers_are_within_the_plan(bucket: InMemoryBucket, numbers: list[int]) -> None:
    """Only parts the upload has can be asked for."""
    upload = opened(bucket, 2 * PART_BYTES + 1)
    with pytest.raises(ValidationFailed):
        uploads.part_tickets(workspace(bucket), MODEL, DIGEST, upload.upload_id, numbers)


def test_an_aborted_upload_is_gone(bucket: InMemoryBucket) -> None:
    """Parts are freed, lists and URLs end, and the bytes can be begun anew."""
    upload = opened(bucket)
    uploads.abort(workspace(bucket), MODEL, DIGEST, upload.upload_id)
    assert bucket.uploads == {}
    assert uploads.open_uploads(workspace(bucket), MODEL, after=None, limit=10).items == ()
    for refused in (
        lambda: uploads.abort(workspace(bucket), MODEL, DIGEST, upload.upload_id),
        lambda: uploads.part_tickets(workspace(bucket), MODEL, DIGEST, upload.upload_id, [1]),
        lambda: uploads.parts(workspace(bucket), MODEL, DIGEST, upload.upload_id, after=0, limit=1),
        lambda: uploads.complete(workspace(bucket), MODEL, DIGEST, upload.upload_id, [(1, "e")]),
    ):
        with pytest.raises(NotFound):
            refused()
    assert opened(bucket).upload_id != upload.upload_id


def test_open_uploads_are_listed_in_pages(bucket: InMemoryBucket) -> None:
    """Every open upload is listed once, whatever the page size."""
    for n in range(5):
        start(bucket, Wanted(f"{n:064x}", BIG))
    seen: list[str] = []
    after: str | None = None
    while True:
        page = uploads.open_uploads(workspace(bucket), MODEL, after=after, limit=2)
        seen += [upload.sha256 for upload in page.items]
        if page.next is None:
            break
        after = page.next
    assert seen == [f"{n:064x}" for n in range(5)]


def _tag_verified(bucket: InMemoryBucket, content: bytes) -> None:
    key = keys.blob(MODEL, sha256(content).hexdigest())
    stored = bucket.current(key)
    assert stored is not None
    FakeObjectStore(bucket).set_tags(key, stored.version_id, {STATE_TAG: VERIFIED})


def test_the_fake_refuses_bytes_of_another_digest(bucket: InMemoryBucket) -> None:
    """Storage itself holds a single upload against its SHA-256."""
    ticket = FakeBlobStore(bucket).upload_ticket(keys.blob(MODEL, DIGEST), DIGEST)
    with pytest.raises(ValueError, match="BadDigest"):
        bucket.send(ticket, b"other")


def test_a_model_of_more_than_a_thousand_blobs_still_knows_its_own(bucket: InMemoryBucket) -> None:
    """Beyond what one list shows, digests are asked for one by one."""
    for n in range(1001):
        bucket.put(keys.blob(MODEL, f"{n:064x}"), b"x").tags[STATE_TAG] = VERIFIED
    first, last, absent = start(bucket, *[Wanted(f"{n:064x}", 1) for n in (0, 1000, 1001)])
    assert [isinstance(answer, AlreadyStored) for answer in (first, last, absent)] == [True, True, False]


@pytest.mark.parametrize("upload_id", ["", "\x00", "a b", "é", "a" * 1025])
def test_an_id_that_storage_never_gives_out_is_no_open_upload(bucket: InMemoryBucket, upload_id: str) -> None:
    """Storage is not asked about ids that it might trip over."""
    stores, digest = mortal_workspace(workspace(bucket), Fuse(0)), "a" * 64
    with pytest.raises(NotFound):
        uploads.parts(stores, MODEL, digest, upload_id, after=0, limit=10)
    with pytest.raises(NotFound):
        uploads.complete(stores, MODEL, digest, upload_id, [(1, "etag")])
    with pytest.raises(NotFound):
        uploads.abort(stores, MODEL, digest, upload_id)
