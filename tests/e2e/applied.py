"""The store that a rehearsal applied: who its people are, and how they sign in there.

As in AWS: on the sign-in page, with a password and a second factor, by a client that takes no password
itself. A browser is remembered for an hour, so each person signs in once.
"""

from __future__ import annotations

import base64
import fcntl
import hashlib
import json
import os
import secrets
import shlex
import subprocess
import time
import urllib.parse
import urllib.request
from configparser import ConfigParser
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Final

from smas_emulator.cognito.second_factor import STEP_SECONDS, one_time_code

from tests.accounts import Keys
from tests.local_aws import LocalStack
from tests.stack.browser import OAuthBrowser, Seen

CALLBACK: Final = "http://127.0.0.1:18390/callback"
# Read by `conftest.py`; `deployment.rehearsal.steps` sets both.
IN_REHEARSAL: Final = os.environ.get("SMAS_TEST_RUNTIME") == "rehearsal"


def rehearsed_state() -> Path:
    """The state directory of the rehearsal that these tests run in."""
    return Path(os.environ["SMAS_TEST_STATE"])


class SignInRefused(Exception):
    """The sign-in page let somebody in no further; its text says why."""


@dataclass(frozen=True)
class Authenticator:
    """A person's authenticator app: its secret, and which code was used last, in a file for all processes."""

    file: Path

    def code_for(self, page: Seen) -> str:
        """A code for a page that asks for one; a secret that the page shows is taken up first."""
        self.file.parent.mkdir(exist_ok=True, mode=0o700)
        with self.file.open("a+", encoding="ascii") as held:
            fcntl.flock(held, fcntl.LOCK_EX)
            held.seek(0)
            secret, _, last = held.read().partition(" ")
            shown = page.text.partition('<code id="secret">')[2].partition("</code>")[0]
            secret, last = (shown, "0") if shown else (secret, last)
            # Each code is good once, and the next one half a minute early.
            step = max(int(time.time()) // STEP_SECONDS, int(last) + 1)
            time.sleep(max(0.0, (step - 1) * STEP_SECONDS - time.time()))
            held.truncate(0)
            held.write(f"{secret} {step}")
        return one_time_code(secret, step)


def sign_in(browser: OAuthBrowser, page: Seen, username: str, password: str, authenticators: Path) -> Seen:
    """Fill in the sign-in page, and the one for a code; the redirect that leaves them.

    Raises `SignInRefused`.
    """
    asked = browser.send(page, username=username, password=password)
    if "code" not in asked.fields:
        raise SignInRefused(asked.text)
    return browser.send(asked, code=Authenticator(authenticators / username).code_for(asked))


class AppliedAws(LocalStack):
    """The emulators of a rehearsal, as tests see the local AWS."""

    @property
    def authenticators(self) -> Path:
        """The folder of everybody's."""
        return self.state / "authenticators"

    @cached_property
    def browsers(self) -> dict[str, OAuthBrowser]:
        """Each person's, once they signed in."""
        return {}

    def process_keys(self, process: str) -> Keys:
        """A session of the role of `service` or `worker`, as the process itself gets it."""
        profiles = ConfigParser()
        profiles.read(self.environment["AWS_CONFIG_FILE"])
        command = shlex.split(profiles[f"profile smas-{process}"]["credential_process"])
        given = json.loads(subprocess.run(command, capture_output=True, check=True).stdout)
        return Keys(given["AccessKeyId"], given["SecretAccessKey"], given["SessionToken"])

    def open(self, user: str, address: str) -> Seen:
        """Where an address of the authorization endpoint leads in somebody's browser: back to the client."""
        browser = self.browsers.setdefault(user, OAuthBrowser())
        seen = browser.follow(address)
        if not seen.location:
            seen = sign_in(browser, seen, user, str(self.stack["password"]), self.authenticators)
        assert seen.location, seen.text
        return seen

    def token(self, user: str) -> str:
        """A fresh access token, by an authorization code."""
        verifier = secrets.token_urlsafe(48)
        challenge = base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).decode().rstrip("=")
        client = {"client_id": self.stack["people_client_id"], "redirect_uri": CALLBACK}
        asked = {
            "response_type": "code",
            "scope": "openid",
            "state": "s",
            "code_challenge": challenge,
            "code_challenge_method": "S256",
            **client,
        }
        address = f"{self.endpoint}/oauth2/authorize?{urllib.parse.urlencode(asked)}"
        form = {
            "grant_type": "authorization_code",
            "code": self.open(user, address).brought["code"],
            "code_verifier": verifier,
            **client,
        }
        request = urllib.request.Request(
            str(self.stack["token_url"]), data=urllib.parse.urlencode(form).encode()
        )
        status, body = self.fetch(request)
        assert status == 200, body
        return str(body["access_token"])
