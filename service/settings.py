"""How a process is configured: ``SMAS_*`` variables, read once, frozen, refused at start if wrong.

Credentials are not settings: boto3 finds them where AWS puts them (the Lambda's role, a profile).
Nothing here turns authentication, authorisation or encryption off.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

import msgspec

if TYPE_CHECKING:
    from collections.abc import Mapping

MIN_URL_SECONDS: Final = 60
# Half of the hour that role chaining allows a session: a session then serves for the other half.
MAX_URL_SECONDS: Final = 1_800
JWKS_PATH: Final = "/.well-known/jwks.json"
# https://docs.aws.amazon.com/service-authorization/latest/reference/list_awscloudtrail.html
TRAIL_ARN: Final = re.compile(
    r"arn:[\w-]+:cloudtrail:(?P<region>[a-z0-9-]+):(?P<account>[0-9]{12}):trail/(?P<name>[A-Za-z0-9._-]{3,128})",
    re.ASCII,
)
ROLE_ARN: Final = re.compile(r"arn:[\w-]+:iam::[0-9]{12}:role/([\x21-\x7e]+/)?[\w+=,.@-]{1,64}", re.ASCII)
OPENID_CONFIGURATION_PATH: Final = "/.well-known/openid-configuration"


class SettingsError(Exception):
    """A setting is missing or wrong; the message names it."""


class StorageSettings(msgspec.Struct, frozen=True):
    """Where the bucket is and who may be become.

    ``role_prefix`` plus a persona's name is the ARN of its role. ``s3_public_url`` is the S3 endpoint that
    clients reach (it goes into presigned URLs) where it is not AWS's own; ``aws_endpoint_url`` the one this
    process reaches. ``url_seconds`` is how long a presigned URL lives.
    """

    bucket: str
    region: str
    role_prefix: str
    metadata_key_arn: str
    aws_endpoint_url: str | None = None
    s3_public_url: str | None = None
    url_seconds: int = 900


class AuditSettings(msgspec.Struct, frozen=True):
    """Where the proof is: the trail, the bucket it delivers to, and the log group of the service's lines.

    ``trail_prefix`` is the trail's key prefix in its bucket, empty or ending in a slash. ``people_roles`` are
    the ARNs of the roles that people come from through IAM, if any do.
    """

    trail_arn: str
    trail_bucket: str
    trail_prefix: str
    log_group: str
    people_roles: frozenset[str] = frozenset()


class ServiceSettings(msgspec.Struct, frozen=True):
    """What the HTTP service needs: the store's own address, whose tokens it trusts, and the storage."""

    public_url: str
    issuer: str
    jwks_url: str
    people_client_id: str
    client_ids: frozenset[str]
    storage: StorageSettings
    audit: AuditSettings

    @property
    def openid_configuration_uri(self) -> str:
        """Where the issuer's discovery document is: beside its key set, as every OpenID provider has it."""
        return self.jwks_url.removesuffix(JWKS_PATH) + OPENID_CONFIGURATION_PATH


class WorkerSettings(msgspec.Struct, frozen=True):
    """What the verifier needs: its queue, how often it sweeps (seconds), how many messages at once."""

    events_queue_url: str
    sweep_seconds: int
    threads: int
    storage: StorageSettings
    audit: AuditSettings


def service_settings(environ: Mapping[str, str]) -> ServiceSettings:
    """The service's settings. Raises ``SettingsError`` naming every variable that is missing or wrong."""
    read = _Reader(environ)
    settings = ServiceSettings(
        public_url=read.url("SMAS_PUBLIC_URL"),
        issuer=read.text("SMAS_ISSUER"),
        jwks_url=read.url("SMAS_JWKS_URL", ending=JWKS_PATH),
        people_client_id=read.text("SMAS_PEOPLE_CLIENT_ID"),
        client_ids=read.names("SMAS_CLIENT_IDS"),
        storage=_storage(read),
        audit=_audit(read),
    )
    read.finish()
    return settings


