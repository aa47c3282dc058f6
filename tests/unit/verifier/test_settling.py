"""Verified before served: what the verifier decides, and that being killed changes nothing of it."""

from __future__ import annotations

import itertools
import random
import time
from concurrent.futures import ThreadPoolExecutor
from hashlib import sha256
from typing import Any

import pytest
from msgspec.structs import replace

from service.domain.files import StoredFile
from service.domain.models import Pointer, Releases, Settings
from service.domain.versions import Author, Manifest, Verdict, VersionState, revision_of
from service.registry import aliases, keys, models, publishing, versions
from service.registry.blobs import QUARANTINED, RELEASE_TAG, STATE_TAG, VERIFIED
from service.registry.records import encode, find
from service.verifier.consuming import settle
from service.verifier.events import BlobArrived, event_of
from service.verifier.releasing import release
from service.verifier.scanning import Finding
from service.verifier.sweep import forgotten
from tests.fakes.in_memory import FakeObjectStore, InMemoryBucket
from tests.people import APPROVER, DS_FRAUD
from tests.unit.registry.conftest import MODEL, NOW, draft, entry, publish, upload, workspace
from tests.unit.verifier.conftest import LATER, deliver, dies, verifier

GOOD, BAD = b"good bytes", b"other bytes"
DIGEST = sha256(GOOD).hexdigest()
BLOB = keys.blob(MODEL, DIGEST)


def state_of(bucket: InMemoryBucket, number: int = 1) -> VersionState:
    """The version's state as readers see it."""
    return versions.read_number(FakeObjectStore(bucket), MODEL, number).state


def reason_of(bucket: InMemoryBucket, number: int = 1) -> str:
    """Why the version was refused."""
    return versions.read_number(FakeObjectStore(bucket), MODEL, number).reason or ""


def tags_of(bucket: InMemoryBucket, key: str = BLOB) -> dict[str, str]:
    """Tags of the blob's newest S3 version."""
    return bucket.objects[key][0].tags


def test_good_bytes_become_available(bucket: InMemoryBucket) -> None:
    """A version whose bytes have the digests it names is available, and its blobs readable."""
    publish(bucket, GOOD)
    assert state_of(bucket) is VersionState.VERIFYING
    deliver(bucket, verifier(bucket))
    assert state_of(bucket) is VersionState.AVAILABLE
    assert tags_of(bucket) == {STATE_TAG: VERIFIED}


def test_multipart_bytes_are_read(bucket: InMemoryBucket) -> None:
    """Without a checksum of storage's own for the whole object, the bytes themselves decide."""
    bucket.put(BLOB, GOOD)
    publishing.publish(workspace(bucket), MODEL, draft(GOOD), None, NOW)
    deliver(bucket, verifier(bucket))
    assert state_of(bucket) is VersionState.AVAILABLE
    version_id = bucket.objects[BLOB][0].version_id
    finding = find(FakeObjectStore(bucket), keys.finding(MODEL, DIGEST, version_id), Finding)
    assert finding is not None
    assert (finding.value.sha256, finding.value.size, finding.value.method) == (DIGEST, len(GOOD), "read")


def test_wrong_bytes_are_rejected_and_stay_unreadable(bucket: InMemoryBucket) -> None:
    """Bytes under another digest's name are quarantined, and the version says which file it was."""
    bucket.put(BLOB, BAD)
    wrong = replace(entry(GOOD, "model.bin"), size=len(BAD))
    publishing.publish(workspace(bucket), MODEL, publishing.Draft((wrong,), "", {}), None, NOW)
    deliver(bucket, verifier(bucket))
    assert state_of(bucket) is VersionState.REJECTED
    assert "model.bin" in reason_of(bucket)
    assert tags_of(bucket) == {STATE_TAG: QUARANTINED}


def test_the_same_file_can_be_published_rightly_after_a_wrong_upload(bucket: InMemoryBucket) -> None:
    """One bad upload under a digest does not block the good one after it."""
    bucket.put(BLOB, BAD)
    deliver(bucket, verifier(bucket))
    publish(bucket, GOOD)
    deliver(bucket, verifier(bucket))
    assert state_of(bucket) is VersionState.AVAILABLE


