"""The permissions that reading an object needs, for itself or to copy it."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING
from urllib.parse import unquote, unquote_plus

from smas_emulator.authorization import s3_keys
from smas_emulator.authorization.s3_asked import Asked
from smas_emulator.authorization.s3_operations import KNOWS_EXISTING_TAGS, READS
from smas_emulator.gateway.errors import AwsError

if TYPE_CHECKING:
    from smas_emulator.authorization.global_keys import Context
    from smas_emulator.authorization.ports import ObjectFacts
    from smas_emulator.gateway.calls import Call

# What means something of its own in a URL (scheme, authority, parameters, fragment) has to be encoded.
_PLAIN_PATH = re.compile(r"/?(?!/)[^\s:;#\x00-\x20\x7f-\U0010ffff]+")
_PLAIN_QUERY = re.compile(r"(versionId=[^\s;#&\x00-\x20\x7f-\U0010ffff]*)?")


def read(asked: Asked) -> None:
    """An operation of `READS`; the key is asked for where the answer takes decrypting."""
    parameters = asked.call.parameters
    key, version = parameters["Key"], parameters.get("VersionId")
    there = asked.facts.object(asked.name, key, version)
    current, named = READS[asked.call.operation]
    for action in current if version is None else named:
        asked.add_object(action, key, s3_keys.version_keys(version), existing_tags(action, there))
    whether_there(asked, there, version)
    if there is not None and _reads_bytes(asked.call):
        asked.add_key("kms:Decrypt", there.kms_key, key, by_bucket_key=there.bucket_key_enabled)


def whether_there(asked: Asked, there: ObjectFacts | None, version: str | None) -> None:
    """Only who may list learns that a key is missing; a delete marker that is current hides the key.

    https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetObject.html
    """
    if there is None or (there.delete_marker and version is None):
        asked.add("s3:ListBucket", asked.arn)


def existing_tags(action: str, there: ObjectFacts | None) -> Context:
    """The tags of what is there, for the actions that may look at them."""
    if there is None or action not in KNOWS_EXISTING_TAGS:
        return {}
    return s3_keys.existing_tag_keys(there.tags)


def _reads_bytes(call: Call) -> bool:
    """Whether the answer takes decrypting: bytes, or a checksum of them.

    https://docs.aws.amazon.com/AmazonS3/latest/API/API_HeadObject.html
    """
    match call.operation:
        case "GetObject" | "GetObjectTorrent" | "SelectObjectContent":
            return True
        case "HeadObject":
            return bool(call.parameters.get("ChecksumMode"))
        case "GetObjectAttributes":
            return "Checksum" in (call.parameters.get("ObjectAttributes") or ())
    return False


def read_source(asked: Asked) -> bool:
    """What is copied is read first; true when its tags go along.

    https://docs.aws.amazon.com/AmazonS3/latest/API/API_CopyObject.html
    """
    call, facts = asked.call, asked.facts
    name, key, version = _source(str(call.parameters.get("CopySource", "")))
    bucket = facts.bucket(name)
    if bucket is None:
        raise AwsError("NoSuchBucket", "The specified bucket does not exist", 404)
    source = Asked(call, facts, name, bucket)
    there = facts.object(name, key, version)
    action = "s3:GetObject" if version is None else "s3:GetObjectVersion"
    keys = (s3_keys.version_keys(version), existing_tags(action, there))
    source.add_object(action, key, *keys)
    whether_there(source, there, version)
    with_tags = there is not None and bool(there.tags) and _copies_tags(call)
    if with_tags:
        tagging = "s3:GetObjectTagging" if version is None else "s3:GetObjectVersionTagging"
        source.add_object(tagging, key, *keys)
    if there is not None:
        source.add_key("kms:Decrypt", there.kms_key, key, by_bucket_key=there.bucket_key_enabled)
    asked.found += source.found
    return with_tags


def _copies_tags(call: Call) -> bool:
    return call.operation == "CopyObject" and (call.parameters.get("TaggingDirective") or "COPY") == "COPY"


def _source(text: str) -> tuple[str, str, str | None]:
    """Bucket, key and version of `x-amz-copy-source`: `[/]<bucket>/<key>[?versionId=<version>]`.

    AWS wants it percent-encoded. Whatever else could be read in two ways is refused: what is decided on here
    has to be what is copied.
    """
    path, _, query = text.partition("?")
    bucket, _, key = unquote(path.replace("+", " ")).removeprefix("/").partition("/")
    if not (_PLAIN_PATH.fullmatch(path) and _PLAIN_QUERY.fullmatch(query) and bucket and key):
        raise AwsError("InvalidArgument", "Invalid copy source object key", 400)
    return bucket, key, unquote_plus(query.removeprefix("versionId=")) or None
