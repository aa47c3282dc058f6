"""Two days of a trail: all that people, the verifier, AWS and those who mean harm do to a store."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, Final

from msgspec.structs import replace
from smas_emulator.gateway.calls import Outcome
from smas_emulator.gateway.principals import Anonymous, IamUser, Root, ServicePrincipal

from tests.emulator.cloudtrail.records.calls import ACCOUNT
from tests.fakes.audit import IDENTITY, STORE, FakeTrailFiles
from tests.infra.athena.calls import (
    BYTES,
    DENIED,
    DEPLOYER,
    FRAUD,
    KEY_ARN,
    MISSING,
    NOON,
    OUTSIDER,
    VERIFIER,
    assume,
    decryption,
    download,
    listing,
    on_object,
    persona,
    record,
)
from tests.infra.athena.hostile import hostile, odd

if TYPE_CHECKING:
    from smas_emulator.gateway.principals import Principal

MIDNIGHT: Final = datetime(2026, 11, 25, tzinfo=UTC)
SERVICE: Final = persona("smas-service", "service")
LOCAL: Final = IamUser(ACCOUNT, "AKIALOCAL", "smas-local", "AIDALOCAL")
ROOT: Final = Root(ACCOUNT, "AKIAROOT")
CLOUDTRAIL: Final = ServicePrincipal("cloudtrail.amazonaws.com")
OTHER_BYTES: Final = "b2" * 32


def publishing() -> list[dict[str, Any]]:
    """A version comes to be, with every kind of key that the store writes."""
    written = [
        f"cards/{FRAUD}.json",
        f"settings/{FRAUD}.json",
        f"releases/{FRAUD}.json",
        f"uploads/{FRAUD}/{BYTES}.json",
        f"manifests/{FRAUD}/9999999998.json",
        f"verdicts/{FRAUD}/9999999998.json",
        f"findings/{FRAUD}/{BYTES}/AaINUQuUTItnIltDfJrdGtpsmmnnNEKj.json",
        f"authors/{FRAUD}/1/ds-fraud.json",
        f"approvals/{FRAUD}/1/approver.json",
        f"moves/{FRAUD}/production/12/approver.json",
        f"tombstones/{FRAUD}/3.json",
        f"aliases/{FRAUD}/staging.json",
        f"protected/{FRAUD}/production.json",
        "requests/fraud/ds-fraud/0123.json",
    ]
    stored = Outcome(200, bytes_in=637, headers={"x-amz-server-side-encryption": "aws:kms"})
    return [
        on_object("PutObject", f"blobs/{FRAUD}/{BYTES}", presigned=True, outcome=stored),
        *(on_object("PutObject", key, outcome=stored) for key in written),
        *(on_object("GetObject", key, who=VERIFIER, outcome=Outcome(200, bytes_out=70)) for key in written),
        on_object("HeadObject", f"blobs/{FRAUD}/{BYTES}", who=VERIFIER),
        on_object("PutObjectTagging", f"blobs/{FRAUD}/{BYTES}", who=VERIFIER, query={"tagging": ""}),
        decryption(f"blobs/{FRAUD}/{BYTES}", who=VERIFIER),
    ]


def downloading() -> list[dict[str, Any]]:
    """People fetch files with all sorts of names; some of them may not."""
    paths = [
        "model.safetensors",
        "weights/part 1 of 2.bin",
        "größe/模型+100%.bin",
        "a;b=c,d&e?f#g.txt",
        "quote\"and'.txt",
        "🚀/x.json",
        "smas=x.json",
    ]
    return [
        *(download(path, who=DEPLOYER, size=1000 + at) for at, path in enumerate(paths)),
        download("other.bin", version=2, sha256=OTHER_BYTES, size=5_000_000_000),
        download("of-another-model.bin", model="nlp/tagger", who=OUTSIDER),
        on_object("GetObject", f"blobs/{FRAUD}/{BYTES}", outcome=Outcome(200, bytes_out=1000)),
        on_object("GetObject", f"blobs/{FRAUD}/{BYTES}", who=OUTSIDER, outcome=DENIED),
        on_object("GetObject", f"manifests/{FRAUD}/9999999990.json", outcome=MISSING),
        on_object(
            "PutObject",
            f"verdicts/{FRAUD}/9999999998.json",
            who=VERIFIER,
            outcome=Outcome(412, error_code="PreconditionFailed", bytes_in=173, bytes_out=260),
        ),
    ]


def lists() -> list[dict[str, Any]]:
    """Lists that reach into a model, and others."""
    prefixes = [None, "", "cards/", "cards/fraud/cre", f"manifests/{FRAUD}/", f"manifests/{FRAUD}"]
    return [
        *(listing(prefix) for prefix in prefixes),
        listing(f"blobs/{FRAUD}/", operation="ListObjectVersions"),
        listing(f"blobs/{FRAUD}/a1", who=OUTSIDER, outcome=DENIED),
        listing("fi\nndings/"),
        listing(f"cards/fraud/{'x' * 1013}"),
    ]


def others() -> list[dict[str, Any]]:
    """Sessions, keys, AWS itself, and those whom nobody knows."""
    tags = {"team": "fraud", "jti": "11111111-2222-3333-4444-555555555555"}
    return [
        assume("data-scientist", "ds-fraud", tags=tags, subject="subject-of-ds-fraud", who=SERVICE),
        assume("verifier-tagging", "verifier-tagging", subject="smas-verifier", who=persona("w", "worker")),
        assume("data-scientist", "mallory", who=LOCAL, outcome=DENIED),
        record("sts", "GetCallerIdentity", {}, who=SERVICE),
        record("cognito-idp", "InitiateAuth", {"AuthFlow": "USER_PASSWORD_AUTH"}, who=Anonymous()),
        record("kms", "GenerateDataKey", {"KeyId": KEY_ARN, "KeySpec": "AES_256"}, who=CLOUDTRAIL),
        on_object("PutObject", "AWSLogs/x.json.gz", bucket=IDENTITY.bucket, who=CLOUDTRAIL),
        record("ec2", "StopInstances", {}, outcome=Outcome(403, error_code="Client.UnauthorizedOperation")),
        record(
            "kms", "Decrypt", {"KeyId": KEY_ARN}, outcome=Outcome(400, error_code="AccessDeniedException")
        ),
        decryption("manifests/fraud/x/9999999991.json"),
        decryption("blobs/:::weird"),
        decryption("blobs/" + "x" * 1019),
        decryption(f"x:::{STORE.bucket}/blobs/{FRAUD}/{BYTES}"),
        decryption(f"x:::{STORE.bucket}-not/blobs/{FRAUD}/{BYTES}"),
        *(
            record("sqs", "ListQueues", {}, outcome=Outcome(400, error_code=code))
            for code in ("XAccessDenied", "UnauthorizedOperationX", "ThrottlingException")
        ),
    ]


def control_changes() -> list[dict[str, Any]]:
    """Changes to what guards the store, made or tried by its root, a user and a scientist."""
    policy = {"Bucket": STORE.bucket, "Policy": '{"Statement": []}'}
    lock = {"Bucket": STORE.bucket, "ObjectLockConfiguration": {"ObjectLockEnabled": "Enabled"}}
    return [
        record("cloudtrail", "StopLogging", {"Name": "smas"}, who=ROOT),
        record("kms", "ScheduleKeyDeletion", {"KeyId": KEY_ARN, "PendingWindowInDays": 7}, who=LOCAL),
        record("kms", "PutKeyPolicy", {"KeyId": KEY_ARN, "PolicyName": "default"}, outcome=DENIED),
        record("s3", "PutBucketPolicy", policy, who=LOCAL, query={"policy": ""}),
        record("s3", "PutObjectLockConfiguration", lock, who=ROOT, query={"object-lock": ""}),
        on_object(
            "DeleteObject",
            f"blobs/{FRAUD}/{BYTES}",
            headers={"x-amz-bypass-governance-retention": "true"},
            outcome=DENIED,
        ),
        record("logs", "DeleteLogGroup", {"logGroupName": "/smas/service"}, who=ROOT),
    ]


def elsewhere() -> list[dict[str, Any]]:
    """What is recorded in another region: IAM's calls, and a session that somebody opened there."""
    role = {"RoleName": "smas-data-scientist", "PolicyName": "more", "PolicyDocument": "{}"}
    return [
        record("iam", "PutRolePolicy", role, who=ROOT, region="us-east-1"),
        assume("compliance", "mallory", who=LOCAL, region="us-east-1", subject="mallory"),
    ]