def test_an_older_s3_version_that_was_pinned_is_the_one_judged(bucket: InMemoryBucket) -> None:
    """What counts is the pinned S3 version, whatever the key holds by now."""
    publish(bucket, GOOD)
    bucket.put(BLOB, BAD)
    deliver(bucket, verifier(bucket))
    assert state_of(bucket) is VersionState.AVAILABLE
    assert bucket.objects[BLOB][0].tags == {STATE_TAG: QUARANTINED}
    assert bucket.objects[BLOB][1].tags == {STATE_TAG: VERIFIED}


def test_any_order_any_number_of_messages(bucket: InMemoryBucket) -> None:
    """Duplicate and out-of-order messages end in the same state."""
    for content in (b"a", b"b", b"c"):
        publish(bucket, content)
    messages = [event for key, version_id in bucket.notified if (event := event_of(key, version_id))] * 3
    random.Random(7).shuffle(messages)
    for event in messages:
        settle(verifier(bucket), event)
    assert [state_of(bucket, n) for n in (1, 2, 3)] == [VersionState.AVAILABLE] * 3


def test_the_sweep_finds_what_lost_messages_forgot(bucket: InMemoryBucket) -> None:
    """Without a single message, a sweep settles every version and every protected alias."""
    for content in (b"a", b"b"):
        publish(bucket, content)
    for event in forgotten(FakeObjectStore(bucket)):
        settle(verifier(bucket), event)
    aliases.move(workspace(bucket, APPROVER), MODEL, "production", 2, None, NOW, protected=True)
    for event in forgotten(FakeObjectStore(bucket)):
        settle(verifier(bucket), event)
    assert [state_of(bucket, n) for n in (1, 2)] == [VersionState.AVAILABLE] * 2
    assert tags_of(bucket, keys.blob(MODEL, sha256(b"b").hexdigest()))[RELEASE_TAG] == "yes"


def test_a_sweep_passes_over_cards_and_manifests_it_cannot_read(bucket: InMemoryBucket) -> None:
    """Keys and bodies the service never wrote neither stop the sweep nor become available."""
    publish(bucket, GOOD)
    for key in ("cards/fraud/a/b.json", "cards/fraud/ .json", keys.manifests(MODEL) + "junk.json"):
        bucket.put(key, b"junk")
    bucket.put(keys.manifest(MODEL, 2), b"junk")
    for event in forgotten(FakeObjectStore(bucket)):
        settle(verifier(bucket), event)
    assert state_of(bucket, 1) is VersionState.AVAILABLE
    assert find(FakeObjectStore(bucket), keys.verdict(MODEL, 2), dict)


def _forge(bucket: InMemoryBucket, **changed: Any) -> None:
    """A manifest written past the service, with a revision that fits it, and its author's own record."""
    stored = bucket.current(BLOB) or bucket.put(BLOB, GOOD, full_sha256=DIGEST)
    file = {"path": "m", "sha256": DIGEST, "size": len(GOOD), "s3_version_id": stored.version_id}
    honest = Manifest(
        model=str(MODEL),
        version=1,
        created_at="2026-03-01T12:00:00Z",
        created_by=DS_FRAUD.name,
        subject=DS_FRAUD.subject,
        message="",
        metadata={},
        files=(StoredFile(**(file | changed.pop("file", {}))),),
        revision="",
    )
    manifest = replace(honest, **changed)
    manifest = replace(manifest, revision=manifest.revision or revision_of(manifest))
    bucket.put(keys.manifest(MODEL, 1), encode(manifest))
    author = Author(manifest.revision, DS_FRAUD.subject)
    bucket.put(keys.author(MODEL, 1, DS_FRAUD.subject), encode(author))


def test_the_forger_of_these_tests_is_believed_when_honest(bucket: InMemoryBucket) -> None:
    """What the service would have written is available: the refusals below are for their reasons."""
    _forge(bucket)
    deliver(bucket, verifier(bucket))
    assert state_of(bucket) is VersionState.AVAILABLE


