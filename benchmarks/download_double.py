"""An AWS with one published version, answering at once and checking nothing: key set, AssumeRole, reads.

What is measured against it is what happens in the function, not what S3 and the network take.
"""

from __future__ import annotations

import threading
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from hashlib import sha256
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import parse_qs, unquote, urlsplit

import jwt
import msgspec
from cryptography.hazmat.primitives.asymmetric import rsa
from jwt.algorithms import RSAAlgorithm
from msgspec.structs import replace

from service.domain.files import StoredFile
from service.domain.names import ModelId
from service.domain.versions import Manifest, Verdict, VersionState, revision_of
from service.registry import keys
from service.registry.records import encode

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

MODEL: Final = ModelId("fraud", "credit-risk")
PATH: Final = f"/v1/models/{MODEL}/versions/1/downloads"
BLOB: Final = keys.blob(MODEL, sha256(b"weights").hexdigest())
_NOW: Final = "2026-01-01T00:00:00Z"
_KEY_ID: Final = "benchmark"
_SESSION: Final = """\
<AssumeRoleResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><AssumeRoleResult><Credentials>\
<AccessKeyId>ASIANONE</AccessKeyId><SecretAccessKey>none</SecretAccessKey><SessionToken>{token}</SessionToken>\
<Expiration>{until:%Y-%m-%dT%H:%M:%SZ}</Expiration></Credentials></AssumeRoleResult></AssumeRoleResponse>"""


@dataclass
class DownloadDouble:
    """Its address, a caller's token, and the reads it was asked for: ``GET key`` and ``LIST prefix``."""

    address: str
    token: str
    reads: list[str] = field(default_factory=list)


@contextmanager
def download_double(issuer: str, client_id: str, bucket: str) -> Iterator[DownloadDouble]:
    """Run it on a port of its own, in a thread of this process."""
    private = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    entry = RSAAlgorithm.to_jwk(private.public_key(), as_dict=True)
    key_set = msgspec.json.encode({"keys": [{**entry, "kid": _KEY_ID, "use": "sig", "alg": "RS256"}]})
    double = DownloadDouble("", _token(private, issuer, client_id))
    server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(double, key_set, bucket, _records()))
    server.daemon_threads = True
    double.address = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, args=[0.05])
    thread.start()
    try:
        yield double
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def _records() -> Mapping[str, bytes]:
    file = StoredFile("model.bin", BLOB.rpartition("/")[2], 7, "version")
    draft = Manifest(str(MODEL), 1, _NOW, "ds-fraud", "sub-of-ds-fraud", "", {}, (file,), "")
    manifest = replace(draft, revision=revision_of(draft))
    verdict = Verdict(1, manifest.revision, VersionState.AVAILABLE, None, _NOW)
    return {keys.manifest(MODEL, 1): encode(manifest), keys.verdict(MODEL, 1): encode(verdict)}


def _token(private: rsa.RSAPrivateKey, issuer: str, client_id: str) -> str:
    now = int(datetime.now(UTC).timestamp())
    claims = {
        "sub": "sub-of-ds-fraud",
        "iss": issuer,
        "client_id": client_id,
        "token_use": "access",
        "scope": "aws.cognito.signin.user.admin",
        "auth_time": now,
        "iat": now,
        "exp": now + 3600,
        "jti": "benchmark",
        "username": "ds-fraud",
        "cognito:groups": ["data-scientist@fraud"],
    }
    return jwt.encode(claims, private, algorithm="RS256", headers={"kid": _KEY_ID})


def _handler(
    double: DownloadDouble, key_set: bytes, bucket: str, records: Mapping[str, bytes]
) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            self.rfile.read(int(self.headers["Content-Length"]))
            until = datetime.now(UTC) + timedelta(hours=1)
            self._answer(_SESSION.format(token="x" * 1000, until=until).encode(), "text/xml")

        def do_GET(self) -> None:
            url = urlsplit(self.path)
            if url.path.endswith("/jwks.json"):
                self._answer(key_set, "application/json")
                return
            key = unquote(url.path).removeprefix(f"/{bucket}").removeprefix("/")
            if key:
                double.reads.append(f"GET {key}")
                self._answer(records[key], "application/octet-stream")
                return
            prefix = parse_qs(url.query).get("prefix", [""])[0]
            double.reads.append(f"LIST {prefix}")
            self._answer(_listed(bucket, prefix, records), "application/xml")

        def _answer(self, body: bytes, content_type: str) -> None:
            self.send_response(200)
            headers = {
                "Content-Type": content_type,
                "Content-Length": str(len(body)),
                "ETag": f'"{sha256(body).hexdigest()[:32]}"',
                "Last-Modified": format_datetime(datetime.now(UTC), usegmt=True),
                "x-amz-version-id": "version",
            }
            for name, value in headers.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: Any) -> None:
            """Nothing."""

    return Handler


def _listed(bucket: str, prefix: str, records: Mapping[str, bytes]) -> bytes:
    found = [key for key in sorted(records) if key.startswith(prefix)]
    contents = "".join(
        f"<Contents><Key>{key}</Key><LastModified>{_NOW}</LastModified><ETag>&quot;e&quot;</ETag>"
        f"<Size>{len(records[key])}</Size><StorageClass>STANDARD</StorageClass></Contents>"
        for key in found
    )
    return (
        f'<ListBucketResult xmlns="http://s3.amazonaws.com/doc/2006-03-01/"><Name>{bucket}</Name>'
        f"<Prefix>{prefix}</Prefix><KeyCount>{len(found)}</KeyCount><IsTruncated>false</IsTruncated>{contents}"
        "</ListBucketResult>"
    ).encode()
