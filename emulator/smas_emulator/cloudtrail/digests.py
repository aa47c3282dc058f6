"""Digest files: signed lists of log files, each naming and signing for the one before.

https://docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-log-file-validation-digest-file-structure.html
"""

from __future__ import annotations

import gzip
import hashlib
import json
import threading
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from smas_emulator.cloudtrail.log_files import LogFile
    from smas_emulator.cloudtrail.trails import Trail

ALGORITHM = "SHA256withRSA"
_KEY_BITS = 2048
# A key is given out as valid from before its first use, so that no clock makes it too young.
_EARLIER = timedelta(hours=1)
_VALID = timedelta(days=365)


@dataclass(frozen=True, slots=True)
class Digest:
    """A digest file to be delivered; `signature` is hexadecimal."""

    bucket: str
    key: str
    text: bytes
    signature: str
    start: datetime
    end: datetime

    @property
    def body(self) -> bytes:
        """The file itself."""
        return gzip.compress(self.text, mtime=0)

    @property
    def metadata(self) -> dict[str, str]:
        """What S3 keeps beside it: the signature."""
        return {"signature": self.signature, "signature-algorithm": ALGORITHM}


@dataclass(frozen=True, slots=True)
class _SigningKey:
    key: rsa.RSAPrivateKey
    since: datetime

    @property
    def public(self) -> bytes:
        """PKCS#1, as ListPublicKeys gives it out."""
        return self.key.public_key().public_bytes(
            serialization.Encoding.DER, serialization.PublicFormat.PKCS1
        )

    @property
    def pem(self) -> bytes:
        return self.key.public_key().public_bytes(
            serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
        )

    @property
    def fingerprint(self) -> str:
        return hashlib.sha256(self.public).hexdigest()[:32]


class SigningKeys:
    """A pair of keys for each region, made when first needed; the private halves never leave this process.

    `made` is told of each: its fingerprint, and its public half as PEM.
    """

    def __init__(
        self, now: Callable[[], datetime], made: Callable[[str, bytes], None] = lambda *_: None
    ) -> None:
        self._now = now
        self._made = made
        self._lock = threading.Lock()
        self._keys: dict[str, _SigningKey] = {}

    def listed(self, region: str, since: datetime | None, until: datetime | None) -> list[dict[str, Any]]:
        """The public keys that were valid at any time between two others, as ListPublicKeys shows them."""
        key = self.of(region)
        first, last = key.since - _EARLIER, key.since + _VALID
        if (until is not None and first > until) or (since is not None and last < since):
            return []
        return [
            {
                "Value": key.public,
                "ValidityStartTime": first,
                "ValidityEndTime": last,
                "Fingerprint": key.fingerprint,
            }
        ]

    def of(self, region: str) -> _SigningKey:
        """The pair of a region."""
        with self._lock:
            if region not in self._keys:
                key = rsa.generate_private_key(public_exponent=65537, key_size=_KEY_BITS)
                signing = _SigningKey(key, self._now())
                self._made(signing.fingerprint, signing.pem)
                self._keys[region] = signing
            return self._keys[region]


@dataclass(frozen=True, slots=True)
class Chain:
    """Where the digests of one trail in one region have come to; a new one begins with no `previous`."""

    trail: Trail
    region: str
    start: datetime
    previous: Digest | None = None

    def extended(self, digest: Digest) -> Chain:
        """The chain with one more."""
        return replace(self, start=digest.end, previous=digest)


def sign_digest(chain: Chain, logs: Sequence[LogFile], end: datetime, keys: SigningKeys) -> Digest:
    """The next digest of a chain: of the log files delivered since the last, up to `end` (whole seconds).

    The signature is over the end, the place, the digest of the digest and the signature before
    (https://docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-log-file-custom-validation.html).
    """
    trail, previous, signing = chain.trail, chain.previous, keys.of(chain.region)
    key = digest_key(trail, chain.region, end)
    document = {
        "awsAccountId": trail.account,
        "digestStartTime": written(chain.start),
        "digestEndTime": written(end),
        "digestS3Bucket": trail.bucket,
        "digestS3Object": key,
        "digestPublicKeyFingerprint": signing.fingerprint,
        "digestSignatureAlgorithm": ALGORITHM,
        "newestEventTime": max((log.newest for log in logs), default=None),
        "oldestEventTime": min((log.oldest for log in logs), default=None),
        "previousDigestS3Bucket": previous.bucket if previous else None,
        "previousDigestS3Object": previous.key if previous else None,
        "previousDigestHashValue": hashlib.sha256(previous.text).hexdigest() if previous else None,
        "previousDigestHashAlgorithm": "SHA-256" if previous else None,
        "previousDigestSignature": previous.signature if previous else None,
        "logFiles": [
            {
                "s3Bucket": log.bucket,
                "s3Object": log.key,
                "hashValue": log.sha256,
                "hashAlgorithm": "SHA-256",
                "newestEventTime": log.newest,
                "oldestEventTime": log.oldest,
            }
            for log in logs
        ],
    }
    text = json.dumps(document, separators=(",", ":")).encode()
    signed = "\n".join(
        [
            written(end),
            f"{trail.bucket}/{key}",
            hashlib.sha256(text).hexdigest(),
            previous.signature if previous else "null",
        ]
    )
    signature = signing.key.sign(signed.encode(), padding.PKCS1v15(), hashes.SHA256()).hex()
    return Digest(trail.bucket, key, text, signature, chain.start, end)


def digest_key(trail: Trail, region: str, end: datetime) -> str:
    """The key of the digest that ends then."""
    end = end.astimezone(UTC)
    name = f"{trail.account}_CloudTrail-Digest_{region}_{trail.name}_{trail.home_region}_{end:%Y%m%dT%H%M%SZ}"
    return f"{trail.folder}CloudTrail-Digest/{region}/{end:%Y/%m/%d}/{name}.json.gz"


def written(time: datetime) -> str:
    """A time as CloudTrail writes it: UTC, whole seconds."""
    return f"{time.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}"
