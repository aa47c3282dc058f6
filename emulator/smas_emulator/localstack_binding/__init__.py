"""The one package that imports LocalStack and moto: what we add hangs on their hooks here and nowhere else.

LocalStack loads the entry points that `pyproject.toml` names: `cognito_idp` adds a service it lacks;
`on_infra_start` runs before the first request and is the place for what watches or refuses calls.
"""
# LocalStack and moto are not installed where types are checked, and publish none.
# mypy: disable-error-code="import-not-found, import-untyped, untyped-decorator, no-any-return"

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

from localstack import config
from localstack.aws import handlers
from localstack.aws.api import CommonServiceException
from localstack.runtime import hooks
from localstack.runtime.server import twisted as runtime_server
from twisted.internet import endpoints

from smas_emulator.localstack_binding.cognito import (
    cognito_idp,
    make_cognito_keep_its_own_keys,
    serve_cognito_pages,
)

__all__ = ["cognito_idp", "on_infra_start"]

# The access key LocalStack signs with for whoever sent no credentials.
NOBODYS_KEY = "injectedaccesskey"


@hooks.on_infra_start()
def on_infra_start() -> None:
    """Called once by LocalStack, before it listens."""
    listen_where_told()
    make_cognito_keep_its_own_keys()
    serve_cognito_pages()
    handlers.serve_custom_service_request_handlers.append(refuse_anonymous)


def refuse_anonymous(_chain: Any, context: Any, _response: Any) -> None:
    """Refuse what nobody signed, as a private bucket does: LocalStack would hand out any object.

    A request without credentials has LocalStack's own in place of them by the time it comes here; one with a
    presigned URL keeps its signature in the query, which S3's own handler checks.
    """
    if context.service is None or context.service.service_name != "s3" or context.is_internal_call:
        return
    unsigned = NOBODYS_KEY in context.request.headers.get("Authorization", "")
    if unsigned and not {"X-Amz-Signature", "Signature"} & set(context.request.args):
        raise CommonServiceException("AccessDenied", "Access Denied", status_code=403)


def listen_where_told() -> None:
    """Make LocalStack listen on the address of `GATEWAY_LISTEN`; it takes only the port, and every interface.

    An AWS without passwords would be open to the network. The patched name is the server module's own.
    """
    hosts = {listen.port: listen.host for listen in config.GATEWAY_LISTEN}

    class EndpointOnItsHost(endpoints.TCP4ServerEndpoint):  # type: ignore[misc]
        def __init__(self, reactor: Any, port: int) -> None:
            super().__init__(reactor, port, interface=hosts[port])

    runtime_server.endpoints = SimpleNamespace(
        TCP4ServerEndpoint=EndpointOnItsHost, TCP6ServerEndpoint=endpoints.TCP6ServerEndpoint
    )
