"""The state directory: everything the local stack writes, and what service, worker and tests read from it.

<state>/service.env          settings of service and worker (KEY=VALUE lines)
<state>/worker.env           settings of the worker, where they differ: over an AWS that Terraform provisioned
<state>/outputs.json         Terraform's outputs, then
<state>/functions.token      what its processes show to get their roles, then
<state>/stack.json           addresses, ids and the machine client's secret
<state>/aws/config           profiles smas-service, smas-worker and smas-shipper, for boto3's own provider
<state>/aws/credentials      the key of the IAM user smas-local
<state>/processes.json       what runs: process id and start of each
<state>/compose.env          the settings of docker-compose.yml, as long as the stack runs in containers
<state>/logs/<name>.log      one for each process
<state>/localstack/          what LocalStack writes: temporary files, object bytes, caches
<state>/trail/               what the trail delivered, which LocalStack's own bucket forgets at a stop
<state>/shipped.json         how far each log has been shipped into CloudWatch Logs
<state>/lock                 held while a start or stop is at work
"""

from __future__ import annotations

import configparser
import json
import os
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from smas_emulator import roles, seed
from smas_emulator.errors import StackError
from smas_emulator.trail import trail_arn

if TYPE_CHECKING:
    from collections.abc import Mapping

    from smas_emulator.provision import Provisioned


@dataclass(frozen=True, slots=True)
class StateDirectory:
    """The paths of one state directory; `root` is absolute."""

    root: Path

    @property
    def service_env(self) -> Path:
        """Settings of service and worker."""
        return self.root / "service.env"

    @property
    def worker_env(self) -> Path:
        """Settings of the worker, where it has others."""
        return self.root / "worker.env"

    @property
    def outputs(self) -> Path:
        """The outputs of the Terraform that provisioned the local AWS, if any did."""
        return self.root / "outputs.json"

    @property
    def functions_token(self) -> Path:
        """What a process shows to get the role of the function that it stands for."""
        return self.root / "functions.token"

    @property
    def stack_json(self) -> Path:
        """Addresses and ids, for people and tests."""
        return self.root / "stack.json"

    @property
    def aws_config(self) -> Path:
        """boto3's configuration file."""
        return self.root / "aws" / "config"

    @property
    def aws_credentials(self) -> Path:
        """boto3's credentials file."""
        return self.root / "aws" / "credentials"

    @property
    def processes(self) -> Path:
        """The records of what was started."""
        return self.root / "processes.json"

    @property
    def compose_env(self) -> Path:
        """What Compose was told; only there while the stack runs in containers."""
        return self.root / "compose.env"

    @property
    def logs(self) -> Path:
        """The folder of log files."""
        return self.root / "logs"

    @property
    def localstack(self) -> Path:
        """The folder LocalStack writes into."""
        return self.root / "localstack"

    @property
    def trail(self) -> Path:
        """The folder of the trail's log files and digests, key by key as in its bucket."""
        return self.root / "trail"

    @property
    def shipped(self) -> Path:
        """How far each log has been shipped into CloudWatch Logs."""
        return self.root / "shipped.json"

    @property
    def lock(self) -> Path:
        """The file that a start or stop locks."""
        return self.root / "lock"

    def create(self) -> None:
        """Make the directory and the folders in it; only the owner may look inside."""
        self.root.mkdir(parents=True, exist_ok=True, mode=0o700)
        for folder in (self.aws_config.parent, self.logs, self.localstack, self.trail):
            folder.mkdir(exist_ok=True)


def write_private(path: Path, text: str) -> None:
    """Write a file that only its owner may read, whole or not at all."""
    descriptor, temporary = tempfile.mkstemp(
        dir=path.parent, prefix=f".{path.name}."
    )  # mode 600 from the start
    try:
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            file.write(text)
        Path(temporary).replace(path)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise


def write_settings(state: StateDirectory, made: Provisioned, service_url: str) -> None:
    """Write `service.env`, boto3's two files and `stack.json`."""
    state.worker_env.unlink(missing_ok=True)
    write_private(state.aws_credentials, aws_credentials(made.access_key))
    write_private(state.aws_config, aws_config())
    write_private(state.service_env, env_file(service_settings(state, made, service_url)))
    write_private(state.stack_json, json.dumps(stack_description(made, service_url), indent=2) + "\n")


