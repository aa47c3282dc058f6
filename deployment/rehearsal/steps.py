"""The steps of a rehearsal, in order. To add one: a function of `(Rehearsal, Say)`, and a line in `STEPS`."""

from __future__ import annotations

import os
import sys
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from http import HTTPStatus
from typing import TYPE_CHECKING, Final

from deployment import http
from deployment.errors import DeploymentError
from deployment.rehearsal import operations
from deployment.rehearsal.applied import NAME, bootstrapped
from deployment.rehearsal.emulators import free_port, stack
from deployment.rehearsal.gateway import run_through_the_gateway

if TYPE_CHECKING:
    from collections.abc import Callable

    from deployment.rehearsal.applied import Rehearsal

    Say = Callable[[str], None]

_MOST_URL_SECONDS: Final = 600
_LOG_DAYS: Final = 545


@dataclass(frozen=True, slots=True)
class Step:
    """A part of the rehearsal, which raises `DeploymentError` when something is not as it must be."""

    title: str
    run: Callable[[Rehearsal, Say], None]
    in_containers: bool = False


def bootstrap(rehearsed: Rehearsal, say: Say) -> None:
    """The state's bucket and the image's repository, by the script that makes them in AWS."""
    bootstrapped(rehearsed)
    say(f"the state is in s3://{NAME}-state-…; the image is {rehearsed.image.rpartition('/')[2][:30]}…")


def deploy(rehearsed: Rehearsal, say: Say) -> None:
    """`deploy`, whole: plan, apply, `/readyz`, and the canary's smoke test.

    In AWS the image's functions answer once it is applied. Here processes do, which know by Terraform's
    outputs what to do; so they are started when `deploy` begins to wait for them.
    """
    port = free_port()
    started: list[str] = []

    def heard(line: str) -> None:
        if line.startswith("not ready") and not started:
            outputs = rehearsed.write_outputs()
            made = len(rehearsed.terraform.resources())
            say(f"{made} resources applied; service and worker start with the {len(outputs)} outputs alone")
            started.append(stack(rehearsed.state, "up", "--port", str(port)))
        elif line.startswith("smoke test"):
            say(line.strip())

    rehearsed.command(
        "deploy", "--yes", f"--image={rehearsed.image}", f"--address=http://localhost:{port}", heard=heard
    )
    if not started:
        raise DeploymentError("`deploy` never waited for the store, so nothing was started to answer.")


def plan_again(rehearsed: Rehearsal, say: Say) -> None:
    """Whatever was applied is read back as it was written."""
    if rehearsed.plan():
        raise DeploymentError("The second plan is not empty: what was applied is read back differently.")
    say("no changes")


def image_behind_gateway(rehearsed: Rehearsal, say: Say) -> None:
    """The image's functions behind the emulated HTTP API, where a container engine runs them."""
    if rehearsed.containers is None:
        say(f"SKIPPED  functions from the image, behind the emulated HTTP API: {rehearsed.no_containers}")
        return
    run_through_the_gateway(rehearsed, rehearsed.containers, say)


def end_to_end(rehearsed: Rehearsal, say: Say) -> None:
    """The end-to-end suite, against the applied store."""
    foreign = ("AWS_", "SMAS_")
    environment = {name: value for name, value in os.environ.items() if not name.startswith(foreign)}
    environment |= {"SMAS_TEST_RUNTIME": "rehearsal", "SMAS_TEST_STATE": str(rehearsed.state)}
    program = [sys.executable, "-m", "pytest", "tests/e2e", "-p", "no:cacheprovider"]

    def heard(line: str) -> None:
        if line.startswith(("tests/e2e", "SKIPPED", "FAILED", "ERROR")):
            say(line.strip())

    rehearsed.listen(program, environment, heard)


