"""The composition root: the one place that sees both the web and AWS, and puts them together."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

import urllib3
from botocore.credentials import Credentials

from service.aws.clients import (
    CONNECTIONS,
    SERVING_SECONDS,
    VERIFYING_SECONDS,
    s3_client,
    sqs_client,
    sts_client,
)
from service.aws.key_set import KeySet, fetch_from
from service.aws.personas import ActingCredentials, Personas
from service.aws.presign import Presigner
from service.aws.readiness import AwsReadiness
from service.aws.s3_objects import Bucket
from service.aws.sqs_events import SqsEvents
from service.aws.workspaces import PersonaWorkspaces, S3Stores
from service.verifier.consuming import Consumer
from service.verifier.scanning import Scanner, Turns
from service.verifier.settling import Verifier
from service.web.app import Collaborators, create_app

if TYPE_CHECKING:
    from flask import Flask

    from service.settings import ServiceSettings, StorageSettings, WorkerSettings

# Side-by-side reads of one process; requests wait for each other beyond that.
_READERS: Final = 32


def build_service(settings: ServiceSettings) -> Flask:
    """The HTTP service, ready to be served."""
    storage = settings.storage
    sts = sts_client(storage)
    stores = build_stores(storage)
    key_set = KeySet(fetch_from(settings.jwks_url))
    personas = Personas(sts, storage.role_prefix, url_seconds=storage.url_seconds)
    pool = urllib3.PoolManager(timeout=urllib3.Timeout(connect=2, read=3), retries=False)
    return create_app(
        Collaborators(
            public_url=settings.public_url,
            issuer=settings.issuer,
            openid_configuration_uri=settings.openid_configuration_uri,
            people_client_id=settings.people_client_id,
            client_ids=settings.client_ids,
            keys=key_set,
            workspaces=PersonaWorkspaces(personas, stores),
            readiness=AwsReadiness(key_set, sts, bucket_url(storage, storage.aws_endpoint_url), pool, _now),
            clock=_now,
        )
    )


def build_worker(settings: WorkerSettings) -> Consumer:
    """The verifier, ready to work."""
    storage = settings.storage
    personas = Personas(sts_client(storage), storage.role_prefix, url_seconds=storage.url_seconds)
    stores = build_stores(storage, read_seconds=VERIFYING_SECONDS)
    turns = Turns()
    events = SqsEvents(sqs_client(storage), settings.events_queue_url)

    def verifier() -> Verifier:
        """In sessions that last: they are an hour long, so each piece of work asks for its own."""
        scanning, tagging = personas.verifier("scanning"), personas.verifier("tagging")
        scanner = Scanner(stores.objects(scanning), stores.blobs(scanning), turns)
        return Verifier(scanner, stores.objects(tagging), _now)

    return Consumer(events, verifier)


def bucket_url(storage: StorageSettings, endpoint: str | None) -> str:
    """The bucket's own address under ``endpoint`` (None: AWS's), as boto3 itself would write it."""
    client = s3_client(storage, Credentials("nobody", "nobody"), endpoint)
    url = urlsplit(client.generate_presigned_url("get_object", Params={"Bucket": storage.bucket, "Key": "x"}))
    return f"{url.scheme}://{url.netloc}{url.path.removesuffix('/x')}"


def build_stores(storage: StorageSettings, *, read_seconds: int = SERVING_SECONDS) -> S3Stores:
    """Both stores of a process: one S3 client, one pool of threads, sessions to be bound at each call."""
    threads = ThreadPoolExecutor(min(_READERS, CONNECTIONS), thread_name_prefix="s3")
    client = s3_client(storage, ActingCredentials(), read_seconds=read_seconds)
    public = bucket_url(storage, storage.s3_public_url or storage.aws_endpoint_url)
    return S3Stores(
        Bucket(client, storage.bucket, storage.metadata_key_arn, threads),
        Presigner(public, storage.region),
        storage.url_seconds,
    )


def _now() -> datetime:
    return datetime.now(UTC)
