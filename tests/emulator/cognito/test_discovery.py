"""The discovery document, held against OpenID Connect Discovery 1.0 and Cognito's own."""

from __future__ import annotations

from smas_emulator.cognito.discovery import openid_configuration


def test_the_document_has_cognito_s_members_and_our_addresses() -> None:
    """The issuer is AWS's, all else is served here; PKCE is supported and, as in Cognito, not named."""
    document = openid_configuration("https://issuer", "http://here", "pool")
    assert document == {
        "authorization_endpoint": "http://here/oauth2/authorize",
        "end_session_endpoint": "http://here/logout",
        "id_token_signing_alg_values_supported": ["RS256"],
        "issuer": "https://issuer",
        "jwks_uri": "http://here/pool/.well-known/jwks.json",
        "response_types_supported": ["code"],
        "revocation_endpoint": "http://here/oauth2/revoke",
        "scopes_supported": ["openid", "email", "phone", "profile"],
        "subject_types_supported": ["public"],
        "token_endpoint": "http://here/oauth2/token",
        "token_endpoint_auth_methods_supported": ["client_secret_basic", "client_secret_post"],
        "userinfo_endpoint": "http://here/oauth2/userInfo",
    }
