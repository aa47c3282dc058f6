"""What every ``BlobStore`` promises."""

from __future__ import annotations

import os
from hashlib import sha256
from typing import TYPE_CHECKING

import pytest

from service.domain.parts import MIB
from service.ports import KeyMissing, PartsMismatch, UploadMissing
from service.registry import keys

if TYPE_CHECKING:
    from tests.contract.conftest import Stores

CONTENT = b"some bytes"
DIGEST = sha256(CONTENT).hexdigest()


def uploaded(stores: Stores, content: bytes = CONTENT) -> tuple[str, str]:
    """Key and S3 version of content sent in one request."""
    key = keys.blob(stores.model, sha256(content).hexdigest())
    accepted, _ = stores.send(stores.blobs.upload_ticket(key, sha256(content).hexdigest()), content)
    assert accepted
    return key, stores.objects.versions(key).items[0].version_id


def in_parts(stores: Stores, *contents: bytes) -> tuple[str, str, list[tuple[int, str]]]:
    """Key, upload id and part list of a multipart upload whose parts were sent."""
    key = keys.blob(stores.model, sha256(b"".join(contents)).hexdigest())
    upload_id = stores.blobs.start_multipart(key)
    numbers = range(1, len(contents) + 1)
    listed = []
    for ticket, number, content in zip(
        stores.blobs.part_tickets(key, upload_id, numbers), numbers, contents, strict=True
    ):
        accepted, etag = stores.send(ticket, content)
        assert accepted
        listed.append((number, etag))
    return key, upload_id, listed


def test_bytes_of_the_digest_are_taken_and_vouched_for(stores: Stores) -> None:
    """A single upload ends as one object whose SHA-256 storage itself knows."""
    key, version_id = uploaded(stores)
    assert stores.scanning.checksum(key, version_id) == (len(CONTENT), DIGEST)


def test_other_bytes_are_refused(stores: Stores) -> None:
    """Storage holds a single upload against the digest in its ticket, and keeps nothing of a wrong one."""
    key = keys.blob(stores.model, DIGEST)
    accepted, _ = stores.send(stores.blobs.upload_ticket(key, DIGEST), b"other bytes")
    assert not accepted
    assert stores.objects.versions(key).items == ()


def test_empty_bytes_are_bytes(stores: Stores) -> None:
    """A file of zero bytes is uploaded, vouched for and read like others."""
    key, version_id = uploaded(stores, b"")
    assert stores.scanning.checksum(key, version_id) == (0, sha256(b"").hexdigest())
    assert b"".join(stores.scanning.chunks(key, version_id)) == b""


def test_parts_become_one_blob(stores: Stores) -> None:
    """Parts are listed as they arrive and end as one object, of whose SHA-256 storage knows nothing."""
    contents = (os.urandom(5 * MIB), os.urandom(5 * MIB), b"the rest")
    key, upload_id, listed = in_parts(stores, *contents)
    first = stores.blobs.parts(key, upload_id, limit=2)
    rest = stores.blobs.parts(key, upload_id, after=int(first.next or 0), limit=2)
    held = [*first.items, *rest.items]
    assert [(part.number, part.etag) for part in held] == listed
    assert [part.size for part in held] == [len(content) for content in contents]
    stores.blobs.complete(key, upload_id, listed)
    version_id = stores.objects.versions(key).items[0].version_id
    whole = b"".join(contents)
    assert stores.scanning.checksum(key, version_id) == (len(whole), None)
    assert b"".join(stores.scanning.chunks(key, version_id)) == whole


def test_a_part_can_be_sent_again(stores: Stores) -> None:
    """The last bytes sent under a number are the part."""
    key, upload_id, _ = in_parts(stores, b"first try")
    ticket = stores.blobs.part_tickets(key, upload_id, [1])[0]
    _, etag = stores.send(ticket, b"second")
    stores.blobs.complete(key, upload_id, [(1, etag)])
    version_id = stores.objects.versions(key).items[0].version_id
    assert b"".join(stores.scanning.chunks(key, version_id)) == b"second"


@pytest.mark.parametrize("listed", [[(1, "0" * 32)], [(2, "0" * 32)]])
def test_parts_that_storage_does_not_have_are_a_mismatch(
    stores: Stores, listed: list[tuple[int, str]]
) -> None:
    """A wrong etag or number; the upload stays open."""
    key, upload_id, _ = in_parts(stores, b"part")
    with pytest.raises(PartsMismatch):
        stores.blobs.complete(key, upload_id, listed)
    assert len(stores.blobs.parts(key, upload_id).items) == 1


def test_an_upload_ends_once(stores: Stores) -> None:
    """Completed or aborted, it is missing from then on."""
    key, upload_id, listed = in_parts(stores, b"part")
    stores.blobs.complete(key, upload_id, listed)
    with pytest.raises(UploadMissing):
        stores.blobs.complete(key, upload_id, listed)
    key, upload_id, _ = in_parts(stores, b"part")
    stores.blobs.abort(key, upload_id)
    for gone in (stores.blobs.abort, stores.blobs.parts):
        with pytest.raises(UploadMissing):
            gone(key, upload_id)


def test_a_download_is_pinned_to_its_version(stores: Stores) -> None:
    """Later bytes under the same key do not change what a URL serves."""
    key, version_id = uploaded(stores)
    url = stores.blobs.download_ticket(key, version_id, 'attachment; filename="x"').url
    upload_id = stores.blobs.start_multipart(key)
    _, etag = stores.send(stores.blobs.part_tickets(key, upload_id, [1])[0], b"later bytes")
    stores.blobs.complete(key, upload_id, [(1, etag)])
    stores.tagging.set_tags(key, version_id, {"smas-state": "verified"})
    assert stores.fetch(url) == CONTENT


def test_missing_bytes_are_missing(stores: Stores) -> None:
    """For a key that never was."""
    _, version_id = uploaded(stores)
    missing = keys.blob(stores.model, "c" * 64)
    with pytest.raises(KeyMissing):
        stores.scanning.checksum(missing, version_id)
    with pytest.raises(KeyMissing):
        b"".join(stores.scanning.chunks(missing, version_id))
