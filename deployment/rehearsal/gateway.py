"""The store as it stands in AWS: the HTTP API with its authorizer, and functions that run from the image.

The image runs in containers (`function_containers`), the API is MiniStack's, all that is behind is our own
local AWS. Who has no good token is refused before a function runs; a canary of the user pool signs `smas` in,
pushes a model, and pulls it again once the verifier's function has verified it.
"""

from __future__ import annotations

import filecmp
import json
import os
import secrets
import sys
import tempfile
from http import HTTPStatus
from pathlib import Path
from typing import TYPE_CHECKING, Final

from deployment import canary, http, programs, readiness
from deployment.errors import DeploymentError
from deployment.rehearsal.applied_functions import AppliedFunctions
from deployment.rehearsal.bad_tokens import changed, of_another_client

if TYPE_CHECKING:
    from collections.abc import Callable

    from deployment.rehearsal.applied import Rehearsal
    from deployment.rehearsal.function_containers import FunctionContainers

_PATIENCE_SECONDS: Final = 120.0
# https://docs.aws.amazon.com/eventbridge/latest/ref/overiew-event-structure.html: what the rule in
# infra/lambda.tf has EventBridge send each minute.
_THE_SCHEDULE: Final = {
    "version": "0",
    "source": "aws.events",
    "detail-type": "Scheduled Event",
    "detail": {},
}
# What an HTTP API says, and no answer of the service is like; every answer of the service has a request id.
_OF_THE_GATEWAY: Final = {"message": "Unauthorized"}
_NONE: Final = "none"
_MODEL: Final = "canary/through-the-gateway"
# More than one part, so that parts are uploaded too.
_LARGE: Final = 20 << 20


def run_through_the_gateway(
    rehearsal: Rehearsal, containers: FunctionContainers, say: Callable[[str], None]
) -> None:
    """Push and pull by `smas` through the emulated HTTP API; `DeploymentError` at what is not as in AWS."""
    functions = AppliedFunctions.of(rehearsal)
    containers.give(functions.variables())
    with containers.reaching(rehearsal.endpoints.ours):
        _through(functions, say)
    functions.hand_logs_on()


def _through(functions: AppliedFunctions, say: Callable[[str], None]) -> None:
    advice = "What the function wrote is in MiniStack's log."
    took = readiness.wait_ready(functions.url, advice, say, seconds=_PATIENCE_SECONDS, poll=1.0)
    say(f"the API's function runs from the image; {functions.url}/readyz is 200 after {took:.1f} s")
    outputs, cognito = functions.outputs, functions.rehearsal.client("cognito-idp")
    with canary.signed_in(cognito, outputs["user_pool_id"], outputs["canary_client_id"]) as token:
        require_authorizer(functions, token, say)
        require_open_routes(functions, say)
        with tempfile.TemporaryDirectory(prefix="smas-gateway-") as home:
            _push_and_pull(functions, Path(home), token, say)


def require_authorizer(functions: AppliedFunctions, token: str, say: Callable[[str], None]) -> None:
    """On /v1 the gateway refuses, and calls no function; a good token passes."""
    url = f"{functions.url}/v1/whoami"
    before = functions.invocations()
    cognito, ours = functions.rehearsal.client("cognito-idp"), functions.rehearsal.endpoints.ours
    with of_another_client(cognito, ours, functions.outputs["user_pool_id"]) as stranger:
        bad = {
            "no token at all": None,
            **changed(token),
            "a good token of a client that the store does not know": stranger,
        }
        for what, given in bad.items():
            answer = _ask(url, given)
            if answer.status != HTTPStatus.UNAUTHORIZED or answer.json() != _OF_THE_GATEWAY:
                message = (
                    f"The gateway's authorizer did not refuse {what}: GET {url} was answered {answer.words}."
                )
                raise DeploymentError(message)
    if functions.invocations() != before:
        raise DeploymentError("A function was called although the gateway's authorizer refused the token.")
    say(f"401 from the gateway's authorizer, and no function called, for {', '.join(bad)}")
    answer = _ask(url, token)
    if answer.status != HTTPStatus.OK or functions.invocations() != before + 1:
        message = f"The gateway did not let a good token through: GET {url} was answered {answer.words}."
        raise DeploymentError(message)


