"""Access tokens that are good when they are needed, renewed once, and never shown."""

from __future__ import annotations

import time
import traceback
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import jwt
import pytest
from hypothesis import given
from hypothesis import strategies as st
from smas.errors import NotSignedIn, SmasError, Unavailable
from smas.http import HttpClient
from smas.identity.credentials import CredentialsFile, SignIn
from smas.identity.tokens import MARGIN_SECONDS, GivenToken, MachinesTokens, PersonsTokens, expires_at
from smas.retries import Stop

from tests.client.site.answers import Given, gateway_answer, json_answer
from tests.client.site.fixtures import SOON
from tests.client.site.user_pool import MACHINE_SECRET, POOL_URL, TOKEN_URL
from tests.web.conftest import MACHINE, PEOPLE, PUBLIC_URL

if TYPE_CHECKING:
    from pathlib import Path

    from tests.client.site.user_pool import UserPool
    from tests.client.site.wire import WsgiTransport
    from tests.web.conftest import Pool, Site


def expiring(pool: Pool, seconds: float) -> str:
    """An access token of ds-fraud that expires so many seconds from now."""
    return pool.sign(pool.claims("ds-fraud", exp=int(time.time() + seconds)))


@pytest.fixture
def http(wire: WsgiTransport) -> HttpClient:
    """Single requests."""
    return HttpClient(wire, SOON, Stop())


@pytest.fixture
def credentials(folders: Path) -> CredentialsFile:
    """The file of this test."""
    return CredentialsFile(folders / "config" / "credentials.json")


def sign_in(credentials: CredentialsFile, people: UserPool, seconds: float = 3600) -> SignIn:
    """A kept sign-in of ds-fraud whose access token lasts so long."""
    kept = SignIn(
        expiring(people.pool, seconds), people.refresh_token("ds-fraud"), POOL_URL, PEOPLE, "ds-fraud"
    )
    credentials.keep(PUBLIC_URL, kept)
    return kept


# --- given ---------------------------------------------------------------------------------------------


def test_a_given_token_is_used_until_it_expires(site: Site) -> None:
    """Nobody here can renew it: afterwards the error says where to get another one."""
    good = expiring(site.pool, 5)
    assert GivenToken(good).token() == good
    assert GivenToken(good).renewed(good) is None
    with pytest.raises(NotSignedIn, match="expired") as told:
        GivenToken(expiring(site.pool, -1)).token()
    assert "SMAS_TOKEN" in told.value.hint
    assert GivenToken("an-opaque-token").token() == "an-opaque-token"


def test_a_given_token_is_not_shown(site: Site) -> None:
    """Neither by its representation nor by its error."""
    token = expiring(site.pool, -1)
    assert token not in repr(GivenToken(token))
    with pytest.raises(NotSignedIn) as told:
        GivenToken(token).token()
    assert token not in "".join(traceback.format_exception(told.value))


@given(exp=st.integers(0, 2**40) | st.floats(0, 2**40))
def test_the_time_of_expiry_is_read(exp: float) -> None:
    """Seconds since 1970, also with a fraction."""
    token = jwt.encode({"exp": exp}, "a key that is long enough for its algorithm", algorithm="HS256")
    assert expires_at(token) == exp


payloads = st.text() | st.binary().map(bytes.hex)


@given(token=st.text() | payloads.map(lambda payload: f"a.{payload}.c"))
def test_what_is_no_token_has_no_expiry(token: str) -> None:
    """Whatever stands there, it is the store that judges it: here nothing is raised."""
    assert expires_at(token) is None or isinstance(expires_at(token), float)


@pytest.mark.parametrize("claims", ["[]", "1", '"x"', "null", '{"exp": "soon"}', '{"exp": null}', "{}"])
def test_odd_claims_have_no_expiry(claims: str) -> None:
    """JSON that is not what a token holds is no error either."""
    import base64  # noqa: PLC0415

    payload = base64.urlsafe_b64encode(claims.encode()).decode().rstrip("=")
    assert expires_at(f"e30.{payload}.sig") is None


# --- a person's ----------------------------------------------------------------------------------------


