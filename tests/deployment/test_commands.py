"""The commands as they are called: what make hands on, what they refuse, and what they say of themselves."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from botocore.exceptions import ClientError, EndpointConnectionError

from deployment import options, plan
from deployment.__main__ import main
from deployment.configuration import read_configuration
from deployment.errors import DeploymentError
from tests.deployment.fake_aws import refusal

if TYPE_CHECKING:
    from collections.abc import Callable

REPOSITORY = Path(__file__).parents[2]


def make(*arguments: str) -> str:
    """What make would run."""
    ended = subprocess.run(
        ["make", "--dry-run", "--assume-old=.venv/.ready", *arguments],
        cwd=REPOSITORY,
        capture_output=True,
        text=True,
        check=True,
        env={"PATH": os.environ["PATH"]},
    )
    return " ".join(
        line for line in ended.stdout.splitlines() if "-m deployment" in line or line.startswith("\t")
    )


def deployment(*arguments: str) -> subprocess.CompletedProcess[str]:
    """Run a command with nobody at the terminal."""
    return subprocess.run(
        [sys.executable, "-m", "deployment", *arguments],
        cwd=REPOSITORY,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
        env={"PATH": os.environ["PATH"]},
    )


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
def test_a_polite_kill_is_an_interrupt(
    programs: Callable[[str, str], dict[str, str]], tmp_path: Path, number: int
) -> None:
    """It is passed on to what runs, and the command says how to go on; a terminal that goes away is one."""
    environment = programs("terraform", f"touch {tmp_path}/begun; exec sleep 60")
    process = subprocess.Popen(
        [sys.executable, "-m", "deployment", "plan", "--vars", "infra/small.tfvars"],
        cwd=REPOSITORY,
        env=environment,
        stderr=subprocess.PIPE,
        text=True,
    )
    while not (tmp_path / "begun").exists():
        time.sleep(0.05)
    process.send_signal(number)
    _, complaint = process.communicate(timeout=30)
    assert process.returncode == 130
    assert "run the same command again" in complaint


def words(text: str) -> list[str]:
    """A command's words."""
    return text.replace("\\", " ").split()


def test_make_hands_on_what_it_was_given() -> None:
    """And nothing else: each is an option of its own."""
    python = [".venv/bin/python", "-m", "deployment"]
    vars_, region = ("VARS=a.tfvars", "REGION=eu-west-1")
    store = ["--vars", "a.tfvars", "--region", "eu-west-1"]
    assert words(make("plan", vars_, region, "IMAGE=i")) == [*python, "plan", *store, "--image", "i"]
    given = ("YES=1", "DIRTY=1", "BASE=b", "ADDRESS=https://c")
    assert words(make("deploy", vars_, region, *given)) == [
        *python, "deploy", *store, "--yes", "--dirty", "--base-image", "b", "--address", "https://c",
    ]  # fmt: skip
    assert words(make("destroy", vars_, region, "KEEP=locked", "CONFIRM=smas")) == [
        *python, "destroy", *store, "--keep", "locked", "--confirm", "smas",
    ]  # fmt: skip
    assert words(make("deploy", "YES=0")) == [*python, "deploy"]


@pytest.mark.parametrize(
    ("command", "answer"), [("deploy", "--yes (make: YES=1)"), ("destroy", "--confirm with the store's name")]
)
def test_without_a_terminal_it_refuses_before_it_begins(command: str, answer: str) -> None:
    """Unless the question is answered already: nothing waits for somebody who is not there."""
    ended = deployment(command, "--vars", "infra/small.tfvars")
    assert ended.returncode == 1
    assert ended.stdout == ""
    assert ended.stderr.startswith("There is a question to answer and no terminal to ask it on: ")
    assert answer in ended.stderr
    assert ended.stderr.count("\n") == 1


def test_without_variables_it_says_what_to_name() -> None:
    """No store is deployed by default."""
    ended = deployment("plan")
    assert ended.returncode == 1
    assert "Which store? Say it with a file of variables: VARS=infra/small.tfvars" in ended.stderr