@pytest.mark.parametrize(
    ("changed", "told"),
    [
        ({"version": 2}, "not the one its key names"),
        ({"subject": f"x/{DS_FRAUD.subject}"}, "names nobody"),
        ({"model": "nlp/other"}, "not the one its key names"),
        ({"revision": "0" * 64}, "not the digest of its contents"),
        ({"created_at": "yesterday"}, "rules of publishing"),
        ({"file": {"path": "../escape"}}, "rules of publishing"),
        ({"file": {"path": "/etc/passwd"}}, "rules of publishing"),
        ({"file": {"size": 1}}, "bytes are 10 long, not 1"),
        ({"file": {"s3_version_id": "none"}}, "not in storage"),
        ({"files": ()}, "rules of publishing"),
        ({"metadata": {"x": "y" * 70_000}}, "rules of publishing"),
    ],
)
def test_a_manifest_the_service_would_not_write_is_rejected(
    bucket: InMemoryBucket, changed: dict[str, Any], told: str
) -> None:
    """IAM lets a publisher write any body; the verifier holds it to the rules of publishing."""
    _forge(bucket, **changed)
    deliver(bucket, verifier(bucket))
    assert state_of_verdict(bucket) is VersionState.REJECTED
    assert told in verdict_reason(bucket)


def state_of_verdict(bucket: InMemoryBucket) -> VersionState:
    """The verdict on version 1, whatever its manifest says."""
    verdict = find(FakeObjectStore(bucket), keys.verdict(MODEL, 1), Verdict)
    assert verdict is not None
    return verdict.value.state


def verdict_reason(bucket: InMemoryBucket) -> str:
    """Its reason."""
    verdict = find(FakeObjectStore(bucket), keys.verdict(MODEL, 1), Verdict)
    assert verdict is not None
    return verdict.value.reason or ""


def test_a_manifest_in_anothers_name_never_becomes_available(bucket: InMemoryBucket) -> None:
    """Without the named person's own record, which only that person can write, it waits and is rejected."""
    _forge(bucket, subject="sub-of-victim")
    deliver(bucket, verifier(bucket))
    assert find(FakeObjectStore(bucket), keys.verdict(MODEL, 1), Verdict) is None
    for event in forgotten_or_manifest(bucket):
        settle(verifier(bucket, now=LATER), event)
    assert state_of_verdict(bucket) is VersionState.REJECTED
    assert "publish again" in verdict_reason(bucket)


def forgotten_or_manifest(bucket: InMemoryBucket) -> list[Any]:
    """What a sweep would find (the forger wrote no card)."""
    event = event_of(keys.manifest(MODEL, 1), "")
    return [event, *forgotten(FakeObjectStore(bucket))]


@pytest.mark.parametrize(
    "body", [b"junk", encode(Author("0" * 64, DS_FRAUD.subject)), encode(Author("", "x"))]
)
def test_an_authors_record_that_disagrees_is_final(bucket: InMemoryBucket, body: bytes) -> None:
    """Another revision, another subject or no record at all: the version is rejected."""
    upload(bucket, GOOD)
    bucket.put(keys.author(MODEL, 1, DS_FRAUD.subject), body)
    publishing.publish(workspace(bucket), MODEL, draft(GOOD), None, NOW)
    deliver(bucket, verifier(bucket))
    assert state_of(bucket) is VersionState.REJECTED


def test_a_manifest_whose_author_comes_late_is_available(bucket: InMemoryBucket) -> None:
    """The author's record arriving after the manifest's message is itself a reason to look again."""
    upload(bucket, GOOD)
    publishing.publish(workspace(bucket), MODEL, draft(GOOD), None, NOW)
    author_key = keys.author(MODEL, 1, DS_FRAUD.subject)
    late = bucket.objects.pop(author_key)
    deliver(bucket, verifier(bucket))
    assert state_of(bucket) is VersionState.VERIFYING
    bucket.objects[author_key] = late
    bucket.notified.append((author_key, "v"))
    deliver(bucket, verifier(bucket))
    assert state_of(bucket) is VersionState.AVAILABLE


@pytest.mark.parametrize("multipart", [False, True])
def test_killed_between_any_two_steps_the_version_still_settles(*, multipart: bool) -> None:
    """After kill -9 anywhere in its work, the redelivered message ends in the same state."""
    for calls in itertools.count():
        bucket = InMemoryBucket()
        if multipart:
            bucket.put(BLOB, GOOD)
            publishing.publish(workspace(bucket), MODEL, draft(GOOD), None, NOW)
        else:
            publish(bucket, GOOD)
        died = dies(bucket, calls, keys.manifest(MODEL, 1))
        if died:
            verdict = find(FakeObjectStore(bucket), keys.verdict(MODEL, 1), Verdict)
            # Never available before its bytes may be read.
            assert verdict is None or tags_of(bucket) == {STATE_TAG: VERIFIED}
        for event in forgotten(FakeObjectStore(bucket)):
            settle(verifier(bucket), event)
        assert state_of(bucket) is VersionState.AVAILABLE
        assert tags_of(bucket) == {STATE_TAG: VERIFIED}
        if not died:
            break
    assert calls > 6


