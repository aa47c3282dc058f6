"""Signing in and out with the command."""

from __future__ import annotations

import stat
from typing import TYPE_CHECKING

from smas.session import Places

from tests.client.site.answers import gateway_answer
from tests.client.site.user_pool import MACHINE_SECRET, PASSWORD, POOL_URL
from tests.web.conftest import ISSUER, MACHINE, PUBLIC_URL, TOKENS

if TYPE_CHECKING:
    from pathlib import Path

    import pytest

    from tests.client.cli.conftest import Command
    from tests.client.site.user_pool import UserPool

LOGIN = ("login", PUBLIC_URL, "-u", "ds-fraud", "--password-stdin")


def test_the_address_is_all_one_has_to_know(nobody: Command, folders: Path) -> None:
    """After a login every command works without another word, and the file is one's own alone."""
    ended = nobody.done(*LOGIN, stdin=f"{PASSWORD}\n")
    assert ended.out == f"signed in to {PUBLIC_URL} as ds-fraud\n"
    assert ISSUER in ended.err
    kept = folders / "config" / "credentials.json"
    assert stat.S_IMODE(kept.stat().st_mode) == 0o600
    assert PASSWORD not in kept.read_text()
    assert "ds-fraud" in nobody.done("whoami").out
    assert nobody.done("token").out.count(".") == 2


def test_a_renewal_is_not_noticed(nobody: Command, people: UserPool) -> None:
    """A token that has ended meanwhile is renewed by whichever command needs it."""
    people.lifetime_seconds = 5
    nobody.done(*LOGIN, stdin=f"{PASSWORD}\n")
    people.lifetime_seconds = 3600
    assert "ds-fraud" in nobody.done("whoami").out
    assert people.asked == ["InitiateAuth USER_PASSWORD_AUTH", "InitiateAuth REFRESH_TOKEN_AUTH"]
    nobody.done("whoami")
    assert len(people.asked) == 2


def test_signing_out_ends_it_here_and_at_the_pool(nobody: Command, people: UserPool) -> None:
    """Afterwards one has to sign in again; the address is remembered, and doing it twice is harmless."""
    nobody.done(*LOGIN, stdin=f"{PASSWORD}\n")
    assert people.refresh_tokens
    assert nobody.done("logout").out == f"signed out of {PUBLIC_URL}\n"
    assert people.refresh_tokens == {}
    assert nobody("whoami").code == 3
    assert nobody.done("logout").out == f"you were not signed in to {PUBLIC_URL}\n"
    nobody.done("login", "-u", "ds-fraud", "--password-stdin", stdin=f"{PASSWORD}\n")
    assert "ds-fraud" in nobody.done("whoami").out


def test_signing_out_while_the_pool_refuses_forgets_it_here(nobody: Command, folders: Path) -> None:
    """The error says what is left; on this machine nothing is."""
    nobody.done(*LOGIN, stdin=f"{PASSWORD}\n")
    nobody.wire.instead("POST", POOL_URL, lambda _: gateway_answer(400))
    ended = nobody("logout")
    assert ended.code != 0
    assert "signed out on this machine" in ended.err
    assert Places(folders / "config", folders / "cache").credentials.find(PUBLIC_URL) is None


def test_a_wrong_password_leaves_nothing(nobody: Command, folders: Path) -> None:
    """Exit code 3, the pool's words, and no file."""
    ended = nobody(*LOGIN, stdin="wrong\n")
    assert (ended.code, ended.out) == (3, "")
    assert "Incorrect username or password" in ended.err
    assert not (folders / "config" / "credentials.json").exists()


def test_a_token_from_elsewhere(nobody: Command) -> None:
    """Piped in, checked with the store, and kept; one that the store refuses is not."""
    token = TOKENS["approver-fraud"](nobody.wire.site.pool)
    assert nobody("login", PUBLIC_URL, "--token", "-", stdin="not.a.token\n").code == 3
    assert nobody("whoami").code == 3
    ended = nobody.done("login", PUBLIC_URL, "--token", "-", stdin=f"{token}\n")
    assert ended.out == f"signed in to {PUBLIC_URL} as approver-fraud\n"
    assert nobody.done("token").out == f"{token}\n"
    assert nobody.wire.people.asked == []
    assert nobody("login", PUBLIC_URL, "--token", "-", stdin="").code == 2


def test_machines_need_no_login(nobody: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    """Three variables are enough; one without the other is wrong usage."""
    monkeypatch.setenv("SMAS_STORE", PUBLIC_URL)
    monkeypatch.setenv("SMAS_CLIENT_ID", MACHINE)
    assert nobody("whoami").code == 2
    monkeypatch.setenv("SMAS_CLIENT_SECRET", MACHINE_SECRET)
    assert f"{MACHINE} (a machine)" in nobody.done("whoami").out
    monkeypatch.setenv("SMAS_CLIENT_SECRET", "wrong")
    refused = nobody("whoami")
    assert refused.code == 3
    assert "SMAS_CLIENT_SECRET" in refused.err


def test_several_stores_are_kept_apart(nobody: Command) -> None:
    """The last login is the default; --store and SMAS_STORE name another, which has its own sign-in."""
    nobody.done(*LOGIN, stdin=f"{PASSWORD}\n")
    ended = nobody("whoami", "--store", "https://elsewhere.example")
    assert ended.code == 3
    assert "elsewhere.example" in ended.err
    nobody.monkeypatch.setenv("SMAS_STORE", "https://elsewhere.example")
    assert nobody("whoami").code == 3
    assert "ds-fraud" in nobody.done("whoami", "--store", f"{PUBLIC_URL}/").out
    assert not [one for one in nobody.wire.sent if "elsewhere" in one.url]
