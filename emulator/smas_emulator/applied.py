"""The settings of service and worker over a local AWS that Terraform has provisioned.

They are Terraform's outputs and nothing else, but for where things answer here: AWS itself, the key set of
the user pool, and the service. The processes get their roles as functions do in Lambda (`function_session`),
so the roles keep the trust that they are deployed with.
"""

from __future__ import annotations

import json
import shlex
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from smas_emulator import seed
from smas_emulator.errors import StackError
from smas_emulator.state import env_file, write_private
from smas_emulator.user_pool import provision_users

if TYPE_CHECKING:
    from collections.abc import Mapping

    from smas_emulator.state import StateDirectory

# The machine among the outputs' `machine_client_ids` whose credentials `stack.json` has.
MACHINE = "deployer-fraud"


@dataclass(frozen=True, slots=True)
class Applied:
    """Terraform's outputs, by name, and where the local AWS that they were applied to answers."""

    outputs: Mapping[str, Any]
    endpoint: str

    def settings(self, program: str, service_url: str) -> dict[str, str]:
        """The settings of `service` or `worker`: what is set to nothing is left out."""
        given = {name: value for name, value in self.outputs[f"{program}_settings"].items() if value}
        if "SMAS_PUBLIC_URL" in given:
            given["SMAS_PUBLIC_URL"] = service_url
            given["SMAS_JWKS_URL"] = given["SMAS_JWKS_URL"].replace(
                f"https://cognito-idp.{given['AWS_REGION']}.amazonaws.com", self.endpoint
            )
        return {**given, "AWS_ENDPOINT_URL": self.endpoint}


def read_outputs(state: StateDirectory) -> dict[str, Any] | None:
    """The outputs that this state directory is configured by, or None: it provisions for itself."""
    if not state.outputs.exists():
        return None
    return dict(json.loads(state.outputs.read_text(encoding="utf-8")))


def write_applied_settings(state: StateDirectory, applied: Applied, service_url: str) -> None:
    """Write the files that `write_settings` writes, and `worker.env`: here the two differ."""
    files = {
        "AWS_CONFIG_FILE": str(state.aws_config),
        "AWS_SHARED_CREDENTIALS_FILE": str(state.aws_credentials),
    }
    service = applied.settings("service", service_url) | files
    worker = applied.settings("worker", service_url) | files
    write_private(state.aws_credentials, "")
    write_private(state.aws_config, function_profiles(state, applied))
    write_private(state.service_env, env_file(service))
    write_private(state.worker_env, env_file(worker))
    description = json.dumps(describe(applied, service_url), indent=2)
    write_private(state.stack_json, description + "\n")


def function_profiles(state: StateDirectory, applied: Applied) -> str:
    """boto3's profiles `smas-service` and `smas-worker`: a program gets sessions of the functions' roles."""
    role_prefix = applied.outputs["service_settings"]["SMAS_ROLE_PREFIX"]
    lines = []
    for name in ("service", "worker"):
        role = f"{role_prefix}{name}".rpartition("/")[2]
        command = [sys.executable, "-m", "smas_emulator.function_session", applied.endpoint, role]
        lines += [
            f"[profile smas-{name}]",
            f"credential_process = {shlex.join([*command, str(state.functions_token)])}",
            f"region = {applied.outputs['service_settings']['AWS_REGION']}",
            "",
        ]
    return "\n".join(lines)


def describe(applied: Applied, service_url: str) -> dict[str, Any]:
    """The content of `stack.json`, as `stack_description` has it."""
    service, worker = applied.outputs["service_settings"], applied.outputs["worker_settings"]
    pool = applied.outputs["user_pool_id"]
    machine = applied.outputs["machine_client_ids"][MACHINE]
    cognito = _root(applied, "cognito-idp")
    client = cognito.describe_user_pool_client(UserPoolId=pool, ClientId=machine)["UserPoolClient"]
    return {
        "service_url": service_url,
        "aws_endpoint": applied.endpoint,
        "region": service["AWS_REGION"],
        "account": seed.ACCOUNT,
        "bucket": service["SMAS_BUCKET"],
        "metadata_key_arn": service["SMAS_METADATA_KEY_ARN"],
        "events_queue_url": worker["SMAS_EVENTS_QUEUE_URL"],
        "issuer": service["SMAS_ISSUER"],
        "jwks_url": applied.settings("service", service_url)["SMAS_JWKS_URL"],
        "token_url": f"{applied.endpoint}/oauth2/token",
        "user_pool_id": pool,
        "people_client_id": service["SMAS_PEOPLE_CLIENT_ID"],
        "machine_client_id": machine,
        "machine_client_secret": client["ClientSecret"],
        "users": [user.name for user in seed.LOCAL_USERS],
        "password": seed.LOCAL_PASSWORD,
    }


def seed_people(applied: Applied) -> None:
    """Make sure that the local users exist in the applied pool, in the groups that Terraform made."""
    try:
        provision_users(_root(applied, "cognito-idp"), applied.outputs["user_pool_id"])
    except (ClientError, BotoCoreError) as error:
        msg = f"The users could not be made in the applied user pool: {error}"
        raise StackError(msg) from error


def _root(applied: Applied, service: str) -> Any:
    return boto3.client(  # type: ignore[call-overload]
        service,
        endpoint_url=applied.endpoint,
        region_name=seed.REGION,
        aws_access_key_id=seed.ROOT_ACCESS_KEY,
        aws_secret_access_key=seed.ROOT_SECRET_KEY,
        config=Config(proxies={}),
    )
