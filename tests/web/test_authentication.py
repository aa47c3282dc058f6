"""Authentication: an RS256 access token of our pool, for one of our clients, valid now; all else is 401."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import time
from typing import TYPE_CHECKING, Any

import jwt
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from tests.web.conftest import ISSUER, KID, MACHINE, PUBLIC_URL, Pool, problem

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.web.conftest import Site


def test_a_good_token_is_accepted(site: Site) -> None:
    """Identity, roles, permissions and expiry come from the token."""
    token = site.pool.person("ds-fraud", "data-scientist@fraud", "compliance", "unknown-group", "approver")
    me = site.call("GET", "/v1/whoami", token).json
    assert (me["subject"], me["username"], me["client_id"]) == (
        "sub-of-ds-fraud",
        "ds-fraud",
        "people-client",
    )
    assert me["roles"] == [{"role": "data-scientist", "team": "fraud"}, {"role": "compliance", "team": None}]
    assert "version:publish" in me["permissions"]
    assert me["expires_at"].endswith("Z")


def test_a_machine_is_its_client(site: Site) -> None:
    """A machine has scopes for roles, no user name, and its client id for identity."""
    me = site.user("machine").get("/v1/whoami").json
    assert (me["subject"], me["username"]) == (MACHINE, None)
    assert me["roles"] == [{"role": "deployer", "team": "fraud"}]


def test_a_persons_scopes_are_no_roles(site: Site) -> None:
    """What a person's client may ask for as a scope must not become a role."""
    claims = site.pool.claims("ds-fraud", scope="smas/approver@fraud openid")
    assert site.call("GET", "/v1/whoami", site.pool.sign(claims)).json["roles"] == []


def test_somebody_without_groups_is_somebody_without_roles(site: Site) -> None:
    """Known, but allowed nothing."""
    me = site.user("nobody").get("/v1/whoami").json
    assert (me["roles"], me["permissions"]) == ([], [])
    problem(site.user("nobody").get("/v1/models"), 403, "forbidden")


