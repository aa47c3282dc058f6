"""The tokens of the local Cognito, held against the RFCs and against PyJWT as an independent reader."""

from __future__ import annotations

import base64
import time
from dataclasses import replace
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicNumbers
from smas_emulator.cognito import tokens

NOW = 1_800_000_000

# The example key of RFC 7638, section 3.1, and its thumbprint.
RFC_7638_MODULUS = (
    "0vx7agoebGcQSuuPiLJXZptN9nndrQmbXEps2aiAFbWhM78LhWx4cbbfAAtVT86zwu1RK7aPFFxuhDR1L6tSoc_BJECPebWKRXjB"
    "ZCiFV4n3oknjhMstn64tZ_2W-5JsGY4Hc5n9yBXArwl93lqt7_RN5w6Cf0h4QyQ5v-65YGjQR0_FDW2QvzqY368QQMicAtaSqzs8"
    "KJZgnYb9c7d0zgdAZHzu6qMQvRL5hajrn1n91CbOpbISD08qNLyrdkt-bFTWhAI4vMQFh6WeZu0fM4lFd2NcRwr3XPksINHaQ-G_"
    "xBniIqbw0Ls1jF44-csFCur-kEgU8awapJzKnqDKgw"
)
RFC_7638_THUMBPRINT = "NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs"


@pytest.fixture(scope="module")
def keys() -> tokens.PoolKeys:
    """The keys of one pool."""
    return tokens.PoolKeys.generate()


def sign_in(groups: tuple[str, ...] = ("data-scientist@fraud",)) -> tokens.SignIn:
    """A sign-in of a minute ago."""
    return tokens.SignIn(
        issuer=tokens.issuer("us-east-1", "us-east-1_abc"),
        client_id="people",
        subject="3f1c",
        username="ds-fraud",
        groups=groups,
        origin_jti="origin",
        auth_time=NOW - 60,
    )


def verify(token: str, key_set: dict[str, Any]) -> dict[str, Any]:
    """Verify as a client of the key set would, all but the time, which the tests choose."""
    kid = jwt.get_unverified_header(token)["kid"]
    key = jwt.PyJWKSet.from_dict(key_set)[kid]
    options: Any = {"verify_exp": False, "verify_iat": False, "verify_aud": False}
    return jwt.decode(token, key.key, algorithms=["RS256"], options=options)


def test_kid_is_the_thumbprint_of_rfc_7638() -> None:
    """A `kid` names its key: it is the thumbprint, computed as the RFC's own example is."""
    modulus = int.from_bytes(base64.urlsafe_b64decode(RFC_7638_MODULUS + "=="), "big")

    thumbprint = tokens.thumbprint(RSAPublicNumbers(e=65537, n=modulus).public_key())

    assert thumbprint == RFC_7638_THUMBPRINT


def test_every_pool_has_keys_of_its_own(keys: tokens.PoolKeys) -> None:
    """No two pools share a key, nor do the two kinds of token in one pool."""
    other = tokens.PoolKeys.generate()

    kids = {keys.access_token.kid, keys.id_token.kid, other.access_token.kid, other.id_token.kid}

    assert len(kids) == 4
    assert "dummy" not in kids


def test_key_set_holds_public_halves_only(keys: tokens.PoolKeys) -> None:
    """The published key set has Cognito's members and nothing private."""
    published = keys.key_set()

    assert [set(key) for key in published["keys"]] == [{"alg", "e", "kid", "kty", "n", "use"}] * 2


def test_access_token_has_the_claims_of_cognito(keys: tokens.PoolKeys) -> None:
    """A person's access token carries what AWS documents, verifies against the key set, and has no `aud`."""
    claims = tokens.person_access_claims(sign_in(), now=NOW, lifetime=3600)

    read = verify(keys.access_token.sign(claims), keys.key_set())

    unique = {name: read.pop(name) for name in ("jti", "event_id")}
    assert read == {
        "sub": "3f1c",
        "cognito:groups": ["data-scientist@fraud"],
        "iss": "https://cognito-idp.us-east-1.amazonaws.com/us-east-1_abc",
        "version": 2,
        "client_id": "people",
        "origin_jti": "origin",
        "token_use": "access",
        "scope": "aws.cognito.signin.user.admin",
        "auth_time": NOW - 60,
        "exp": NOW + 3600,
        "iat": NOW,
        "username": "ds-fraud",
    }
    assert all(unique.values())


def test_header_is_kid_and_alg_alone(keys: tokens.PoolKeys) -> None:
    """The header is Cognito's: no `typ`."""
    token = keys.access_token.sign({"sub": "x"})

    assert jwt.get_unverified_header(token) == {"alg": "RS256", "kid": keys.access_token.kid}


