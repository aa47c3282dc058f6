"""What ``make demo`` runs, against the running stack."""

from __future__ import annotations

import re
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from tests.local_aws import REPOSITORY

if TYPE_CHECKING:
    from pathlib import Path

    from tests.e2e.conftest import Stack

# The demo signs its people in as `make token` does.
pytestmark = pytest.mark.password_sign_in
LINES_ON_A_SCREEN = 50
COLUMNS = 100


def run_demo(*options: str) -> subprocess.CompletedProcess[str]:
    """Run the demo to its end, whatever its exit code."""
    command = [sys.executable, "examples/demo.py", *options]
    return subprocess.run(command, cwd=REPOSITORY, capture_output=True, text=True, timeout=120, check=False)


def test_the_demo_works_and_works_again(stack: Stack) -> None:
    """Each run makes a new version, moves both aliases to it, and sends identical bytes only once."""
    options = ("--url", stack.url, "--state", str(stack.aws.state))
    runs = [run_demo(*options) for _ in range(2)]
    for run in runs:
        assert (run.returncode, run.stderr) == (0, "")
    first, second = (run.stdout for run in runs)
    numbers = [
        int(re.findall(r"version (\d+) of fraud/credit-risk is in production", out)[0])
        for out in (first, second)
    ]
    assert numbers[1] == numbers[0] + 1
    assert second.count("already stored") == 3
    assert f"`champion` is version {numbers[1]} (it was version {numbers[0]})" in second
    aliases = stack.user("ds-fraud").expect(200, "GET", "/v1/models/fraud/credit-risk/aliases")["items"]
    assert {alias["alias"]: alias["version"] for alias in aliases} == dict.fromkeys(
        ("champion", "production"), numbers[1]
    )


def test_the_demo_ends_with_who_touched_the_model(stack: Stack) -> None:
    """Whoever fetched it and whoever was kept from it, each by name, however late the trail."""
    out = run_demo("--url", stack.url, "--state", str(stack.aws.state)).stdout
    touches = [line.split() for line in out.partition("CloudTrail's own files")[2].splitlines()[1:]]
    for who in ("ds-fraud", "deployer-fraud"):
        assert [who, "3", "×", "s3:GetObject", "success"] in [[row[0], *row[2:]] for row in touches if row]
    assert ["ds-nlp", "-", "smas:read_version", "denied"] in touches


def test_the_demo_fits_one_screen_of_plain_text_without_secrets(stack: Stack) -> None:
    """Every step with its duration, no escape codes into a pipe, no token and no presigned URL."""
    out = run_demo("--url", stack.url, "--state", str(stack.aws.state)).stdout
    lines = out.splitlines()
    assert len(lines) <= LINES_ON_A_SCREEN
    assert max(map(len, lines)) <= COLUMNS
    named = re.findall(r"^(\S[a-z ]*?) {2,}.*?\d+\.\d\d s$", out, re.MULTILINE)
    steps = "sign in,train,publish,verify,fetch,load,alias,refused,refused,promote,deploy,audit"
    assert [name for name in named if name != "upload"] == steps.split(",")
    for secret in ("\x1b", "eyJ", "X-Amz-", "http://localhost:4566"):
        assert secret not in out


def test_without_a_stack_the_demo_says_how_to_start_one(tmp_path: Path) -> None:
    """One sentence and exit 1, no traceback."""
    run = run_demo("--state", str(tmp_path))
    sentence = "The demo stopped: the local stack is not running; start it with `make up`.\n"
    assert (run.returncode, run.stdout, run.stderr) == (1, "", sentence)


def test_a_refusal_is_told_in_the_stores_own_words(stack: Stack) -> None:
    """An address that is not the store's, or an answer that was not expected, ends in one sentence."""
    run = run_demo("--url", f"{stack.url}/elsewhere", "--state", str(stack.aws.state))
    assert run.returncode == 1
    assert re.fullmatch(
        r"The demo stopped: POST \S+: no such route: \S+ lists them \(status 404, request id \w+\)\.\n",
        run.stderr,
    )
