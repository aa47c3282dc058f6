"""Digest files: what they are called, what they say, and whether CloudTrail signed them.

https://docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-log-file-validation-digest-file-structure.html
https://docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-log-file-custom-validation.html
"""

from __future__ import annotations

import binascii
import hashlib
import re
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final

import msgspec
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.hazmat.primitives.serialization import load_der_public_key

from service.audit.integrity.unpacking import NoGzip, text_of

if TYPE_CHECKING:
    from service.audit.ports import TrailIdentity

_NAME: Final = re.compile(r"(?P<end>[0-9]{8}T[0-9]{6})Z(?P<backfill>_backfill)?\.json\.gz", re.ASCII)


class UnreadableDigest(Exception):
    """No gzip, no JSON, or not a digest's fields."""


class DigestName(msgspec.Struct, frozen=True, order=True):
    """Where a digest is: when its time ends (the key says so), and its key.

    A backfill digest lists log files that the digest of their hour left out because they were late.
    """

    end: datetime
    key: str
    backfill: bool = False


class ListedLog(msgspec.Struct, frozen=True, rename="camel"):
    """A log file as a digest lists it; the hash (SHA-256, hexadecimal) is over its text."""

    s3_bucket: str
    s3_object: str
    hash_value: str


class Digest(msgspec.Struct, frozen=True, rename="camel"):
    """What is read of a digest. ``previous_digest_signature`` is null where a chain begins."""

    digest_start_time: datetime
    digest_end_time: str
    digest_s3_bucket: str
    digest_s3_object: str
    fingerprint: str = msgspec.field(name="digestPublicKeyFingerprint")
    previous_digest_signature: str | None
    log_files: tuple[ListedLog, ...]
    previous_bucket: str | None = msgspec.field(default=None, name="previousDigestS3Bucket")
    previous_key: str | None = msgspec.field(default=None, name="previousDigestS3Object")
    previous_sha256: str | None = msgspec.field(default=None, name="previousDigestHashValue")

    @property
    def start(self) -> datetime:
        """Since when log files are listed in it."""
        return _utc(self.digest_start_time)

    @property
    def end(self) -> datetime:
        """Until when. Raises ``ValueError`` in a digest that nobody signed."""
        return _utc(datetime.fromisoformat(self.digest_end_time))


_DIGESTS: Final = msgspec.json.Decoder(Digest)


def stem(identity: TrailIdentity, day: datetime) -> str:
    """What the keys of a day's digests begin with."""
    account, region = identity.account, identity.region
    # Not strftime for the year: it writes those before 1000 with fewer than four digits.
    return (
        f"{identity.prefix}AWSLogs/{account}/CloudTrail-Digest/{region}/{day.year:04}/{day:%m/%d}/"
        f"{account}_CloudTrail-Digest_{region}_{identity.name}_{identity.home_region}_"
    )


def named(identity: TrailIdentity, key: str) -> DigestName | None:
    """The digest of that key, None if no digest of this trail in this region has it."""
    match = _NAME.fullmatch(key.rpartition("_" + identity.home_region + "_")[2])
    if match is None:
        return None
    try:
        end = datetime.strptime(match["end"], "%Y%m%dT%H%M%S").replace(tzinfo=UTC)
    except ValueError:
        return None
    if key != f"{stem(identity, end)}{match[0]}":
        return None
    return DigestName(end, key, backfill=match["backfill"] is not None)


def unpacked(data: bytes) -> bytes:
    """The JSON of a digest as it is stored. Raises ``UnreadableDigest``."""
    try:
        return text_of(data)
    except NoGzip as error:
        raise UnreadableDigest from error


def parsed(text: bytes) -> Digest:
    """What a digest says, whoever wrote it. Raises ``UnreadableDigest``."""
    try:
        digest = _DIGESTS.decode(text)
        digest.end  # noqa: B018  # a time must be one
    except (msgspec.DecodeError, ValueError, RecursionError, OverflowError) as error:
        raise UnreadableDigest from error
    return digest


def is_signed(digest: Digest, text: bytes, signature: str, key: bytes) -> bool:
    """Whether ``signature`` (hexadecimal) is over this digest, by the holder of ``key`` (PKCS #1 in DER).

    Signed are the end, the place, the hash of the text, and the signature before.
    """
    signed = "\n".join(
        [
            digest.digest_end_time,
            f"{digest.digest_s3_bucket}/{digest.digest_s3_object}",
            hashlib.sha256(text).hexdigest(),
            "null" if digest.previous_digest_signature is None else digest.previous_digest_signature,
        ]
    )
    try:
        public = load_der_public_key(key)
        if not isinstance(public, RSAPublicKey):
            return False
        public.verify(binascii.unhexlify(signature), signed.encode(), padding.PKCS1v15(), hashes.SHA256())
    except (InvalidSignature, ValueError):
        return False
    return True


def _utc(moment: datetime) -> datetime:
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
