"""Publishing: immutable versions, consecutive numbers, one version a request."""

from __future__ import annotations

import itertools
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from datetime import timedelta

import pytest
from msgspec.structs import replace

from service.domain.versions import Author, Manifest, revision_of
from service.errors import BlobMissing, Conflict, ValidationFailed
from service.ports import KeyExists
from service.registry import keys, publishing, versions
from service.registry.publishing import Claim
from service.registry.records import encode, find
from tests.fakes.in_memory import FakeObjectStore, InMemoryBucket
from tests.fakes.killed import Fuse, Killed, mortal_workspace
from tests.people import DS_FRAUD, DS_FRAUD_2
from tests.unit.registry.conftest import MODEL, NOW, draft, entry, publish, upload, workspace


def test_a_version_pins_what_was_published(bucket: InMemoryBucket) -> None:
    """A manifest names each file's S3 version, its publisher, and a revision anybody can recompute."""
    manifest = publish(bucket, b"one", b"two").manifest

    assert [file.path for file in manifest.files] == ["file-0.bin", "file-1.bin"]
    for file, content in zip(manifest.files, (b"one", b"two"), strict=True):
        assert bucket.version(keys.blob(MODEL, file.sha256), file.s3_version_id).body == content
    assert (manifest.created_by, manifest.subject) == (DS_FRAUD.name, DS_FRAUD.subject)
    assert manifest.revision == revision_of(manifest)
    author = find(FakeObjectStore(bucket), keys.author(MODEL, 1, DS_FRAUD.subject), Author)
    assert author is not None
    assert author.value == Author(manifest.revision, DS_FRAUD.subject)


def test_later_bytes_under_the_same_key_change_nothing(bucket: InMemoryBucket) -> None:
    """Overwriting a blob's key after publishing does not change what the version names."""
    manifest = publish(bucket, b"one").manifest
    bucket.put(keys.blob(MODEL, manifest.files[0].sha256), b"two")

    read = versions.read(workspace(bucket), MODEL, 1).manifest
    assert read == manifest
    assert bucket.version(keys.blob(MODEL, read.files[0].sha256), read.files[0].s3_version_id).body == b"one"


def test_twenty_publishers_at_once_get_twenty_consecutive_numbers(bucket: InMemoryBucket) -> None:
    """Whoever publishes at the same time, no number is skipped and none is given twice."""
    people = [replace(DS_FRAUD, subject=f"sub-{n}", username=f"user-{n}") for n in range(20)]
    upload(bucket, b"shared")

    def one(n: int) -> int:
        stores = workspace(bucket, people[n])
        return publishing.publish(stores, MODEL, draft(b"shared"), None, NOW).manifest.version

    with ThreadPoolExecutor(20) as threads:
        numbers = list(threads.map(one, range(20)))
    assert sorted(numbers) == list(range(1, 21))


def test_one_person_publishing_many_times_at_once_gets_as_many_versions(bucket: InMemoryBucket) -> None:
    """Without an idempotency key every request is a version, each signed with its own revision."""
    upload(bucket, b"shared")
    with ThreadPoolExecutor(8) as threads:
        made = list(
            threads.map(
                lambda n: (
                    publishing.publish(
                        workspace(bucket), MODEL, draft(b"shared", message=str(n)), None, NOW
                    ).manifest
                ),
                range(8),
            )
        )
    assert sorted(manifest.version for manifest in made) == list(range(1, 9))
    for manifest in made:
        author = find(FakeObjectStore(bucket), keys.author(MODEL, manifest.version, DS_FRAUD.subject), Author)
        assert author is not None
        assert author.value.revision == manifest.revision


class _Deaf(FakeObjectStore):
    """Storage whose first answer to a new manifest goes astray, so that the write is sent again."""

    def create(self, key: str, body: bytes) -> str:
        """As botocore does it: the second try meets what the first one wrote."""
        if key.startswith("manifests/"):
            with suppress(KeyExists):
                super().create(key, body)
        return super().create(key, body)


def test_a_lost_answer_does_not_publish_twice(bucket: InMemoryBucket) -> None:
    """A manifest found under its number that is this very request's is no other publisher's."""
    upload(bucket, b"x")
    deaf = replace(workspace(bucket), objects=_Deaf(bucket))
    for number, key in ((1, None), (2, "k"), (3, None)):
        made = publishing.publish(deaf, MODEL, draft(b"x"), key, NOW)
        assert made.manifest.version == number
    assert versions.newest(FakeObjectStore(bucket), MODEL) == 3


def test_equal_requests_without_a_key_are_different_requests(bucket: InMemoryBucket) -> None:
    """The same person, body and second, but each its own version."""
    upload(bucket, b"x")
    with ThreadPoolExecutor(8) as threads:
        made = list(
            threads.map(
                lambda _: publishing.publish(workspace(bucket), MODEL, draft(b"x"), None, NOW), range(8)
            )
        )
    assert sorted(each.manifest.version for each in made) == list(range(1, 9))


