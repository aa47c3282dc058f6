"""Signing in with the installed command at the running stack, and what other tools get of it."""

from __future__ import annotations

import base64
import json
import stat
from typing import TYPE_CHECKING, Any

import pytest
import urllib3

from tests.e2e.smas_command import Smas

if TYPE_CHECKING:
    from pathlib import Path

    from tests.e2e.conftest import Stack


def whoami(stack: Stack, token: str) -> Any:
    """What the store says of a token's owner to a client that is not ours."""
    with urllib3.PoolManager() as http:
        answer = http.request("GET", f"{stack.url}/v1/whoami", headers={"Authorization": f"Bearer {token}"})
        assert answer.status == 200, answer.data
        return answer.json()


@pytest.mark.password_sign_in
def test_the_stores_address_is_all_that_a_person_needs(stack: Stack, tmp_path: Path) -> None:
    """Login by address, user name and password; then every command knows the store and the person."""
    smas = Smas(tmp_path)
    password = stack.aws.stack["password"]
    login = ("login", stack.url, "--username", "ds-fraud", "--password-stdin")
    assert smas.text(*login, stdin=f"{password}\n") == f"signed in to {stack.url} as ds-fraud"
    who = smas.json("whoami")
    assert (who["username"], who["roles"]) == ("ds-fraud", [{"role": "data-scientist", "team": "fraud"}])
    assert stat.S_IMODE(smas.credentials.stat().st_mode) == 0o600
    assert password not in smas.credentials.read_text(encoding="utf-8")
    assert whoami(stack, smas.text("token"))["username"] == "ds-fraud"


@pytest.mark.password_sign_in
def test_a_wrong_password_is_told_and_nothing_is_kept(stack: Stack, tmp_path: Path) -> None:
    """Exit code 3, and no sign-in remains."""
    smas = Smas(tmp_path)
    done = smas.run("login", stack.url, "-u", "ds-fraud", "--password-stdin", stdin="wrong\n")
    assert (done.returncode, done.stdout) == (3, "")
    assert smas.run("whoami").returncode == 3
    assert not smas.credentials.exists()


def test_a_machine_signs_in_by_its_environment(stack: Stack, tmp_path: Path) -> None:
    """Client id and secret are enough, no login; nothing is written to disk."""
    held = stack.aws.stack
    machine = {
        "SMAS_STORE": stack.url,
        "SMAS_CLIENT_ID": held["machine_client_id"],
        "SMAS_CLIENT_SECRET": held["machine_client_secret"],
    }
    smas = Smas(tmp_path, machine)
    who = smas.json("whoami")
    assert (who["username"], who["roles"]) == (None, [{"role": "deployer", "team": "fraud"}])
    assert whoami(stack, smas.text("token"))["client_id"] == held["machine_client_id"]
    assert not smas.credentials.exists()


def test_an_expired_token_is_renewed_without_a_word(stack: Stack, tmp_path: Path) -> None:
    """The file's expired token is replaced by a fresh one, which the same command goes on with."""
    smas = Smas(tmp_path).login(stack)
    expired = _replace_token(smas, stack, lambda claims: {**claims, "exp": 1_000_000_000})
    done = smas.run("--json", "whoami")
    assert (done.returncode, done.stderr) == (0, "")
    assert json.loads(done.stdout)["username"] == "ds-fraud"
    renewed = _token_in(smas, stack)
    assert renewed != expired
    assert whoami(stack, renewed)["username"] == "ds-fraud"


def test_a_token_that_the_store_refuses_is_renewed_in_the_middle(stack: Stack, tmp_path: Path) -> None:
    """One that looks fresh but is not accepted (revoked, say) is replaced once the store says so."""
    smas = Smas(tmp_path).login(stack)
    refused = _replace_token(smas, stack, lambda claims: {**claims, "jti": "another"})
    assert smas.json("whoami")["username"] == "ds-fraud"
    assert _token_in(smas, stack) != refused


def test_after_logout_nothing_is_left(stack: Stack, tmp_path: Path) -> None:
    """The sign-in is gone from the file, commands say how to sign in again, and the address stays known."""
    smas = Smas(tmp_path).login(stack)
    assert smas.text("logout") == f"signed out of {stack.url}"
    assert json.loads(smas.credentials.read_text(encoding="utf-8"))["stores"] == {}
    done = smas.run("whoami")
    assert done.returncode == 3
    assert f"smas login {stack.url}" in done.stderr


def _token_in(smas: Smas, stack: Stack) -> str:
    held = json.loads(smas.credentials.read_text(encoding="utf-8"))
    return str(held["stores"][stack.url]["access_token"])


def _replace_token(smas: Smas, stack: Stack, change: Any) -> str:
    """Change the claims of the token in the file, so that its signature no longer fits; answers it."""
    header, payload, signature = _token_in(smas, stack).split(".")
    claims = change(json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4))))
    payload = base64.urlsafe_b64encode(json.dumps(claims).encode()).decode().rstrip("=")
    token = f"{header}.{payload}.{signature}"
    held = json.loads(smas.credentials.read_text(encoding="utf-8"))
    held["stores"][stack.url]["access_token"] = token
    smas.credentials.write_text(json.dumps(held), encoding="utf-8")
    return token
