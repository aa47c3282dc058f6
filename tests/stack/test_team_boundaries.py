"""A data scientist of one team, past the service: nothing of another team, and nothing in another's name."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from tests.infra.policy_rules import KINDS
from tests.stack.sessions import SUBJECT, allowed, fetched, session
from tests.stack.stored_models import OPENED

if TYPE_CHECKING:
    from tests.stack.stored_models import StoredModels

ANOTHER = "sub-of-another"
TAGS = {"TagSet": [{"Key": "note", "Value": "mine"}]}


@pytest.fixture(scope="module")
def s3(models: StoredModels) -> Any:
    """S3 as a data scientist of `fraud` has it."""
    return session(models.account, "persona-data-scientist").client(models.account, "s3")


@pytest.mark.parametrize("kind", sorted(KINDS))
def test_a_data_scientist_of_fraud_reads_nothing_of_nlp(models: StoredModels, s3: Any, kind: str) -> None:
    """No object, version, head, tag or attribute, neither signed in a header nor in a URL."""
    place, version = models.place(kind, "nlp"), models.version(kind, "nlp")
    for target in (place, version):
        assert not allowed(s3.get_object, **target)
        assert not allowed(s3.head_object, **target)
        assert not allowed(s3.get_object_tagging, **target)
        assert not allowed(s3.get_object_attributes, **target, ObjectAttributes=["ETag", "Checksum"])
        assert not allowed(s3.get_object_acl, **target)
        assert fetched(s3, **target)[0] == 403
    assert not allowed(s3.get_object, **place, Range="bytes=0-0")
    missing = models.new(kind, "nlp")
    assert not allowed(s3.head_object, **missing), "what is missing looks like what is refused"


@pytest.mark.parametrize("kind", sorted(KINDS))
def test_a_data_scientist_of_fraud_lists_nothing_of_nlp(models: StoredModels, s3: Any, kind: str) -> None:
    """Nor all teams at once, nor a team whose name begins like its own."""
    name = models.account.bucket
    for prefix in (
        f"{kind}/nlp/",
        f"{kind}/nlp/{models.model}",
        f"{kind}/",
        f"{kind}/fraud",
        f"{kind}/fraud-2/",
    ):
        assert not allowed(s3.list_objects_v2, Bucket=name, Prefix=prefix)
        assert not allowed(s3.list_objects, Bucket=name, Prefix=prefix, Delimiter="/")
        assert not allowed(s3.list_object_versions, Bucket=name, Prefix=prefix)
        assert not allowed(s3.list_multipart_uploads, Bucket=name, Prefix=prefix)


@pytest.mark.parametrize("kind", sorted(KINDS))
def test_a_data_scientist_of_fraud_writes_nothing_of_nlp(models: StoredModels, s3: Any, kind: str) -> None:
    """Neither new nor over what is there, whole or in parts, nor into an upload of theirs; no deletion."""
    place, own = models.place(kind, "nlp"), models.place("blobs")
    sent = models.encrypted(kind)
    root = models.account.root_client("s3")
    source = {name: own[name] for name in ("Bucket", "Key")}
    upload = root.create_multipart_upload(**models.new("blobs", "nlp"))
    part = {name: upload[name] for name in ("Bucket", "Key", "UploadId")}
    for target in (place, models.new(kind, "nlp")):
        assert not allowed(s3.put_object, **target, **models.written(kind))
        assert not allowed(s3.put_object, **target, Body=b"{}", **sent)
        assert not allowed(s3.create_multipart_upload, **target, **sent)
        assert not allowed(s3.copy_object, **target, CopySource=source, **sent)
        assert not allowed(s3.delete_object, **target)
    assert not allowed(s3.upload_part, **part, PartNumber=1, Body=b"x")
    assert not allowed(s3.upload_part_copy, **part, PartNumber=1, CopySource=source)
    assert not allowed(s3.list_parts, **part)
    assert not allowed(s3.complete_multipart_upload, **part, MultipartUpload={"Parts": []})
    assert not allowed(s3.abort_multipart_upload, **part)
    root.abort_multipart_upload(**part)


@pytest.mark.parametrize("kind", sorted(KINDS))
def test_a_data_scientist_of_fraud_tags_nothing_of_nlp(models: StoredModels, s3: Any, kind: str) -> None:
    """Nor takes a tag away."""
    for target in (models.place(kind, "nlp"), models.version(kind, "nlp")):
        assert not allowed(s3.put_object_tagging, **target, Tagging=TAGS)
        assert not allowed(s3.delete_object_tagging, **target)


def test_nothing_of_nlp_is_copied_over(models: StoredModels, s3: Any) -> None:
    """A copy reads its source, so another team's bytes do not come over as one's own; one's own would."""
    theirs, own = (models.place("blobs", team) for team in ("nlp", "fraud"))
    target = models.new("blobs")
    upload = s3.create_multipart_upload(**target)["UploadId"]
    part = {**target, "UploadId": upload, "PartNumber": 1}
    replaced = {"TaggingDirective": "REPLACE"}
    assert not allowed(s3.copy_object, **target, CopySource=theirs, **replaced)
    assert not allowed(s3.upload_part_copy, **part, CopySource=theirs)
    assert allowed(s3.copy_object, **target, CopySource=own, **replaced)
    assert allowed(s3.upload_part_copy, **part, CopySource=own)
    s3.abort_multipart_upload(**target, UploadId=upload)


