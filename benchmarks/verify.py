"""From the last byte of a 1 GiB upload to `available`.

That is complete, publish, and the verifier reading it all. The clock starts when storage has answered the
last part. Beside it, in the same run, the same bytes are read through plain boto3 on one connection and
hashed, as `sha256sum` would: whoever verifies must do that much.
"""

from __future__ import annotations

import os
import time
from concurrent.futures import ThreadPoolExecutor
from hashlib import sha256
from typing import TYPE_CHECKING, Any

from benchmarks.client import Caller, put, wait_until_available
from benchmarks.figures import Figure, Report, columns
from benchmarks.stack import BenchmarkError, Stack, running_stack
from service.domain.names import ModelId
from service.registry import keys

if TYPE_CHECKING:
    from collections.abc import Iterator

    from mypy_boto3_s3 import S3Client

    from benchmarks.progress import Say

TITLE = "From the last byte of a 1 GiB upload to `available`"
MODEL = ModelId("fraud", "measured-verify")
SIZE = 1 << 30
_BLOCK = 32 * 1024 * 1024
_CONNECTIONS = 4
_CHUNK = 1 << 20
# Asking more often would take a good part of a core from the local AWS, which is busy handing out the bytes.
_POLL_SECONDS = 0.2


def measure(runs: int, say: Say) -> Report:
    """Seconds of each stage, and the ratio of the whole to reading and hashing."""
    with running_stack() as stack:
        caller = Caller(stack.port, stack.token("ds-fraud"))
        s3 = stack.s3()
        measured = []
        for run in range(runs):
            seconds = _one(stack, caller, s3)
            measured.append(seconds)
            say(f"run {run + 1}: {seconds[3]:.2f} s, read and hashed by boto3 in {seconds[4]:.2f} s")
    complete, publish, verdict, whole, plain, ratio = columns(measured)
    figures = (
        Figure("complete", "s", complete),
        Figure("publish", "s", publish),
        Figure("until available", "s", verdict),
        Figure("last byte to available", "s", whole),
        Figure("boto3 reads and hashes the same bytes", "s", plain),
        Figure("last byte to available / boto3", "×", ratio),
    )
    return Report("verify", TITLE, figures)


def _one(stack: Stack, caller: Caller, s3: S3Client) -> tuple[float, ...]:
    """One upload of bytes nobody has seen; removed from the bucket again afterwards."""
    block, seed = os.urandom(_BLOCK), os.urandom(16)
    digest = _digest_of(_parts(block, seed))
    opened, parts = _upload(caller, digest, block, seed)
    begun = time.perf_counter()
    where = f"/v1/models/{MODEL}/uploads/{digest}/complete"
    caller.ask(where, {"upload_id": opened["upload_id"], "parts": parts})
    completed = time.perf_counter()
    draft = {"files": [{"path": "weights.bin", "sha256": digest, "size": SIZE}]}
    version = caller.ask(f"/v1/models/{MODEL}/versions", draft, 201)
    published = time.perf_counter()
    wait_until_available(caller, str(MODEL), version["version"], _POLL_SECONDS)
    available = time.perf_counter()

    pinned = version["files"][0]["s3_version_id"]
    key = keys.blob(MODEL, digest)
    body = s3.get_object(Bucket=stack.bucket, Key=key, VersionId=pinned)["Body"]
    if _digest_of(body.iter_chunks(_CHUNK)) != digest:
        raise BenchmarkError("the bytes read are not those that were sent")
    plain = time.perf_counter() - available
    s3.delete_object(Bucket=stack.bucket, Key=key, VersionId=pinned)
    whole = available - begun
    return completed - begun, published - completed, available - published, whole, plain, whole / plain


def _upload(
    caller: Caller, digest: str, block: bytes, seed: bytes
) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """Send all parts; answers the upload and what to complete it with."""
    wanted = {"files": [{"sha256": digest, "size": SIZE}]}
    (opened,) = caller.ask(f"/v1/models/{MODEL}/uploads", wanted)["files"]
    numbers = list(range(1, opened["part_count"] + 1))
    if opened["part_size"] != _BLOCK:
        raise BenchmarkError("the store cuts 1 GiB into other parts than this benchmark sends")
    ask = {"upload_id": opened["upload_id"], "numbers": numbers}
    targets = caller.ask(f"/v1/models/{MODEL}/uploads/{digest}/parts", ask)["parts"]
    with ThreadPoolExecutor(_CONNECTIONS) as threads:
        etags = threads.map(
            lambda target, body: put(target["url"], body, target["headers"]), targets, _parts(block, seed)
        )
        return opened, [{"number": number, "etag": etag} for number, etag in zip(numbers, etags, strict=True)]


def _parts(block: bytes, seed: bytes) -> Iterator[bytes]:
    """1 GiB in blocks: random bytes that no run and no block shares with another."""
    for number in range(SIZE // _BLOCK):
        head = seed + number.to_bytes(8, "big")
        yield head + block[len(head) :]


def _digest_of(chunks: Iterator[bytes]) -> str:
    digest = sha256()
    for chunk in chunks:
        digest.update(chunk)
    return digest.hexdigest()
