"""The composition root: the one place that sees both the web and AWS, and puts them together.

Imports inside functions keep a start short: the API needs neither the verifier nor, for most, the audit.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

import urllib3
from botocore.credentials import ReadOnlyCredentials
from msgspec.structs import replace

from service.aws.clients import (
    CONNECTIONS,
    SERVING_SECONDS,
    VERIFYING_SECONDS,
    cloudtrail_client,
    logs_client,
    s3_client,
    sqs_client,
    sts_client,
)
from service.aws.deferred import Deferred
from service.aws.key_set import KeySet, fetch_from
from service.aws.known_keys import KnownKeys
from service.aws.personas import ActingCredentials, Personas, PersonaSession, acting_as
from service.aws.presign import Presigner
from service.aws.readiness import AwsReadiness
from service.aws.s3_objects import Bucket
from service.aws.workspaces import PersonaWorkspaces, S3Stores
from service.settings import TRAIL_ARN
from service.web.app import Collaborators, create_app

if TYPE_CHECKING:
    from collections.abc import Callable

    from flask import Flask
    from mypy_boto3_s3 import S3Client

    from service.audit.ports import AuditWorkspaces, ServiceLog, TrailFiles, TrailIdentity
    from service.audit.watch import Watch
    from service.settings import AuditSettings, ServiceSettings, StorageSettings, WorkerSettings
    from service.verifier.consuming import Consumer
    from service.verifier.scanning import BlobReader
    from service.verifier.settling import Verifier

# Side-by-side reads of one process; requests wait for each other beyond that.
_READERS: Final = 32
# Signs what nobody sends: an address is all that is wanted of it.
_NOBODY: Final = PersonaSession(
    ReadOnlyCredentials("nobody", "nobody", None, None), datetime.max.replace(tzinfo=UTC)
)


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
            audit=_audit(settings, personas, stores),
            readiness=AwsReadiness(
                key_set, sts, bucket_url(stores.bucket.client, storage.bucket), pool, _now
            ),
            clock=_now,
        )
    )


def _audit(settings: ServiceSettings, personas: Personas, stores: S3Stores) -> AuditWorkspaces:
    storage, audit = settings.storage, settings.audit

    def build() -> AuditWorkspaces:
        from service.audit.records import Store  # noqa: PLC0415
        from service.aws.audit_workspaces import PersonaAuditWorkspaces  # noqa: PLC0415

        return PersonaAuditWorkspaces(
            personas=personas,
            stores=stores,
            bucket=replace(stores.bucket, name=audit.trail_bucket, known=KnownKeys()),
            trail=trail_identity(audit, storage.region),
            store=Store(storage.bucket, storage.role_prefix),
            cloudtrail=cloudtrail_client(storage, ActingCredentials()),
            logs=logs_client(storage, ActingCredentials()),
            log_group=audit.log_group,
            people_roles=audit.people_roles,
        )

    workspaces: AuditWorkspaces = Deferred(build)
    return workspaces


def build_worker(settings: WorkerSettings) -> Consumer:
    """The verifier, ready to work."""
    from service.aws.sqs_events import SqsEvents  # noqa: PLC0415
    from service.verifier.consuming import Consumer  # noqa: PLC0415

    events = SqsEvents(sqs_client(settings.storage), settings.events_queue_url)
    return Consumer(events, build_verifier(settings))


def build_verifier(
    settings: WorkerSettings, reader: Callable[[BlobReader], BlobReader] = lambda blobs: blobs
) -> Callable[[], Verifier]:
    """The verifier without a queue; it reads bytes through what ``reader`` makes of its blob store.

    In sessions that last: they are an hour long, so each piece of work asks for its own.
    """
    from service.verifier.scanning import Scanner, Turns  # noqa: PLC0415
    from service.verifier.settling import Verifier  # noqa: PLC0415

    storage = settings.storage
    personas = Personas(sts_client(storage), storage.role_prefix, url_seconds=storage.url_seconds)
    stores = build_stores(storage, read_seconds=VERIFYING_SECONDS)
    turns = Turns()

    def verifier() -> Verifier:
        scanning, tagging = personas.verifier("scanning"), personas.verifier("tagging")
        scanner = Scanner(stores.objects(scanning), reader(stores.blobs(scanning)), turns)
        return Verifier(scanner, stores.objects(tagging), _now)

    return verifier


def build_watch(settings: WorkerSettings) -> Watch:
    """The watch over persona sessions, ready to look; it reads trail and log in the role of its own."""
    from service.audit.watch import Watch  # noqa: PLC0415
    from service.aws.service_log import CloudWatchServiceLog  # noqa: PLC0415
    from service.aws.trail_files import S3TrailFiles  # noqa: PLC0415

    storage, audit = settings.storage, settings.audit
    personas = Personas(sts_client(storage), storage.role_prefix, url_seconds=storage.url_seconds)
    threads = ThreadPoolExecutor(_READERS, thread_name_prefix="trail")
    client = s3_client(storage, ActingCredentials(), read_seconds=VERIFYING_SECONDS)
    bucket = Bucket(client, audit.trail_bucket, storage.metadata_key_arn, threads, KnownKeys())
    logs = logs_client(storage, ActingCredentials())
    identity = trail_identity(audit, storage.region)

    def open_audit() -> tuple[TrailFiles, ServiceLog]:
        session = personas.watch()
        files = S3TrailFiles(bucket, session, identity)
        return files, CloudWatchServiceLog(logs, session, audit.log_group)

    return Watch(open_audit, storage.role_prefix, _now, people_roles=audit.people_roles)


def trail_identity(audit: AuditSettings, region: str) -> TrailIdentity:
    """Whose trail it is, with ``region`` as the one whose calls are read."""
    from service.audit.ports import TrailIdentity  # noqa: PLC0415

    arn = TRAIL_ARN.fullmatch(audit.trail_arn)
    if arn is None:
        message = f"not a trail's ARN: {audit.trail_arn}"
        raise ValueError(message)
    return TrailIdentity(
        account=arn["account"],
        region=region,
        name=arn["name"],
        home_region=arn["region"],
        bucket=audit.trail_bucket,
        prefix=audit.trail_prefix,
    )


def bucket_url(client: S3Client, bucket: str) -> str:
    """The bucket's own address, as ``client`` itself writes it."""
    with acting_as(_NOBODY):
        url = urlsplit(client.generate_presigned_url("get_object", Params={"Bucket": bucket, "Key": "x"}))
    return f"{url.scheme}://{url.netloc}{url.path.removesuffix('/x')}"


def build_stores(storage: StorageSettings, *, read_seconds: int = SERVING_SECONDS) -> S3Stores:
    """Both stores of a process: one S3 client, one pool of threads, sessions to be bound at each call."""
    threads = ThreadPoolExecutor(min(_READERS, CONNECTIONS), thread_name_prefix="s3")
    client = s3_client(storage, ActingCredentials(), read_seconds=read_seconds)
    public = (
        s3_client(storage, ActingCredentials(), storage.s3_public_url) if storage.s3_public_url else client
    )
    return S3Stores(
        Bucket(client, storage.bucket, storage.metadata_key_arn, threads, KnownKeys()),
        Presigner(bucket_url(public, storage.bucket), storage.region),
        storage.url_seconds,
    )


def _now() -> datetime:
    return datetime.now(UTC)