def service_settings(state: StateDirectory, made: Provisioned, service_url: str) -> dict[str, str]:
    """What service and worker read from their environment, but for `AWS_PROFILE`, which differs."""
    return {
        "SMAS_BUCKET": seed.BUCKET,
        "SMAS_PUBLIC_URL": service_url,
        "SMAS_ISSUER": made.issuer,
        "SMAS_JWKS_URL": made.jwks_url,
        "SMAS_PEOPLE_CLIENT_ID": made.pool.people_client_id,
        "SMAS_CLIENT_IDS": f"{made.pool.people_client_id},{made.pool.machine_client_id}",
        "SMAS_ROLE_PREFIX": seed.ROLE_PREFIX,
        "SMAS_METADATA_KEY_ARN": made.metadata_key_arn,
        "SMAS_TRAIL_ARN": trail_arn(),
        "SMAS_TRAIL_BUCKET": seed.TRAIL_BUCKET,
        "SMAS_LOG_GROUP": seed.SERVICE_LOG_GROUP,
        "SMAS_EVENTS_QUEUE_URL": made.events_queue_url,
        "SMAS_S3_PUBLIC_URL": made.endpoint,
        "AWS_ENDPOINT_URL": made.endpoint,
        "AWS_REGION": seed.REGION,
        "AWS_CONFIG_FILE": str(state.aws_config),
        "AWS_SHARED_CREDENTIALS_FILE": str(state.aws_credentials),
    }


def env_file(settings: Mapping[str, str]) -> str:
    """`KEY=VALUE` lines, unquoted: for `read_env_file`, Compose's `env_file` and `set -a; . file` alike.

    Raises `ValueError` for a value that a shell would take apart.
    """
    for key, value in settings.items():
        if not value or set(value) & set(" \t\n'\"`$\\#;&|<>()*?~!"):
            msg = f"{key} has a value that does not fit an unquoted line: {value!r}"
            raise ValueError(msg)
    return "".join(f"{key}={value}\n" for key, value in settings.items())


def read_env_file(path: Path) -> dict[str, str]:
    """The settings of a file written by `env_file`."""
    lines = path.read_text(encoding="utf-8").splitlines()
    return dict(line.split("=", 1) for line in lines if line)


def aws_config() -> str:
    """boto3's profiles: each process has a role, which boto3 assumes and renews by itself."""
    lines = [f"[profile {seed.LOCAL_IAM_USER}]", f"region = {seed.REGION}", ""]
    for name in ("service", "worker", "shipper"):
        lines += [
            f"[profile smas-{name}]",
            f"role_arn = {roles.role_arn(name)}",
            f"source_profile = {seed.LOCAL_IAM_USER}",
            f"role_session_name = smas-{name}",
            f"region = {seed.REGION}",
            "",
        ]
    return "\n".join(lines)


def aws_credentials(key: roles.AccessKey) -> str:
    """boto3's credentials file."""
    return f"[{seed.LOCAL_IAM_USER}]\naws_access_key_id = {key.id}\naws_secret_access_key = {key.secret}\n"


def read_access_key(state: StateDirectory) -> roles.AccessKey | None:
    """The key that an earlier start wrote, or None."""
    parser = configparser.RawConfigParser()
    parser.read(state.aws_credentials, encoding="utf-8")
    if not parser.has_section(seed.LOCAL_IAM_USER):
        return None
    section = parser[seed.LOCAL_IAM_USER]
    return roles.AccessKey(id=section["aws_access_key_id"], secret=section["aws_secret_access_key"])


def stack_description(made: Provisioned, service_url: str) -> dict[str, Any]:
    """The content of `stack.json`."""
    return {
        "service_url": service_url,
        "aws_endpoint": made.endpoint,
        "region": seed.REGION,
        "account": seed.ACCOUNT,
        "bucket": seed.BUCKET,
        "bytes_key_arn": made.bytes_key_arn,
        "metadata_key_arn": made.metadata_key_arn,
        "logs_key_arn": made.logs_key_arn,
        "events_queue_url": made.events_queue_url,
        "dead_letter_queue_url": made.dead_letter_queue_url,
        "issuer": made.issuer,
        "jwks_url": made.jwks_url,
        "token_url": made.token_url,
        "user_pool_id": made.pool.id,
        "people_client_id": made.pool.people_client_id,
        "machine_client_id": made.pool.machine_client_id,
        "machine_client_secret": made.pool.machine_client_secret,
        "users": [user.name for user in seed.LOCAL_USERS],
        "password": seed.LOCAL_PASSWORD,
    }


def read_stack(state: StateDirectory) -> dict[str, Any]:
    """The content of `stack.json`; raises `StackError` when the stack does not run."""
    try:
        return dict(json.loads(state.stack_json.read_text(encoding="utf-8")))
    except FileNotFoundError:
        raise StackError("The local stack is not running; start it with `make up`.") from None
