"""The local Cognito's sign-in page and OAuth endpoints, walked over HTTP as a browser and an app would."""

from __future__ import annotations

import base64
import hashlib
import json
import secrets
import uuid
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

import jwt
import pytest
from botocore.exceptions import ClientError
from smas_emulator.user_pool import provision_user_pool

from tests.stack.browser import OAuthBrowser

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.local_aws import LocalStack
    from tests.stack.browser import Seen

CALLBACK = "http://127.0.0.1:18391/callback"


@dataclass
class App:
    """An app that signs people in with a browser and exchanges codes."""

    local_aws: LocalStack
    client_id: str
    redirect_uri: str = CALLBACK
    secret: str | None = None
    verifier: str = field(default_factory=lambda: secrets.token_urlsafe(48))

    def page(self, **changed: str) -> str:
        """Where its users sign in."""
        digest = hashlib.sha256(self.verifier.encode()).digest()
        query = {
            "response_type": "code",
            "client_id": self.client_id,
            "redirect_uri": self.redirect_uri,
            "scope": "openid",
            "state": "the state",
            "nonce": "the-nonce",
            "code_challenge": base64.urlsafe_b64encode(digest).rstrip(b"=").decode(),
            "code_challenge_method": "S256",
            **changed,
        }
        return f"{self.local_aws.endpoint}/oauth2/authorize?{urlencode(query)}"

    def ask(self, endpoint: str, **form: str) -> tuple[int, dict[str, Any]]:
        """Status and body of a request to an OAuth endpoint, as this client."""
        headers = {}
        if self.secret is None:
            form["client_id"] = self.client_id
        else:
            pair = base64.b64encode(f"{self.client_id}:{self.secret}".encode()).decode()
            headers["Authorization"] = f"Basic {pair}"
        seen = OAuthBrowser().open(f"{self.local_aws.endpoint}/oauth2/{endpoint}", form, **headers)
        assert seen.headers["Cache-Control"] == "no-store"
        return seen.status, json.loads(seen.text or "{}")

    def exchange(self, code: str, **changed: str) -> tuple[int, dict[str, Any]]:
        """Exchange a code for tokens."""
        form = {"code": code, "redirect_uri": self.redirect_uri, "code_verifier": self.verifier, **changed}
        return self.ask("token", grant_type="authorization_code", **form)

    def refresh(self, refresh_token: str) -> tuple[int, dict[str, Any]]:
        """Ask for other tokens."""
        return self.ask("token", grant_type="refresh_token", refresh_token=refresh_token)

    def claims(self, token: str) -> dict[str, Any]:
        """The claims of a token, if the served key set signed it."""
        key = jwt.PyJWKClient(self.local_aws.stack["jwks_url"]).get_signing_key_from_jwt(token)
        issuer = self.local_aws.stack["issuer"]
        return jwt.decode(token, key.key, algorithms=["RS256"], issuer=issuer, options={"verify_aud": False})

    def user_info(self, access_token: str) -> Seen:
        """Who a token's owner is."""
        url = f"{self.local_aws.endpoint}/oauth2/userInfo"
        return OAuthBrowser().open(url, Authorization=f"Bearer {access_token}")


@pytest.fixture
def app(local_aws: LocalStack) -> App:
    """The app that people's own client is for."""
    return App(local_aws, local_aws.stack["people_client_id"])


@pytest.fixture
def browser() -> OAuthBrowser:
    """A browser that nobody has signed in with."""
    return OAuthBrowser()