def test_missing_bytes_are_named(bucket: InMemoryBucket) -> None:
    """Publishing what was never uploaded names each missing file and publishes nothing."""
    upload(bucket, b"here")
    wanted = publishing.Draft((entry(b"here", "a"), entry(b"not here", "b")), "", {})
    with pytest.raises(BlobMissing) as caught:
        publishing.publish(workspace(bucket), MODEL, wanted, None, NOW)
    assert [fault.location for fault in caught.value.errors] == ["files[1]"]
    assert versions.newest(FakeObjectStore(bucket), MODEL) == 0


def test_bytes_of_another_length_do_not_count_as_uploaded(bucket: InMemoryBucket) -> None:
    """A file whose uploaded bytes have another size is not completely uploaded."""
    upload(bucket, b"here")
    wrong = replace(entry(b"here"), size=5)
    with pytest.raises(BlobMissing, match="1 of 1 files"):
        publishing.publish(workspace(bucket), MODEL, publishing.Draft((wrong,), "", {}), None, NOW)


def test_bytes_of_another_model_do_not_count(bucket: InMemoryBucket) -> None:
    """A digest alone claims nobody's bytes: another model's blob is not this one's."""
    upload(bucket, b"here")
    other = replace(MODEL, model="other")
    with pytest.raises(BlobMissing):
        publishing.publish(workspace(bucket), other, draft(b"here"), None, NOW)


def test_the_same_key_and_body_make_one_version(bucket: InMemoryBucket) -> None:
    """Repeating a request with its idempotency key answers the version it made, unchanged."""
    first = publish(bucket, b"x", key="k")
    second = publishing.publish(workspace(bucket), MODEL, draft(b"x"), "k", NOW + timedelta(hours=23))
    assert (first.created, second.created) == (True, False)
    assert second.manifest == first.manifest


def test_the_same_key_with_another_body_is_a_conflict(bucket: InMemoryBucket) -> None:
    """An idempotency key stands for one body; another one changes nothing."""
    publish(bucket, b"x", key="k")
    upload(bucket, b"y")
    with pytest.raises(Conflict):
        publishing.publish(workspace(bucket), MODEL, draft(b"y"), "k", NOW)
    assert versions.newest(FakeObjectStore(bucket), MODEL) == 1


def test_a_key_is_its_persons_own_and_lasts_a_day(bucket: InMemoryBucket) -> None:
    """Another person's equal key, and one's own after 24 hours, are new requests."""
    publish(bucket, b"x", key="k")
    other = publish(bucket, b"x", who=DS_FRAUD_2, key="k")
    later = publishing.publish(workspace(bucket), MODEL, draft(b"x"), "k", NOW + timedelta(hours=24))
    assert [other.created, other.manifest.version] == [True, 2]
    assert [later.created, later.manifest.version] == [True, 3]


def test_a_key_is_for_one_model(bucket: InMemoryBucket) -> None:
    """The same key for another model, as of a pipeline that publishes several, is another request."""
    publish(bucket, b"x", key="k")
    other = replace(MODEL, model="other")
    bucket.put(keys.blob(other, entry(b"y").sha256), b"y")
    made = publishing.publish(workspace(bucket), other, draft(b"y"), "k", NOW)
    assert [made.created, made.manifest.model, made.manifest.version] == [True, "fraud/other", 1]


@pytest.mark.parametrize("key", ["", "x" * 129, "tab\t", "é", "line\n"])
def test_keys_beyond_the_limits_are_refused(bucket: InMemoryBucket, key: str) -> None:
    """An idempotency key is 1 to 128 printable ASCII characters."""
    with pytest.raises(ValidationFailed):
        publish(bucket, b"x", key=key)


@pytest.mark.parametrize("key", ["x", "x" * 128, "~ !"])
def test_keys_within_the_limits_are_taken(bucket: InMemoryBucket, key: str) -> None:
    """The shortest, the longest, and any printable ASCII."""
    assert publish(bucket, b"x", key=key).created


def test_twins_of_one_request_make_one_version(bucket: InMemoryBucket) -> None:
    """Concurrent retries with one key agree on one version; exactly one of them made it."""
    upload(bucket, b"x")
    with ThreadPoolExecutor(8) as threads:
        made = list(
            threads.map(
                lambda _: publishing.publish(workspace(bucket), MODEL, draft(b"x"), "k", NOW), range(8)
            )
        )
    assert {twin.manifest.version for twin in made} == {1}
    assert sum(twin.created for twin in made) == 1
    assert versions.newest(FakeObjectStore(bucket), MODEL) == 1


def test_twins_among_strangers_still_make_one_version(bucket: InMemoryBucket) -> None:
    """Retries of one request compete with other publishers without making a second version or a gap."""
    upload(bucket, b"x")

    def one(n: int) -> int:
        key = "k" if n % 2 else None
        return publishing.publish(workspace(bucket), MODEL, draft(b"x"), key, NOW).manifest.version

    with ThreadPoolExecutor(12) as threads:
        numbers = list(threads.map(one, range(12)))
    keyed = {number for n, number in enumerate(numbers) if n % 2}
    assert len(keyed) == 1
    assert sorted({*numbers}) == list(range(1, 8))


