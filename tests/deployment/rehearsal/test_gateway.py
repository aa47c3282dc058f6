"""The rehearsal fails when the gateway lets in whom it must refuse, or refuses whom it must let in."""

from __future__ import annotations

import base64
import json
import threading
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, Final, cast

import pytest

from deployment.errors import DeploymentError
from deployment.rehearsal.gateway import require_authorizer, require_open_routes
from deployment.rehearsal.steps import image_behind_gateway

if TYPE_CHECKING:
    from collections.abc import Iterator

    from deployment.rehearsal.applied import Rehearsal
    from deployment.rehearsal.applied_functions import AppliedFunctions

pytestmark = pytest.mark.enable_socket


def _token(client: str) -> str:
    parts = ({"kid": "the-pool's", "alg": "RS256"}, {"sub": "me", "client_id": client})
    encoded = [base64.urlsafe_b64encode(json.dumps(each).encode()).rstrip(b"=").decode() for each in parts]
    return ".".join([*encoded, "c2lnbmVk"])


GOOD: Final = _token("known")
STRANGER: Final = _token("stranger")


class _Gateway(ThreadingHTTPServer):
    """Lets `lets_in` through to a service, and below `open` everybody."""

    daemon_threads = True

    def __init__(self, lets_in: tuple[str, ...], open_paths: tuple[str, ...]) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.lets_in, self.open_paths = lets_in, open_paths
        self.calls = 0
        self.calls_for_nothing = 0

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}"


class _Handler(BaseHTTPRequestHandler):
    server: _Gateway

    def do_GET(self) -> None:
        """As an HTTP API answers, or the service behind it."""
        if self.path.startswith(self.server.open_paths):
            self._of_the_service(404, {"detail": "no such route"})
        elif not self.path.startswith("/v1/"):
            self._send(404, {"message": "Not Found"})
        elif self.headers.get("Authorization", "").removeprefix("Bearer ") in self.server.lets_in:
            self._of_the_service(200, {})
        else:
            self.server.calls += self.server.calls_for_nothing
            self._send(401, {"message": "Unauthorized"})

    def do_POST(self) -> None:
        """The pool's token endpoint."""
        self.rfile.read(int(self.headers["Content-Length"]))
        self._send(200, {"access_token": STRANGER})

    def _of_the_service(self, status: int, body: object) -> None:
        self.server.calls += 1
        self._send(status, body, {"X-Request-Id": "an-id"})

    def _send(self, status: int, body: object, headers: dict[str, str] | None = None) -> None:
        content = json.dumps(body).encode()
        self.send_response(status)
        for name, value in {"Content-Length": str(len(content)), **(headers or {})}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *_: object) -> None:
        """Say nothing."""


class _Cognito:
    """Makes one client, and knows whether it was taken away again."""

    def __init__(self) -> None:
        self.clients: set[str] = set()

    def list_resource_servers(self, **_: Any) -> dict[str, Any]:
        return {"ResourceServers": [{"Identifier": "smas", "Scopes": [{"ScopeName": "deployer@fraud"}]}]}

    def create_user_pool_client(self, **_: Any) -> dict[str, Any]:
        self.clients.add("stranger")
        return {"UserPoolClient": {"ClientId": "stranger", "ClientSecret": "secret"}}

    def delete_user_pool_client(self, **named: Any) -> None:
        self.clients.remove(named["ClientId"])


@contextmanager
def _applied(
    *lets_in: str, open_paths: tuple[str, ...] = ("/hf/",), calls_for_nothing: int = 0
) -> Iterator[tuple[AppliedFunctions, _Cognito]]:
    server, cognito = _Gateway(lets_in, open_paths), _Cognito()
    server.calls_for_nothing = calls_for_nothing
    thread = threading.Thread(target=server.serve_forever, args=(0.02,))
    thread.start()
    applied = SimpleNamespace(
        url=server.url,
        invocations=lambda: server.calls,
        outputs={"user_pool_id": "us-east-1_pool"},
        rehearsal=SimpleNamespace(
            client=lambda _service: cognito, endpoints=SimpleNamespace(ours=server.url)
        ),
    )
    try:
        yield cast("AppliedFunctions", applied), cognito
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def test_an_authorizer_that_refuses_all_but_the_good_token_passes() -> None:
    """And what was refused is said, one by one; the strange client is taken away again."""
    said: list[str] = []
    with _applied(GOOD) as (functions, cognito):
        require_authorizer(functions, GOOD, said.append)
    assert "no token at all" in said[0]
    assert "an unsigned token" in said[0]
    assert not cognito.clients


def test_an_authorizer_that_does_not_hold_clients_against_its_audience_fails() -> None:
    """Whatever its signature: the token is another client's."""
    with _applied(GOOD, STRANGER) as (functions, cognito):
        with pytest.raises(DeploymentError, match="did not refuse a good token of a client that the store"):
            require_authorizer(functions, GOOD, print)
        assert not cognito.clients


def test_an_authorizer_that_asks_for_nothing_fails() -> None:
    """The service would answer who has no token."""
    with (
        _applied(GOOD, "") as (functions, _),
        pytest.raises(DeploymentError, match="did not refuse no token at all"),
    ):
        require_authorizer(functions, GOOD, print)


def test_a_function_that_is_called_for_a_refused_token_fails() -> None:
    """A bad token must cost nothing."""
    with (
        _applied(GOOD, calls_for_nothing=1) as (functions, _),
        pytest.raises(DeploymentError, match="A function was called although"),
    ):
        require_authorizer(functions, GOOD, print)


def test_an_authorizer_that_refuses_everybody_fails() -> None:
    """A good token has to pass."""
    with (
        _applied() as (functions, _),
        pytest.raises(DeploymentError, match="did not let a good token through"),
    ):
        require_authorizer(functions, GOOD, print)


def test_the_service_itself_answers_below_hf_and_nowhere_else() -> None:
    """An answer of the service has a request id, one of the gateway's has none."""
    said: list[str] = []
    with _applied(GOOD) as (functions, _):
        require_open_routes(functions, said.append)
    assert said == ["/hf without a token reaches the service, which answers 404 no such route"]
    with (
        _applied(GOOD, open_paths=()) as (functions, _),
        pytest.raises(DeploymentError, match="did not reach the service"),
    ):
        require_open_routes(functions, print)
    with (
        _applied(GOOD, open_paths=("/",)) as (functions, _),
        pytest.raises(DeploymentError, match="without a route reached the service"),
    ):
        require_open_routes(functions, print)


def test_without_an_engine_the_step_is_skipped_by_name() -> None:
    """With the reason; nothing is asked of anybody."""
    said: list[str] = []
    rehearsed = SimpleNamespace(containers=None, no_containers="no container engine answers")
    image_behind_gateway(cast("Rehearsal", rehearsed), said.append)
    assert said == [
        "SKIPPED  functions from the image, behind the emulated HTTP API: no container engine answers"
    ]