@pytest.mark.parametrize("role", ["persona-data-scientist", "persona-approver", "verifier-tagging"])
def test_nobody_writes_an_author_in_anothers_name(models: StoredModels, role: str) -> None:
    """Nor an approval, nor the record of a move, nor below a name that ends like one's own."""
    s3 = session(models.account, role).client(models.account, "s3")
    for kind in ("authors", "approvals", "moves", "requests"):
        place = models.new(kind, subject=ANOTHER)
        assert not allowed(s3.put_object, **place, **models.written(kind))
        below = {**place, "Key": place["Key"].replace(ANOTHER, f"{SUBJECT}.json/{ANOTHER}")}
        assert not allowed(s3.put_object, **below, **models.written(kind))
    assert not allowed(s3.put_object, **models.new("approvals"), **models.written("approvals"))


def test_a_data_scientist_signs_as_itself(models: StoredModels, s3: Any) -> None:
    """The same write in its own name passes, so it is the name that is refused."""
    assert allowed(s3.put_object, **models.new("authors"), **models.written("authors"))


@pytest.mark.parametrize("kind", ["manifests", "authors"])
def test_a_data_scientist_overwrites_no_manifest(models: StoredModels, s3: Any, kind: str) -> None:
    """However it is tried; and what is there stays the same version with the same bytes."""
    place, before = models.place(kind), models.version(kind)
    sent = models.encrypted(kind)
    etag = models.account.root_client("s3").head_object(**place)["ETag"]
    assert not allowed(s3.put_object, **place, Body=b"forged", **sent)
    assert not allowed(s3.put_object, **place, Body=b"forged", IfMatch=etag, **sent)
    assert not allowed(s3.copy_object, **place, CopySource=models.place("cards"), **sent)
    assert not allowed(s3.create_multipart_upload, **place, **sent)
    assert not allowed(s3.delete_object, **place)
    assert not allowed(s3.delete_object, **before)
    with pytest.raises(s3.exceptions.ClientError, match="PreconditionFailed"):
        s3.put_object(**place, Body=b"forged", IfNoneMatch="*", **sent)
    assert models.version(kind) == before


def test_a_data_scientist_moves_no_protected_alias(models: StoredModels, s3: Any) -> None:
    """Neither the alias nor the record of its move; an ordinary alias it does move."""
    for kind in ("protected", "moves"):
        for target in (models.place(kind), models.new(kind)):
            assert not allowed(s3.put_object, **target, **models.written(kind))
            assert not allowed(s3.put_object, **target, Body=b"{}", **models.encrypted(kind))
            assert not allowed(s3.delete_object, **target)
    body = json.dumps({"version": 1}).encode()
    assert allowed(s3.put_object, **models.place("aliases"), Body=body, **models.encrypted("aliases"))


def test_a_data_scientist_changes_no_settings(models: StoredModels, s3: Any) -> None:
    """Nor removes them, nor the verdicts and releases that follow from them."""
    for kind in ("settings", "verdicts", "releases", "tombstones"):
        for target in (models.place(kind), models.new(kind)):
            assert not allowed(s3.put_object, **target, Body=b"{}", **models.encrypted(kind))
            assert not allowed(s3.delete_object, **target)


def test_a_team_is_what_the_session_says(models: StoredModels) -> None:
    """The same person, in a session of `nlp`, reads there, and nothing of `fraud` any more."""
    s3 = session(models.account, "persona-data-scientist", team="nlp").client(models.account, "s3")
    assert fetched(s3, **models.place("blobs", "nlp")) == (200, models.written("blobs")["Body"])
    assert fetched(s3, **models.place("blobs", "fraud"))[0] == 403
    assert OPENED["smas-state"] == "verified"
