"""The pages that Cognito serves beside its API, at the emulator's one address.

In AWS they have a domain a pool; here `client_id` says which pool is meant. Their paths could be a bucket's
in path style: `oauth2/authorize|token|revoke|userInfo` never are, `login` and `logout` are one unless the
query names a client, which no request to S3 does.
"""
# LocalStack and moto are not installed where types are checked, and publish none.
# mypy: disable-error-code="import-not-found, import-untyped"

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from localstack.aws.handlers import cors
from localstack.http import Request, Response
from localstack.services.edge import ROUTER
from werkzeug.exceptions import NotFound

from smas_emulator.cognito import tokens
from smas_emulator.cognito.answers import JsonAnswer
from smas_emulator.cognito.authorization_codes import AuthorizationCodes
from smas_emulator.cognito.browser_sessions import BrowserSessions
from smas_emulator.cognito.discovery import openid_configuration
from smas_emulator.cognito.login_endpoint import ManagedLogin
from smas_emulator.cognito.revocation_endpoint import answer_revocation_request
from smas_emulator.cognito.token_endpoint import answer_token_request
from smas_emulator.cognito.user_info import answer_user_info_request
from smas_emulator.localstack_binding.cognito_pools import Pools
from smas_emulator.localstack_binding.cognito_tokens import find_pool

if TYPE_CHECKING:
    from typing import Any

    from smas_emulator.cognito.answers import PageAnswer

# A pool's id in a path; no bucket can have that name, because buckets have no `_`.
_POOL = '<regex("[a-z]{2}(?:-[a-z]+)+-[0-9]_[0-9a-zA-Z]+"):pool_id>'
_PAGES = frozenset({"/oauth2/authorize", "/login", "/logout"})


def serve_cognito_pages() -> None:
    """Add the routes: LocalStack would take their paths for buckets."""
    pages = _Pages()
    ROUTER.add(f"/{_POOL}/.well-known/jwks.json", _key_set, methods=["GET"])
    ROUTER.add(f"/{_POOL}/.well-known/openid-configuration", _openid_configuration, methods=["GET"])
    ROUTER.add("/oauth2/authorize", pages.authorize, methods=["GET"])
    ROUTER.add("/oauth2/token", pages.token, methods=["POST"])
    ROUTER.add("/oauth2/revoke", pages.revoke, methods=["POST"])
    ROUTER.add("/oauth2/userInfo", pages.user_info, methods=["GET", "POST"])
    ROUTER.add("/login", pages.login)
    ROUTER.add("/logout", pages.logout)
    _let_browsers_come_from_anywhere()


def _let_browsers_come_from_anywhere() -> None:
    """LocalStack refuses whoever was sent here by a page it does not know; apps send people to sign in.

    These pages guard their forms themselves, and no script of another site may read them.
    """
    original = cors.should_enforce_self_managed_service

    def should_enforce(context: Any) -> bool:
        return context.request.path not in _PAGES and bool(original(context))

    cors.should_enforce_self_managed_service = should_enforce


class _Pages:
    """The endpoints over moto's pools."""

    def __init__(self) -> None:
        self._pools = Pools()
        self._codes = AuthorizationCodes(_now)
        self._managed_login = ManagedLogin(self._pools, self._pools, self._codes, BrowserSessions(_now))

    def authorize(self, request: Request) -> Response:
        return _page(self._managed_login.authorize(_query(request), request.cookies))

    def login(self, request: Request) -> Response:
        if "client_id" not in request.args:
            raise NotFound
        if request.method == "POST":
            return _page(self._managed_login.submit(_query(request), _form(request), request.cookies))
        if request.method == "GET":
            return _page(self._managed_login.show(_query(request), request.cookies))
        raise NotFound

    def logout(self, request: Request) -> Response:
        if "client_id" not in request.args or request.method != "GET":
            raise NotFound
        return _page(self._managed_login.logout(_query(request), request.cookies))

    def token(self, request: Request) -> Response:
        authorization = request.headers.get("Authorization")
        return _json(
            answer_token_request(_form(request), authorization, self._pools, self._codes, self._pools)
        )

    def revoke(self, request: Request) -> Response:
        authorization = request.headers.get("Authorization")
        return _json(
            answer_revocation_request(_form(request), authorization, self._pools, self._pools.revoke)
        )

    def user_info(self, request: Request) -> Response:
        return _json(answer_user_info_request(request.headers.get("Authorization"), self._pools.owner))


def _key_set(_request: Request, pool_id: str) -> Response:
    pool = find_pool(pool_id)
    if pool is None:
        return _no_such_pool(pool_id)
    return _document(pool.smas_keys.key_set(), "public, max-age=86400")


def _openid_configuration(request: Request, pool_id: str) -> Response:
    pool = find_pool(pool_id)
    if pool is None:
        return _no_such_pool(pool_id)
    served_at = request.host_url.rstrip("/")
    return _document(openid_configuration(tokens.issuer(pool.region, pool.id), served_at, pool.id))


def _now() -> datetime:
    return datetime.now(UTC)


def _query(request: Request) -> str:
    query: bytes = request.query_string
    return query.decode("latin-1")


def _form(request: Request) -> str:
    body: bytes = request.get_data()
    return body.decode("utf-8", "replace")


def _page(answer: PageAnswer) -> Response:
    response = Response(answer.content, answer.status)
    response.headers.clear()
    response.headers.extend(answer.headers)
    return response


def _json(answer: JsonAnswer) -> Response:
    return Response(answer.content, answer.status, dict(answer.headers))


def _document(body: dict[str, Any], caching: str = "no-cache") -> Response:
    return Response(json.dumps(body), 200, {"Content-Type": "application/json", "Cache-Control": caching})


def _no_such_pool(pool_id: str) -> Response:
    return _json(JsonAnswer(404, {"message": f"User pool {pool_id} does not exist."}))