def test_a_file_that_is_not_there_is_named() -> None:
    """With an example of one."""
    ended = deployment("plan", "--vars", "none.tfvars")
    assert ended.returncode == 1
    assert "There is no file none.tfvars; infra/small.tfvars is an example" in ended.stderr


@pytest.mark.parametrize("command", ["plan", "deploy", "destroy"])
def test_each_command_says_what_it_does(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    """At length: this is what one reads before the first deployment."""
    with pytest.raises(SystemExit) as ended:
        main([command, "--help"])
    assert ended.value.code == 0
    shown = capsys.readouterr().out
    assert "hanged" in shown or "interrupted" in shown
    assert "(make: VARS=FILE)" in " ".join(shown.split())


def test_what_is_to_outlive_its_terminal_does(
    programs: Callable[[str, str], dict[str, str]], tmp_path: Path
) -> None:
    """As with nohup: its programs are not interrupted either."""
    environment = programs(
        "terraform", f'touch {tmp_path}/begun; sleep 1; echo \'{{"terraform_version": "1.0.0"}}\''
    )
    process = subprocess.Popen(
        ["nohup", sys.executable, "-m", "deployment", "plan", "--vars", "infra/small.tfvars"],
        cwd=REPOSITORY,
        env=environment,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    )
    while not (tmp_path / "begun").exists():
        time.sleep(0.05)
    process.send_signal(signal.SIGHUP)
    _, complaint = process.communicate(timeout=30)
    assert process.returncode == 1
    assert "terraform is 1.0.0" in complaint


@pytest.mark.parametrize(
    "error",
    [
        refusal("ExpiredToken"),
        refusal("AccessDenied"),
        EndpointConnectionError(endpoint_url="https://sts.amazonaws.com"),
    ],
)
def test_whatever_aws_refuses_ends_in_a_sentence(
    error: ClientError | EndpointConnectionError,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """At whatever point it comes; a traceback says nobody what to do."""

    def refused(_: object) -> None:
        raise error

    monkeypatch.setattr(plan, "read_store", refused)
    assert main(["plan", "--vars", "infra/small.tfvars"]) == 1
    assert capsys.readouterr().err.count("\n") == 1


@pytest.mark.parametrize(
    "address", ["models.example.com", "http://models.example.com", "ftp://x", "https://", "https://x?y=z", ""]
)
def test_an_address_must_be_one_before_anything_begins(
    address: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """It is not asked for until all is applied, and a token goes there: never in the clear."""
    with pytest.raises(SystemExit) as ended:
        main(["deploy", "--vars", "infra/small.tfvars", "--address", address])
    assert ended.value.code == 2
    assert "is not the address of a store, as https://" in " ".join(capsys.readouterr().err.split())


def test_an_address_may_be_of_this_machine() -> None:
    """As a rehearsal's is."""
    assert options.address("http://localhost:8080/") == "http://localhost:8080"
    assert options.address("https://models.example.com") == "https://models.example.com"


def test_an_input_that_ends_is_no_yes(monkeypatch: pytest.MonkeyPatch) -> None:
    """Ctrl-D at the question, which is an answer as any other."""

    def ended(_: str) -> str:
        raise EOFError

    monkeypatch.setattr("builtins.input", ended)
    assert options.ask("Apply?") == ""


@pytest.mark.parametrize(
    "text", ["  barred_identities = {}\n", '{"barred_identities": {}}', 'a = 1\n"barred_identities" = {}']
)
def test_no_other_file_says_who_is_barred(tmp_path: Path, text: str) -> None:
    """It would go before the file that `bar` writes, and the next apply let them in again."""
    file = tmp_path / "our.tfvars"
    file.write_text(text, encoding="utf-8")
    with pytest.raises(
        DeploymentError, match=r"our\.tfvars has barred_identities.*barred\.auto\.tfvars\.json"
    ):
        read_configuration(tmp_path, [file], None, {})


def test_the_steps_to_choose_from_are_named(capsys: pytest.CaptureFixture[str]) -> None:
    """Nobody has to guess what --only takes."""
    with pytest.raises(SystemExit):
        main(["rehearse", "--help"])
    assert "destroy is refused" in " ".join(capsys.readouterr().out.split())
