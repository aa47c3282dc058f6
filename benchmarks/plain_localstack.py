"""LocalStack as it comes: the same packages and settings as the local AWS, without our plugin.

The plugin is found by its metadata among the installed packages; here is a folder of links to all of those
but ours, and an interpreter that sees nothing else.
"""

from __future__ import annotations

import json
import subprocess
import tempfile
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from benchmarks.stack import EMULATOR_PYTHON, BenchmarkError, free_port, wait_until_listening

if TYPE_CHECKING:
    from collections.abc import Iterator

_STOP_SECONDS = 30
_DESCRIBE = """
import json, os, sys, sysconfig
from pathlib import Path
from smas_emulator.programs import emulator_environment
from smas_emulator.trail_settings import TrailSettings
folder, port = Path(sys.argv[1]), int(sys.argv[2])
environment = emulator_environment(os.environ, folder, port, TrailSettings(folder))
print(json.dumps({"packages": sysconfig.get_path("purelib"), "environment": environment}))
"""


@contextmanager
def plain_localstack() -> Iterator[int]:
    """Start it on a free port, which is given; stop it at the end by its id. Raises `BenchmarkError`."""
    with tempfile.TemporaryDirectory(prefix="smas-bench-plain-") as name:
        folder, port = Path(name), free_port()
        described = _described(folder, port)
        packages = _without_plugin(Path(described["packages"]), folder / "packages")
        (folder / "tmp").mkdir()
        environment = {**described["environment"], "PYTHONPATH": str(packages)}
        command = [str(EMULATOR_PYTHON), "-S", "-m", "localstack.runtime.main"]
        with (folder / "localstack.log").open("wb") as log:
            process = subprocess.Popen(command, cwd=folder, env=environment, stdout=log, stderr=log)
        try:
            wait_until_listening(port, lambda: process.poll() is None)
            yield port
        finally:
            process.terminate()
            process.wait(_STOP_SECONDS)


def _described(folder: Path, port: int) -> dict[str, Any]:
    command = [str(EMULATOR_PYTHON), "-c", _DESCRIBE, str(folder), str(port)]
    ended = subprocess.run(command, capture_output=True, text=True, check=False)
    if ended.returncode:
        message = f"The local AWS did not describe its environment: {ended.stderr.strip()}"
        raise BenchmarkError(message)
    return dict(json.loads(ended.stdout))


def _without_plugin(packages: Path, links: Path) -> Path:
    links.mkdir()
    for entry in packages.iterdir():
        if not entry.name.startswith("smas_emulator"):
            (links / entry.name).symlink_to(entry)
    return links
