"""How each program of the stack is called, and with which environment."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING

from smas_emulator import development, seed
from smas_emulator.ports import LOOPBACK
from smas_emulator.processes import Command

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from smas_emulator.development import Debuggers
    from smas_emulator.trail_settings import TrailSettings

EMULATOR = "localstack"
SERVICE = "service"
WORKER = "worker"
SHIPPER = "shipper"

_EMULATOR_INHERITS = ("PATH", "LANG", "LC_ALL", "TZ")
_LOCAL_NAMES = "localhost,127.0.0.1"


def emulator_command(
    folder: Path, port: int, trail: TrailSettings, functions_token: str | None = None
) -> Command:
    """LocalStack on `port` of this machine only; all it writes is inside `folder`, which must be absolute.

    Who has `functions_token`, if there is one, gets sessions of the roles that Lambda may assume.
    """
    environment = emulator_environment(os.environ, folder, port, trail)
    if functions_token is not None:
        environment["SMAS_FUNCTIONS_TOKEN"] = functions_token
    return Command(EMULATOR, (sys.executable, "-m", "localstack.runtime.main"), folder, environment)


def emulator_environment(
    inherited: Mapping[str, str], folder: Path, port: int, trail: TrailSettings, host: str = LOOPBACK
) -> dict[str, str]:
    """LocalStack's environment; `host` is the address it listens on.

    Next to nothing is inherited: LocalStack reads its settings from variables as common as `DEBUG` and
    `SERVICES`. The latter stays unset, for it would hide every service it does not name, ours too; services
    load when first called.
    """
    return {
        **{name: inherited[name] for name in _EMULATOR_INHERITS if name in inherited},
        "HOME": str(folder),
        "TMPDIR": str(folder / "tmp"),
        "XDG_CACHE_HOME": str(folder / "cache"),
        "FILESYSTEM_ROOT": str(folder / "filesystem"),
        "CONFIG_DIR": str(folder / "config"),
        "GATEWAY_LISTEN": f"{host}:{port}",
        "LOCALSTACK_HOST": f"localhost:{port}",
        # The default would name a host that only public DNS resolves; "path" a longer path than AWS has,
        # which Terraform does not take for a queue's.
        "SQS_ENDPOINT_STRATEGY": "off",
        "S3_SKIP_SIGNATURE_VALIDATION": "0",  # a tampered presigned URL is refused, as in AWS
        "S3_SKIP_KMS_KEY_VALIDATION": "0",  # a key that does not exist is refused, as in AWS
        "SKIP_SSL_CERT_DOWNLOAD": "1",
        "DISABLE_EVENTS": "1",  # no usage statistics
        "DNS_ADDRESS": "0",  # no DNS server
        "OVERRIDE_IN_DOCKER": "0",  # in a container it would look for what only LocalStack's own image has
        **trail.environment(),
        "PYTHONUNBUFFERED": "1",
    }


def service_command(
    python: str,
    project: Path,
    port: int,
    environment: Mapping[str, str],
    debuggers: Debuggers | None = None,
) -> Command:
    """The service under gunicorn, in the role `smas-service`."""
    gunicorn = (python, "-m", "gunicorn", "-c", "service/gunicorn_config.py", "--bind", f"{LOOPBACK}:{port}")
    role = {**environment, "AWS_PROFILE": "smas-service"}
    if debuggers is None:
        return Command(SERVICE, (*gunicorn, "service.wsgi:app"), project, role)
    debugged = (*gunicorn, *development.ONE_PATIENT_WORKER, debuggers.service)
    return Command(
        SERVICE, development.reloading(project, debugged), project, development.environment(project, role)
    )


def worker_command(
    python: str, project: Path, environment: Mapping[str, str], debuggers: Debuggers | None = None
) -> Command:
    """The verifier, in the role `smas-worker`."""
    role = {**environment, "AWS_PROFILE": "smas-worker"}
    if debuggers is None:
        return Command(WORKER, (python, "-m", "service.worker"), project, role)
    debugged = (python, *debuggers.worker)
    return Command(
        WORKER, development.reloading(project, debugged), project, development.environment(project, role)
    )


def shipper_command(state: Path, environment: Mapping[str, str]) -> Command:
    """What ships the logs of service and worker, in the role `smas-shipper`."""
    return Command(
        SHIPPER,
        (sys.executable, "-m", "smas_emulator.log_shipper", str(state)),
        state,
        {**environment, "AWS_PROFILE": "smas-shipper"},
    )


def service_environment(inherited: Mapping[str, str], settings: Mapping[str, str]) -> dict[str, str]:
    """The environment of what is started beside LocalStack: the user's, but of no other AWS or store.

    Keys in the environment win over a profile in boto3, so a developer's own would be used, and a proxy would
    be asked for localhost.
    """
    foreign = ("AWS_", "SMAS_", "GUNICORN_", "MAKE")
    kept = {name: value for name, value in inherited.items() if not name.startswith(foreign)}
    return {**kept, **settings, **_no_proxy(inherited), "PYTHONUNBUFFERED": "1"}


def root_environment(endpoint: str, inherited: Mapping[str, str]) -> dict[str, str]:
    """What makes an AWS client the root of the local account, whatever profiles its user has."""
    return {
        "AWS_ENDPOINT_URL": endpoint,
        "AWS_DEFAULT_REGION": seed.REGION,
        "AWS_ACCESS_KEY_ID": seed.ROOT_ACCESS_KEY,
        "AWS_SECRET_ACCESS_KEY": seed.ROOT_SECRET_KEY,
        "AWS_CONFIG_FILE": os.devnull,
        "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
        "AWS_PAGER": "",
        **_no_proxy(inherited),
    }


def _no_proxy(inherited: Mapping[str, str]) -> dict[str, str]:
    direct = ",".join(filter(None, [inherited.get("NO_PROXY") or inherited.get("no_proxy"), _LOCAL_NAMES]))
    return {"NO_PROXY": direct, "no_proxy": direct}
