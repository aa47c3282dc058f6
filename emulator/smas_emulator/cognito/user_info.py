"""`/oauth2/userInfo`: who the owner of an access token is, as far as its scopes say.

https://docs.aws.amazon.com/cognito/latest/developerguide/userinfo-endpoint.html.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from smas_emulator.cognito.answers import JsonAnswer

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

_OF_PROFILE = frozenset(
    {
        "name",
        "family_name",
        "given_name",
        "middle_name",
        "nickname",
        "preferred_username",
        "profile",
        "picture",
        "website",
        "gender",
        "birthdate",
        "zoneinfo",
        "locale",
        "updated_at",
    }
)
_OF_EMAIL = frozenset({"email", "email_verified"})
_OF_PHONE = frozenset({"phone_number", "phone_number_verified"})


@dataclass(frozen=True, slots=True)
class TokenOwner:
    """Whom a valid access token is of, what it may be used for, and what the client may read of them."""

    subject: str
    username: str
    scopes: frozenset[str]
    attributes: Mapping[str, str]


def visible_attributes(attributes: Mapping[str, str], scopes: Iterable[str]) -> dict[str, str]:
    """What scopes show of a person: `openid` alone everything, with others what these name.

    Custom attributes belong to `profile`.
    """
    asked = frozenset(scopes)
    if "openid" not in asked:
        return {}
    if not asked & {"profile", "email", "phone"}:
        return dict(attributes)

    def shown(name: str) -> bool:
        return (
            ("profile" in asked and (name in _OF_PROFILE or name.startswith("custom:")))
            or ("email" in asked and name in _OF_EMAIL)
            or ("phone" in asked and name in _OF_PHONE)
        )

    return {name: value for name, value in attributes.items() if shown(name)}


def answer_user_info_request(
    authorization: str | None, find_owner: Callable[[str], TokenOwner | None]
) -> JsonAnswer:
    """Answer one request by its `Authorization` header; `find_owner` reads a token, None for no good one."""
    scheme, _, token = (authorization or "").partition(" ")
    if scheme.lower() != "bearer" or not token.strip():
        return _refused(400, "invalid_request", "Bad OAuth2 request at UserInfo Endpoint")
    owner = find_owner(token.strip())
    if owner is None:
        return _refused(
            401,
            "invalid_token",
            "Access token is expired, disabled, or deleted, or the user has globally signed out.",
        )
    if "openid" not in owner.scopes:
        return _refused(401, "invalid_token", "Access token does not contain openid scope")
    visible = visible_attributes(owner.attributes, owner.scopes)
    return JsonAnswer(200, {**visible, "sub": owner.subject, "username": owner.username})


def _refused(status: int, error: str, description: str) -> JsonAnswer:
    challenge = f'Bearer error="{error}", error_description="{description}"'
    return JsonAnswer(
        status, {"error": error, "error_description": description}, (("WWW-Authenticate", challenge),)
    )
