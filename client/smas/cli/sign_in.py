"""Signing in and out: login, logout, whoami, token."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING

import click

from smas.cli import browsers
from smas.cli.context import Run, common_options
from smas.errors import SmasError

if TYPE_CHECKING:
    from smas.identity.cognito import UserPool
    from smas.identity.credentials import CredentialsFile, SignIn


@click.command()
@click.argument("where", metavar="ADDRESS", required=False)
@click.option("--username", "-u", help="Sign in with user name and password, not with the browser.")
@click.option("--password-stdin", is_flag=True, help="Read the password from the first line of stdin.")
@click.option(
    "--token", "token_from", metavar="-", help="Read an access token from stdin instead of signing in."
)
@click.option("--no-browser", is_flag=True, help="Print the address of the sign-in page, do not open it.")
@click.option(
    "--ask-again", is_flag=True, help="Have the page ask who you are, even if the browser remembers you."
)
@common_options
def login(
    run: Run,
    where: str | None,
    username: str | None,
    token_from: str | None,
    *,
    password_stdin: bool,
    no_browser: bool,
    ask_again: bool,
) -> None:
    """Sign in to the store at ADDRESS, which becomes the default.

    Asks the store where its users sign in, and opens that page in your browser. Without a browser, without a
    terminal, and where there is no such page, user name and password are asked for here, and whatever else
    the user pool wants (a one-time code, a new password). Tokens are kept in a file that only you can read
    and renewed when needed; the password is not kept.

    Machines need no login: set SMAS_CLIENT_ID and SMAS_CLIENT_SECRET.
    """
    from smas.identity.cognito import UserPool  # noqa: PLC0415
    from smas.identity.credentials import SignIn  # noqa: PLC0415
    from smas.identity.discovery import discover  # noqa: PLC0415
    from smas.session import Places, store_address  # noqa: PLC0415

    credentials = Places.of(os.environ).credentials
    store = store_address(where or run.address, os.environ, credentials)
    by_password = username is not None or password_stdin
    if (no_browser or ask_again) and (by_password or token_from is not None):
        message = "--no-browser and --ask-again are for signing in with a browser alone"
        raise click.UsageError(message)
    if token_from is not None:
        if token_from != "-":  # noqa: S105 - not a token, but where it comes from
            message = "a token on the command line is seen by others: pipe it in, with --token -"
            raise click.UsageError(message)
        sign_in = SignIn(access_token=_line_of_stdin("token"))
    else:
        place = discover(store, run.http())
        run.output.say(f"signing in to {store}, at {place.pool_url} ({place.issuer})")
        if not by_password and (no_browser or ask_again or (place.page_url and browsers.may_open())):
            with browsers.signed_in(run, place, open_it=not no_browser, ask_again=ask_again) as sign_in:
                _keep(run, credentials, store, sign_in)
            return
        pool = UserPool(place.pool_url, place.client_id, run.http())
        sign_in = _with_password(pool, username, password_stdin=password_stdin)
    _keep(run, credentials, store, sign_in)


def _keep(run: Run, credentials: CredentialsFile, store: str, sign_in: SignIn) -> None:
    """Remember a sign-in that the store accepts, and say so."""
    who = _check(run, store, sign_in.access_token)
    credentials.keep(store, sign_in, make_current=True)
    if run.output.as_json:
        run.output.json({"store": store, **who})
    else:
        run.output.data(f"signed in to {store} as {who['username'] or who['client_id']}")


def _with_password(pool: UserPool, username: str | None, *, password_stdin: bool) -> SignIn:
    from smas.identity.credentials import SignIn  # noqa: PLC0415

    if username is None:
        if password_stdin:
            message = "--password-stdin needs --username"
            raise click.UsageError(message)
        username = click.prompt("User name", err=True)
    password = (
        _line_of_stdin("password") if password_stdin else click.prompt("Password", hide_input=True, err=True)
    )
    granted = pool.sign_in(
        username, password, lambda question, hidden: click.prompt(question, hide_input=hidden, err=True)
    )
    return SignIn(
        access_token=granted.access_token,
        refresh_token=granted.refresh_token,
        pool_url=pool.url,
        client_id=pool.client_id,
        username=username,
    )


@click.command()
@common_options
def logout(run: Run) -> None:
    """Forget the sign-in, and have the user pool forget it too."""
    from smas.identity.cognito import UserPool  # noqa: PLC0415
    from smas.session import Places, store_address  # noqa: PLC0415

    credentials = Places.of(os.environ).credentials
    store = store_address(run.address, os.environ, credentials)
    held = credentials.find(store)
    credentials.forget(store)
    if held and held.refresh_token and held.pool_url and held.client_id:
        try:
            UserPool(held.pool_url, held.client_id, run.http()).revoke(held.refresh_token)
        except SmasError as error:
            error.hint = "you are signed out on this machine; elsewhere the sign-in lasts until it expires"
            raise
    done = f"signed out of {store}" if held else f"you were not signed in to {store}"
    if run.output.as_json:
        run.output.json({"store": store, "signed_out": held is not None})
    else:
        run.output.data(done)


@click.command()
@common_options
def whoami(run: Run) -> None:
    """Show who you are to the store: name, roles, permissions."""
    store = run.store()
    who = store.whoami()
    if run.output.as_json:
        run.output.json(who.as_json())
        return
    roles = [f"{role.role} of {role.team}" if role.team else f"{role.role} (all teams)" for role in who.roles]
    run.output.pairs(
        {
            "store": store.address,
            "user": who.username or f"{who.client_id} (a machine)",
            "subject": who.subject,
            "roles": ", ".join(roles) or "none: ask whoever administers the store",
            "may": ", ".join(who.permissions) or "nothing",
            "token until": who.expires_at,
        }
    )


@click.command()
@common_options
def token(run: Run) -> None:
    """Print a fresh access token, for curl and other tools.

    \b
    curl -H "Authorization: Bearer $(smas token)" https://models.example.com/v1/whoami
    """
    value = run.store().token()
    if run.output.as_json:
        run.output.json({"access_token": value})
    else:
        run.output.data(value)


def _check(run: Run, store: str, access_token: str) -> dict[str, object]:
    """Who the store says the token's owner is; a token it does not accept is not kept."""
    from smas.api import Api  # noqa: PLC0415
    from smas.identity.tokens import GivenToken  # noqa: PLC0415

    return Api(store, run.http(), GivenToken(access_token)).whoami().as_json()


def _line_of_stdin(what: str) -> str:
    line = sys.stdin.readline().strip("\r\n")
    if not line:
        message = f"no {what} came on stdin"
        raise click.UsageError(message)
    return line


COMMANDS = (login, logout, whoami, token)