def require_open_routes(functions: AppliedFunctions, say: Callable[[str], None]) -> None:
    """Below /hf the service itself answers who has no token; where there is no route, the gateway does."""
    answer = _ask(f"{functions.url}/hf/api/whoami-v2", None)
    if answer.request_id == _NONE:
        message = f"/hf without a token did not reach the service: the gateway answers {answer.words}."
        raise DeploymentError(message)
    say(f"/hf without a token reaches the service, which answers {answer.words}")
    answer = _ask(f"{functions.url}/elsewhere", None)
    if answer.status != HTTPStatus.NOT_FOUND or answer.request_id != _NONE:
        message = f"A path without a route reached the service: {answer.words}."
        raise DeploymentError(message)


def _ask(url: str, token: str | None) -> http.Answer:
    try:
        return http.request("GET", url, headers={"Authorization": f"Bearer {token}"} if token else {})
    except http.Unreachable as error:
        message = f"The emulated gateway: {error}."
        raise DeploymentError(message) from error


def _push_and_pull(functions: AppliedFunctions, home: Path, token: str, say: Callable[[str], None]) -> None:
    model, pulled = home / "model", home / "pulled"
    _write_model(model)
    smas = _Smas(home)
    said = smas.run("login", functions.url, "--token", "-", stdin=f"{token}\n")
    say(said.splitlines()[-1])
    said = smas.run("push", str(model), _MODEL, "--no-wait")
    version = said.splitlines()[-1]
    failed = functions.invoke("verifier", _THE_SCHEDULE)
    if failed:
        message = f"The verifier's function broke off: {failed}."
        raise DeploymentError(message)
    say("the verifier's function runs from the image, too: it swept as on its schedule")
    smas.run("pull", version, str(pulled))
    files = sorted(str(each.relative_to(model)) for each in model.rglob("*") if each.is_file())
    same, different, missing = filecmp.cmpfiles(model, pulled, files, shallow=False)
    if different or missing:
        message = f"{version} came back with other bytes than were pushed: {different + missing}."
        raise DeploymentError(message)
    size = sum((model / each).stat().st_size for each in files)
    say(f"smas pushed {version} and pulled it, once verified: {len(same)} files, {size:,} bytes, the same")


def _write_model(folder: Path) -> None:
    """A model as it comes from training: small files beside a large one, one name that needs encoding."""
    (folder / "tokenizer").mkdir(parents=True)
    (folder / "config.json").write_text(json.dumps({"architectures": ["Rehearsed"]}))
    (folder / "tokenizer" / "ä 100%20.txt").write_text("vocabulary")
    (folder / "model.safetensors").write_bytes(_safetensors(secrets.token_bytes(_LARGE)))


def _safetensors(weights: bytes) -> bytes:
    about = {"weight": {"dtype": "U8", "shape": [len(weights)], "data_offsets": [0, len(weights)]}}
    header = json.dumps(about).encode()
    return len(header).to_bytes(8, "little") + header + weights


class _Smas:
    """`smas`, as one user of one machine runs it."""

    def __init__(self, home: Path) -> None:
        kept = {name: value for name, value in os.environ.items() if not name.startswith(("AWS_", "SMAS_"))}
        own = {"HOME": str(home), "SMAS_CONFIG": str(home / "config"), "SMAS_CACHE": str(home / "cache")}
        self._environment = {**kept, **own}

    def run(self, *arguments: str, stdin: str = "") -> str:
        """What a command that has to succeed prints."""
        command = [sys.executable, "-m", "smas", *arguments]
        ended = programs.ask(command, self._environment, stdin=stdin, seconds=_PATIENCE_SECONDS)
        if ended.code != 0:
            message = (
                f"smas {arguments[0]} failed behind the gateway: {ended.errors.strip() or ended.last_words}"
            )
            raise DeploymentError(message)
        return ended.output.strip()
