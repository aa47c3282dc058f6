"""A copy of everything that is delivered, in a folder: the emulator's own buckets are gone after a stop."""

from __future__ import annotations

import json
import os
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from smas_emulator.cloudtrail.ports import TrailBuckets

METADATA_SUFFIX = ".metadata.json"
PUBLIC_KEYS = "public-keys"


class ArchivedBuckets:
    """Implements `TrailBuckets` over another, and writes each file to `<folder>/<bucket>/<key>` as well.

    Its metadata, which holds a digest's signature, lies beside it in `<key>.metadata.json`.
    """

    def __init__(self, buckets: TrailBuckets, folder: Path) -> None:
        self._buckets = buckets
        self._folder = folder

    def exists(self, bucket: str) -> bool:
        """See `TrailBuckets`."""
        return self._buckets.exists(bucket)

    def allows(self, bucket: str, key: str, trail_arn: str) -> bool:
        """See `TrailBuckets`."""
        return self._buckets.allows(bucket, key, trail_arn)

    def put(
        self, bucket: str, key: str, body: bytes, metadata: Mapping[str, str], kms_key: str | None
    ) -> None:
        """See `TrailBuckets`."""
        self._buckets.put(bucket, key, body, metadata, kms_key)
        # A failure here is one of the delivery, which is tried again: the same file twice is one file.
        path = self._folder.joinpath(_safe(bucket), *map(_safe, key.split("/")))
        path.parent.mkdir(parents=True, exist_ok=True)
        if metadata:
            text = json.dumps(dict(metadata), indent=2) + "\n"
            _write(path.with_name(path.name + METADATA_SUFFIX), text.encode())
        _write(path, body)


def archive_public_key(folder: Path, fingerprint: str, pem: bytes) -> None:
    """Keep the public half of a signing key, for whoever wants to verify the archive's digests."""
    keys = folder / PUBLIC_KEYS
    keys.mkdir(parents=True, exist_ok=True)
    _write(keys / f"{fingerprint}.pem", pem)


def _safe(part: str) -> str:
    """A part of a key as the name of a file or folder: none leads out of the archive."""
    return part.replace(".", "%2E") if part in {".", ".."} else part or "%"


def _write(path: Path, body: bytes) -> None:
    """Write a file whole or not at all."""
    descriptor, temporary = tempfile.mkstemp(dir=path.parent, prefix=".")
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(body)
        Path(temporary).replace(path)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise
