"""One suite over every implementation of a port: the fake in memory, and S3 in a persona's own session."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING
from uuid import uuid4

import pytest
import urllib3

from service.aws.clients import sts_client
from service.aws.personas import Personas
from service.bootstrap import build_stores
from service.domain.names import ModelId
from service.settings import service_settings
from tests.fakes.in_memory import FakeBlobStore, FakeObjectStore, InMemoryBucket
from tests.people import DS_FRAUD

if TYPE_CHECKING:
    from collections.abc import Callable

    from service.ports import BlobStore, ObjectStore, Ticket
    from tests.local_aws import LocalStack


@dataclass(frozen=True)
class Stores:
    """Both ports over one bucket, under a model nobody else uses; ``send`` and ``fetch`` act as clients.

    ``objects`` and ``blobs`` are a data scientist's; the verifier's two roles tag, and read unverified bytes.
    ``send`` answers ``(accepted, etag)``, ``fetch`` the bytes or None.
    """

    objects: ObjectStore
    blobs: BlobStore
    tagging: ObjectStore
    scanning: BlobStore
    model: ModelId
    send: Callable[[Ticket, bytes], tuple[bool, str]]
    fetch: Callable[[str], bytes | None]


def _in_memory(model: ModelId) -> Stores:
    bucket = InMemoryBucket()

    def send(ticket: Ticket, body: bytes) -> tuple[bool, str]:
        try:
            return True, bucket.send(ticket, body)
        except ValueError:
            return False, ""

    objects, blobs = FakeObjectStore(bucket), FakeBlobStore(bucket)
    return Stores(objects, blobs, objects, blobs, model, send, bucket.fetch)


def _in_s3(model: ModelId, local_aws: LocalStack, monkeypatch: pytest.MonkeyPatch) -> Stores:
    for name, value in local_aws.environment.items():
        monkeypatch.setenv(name, value)
    settings = service_settings(local_aws.environment).storage
    stores = build_stores(settings)

    def personas(profile: str) -> Personas:
        monkeypatch.setenv("AWS_PROFILE", profile)
        sts = sts_client(settings)
        return Personas(sts, settings.role_prefix, url_seconds=settings.url_seconds)

    session = personas("smas-service").session(DS_FRAUD, DS_FRAUD.grants[0])
    verifier = personas("smas-worker")
    http = urllib3.PoolManager(retries=False)

    def send(ticket: Ticket, body: bytes) -> tuple[bool, str]:
        answer = http.request("PUT", ticket.url, body=body, headers=ticket.headers)
        return answer.status == 200, answer.headers.get("ETag", "").strip('"')

    def fetch(url: str) -> bytes | None:
        answer = http.request("GET", url)
        return answer.data if answer.status == 200 else None

    return Stores(
        stores.objects(session),
        stores.blobs(session),
        stores.objects(verifier.verifier("tagging")),
        stores.blobs(verifier.verifier("scanning")),
        model,
        send,
        fetch,
    )


@pytest.fixture(params=["memory", pytest.param("s3", marks=pytest.mark.local_aws)])
def stores(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Stores:
    """The stores under test, over a model of their own."""
    model = ModelId("fraud", f"contract-{uuid4().hex[:12]}")
    if request.param == "memory":
        return _in_memory(model)
    return _in_s3(model, request.getfixturevalue("local_aws"), monkeypatch)
