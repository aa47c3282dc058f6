"""Signing in at the user pool: the password, and whatever else it asks for."""

from __future__ import annotations

import traceback
from typing import TYPE_CHECKING, Any

import pytest
from smas.errors import Forbidden, NotSignedIn, SmasError, Unavailable
from smas.http import HttpClient
from smas.identity.cognito import UserPool as PoolClient
from smas.retries import Stop

from tests.client.site.answers import Given, gateway_answer, json_answer
from tests.client.site.fixtures import SOON
from tests.client.site.user_pool import PASSWORD, POOL_URL, Person
from tests.web.conftest import PEOPLE, PUBLIC_URL

if TYPE_CHECKING:
    from tests.client.site.user_pool import UserPool
    from tests.client.site.wire import WsgiTransport


class Keyboard:
    """Somebody who answers questions in turn, and remembers them."""

    def __init__(self, *answers: str) -> None:
        self.answers = list(answers)
        self.asked: list[tuple[str, bool]] = []

    def ask(self, question: str, hidden: bool) -> str:
        """The next answer."""
        self.asked.append((question, hidden))
        return self.answers.pop(0)


@pytest.fixture
def client(wire: WsgiTransport) -> PoolClient:
    """The pool as its public client sees it."""
    return PoolClient(POOL_URL, PEOPLE, HttpClient(wire, SOON, Stop()))


def who(wire: WsgiTransport, token: str) -> Any:
    """Whom the store takes the token's owner for."""
    return wire.site.call("GET", "/v1/whoami", token).json["username"]


def test_a_password_gives_tokens_that_the_store_takes(client: PoolClient, wire: WsgiTransport) -> None:
    """Nothing else is asked; the refresh token gives further access tokens."""
    keyboard = Keyboard()
    granted = client.sign_in("ds-fraud", PASSWORD, keyboard.ask)
    assert keyboard.asked == []
    assert who(wire, granted.access_token) == "ds-fraud"
    assert granted.refresh_token
    again = client.refresh(granted.refresh_token)
    assert again.access_token != granted.access_token
    assert who(wire, again.access_token) == "ds-fraud"
    assert again.refresh_token is None


@pytest.mark.parametrize(
    ("challenge", "hidden"),
    [
        ("NEW_PASSWORD_REQUIRED", True),
        ("SOFTWARE_TOKEN_MFA", False),
        ("SMS_MFA", False),
        ("EMAIL_OTP", False),
    ],
)
def test_what_the_pool_asks_besides_is_asked_of_the_user(
    client: PoolClient, people: UserPool, wire: WsgiTransport, challenge: str, hidden: bool
) -> None:
    """A password is asked for hidden, a code that is good once is not."""
    people.people["new"] = Person(("data-scientist@fraud",), challenges=((challenge, "the answer"),))
    keyboard = Keyboard("the answer")
    granted = client.sign_in("new", PASSWORD, keyboard.ask)
    assert who(wire, granted.access_token) == "new"
    assert [was_hidden for _, was_hidden in keyboard.asked] == [hidden]


def test_several_challenges_follow_each_other(client: PoolClient, people: UserPool) -> None:
    """A new password, then a code; the new password is the one that counts from now on."""
    challenges = (("NEW_PASSWORD_REQUIRED", "my own"), ("SOFTWARE_TOKEN_MFA", "123456"))
    people.people["new"] = Person(challenges=challenges)
    keyboard = Keyboard("my own", "123456")
    assert client.sign_in("new", PASSWORD, keyboard.ask).access_token
    assert len(keyboard.asked) == 2
    assert people.people["new"].password == "my own"


def test_an_unknown_challenge_says_what_else_to_do(client: PoolClient, wire: WsgiTransport) -> None:
    """What this command can't answer is named, and the way around it."""
    wire.instead("POST", POOL_URL, lambda _: json_answer(200, {"ChallengeName": "WEB_AUTHN", "Session": "s"}))
    with pytest.raises(NotSignedIn, match="WEB_AUTHN") as told:
        client.sign_in("ds-fraud", PASSWORD, Keyboard().ask)
    assert "--token -" in told.value.hint


