"""`make invoke`: an event by hand."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from tests.image.events import EVENTS
from tests.image.invoke import main

if TYPE_CHECKING:
    from pathlib import Path

    from tests.local_aws import LocalStack


def test_without_a_stack_it_says_how_to_start_one(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """One sentence, on stderr."""
    assert main([str(EVENTS / "upload_event.json"), "--state", str(tmp_path)]) == 1
    printed = capsys.readouterr()
    assert printed.out == ""
    assert printed.err == "The local stack is not running; start it with `make up`.\n"


@pytest.mark.local_aws
@pytest.mark.runtime_client
def test_the_answer_alone_is_on_stdout(local_aws: LocalStack, capfd: pytest.CaptureFixture[str]) -> None:
    """With a token of the user that the event asks for; the function's log is on stderr."""
    assert main([str(EVENTS / "upload_event.json"), "--state", str(local_aws.state)]) == 0
    printed = capfd.readouterr()
    answer = json.loads(printed.out)
    assert answer["statusCode"] == 200
    (file,) = json.loads(answer["body"])["files"]
    assert file["state"] in {"single", "stored"}
    assert '"logger": "service.request"' in printed.err


@pytest.mark.local_aws
@pytest.mark.runtime_client
def test_a_functions_error_is_its_answer_and_exit_code(
    local_aws: LocalStack, capfd: pytest.CaptureFixture[str]
) -> None:
    """As for an event of another kind."""
    event = str(EVENTS / "healthz_event.json")
    assert main([event, "--state", str(local_aws.state), "--function", "verifier"]) == 1
    assert json.loads(capfd.readouterr().out)["errorType"] == "UnknownEvent"


@pytest.mark.local_aws
def test_an_unknown_event_names_those_there_are(
    local_aws: LocalStack, capsys: pytest.CaptureFixture[str]
) -> None:
    """A usage error."""
    assert main(["none.json", "--state", str(local_aws.state)]) == 2
    assert "download_event.json" in capsys.readouterr().err
