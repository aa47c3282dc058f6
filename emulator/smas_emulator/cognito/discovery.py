"""The discovery document of a user pool (OpenID Connect Discovery 1.0)."""

from __future__ import annotations

from typing import Any


def openid_configuration(issuer: str, served_at: str, pool_id: str) -> dict[str, Any]:
    """The pool's document: the issuer as in AWS, the addresses below `served_at`.

    Its members are those of Cognito's, which does PKCE and does not say so: there is no
    `code_challenge_methods_supported`
    (https://repost.aws/questions/QUWgnfYNLDS6WIHsXxEDyFdg/missing-code-challenge-methods-supported-field-in-amazon-cognito-openid-connect-configuration).
    `response_types_supported` leaves out `token`: the implicit grant is not emulated.
    """
    return {
        "authorization_endpoint": f"{served_at}/oauth2/authorize",
        "end_session_endpoint": f"{served_at}/logout",
        "id_token_signing_alg_values_supported": ["RS256"],
        "issuer": issuer,
        "jwks_uri": f"{served_at}/{pool_id}/.well-known/jwks.json",
        "response_types_supported": ["code"],
        "revocation_endpoint": f"{served_at}/oauth2/revoke",
        "scopes_supported": ["openid", "email", "phone", "profile"],
        "subject_types_supported": ["public"],
        "token_endpoint": f"{served_at}/oauth2/token",
        "token_endpoint_auth_methods_supported": ["client_secret_basic", "client_secret_post"],
        "userinfo_endpoint": f"{served_at}/oauth2/userInfo",
    }