def _who_is_who() -> list[dict[str, Any]]:
    callers: tuple[Principal, ...] = (SERVICE, LOCAL, ROOT, CLOUDTRAIL, Anonymous())
    return [on_object("GetObject", f"cards/{FRAUD}.json", who=who) for who in callers]


def around_midnight() -> list[dict[str, Any]]:
    """Events of both days at the seam between them."""
    seconds = (-3600, -2, -1, 0, 1, 3600)
    moments = [MIDNIGHT + timedelta(seconds=each) for each in seconds]
    return [
        event
        for at in moments
        for event in (download("x.bin", at=at), listing("cards/", who=OUTSIDER, outcome=DENIED, at=at))
    ]


def told() -> FakeTrailFiles:
    """The trail's files: some of them twice, some a day late, and those of another region beside them."""
    files = FakeTrailFiles()
    parts = (
        publishing(),
        downloading(),
        lists(),
        hostile(),
        others(),
        control_changes(),
        odd(),
        _who_is_who(),
    )
    for minutes, part in enumerate(parts):
        files.log(NOON + timedelta(minutes=5 + minutes), part)
    files.log(NOON + timedelta(minutes=20), [*publishing(), *parts[0], *parts[1]])
    seam = around_midnight()
    files.log(MIDNIGHT - timedelta(minutes=1), seam[:4])
    files.log(MIDNIGHT + timedelta(minutes=5), seam)
    files.log(MIDNIGHT + timedelta(minutes=6), parts[2])
    files.log(MIDNIGHT + timedelta(hours=2), seam[6:])
    beside = FakeTrailFiles(trail=replace(IDENTITY, region="us-east-1"), bodies=files.bodies)
    beside.log(NOON + timedelta(minutes=5), elsewhere(), unique="elsewhere")
    return files
