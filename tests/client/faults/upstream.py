"""The real application over the stores in memory, with a small S3 beside it, on a socket of this machine.

URLs it hands out lead to where it was asked: through the proxy, if it was asked through the proxy. The
verifier looks before every request to the store.
"""

from __future__ import annotations

import re
import threading
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cache
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from cryptography.hazmat.primitives.asymmetric import rsa
from flask import request
from msgspec.structs import replace
from werkzeug.serving import WSGIRequestHandler, make_server
from werkzeug.wrappers import Request, Response

from service.aws.key_set import KeySet
from service.ports import KeyMissing, Ticket
from service.web.app import Collaborators, create_app
from tests.fakes.audit import FakeAuditWorkspaces
from tests.fakes.in_memory import FakeBlobStore, FakeWorkspaces, InMemoryBucket
from tests.web.conftest import ISSUER, MACHINE, PEOPLE, PUBLIC_URL, FakeReadiness, Pool, Site

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from service.domain.access import Grant, Principal
    from service.ports import Workspace

_S3 = "/s3/"
_RANGE = re.compile(r"bytes=(\d+)-(\d+)")


@dataclass
class ServedBlobs(FakeBlobStore):
    """The store of blobs whose URLs lead to the S3 at ``address``."""

    address: str

    def upload_ticket(self, key: str, sha256: str) -> Ticket:
        """See ``BlobStore.upload_ticket``."""
        return self._served(super().upload_ticket(key, sha256))

    def part_tickets(self, key: str, upload_id: str, numbers: Sequence[int]) -> list[Ticket]:
        """See ``BlobStore.part_tickets``."""
        return [self._served(ticket) for ticket in super().part_tickets(key, upload_id, numbers)]

    def download_ticket(self, key: str, version_id: str, disposition: str) -> Ticket:
        """See ``BlobStore.download_ticket``."""
        return self._served(super().download_ticket(key, version_id, disposition))

    def _served(self, ticket: Ticket) -> Ticket:
        return replace(ticket, url=self.address + _S3 + quote(ticket.url, safe=""))


class ServedWorkspaces(FakeWorkspaces):
    """Workspaces with such blobs."""

    def open(self, principal: Principal, grant: Grant) -> Workspace:
        """See ``Workspaces.open``."""
        workspace = super().open(principal, grant)
        return replace(workspace, blobs=ServedBlobs(self.bucket, request.host_url.rstrip("/")))


@dataclass
class Upstream:
    """The running upstream; ``place`` is its host and port."""

    # All bytes, which Hypothesis would print with an example that fails.
    site: Site = field(repr=False)
    place: str = ""

    def __post_init__(self) -> None:
        self._verifying = threading.Lock()

    @property
    def bucket(self) -> InMemoryBucket:
        """All bytes."""
        return self.site.bucket

    def token(self, user: str = "ds-fraud") -> str:
        """A token of a data scientist."""
        return self.site.pool.person(user, "data-scientist@fraud")

    def verify(self) -> None:
        """Let the verifier look."""
        with self._verifying:
            self.site.verify()

    def forget(self) -> None:
        """An empty bucket again."""
        with self.bucket.lock:
            self.bucket.objects.clear()
            self.bucket.uploads.clear()
            self.bucket.notified.clear()

    def __call__(self, environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        """WSGI."""
        if environ["PATH_INFO"].startswith(_S3):
            return self._s3(Request(environ))(environ, start_response)
        self.verify()
        return self.site.app(environ, start_response)

    def _s3(self, asked: Request) -> Response:
        url = asked.path.removeprefix(_S3)
        if asked.method == "GET":
            return self._get(url, asked.headers.get("Range"))
        body = asked.get_data()
        try:
            etag = self.bucket.send(Ticket(url, {}, datetime.now(UTC)), body)
        except KeyError:
            return _error(404, "NoSuchUpload")
        except ValueError:
            return _error(400, "BadDigest")
        return Response(status=200, headers={"ETag": f'"{etag.strip(chr(34))}"'})

    def _get(self, url: str, wanted: str | None) -> Response:
        try:
            body = self.bucket.fetch(url)
        except KeyMissing:
            return _error(404, "NoSuchVersion")
        found = _RANGE.fullmatch(wanted or "")
        if not found:
            return Response(body)
        start, last = int(found[1]), min(int(found[2]), len(body) - 1)
        headers = {"Content-Range": f"bytes {start}-{last}/{len(body)}"}
        return Response(body[start : last + 1], 206, headers)


class _Quiet(WSGIRequestHandler):
    def log(self, *_: Any, **__: Any) -> None:
        """Say nothing."""


@contextmanager
def upstream() -> Iterator[Upstream]:
    """A fresh application over an empty bucket, served until the block ends."""
    bucket, pool, readiness = InMemoryBucket(), Pool(_signing_key()), FakeReadiness()
    workspaces, audit = ServedWorkspaces(bucket), FakeAuditWorkspaces(bucket)
    app = create_app(
        Collaborators(
            public_url=PUBLIC_URL,
            issuer=ISSUER,
            openid_configuration_uri=f"{ISSUER}/.well-known/openid-configuration",
            people_client_id=PEOPLE,
            client_ids=frozenset({PEOPLE, MACHINE}),
            keys=KeySet(pool.key_set),
            workspaces=workspaces,
            audit=audit,
            readiness=readiness,
            clock=lambda: datetime.now(UTC),
        )
    )
    running = Upstream(Site(app, bucket, pool, readiness, workspaces, audit))
    server = make_server("127.0.0.1", 0, running, threaded=True, request_handler=_Quiet)
    running.place = f"127.0.0.1:{server.port}"
    thread = threading.Thread(target=server.serve_forever, args=[0.02])
    thread.start()
    try:
        yield running
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


@cache
def _signing_key() -> rsa.RSAPrivateKey:
    return rsa.generate_private_key(public_exponent=65537, key_size=2048)


def _error(status: int, code: str) -> Response:
    body = f'<?xml version="1.0" encoding="UTF-8"?>\n<Error><Code>{code}</Code></Error>'
    return Response(body, status, mimetype="application/xml")
