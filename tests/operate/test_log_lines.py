"""Every mode, harmed in every way: each line of stdout and stderr is one record in JSON."""

from __future__ import annotations

import signal
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.image.function import FunctionFailed, LambdaFunction
from tests.local_aws import free_port
from tests.operate.processes import GUNICORN, WORKER, Process, Service, environment

if TYPE_CHECKING:
    from tests.operate.aws import Aws

NOWHERE = "http://127.0.0.1:9"
HARMFUL = "tests.operate.harmful"


def without_bucket() -> dict[str, str]:
    """Settings of which one is missing."""
    settings = environment(NOWHERE)
    del settings["SMAS_BUCKET"]
    return settings


def test_the_service_from_start_to_end(aws: Aws, token: str) -> None:
    """The words of gunicorn, too: starting, replacing workers, a killed one, ending."""
    with Service(aws) as service:
        assert service.get("/v1/models", token).status == 200
        before = {child.pid for child in service.children()}
        service.popen.send_signal(signal.SIGHUP)
        service.until(
            lambda: len(service.children()) == 2 and not before & {c.pid for c in service.children()}
        )
        service.children()[0].kill()
        service.until_said("SIGKILL")
        service.until(lambda: len(service.children()) == 2)
        assert service.stopped() == 0
        said = {line["message"].partition(" (")[0] for line in service.lines()}
        assert {
            "Starting gunicorn 27.0.1",
            "request",
            "Handling signal: hup",
            "Shutting down: Master",
        } <= said


@pytest.mark.parametrize("config", ["python:service.gunicorn_config", "service/gunicorn_config.py"])
def test_a_service_without_a_setting_does_not_start(config: str) -> None:
    """One sentence says what is missing, and it ends at once with 1, before anything listens."""
    command = (*GUNICORN[:3], "-c", config, "--bind", f"127.0.0.1:{free_port()}", "service.wsgi:app")
    with Process(command, without_bucket()) as service:
        assert service.ended() == 1
        (line,) = [line for line in service.lines() if line["level"] != "INFO"]
        assert line["level"] == "CRITICAL"
        assert line["message"] == "The service cannot start: SMAS_BUCKET is missing."


def test_a_service_without_workers_does_not_start() -> None:
    """Else it would take connections, and answer none."""
    command = (*GUNICORN, "--bind", f"127.0.0.1:{free_port()}", "service.wsgi:app")
    with Process(command, {**environment(NOWHERE), "WEB_CONCURRENCY": "0"}) as service:
        assert service.ended(20) == 1
        (line,) = [line for line in service.lines() if line["level"] != "INFO"]
        assert line["message"] == "The service cannot start: WEB_CONCURRENCY must be 1 or more, not 0."


def test_another_server_without_a_setting_does_not_start() -> None:
    """Whatever imports what gunicorn serves is told the same."""
    with Process((sys.executable, "-c", "import service.wsgi"), without_bucket()) as service:
        assert service.ended() == 1
        (line,) = service.lines()
        assert line["message"] == "The service cannot start: SMAS_BUCKET is missing."


def test_a_worker_without_a_setting_does_not_start() -> None:
    """As the service."""
    with Process(WORKER, without_bucket()) as worker:
        assert worker.ended() == 1
        (line,) = worker.lines()
        assert (line["level"], line["message"]) == (
            "CRITICAL",
            "The worker cannot start: SMAS_BUCKET is missing.",
        )


def test_a_service_that_cannot_be_imported() -> None:
    """The traceback is one record; gunicorn gives up instead of trying for ever."""
    command = (*GUNICORN, "--bind", f"127.0.0.1:{free_port()}", f"{HARMFUL}:app")
    with Process(command, {**environment(NOWHERE), "HARM": "import", "WEB_CONCURRENCY": "1"}) as service:
        assert service.ended() == 3
        lines = service.lines()
        (failed,) = [line for line in lines if line.get("exc_info")]
        assert "ValueError: harm\nin two lines" in failed["exc_info"]
        assert any("harm at import" in line["message"] for line in lines if line["logger"] == "py.warnings")


