"""Bytes are opened by the verifier alone: its tags let readers in, and nobody else can set them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from tests.infra.access import BYTES
from tests.infra.policy_rules import KINDS
from tests.infra.rendering import PERSONAS
from tests.stack.sessions import VERIFYING, allowed, fetched, session
from tests.stack.stored_models import BYTES as CONTENT
from tests.stack.stored_models import OPENED, tagging

if TYPE_CHECKING:
    from tests.stack.stored_models import StoredModels

TAGGING = "verifier-tagging"
EVERYBODY = (*PERSONAS, *VERIFYING, "service", "worker")
EVERYBODY_ELSE = tuple(role for role in EVERYBODY if role != TAGGING)
UNVERIFIED: list[dict[str, str]] = [
    {},
    {"smas-state": "quarantined"},
    {"smas-state": "pending"},
    {"smas-state": "Verified"},
    {"smas-release": "yes"},
    {"smas-state": "quarantined", "smas-release": "yes"},
    {"state": "verified"},
]


def tag_set(**tags: str) -> dict[str, Any]:
    """Tags as `PutObjectTagging` has them."""
    return {"TagSet": [{"Key": key.replace("_", "-"), "Value": value} for key, value in tags.items()]}


@pytest.mark.parametrize("role", EVERYBODY_ELSE)
def test_nobody_else_tags_what_is_there(models: StoredModels, role: str) -> None:
    """Neither the current object nor a version, of any kind, and no tag is taken away."""
    s3 = session(models.account, role).client(models.account, "s3")
    for kind in KINDS:
        for target in (models.place(kind), models.version(kind)):
            for tags in ({"smas_state": "verified"}, {"smas_release": "yes"}, {"note": "mine"}):
                assert not allowed(s3.put_object_tagging, **target, Tagging=tag_set(**tags))
            assert not allowed(s3.delete_object_tagging, **target)


@pytest.mark.parametrize("role", EVERYBODY)
def test_nobody_sends_tags_with_what_they_write(models: StoredModels, role: str) -> None:
    """With `x-amz-tagging` or by a copy that takes its source's tags along; without tags the write passes."""
    s3 = session(models.account, role).client(models.account, "s3")
    source = models.place("blobs")
    for kind in KINDS:
        for tags in ("smas-state=verified", "smas-release=yes", tagging(OPENED), "note=mine"):
            written = {**models.written(kind), "Tagging": tags}
            assert not allowed(s3.put_object, **models.new(kind), **written)
            multipart = {**models.encrypted(kind), "Tagging": tags}
            assert not allowed(s3.create_multipart_upload, **models.new(kind), **multipart)
            copied = {**multipart, "CopySource": source, "TaggingDirective": "REPLACE"}
            assert not allowed(s3.copy_object, **models.new(kind), **copied)
        sent = models.encrypted(kind)
        assert not allowed(s3.copy_object, **models.new(kind), **sent, CopySource=source)
        assert not allowed(s3.copy_object, **models.place(kind), **sent, CopySource=source)


def test_an_upload_without_tags_passes_and_opens_nothing(models: StoredModels) -> None:
    """So it is the tags that were refused; what was uploaded over verified bytes is unverified again."""
    s3 = session(models.account, "persona-data-scientist").client(models.account, "s3")
    blob = models.new_blob(**OPENED)
    place = {name: blob[name] for name in ("Bucket", "Key")}
    assert fetched(s3, **place) == (200, CONTENT)
    assert allowed(s3.put_object, **place, Body=b"others")
    assert fetched(s3, **place)[0] == 403
    assert fetched(s3, **blob) == (200, CONTENT)
    untagged = models.new("blobs")
    assert allowed(s3.copy_object, **untagged, CopySource=blob, TaggingDirective="REPLACE")
    assert fetched(s3, **untagged)[0] == 403


def test_the_tagging_role_sets_those_two_tags_and_no_other(models: StoredModels) -> None:
    """Of a version of a blob: not of whatever is current, not of a record, and it reads no byte of it."""
    s3 = session(models.account, TAGGING).client(models.account, "s3")
    blob = models.new_blob()
    place = {name: blob[name] for name in ("Bucket", "Key")}
    assert not allowed(s3.put_object_tagging, **place, Tagging=tag_set(smas_state="verified"))
    assert not allowed(s3.put_object_tagging, **blob, Tagging=tag_set(smas_state="verified", note="x"))
    assert not allowed(s3.delete_object_tagging, **blob)
    for kind in KINDS - {"blobs"}:
        tags = tag_set(smas_state="verified")
        assert not allowed(s3.put_object_tagging, **models.version(kind), Tagging=tags)
    assert allowed(s3.put_object_tagging, **blob, Tagging=tag_set(smas_state="verified"))
    assert models.account.root_client("s3").get_object_tagging(**blob)["TagSet"] == [
        {"Key": "smas-state", "Value": "verified"}
    ]
    assert fetched(s3, **blob)[0] == 403


@pytest.mark.parametrize("tags", UNVERIFIED, ids=lambda tags: tagging(tags) or "no tags")
@pytest.mark.parametrize("role", PERSONAS)
def test_no_persona_reads_an_unverified_blob(models: StoredModels, role: str, tags: dict[str, str]) -> None:
    """By no operation that reads bytes, nor by copying them to where they could be read."""
    s3 = session(models.account, role).client(models.account, "s3")
    blob = models.new_blob(**tags)
    place = {name: blob[name] for name in ("Bucket", "Key")}
    for target in (place, blob):
        assert not allowed(s3.get_object, **target)
        assert not allowed(s3.get_object, **target, Range="bytes=0-0")
        assert not allowed(s3.head_object, **target)
        assert not allowed(s3.get_object_attributes, **target, ObjectAttributes=["Checksum"])
        assert fetched(s3, **target)[0] == 403
        assert not allowed(s3.copy_object, **models.new("blobs"), CopySource=target)
    assert not allowed(s3.get_object_torrent, **place)


@pytest.mark.parametrize("role", PERSONAS)
def test_a_verified_blob_is_read_by_whom_it_is_for(models: StoredModels, role: str) -> None:
    """Verified bytes by four personas, but a deployer's have to be released, too."""
    s3 = session(models.account, role).client(models.account, "s3")
    wanted = BYTES[role]
    for tags in ({"smas-state": "verified"}, OPENED):
        readable = wanted is not None and wanted.items() <= tags.items()
        status, body = fetched(s3, **models.new_blob(**tags))
        assert (status, body == CONTENT) == ((200, True) if readable else (403, False))