def test_nobody_has_no_groups_claim() -> None:
    """Somebody without groups has no `cognito:groups` at all, as in AWS."""
    claims = tokens.person_access_claims(sign_in(groups=()), now=NOW, lifetime=3600)

    assert "cognito:groups" not in claims


def test_id_token_is_for_the_client_and_cannot_claim_to_be_somebody_else() -> None:
    """An identity token has `aud`, not `client_id`, and attributes never overwrite its own claims."""
    claims = tokens.person_id_claims(
        sign_in(), {"email": "a@example.com", "sub": "root", "token_use": "access"}, now=NOW, lifetime=300
    )

    assert claims["aud"] == "people"
    assert "client_id" not in claims
    assert (claims["sub"], claims["token_use"], claims["email"]) == ("3f1c", "id", "a@example.com")


def test_granted_scopes_stand_in_the_token() -> None:
    """A sign-in at the OAuth endpoints has the scopes it was granted, and no other."""
    claims = tokens.person_access_claims(
        replace(sign_in(), scopes=("openid", "smas/a@x")), now=NOW, lifetime=60
    )

    assert claims["scope"] == "openid smas/a@x"
    assert claims["cognito:groups"] == ["data-scientist@fraud"]


def test_an_identity_token_names_its_request_and_its_access_token() -> None:
    """`nonce` is the request's, `at_hash` the left half of the access token's hash."""
    plain = tokens.person_id_claims(sign_in(), {}, now=NOW, lifetime=60)
    claims = tokens.person_id_claims(
        sign_in(),
        {"nonce": "other"},
        now=NOW,
        lifetime=60,
        access_token="jHkWEdUXMU1BwAsC4vtUsZwnNvTIxEl0z9K3vx5KF0Y",
        nonce="n",
    )

    assert not {"nonce", "at_hash"} & set(plain)
    # The example of OpenID Connect Core 1.0, appendix A.3.
    assert (claims["nonce"], claims["at_hash"]) == ("n", "77QmUPtjPfzWtF2AnpK9RQ")


def test_only_this_key_s_tokens_of_this_issuer_that_have_not_expired_are_read(keys: tokens.PoolKeys) -> None:
    """Another key's, another issuer's, an expired one, one without an end and garbage are none."""
    key, now = keys.access_token, int(time.time())
    good = {"iss": "us", "exp": now + 60, "sub": "ada"}
    assert key.claims_of(key.sign(good), "us") == good
    refused = [
        keys.id_token.sign(good),
        key.sign({**good, "iss": "them"}),
        key.sign({**good, "exp": now - 1}),
        key.sign({"iss": "us"}),
        "garbage",
        "",
    ]
    assert [key.claims_of(token, "us") for token in refused] == [None] * len(refused)


def test_a_refresh_token_lasts_thirty_days_unless_told_otherwise() -> None:
    """Its unit, where none is named, is the day."""
    assert tokens.validity_seconds({}, "RefreshToken") == 30 * 86400
    assert tokens.validity_seconds({"RefreshTokenValidity": 2}, "RefreshToken") == 2 * 86400
    minutes = {"RefreshTokenValidity": 90, "TokenValidityUnits": {"RefreshToken": "minutes"}}
    assert tokens.validity_seconds(minutes, "RefreshToken") == 5400


def test_machine_token_names_the_client_and_no_person() -> None:
    """A machine is its client: subject and client id are one, and there is neither user name nor group."""
    claims = tokens.machine_access_claims("iss", "machine", ("smas/a@x", "smas/b@y"), now=NOW, lifetime=60)

    assert (claims["sub"], claims["client_id"], claims["token_use"]) == ("machine", "machine", "access")
    assert claims["scope"] == "smas/a@x smas/b@y"
    assert not {"username", "cognito:groups", "aud"} & set(claims)


@pytest.mark.parametrize(
    ("client", "seconds"),
    [
        ({}, 3600),
        ({"AccessTokenValidity": 0}, 3600),
        ({"AccessTokenValidity": 2}, 7200),
        ({"AccessTokenValidity": 5, "TokenValidityUnits": {"AccessToken": "minutes"}}, 300),
        ({"AccessTokenValidity": 300, "TokenValidityUnits": {"AccessToken": "seconds"}}, 300),
        ({"AccessTokenValidity": 1, "TokenValidityUnits": {"IdToken": "minutes"}}, 3600),
    ],
)
def test_lifetime_is_what_the_client_is_configured_for(client: dict[str, Any], seconds: int) -> None:
    """Token lifetimes follow the app client, in its own units, hours where it names none."""
    assert tokens.validity_seconds(client, "AccessToken") == seconds