def test_an_address_that_is_taken(aws: Aws) -> None:
    """Somebody else listens there: it says so and ends with 1."""
    address = aws.url.removeprefix("http://")
    with Process((*GUNICORN, "--bind", address, "service.wsgi:app"), environment(NOWHERE)) as service:
        assert service.ended() == 1
        assert any("in use" in line["message"] for line in service.lines())


# What is said of each harm, and by which logger.
SAID = {
    "warning": ("harm\nin two lines", "py.warnings"),
    "thread": ("a thread ends by an exception", "service.logs"),
    "print": ("harm without an end", "stdout"),
    "traceback": ("ValueError: harm", "stderr"),
    "unraisable": ("an exception nobody can handle", "service.logs"),
    "log-call": ("a log record that cannot be formatted", "harmful"),
    "secret": ("[removed]", "stdout"),
    "exception": ("failed outside the service", "service.request"),
    "exit": ("failed outside the service", "service.request"),
}


def test_whatever_is_done_within_a_service(aws: Aws) -> None:
    """Warnings, threads that fail, prints, exceptions: all are records, and secrets leave none of them."""
    with Service(aws, workers=1, app=f"{HARMFUL}:app") as service:
        for harm in SAID:
            expected = 500 if harm in {"exception", "exit"} else 200
            assert service.get(f"/{harm}").status == expected, harm
        assert service.stopped() == 0
        said = [(line["message"], line["logger"]) for line in service.lines()]
        for harm, (text, logger) in SAID.items():
            assert any(text in message and logger == name for message, name in said), harm
        assert "opaque-0123456789" not in service.output()


def test_whatever_is_done_within_a_worker() -> None:
    """Its threads may fail, and in the end all of it: one record each, and it does not end with 0."""
    with Process((sys.executable, "-m", HARMFUL), {**environment(NOWHERE), "HARM": "exception"}) as worker:
        assert worker.ended() == 1
        lines = worker.lines()
        assert [line["level"] for line in lines].count("CRITICAL") == 1
        assert lines[-1]["message"] == "the process ends by an exception"
        assert {"py.warnings", "stdout", "stderr", "service.logs"} <= {line["logger"] for line in lines}


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="a device that is always full is Linux's")
def test_a_log_that_cannot_be_written_stops_nobody(aws: Aws, token: str) -> None:
    """As on a full disk: requests are answered all the same."""
    with Path("/dev/full").open("wb") as full, Service(aws, workers=1, output=full) as service:
        assert service.get("/v1/models", token).status == 200
        assert service.get("/nowhere").status == 404
        assert service.stopped() == 0


def test_a_worker_whose_queue_cannot_be_had(aws: Aws) -> None:
    """It says so and goes on trying."""
    with aws.without("sqs", "fails"), Process(WORKER, environment(aws.url)) as worker:
        worker.until_said("no messages to be had")
        assert worker.stopped() == 0
        assert {line["level"] for line in worker.lines()} == {"INFO", "WARNING"}


@pytest.mark.runtime_client
@pytest.mark.parametrize("name", ["api", "verifier"])
def test_a_function_without_a_setting(name: str) -> None:
    """Lambda's runtime client says so in JSON, too, in keys of its own."""
    with LambdaFunction(f"service.lambda_handler.{name}", without_bucket()) as function:
        with pytest.raises(FunctionFailed, match="SMAS_BUCKET is missing"):
            function.wait_until_initialised()
        lines = function.log_lines()
        assert all({"level"} < line.keys() for line in lines)
        assert any(line.get("errorType") == "SettingsError" for line in lines)


@pytest.mark.runtime_client
def test_a_function_that_is_invoked_with_nonsense() -> None:
    """The failed invocation is one line."""
    with LambdaFunction("service.lambda_handler.api", environment(NOWHERE)) as function:
        assert function.invoke({"odd": 1}).error_type is not None
        assert all({"level"} < line.keys() for line in function.log_lines())
