"""Where to sign in, from nothing but the store's address, and whom not to believe."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec
import pytest
from smas.errors import NotFound, SmasError, Unavailable, WrongUsage
from smas.http import HttpClient
from smas.identity.discovery import discover
from smas.retries import Stop

from tests.client.site.answers import Given, gateway_answer, json_answer
from tests.client.site.fixtures import SOON
from tests.client.site.user_pool import CONFIGURATION_URL, PAGE_URL, POOL_URL, TOKEN_URL
from tests.web.conftest import ISSUER, PEOPLE, PUBLIC_URL

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.client.site.wire import Sent, WsgiTransport

RESOURCE = "/.well-known/oauth-protected-resource"


@pytest.fixture
def http(wire: WsgiTransport) -> HttpClient:
    """Single requests."""
    return HttpClient(wire, SOON, Stop())


def changed(wire: WsgiTransport, **fields: Any) -> Callable[[Sent], Given]:
    """The real answer with some of its fields changed; None removes one."""

    def answer(request: Sent) -> Given:
        body = msgspec.json.decode(wire.carry_out(request).content()) | fields
        return json_answer(200, {name: value for name, value in body.items() if value is not None})

    return answer


def test_the_store_says_where_to_sign_in(http: HttpClient) -> None:
    """Issuer, client, the pool's own address and the token endpoint, with or without a slash at the end."""
    for address in (PUBLIC_URL, f"{PUBLIC_URL}/"):
        place = discover(address, http)
        assert (place.store, place.issuer, place.client_id) == (PUBLIC_URL, ISSUER, PEOPLE)
        assert (place.pool_url, place.token_url, place.page_url) == (POOL_URL, TOKEN_URL, PAGE_URL)


def test_no_token_and_no_secret_is_sent(http: HttpClient, wire: WsgiTransport) -> None:
    """Both documents are public: they are asked for as nobody."""
    discover(PUBLIC_URL, http)
    assert [one.url for one in wire.sent] == [PUBLIC_URL + RESOURCE, CONFIGURATION_URL]
    assert all("Authorization" not in one.headers for one in wire.sent)


def test_without_its_own_address_the_issuer_s_is_used(http: HttpClient, wire: WsgiTransport) -> None:
    """`openid_configuration_uri` is ours; without it the standard's place is asked."""
    wire.instead("GET", RESOURCE, changed(wire, openid_configuration_uri=None))
    assert discover(PUBLIC_URL, http).pool_url == POOL_URL


def test_a_pool_without_a_token_endpoint(http: HttpClient, wire: WsgiTransport) -> None:
    """People can sign in, machines are told when they try."""
    wire.instead("GET", CONFIGURATION_URL, changed(wire, token_endpoint=None))
    assert discover(PUBLIC_URL, http).token_url is None


@pytest.mark.parametrize(
    ("fields", "has_page"),
    [
        ({}, True),
        ({"code_challenge_methods_supported": ["plain", "S256"]}, True),
        ({"code_challenge_methods_supported": ["plain"]}, False),
        ({"code_challenge_methods_supported": []}, False),
        ({"response_types_supported": ["code"]}, True),
        ({"response_types_supported": ["token"]}, False),
        ({"response_types_supported": None}, False),
        ({"authorization_endpoint": None}, False),
        ({"token_endpoint": None}, False),
    ],
)
def test_a_pool_has_a_page_if_it_gives_codes_for_a_proof(
    http: HttpClient, wire: WsgiTransport, fields: dict[str, Any], has_page: bool
) -> None:
    """Cognito does not say that it takes S256, so silence is no refusal; other methods alone are one."""
    wire.instead("GET", CONFIGURATION_URL, changed(wire, **fields))
    assert discover(PUBLIC_URL, http).page_url == (PAGE_URL if has_page else None)


def test_a_store_that_names_another_one_is_not_believed(http: HttpClient, wire: WsgiTransport) -> None:
    """RFC 9728, section 3.3: the document must be about the address that was asked."""
    wire.instead("GET", RESOURCE, changed(wire, resource="https://evil.example"))
    with pytest.raises(SmasError, match=r"its address is https://evil\.example") as told:
        discover(PUBLIC_URL, http)
    assert "smas login https://evil.example" in told.value.hint
    assert len(wire.sent) == 1


def test_an_issuer_that_speaks_for_another_one_is_not_believed(http: HttpClient, wire: WsgiTransport) -> None:
    """OpenID Connect Discovery, section 4.3."""
    wire.instead("GET", CONFIGURATION_URL, changed(wire, issuer="https://evil.example"))
    with pytest.raises(SmasError, match="but the store trusts") as told:
        discover(PUBLIC_URL, http)
    assert "do not sign in" in told.value.hint


@pytest.mark.parametrize(
    ("url", "fields"),
    [
        (RESOURCE, {"openid_configuration_uri": "http://pool.example.test/config"}),
        (RESOURCE, {"openid_configuration_uri": None, "authorization_servers": ["http://pool.example"]}),
        (CONFIGURATION_URL, {"token_endpoint": "http://pool.example.test/token"}),
        (CONFIGURATION_URL, {"authorization_endpoint": "http://pool.example.test/authorize"}),
    ],
)
def test_no_address_may_be_unencrypted(
    http: HttpClient, wire: WsgiTransport, url: str, fields: dict[str, Any]
) -> None:
    """A password or secret would travel to it."""
    wire.instead("GET", url, changed(wire, **fields))
    with pytest.raises(WrongUsage, match="not encrypted"):
        discover(PUBLIC_URL, http)
    assert all(one.url.startswith("https://") for one in wire.sent)


def test_the_store_s_own_address_may_not_be_unencrypted(http: HttpClient, wire: WsgiTransport) -> None:
    """Nothing is asked over plain http, unless of this very machine."""
    with pytest.raises(WrongUsage):
        discover("http://models.example.test", http)
    assert wire.sent == []


@pytest.mark.parametrize(
    ("answer", "kind"),
    [
        (lambda: gateway_answer(404), NotFound),
        (lambda: gateway_answer(200), NotFound),
        (lambda: json_answer(200, {"resource": PUBLIC_URL}), NotFound),
        (lambda: json_answer(200, [1]), NotFound),
        (lambda: gateway_answer(503), Unavailable),
        (lambda: Given(302, {"Location": "https://elsewhere.example"}), NotFound),
    ],
)
@pytest.mark.parametrize("part", [RESOURCE, CONFIGURATION_URL])
def test_what_is_no_store_is_told(
    http: HttpClient, wire: WsgiTransport, part: str, answer: Callable[[], Given], kind: type[SmasError]
) -> None:
    """A web site, a proxy's page, a store that is down: the address is named, its answer is not quoted."""
    wire.instead("GET", part, lambda _: answer(), times=3)
    with pytest.raises(kind) as told:
        discover(PUBLIC_URL, http)
    assert part in told.value.detail
    assert "secret-of-the-gateway" not in told.value.detail


def test_a_store_that_names_no_issuer(http: HttpClient, wire: WsgiTransport) -> None:
    """There is nowhere to sign in."""
    wire.instead("GET", RESOURCE, changed(wire, authorization_servers=[]))
    with pytest.raises(SmasError, match="does not say where to sign in"):
        discover(PUBLIC_URL, http)


def test_an_unreachable_address_is_told_soon(http: HttpClient, wire: WsgiTransport) -> None:
    """Somebody waits at the keyboard: three tries, not all of them."""
    wire.drop("GET", RESOURCE, times=100)
    with pytest.raises(Unavailable):
        discover(PUBLIC_URL, http)
    assert len(wire.sent) == 3
