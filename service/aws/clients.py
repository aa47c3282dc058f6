"""AWS clients, each built once, with explicit time-outs, retries and pool sizes.

Of botocore's own session: boto3 adds nothing to a client that is used here, and a fifth to a start's imports.
What is the same for all clients is read and made once a process: it is most of what a client costs.
"""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any, Final, Literal

from botocore.config import Config
from botocore.credentials import CredentialProvider, CredentialResolver
from botocore.handlers import BUILTIN_HANDLERS, REGISTER_FIRST, REGISTER_LAST
from botocore.hooks import EventAliaser, HierarchicalEmitter
from botocore.session import Session

from service.aws.botocore_data import SERVICES, loader_of

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
    session.register_component("data_loader", loader_of(session.get_config_variable("data_path")))
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
    """Those that our services may need: most are for others, or for writing documentation."""
    handlers = HierarchicalEmitter()
    events = EventAliaser(handlers)
    register = {
        (): events.register,
        (REGISTER_FIRST,): events.register_first,
        (REGISTER_LAST,): events.register_last,
    }
    for event, handler, *place in BUILTIN_HANDLERS:
        if _may_be_ours(event):
            register[*place](event, handler)
    return handlers


def _may_be_ours(event: str) -> bool:
    """An event is ``<what happens>.<service>.<operation>``, cut off anywhere, ``*`` for any."""
    happening, _, of_what = event.partition(".")
    return happening != "docs" and of_what.partition(".")[0] in {"", "*", *SERVICES}


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