def test_a_fresh_token_is_used_as_it_is(
    credentials: CredentialsFile, people: UserPool, http: HttpClient
) -> None:
    """Nothing is asked of the pool while the token lasts."""
    kept = sign_in(credentials, people)
    tokens = PersonsTokens(credentials, PUBLIC_URL, http)
    assert [tokens.token() for _ in range(3)] == [kept.access_token] * 3
    assert people.asked == []


@pytest.mark.parametrize("seconds", [-10, 0, MARGIN_SECONDS - 5])
def test_a_token_is_renewed_before_it_expires(
    credentials: CredentialsFile, people: UserPool, http: HttpClient, seconds: float
) -> None:
    """A minute early, so that no request races the clock; the new one is kept, and used from then on."""
    kept = sign_in(credentials, people, seconds)
    tokens = PersonsTokens(credentials, PUBLIC_URL, http)
    renewed = tokens.token()
    assert renewed != kept.access_token
    assert tokens.token() == renewed
    assert people.asked == ["InitiateAuth REFRESH_TOKEN_AUTH"]
    held = credentials.find(PUBLIC_URL)
    assert held is not None
    assert (held.access_token, held.refresh_token) == (renewed, kept.refresh_token)
    assert (held.pool_url, held.client_id, held.username) == (POOL_URL, PEOPLE, "ds-fraud")


def test_a_rotated_refresh_token_replaces_the_old_one(
    credentials: CredentialsFile, people: UserPool, http: HttpClient
) -> None:
    """A pool that gives another refresh token with each renewal takes only the newest: it is kept."""
    people.rotates = True
    people.lifetime_seconds = 1  # so that each use renews
    kept = sign_in(credentials, people, seconds=0)
    seen = {kept.refresh_token}
    tokens = PersonsTokens(credentials, PUBLIC_URL, http)
    for _ in range(3):
        tokens.token()
        held = credentials.find(PUBLIC_URL)
        assert held is not None
        assert held.refresh_token not in seen
        assert held.refresh_token in people.refresh_tokens
        seen.add(held.refresh_token)
    assert len(people.asked) == 3


def test_threads_share_a_renewal(credentials: CredentialsFile, people: UserPool, http: HttpClient) -> None:
    """However many need a token at once, one of them fetches it; with rotation, two would end the sign-in."""
    people.rotates = True
    sign_in(credentials, people, seconds=0)
    tokens = PersonsTokens(credentials, PUBLIC_URL, http)
    with ThreadPoolExecutor(8) as threads:
        assert len(set(threads.map(lambda _: tokens.token(), range(32)))) == 1
    assert len(people.asked) == 1


def test_two_of_the_same_person_share_a_renewal(
    credentials: CredentialsFile, people: UserPool, http: HttpClient
) -> None:
    """What another process renewed is read from the file instead of renewed again, also after a 401."""
    kept = sign_in(credentials, people, seconds=0)
    one, two = (PersonsTokens(credentials, PUBLIC_URL, http) for _ in range(2))
    assert one.token() == two.token() != kept.access_token
    assert len(people.asked) == 1
    refused = one.token()
    renewed = one.renewed(refused)
    assert renewed not in {None, refused}
    assert two.renewed(refused) == renewed
    assert len(people.asked) == 2


def test_a_sign_in_without_a_refresh_token_lasts_as_long_as_it_does(
    credentials: CredentialsFile, people: UserPool, http: HttpClient
) -> None:
    """`smas login --token -` keeps nothing to renew with: then one signs in again."""
    credentials.keep(PUBLIC_URL, SignIn(expiring(people.pool, 3600)))
    tokens = PersonsTokens(credentials, PUBLIC_URL, http)
    assert tokens.renewed(tokens.token()) is None
    credentials.keep(PUBLIC_URL, SignIn(expiring(people.pool, 0)))
    with pytest.raises(NotSignedIn, match="nothing to renew it with"):
        PersonsTokens(credentials, PUBLIC_URL, http).token()


def test_who_is_not_signed_in_is_told_where(credentials: CredentialsFile, http: HttpClient) -> None:
    """The hint can be pasted."""
    with pytest.raises(NotSignedIn, match="not signed in") as told:
        PersonsTokens(credentials, PUBLIC_URL, http).token()
    assert told.value.hint == f"smas login {PUBLIC_URL}"