def test_killed_between_any_two_steps_of_a_release(bucket: InMemoryBucket) -> None:
    """After kill -9 while an alias moves on, exactly the new version's blobs end released."""
    old, new, shared = b"old", b"new", b"shared"
    for calls in itertools.count():
        bucket = InMemoryBucket()
        publish(bucket, old, shared)
        publish(bucket, new, shared)
        deliver(bucket, verifier(bucket))
        approver = workspace(bucket, APPROVER)
        aliases.move(approver, MODEL, "production", 1, None, NOW, protected=True)
        deliver(bucket, verifier(bucket))
        assert released(bucket) == {old, shared}
        aliases.move(approver, MODEL, "production", 2, 1, NOW, protected=True)
        died = dies(bucket, calls, keys.alias(MODEL, "production", protected=True))
        bucket.notified.clear()
        for event in forgotten(FakeObjectStore(bucket)):
            settle(verifier(bucket), event)
        assert released(bucket) == {new, shared}
        record = find(FakeObjectStore(bucket), keys.releases(MODEL), Releases)
        assert record is not None
        assert record.value.versions == (2,)
        if not died:
            break
    assert calls > 8


def released(bucket: InMemoryBucket) -> set[bytes | None]:
    """The bytes a deployer could read."""
    return {
        version.body
        for key, stored in bucket.objects.items()
        if key.startswith("blobs/")
        for version in stored
        if version.tags.get(RELEASE_TAG) == "yes" and version.tags.get(STATE_TAG) == VERIFIED
    }


def test_an_alias_moved_by_the_author_releases_nothing(bucket: InMemoryBucket) -> None:
    """Even written past the service, an author's own move of a protected alias gives deployers nothing."""
    publish(bucket, GOOD)
    deliver(bucket, verifier(bucket))
    pointer = Pointer(1, "2026-03-01T12:00:00Z", "somebody", DS_FRAUD.subject)
    bucket.put(keys.alias(MODEL, "production", protected=True), encode(pointer))
    deliver(bucket, verifier(bucket))
    assert released(bucket) == set()


@pytest.mark.parametrize("mover", ["sub-of-victim", f"x/{DS_FRAUD.subject}"])
def test_a_move_in_anothers_name_releases_nothing(bucket: InMemoryBucket, mover: str) -> None:
    """One person with both roles cannot name another as the mover: that one's own word is missing."""
    publish(bucket, GOOD)
    deliver(bucket, verifier(bucket))
    pointer = encode(Pointer(1, "2026-03-01T12:00:00Z", "somebody", mover))
    bucket.put(keys.alias(MODEL, "production", protected=True), pointer)
    # IAM lets the author write below moves/ only what ends in the own subject.
    bucket.put(f"moves/{MODEL}/production/1/x/{DS_FRAUD.subject}.json", pointer)
    deliver(bucket, verifier(bucket))
    assert released(bucket) == set()


def test_removing_the_alias_takes_the_release_back(bucket: InMemoryBucket) -> None:
    """What no protected alias points to, deployers cannot read any more."""
    publish(bucket, GOOD)
    deliver(bucket, verifier(bucket))
    approver = workspace(bucket, APPROVER)
    aliases.move(approver, MODEL, "production", 1, None, NOW, protected=True)
    deliver(bucket, verifier(bucket))
    assert released(bucket) == {GOOD}
    aliases.remove(approver, MODEL, "production", NOW, protected=True)
    deliver(bucket, verifier(bucket))
    assert released(bucket) == set()


def test_a_blob_that_lost_its_release_gets_it_back(bucket: InMemoryBucket) -> None:
    """Two workers tagging one blob at once may drop the release; the next look restores it."""
    publish(bucket, GOOD)
    deliver(bucket, verifier(bucket))
    aliases.move(workspace(bucket, APPROVER), MODEL, "production", 1, None, NOW, protected=True)
    deliver(bucket, verifier(bucket))
    bucket.objects[BLOB][0].tags = {STATE_TAG: VERIFIED}
    publish(bucket, GOOD)
    deliver(bucket, verifier(bucket))
    assert released(bucket) == {GOOD}


