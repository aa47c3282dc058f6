"""A trail in memory whose digests are signed, by AWS's description of them and nothing of the service's.

https://docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-log-file-custom-validation.html
"""

from __future__ import annotations

import gzip
import hashlib
import json
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa

from service.audit.integrity.checking import Integrity, check_integrity
from tests.fakes.audit import FakePublicKeys, FakeTrailFiles

NOON = datetime(2026, 1, 31, 12, tzinfo=UTC)
MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)


@dataclass(frozen=True)
class Signer:
    """A pair of keys."""

    private: rsa.RSAPrivateKey

    @classmethod
    def new(cls) -> Signer:
        """A pair that nobody else has."""
        return cls(rsa.generate_private_key(public_exponent=65537, key_size=2048))

    @property
    def public(self) -> bytes:
        """PKCS #1 in DER."""
        kinds = serialization.Encoding.DER, serialization.PublicFormat.PKCS1
        return self.private.public_key().public_bytes(*kinds)

    @property
    def fingerprint(self) -> str:
        """What digests name the key by."""
        return hashlib.sha256(self.public).hexdigest()[:32]

    def sign(self, text: str) -> str:
        """SHA256withRSA, hexadecimal."""
        return self.private.sign(text.encode(), padding.PKCS1v15(), hashes.SHA256()).hex()


AWS, MALLORY = Signer.new(), Signer.new()


@dataclass
class SignedTrail:
    """Delivers log files and digests; ``now`` is where its time has come to."""

    files: FakeTrailFiles = field(default_factory=FakeTrailFiles)
    keys: FakePublicKeys = field(default_factory=lambda: FakePublicKeys({AWS.fingerprint: AWS.public}))
    now: datetime = NOON
    logs: list[str] = field(default_factory=list)
    digests: list[str] = field(default_factory=list)
    backfills: list[str] = field(default_factory=list)
    _since: datetime = NOON
    _listed: list[str] = field(default_factory=list)
    _chained: bool = False

    def deliver(self, minutes: int = 1) -> str:
        """A log file, some minutes later; answers its key."""
        self.now += timedelta(minutes=minutes)
        key = self.files.log(self.now, [{"eventID": f"event-{len(self.logs)}", "eventName": "GetObject"}])
        self.logs.append(key)
        self._listed.append(key)
        return key

    def hour(self, logs: int = 2) -> str:
        """An hour with so many log files, and its digest; answers the digest's key."""
        end = self._since + HOUR
        for _ in range(logs):
            self.deliver()
        self.now = end
        return self.digest()

    def digest(self) -> str:
        """A digest of what was delivered since the last; answers its key."""
        previous = self.digests[-1] if self._chained else None
        key = self._write(self._since, self.now, self._listed, previous)
        self._since, self._listed, self._chained = self.now, [], True
        self.digests.append(key)
        return key

    def hours(self, *logs: int) -> SignedTrail:
        """An hour for each of ``logs``."""
        for number in logs:
            self.hour(number)
        return self

    def off(self, time: timedelta) -> SignedTrail:
        """Nothing is recorded for some time; then a new chain begins."""
        self.now += time
        self._since, self._chained = self.now, False
        return self

    def late(self, hour_end: datetime, made: datetime) -> str:
        """A log file of an hour that is over, listed by a backfill digest; answers the log file's key."""
        log = self.files.log(hour_end - 30 * MINUTE, [{"eventID": "late"}])
        before = self.backfills[-1] if self.backfills else None
        key = self._write(hour_end - HOUR, hour_end, [log], before, "_backfill")
        self.files.attached[key]["backfill-generation-timestamp"] = f"{made:%Y-%m-%dT%H:%M:%SZ}"
        self.backfills.append(key)
        return log

    def resign(self, key: str, signer: Signer, fingerprint: str | None = None, **changed: Any) -> None:
        """Change a digest and sign it anew."""
        document = {**self.document(key), "digestPublicKeyFingerprint": fingerprint or signer.fingerprint}
        self._put(key, {**document, **changed}, signer)

    def document(self, key: str) -> dict[str, Any]:
        """What a digest says."""
        return dict(json.loads(gzip.decompress(self.files.bodies[key])))

    def check(
        self,
        start: datetime = NOON,
        end: datetime | None = None,
        *,
        now: datetime | None = None,
        files_in_time: int = 1_000_000,
        most: int = 250,
    ) -> Integrity:
        """The check of a range, by default of all there is; time is up after so many questions for it."""
        asked = iter(range(files_in_time))
        return check_integrity(
            self.files,
            self.keys,
            start,
            end or self.now,
            now=now or self.now,
            out_of_time=lambda: next(asked, None) is None,
            most_digests=most,
        )

    def _write(
        self, start: datetime, end: datetime, logs: list[str], previous: str | None, suffix: str = ""
    ) -> str:
        trail = self.files.trail
        key = (
            f"{trail.prefix}AWSLogs/{trail.account}/CloudTrail-Digest/{trail.region}/{end:%Y/%m/%d}/"
            f"{trail.account}_CloudTrail-Digest_{trail.region}_{trail.name}_{trail.home_region}_"
            f"{end:%Y%m%dT%H%M%SZ}{suffix}.json.gz"
        )
        before = gzip.decompress(self.files.bodies[previous]) if previous else None
        document = {
            "awsAccountId": trail.account,
            "digestStartTime": f"{start:%Y-%m-%dT%H:%M:%SZ}",
            "digestEndTime": f"{end:%Y-%m-%dT%H:%M:%SZ}",
            "digestS3Bucket": trail.bucket,
            "digestS3Object": key,
            "digestPublicKeyFingerprint": AWS.fingerprint,
            "digestSignatureAlgorithm": "SHA256withRSA",
            "newestEventTime": None,
            "oldestEventTime": None,
            "previousDigestS3Bucket": trail.bucket if previous else None,
            "previousDigestS3Object": previous,
            "previousDigestHashValue": hashlib.sha256(before).hexdigest() if before else None,
            "previousDigestHashAlgorithm": "SHA-256" if previous else None,
            "previousDigestSignature": self.files.attached[previous]["signature"] if previous else None,
            "logFiles": [
                {
                    "s3Bucket": trail.bucket,
                    "s3Object": log,
                    "hashValue": hashlib.sha256(gzip.decompress(self.files.bodies[log])).hexdigest(),
                    "hashAlgorithm": "SHA-256",
                }
                for log in logs
            ],
        }
        self._put(key, document, AWS)
        return key

    def _put(self, key: str, document: dict[str, Any], signer: Signer) -> None:
        text = json.dumps(document).encode()
        signed = "\n".join(
            [
                document["digestEndTime"],
                f"{document['digestS3Bucket']}/{document['digestS3Object']}",
                hashlib.sha256(text).hexdigest(),
                document["previousDigestSignature"] or "null",
            ]
        )
        self.files.bodies[key] = gzip.compress(text, mtime=0)
        self.files.attached[key] = {
            "signature": signer.sign(signed),
            "signature-algorithm": "SHA256withRSA",
        }


def named(found: Integrity) -> list[tuple[str, str | None]]:
    """Kind and file of each problem."""
    return [(problem.kind.value, problem.file) for problem in found.problems]


def noted(found: Integrity) -> list[tuple[str, str | None]]:
    """Kind and file of each note."""
    return [(note.kind.value, note.file) for note in found.notes]
