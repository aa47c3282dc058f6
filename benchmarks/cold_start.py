"""A Lambda function from the start of its process to its first answer, and what each later one costs.

Each run starts functions under Lambda's own runtime client, one after the other: the API, which checks tokens
and holds clients of S3 and STS when it answers; one that only imports flask and boto3; one that also makes
those clients. These are asked for `/healthz`. Then the API again, whose first request is a download (key set,
token, AssumeRole, records, URL), and one that makes the same reads of S3 and presigns by boto3, both over an
AWS that answers at once. Where a container engine answers, the same is measured inside the image
(SMAS_TEST_IMAGE, or built for it).

The bridge is measured in this process: the same request through it, less the application alone.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from typing import TYPE_CHECKING, Any, Final
from uuid import uuid4

from flask import Flask
from werkzeug.test import EnvironBuilder

from benchmarks.figures import Figure, Report, columns
from benchmarks.first_answers import EVENT
from benchmarks.stack import REPOSITORY, BenchmarkError
from service.aws_lambda.http import HttpFunction
from service.aws_lambda.invocation import InvocationIds

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from benchmarks.progress import Say

TITLE = "Lambda functions: from the start of the process to the first answer, and steady"
TARGET = 1.25
_MIB: Final = 1 << 20
_ROUNDS, _CALLS = 20, 200
_NOWHERE: Final = "http://127.0.0.1:9"
# Whole; a start asks nobody.
_SETTINGS: Final = {
    "AWS_ACCESS_KEY_ID": "none",
    "AWS_SECRET_ACCESS_KEY": "none",
    "AWS_REGION": "eu-central-1",
    "SMAS_BUCKET": "smas-models",
    "SMAS_CLIENT_IDS": "people",
    "SMAS_ISSUER": "https://issuer.example.org",
    "SMAS_JWKS_URL": f"{_NOWHERE}/.well-known/jwks.json",
    "SMAS_LOG_GROUP": "/smas/service",
    "SMAS_METADATA_KEY_ARN": "arn:aws:kms:eu-central-1:000000000000:key/none",
    "SMAS_PEOPLE_CLIENT_ID": "people",
    "SMAS_PUBLIC_URL": "https://models.example.org",
    "SMAS_ROLE_PREFIX": "arn:aws:iam::000000000000:role/smas-",
    "SMAS_TRAIL_ARN": "arn:aws:cloudtrail:eu-central-1:000000000000:trail/smas",
    "SMAS_TRAIL_BUCKET": "smas-trail",
}


def measure(runs: int, say: Say) -> Report:
    """Seconds, ratios, milliseconds an invocation, MiB; natively and in the image; the bridge in µs."""
    figures = []
    with tempfile.TemporaryDirectory(prefix="smas-bench-") as bytecode:
        environment = {
            "PATH": os.environ["PATH"],
            "PYTHONPATH": str(REPOSITORY),
            "PYTHONPYCACHEPREFIX": bytecode,
            "PYTHONSAFEPATH": "1",
            **_SETTINGS,
        }
        program = [sys.executable, "-m", "benchmarks.first_answers", str(runs)]
        figures += _figures("native", _measured(program, environment))
    say("natively: done")
    image = _image()
    if image:
        figures += _figures("image", _measured(_in_container(image, runs), {**os.environ, **_SETTINGS}))
        say(f"in {image}: done")
    else:
        say("no container engine answers: not measured in the image")
    figures.append(Figure("bridge, an invocation", "µs", tuple(_bridge() for _ in range(runs))))
    return Report("cold-start", TITLE, tuple(figures))


def _figures(where: str, runs: Sequence[Sequence[float]]) -> list[Figure]:
    ours, plain, ratio, ratio_of_computing, clients, ratio_to_clients, *rest = columns(runs)
    download, ratio_of_first, first_in_computing, plain_download, ratio_of_downloads, *steady = rest
    milliseconds, early, late = steady
    return [
        Figure(f"{where}: the API", "s", ours),
        Figure(f"{where}: flask and boto3 alone", "s", plain),
        Figure(f"{where}: the API / flask and boto3", "×", ratio, TARGET),
        Figure(f"{where}: the same in processor time", "×", ratio_of_computing),
        Figure(f"{where}: flask, boto3, its S3 and STS clients", "s", clients),
        Figure(f"{where}: the API / those", "×", ratio_to_clients),
        Figure(f"{where}: a download", "s", download),
        Figure(f"{where}: a download / flask and boto3", "×", ratio_of_first),
        Figure(f"{where}: a download / those in processor time", "×", first_in_computing),
        Figure(f"{where}: boto3, the same reads and a URL", "s", plain_download),
        Figure(f"{where}: a download / boto3", "×", ratio_of_downloads),
        Figure(f"{where}: an invocation, warm", "ms", milliseconds),
        Figure(f"{where}: memory after 200 invocations", "MiB", tuple(each / _MIB for each in early)),
        Figure(f"{where}: memory after 2,000", "MiB", tuple(each / _MIB for each in late)),
    ]


def _measured(command: Sequence[str], environment: Mapping[str, str]) -> list[list[float]]:
    ended = subprocess.run(
        command, cwd=REPOSITORY, env=dict(environment), capture_output=True, text=True, check=False
    )
    if ended.returncode:
        message = f"Measuring starts failed: {ended.stderr.strip()[-500:]}"
        raise BenchmarkError(message)
    return list(json.loads(ended.stdout))


def _image() -> str | None:
    """The image to measure, built if need be; None where no engine answers."""
    docker = shutil.which("docker")
    if not docker or subprocess.run([docker, "version"], capture_output=True, check=False).returncode:
        return None
    given = os.environ.get("SMAS_TEST_IMAGE")
    if given:
        return given
    base = os.environ.get("SMAS_TEST_BASE_IMAGE")
    options = ["--build-arg", f"BASE={base}"] if base else []
    built = subprocess.run(
        [docker, "build", "--quiet", *options, "."],
        cwd=REPOSITORY,
        capture_output=True,
        text=True,
        check=False,
    )
    if built.returncode:
        message = f"The image could not be built: {built.stderr.strip()[-500:]}"
        raise BenchmarkError(message)
    return built.stdout.split()[-1]


def _in_container(image: str, runs: int) -> list[str]:
    """The same program inside the image, with this repository's tests and benchmarks beside the service."""
    variables = [part for name in _SETTINGS for part in ("--env", name)]
    return [
        *("docker", "run", "--rm", "--name", f"smas-bench-{uuid4().hex[:12]}", "--network", "none"),
        *("--read-only", "--tmpfs", "/tmp"),  # noqa: S108 - the container's own
        *(
            "--volume",
            f"{REPOSITORY}:/repository:ro",
            "--env",
            "PYTHONPATH=/srv:/repository",
        ),  # the image's own service comes first
        *variables,
        *(image, "python", "-m", "benchmarks.first_answers", str(runs)),
    ]


class _Context:
    aws_request_id = "5f7a1c1e-0000-4000-8000-000000000003"

    def get_remaining_time_in_millis(self) -> int:
        return 30_000


def _bridge() -> float:
    """Microseconds that the bridge adds to a request."""
    app = Flask("measured", static_folder=None)

    @app.route("/healthz")
    def healthz() -> dict[str, str]:
        return {"status": "ok"}

    event: dict[str, Any] = json.loads(EVENT.read_text(encoding="utf-8"))
    through, context = HttpFunction(app, InvocationIds()), _Context()
    environ = EnvironBuilder(path="/healthz").get_environ()
    through(event, context)

    def bridged() -> None:
        through(event, context)

    def alone() -> None:
        b"".join(app(dict(environ), lambda *_: lambda _: None))

    # In turn, and the best of each: what else the machine does only ever adds.
    pairs = [(_microseconds(bridged), _microseconds(alone)) for _ in range(_ROUNDS)]
    return min(first for first, _ in pairs) - min(second for _, second in pairs)


def _microseconds(call: Callable[[], None]) -> float:
    begun = time.perf_counter()
    for _ in range(_CALLS):
        call()
    return (time.perf_counter() - begun) / _CALLS * 1e6
