"""AWS clients, each built once, with explicit time-outs, retries and pool sizes.

Of botocore's own session: boto3 adds nothing to a client that is used here, and a fifth to a start's imports.
What is the same for all clients is read and made once a process: it is most of what a client costs.
"""

from __future__ import annotations

import gzip
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Literal

import msgspec
from botocore.config import Config
from botocore.credentials import CredentialProvider, CredentialResolver
from botocore.hooks import HierarchicalEmitter
from botocore.loaders import JSONFileLoader, Loader
from botocore.session import Session

if TYPE_CHECKING:
    from botocore.credentials import Credentials
    from mypy_boto3_cloudtrail import CloudTrailClient
    from mypy_boto3_logs import CloudWatchLogsClient
    from mypy_boto3_s3 import S3Client
    from mypy_boto3_sqs import SQSClient
    from mypy_boto3_sts import STSClient

    from service.settings import StorageSettings

# Threads of a process that may talk to S3 at once.
CONNECTIONS: Final = 64
# With one retry, a request to a silent S3 is given up within 30 s, the longest that API Gateway waits.
SERVING_SECONDS: Final = 10
# The verifier has nobody waiting and reads much at a time.
VERIFYING_SECONDS: Final = 30


def s3_client(
    settings: StorageSettings,
    credentials: Credentials,
    endpoint: str | None = None,
    *,
    read_seconds: int = SERVING_SECONDS,
) -> S3Client:
    """An S3 client that signs with ``credentials``, whatever the process's own are."""
    config = _config(read_seconds).merge(Config(s3={"addressing_style": _style(settings)}))
    client: S3Client = _client("s3", settings, config, credentials, endpoint)
    return client


def cloudtrail_client(settings: StorageSettings, credentials: Credentials) -> CloudTrailClient:
    """A CloudTrail client that signs with ``credentials``."""
    client: CloudTrailClient = _client("cloudtrail", settings, _config(SERVING_SECONDS), credentials)
    return client


def logs_client(settings: StorageSettings, credentials: Credentials) -> CloudWatchLogsClient:
    """A CloudWatch Logs client that signs with ``credentials``."""
    client: CloudWatchLogsClient = _client("logs", settings, _config(SERVING_SECONDS), credentials)
    return client


def sts_client(settings: StorageSettings) -> STSClient:
    """An STS client with the process's own credentials, on the regional endpoint."""
    client: STSClient = _client("sts", settings, _config(read_seconds=5))
    return client


def sqs_client(settings: StorageSettings) -> SQSClient:
    """An SQS client with the process's own credentials; reads outlast a long poll of 20 s."""
    client: SQSClient = _client("sqs", settings, _config(read_seconds=30))
    return client


def _client(
    service: str,
    settings: StorageSettings,
    config: Config,
    credentials: Credentials | None = None,
    endpoint: str | None = None,
) -> Any:
    """A client that signs with ``credentials`` (None: the process's own)."""
    session = _session()
    session.set_config_variable("region", settings.region)
    session.register_component("data_loader", _loader())
    if credentials is not None:
        session.register_component("credential_provider", CredentialResolver([_Given(credentials)]))
    return session.create_client(service, endpoint_url=endpoint or settings.aws_endpoint_url, config=config)


def _session() -> Session:
    """A session of its own for each client, since it keeps its credentials; botocore's handlers are shared.

    Every client takes a copy of them.
    """
    return Session(event_hooks=_handlers(), include_builtin_handlers=False)


@cache
def _handlers() -> HierarchicalEmitter:
    handlers = HierarchicalEmitter()
    Session(event_hooks=handlers)
    return handlers


class _DataFiles(JSONFileLoader):
    """Reads botocore's data as botocore does, in a fifth of the time."""

    def load_file(self, file_path: str) -> Any:
        """What a file holds whose ending is left out, None if there is none."""
        for ending, plain in ((".json", bytes), (".json.gz", gzip.decompress)):
            try:
                return msgspec.json.decode(plain(Path(file_path + ending).read_bytes()))
            except FileNotFoundError:
                continue
        return None


class _Loader(Loader):
    """Botocore's loader for our own services: to know all, it would look into hundreds of folders."""

    FILE_LOADER_CLASS = _DataFiles

    def list_available_services(self, type_name: str) -> list[str]:
        """Those that the functions above make clients of."""
        del type_name
        return ["cloudtrail", "logs", "s3", "sqs", "sts"]


@cache
def _loader() -> Loader:
    return _Loader()


def _style(settings: StorageSettings) -> Literal["path", "virtual"]:
    # A bucket's host name does not resolve under a local endpoint.
    return "path" if settings.aws_endpoint_url or settings.s3_public_url else "virtual"


def _config(read_seconds: int) -> Config:
    return Config(
        connect_timeout=3,
        read_timeout=read_seconds,
        retries={"mode": "standard", "total_max_attempts": 2},
        max_pool_connections=CONNECTIONS,
        # Only what an operation demands: the verifier reads ranges, which have no checksum of their own.
        request_checksum_calculation="when_required",
        response_checksum_validation="when_required",
        user_agent_extra="smas",
    )


class _Given(CredentialProvider):
    """Hands botocore the credentials it was given, through botocore's own provider chain."""

    METHOD = "smas-persona"
    CANONICAL_NAME = None

    def __init__(self, credentials: Credentials) -> None:
        super().__init__()
        self._credentials = credentials

    def load(self) -> Credentials:
        return self._credentials
