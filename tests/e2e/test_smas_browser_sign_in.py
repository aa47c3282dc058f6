"""`smas login` as people use it: at a terminal, with a browser, on the running stack."""

from __future__ import annotations

import json
import os
import pty
import re
import stat
import subprocess
import sys
import threading
from dataclasses import replace
from typing import TYPE_CHECKING

from tests.e2e.applied import AppliedAws, sign_in
from tests.e2e.smas_command import Smas
from tests.local_aws import REPOSITORY
from tests.stack.browser import OAuthBrowser

if TYPE_CHECKING:
    from pathlib import Path

    from tests.e2e.conftest import Stack

# What BROWSER names: it signs in on the page that it is called with, and notes what it sees at the end.
WALK = """\
#!{python}
import sys
sys.path[:0] = [{repository!r}, {emulator!r}]
from pathlib import Path
from tests.e2e.applied import sign_in
from tests.stack.browser import OAuthBrowser

browser, username, password = OAuthBrowser(), {username!r}, {password!r}
page = browser.follow(sys.argv[1])
if {authenticators!r}:
    back = sign_in(browser, page, username, password, Path({authenticators!r}))
else:
    back = browser.send(page, username=username, password=password)
seen = browser.open(back.location)
Path({notes!r}).write_text(f"{{seen.status}} {{seen.text}}", encoding="utf-8")
"""


def browser_of(stack: Stack, folder: Path, username: str) -> Path:
    """A program that signs a local user in."""
    program = folder / "browser"
    program.write_text(
        WALK.format(
            python=sys.executable,
            repository=str(REPOSITORY),
            emulator=str(REPOSITORY / "emulator"),
            authenticators=str(stack.aws.authenticators) if isinstance(stack.aws, AppliedAws) else "",
            username=username,
            password=stack.aws.stack["password"],
            notes=str(folder / "seen"),
        ),
        encoding="utf-8",
    )
    program.chmod(0o700)
    return program


def at_terminal(smas: Smas, *arguments: str) -> tuple[int, str]:
    """Exit code, and what a terminal shows."""
    terminal, end = pty.openpty()
    command = [sys.executable, "-m", "smas", *arguments]
    try:
        process = subprocess.Popen(command, env=smas.environment(), stdin=end, stdout=end, stderr=end)
    finally:
        os.close(end)
    shown = b""
    with process:
        try:
            while data := os.read(terminal, 65536):
                shown += data
        except OSError:  # how Linux tells that nobody holds the other end any more
            pass
        finally:
            os.close(terminal)
    return process.returncode, shown.decode().replace("\r\n", "\n")


def test_login_opens_the_browser_and_knows_who_signed_in_there(stack: Stack, tmp_path: Path) -> None:
    """No password at the terminal; afterwards every command works, renews itself, and can sign out."""
    smas = Smas(tmp_path, {"BROWSER": str(browser_of(stack, tmp_path, "approver-fraud"))})

    code, shown = at_terminal(smas, "login", stack.url)

    assert code == 0, shown
    assert shown.endswith(f"signed in to {stack.url} as approver-fraud\n")
    assert f"{stack.aws.endpoint}/oauth2/authorize?response_type=code" in shown
    seen = (tmp_path / "seen").read_text(encoding="utf-8")
    assert seen.startswith("200 ")
    assert "You are signed in" in seen
    who = smas.json("whoami")
    assert (who["username"], who["roles"]) == ("approver-fraud", [{"role": "approver", "team": "fraud"}])
    assert stat.S_IMODE(smas.credentials.stat().st_mode) == 0o600
    held = json.loads(smas.credentials.read_text(encoding="utf-8"))
    first = held["stores"][stack.url]["access_token"]
    held["stores"][stack.url]["access_token"] = first[:-4] + "AAAA"
    smas.credentials.write_text(json.dumps(held), encoding="utf-8")
    assert smas.json("whoami")["username"] == "approver-fraud"
    assert smas.text("logout") == f"signed out of {stack.url}"
    assert smas.run("whoami").returncode == 3


def test_without_a_browser_the_address_is_opened_by_hand(stack: Stack, tmp_path: Path) -> None:
    """No terminal is needed; whoever opens the printed address on this machine is signed in."""
    smas = Smas(tmp_path)
    with smas.started("login", stack.url, "--no-browser") as process:
        assert process.stderr
        address = ""
        while not address:
            found = re.match(r"http://\S+/oauth2/authorize\?\S+", process.stderr.readline())
            address = found[0] if found else ""
        browser = OAuthBrowser()
        page = browser.follow(address)
        refused = browser.send(page, username="ds-nlp", password="wrong")
        password = stack.aws.stack["password"]
        if isinstance(stack.aws, AppliedAws):
            back = sign_in(browser, refused, "ds-nlp", password, stack.aws.authenticators)
        else:
            back = browser.send(refused, username="ds-nlp", password=password)
        assert "You are signed in" in browser.open(back.location).text
        assert process.wait(30) == 0
    assert smas.json("whoami")["username"] == "ds-nlp"


def test_two_people_sign_in_on_one_machine_at_once(stack: Stack, tmp_path: Path) -> None:
    """Each has a port of their own, and nobody gets the other's sign-in."""
    results: dict[str, tuple[int, str]] = {}

    def sign_in(name: str) -> None:
        (home := tmp_path / name).mkdir()
        smas = replace(Smas(home), variables={"BROWSER": str(browser_of(stack, home, name))})
        results[name] = at_terminal(smas, "login", stack.url)

    names = ("ds-fraud", "auditor")
    threads = [threading.Thread(target=sign_in, args=(name,)) for name in names]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for name in names:
        code, shown = results[name]
        assert code == 0, shown
        assert shown.endswith(f"signed in to {stack.url} as {name}\n")
