"""How much memory the installed command takes for a file much larger than that."""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING, Final

from tests.e2e.client import digest_of
from tests.e2e.smas_command import Smas, noise

if TYPE_CHECKING:
    from pathlib import Path

    from tests.e2e.conftest import Stack

MOST_BYTES: Final = 200_000_000
# A process of its own: what a child has at its peak includes the moment before it became the command.
MEASURED: Final = """
import json, resource, subprocess, sys
done = subprocess.run(sys.argv[1:], capture_output=True, text=True)
peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss
print(json.dumps({"code": done.returncode, "kibibytes": peak, "said": done.stderr}))
"""


def test_memory_is_bounded_whatever_the_size(stack: Stack, model: str, tmp_path: Path) -> None:
    """Push and pull of 300 MiB stay below 200 MB at their peak, and the bytes are right."""
    smas = Smas(tmp_path).login(stack)
    weights = noise(tmp_path / "weights.bin", 300)
    command = (sys.executable, "-m", "smas", "--quiet")
    for step in (("push", weights, model), ("pull", model, tmp_path / "in")):
        measured = json.loads(smas.python(MEASURED, *command, *step))
        assert measured["code"] == 0, measured["said"]
        # More than an interpreter with its libraries: it was the command that was measured.
        assert 20_000_000 < measured["kibibytes"] * 1024 < MOST_BYTES, step[0]
    assert digest_of(tmp_path / "in" / "weights.bin") == digest_of(weights)