@pytest.fixture
def other_client(local_aws: LocalStack) -> Iterator[App]:
    """A confidential client of the same pool with other callbacks; gone afterwards."""
    cognito, pool = local_aws.root_client("cognito-idp"), local_aws.stack["user_pool_id"]
    redirect_uri = "https://server.example/back?kept=1"
    made = cognito.create_user_pool_client(
        UserPoolId=pool,
        ClientName="server",
        GenerateSecret=True,
        ExplicitAuthFlows=["ALLOW_REFRESH_TOKEN_AUTH"],
        AllowedOAuthFlowsUserPoolClient=True,
        AllowedOAuthFlows=["code"],
        AllowedOAuthScopes=["openid", "aws.cognito.signin.user.admin", "smas/approver@fraud"],
        CallbackURLs=[redirect_uri],
        LogoutURLs=["https://server.example/bye"],
        SupportedIdentityProviders=["COGNITO"],
    )["UserPoolClient"]
    yield App(local_aws, made["ClientId"], redirect_uri, made["ClientSecret"])
    cognito.delete_user_pool_client(UserPoolId=pool, ClientId=made["ClientId"])


def sign_in(app: App, browser: OAuthBrowser, user: str = "ds-fraud", **changed: str) -> Seen:
    """Sign a local user in on the page; the redirect back to the app."""
    page = browser.follow(app.page(**changed))
    return browser.send(page, username=user, password=app.local_aws.stack["password"])


def test_a_person_signs_in_and_the_app_gets_their_tokens(app: App, browser: OAuthBrowser) -> None:
    """Groups and the scopes that were granted in the access token, the nonce in the identity token."""
    back = sign_in(app, browser, scope="openid profile")
    assert (back.status, back.location.partition("?")[0]) == (302, CALLBACK)
    assert back.brought["state"] == "the state"

    status, granted = app.exchange(back.brought["code"])

    assert status == 200
    assert set(granted) == {"access_token", "id_token", "refresh_token", "expires_in", "token_type"}
    access, identity = app.claims(granted["access_token"]), app.claims(granted["id_token"])
    assert (access["username"], access["cognito:groups"]) == ("ds-fraud", ["data-scientist@fraud"])
    assert (access["token_use"], access["client_id"]) == ("access", app.client_id)
    assert access["scope"] == "openid profile"
    assert (identity["aud"], identity["nonce"]) == (app.client_id, "the-nonce")
    assert identity["sub"] == access["sub"]
    digest = hashlib.sha256(granted["access_token"].encode()).digest()[:16]
    assert identity["at_hash"] == base64.urlsafe_b64encode(digest).rstrip(b"=").decode()


def test_without_the_password_there_is_no_code(app: App, browser: OAuthBrowser) -> None:
    """Wrong and unknown look alike, and the same page then takes the right one."""
    page = browser.follow(app.page())
    wrong = browser.send(page, username="ds-fraud", password="wrong")
    unknown = browser.send(wrong, username="stranger", password="wrong")
    for refused in (wrong, unknown):
        assert (refused.status, refused.location) == (400, "")
        assert "Incorrect username or password." in refused.text
    back = browser.send(unknown, username="ds-fraud", password=app.local_aws.stack["password"])
    assert app.exchange(back.brought["code"])[0] == 200


def test_a_code_is_good_once_and_for_whoever_asked_for_it(app: App, browser: OAuthBrowser) -> None:
    """Without the verifier, with another, at another redirect, or again: nothing."""
    for wrong in (
        {"code_verifier": ""},
        {"code_verifier": secrets.token_urlsafe(48)},
        {"redirect_uri": "http://127.0.0.1:18390/callback"},
    ):
        code = sign_in(app, OAuthBrowser()).brought["code"]
        assert app.exchange(code, **wrong) == (400, {"error": "invalid_grant"})
        assert app.exchange(code) == (400, {"error": "invalid_grant"})
    code = sign_in(app, browser).brought["code"]
    assert app.exchange(code)[0] == 200
    assert app.exchange(code) == (400, {"error": "invalid_grant"})


def test_a_browser_that_is_remembered_is_not_asked_again(app: App, browser: OAuthBrowser) -> None:
    """For other apps of the pool neither, unless the app insists; other browsers are asked."""
    sign_in(app, browser)
    silent = browser.open(app.page())
    assert app.exchange(silent.brought["code"])[0] == 200
    assert 'name="password"' in browser.follow(app.page(prompt="login")).text
    assert 'name="password"' in OAuthBrowser().follow(app.page()).text
    assert OAuthBrowser().open(app.page(prompt="none")).brought["error"] == "login_required"


