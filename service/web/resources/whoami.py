"""Who am I."""

from __future__ import annotations

from flask import Blueprint

from service.web.access import SIGNED_IN, Call
from service.web.operations import Answer, operation
from service.web.wire import discovery as wire

routes = Blueprint("whoami", __name__)


@operation(routes, "GET", "/v1/whoami", access=SIGNED_IN, answers={200: wire.WhoAmI})
def whoami(call: Call) -> Answer:
    """Your identity, roles and permissions as the store sees them."""
    return Answer(wire.WhoAmI.of(call.principal))
