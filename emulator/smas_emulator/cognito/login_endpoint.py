"""`/oauth2/authorize`, `/login` and `/logout` as a browser sees them: Cognito's managed login, small.

https://docs.aws.amazon.com/cognito/latest/developerguide/login-endpoint.html,
https://docs.aws.amazon.com/cognito/latest/developerguide/logout-endpoint.html. No password and no code stays
anywhere: the first is compared, the second leaves in the redirect.
"""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import parse_qsl

from smas_emulator.cognito import sign_in_page
from smas_emulator.cognito.answers import PageAnswer, cookie, redirect
from smas_emulator.cognito.app_clients import NewPasswordRequired, PasswordRefused, Refused
from smas_emulator.cognito.authorization_codes import AuthorizationCodes, Grant
from smas_emulator.cognito.authorization_endpoint import (
    AuthorizationRequest,
    NotRedirected,
    SentBack,
    known_client,
    read_authorization_request,
    registered,
)
from smas_emulator.cognito.browser_sessions import (
    CODE,
    FORM_COOKIE,
    NEW_PASSWORD,
    SESSION_LIFETIME,
    BrowserSession,
    BrowserSessions,
    Challenge,
)
from smas_emulator.cognito.forms import MalformedForm, read_form

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from typing import Concatenate, ParamSpec, TypeVar

    from smas_emulator.cognito.app_clients import Clients, People

    Rest = ParamSpec("Rest")
    Login = TypeVar("Login", bound="ManagedLogin")

_WRONG_CODE = "That code is not right, or was used before. Please sign in again, with the next one."
_STALE = "This page is too old, or cookies are off. Please sign in again."


def _told(
    endpoint: Callable[Concatenate[Login, Rest], PageAnswer],
) -> Callable[Concatenate[Login, Rest], PageAnswer]:
    """Answer requests that can't be granted: on a page, or at the client."""

    def answered(login: Login, /, *arguments: Rest.args, **named: Rest.kwargs) -> PageAnswer:
        try:
            return endpoint(login, *arguments, **named)
        except NotRedirected as error:
            return sign_in_page.error_page(400, error.error, error.explanation)
        except SentBack as error:
            return redirect(error.location)

    return answered