def change_a_variable(rehearsed: Rehearsal, say: Say) -> None:
    """`deploy` with other variables: an update in place, and nothing beside it."""
    changed = rehearsed.state / "changed.tfvars"
    changed.write_text(f"url_seconds = {_MOST_URL_SECONDS}\nlog_days = {_LOG_DAYS}\n", encoding="utf-8")
    rehearsed.files.append(changed)
    before = set(rehearsed.terraform.state())
    rehearsed.apply()
    if set(rehearsed.terraform.state()) != before:
        raise DeploymentError("A changed variable made or took away things, and should have changed some.")
    function = rehearsed.client("lambda").get_function_configuration(FunctionName=f"{NAME}-api")
    seconds = function["Environment"]["Variables"]["SMAS_URL_SECONDS"]
    (group,) = rehearsed.client("logs").describe_log_groups(logGroupNamePrefix=f"/{NAME}/service")[
        "logGroups"
    ]
    if (seconds, group["retentionInDays"]) != (str(_MOST_URL_SECONDS), _LOG_DAYS):
        message = (
            f"The change did not arrive: SMAS_URL_SECONDS is {seconds}, retention {group['retentionInDays']}."
        )
        raise DeploymentError(message)
    rehearsed.write_outputs()
    stack(rehearsed.state, "up")
    settings = (rehearsed.state / "service.env").read_text(encoding="utf-8")
    if f"SMAS_URL_SECONDS={_MOST_URL_SECONDS}\n" not in settings:
        raise DeploymentError("The service was started anew without the changed setting.")
    say(f"URLs live for {seconds} s, logs for {group['retentionInDays']} days; the service runs with it")
    if rehearsed.plan():
        raise DeploymentError("After the change the plan is not empty.")
    say("no further changes")


def validate_trail(rehearsed: Rehearsal, say: Say) -> None:
    """AWS's own tool, unmodified, over all that the applied trail delivered."""
    url = f"{rehearsed.endpoints.ours}/_smas/cloudtrail/flush?digest=true"
    if http.request("POST", url).status != HTTPStatus.OK:
        raise DeploymentError("The trail did not deliver all that was recorded.")
    trail = rehearsed.terraform.outputs()["service_settings"]
    arn = trail["SMAS_TRAIL_ARN"] if isinstance(trail, dict) else ""
    since = (datetime.now(UTC) - timedelta(days=1)).strftime("%Y-%m-%dT%H:%M:%SZ")
    said = rehearsed.run(
        [
            "aws",
            "cloudtrail",
            "validate-logs",
            "--trail-arn",
            arn,
            "--start-time",
            since,
            "--region",
            "us-east-1",
        ]
    )
    results = [line.strip() for line in said.splitlines() if "valid" in line]
    if not results or any("INVALID" in line for line in results) or "0/0" in said:
        message = f"validate-logs says: {said.strip().splitlines()[-1]}"
        raise DeploymentError(message)
    for line in results:
        say(line)


def destroy_refused(rehearsed: Rehearsal, say: Say) -> None:
    """What Object Lock protects is not destroyed, and nothing else is either."""
    before = rehearsed.terraform.state()
    said = rehearsed.command("destroy", f"--confirm={NAME}", code=1)
    if rehearsed.terraform.state() != before:
        raise DeploymentError("`destroy` refused, and destroyed something all the same.")
    say(said.strip().splitlines()[-1])


def destroy(rehearsed: Rehearsal, say: Say) -> None:
    """All but what is locked, once somebody says so; a bucket with locked files stays as it is."""
    stack(rehearsed.state, "down", "--keep-aws")
    rehearsed.command("destroy", f"--confirm={NAME}", "--keep=locked")
    if left := rehearsed.terraform.state():
        message = f"After `destroy` the state still has {len(left)} things: {left[0]}, …"
        raise DeploymentError(message)
    buckets = sorted(bucket["Name"] for bucket in rehearsed.client("s3").list_buckets()["Buckets"])
    say(f"the state is empty; left are {', '.join(buckets)}")


STEPS: Final = (
    Step("bootstrap", bootstrap),
    Step("deploy", deploy),
    Step("second plan", plan_again),
    Step("the image behind the gateway", image_behind_gateway, in_containers=True),
    Step("access review", operations.access_review),
    Step("off-boarding", operations.off_boarding),
    Step("restore", operations.restore),
    Step("failover", operations.failover),
    Step("end-to-end tests", end_to_end),
    Step("change a variable", change_a_variable),
    Step("validate the trail", validate_trail),
    Step("destroy is refused", destroy_refused),
    Step("destroy", destroy),
)
