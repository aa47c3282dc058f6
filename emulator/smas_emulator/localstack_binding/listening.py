"""Where LocalStack listens, and which calls it may take for its own."""
# LocalStack and twisted are not installed where types are checked, and publish none.
# mypy: disable-error-code="import-not-found, import-untyped"

from __future__ import annotations

import secrets
from types import SimpleNamespace
from typing import Any

from localstack import config
from localstack.aws import connect
from localstack.aws.handlers import internal_requests
from localstack.runtime.server import twisted as runtime_server
from twisted.internet import endpoints
from twisted.web.http import HTTPFactory


def listen_where_told() -> None:
    """Make LocalStack listen on the address of `GATEWAY_LISTEN`; it takes only the port, and every interface.

    Its own pages (`/_localstack`) ask for no signature: they would be open to the network.
    The patched name is the server module's own.
    """
    hosts = {listen.port: listen.host for listen in config.GATEWAY_LISTEN}

    class EndpointOnItsHost(endpoints.TCP4ServerEndpoint):  # type: ignore[misc]
        def __init__(self, reactor: Any, port: int) -> None:
            super().__init__(reactor, port, interface=hosts[port])

    runtime_server.endpoints = SimpleNamespace(
        TCP4ServerEndpoint=EndpointOnItsHost, TCP6ServerEndpoint=endpoints.TCP6ServerEndpoint
    )


def let_nobody_pass_as_localstack() -> None:
    """Mark LocalStack's calls to itself by a header whose name nobody else knows.

    The fixed name is public: whoever sent it would be taken for LocalStack, neither recorded nor refused.
    """
    header = f"x-localstack-data-{secrets.token_hex(16)}"
    connect.INTERNAL_REQUEST_PARAMS_HEADER = header
    internal_requests.INTERNAL_REQUEST_PARAMS_HEADER = header


def keep_no_access_log() -> None:
    """Keep twisted from writing a line of each request into a log that nobody reads.

    It stays in memory, with the signatures of presigned URLs, and costs as much as parsing the request.
    """
    HTTPFactory.log = lambda _factory, _request: None
