"""URLs for 1,000 parts of one upload, inside the service and as a request, against boto3.

Without a network: the record of the open upload is in memory, and the session is as long as AWS makes them
(its token goes into every URL). As a request, it is one answer with a thousand URLs.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from typing import TYPE_CHECKING, cast

import boto3
from botocore.config import Config
from botocore.credentials import ReadOnlyCredentials

from benchmarks.client import Caller
from benchmarks.figures import Figure, Report, columns
from benchmarks.stack import running_stack
from service.aws.personas import PersonaSession
from service.aws.presign import Presigner
from service.aws.s3_blobs import S3BlobStore
from service.domain.access import Grant, Principal, Role
from service.domain.names import ModelId
from service.domain.parts import plan_parts
from service.domain.times import written
from service.ports import Record, Workspace
from service.registry import keys, uploads
from service.registry.records import encode

if TYPE_CHECKING:
    from collections.abc import Callable

    from mypy_boto3_s3 import S3Client

    from benchmarks.progress import Say
    from service.aws.s3_objects import Bucket
    from service.ports import ObjectStore

TITLE = "Presigned URLs for 1,000 parts of one upload"
TARGET_MS = 50.0
PARTS = 1_000
BUCKET, REGION = "measured-bucket", "us-east-1"
MODEL = ModelId("fraud", "measured-presign")
DIGEST = sha256(b"never sent").hexdigest()
SIZE = PARTS * 32 * 1024 * 1024
# As long as the upload ids and session tokens of AWS.
UPLOAD_ID = "u" * 128
SESSION_TOKEN = "IQoJb3JpZ2lu/+" * 72
_URL_SECONDS = 900


def measure(runs: int, say: Say) -> Report:
    """Milliseconds for all 1,000, three ways, and the ratio of the first to the last."""
    session = ReadOnlyCredentials("ASIAMEASUREDMEASURED", "measured" * 5, SESSION_TOKEN, None)
    workspace = _workspace(PersonaSession(session, datetime.now(UTC) + timedelta(hours=1)))
    client = _boto3_client(session)
    numbers = list(range(1, PARTS + 1))
    measured = []
    with running_stack() as stack:
        caller = Caller(stack.port, stack.token("ds-fraud"))
        wanted = {"files": [{"sha256": DIGEST, "size": SIZE}]}
        (opened,) = caller.ask(f"/v1/models/{MODEL}/uploads", wanted)["files"]
        body = {"upload_id": opened["upload_id"], "numbers": numbers}
        ways: tuple[Callable[[], object], ...] = (
            lambda: uploads.part_tickets(workspace, MODEL, DIGEST, UPLOAD_ID, numbers),
            lambda: caller.ask(f"/v1/models/{MODEL}/uploads/{DIGEST}/parts", body),
            lambda: _by_boto3(client, numbers),
        )
        for run in range(runs + 1):
            times = [_milliseconds(way) for way in ways]
            if run:  # the first one warms up
                measured.append((*times, times[0] / times[2]))
                say(f"run {run}: {times[0]:.1f} ms, as a request {times[1]:.1f}, by boto3 {times[2]:.1f}")
    inside, request, by_boto3, ratio = columns(measured)
    figures = (
        Figure("uploads.part_tickets", "ms", inside, TARGET_MS),
        Figure("POST …/parts, whole request", "ms", request),
        Figure("boto3 generate_presigned_url", "ms", by_boto3),
        Figure("part_tickets / boto3", "×", ratio),
    )
    return Report("presign", TITLE, figures)


@dataclass(frozen=True, slots=True)
class _OneRecord:
    """A store that holds the record of the open upload and nothing else."""

    body: bytes

    def get(self, key: str) -> Record:
        return Record(key, self.body, '"etag"', "null", datetime.now(UTC))


def _workspace(session: PersonaSession) -> Workspace:
    opened = uploads.OpenUpload(
        sha256=DIGEST,
        size=SIZE,
        upload_id=UPLOAD_ID,
        part_size=plan_parts(SIZE).part_size,
        created_at=written(datetime.now(UTC)),
        created_by="ds-fraud",
    )
    presigner = Presigner(f"https://{BUCKET}.s3.{REGION}.amazonaws.com", REGION)
    # Presigning asks nobody, so there is no bucket behind it.
    blobs = S3BlobStore(cast("Bucket", None), session, presigner, _URL_SECONDS)
    principal = Principal("sub", "ds-fraud", "people", "jti", session.expires_at)
    objects = cast("ObjectStore", _OneRecord(encode(opened)))
    return Workspace(principal, Grant(Role.DATA_SCIENTIST, MODEL.team), objects, blobs)


def _boto3_client(session: ReadOnlyCredentials) -> S3Client:
    return boto3.client(
        "s3",
        region_name=REGION,
        aws_access_key_id=session.access_key,
        aws_secret_access_key=session.secret_key,
        aws_session_token=session.token,
        config=Config(signature_version="s3v4"),
    )


def _by_boto3(client: S3Client, numbers: list[int]) -> list[str]:
    key = keys.blob(MODEL, DIGEST)
    return [
        client.generate_presigned_url(
            "upload_part",
            Params={"Bucket": BUCKET, "Key": key, "UploadId": UPLOAD_ID, "PartNumber": number},
            ExpiresIn=_URL_SECONDS,
        )
        for number in numbers
    ]


def _milliseconds(way: Callable[[], object]) -> float:
    begun = time.perf_counter()
    way()
    return (time.perf_counter() - begun) * 1000
