"""boto3 clients, each built once, with explicit time-outs, retries and pool sizes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, Literal

import boto3
import botocore.session
from botocore.config import Config
from botocore.credentials import CredentialProvider, CredentialResolver

if TYPE_CHECKING:
    from botocore.credentials import Credentials
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
    core = botocore.session.get_session()
    core.register_component("credential_provider", CredentialResolver([_Given(credentials)]))
    session = boto3.Session(botocore_session=core, region_name=settings.region)
    return session.client(
        "s3",
        endpoint_url=endpoint or settings.aws_endpoint_url,
        config=_config(read_seconds).merge(Config(s3={"addressing_style": _style(settings)})),
    )


def sts_client(settings: StorageSettings) -> STSClient:
    """An STS client with the process's own credentials, on the regional endpoint."""
    return _own_session(settings).client(
        "sts", endpoint_url=settings.aws_endpoint_url, config=_config(read_seconds=5)
    )


def sqs_client(settings: StorageSettings) -> SQSClient:
    """An SQS client with the process's own credentials; reads outlast a long poll of 20 s."""
    return _own_session(settings).client(
        "sqs", endpoint_url=settings.aws_endpoint_url, config=_config(read_seconds=30)
    )


def _own_session(settings: StorageSettings) -> boto3.Session:
    return boto3.Session(region_name=settings.region)


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
