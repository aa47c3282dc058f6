# ruff: noqa: INP001, T100 - a module on the path by itself, whose purpose is the debugger
"""Service and worker with a debugger listening: what `make up DEV=1` runs, and nothing that is deployed has.

    gunicorn "debugged:service('127.0.0.1', 5678)"
    python -m debugged 127.0.0.1 5679           the verifier worker

A debugger may run any code in the process, so the address must be one that only this machine reaches.
"""

from __future__ import annotations

import socket
import sys
import time
from typing import Any

import debugpy

# For the one that a restart has ended to leave the port.
PATIENCE_SECONDS = 15.0


def listen(host: str, port: int) -> None:
    """Let a debugger attach at this address. Raises `OSError` if somebody else keeps the port."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while True:
        try:
            socket.create_server((host, port)).close()
            break
        except OSError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.1)
    debugpy.listen((host, port))


def service(host: str, port: int) -> Any:
    """The WSGI application; gunicorn calls this in its worker process, which is then the one debugged."""
    listen(host, port)
    from service.wsgi import app  # noqa: PLC0415 - what it imports may be debugged, too

    return app


def worker(host: str, port: int) -> None:
    """The verifier, until SIGTERM."""
    listen(host, port)
    from service.worker import main  # noqa: PLC0415 - what it imports may be debugged, too

    main()


if __name__ == "__main__":
    worker(sys.argv[1], int(sys.argv[2]))
