"""Emulators of a rehearsal: on this machine alone, and stopped however it ends."""

from __future__ import annotations

import contextlib
import socket
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from deployment.errors import DeploymentError
from deployment.rehearsal import emulators
from deployment.rehearsal.emulators import free_port, ministack_environment

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.enable_socket
SERVER = """
import http.server, os, sys
class Ready(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200); self.end_headers()
    def log_message(self, *_): pass
http.server.HTTPServer((os.environ["BIND_HOST"], int(os.environ["GATEWAY_PORT"])), Ready).serve_forever()
"""


def test_ministack_is_told_to_listen_on_this_machine_alone(tmp_path: Path) -> None:
    """One address, one port, its files below the folder, and no setting of whoever starts it."""
    inherited = {"PATH": "/bin", "HOME": "/root", "AWS_ACCESS_KEY_ID": "real", "BIND_HOST": "::"}

    environment = ministack_environment(inherited, tmp_path, 4600)

    assert (environment["BIND_HOST"], environment["GATEWAY_PORT"]) == ("127.0.0.1", "4600")
    assert environment["HOME"] == str(tmp_path)
    assert "real" not in environment.values()


def test_a_free_port_can_be_listened_on() -> None:
    """Nobody has it when it is named."""
    with socket.create_server(("127.0.0.1", free_port())):
        pass


@pytest.fixture
def server(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A small server in the place of MiniStack."""
    script = tmp_path / "server.py"
    script.write_text(SERVER, encoding="utf-8")
    monkeypatch.setattr(emulators, "MINISTACK_PYTHON", type(tmp_path)(sys.executable))
    monkeypatch.setattr(emulators, "_START_MINISTACK", script)
    return script


@pytest.mark.parametrize("ending", [None, KeyboardInterrupt, DeploymentError("a step failed")])
def test_what_was_started_is_stopped_however_the_block_ends(
    server: Path, tmp_path: Path, ending: type[BaseException] | BaseException | None
) -> None:
    """Its port is free again afterwards."""

    def block() -> str:
        with emulators._ministack(tmp_path / "ministack", "http://localhost:1", None) as address:
            if ending is not None:
                raise ending
            return address

    if ending is None:
        port = int(block().rpartition(":")[2])
        with pytest.raises(ConnectionRefusedError):
            socket.create_connection(("127.0.0.1", port))
    else:
        with pytest.raises(KeyboardInterrupt if ending is KeyboardInterrupt else DeploymentError):
            block()
    ended = subprocess.run(["pgrep", "-f", str(server)], capture_output=True, check=False)
    assert ended.stdout == b""


def test_an_emulator_that_cannot_start_is_named_with_its_log(server: Path, tmp_path: Path) -> None:
    """And nothing waits for it."""
    server.write_text("raise SystemExit('no')", encoding="utf-8")

    with (
        pytest.raises(DeploymentError, match=r"MiniStack ended while starting; its log is .*ministack\.log"),
        emulators._ministack(tmp_path / "ministack", "http://localhost:1", None),
    ):
        pass


def test_what_is_not_installed_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """With the command that installs it."""
    monkeypatch.setattr(emulators, "OURS_PYTHON", tmp_path / "none")

    with pytest.raises(DeploymentError, match="make rehearse"):
        emulators.stack(tmp_path, "up")


@pytest.mark.parametrize(
    ("fault", "asked"),
    [
        (None, ["up", "down"]),
        (KeyboardInterrupt, ["up", "down"]),
        (DeploymentError("it runs already"), ["up"]),
    ],
)
def test_only_what_this_rehearsal_started_is_stopped(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    fault: type[BaseException] | BaseException | None,
    asked: list[str],
) -> None:
    """An interrupted start is undone; a local AWS that was there before goes on."""
    commands: list[str] = []

    def stack(_state: Path, command: str, *_: str) -> str:
        commands.append(command)
        if fault is not None and command == "up":
            raise fault
        return ""

    monkeypatch.setattr(emulators, "stack", stack)
    with contextlib.suppress(KeyboardInterrupt, DeploymentError), emulators._our_local_aws(tmp_path):
        pass

    assert commands == asked
