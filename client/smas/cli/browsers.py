"""Signing in with the browser of whoever sits at the terminal."""

from __future__ import annotations

import os
import secrets
import sys
import threading
import webbrowser
from contextlib import contextmanager
from typing import TYPE_CHECKING

import click

from smas.errors import NotFound, NotSignedIn

if TYPE_CHECKING:
    from collections.abc import Iterator

    from smas.cli.context import Run
    from smas.identity.credentials import SignIn
    from smas.identity.discovery import SignInPlace


def may_open() -> bool:
    """Whether somebody sits at a terminal of a machine that can show them a page.

    A text browser would take the terminal over, and pages like Cognito's do not work in one.
    """
    if not (sys.stdin.isatty() and sys.stderr.isatty()):
        return False
    shown = os.environ.get("BROWSER") or os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY")
    if not shown and sys.platform != "darwin":
        return False
    try:
        webbrowser.get()
    except webbrowser.Error:
        return False
    return True


@contextmanager
def signed_in(run: Run, place: SignInPlace, *, open_it: bool, ask_again: bool) -> Iterator[SignIn]:
    """What a sign-in with the browser gives; the browser is told at the end whether the block succeeded.

    Raises ``NotSignedIn`` if the pool refuses or nobody signs in in time, ``LocalFault`` if the browser has
    nowhere to come back to, ``NotFound`` if the pool has no page.
    """
    from smas.identity.browser import WAIT_SECONDS, BrowserSignIn  # noqa: PLC0415
    from smas.identity.credentials import SignIn  # noqa: PLC0415
    from smas.identity.loopback import Listener  # noqa: PLC0415

    if place.page_url is None:
        message = f"{place.issuer} has no sign-in page for browsers"
        raise NotFound(message, hint=f"smas login {place.store} --username NAME")
    state = secrets.token_urlsafe(32)
    with Listener(state) as listener:
        begun = BrowserSignIn.begin(place, listener.redirect_uri, state)
        url = begun.url(ask_again=ask_again)
        if open_it:
            run.output.say(f"opening your browser; if it does not open, open this yourself:\n{url}")
            # Some browsers return when their window is closed.
            threading.Thread(target=webbrowser.open, args=(url,), daemon=True).start()
        else:
            click.echo(
                f"open this in a browser on this machine:\n{url}\n"
                f"(it comes back to {listener.redirect_uri}, so a browser on another machine does not do: "
                f"sign in there with smas login {place.store} --username NAME)",
                err=True,
            )
        answer = listener.wait(WAIT_SECONDS)
        if answer is None:
            message = f"nobody signed in within {WAIT_SECONDS / 60:.0f} minutes"
            hint = (
                f"begin again; if the page showed an error, have {listener.redirect_uri} registered as a "
                "callback URL, or sign in with --username NAME"
            )
            raise NotSignedIn(message, hint=hint)
        granted = begun.finish(answer, run.http())
        yield SignIn(
            access_token=granted.access_token,
            refresh_token=granted.refresh_token,
            pool_url=place.pool_url,
            client_id=place.client_id,
        )
        listener.decide(signed_in=True)
