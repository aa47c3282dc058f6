"""What anybody may ask: is it up, how do I sign in, what can it do."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flask import Blueprint, Response, render_template

from service.web.access import PUBLIC, Call
from service.web.operations import Answer, operation
from service.web.problems import ALL_KINDS
from service.web.wire import discovery as wire

if TYPE_CHECKING:
    from collections.abc import Callable

    from service.web.app import Collaborators

_DOCS_POLICY = "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'"


def blueprint(collaborators: Collaborators, openapi: Callable[[], dict[str, object]]) -> Blueprint:
    """The public routes; ``openapi`` describes the whole API."""
    routes = Blueprint("discovery", __name__)

    @operation(routes, "GET", "/healthz", access=PUBLIC, answers={200: wire.Health})
    def healthz(_call: Call) -> Answer:
        """Whether the process runs."""
        return Answer(wire.Health("ok"))

    @operation(routes, "GET", "/readyz", access=PUBLIC, answers={200: wire.Readiness, 503: wire.Readiness})
    def readyz(_call: Call) -> Answer:
        """Whether requests can be served; names each dependency that does not answer."""
        faults = collaborators.readiness.faults()
        if faults:
            return Answer(wire.Readiness("not ready", faults), 503, {"Retry-After": "5"})
        return Answer(wire.Readiness("ready", {}))

    @operation(
        routes,
        "GET",
        "/.well-known/oauth-protected-resource",
        access=PUBLIC,
        answers={200: wire.ProtectedResource},
    )
    def protected_resource(_call: Call) -> Answer:
        """How to sign in (RFC 9728)."""
        return Answer(
            wire.ProtectedResource(
                resource=collaborators.public_url,
                authorization_servers=[collaborators.issuer],
                bearer_methods_supported=["header"],
                scopes_supported=["openid"],
                client_id=collaborators.people_client_id,
                openid_configuration_uri=collaborators.openid_configuration_uri,
            )
        )

    @operation(routes, "GET", "/openapi.json", access=PUBLIC, answers={200: dict})
    def openapi_json(_call: Call) -> Answer:
        """This API as OpenAPI 3.1."""
        return Answer(openapi())

    @operation(routes, "GET", "/docs", access=PUBLIC, answers={200: None})
    def docs(_call: Call) -> Response:
        """This API for people."""
        page = render_template("docs.html", api=openapi(), problems=ALL_KINDS)
        return Response(page, headers={"Content-Security-Policy": _DOCS_POLICY})

    return routes