def _hs256_with_the_public_key(pool: Pool) -> str:
    """The classic confusion: the public key, which anybody has, used as an HMAC secret."""
    pem = pool.private.public_key().public_bytes(
        serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    return _by_hand({"alg": "HS256", "kid": KID, "typ": "JWT"}, pool.claims("ds-fraud"), pem)


def _by_hand(header: dict[str, Any], claims: dict[str, Any], secret: bytes | None) -> str:
    def part(value: object) -> str:
        return base64.urlsafe_b64encode(json.dumps(value).encode()).decode().rstrip("=")

    signed = f"{part(header)}.{part(claims)}"
    if secret is None:
        return f"{signed}."
    signature = hmac.digest(secret, signed.encode(), hashlib.sha256)
    return f"{signed}.{base64.urlsafe_b64encode(signature).decode().rstrip('=')}"


def _tampered(pool: Pool) -> str:
    header, _, signature = pool.person("ds-fraud", "data-scientist@fraud").split(".")
    claims = base64.urlsafe_b64encode(json.dumps(pool.claims("compliance", "compliance")).encode())
    return f"{header}.{claims.decode().rstrip('=')}.{signature}"


def _another_pools(pool: Pool) -> str:
    other = Pool(rsa.generate_private_key(public_exponent=65537, key_size=2048))
    return other.sign(pool.claims("ds-fraud"))


def _with(**changed: Any) -> Callable[[Pool], str]:
    return lambda pool: pool.sign(pool.claims("ds-fraud", "data-scientist@fraud", **changed))


def _after(seconds: int, claim: str) -> Callable[[Pool], str]:
    def make(pool: Pool) -> str:
        return _with(**{claim: int(time.time()) + seconds})(pool)

    return make


REFUSED: dict[str, tuple[Callable[[Pool], str], str]] = {
    "alg none": (lambda p: _by_hand({"alg": "none", "kid": KID}, p.claims("ds-fraud"), None), "RS256"),
    "HS256 with the public key": (_hs256_with_the_public_key, "RS256"),
    "RS512": (
        lambda p: jwt.encode(p.claims("ds-fraud"), p.private, algorithm="RS512", headers={"kid": KID}),
        "RS256",
    ),
    "id token": (_with(token_use="id", aud="people-client", client_id=None), "access token"),
    "id token with a client": (_with(token_use="id"), "access token"),
    "no token use": (_with(token_use=None), "access token"),
    "another issuer": (_with(iss=f"{ISSUER}x"), "issuer"),
    "no issuer": (_with(iss=None), ""),
    "another pool's key under our key id": (_another_pools, "signature"),
    "another client": (_with(client_id="somebody-elses"), "client"),
    "no client": (_with(client_id=None), "client"),
    "expired": (_after(-60, "exp"), "expired"),
    "without exp": (_with(exp=None), "expires"),
    "exp as text": (_with(exp="tomorrow"), ""),
    "from the future": (_after(600, "iat"), "not valid yet"),
    "not before later": (_after(600, "nbf"), "not valid yet"),
    "tampered": (_tampered, "signature"),
    "no key id": (lambda p: p.sign(p.claims("ds-fraud"), kid=None), "no key"),
    "unknown key id": (lambda p: p.sign(p.claims("ds-fraud"), kid="unknown"), "unknown key"),
    "moto's key id": (lambda p: p.sign(p.claims("ds-fraud"), kid="dummy"), "unknown key"),
    "no subject": (_with(sub=None), ""),
    "empty subject": (_with(sub=""), ""),
    "subject as number": (_with(sub=7), ""),
    "no token id": (_with(jti=None), ""),
    "empty user name": (_with(username=""), ""),
    "not a token": (lambda _: "not-a-token", ""),
    "empty": (lambda _: "", ""),
    "three dots": (lambda _: "..", ""),
    "not base64": (lambda _: "a.b.c", ""),
}


@pytest.mark.parametrize("case", REFUSED)
def test_all_else_is_401_and_says_which_check_failed(site: Site, case: str) -> None:
    """The header names the failed check, and neither it nor the body repeats anything of the token."""
    make, told = REFUSED[case]
    token = make(site.pool)
    response = site.call("GET", "/v1/whoami", headers={"Authorization": f"Bearer {token}"})
    body = problem(response, 401, "unauthenticated")
    challenge = response.headers["WWW-Authenticate"]
    assert told in challenge
    assert told in body["detail"]
    assert challenge.startswith("Bearer ")
    assert f'resource_metadata="{PUBLIC_URL}/.well-known/oauth-protected-resource"' in challenge
    for part in filter(lambda part: len(part) > 8, token.split(".")):
        assert part not in response.text + challenge


@pytest.mark.parametrize("header", [None, "", "Basic dXNlcjpwYXNz", "Bearer", "bearer", "Token abc"])
def test_no_token_is_401_without_an_error_code(site: Site, header: str | None) -> None:
    """RFC 6750: a request that tried nothing is told how to sign in, not what was wrong."""
    response = site.call("GET", "/v1/whoami", headers={} if header is None else {"Authorization": header})
    problem(response, 401, "unauthenticated")
    assert "error=" not in response.headers["WWW-Authenticate"]


@pytest.mark.parametrize("scheme", ["Bearer", "bearer", "BEARER"])
def test_the_scheme_is_written_as_one_likes(site: Site, scheme: str) -> None:
    """RFC 9110: authentication schemes are case-insensitive."""
    token = site.pool.person("ds-fraud")
    headers = {"Authorization": f"{scheme} {token}"}
    assert site.call("GET", "/v1/whoami", headers=headers).status_code == 200


def test_clocks_may_differ_a_little(site: Site) -> None:
    """A token that expired, or starts, a few seconds off is still good."""
    for claim, seconds in (("exp", -3), ("iat", 3), ("nbf", 3)):
        token = _after(seconds, claim)(site.pool)
        assert site.call("GET", "/v1/whoami", token).status_code == 200, claim


def test_tokens_are_read_from_the_header_alone(site: Site) -> None:
    """Not from the query, a cookie or a body, where they would end in logs."""
    token = site.pool.person("ds-fraud", "data-scientist@fraud")
    problem(site.call("GET", f"/v1/whoami?jwt={token}&access_token={token}"), 401, "unauthenticated")
    cookie = {"Cookie": f"access_token_cookie={token}"}
    problem(site.call("GET", "/v1/whoami", headers=cookie), 401, "unauthenticated")


def test_the_way_to_sign_in_is_public(site: Site) -> None:
    """RFC 9728: issuer, the people's client and scopes, from the store's address alone."""
    told = site.call("GET", "/.well-known/oauth-protected-resource").json
    assert told["resource"] == PUBLIC_URL
    assert told["authorization_servers"] == [ISSUER]
    assert told["client_id"] == "people-client"
    assert told["openid_configuration_uri"] == f"{ISSUER}/.well-known/openid-configuration"
    assert told["scopes_supported"]