def test_an_app_with_a_secret_needs_it(other_client: App, browser: OAuthBrowser) -> None:
    """Its redirect keeps its own query; scopes of its own and the API's stand in the token."""
    back = sign_in(other_client, browser, scope="openid aws.cognito.signin.user.admin smas/approver@fraud")
    assert back.brought["kept"] == "1"
    code = back.brought["code"]
    secret, other_client.secret = other_client.secret, None
    assert other_client.exchange(code) == (400, {"error": "invalid_client"})
    other_client.secret = secret
    status, granted = other_client.exchange(code)
    assert status == 200
    scope = other_client.claims(granted["access_token"])["scope"]
    assert scope == "openid aws.cognito.signin.user.admin smas/approver@fraud"
    cognito = other_client.local_aws.root_client("cognito-idp")
    assert cognito.get_user(AccessToken=granted["access_token"])["Username"] == "ds-fraud"


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({"client_id": "stranger"}, "no such app client"),
        ({"redirect_uri": "https://evil.example/"}, "redirect_mismatch"),
        ({"redirect_uri": "http://localhost:18391/callback"}, "redirect_mismatch"),
        ({"redirect_uri": "http://127.0.0.1:18393/callback"}, "redirect_mismatch"),
    ],
)
def test_nobody_is_sent_where_nothing_is_registered(
    app: App, browser: OAuthBrowser, changed: dict[str, str], words: str
) -> None:
    """A page says what is wrong, before and after a sign-in."""
    sign_in(app, browser)
    for one in (browser, OAuthBrowser()):
        seen = one.open(app.page(**changed))
        assert (seen.status, seen.location) == (400, "")
        assert words in seen.text


@pytest.mark.parametrize(
    ("changed", "error"),
    [
        ({"scope": "openid smas/approver@fraud"}, "invalid_scope"),
        ({"response_type": "token"}, "unauthorized_client"),
        ({"response_type": ""}, "invalid_request"),
        ({"code_challenge_method": "plain"}, "invalid_request"),
    ],
)
def test_other_faults_are_told_to_the_app(
    app: App, browser: OAuthBrowser, changed: dict[str, str], error: str
) -> None:
    """At its redirect, with its state."""
    back = browser.open(app.page(**changed)).brought
    assert (back["error"], back["state"]) == (error, "the state")


def test_a_form_from_elsewhere_is_refused(app: App, browser: OAuthBrowser) -> None:
    """Without the cookie that its page set, a form signs nobody in."""
    page = browser.follow(app.page())
    refused = OAuthBrowser().send(page, username="ds-fraud", password=app.local_aws.stack["password"])
    assert (refused.status, refused.location) == (403, "")


def test_pages_are_guarded_and_browsers_may_come_from_anywhere(app: App, browser: OAuthBrowser) -> None:
    """No script, no frame, no cache; an app's page elsewhere may send its users here."""
    url = app.page().replace("/oauth2/authorize", "/login")
    seen = browser.open(url, Referer="https://app.example/", Origin="https://app.example")
    assert seen.status == 200
    assert seen.headers["Content-Security-Policy"].startswith("default-src 'none'; style-src 'sha256-")
    assert "frame-ancestors 'none'" in seen.headers["Content-Security-Policy"]
    assert seen.headers["Cache-Control"] == "no-store"
    assert "Access-Control-Allow-Origin" not in seen.headers
    cookie = seen.headers["Set-Cookie"]
    assert "HttpOnly" in cookie
    assert "SameSite=Lax" in cookie
    address = url.replace("localhost", "127.0.0.1")
    here = browser.follow(address)
    done = browser.send(here, username="ds-fraud", password=app.local_aws.stack["password"])
    assert done.location.startswith(CALLBACK)


