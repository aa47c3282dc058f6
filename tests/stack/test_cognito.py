"""Signing in at the local Cognito over HTTP, as a client would."""

from __future__ import annotations

import uuid
from typing import TYPE_CHECKING, Any

import jwt
import pytest
from botocore.exceptions import ClientError

if TYPE_CHECKING:
    from tests.local_aws import LocalStack


def read(local_aws: LocalStack, token: str) -> dict[str, Any]:
    """The claims of a token, if the served key set signed it for this pool."""
    stack = local_aws.stack
    key = jwt.PyJWKClient(stack["jwks_url"]).get_signing_key_from_jwt(token)
    return jwt.decode(
        token,
        key.key,
        algorithms=["RS256"],
        issuer=stack["issuer"],
        options={"require": ["exp", "iat", "sub", "jti", "event_id"], "verify_aud": False},
    )


def test_a_persons_token_verifies_against_the_served_key_set(local_aws: LocalStack) -> None:
    """A password sign-in gives a token that any JWT library can verify, with the person's groups."""
    claims = read(local_aws, local_aws.token("ds-fraud"))

    assert claims["iss"].startswith("https://cognito-idp.us-east-1.amazonaws.com/us-east-1_")
    assert (claims["username"], claims["cognito:groups"]) == ("ds-fraud", ["data-scientist@fraud"])
    assert (claims["token_use"], claims["client_id"]) == ("access", local_aws.stack["people_client_id"])
    assert (claims["version"], claims["scope"]) == (2, "aws.cognito.signin.user.admin")


def test_a_person_keeps_their_subject(local_aws: LocalStack) -> None:
    """`sub` is the same at every sign-in, and differs between people."""
    first, second, other = (
        read(local_aws, local_aws.token(user))["sub"] for user in ("ds-fraud", "ds-fraud", "ds-fraud-2")
    )

    assert first == second
    assert first != other


def test_somebody_without_groups_signs_in_without_the_claim(local_aws: LocalStack) -> None:
    """`nobody` is known and has no group."""
    assert "cognito:groups" not in read(local_aws, local_aws.token("nobody"))


def test_the_key_that_ships_with_moto_never_signs(local_aws: LocalStack) -> None:
    """Every pool has keys of its own: no token and no key set names moto's, and two pools share none."""
    cognito = local_aws.root_client("cognito-idp")
    other = cognito.create_user_pool(PoolName=f"other-{uuid.uuid4()}")["UserPool"]["Id"]

    key_sets = [
        local_aws.fetch(f"{local_aws.endpoint}/{pool}/.well-known/jwks.json")[1]
        for pool in (local_aws.stack["user_pool_id"], other)
    ]
    kids = [key["kid"] for key_set in key_sets for key in key_set["keys"]]

    assert len(set(kids)) == len(kids) == 4
    assert "dummy" not in kids
    assert jwt.get_unverified_header(local_aws.token("ds-fraud"))["kid"] in kids[:2]


def test_id_and_access_tokens_have_keys_of_their_own(local_aws: LocalStack) -> None:
    """Both kinds verify, by different keys, and a refreshed token remembers when its person signed in."""
    cognito = local_aws.root_client("cognito-idp")
    client_id = local_aws.stack["people_client_id"]
    first = cognito.initiate_auth(
        ClientId=client_id,
        AuthFlow="USER_PASSWORD_AUTH",
        AuthParameters={"USERNAME": "auditor", "PASSWORD": local_aws.stack["password"]},
    )["AuthenticationResult"]

    refreshed = cognito.initiate_auth(
        ClientId=client_id,
        AuthFlow="REFRESH_TOKEN_AUTH",
        AuthParameters={"REFRESH_TOKEN": first["RefreshToken"]},
    )["AuthenticationResult"]

    kids = {jwt.get_unverified_header(first[kind])["kid"] for kind in ("AccessToken", "IdToken")}
    before, after = read(local_aws, first["AccessToken"]), read(local_aws, refreshed["AccessToken"])
    assert len(kids) == 2
    assert read(local_aws, first["IdToken"])["token_use"] == "id"
    assert (before["auth_time"], before["origin_jti"]) == (after["auth_time"], after["origin_jti"])
    assert before["jti"] != after["jti"]


def test_a_revoked_refresh_token_gives_no_more_tokens(local_aws: LocalStack) -> None:
    """Signing out ends a sign-in at the pool, for the client it was made with; doing it twice is harmless."""
    cognito = local_aws.root_client("cognito-idp")
    client_id = local_aws.stack["people_client_id"]
    token = cognito.initiate_auth(
        ClientId=client_id,
        AuthFlow="USER_PASSWORD_AUTH",
        AuthParameters={"USERNAME": "auditor", "PASSWORD": local_aws.stack["password"]},
    )["AuthenticationResult"]["RefreshToken"]

    def refresh() -> dict[str, Any]:
        renewed = cognito.initiate_auth(
            ClientId=client_id, AuthFlow="REFRESH_TOKEN_AUTH", AuthParameters={"REFRESH_TOKEN": token}
        )
        return dict(renewed["AuthenticationResult"])

    with pytest.raises(ClientError, match="UnauthorizedException"):
        cognito.revoke_token(ClientId=local_aws.stack["machine_client_id"], Token=token)
    assert refresh()["AccessToken"]
    for _ in range(2):
        cognito.revoke_token(ClientId=client_id, Token=token)
        with pytest.raises(ClientError, match="NotAuthorizedException"):
            refresh()


