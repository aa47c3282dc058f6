"""The installed command, killed or interrupted in the middle: run again, it goes on where it stopped."""

from __future__ import annotations

import signal
import time
from typing import TYPE_CHECKING, Any, Final
from uuid import uuid4

import pytest

from tests.e2e.client import digest_of
from tests.e2e.smas_command import Smas, noise, soon

if TYPE_CHECKING:
    from pathlib import Path

    from tests.e2e.client import Client
    from tests.e2e.conftest import Stack

MIB: Final = 1 << 20
RANGE: Final = 8 * MIB
# One part or range after the other, and slowly enough to be stopped in the middle.
SLOWLY: Final = ("--connections", "1", "--limit-rate", "60M")


@pytest.fixture(scope="module")
def weights(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A file of five parts."""
    return noise(tmp_path_factory.mktemp("weights") / "weights.bin", 150)


@pytest.fixture(scope="module")
def published(stack: Stack, weights: Path, tmp_path_factory: pytest.TempPathFactory) -> str:
    """A model with that file."""
    smas = Smas(tmp_path_factory.mktemp("publisher")).login(stack)
    name = f"fraud/e2e-{uuid4().hex[:10]}"
    smas.text("push", weights, name)
    return name


def held_bytes(client: Client, model: str) -> int:
    """What S3 has of the model's open upload."""
    found = client.call("GET", f"/v1/models/{model}/uploads")
    if found.status != 200 or not found.body["items"]:
        return 0
    return sum(part["size"] for part in client.parts(model, found.body["items"][0]))


def complete_ranges(smas: Smas) -> int:
    """How many ranges the journal of the one partial download names."""
    journals = list(smas.cache.glob("partial/*.ranges"))
    return len(journals[0].read_text(encoding="ascii").split()) - 2 if journals else 0


@pytest.mark.parametrize(
    ("number", "code"),
    [(signal.SIGKILL, -signal.SIGKILL), (signal.SIGINT, 130), (signal.SIGTERM, 143)],
)
def test_a_push_that_was_ended_sends_only_the_parts_that_s3_lacks(
    stack: Stack, model: str, weights: Path, tmp_path: Path, number: signal.Signals, code: int
) -> None:
    """Killed, Ctrl-C, or asked to end: within seconds, nothing published, and the next sends the rest."""
    smas, client = Smas(tmp_path).login(stack), stack.user("ds-fraud")
    with smas.started("push", weights, model, *SLOWLY) as process:
        soon(lambda: held_bytes(client, model) > 0, "a part is there")
        stopped(process, number, code)
    client.expect(404, "GET", f"/v1/models/{model}/versions/latest")
    held = held_bytes(client, model)
    assert 0 < held < weights.stat().st_size
    pushed = smas.json("push", weights, model)
    assert pushed["sent_bytes"] == weights.stat().st_size - held
    assert pushed["version"]["state"] == "available"
    assert pushed["version"]["files"][0]["sha256"] == digest_of(weights)


@pytest.mark.parametrize(
    ("number", "code"),
    [(signal.SIGKILL, -signal.SIGKILL), (signal.SIGINT, 130), (signal.SIGTERM, 143)],
)
def test_a_pull_that_was_ended_fetches_only_the_ranges_that_are_missing(
    stack: Stack, published: str, weights: Path, tmp_path: Path, number: signal.Signals, code: int
) -> None:
    """Killed, Ctrl-C, or asked to end: no file under its name yet, and the next pull fetches the rest."""
    smas, folder = Smas(tmp_path).login(stack), tmp_path / "in"
    with smas.started("pull", published, folder, *SLOWLY) as process:
        soon(lambda: complete_ranges(smas) > 0, "a range is there")
        stopped(process, number, code)
    assert [path.name for path in folder.iterdir()] == [".smas"]
    held = complete_ranges(smas) * RANGE
    pulled = smas.json("pull", published, folder)
    assert pulled["fetched_bytes"] == weights.stat().st_size - held
    assert digest_of(folder / "weights.bin") == digest_of(weights)
    assert {path.name for path in (folder / ".smas").iterdir()} == {"lock", "pulled.json"}
    assert [path for path in (smas.cache / "partial").iterdir() if path.suffix != ".lock"] == []


def stopped(process: Any, number: signal.Signals, code: int) -> None:
    """Send the signal: it ends within a few seconds, with that code, and says how to continue if it can."""
    began = time.monotonic()
    process.send_signal(number)
    out, said = process.communicate(timeout=30)
    assert time.monotonic() - began < 5
    assert (process.returncode, out) == (code, "")
    line = "interrupted: run the same command again to continue where it stopped"
    assert (line in said.splitlines()) is (number != signal.SIGKILL)
    assert "Traceback" not in said