def test_a_temporary_password_is_replaced_on_the_page(
    app: App, browser: OAuthBrowser, new_person: str
) -> None:
    """The second form asks for one's own; the pool's policy is told in words; then one is signed in."""
    page = browser.send(browser.follow(app.page()), username=new_person, password="Temporary-0nly!")
    short = browser.send(page, new_password="short", repeated_password="short")
    assert "at least 12 characters" in short.text
    own = "My-0wn-password!"
    back = browser.send(short, new_password=own, repeated_password=own)
    granted = app.exchange(back.brought["code"])[1]
    assert app.claims(granted["access_token"])["username"] == new_person
    again = OAuthBrowser()
    page = again.follow(app.page())
    assert again.send(page, username=new_person, password="Temporary-0nly!").status == 400
    assert again.send(page, username=new_person, password=own).status == 302


def test_a_sign_in_is_renewed_either_way_and_ends_when_revoked(app: App, browser: OAuthBrowser) -> None:
    """At the token endpoint and through the API, with the same scopes; after revocation neither works."""
    granted = app.exchange(sign_in(app, browser).brought["code"])[1]
    cognito = app.local_aws.root_client("cognito-idp")
    refresh = {
        "ClientId": app.client_id,
        "AuthFlow": "REFRESH_TOKEN_AUTH",
        "AuthParameters": {"REFRESH_TOKEN": granted["refresh_token"]},
    }
    status, renewed = app.refresh(granted["refresh_token"])
    through_api = cognito.initiate_auth(**refresh)["AuthenticationResult"]["AccessToken"]
    first = app.claims(granted["access_token"])
    assert status == 200
    assert "refresh_token" not in renewed
    for token in (renewed["access_token"], through_api):
        claims = app.claims(token)
        same = ("sub", "scope", "auth_time", "origin_jti", "cognito:groups")
        assert [claims[name] for name in same] == [first[name] for name in same]
        assert claims["jti"] != first["jti"]
    assert "nonce" not in app.claims(renewed["id_token"])

    assert app.user_info(granted["access_token"]).status == 200
    for _ in range(2):
        assert app.ask("revoke", token=granted["refresh_token"]) == (200, {})
        assert app.refresh(granted["refresh_token"]) == (400, {"error": "invalid_grant"})
        with pytest.raises(ClientError, match="NotAuthorizedException"):
            cognito.initiate_auth(**refresh)
    for token in (granted["access_token"], renewed["access_token"], through_api):
        assert app.user_info(token).status == 401


def test_a_refresh_token_is_its_client_s_alone(app: App, other_client: App, browser: OAuthBrowser) -> None:
    """Another client of the pool can neither use nor revoke it."""
    granted = app.exchange(sign_in(app, browser).brought["code"])[1]
    assert other_client.refresh(granted["refresh_token"]) == (400, {"error": "invalid_grant"})
    assert other_client.ask("revoke", token=granted["refresh_token"]) == (200, {})
    assert app.refresh(granted["refresh_token"])[0] == 200
    assert app.ask("revoke", token=granted["access_token"]) == (400, {"error": "unsupported_token_type"})


def test_what_a_token_may_be_used_for_is_what_was_granted(app: App, browser: OAuthBrowser) -> None:
    """With `openid` for userInfo, not for the API; after a password sign-in the other way round."""
    cognito = app.local_aws.root_client("cognito-idp")
    granted = app.exchange(sign_in(app, browser).brought["code"])[1]
    seen = app.user_info(granted["access_token"])
    told = json.loads(seen.text)
    assert (told["username"], told["sub"]) == ("ds-fraud", app.claims(granted["access_token"])["sub"])
    with pytest.raises(ClientError, match="does not have required scopes"):
        cognito.get_user(AccessToken=granted["access_token"])

    by_password = app.local_aws.token("ds-fraud")
    assert cognito.get_user(AccessToken=by_password)["Username"] == "ds-fraud"
    refused = app.user_info(by_password)
    assert refused.status == 401
    assert "invalid_token" in refused.headers["WWW-Authenticate"]
    for bad in (granted["id_token"], granted["access_token"][:-2], "x"):
        assert app.user_info(bad).status == 401
    with pytest.raises(ClientError, match="Invalid Access Token"):
        cognito.get_user(AccessToken=granted["id_token"])