def test_a_temporary_password_must_be_replaced_at_sign_in(local_aws: LocalStack, new_person: str) -> None:
    """Somebody whom an administrator just created is asked for a password of their own, then signed in."""
    cognito = local_aws.root_client("cognito-idp")
    client_id = local_aws.stack["people_client_id"]
    name = new_person
    asked = cognito.initiate_auth(
        ClientId=client_id,
        AuthFlow="USER_PASSWORD_AUTH",
        AuthParameters={"USERNAME": name, "PASSWORD": "Temporary-0nly!"},
    )
    assert asked["ChallengeName"] == "NEW_PASSWORD_REQUIRED"
    answered = cognito.respond_to_auth_challenge(
        ClientId=client_id,
        ChallengeName="NEW_PASSWORD_REQUIRED",
        Session=asked["Session"],
        ChallengeResponses={"USERNAME": name, "NEW_PASSWORD": "My-0wn-password!"},
    )
    assert read(local_aws, answered["AuthenticationResult"]["AccessToken"])["username"] == name


def test_a_wrong_password_is_refused(local_aws: LocalStack) -> None:
    """No token without the password."""
    with pytest.raises(ClientError, match="NotAuthorizedException"):
        local_aws.root_client("cognito-idp").initiate_auth(
            ClientId=local_aws.stack["people_client_id"],
            AuthFlow="USER_PASSWORD_AUTH",
            AuthParameters={"USERNAME": "ds-fraud", "PASSWORD": "wrong"},
        )


def test_a_client_does_not_sign_in_in_ways_it_does_not_allow(local_aws: LocalStack) -> None:
    """Nobody signs in through the machine's client, nor by a flow whose proof moto does not check."""
    cognito = local_aws.root_client("cognito-idp")
    attempts = [
        (local_aws.stack["machine_client_id"], "USER_PASSWORD_AUTH"),
        (local_aws.stack["people_client_id"], "USER_SRP_AUTH"),
    ]

    for client_id, flow in attempts:
        with pytest.raises(ClientError, match="flow not enabled for this client"):
            cognito.initiate_auth(
                ClientId=client_id,
                AuthFlow=flow,
                AuthParameters={
                    "USERNAME": "ds-fraud",
                    "PASSWORD": local_aws.stack["password"],
                    "SRP_A": "1",
                },
            )


def test_a_machine_gets_a_token_for_its_scope(local_aws: LocalStack) -> None:
    """Client credentials give a token whose subject is the client and whose scope names role and team."""
    claims = jwt.decode(local_aws.machine_token(), options={"verify_signature": False})
    key = jwt.PyJWKClient(local_aws.stack["jwks_url"]).get_signing_key_from_jwt(local_aws.machine_token())

    assert key.key_id in {entry["kid"] for entry in local_aws.fetch(local_aws.stack["jwks_url"])[1]["keys"]}
    assert claims["sub"] == claims["client_id"] == local_aws.stack["machine_client_id"]
    assert (claims["scope"], claims["token_use"]) == ("smas/deployer@fraud", "access")
    assert not {"username", "cognito:groups"} & set(claims)


@pytest.mark.parametrize(
    ("form", "error"),
    [
        ({"grant_type": "client_credentials", "scope": "smas/approver@fraud"}, "invalid_scope"),
        ({"grant_type": "authorization_code", "code": "x"}, "unauthorized_client"),
        ({"grant_type": "password"}, "unsupported_grant_type"),
        ({}, "invalid_request"),
    ],
)
def test_the_token_endpoint_refuses_as_the_rfc_says(
    local_aws: LocalStack, form: dict[str, str], error: str
) -> None:
    """Refusals over HTTP are 400 with the RFC's code."""
    assert local_aws.ask_for_token(form) == (400, {"error": error})


def test_discovery_points_at_what_is_served(local_aws: LocalStack) -> None:
    """The discovery document has AWS's issuer and addresses that answer here; an unknown pool has none."""
    pool = local_aws.stack["user_pool_id"]

    status, document = local_aws.fetch(f"{local_aws.endpoint}/{pool}/.well-known/openid-configuration")

    assert status == 200
    assert document["issuer"] == local_aws.stack["issuer"]
    assert local_aws.fetch(document["jwks_uri"])[1]["keys"]
    assert document["token_endpoint"] == local_aws.stack["token_url"]
    assert document["authorization_endpoint"] == f"{local_aws.endpoint}/oauth2/authorize"
    assert local_aws.fetch(f"{local_aws.endpoint}/us-east-1_nosuchpool/.well-known/jwks.json")[0] == 404
