"""What an app client may be configured to do."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from smas_emulator.cognito.app_clients import AppClient, fault_of_redirect_url
from smas_emulator.user_pool import SIGN_IN_CALLBACKS


@pytest.mark.parametrize(
    "url",
    [
        *SIGN_IN_CALLBACKS,
        "http://localhost/back",
        "http://localhost:3000",
        "http://[::1]:18390/callback",
        "https://app.example/back?x=1",
        "myapp://example",
    ],
)
def test_redirects_that_cognito_takes(url: str) -> None:
    """HTTPS, an app's own scheme, and plain HTTP to this machine with any port; `smas login`'s are such."""
    assert fault_of_redirect_url(url) is None


@pytest.mark.parametrize(
    ("url", "fault"),
    [
        ("http://app.example/back", "HTTPS"),
        ("http://127.0.0.2/back", "HTTPS"),
        ("http://localhost.example/back", "HTTPS"),
        ("http://localhost@evil.example/back", "HTTPS"),
        ("https://app.example/back#part", "fragment"),
        ("https://app.example/back#", "fragment"),
        ("/back", "absolute"),
        ("https:///back", "absolute"),
        ("https://app.example/b ack", "absolute"),
        ("https://app.example/\x00", "absolute"),
        ("https://app.example:port/", "not a URL"),
        ("https://[::1/", "not a URL"),
        ("", "absolute"),
    ],
)
def test_redirects_that_it_does_not_take(url: str, fault: str) -> None:
    """Unencrypted to elsewhere, with a fragment, relative, or no URL at all."""
    assert fault in (fault_of_redirect_url(url) or "")


@given(st.text())
def test_any_text_is_judged(text: str) -> None:
    """Nothing is raised, whatever a client is made with."""
    fault_of_redirect_url(text)


def test_a_client_without_oauth_has_no_flow_and_no_scope() -> None:
    """`AllowedOAuthFlowsUserPoolClient` decides, whatever else is configured."""
    described: dict[str, Any] = {
        "ClientName": "app",
        "AllowedOAuthFlows": ["code"],
        "AllowedOAuthScopes": ["openid"],
        "CallbackURLs": ["https://a.example"],
        "LogoutURLs": ["https://b.example"],
        "ExplicitAuthFlows": ["ALLOW_USER_PASSWORD_AUTH"],
        "EnableTokenRevocation": False,
    }
    without = AppClient.of("id", "pool", None, described)
    assert (without.flows, without.scopes) == (frozenset(), ())
    made = AppClient.of("id", "pool", "s", {**described, "AllowedOAuthFlowsUserPoolClient": True})
    assert made == AppClient(
        id="id",
        pool_id="pool",
        name="app",
        secret="s",
        flows=frozenset({"code"}),
        scopes=("openid",),
        callback_urls=("https://a.example",),
        logout_urls=("https://b.example",),
        may_refresh=False,
        may_revoke=False,
    )
    assert "'s'" not in repr(made)
    plain = AppClient.of("id", "pool", None, {})
    assert plain == AppClient(id="id", pool_id="pool")
