"""How a rehearsal runs programs, and what it leaves for the local stack."""

from __future__ import annotations

import json
import os
import stat
import sys
import time
from typing import TYPE_CHECKING, Any

import pytest

from deployment.errors import DeploymentError
from deployment.rehearsal.applied import VARIABLES, Rehearsal
from deployment.rehearsal.endpoints import Endpoints
from deployment.terraform import Terraform

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

ENDPOINTS = Endpoints("http://localhost:1", "http://localhost:2")
FAILS = "import sys; print('trying'); print('no luck', file=sys.stderr); sys.exit(3)"


@pytest.fixture
def rehearsed(tmp_path: Path) -> Iterator[Rehearsal]:
    """One whose emulators are not there."""
    environment = ENDPOINTS.environment(os.environ, "us-east-1")
    with (tmp_path / "rehearsal.log").open("w+", encoding="utf-8") as words:
        yield Rehearsal(tmp_path, ENDPOINTS, tmp_path / "infra", environment, words)


def test_a_program_that_fails_is_named_with_its_last_words(rehearsed: Rehearsal) -> None:
    """And all that it said is in the log."""
    with pytest.raises(DeploymentError, match=r"ended with 3: no luck$"):
        rehearsed.run([sys.executable, "-c", FAILS])

    rehearsed.words.seek(0)
    assert rehearsed.words.read() == "trying\nno luck\n"


def test_lines_are_heard_while_they_come(rehearsed: Rehearsal) -> None:
    """And the last of them is the error's, where the program fails."""
    heard: list[str] = []

    rehearsed.listen([sys.executable, "-c", "print(1); print(2)"], rehearsed.environment, heard.append)
    with pytest.raises(DeploymentError, match=r"ended with 3: trying$"):
        rehearsed.listen([sys.executable, "-c", FAILS], rehearsed.environment, heard.append)

    assert heard == ["1\n", "2\n", "trying\n"]


def test_programs_know_the_emulators_alone(rehearsed: Rehearsal) -> None:
    """Their environment is the rehearsal's."""
    asked = "import os, json; print(json.dumps(dict(os.environ)))"

    environment = json.loads(rehearsed.run([sys.executable, "-c", asked]))

    assert environment["AWS_ENDPOINT_URL"] == ENDPOINTS.ours
    assert environment["AWS_ENDPOINT_URL_LAMBDA"] == ENDPOINTS.ministack


def test_a_command_is_the_one_that_deploys(rehearsed: Rehearsal) -> None:
    """`python -m deployment`, on the copy and the rehearsal's variables; another exit code is an error."""
    with pytest.raises(DeploymentError, match="`deployment destroy` ended with 1, not 0: "):
        rehearsed.command("destroy")

    said = rehearsed.command("destroy", code=1)

    assert "--confirm with the store's name" in said


def test_outputs_are_for_the_owner_alone(rehearsed: Rehearsal, monkeypatch: pytest.MonkeyPatch) -> None:
    """As Terraform has them, where the local stack reads them."""
    given: dict[str, Any] = {"user_pool_id": "us-east-1_abc"}
    monkeypatch.setattr(Terraform, "outputs", lambda _: given)

    assert rehearsed.write_outputs() == given

    written = rehearsed.state / "outputs.json"
    assert json.loads(written.read_text(encoding="utf-8")) == given
    assert stat.S_IMODE(written.stat().st_mode) == 0o600


def test_the_rehearsed_store_may_be_taken_away_again() -> None:
    """No lock in it is one that nobody can undo."""
    text = VARIABLES.read_text(encoding="utf-8")

    assert 'mode = "GOVERNANCE"' in text
    assert "days = 1" in text


def test_a_termination_reaches_what_runs(rehearsed: Rehearsal) -> None:
    """Whoever ends the rehearsal does not wait for the program that it is at."""
    waits = "import time; print('waiting', flush=True); time.sleep(60)"

    def terminated(_line: str) -> None:
        raise SystemExit(143)

    begun = time.monotonic()
    with pytest.raises(SystemExit):
        rehearsed.listen([sys.executable, "-c", waits], rehearsed.environment, terminated)

    assert time.monotonic() - begun < 50


def test_whoever_listens_and_fails_ends_the_program(rehearsed: Rehearsal) -> None:
    """As when the store cannot be started that `deploy` waits for."""
    waits = "import time; print('waiting', flush=True); time.sleep(60)"

    def failing(_line: str) -> None:
        raise DeploymentError("it could not be started")

    begun = time.monotonic()
    with pytest.raises(DeploymentError, match="could not be started"):
        rehearsed.listen([sys.executable, "-c", waits], rehearsed.environment, failing)

    assert time.monotonic() - begun < 50


def test_an_interrupt_lets_the_program_end_in_order_first(rehearsed: Rehearsal) -> None:
    """It has heard of it, too, and needs the emulators until it has ended."""
    ends = "import time; print('begun', flush=True); time.sleep(2); open('{}', 'w').close()"
    ended = rehearsed.state / "ended"

    def interrupted(_line: str) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        rehearsed.listen([sys.executable, "-c", ends.format(ended)], rehearsed.environment, interrupted)

    assert ended.exists()
