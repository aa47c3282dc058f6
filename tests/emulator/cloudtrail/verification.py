"""Says whether digests and log files are sound, by AWS's description and nothing of ours.

https://docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-log-file-custom-validation.html
"""

from __future__ import annotations

import gzip
import hashlib
import json
from typing import TYPE_CHECKING, Any

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.hazmat.primitives.serialization import load_der_public_key

if TYPE_CHECKING:
    from tests.emulator.cloudtrail.account import Account

# What stands before a key in PKCS#1, so that it becomes a SubjectPublicKeyInfo: RFC 8017, appendix A.1.
_RSA = bytes.fromhex("300d06092a864886f70d0101010500")


def verify(account: Account, bucket: str, key: str, region: str) -> dict[str, Any]:
    """The digest, once its signature, its place and its log files were found to be right."""
    text = gzip.decompress(account.buckets.files[bucket, key])
    metadata, digest = account.buckets.metadata[bucket, key], dict(json.loads(text))
    assert metadata.keys() == {"signature", "signature-algorithm"}
    assert metadata["signature-algorithm"] == digest["digestSignatureAlgorithm"] == "SHA256withRSA"
    assert (digest["digestS3Bucket"], digest["digestS3Object"]) == (bucket, key)
    signed = "\n".join(
        [
            digest["digestEndTime"],
            f"{bucket}/{key}",
            hashlib.sha256(text).hexdigest(),
            digest["previousDigestSignature"] or "null",
        ]
    )
    public_key(account, region, digest["digestPublicKeyFingerprint"]).verify(
        bytes.fromhex(metadata["signature"]), signed.encode(), padding.PKCS1v15(), hashes.SHA256()
    )
    for log in digest["logFiles"]:
        body = gzip.decompress(account.buckets.files[log["s3Bucket"], log["s3Object"]])
        times = [event["eventTime"] for event in json.loads(body)["Records"]]
        assert (log["hashAlgorithm"], log["hashValue"]) == ("SHA-256", hashlib.sha256(body).hexdigest())
        assert (log["oldestEventTime"], log["newestEventTime"]) == (min(times), max(times))
    for newest, end in (("newestEventTime", max), ("oldestEventTime", min)):
        assert digest[newest] == end((log[newest] for log in digest["logFiles"]), default=None)
    return digest


def verify_chain(account: Account, bucket: str, key: str, region: str = "us-east-1") -> list[dict[str, Any]]:
    """A digest and all before it in its chain, newest first; each begins when the one before ended."""
    digest = verify(account, bucket, key, region)
    if digest["previousDigestS3Object"] is None:
        previous = ("S3Bucket", "HashValue", "HashAlgorithm", "Signature")
        assert {digest[f"previousDigest{member}"] for member in previous} == {None}
        return [digest]
    place = digest["previousDigestS3Bucket"], digest["previousDigestS3Object"]
    earlier = verify_chain(account, *place, region)
    text = gzip.decompress(account.buckets.files[place])
    assert digest["previousDigestHashAlgorithm"] == "SHA-256"
    assert digest["previousDigestHashValue"] == hashlib.sha256(text).hexdigest()
    assert digest["previousDigestSignature"] == account.buckets.metadata[place]["signature"]
    assert digest["digestStartTime"] == earlier[0]["digestEndTime"] < digest["digestEndTime"]
    return [digest, *earlier]


def public_key(account: Account, region: str, fingerprint: str) -> RSAPublicKey:
    """A key that ListPublicKeys gives out."""
    listed = account.call("ListPublicKeys", region=region)["PublicKeyList"]
    [der] = [key["Value"] for key in listed if key["Fingerprint"] == fingerprint]
    bits = b"\x00" + der
    wrapped = _RSA + b"\x03\x82" + len(bits).to_bytes(2, "big") + bits
    key = load_der_public_key(b"\x30\x82" + len(wrapped).to_bytes(2, "big") + wrapped)
    assert isinstance(key, RSAPublicKey)
    return key
