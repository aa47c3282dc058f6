"""The functions that were applied to MiniStack, and what AWS would do for them and MiniStack does not."""

from __future__ import annotations

import json
import os
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any, Final

import boto3
from botocore.config import Config

from deployment import http
from deployment.errors import DeploymentError
from deployment.rehearsal.endpoints import ACCESS_KEY, SECRET_KEY

if TYPE_CHECKING:
    from collections.abc import Mapping

    from deployment.rehearsal.applied import Rehearsal

NAMES: Final = ("api", "verifier")
# Where our local AWS hands out what Lambda gets by AssumeRole (emulator/smas_emulator/function_session.py).
_SESSIONS: Final = "/_smas/functions"
_TOKEN: Final = "functions.token"  # noqa: S105 - the name of a file
# What PutLogEvents takes at once.
_MOST_EVENTS: Final = 1000


@dataclass(frozen=True)
class AppliedFunctions:
    """By their names in infra/lambda.tf, with the API's id and Terraform's outputs."""

    rehearsal: Rehearsal
    outputs: Mapping[str, Any]
    functions: Mapping[str, Mapping[str, Any]]
    api_id: str

    @classmethod
    def of(cls, rehearsal: Rehearsal) -> AppliedFunctions:
        """What Terraform's state says."""
        made = {each.address: each.values for each in rehearsal.terraform.resources()}
        functions = {name: made[f"aws_lambda_function.{name}"] for name in NAMES}
        api = str(made["aws_apigatewayv2_api.store"]["id"])
        return cls(rehearsal, rehearsal.terraform.outputs(), functions, api)

    @property
    def url(self) -> str:
        """The API's address; its path names the API: no resolver here knows the host name in the outputs."""
        return f"{self.rehearsal.endpoints.ministack}/_aws/execute-api/{self.api_id}/$default"

    def variables(self) -> dict[str, dict[str, str]]:
        """By function: where AWS is, and its role's credentials, which Lambda puts there too."""
        ours, settings = self.rehearsal.endpoints.ours, self.outputs["service_settings"]
        cognito = f"https://cognito-idp.{settings['AWS_REGION']}.amazonaws.com"
        addresses = {
            "api": {
                "SMAS_PUBLIC_URL": self.url,
                "SMAS_JWKS_URL": settings["SMAS_JWKS_URL"].replace(cognito, ours),
            },
            "verifier": {},
        }
        return {
            self.functions[name]["function_name"]: {
                "AWS_ENDPOINT_URL": ours,
                **addresses[name],
                **self._sessions[name].environment(),
            }
            for name in NAMES
        }

    def invoke(self, name: str, event: Mapping[str, Any]) -> str | None:
        """Call a function and wait for its end: None, or its error."""
        function = self.functions[name]["function_name"]
        ended = self._ministack("lambda").invoke(FunctionName=function, Payload=json.dumps(event).encode())
        return ended["Payload"].read().decode() if ended.get("FunctionError") else None

    def invocations(self) -> int:
        """How often the API's function was called so far."""
        return sum(each["message"].startswith("START RequestId") for each in self._written("api"))

    def hand_logs_on(self) -> None:
        """Write what functions wrote where their log groups are, in their roles, as Lambda does.

        The watch looks there for what the service said of the sessions that it began.
        """
        for name in NAMES:
            lines = [each for each in self._written(name) if each["message"].startswith("{")]
            if not lines:
                continue
            logs = self._sessions[name].client("logs", self.rehearsal.endpoints.ours, self.outputs)
            stream = {
                "logGroupName": self._log_group(name),
                "logStreamName": f"rehearsal-{os.urandom(8).hex()}",
            }
            logs.create_log_stream(**stream)
            for first in range(0, len(lines), _MOST_EVENTS):
                events = [
                    {"timestamp": each["timestamp"], "message": each["message"]}
                    for each in lines[first : first + _MOST_EVENTS]
                ]
                logs.put_log_events(**stream, logEvents=events)

    def _written(self, name: str) -> list[dict[str, Any]]:
        group = self._log_group(name)
        logs = self._ministack("logs")
        if not logs.describe_log_groups(logGroupNamePrefix=group)["logGroups"]:
            return []
        pages = logs.get_paginator("filter_log_events").paginate(logGroupName=group)
        return sorted((each for page in pages for each in page["events"]), key=lambda each: each["timestamp"])

    def _log_group(self, name: str) -> str:
        return str(self.functions[name]["logging_config"][0]["log_group"])

    def _ministack(self, service: str) -> Any:
        return _client(service, self.rehearsal.endpoints.ministack, self.outputs, ACCESS_KEY, SECRET_KEY)

    @cached_property
    def _sessions(self) -> dict[str, _Session]:
        return {name: self._session(self.functions[name]["role"].rpartition("/")[2]) for name in NAMES}

    def _session(self, role: str) -> _Session:
        token = (self.rehearsal.state / _TOKEN).read_text(encoding="ascii")
        url = f"{self.rehearsal.endpoints.ours}{_SESSIONS}/{role}"
        answer = http.request("POST", url, data=b"", headers={"Authorization": token})
        if answer.status != 200:  # noqa: PLR2004
            message = f"There is no session of {role} for its function: {answer.words}."
            raise DeploymentError(message)
        keys = answer.json()
        return _Session(keys["AccessKeyId"], keys["SecretAccessKey"], keys["SessionToken"])


@dataclass(frozen=True, slots=True)
class _Session:
    key: str
    secret: str
    token: str

    def environment(self) -> dict[str, str]:
        """https://docs.aws.amazon.com/lambda/latest/dg/configuration-envvars.html."""
        return {
            "AWS_ACCESS_KEY_ID": self.key,
            "AWS_SECRET_ACCESS_KEY": self.secret,
            "AWS_SESSION_TOKEN": self.token,
        }

    def client(self, service: str, endpoint: str, outputs: Mapping[str, Any]) -> Any:
        return _client(service, endpoint, outputs, self.key, self.secret, self.token)


def _client(
    service: str, endpoint: str, outputs: Mapping[str, Any], key: str, secret: str, token: str | None = None
) -> Any:
    return boto3.client(  # type: ignore[call-overload]
        service,
        endpoint_url=endpoint,
        region_name=outputs["service_settings"]["AWS_REGION"],
        aws_access_key_id=key,
        aws_secret_access_key=secret,
        aws_session_token=token,
        # A verification may take long, and is not to be asked for twice.
        config=Config(proxies={}, read_timeout=120, retries={"total_max_attempts": 1}),
    )