def test_a_wrong_password_or_user_is_refused_in_the_pool_s_words(client: PoolClient) -> None:
    """The same for both, and neither password nor name of the pool's error stands in it."""
    for name, password in (("ds-fraud", "wrong-password"), ("stranger", PASSWORD)):
        with pytest.raises(NotSignedIn, match="Incorrect username or password") as told:
            client.sign_in(name, password, Keyboard().ask)
        assert told.value.exit_code == 3


def test_a_wrong_code_is_refused(client: PoolClient, people: UserPool) -> None:
    """The pool's own words tell that it was the code."""
    people.people["new"] = Person(challenges=(("SOFTWARE_TOKEN_MFA", "123456"),))
    with pytest.raises(NotSignedIn, match="Invalid code"):
        client.sign_in("new", PASSWORD, Keyboard("000000").ask)


def test_a_pool_that_takes_no_passwords_says_what_to_do(client: PoolClient, people: UserPool) -> None:
    """It is not the password that is wrong."""
    people.takes_passwords = False
    with pytest.raises(Forbidden, match="does not allow signing in with a password") as told:
        client.sign_in("ds-fraud", PASSWORD, Keyboard().ask)
    assert "--token -" in told.value.hint


def test_a_password_that_must_be_reset(client: PoolClient, wire: WsgiTransport) -> None:
    """The hint is not to sign in again with the same one."""
    said = {"__type": "PasswordResetRequiredException", "message": "Password reset required for the user"}
    wire.instead("POST", POOL_URL, lambda _: json_answer(400, said))
    with pytest.raises(NotSignedIn, match="Password reset required") as told:
        client.sign_in("ds-fraud", PASSWORD, Keyboard().ask)
    assert "reset your password" in told.value.hint


def test_signing_out_ends_the_refresh_token(client: PoolClient) -> None:
    """Revoked is revoked, and doing it twice is harmless."""
    granted = client.sign_in("ds-fraud", PASSWORD, Keyboard().ask)
    assert granted.refresh_token
    for _ in range(2):
        client.revoke(granted.refresh_token)
    with pytest.raises(NotSignedIn, match="revoked"):
        client.refresh(granted.refresh_token)


@pytest.mark.parametrize(
    ("answer", "kind"),
    [
        (gateway_answer(503), Unavailable),
        (gateway_answer(403), SmasError),
        (json_answer(400, {"__type": "com.amazonaws#InternalErrorException"}), NotSignedIn),
        (json_answer(200, {}), NotSignedIn),
        (json_answer(200, {"AuthenticationResult": {"IdToken": "x"}}), NotSignedIn),
        (Given(200, {}, b"<html>"), SmasError),
        (json_answer(200, [1]), SmasError),
    ],
)
def test_whatever_the_pool_answers_no_secret_is_told(
    client: PoolClient, wire: WsgiTransport, answer: Given, kind: type[SmasError]
) -> None:
    """An error of the tree, without the password, the answer's own text, or the session."""
    content, headers = answer.content(), dict(answer.headers)
    wire.instead("POST", POOL_URL, lambda _: Given(answer.status, headers, content), times=10)
    with pytest.raises(kind) as told:
        client.sign_in("ds-fraud", PASSWORD, Keyboard().ask)
    assert isinstance(told.value, SmasError)
    said = "".join(traceback.format_exception(told.value)) + repr(vars(told.value))
    assert PASSWORD not in said
    assert "secret-of-the-gateway" not in said


def test_what_was_granted_is_not_shown(client: PoolClient) -> None:
    """Neither token stands in the representation."""
    granted = client.sign_in("ds-fraud", PASSWORD, Keyboard().ask)
    assert granted.refresh_token
    assert granted.access_token not in repr(granted)
    assert granted.refresh_token not in repr(granted)
    assert PUBLIC_URL not in repr(granted)
