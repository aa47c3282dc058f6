"""The permissions that writing, changing and deleting objects needs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from smas_emulator.authorization import s3_keys
from smas_emulator.authorization.s3_encryption import key_of_write
from smas_emulator.authorization.s3_operations import CHANGES, WRITES
from smas_emulator.authorization.s3_reads import existing_tags, read_source, whether_there

if TYPE_CHECKING:
    from smas_emulator.authorization.s3_asked import Asked
    from smas_emulator.gateway.calls import Call

_MULTIPART = frozenset({"UploadPart", "UploadPartCopy", "CompleteMultipartUpload"})


def write(asked: Asked) -> None:
    """An operation of `WRITES`: what is copied, the bytes, what is set besides, the key."""
    call, parameters = asked.call, asked.call.parameters
    operation, key = call.operation, parameters["Key"]
    action = WRITES[operation]
    further = _further_actions(call)
    if operation in {"CopyObject", "UploadPartCopy"} and read_source(asked):
        further.append("s3:PutObjectTagging")
    if action != "s3:PutObject":
        asked.add_object(action, key)
        return
    keys = s3_keys.write_keys(call)
    asked.add_object(action, key, keys)
    for each in further:
        asked.add_object(each, key, keys)
    if operation in _MULTIPART:
        _continue_upload(asked, key)
    else:
        kms_key, by_bucket_key = key_of_write(parameters, asked.bucket)
        asked.add_key("kms:GenerateDataKey", kms_key, key, by_bucket_key=by_bucket_key)


def _further_actions(call: Call) -> list[str]:
    """What a write sets besides bytes (https://docs.aws.amazon.com/AmazonS3/latest/API/API_PutObject.html)."""
    parameters = call.parameters
    further = []
    if parameters.get("ACL") or any(parameters.get(name) for name in s3_keys.GRANTS):
        further.append("s3:PutObjectAcl")
    if parameters.get("Tagging"):
        further.append("s3:PutObjectTagging")
    if parameters.get("ObjectLockMode") or parameters.get("ObjectLockRetainUntilDate"):
        further.append("s3:PutObjectRetention")
    if parameters.get("ObjectLockLegalHoldStatus"):
        further.append("s3:PutObjectLegalHold")
    return further


def _continue_upload(asked: Asked, key: str) -> None:
    """A part is encrypted with the upload's data key, which S3 decrypts; so it does to check a checksum.

    https://docs.aws.amazon.com/AmazonS3/latest/API/API_UploadPart.html and …/API_CompleteMultipartUpload.html
    """
    parameters = asked.call.parameters
    upload = asked.facts.upload(asked.name, key, parameters.get("UploadId", ""))
    if upload is None:
        return  # S3 answers NoSuchUpload
    if asked.call.operation != "CompleteMultipartUpload" or _names_checksum(parameters):
        asked.add_key("kms:Decrypt", upload.kms_key, key, by_bucket_key=upload.bucket_key_enabled)


def _names_checksum(parameters: Any) -> bool:
    parts = (parameters.get("MultipartUpload") or {}).get("Parts") or ()
    return any(name.startswith("Checksum") for each in (parameters, *parts) for name in each if each[name])


def change(asked: Asked) -> None:
    """An operation of `CHANGES`."""
    call, parameters = asked.call, asked.call.parameters
    key, version = parameters["Key"], parameters.get("VersionId")
    there = asked.facts.object(asked.name, key, version)
    keys = {**s3_keys.version_keys(version), **s3_keys.write_keys(call)}
    current, named = CHANGES[call.operation]
    for action in current if version is None else named:
        asked.add_object(action, key, keys, existing_tags(action, there))
    if call.operation == "PutObjectRetention" and parameters.get("BypassGovernanceRetention"):
        asked.add_object("s3:BypassGovernanceRetention", key, keys)
    whether_there(asked, there, version)


def delete(asked: Asked) -> None:
    """`DeleteObject`, or every key of `DeleteObjects`."""
    parameters = asked.call.parameters
    if asked.call.operation == "DeleteObject":
        delete_one(asked, parameters["Key"], parameters.get("VersionId"), parameters.get("IfMatch"))
        return
    for each in (parameters.get("Delete") or {}).get("Objects") or ():
        delete_one(asked, each.get("Key", ""), each.get("VersionId"), each.get("ETag"))


def delete_one(asked: Asked, key: str, version: str | None, etag: str | None) -> None:
    """One key; a delete on the condition of an ETag also has to be allowed to read it.

    https://docs.aws.amazon.com/AmazonS3/latest/userguide/conditional-deletes.html
    """
    keys = {**s3_keys.version_keys(version), **s3_keys.condition_keys({"IfMatch": etag})}
    asked.add_object("s3:DeleteObject" if version is None else "s3:DeleteObjectVersion", key, keys)
    if asked.call.parameters.get("BypassGovernanceRetention"):
        asked.add_object("s3:BypassGovernanceRetention", key, keys)
    if etag is not None and etag != "*":
        there = asked.facts.object(asked.name, key, None)
        asked.add_object("s3:GetObject", key, existing_tags("s3:GetObject", there))