def test_signing_out_makes_the_browser_forget(app: App, other_client: App, browser: OAuthBrowser) -> None:
    """Only on to a registered page; tokens that were given stay good."""
    granted = app.exchange(sign_in(app, browser).brought["code"])[1]
    logout = f"{app.local_aws.endpoint}/logout?client_id={other_client.client_id}&logout_uri="
    wrong = browser.open(f"{logout}https://evil.example")
    assert (wrong.status, wrong.location) == (400, "")
    assert "code" in browser.open(app.page()).brought
    assert browser.open(f"{logout}https://server.example/bye").location == "https://server.example/bye"
    assert 'name="password"' in browser.follow(app.page()).text
    assert app.refresh(granted["refresh_token"])[0] == 200


@pytest.mark.parametrize("name", ["login", "logout"])
def test_a_bucket_may_have_the_name_of_a_page(local_aws: LocalStack, name: str) -> None:
    """Path-style requests to it reach S3."""
    s3 = local_aws.root_client("s3")
    s3.create_bucket(Bucket=name)
    try:
        s3.put_object(Bucket=name, Key="client_id", Body=b"x")
        assert [entry["Key"] for entry in s3.list_objects_v2(Bucket=name)["Contents"]] == ["client_id"]
        s3.delete_objects(Bucket=name, Delete={"Objects": [{"Key": "client_id"}]})
    finally:
        s3.delete_bucket(Bucket=name)


def test_a_client_can_t_be_sent_back_unencrypted(local_aws: LocalStack) -> None:
    """As AWS has it: http only to this machine, whatever the port."""
    cognito, pool = local_aws.root_client("cognito-idp"), local_aws.stack["user_pool_id"]
    for member in ("CallbackURLs", "LogoutURLs"):
        with pytest.raises(ClientError, match="InvalidParameterException"):
            cognito.create_user_pool_client(
                UserPoolId=pool, ClientName="x", **{member: ["http://app.example/back"]}
            )


def test_a_client_that_differs_is_brought_back_by_the_next_start(local_aws: LocalStack) -> None:
    """Provisioning runs at every start; whatever somebody changed in the people's client is put right."""
    cognito, pool = local_aws.root_client("cognito-idp"), local_aws.stack["user_pool_id"]
    people = {"UserPoolId": pool, "ClientId": local_aws.stack["people_client_id"]}
    before = cognito.describe_user_pool_client(**people)["UserPoolClient"]
    cognito.update_user_pool_client(**people, ClientName="smas-people", CallbackURLs=["https://x.example"])
    provision_user_pool(cognito)
    after = cognito.describe_user_pool_client(**people)["UserPoolClient"]
    members = ("CallbackURLs", "AllowedOAuthFlows", "AllowedOAuthScopes", "ExplicitAuthFlows")
    assert [after[member] for member in members] == [before[member] for member in members]


def test_no_password_and_no_code_reaches_a_log(app: App, browser: OAuthBrowser) -> None:
    """Neither a right nor a wrong password, nor what was given for it."""
    wrong = f"wrong-{uuid.uuid4()}"
    browser.send(browser.follow(app.page()), username="ds-fraud", password=wrong)
    code = sign_in(app, browser).brought["code"]
    granted = app.exchange(code)[1]
    app.ask("revoke", token=granted["refresh_token"])
    logs = [path.read_text(encoding="utf-8") for path in app.local_aws.state.rglob("*.log")]
    assert any("/oauth2/token" in log for log in logs)
    for secret in (wrong, app.local_aws.stack["password"], code, app.verifier, *granted.values()):
        assert not any(str(secret) in log for log in logs if len(str(secret)) > 8)