def test_killed_anywhere_a_retry_with_the_key_makes_exactly_one_version() -> None:
    """After kill -9 between any two steps, the same request again ends in one signed version."""
    for calls in itertools.count():
        bucket = InMemoryBucket()
        upload(bucket, b"x")
        killed = _killed_while_publishing(bucket, calls, "k")
        later = NOW + timedelta(minutes=1)
        retried = publishing.publish(workspace(bucket), MODEL, draft(b"x"), "k", later)

        assert retried.manifest.version == versions.newest(FakeObjectStore(bucket), MODEL) == 1
        author = find(FakeObjectStore(bucket), keys.author(MODEL, 1, DS_FRAUD.subject), Author)
        assert author is not None
        assert author.value.revision == retried.manifest.revision
        if not killed:
            break
    assert calls > 5


def test_killed_anywhere_without_a_key_leaves_no_gap() -> None:
    """After kill -9 between any two steps, the next version gets the next number."""
    for calls in itertools.count():
        bucket = InMemoryBucket()
        upload(bucket, b"x")
        killed = _killed_while_publishing(bucket, calls, None)
        taken = versions.newest(FakeObjectStore(bucket), MODEL)
        following = publishing.publish(workspace(bucket), MODEL, draft(b"x"), None, NOW).manifest
        assert taken in {0, 1}
        assert following.version == taken + 1
        if not killed:
            break
    assert calls > 3


def _killed_while_publishing(bucket: InMemoryBucket, calls: int, key: str | None) -> bool:
    """Publish in a process that dies after ``calls`` calls; whether it did before it was done."""
    doomed = mortal_workspace(workspace(bucket), Fuse(calls))
    try:
        publishing.publish(doomed, MODEL, draft(b"x"), key, NOW)
    except Killed:
        return True
    return False


def test_odd_keys_beside_the_manifests_do_not_disturb_numbering(bucket: InMemoryBucket) -> None:
    """Keys that the service never wrote, which a team's own S3 session may, are no versions."""
    publish(bucket, b"x")
    for odd in ("0.json", "junk.json", "0000000000.json", "9999999999.json"):
        bucket.put(keys.manifests(MODEL) + odd, b"junk")
    assert publish(bucket, b"x").manifest.version == 2
    listed = versions.list_versions(workspace(bucket), MODEL, after=None, limit=100)
    assert [version.manifest.version for version in listed.items] == [2, 1]


def test_reading_a_manifest_gives_what_was_published(bucket: InMemoryBucket) -> None:
    """What is stored reads back equal, free JSON included."""
    upload(bucket, b"x")
    metadata = {"metrics": {"auc": 0.925, "n": 3}, "tags": ["a", None, True], "nested": {"é": "\u2028"}}
    wanted = publishing.Draft((entry(b"x"),), "a message", metadata)
    manifest = publishing.publish(workspace(bucket), MODEL, wanted, None, NOW).manifest
    stored = find(FakeObjectStore(bucket), keys.manifest(MODEL, 1), Manifest)
    assert stored is not None
    assert stored.value == manifest
    assert stored.value.metadata == metadata


def test_nobody_signs_what_another_wrote_in_their_name(bucket: InMemoryBucket) -> None:
    """A manifest forged with a person's name and idempotency key gets no author's record by a retry.

    A forger needs but the moment in which the key is claimed and its manifest not written yet.
    """
    upload(bucket, b"x", b"evil")
    objects = FakeObjectStore(bucket)
    request = keys.request(MODEL, DS_FRAUD.subject, "k")
    claimed = (calls for calls in itertools.count() if _claims_only(bucket, calls, request))
    assert next(claimed) > 1
    claim = find(objects, request, Claim)
    assert claim is not None
    evil = publish(InMemoryBucket(), b"evil").manifest
    forged = replace(evil, created_at=claim.value.created_at, request=keys.last_segment(request))
    objects.create(keys.manifest(MODEL, 1), encode(replace(forged, revision=revision_of(forged))))

    retried = publishing.publish(workspace(bucket), MODEL, draft(b"x"), "k", NOW)

    assert retried.manifest.version == 2
    assert [file.sha256 for file in retried.manifest.files] == [entry(b"x").sha256]
    assert find(objects, keys.author(MODEL, 1, DS_FRAUD.subject), Author) is None


def _claims_only(bucket: InMemoryBucket, calls: int, request: str) -> bool:
    """Publish in a process that dies after ``calls`` calls; whether the key is claimed by then."""
    assert _killed_while_publishing(bucket, calls, "k")
    return request in bucket.objects


def test_odd_keys_beside_a_blob_are_not_the_blob(bucket: InMemoryBucket) -> None:
    """A team's own S3 session may write keys that end or begin like a blob's; none of them is pinned."""
    upload(bucket, b"x")
    key = keys.blob(MODEL, entry(b"x").sha256)
    for odd in (f"{key}.json", f"{key}x", f"{keys.blobs(MODEL)}sub/{entry(b'x').sha256}"):
        bucket.put(odd, b"y")
    manifest = publishing.publish(workspace(bucket), MODEL, draft(b"x"), None, NOW).manifest
    assert bucket.version(key, manifest.files[0].s3_version_id).body == b"x"