def worker_settings(environ: Mapping[str, str]) -> WorkerSettings:
    """The verifier's settings. Raises ``SettingsError`` naming every variable that is missing or wrong."""
    read = _Reader(environ)
    settings = WorkerSettings(
        events_queue_url=read.url("SMAS_EVENTS_QUEUE_URL"),
        sweep_seconds=read.number("SMAS_SWEEP_SECONDS", 1, 86_400, default=60),
        threads=read.number("SMAS_WORKER_THREADS", 1, 64, default=2),
        storage=_storage(read),
        audit=_audit(read),
    )
    read.finish()
    return settings


def _storage(read: _Reader) -> StorageSettings:
    return StorageSettings(
        bucket=read.text("SMAS_BUCKET"),
        region=read.text("AWS_REGION"),
        role_prefix=read.text("SMAS_ROLE_PREFIX"),
        metadata_key_arn=read.text("SMAS_METADATA_KEY_ARN"),
        aws_endpoint_url=read.url("AWS_ENDPOINT_URL", required=False) or None,
        s3_public_url=read.url("SMAS_S3_PUBLIC_URL", required=False) or None,
        url_seconds=read.number("SMAS_URL_SECONDS", MIN_URL_SECONDS, MAX_URL_SECONDS, default=900),
    )


def _audit(read: _Reader) -> AuditSettings:
    prefix = read.text("SMAS_TRAIL_PREFIX", required=False).strip("/")
    return AuditSettings(
        trail_arn=read.trail("SMAS_TRAIL_ARN"),
        trail_bucket=read.text("SMAS_TRAIL_BUCKET"),
        trail_prefix=f"{prefix}/" if prefix else "",
        log_group=read.text("SMAS_LOG_GROUP"),
        people_roles=read.roles("SMAS_PEOPLE_ROLES"),
    )


class _Reader:
    """Reads variables and collects what is wrong, so that one start names everything."""

    def __init__(self, environ: Mapping[str, str]) -> None:
        self._environ = environ
        self._faults: list[str] = []

    def text(self, name: str, *, required: bool = True) -> str:
        value = self._environ.get(name, "").strip()
        if required and not value:
            self._faults.append(f"{name} is missing")
        return value

    def url(self, name: str, *, required: bool = True, ending: str = "") -> str:
        given = self.text(name, required=required)
        value = given.rstrip("/")
        if given and not value.startswith(("http://", "https://")):
            self._faults.append(f"{name} must start with http:// or https://, not {given!r}")
        elif given and not value.endswith(ending):
            self._faults.append(f"{name} must end with {ending}, not {given!r}")
        return value

    def names(self, name: str) -> frozenset[str]:
        given = self.text(name)
        names = frozenset(filter(None, map(str.strip, given.split(","))))
        if given and not names:
            self._faults.append(f"{name} must hold names separated by commas, not {given!r}")
        return names

    def roles(self, name: str) -> frozenset[str]:
        given = self.text(name, required=False)
        arns = frozenset(filter(None, map(str.strip, given.split(","))))
        if wrong := sorted(arn for arn in arns if not ROLE_ARN.fullmatch(arn)):
            self._faults.append(
                f"{name} must hold ARNs of IAM roles separated by commas, not {', '.join(wrong)!r}"
            )
        return arns

    def trail(self, name: str) -> str:
        given = self.text(name)
        if given and not TRAIL_ARN.fullmatch(given):
            self._faults.append(f"{name} must be a trail's ARN (arn:aws:cloudtrail:...), not {given!r}")
        return given

    def number(self, name: str, least: int, most: int, *, default: int) -> int:
        value = self._environ.get(name, "").strip() or str(default)
        # Nine digits hold every bound; int() itself refuses thousands of them.
        if not re.fullmatch(r"[0-9]{1,9}", value) or not least <= int(value) <= most:
            self._faults.append(f"{name} must be a whole number from {least} to {most}, not {value!r}")
            return default
        return int(value)

    def finish(self) -> None:
        if self._faults:
            raise SettingsError("; ".join(self._faults))
