"""Records of calls to the store, as the local CloudTrail writes them."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final

from smas_emulator.cloudtrail.records import build_record, secondary_records
from smas_emulator.gateway.calls import Outcome
from smas_emulator.gateway.principals import RoleSession

from service.domain.names import parse_model_id
from service.registry.downloads import _disposition
from tests.emulator.cloudtrail.records.calls import ACCOUNT, PRESIGNED, SIGNED, SUCCESS, call
from tests.fakes.audit import STORE

if TYPE_CHECKING:
    from collections.abc import Mapping

    from smas_emulator.gateway.principals import Principal

NOON: Final = datetime(2026, 11, 24, 12, tzinfo=UTC)
DENIED: Final = Outcome(403, error_code="AccessDenied", error_message="no", bytes_out=410)
MISSING: Final = Outcome(404, error_code="NoSuchKey", error_message="no", bytes_out=300)
FRAUD: Final = "fraud/credit-risk"
BYTES: Final = "a1" * 32
KEY_ARN: Final = f"arn:aws:kms:eu-central-1:{ACCOUNT}:key/bytes"


def persona(name: str, role: str, *, subject: str | None = None) -> RoleSession:
    """Somebody's session in one of the store's roles."""
    return RoleSession(
        account=ACCOUNT,
        access_key_id=f"ASIA{name.upper()}",
        role_name=f"smas-{role}",
        role_id="AROAEXAMPLE",
        name=name,
        created=NOON,
        expires=NOON,
        source_identity=subject or f"subject-of-{name}",
    )


SCIENTIST: Final = persona("ds-fraud", "data-scientist")
DEPLOYER: Final = persona("deployer-fraud", "deployer")
OUTSIDER: Final = persona("ds-nlp", "data-scientist")
VERIFIER: Final = persona("verifier-tagging", "verifier-tagging", subject="smas-verifier")


def record(
    service: str,
    operation: str,
    parameters: Mapping[str, Any],
    *,
    who: Principal = SCIENTIST,
    at: datetime = NOON,
    query: Mapping[str, str] | None = None,
    headers: Mapping[str, str] | None = None,
    presigned: bool = False,
    outcome: Outcome = SUCCESS,
    region: str = "eu-central-1",
) -> dict[str, Any]:
    """One call as a record."""
    made = call(
        service,
        operation,
        parameters,
        query=list((query or {}).items()),
        headers=headers,
        principal=who,
        signature=PRESIGNED if presigned else SIGNED,
    )
    return build_record(replace(made, time=at, region=region), outcome)


def on_object(operation: str, key: str, *, bucket: str = STORE.bucket, **more: Any) -> dict[str, Any]:
    """A call about one object of the store (or of another bucket)."""
    return record("s3", operation, {"Bucket": bucket, "Key": key}, **more)


def listing(prefix: str | None, *, operation: str = "ListObjectsV2", **more: Any) -> dict[str, Any]:
    """A list of the store's objects."""
    query = {"list-type": "2"} | ({} if prefix is None else {"prefix": prefix})
    parameters = {"Bucket": STORE.bucket} | ({} if prefix is None else {"Prefix": prefix})
    return record("s3", operation, parameters, query=query, **more)


def download(
    path: str, *, model: str = FRAUD, version: int = 1, sha256: str = BYTES, size: int = 1000, **more: Any
) -> dict[str, Any]:
    """A download as the service signs it."""
    return read_as(
        _disposition(parse_model_id(*model.split("/")), version, path), model, sha256, size, **more
    )


def read_as(
    disposition: str, model: str = FRAUD, sha256: str = BYTES, size: int = 1000, **more: Any
) -> dict[str, Any]:
    """A presigned read of a blob with any disposition, also one the service would never sign."""
    return on_object(
        "GetObject",
        f"blobs/{model}/{sha256}",
        query={"response-content-disposition": disposition},
        presigned=True,
        outcome=Outcome(200, bytes_out=size),
        **more,
    )


def assume(
    role: str,
    name: str,
    *,
    tags: Mapping[str, str] | None = None,
    subject: str | None = None,
    outcome: Outcome | None = None,
    **more: Any,
) -> dict[str, Any]:
    """An AssumeRole of one of the store's roles."""
    parameters: dict[str, Any] = {"RoleArn": f"{STORE.role_prefix}{role}", "RoleSessionName": name}
    if subject is not None:
        parameters["SourceIdentity"] = subject
    if tags:
        parameters["Tags"] = [{"Key": key, "Value": value} for key, value in tags.items()]
    answered = outcome or Outcome(200, {"Credentials": {"AccessKeyId": f"ASIA{name.upper()}"}})
    return record("sts", "AssumeRole", parameters, outcome=answered, **more)


def decryption(key: str, *, who: Principal = SCIENTIST, at: datetime = NOON) -> dict[str, Any]:
    """What KMS records of S3's reading an object for somebody."""
    made = call("s3", "GetObject", {"Bucket": STORE.bucket, "Key": key}, principal=who)
    headers = {
        "x-amz-server-side-encryption": "aws:kms",
        "x-amz-server-side-encryption-aws-kms-key-id": KEY_ARN,
    }
    (caused,) = secondary_records(replace(made, time=at), Outcome(200, headers=headers))
    return caused