def test_a_pool_that_fails_in_passing_ends_no_sign_in(
    credentials: CredentialsFile, people: UserPool, http: HttpClient, wire: WsgiTransport
) -> None:
    """After the tries it is unavailable; nothing was forgotten, and the next attempt succeeds."""
    kept = sign_in(credentials, people, seconds=0)
    wire.instead("POST", POOL_URL, lambda _: gateway_answer(503), times=4)
    tokens = PersonsTokens(credentials, PUBLIC_URL, http)
    with pytest.raises(Unavailable, match="user pool"):
        tokens.token()
    assert credentials.find(PUBLIC_URL) == kept
    assert tokens.token()


def test_failed_renewals_show_no_token(
    credentials: CredentialsFile, people: UserPool, http: HttpClient, wire: WsgiTransport
) -> None:
    """Whatever the pool answers, the refresh token stands in no error."""
    kept = sign_in(credentials, people, seconds=0)
    assert kept.refresh_token
    for answer in (
        gateway_answer(400),
        json_answer(400, {"__type": "x#NotAuthorizedException", "message": "Refresh Token has expired"}),
        json_answer(200, {}),
        Given(200, {}, b""),
    ):
        wire.instead("POST", POOL_URL, lambda _, answer=answer: answer)  # type: ignore[misc]
        with pytest.raises(SmasError) as told:
            PersonsTokens(credentials, PUBLIC_URL, http).token()
        said = "".join(traceback.format_exception(told.value)) + repr(vars(told.value))
        assert kept.refresh_token not in said
        assert kept.access_token not in said


# --- a machine's ---------------------------------------------------------------------------------------


def machines(http: HttpClient, secret: str = MACHINE_SECRET) -> MachinesTokens:
    """The machine's tokens."""
    return MachinesTokens(MACHINE, secret, lambda: TOKEN_URL, http)


def test_a_machine_s_token_is_fetched_once_and_again_when_it_ends(people: UserPool, http: HttpClient) -> None:
    """Threads share it; a short-lived one is fetched anew; nothing is written anywhere."""
    tokens = machines(http)
    with ThreadPoolExecutor(8) as threads:
        assert len(set(threads.map(lambda _: tokens.token(), range(16)))) == 1
    assert people.asked == ["token"]
    refused = tokens.token()
    with ThreadPoolExecutor(8) as threads:
        (renewed,) = set(threads.map(lambda _: tokens.renewed(refused), range(16)))
    assert renewed not in {None, refused}
    assert people.asked == ["token", "token"]
    people.lifetime_seconds = MARGIN_SECONDS - 5
    short = machines(http)
    assert short.token() != short.token()


@pytest.mark.parametrize("secret", ["a-wrong-secret", "a-secret:with:colons", "a secret with %&+ ä"])
def test_wrong_secrets_are_refused_and_not_shown(people: UserPool, http: HttpClient, secret: str) -> None:
    """The error names the variables to check, what the endpoint said, and no secret."""
    with pytest.raises(NotSignedIn, match=r"refused the client credentials \(invalid_client\)") as told:
        machines(http, secret).token()
    assert "SMAS_CLIENT_SECRET" in told.value.hint
    assert secret not in "".join(traceback.format_exception(told.value))
    assert people.asked == ["token"]


@pytest.mark.parametrize(
    ("answer", "kind"),
    [
        (lambda: gateway_answer(503), Unavailable),
        (lambda: gateway_answer(400), NotSignedIn),
        (lambda: json_answer(400, {"error": "<script>"}), NotSignedIn),
        (lambda: Given(200, {}, b"<html>"), SmasError),
        (lambda: json_answer(200, {"token": "x"}), SmasError),
    ],
)
def test_odd_answers_of_the_token_endpoint(
    http: HttpClient, wire: WsgiTransport, answer: object, kind: type[SmasError]
) -> None:
    """Each becomes an error of the tree that quotes nothing it should not."""
    wire.instead("POST", TOKEN_URL, lambda _: answer(), times=4)  # type: ignore[operator]
    with pytest.raises(kind) as told:
        machines(http).token()
    assert type(told.value) is kind
    assert "<" not in told.value.detail
    assert MACHINE_SECRET not in "".join(traceback.format_exception(told.value))