def test_a_blob_that_is_gone_is_no_reason_to_fail(bucket: InMemoryBucket) -> None:
    """A message about bytes that were deleted meanwhile is simply done with."""
    settle(verifier(bucket), BlobArrived(MODEL, DIGEST, "gone"))
    assert isinstance(publish(bucket, GOOD).manifest, Manifest)


def test_two_threads_read_a_blob_once(bucket: InMemoryBucket) -> None:
    """The messages about a blob and about its manifest come together; its bytes are read by one of them."""
    bucket.put(BLOB, GOOD)
    publishing.publish(workspace(bucket), MODEL, draft(GOOD), None, NOW)
    worker = verifier(bucket)
    reads: list[str] = []
    chunks = worker.scanner.blobs.chunks

    def counted(key: str, version_id: str) -> Any:
        reads.append(key)
        time.sleep(0.05)
        return chunks(key, version_id)

    worker.scanner.blobs.chunks = counted  # type: ignore[method-assign]
    events = [event for key, version_id in bucket.notified if (event := event_of(key, version_id))]
    with ThreadPoolExecutor(4) as threads:
        list(threads.map(lambda event: settle(worker, event), events * 2))
    assert reads == [BLOB]
    assert state_of(bucket) is VersionState.AVAILABLE


def test_bytes_over_the_limit_are_quarantined_unread(
    bucket: InMemoryBucket, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nobody's own S3 session keeps the verifier busy with terabytes that no version can name."""
    monkeypatch.setattr("service.verifier.scanning.MAX_FILE_BYTES", len(GOOD) - 1)
    version = bucket.put(BLOB, GOOD)
    settle(verifier(bucket), BlobArrived(MODEL, DIGEST, version.version_id))
    assert tags_of(bucket) == {STATE_TAG: QUARANTINED}


def test_what_is_protected_no_more_releases_nothing(bucket: InMemoryBucket) -> None:
    """Once the settings stop protecting an alias, what it pointed to as a protected one is taken back."""
    publish(bucket, GOOD)
    approver = workspace(bucket, APPROVER)
    deliver(bucket, verifier(bucket))
    aliases.move(approver, MODEL, "production", 1, None, NOW, protected=True)
    deliver(bucket, verifier(bucket))
    assert released(bucket) == {GOOD}
    models.govern(approver, MODEL, Settings(protected_aliases=("live",)))
    for event in forgotten(FakeObjectStore(bucket)):
        settle(verifier(bucket), event)
    assert released(bucket) == set()


@pytest.mark.parametrize("number", [0, -1, 10**12])
def test_a_pointer_to_no_possible_version_does_not_stop_releases(bucket: InMemoryBucket, number: int) -> None:
    """An approver's own S3 session may write any number; the model's other aliases are released still."""
    publish(bucket, GOOD)
    deliver(bucket, verifier(bucket))
    approver = workspace(bucket, APPROVER)
    models.govern(approver, MODEL, Settings(protected_aliases=("live", "production")))
    bucket.put(keys.alias(MODEL, "live", protected=True), encode(Pointer(number, "t", "a", "b")))
    aliases.move(approver, MODEL, "production", 1, None, NOW, protected=True)
    deliver(bucket, verifier(bucket))
    assert released(bucket) == {GOOD}


def test_a_release_overtaken_by_a_twin_undoes_what_it_tagged(bucket: InMemoryBucket) -> None:
    """Two workers on one model: the slow one does not leave a tag that no record knows."""
    publish(bucket, b"old")
    publish(bucket, b"new")
    deliver(bucket, verifier(bucket))
    approver = workspace(bucket, APPROVER)
    aliases.move(approver, MODEL, "production", 1, None, NOW, protected=True)

    class Slow(FakeObjectStore):
        """Its first tag is set only after a twin has followed the alias further."""

        overtaken = False

        def set_tags(self, key: str, version_id: str, tags: dict[str, str]) -> None:
            if not self.overtaken:
                self.overtaken = True
                aliases.move(approver, MODEL, "production", 2, 1, NOW, protected=True)
                release(FakeObjectStore(self.bucket), MODEL)
            super().set_tags(key, version_id, tags)

    release(Slow(bucket), MODEL)
    assert released(bucket) == {b"new"}
