"""What the containers of `docker-compose.yml` run: `python -m smas_emulator.containers emulator|provision`.

The environment says what the command line does natively: SMAS_STATE, the state directory, which has the same
path here as outside; SMAS_AWS_PORT and SMAS_PORT, on which AWS and service answer, here and outside.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import NoReturn

from smas_emulator.errors import StackError
from smas_emulator.programs import emulator_environment
from smas_emulator.provision import provision
from smas_emulator.state import StateDirectory, read_access_key, write_settings
from smas_emulator.trail_settings import TrailSettings

INFRA = Path("/infra")
# The engine publishes what listens here on 127.0.0.1 of the machine; loopback would be the container's own.
EVERY_ADDRESS = "0.0.0.0"  # noqa: S104


def main() -> int:
    """Run what the one argument names; return 0 when done, 1 after one sentence on stderr."""
    state = StateDirectory(Path(os.environ["SMAS_STATE"]))
    aws_port = int(os.environ["SMAS_AWS_PORT"])
    if sys.argv[1:] == ["emulator"]:
        _become_the_emulator(state, aws_port)
    if sys.argv[1:] != ["provision"]:
        sys.exit("usage: python -m smas_emulator.containers emulator|provision")
    try:
        made = provision(f"http://localhost:{aws_port}", INFRA, read_access_key(state), print)
    except StackError as error:
        print(error, file=sys.stderr)
        return 1
    write_settings(state, made, f"http://localhost:{os.environ['SMAS_PORT']}")
    return 0


def _become_the_emulator(state: StateDirectory, port: int) -> NoReturn:
    folder = state.localstack
    (folder / "tmp").mkdir(exist_ok=True)
    trail = TrailSettings.read(os.environ)
    environment = emulator_environment(os.environ, folder, port, trail, EVERY_ADDRESS)
    os.chdir(folder)
    os.execve(sys.executable, (sys.executable, "-m", "localstack.runtime.main"), environment)  # noqa: S606


if __name__ == "__main__":
    sys.exit(main())
