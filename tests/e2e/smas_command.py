"""The installed command, run as a process by one user of one machine."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import time
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from tests.e2e.applied import AppliedAws
from tests.stack.browser import OAuthBrowser

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from tests.e2e.conftest import Stack

_SECONDS = 60


@dataclass(frozen=True)
class Smas:
    """`smas` with folders of its own below ``home``; ``variables`` are added to its environment."""

    home: Path
    variables: dict[str, str] = field(default_factory=dict)

    @property
    def cache(self) -> Path:
        """Its cache of blobs."""
        return self.home / "cache"

    @property
    def credentials(self) -> Path:
        """Its sign-ins."""
        return self.home / "config" / "credentials.json"

    def environment(self) -> dict[str, str]:
        """The whole environment: nothing of ours or of AWS is inherited."""
        inherited = {
            name: value for name, value in os.environ.items() if not name.startswith(("AWS_", "SMAS_"))
        }
        return {
            **inherited,
            "HOME": str(self.home),
            "SMAS_CONFIG": str(self.home / "config"),
            "SMAS_CACHE": str(self.cache),
            "PYTHONWARNINGS": "error",
            **self.variables,
        }

    def run(self, *arguments: str | Path, stdin: str = "") -> subprocess.CompletedProcess[str]:
        """Run a command to its end, whatever its exit code."""
        return subprocess.run(
            [sys.executable, "-m", "smas", *map(str, arguments)],
            env=self.environment(),
            input=stdin,
            capture_output=True,
            text=True,
            timeout=_SECONDS,
            check=False,
        )

    def text(self, *arguments: str | Path, stdin: str = "") -> str:
        """What a command that must succeed prints."""
        done = self.run(*arguments, stdin=stdin)
        assert done.returncode == 0, done.stderr
        return done.stdout.strip()

    def json(self, *arguments: str | Path, stdin: str = "") -> Any:
        """The same as JSON."""
        return json.loads(self.text("--json", *arguments, stdin=stdin))

    def login(self, stack: Stack, username: str = "ds-fraud") -> Smas:
        """Sign in at the stack as one of its users; answers itself."""
        if isinstance(stack.aws, AppliedAws):
            return self._login_by_browser(stack, stack.aws, username)
        password = f"{stack.aws.stack['password']}\n"
        self.text("login", stack.url, "--username", username, "--password-stdin", stdin=password)
        return self

    def _login_by_browser(self, stack: Stack, aws: AppliedAws, username: str) -> Smas:
        with self.started("login", stack.url, "--no-browser") as process:
            assert process.stderr
            for line in process.stderr:
                if found := re.match(r"http://\S+/oauth2/authorize\?\S+", line):
                    back = aws.open(username, found[0])
                    assert OAuthBrowser().open(back.location).status == 200
            assert process.wait(_SECONDS) == 0
        return self

    @contextmanager
    def started(self, *arguments: str | Path) -> Iterator[subprocess.Popen[str]]:
        """A command at work; killed at the latest at the end of the block."""
        process = subprocess.Popen(
            [sys.executable, "-m", "smas", *map(str, arguments)],
            env=self.environment(),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        with process:
            try:
                yield process
            finally:
                process.kill()

    def python(self, script: str, *arguments: str | Path, **variables: str) -> str:
        """What a Python script that must succeed prints, run by the same user."""
        done = subprocess.run(
            [sys.executable, "-c", script, *map(str, arguments)],
            env={**self.environment(), "PYTHONWARNINGS": "", **variables},
            cwd=self.home,
            capture_output=True,
            text=True,
            timeout=_SECONDS,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        return done.stdout.strip()


def noise(path: Path, mebibytes: int) -> Path:
    """A file of random bytes; answers its path."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("wb") as file:
        for _ in range(mebibytes):
            file.write(os.urandom(1 << 20))
    return path


def soon(condition: Callable[[], bool], what: str, seconds: float = 60) -> None:
    """Wait until it is so."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, f"not after {seconds} s: {what}"
        time.sleep(0.02)