class ManagedLogin:
    """The pages for all pools: a request's `client_id` says which pool is meant.

    Queries and forms are given as sent, cookies by name.
    """

    def __init__(
        self, clients: Clients, people: People, codes: AuthorizationCodes, sessions: BrowserSessions
    ) -> None:
        self._clients = clients
        self._people = people
        self._codes = codes
        self._sessions = sessions

    @_told
    def authorize(self, query: str, cookies: Mapping[str, str]) -> PageAnswer:
        """`GET /oauth2/authorize`: back with a code if the browser is remembered, else on to `/login`."""
        asked = read_authorization_request(query, self._clients)
        session = None if asked.asks_anyway else self._sessions.find(asked.client, cookies)
        if session is not None and self._people.may_sign_in(asked.client, session.username):
            return self._granted(asked, session)
        if "none" in asked.prompt:
            return redirect(asked.redirect_with(error="login_required"))
        return redirect(f"/login?{query}")

    @_told
    def show(self, query: str, cookies: Mapping[str, str]) -> PageAnswer:
        """`GET /login`: the form."""
        asked = read_authorization_request(query, self._clients)
        return self._form(asked, cookies)

    @_told
    def submit(self, query: str, body: str, cookies: Mapping[str, str]) -> PageAnswer:
        """`POST /login`: back to the app with a code, or the form again, or the one for a new password."""
        asked = read_authorization_request(query, self._clients)
        try:
            form = read_form(body)
        except MalformedForm as error:
            return sign_in_page.error_page(400, "invalid_request", f"This can't be read: {error}.")
        if not self._sessions.came_from_our_form(cookies, form.get("_csrf", "")):
            return self._form(asked, cookies, fault=_STALE, status=403)
        if "challenge" in form:
            return self._answered(asked, form, cookies)
        username, password = form.get("username", "").strip(), form.get("password", "")
        verdict = self._people.check_password(asked.client, username, password)
        match verdict:
            case Refused():
                return self._form(asked, cookies, fault=verdict.reason, username=username, status=400)
            case NewPasswordRequired():
                secret = self._challenge(asked, verdict.username, cookies, NEW_PASSWORD)
                return self._new_password_form(asked, cookies, secret)
            case _:
                return self._password_given(asked, verdict.username, cookies)

    @_told
    def logout(self, query: str, cookies: Mapping[str, str]) -> PageAnswer:
        """`GET /logout`: forget the browser's sign-in, then on to `logout_uri`, or to sign in anew."""
        pairs = parse_qsl(query)
        client = known_client(pairs, self._clients)
        if any(name == "logout_uri" for name, _ in pairs):
            location = registered(pairs, "logout_uri", client.logout_urls)
        else:
            read_authorization_request(query, self._clients)
            location = f"/login?{query}"
        return redirect(location, self._sessions.end(client, cookies))

    def _challenge(
        self, asked: AuthorizationRequest, username: str, cookies: Mapping[str, str], owed: str
    ) -> str:
        form_secret = self._sessions.form_secret(cookies)
        return self._sessions.challenge(Challenge(asked.client.id, username, form_secret, owed))

    def _answered(
        self, asked: AuthorizationRequest, form: Mapping[str, str], cookies: Mapping[str, str]
    ) -> PageAnswer:
        """What somebody who owes something has given."""
        secret = form["challenge"]
        challenge = self._sessions.challenged(secret, asked.client, self._sessions.form_secret(cookies))
        if challenge is None:
            return self._form(asked, cookies, fault=_STALE, status=403)
        if challenge.owed == CODE:
            return self._code(asked, challenge, form, cookies)
        return self._new_password(asked, challenge, form, cookies)

    def _code(
        self,
        asked: AuthorizationRequest,
        challenge: Challenge,
        form: Mapping[str, str],
        cookies: Mapping[str, str],
    ) -> PageAnswer:
        """One try for each password that was given, so that nobody tries codes by the thousand."""
        factor = self._people.second_factor(asked.client, challenge.username)
        if not self._sessions.settle(form["challenge"]) or factor is None:
            return self._form(asked, cookies, fault=_STALE, status=403)
        if not factor.accepts(form.get("code", "").strip(), self._sessions.time()):
            return self._form(asked, cookies, fault=_WRONG_CODE, username=challenge.username, status=400)
        return self._signed_in(asked, challenge.username, cookies)

    def _new_password(
        self,
        asked: AuthorizationRequest,
        challenge: Challenge,
        form: Mapping[str, str],
        cookies: Mapping[str, str],
    ) -> PageAnswer:
        secret, password = form["challenge"], form.get("new_password", "")
        if password != form.get("repeated_password", ""):
            return self._new_password_form(asked, cookies, secret, "The two passwords are not the same.")
        try:
            replaced = self._people.replace_temporary_password(asked.client, challenge.username, password)
        except PasswordRefused as refused:
            return self._new_password_form(asked, cookies, secret, str(refused))
        if not self._sessions.settle(secret) or not replaced:
            return self._form(asked, cookies, fault=_STALE, status=403)
        return self._password_given(asked, challenge.username, cookies)

    def _password_given(
        self, asked: AuthorizationRequest, username: str, cookies: Mapping[str, str]
    ) -> PageAnswer:
        """On to the second factor, where the pool or the person has one."""
        factor = self._people.second_factor(asked.client, username)
        if factor is None:
            return self._signed_in(asked, username, cookies)
        secret = self._sessions.form_secret(cookies)
        return sign_in_page.code_page(
            asked,
            challenge=self._challenge(asked, username, cookies, CODE),
            form_token=self._sessions.form_token(secret),
            cookies=(_form_cookie(secret),),
            new_secret=None if factor.confirmed else factor.secret,
        )

    def _signed_in(
        self, asked: AuthorizationRequest, username: str, cookies: Mapping[str, str]
    ) -> PageAnswer:
        session, remember = self._sessions.begin(asked.client, username, cookies)
        return self._granted(asked, session, remember)

    def _granted(self, asked: AuthorizationRequest, session: BrowserSession, *cookies: str) -> PageAnswer:
        code = self._codes.issue(
            Grant(
                client_id=asked.client.id,
                redirect_uri=asked.redirect_uri,
                scopes=asked.scopes,
                username=session.username,
                auth_time=session.auth_time,
                nonce=asked.nonce,
                code_challenge=asked.code_challenge,
            )
        )
        return redirect(asked.redirect_with(code=code), *cookies)

    def _form(
        self,
        asked: AuthorizationRequest,
        cookies: Mapping[str, str],
        *,
        fault: str | None = None,
        username: str = "",
        status: int = 200,
    ) -> PageAnswer:
        secret = self._sessions.form_secret(cookies)
        return sign_in_page.login_page(
            asked,
            form_token=self._sessions.form_token(secret),
            cookies=(_form_cookie(secret),),
            fault=fault,
            username=username,
            status=status,
        )

    def _new_password_form(
        self,
        asked: AuthorizationRequest,
        cookies: Mapping[str, str],
        challenge: str,
        fault: str | None = None,
    ) -> PageAnswer:
        secret = self._sessions.form_secret(cookies)
        return sign_in_page.new_password_page(
            asked,
            challenge=challenge,
            form_token=self._sessions.form_token(secret),
            cookies=(_form_cookie(secret),),
            fault=fault,
        )


def _form_cookie(secret: str) -> str:
    return cookie(FORM_COOKIE, secret, int(SESSION_LIFETIME.total_seconds()))
