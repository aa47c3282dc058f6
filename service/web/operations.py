"""How a route is declared: its access, body, parameters and answers in one place.

``operation`` is the only way a route comes into being, and it demands an access rule, so nothing can be
reached without a decision. What is declared is also what ``/openapi.json`` says.
"""

from __future__ import annotations

from contextlib import nullcontext
from typing import TYPE_CHECKING, Any, Final, TypeVar

import msgspec
from flask import Response, current_app

from service.web.access import Access, Call, decide
from service.web.bodies import decode

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from flask import Blueprint
    from werkzeug.wrappers import Response as WsgiResponse

    from service.web.access import Gate
    from service.web.problems import Kind

EXTENSION: Final = "smas"


class Parameter(msgspec.Struct, frozen=True):
    """A query parameter or header that an operation reads."""

    name: str
    description: str
    place: str = "query"
    schema: Mapping[str, Any] = msgspec.field(default_factory=lambda: {"type": "string"})
    required: bool = False


class Operation(msgspec.Struct, frozen=True):
    """All that is known of one method of one route."""

    method: str
    rule: str
    summary: str
    description: str
    access: Access
    body: type[msgspec.Struct] | None
    parameters: tuple[Parameter, ...]
    answers: Mapping[int, Any]
    problems: tuple[Kind, ...]


class Answer(msgspec.Struct, frozen=True):
    """What a route gives back; ``body`` is a wire type, None for an empty answer."""

    body: object = None
    status: int = 200
    headers: Mapping[str, str] = msgspec.field(default_factory=dict)

    def response(self) -> Response:
        """As Flask sends it."""
        content = b"" if self.body is None else msgspec.json.encode(self.body)
        content_type = None if self.body is None else "application/json"
        response = Response(content, self.status, content_type=content_type)
        if self.body is None:
            del response.headers["Content-Type"]
        response.headers.update(dict(self.headers))
        return response


Handler = TypeVar("Handler", bound="Callable[[Call], Answer | WsgiResponse]")


class View(msgspec.Struct, frozen=True):
    """What Flask calls: decides, reads the body, and only then hands over to the route's function."""

    operation: Operation
    function: Callable[[Call], Answer | WsgiResponse]

    def __call__(self, **path: str) -> WsgiResponse:
        """Serve the current request."""
        gate: Gate = current_app.extensions[EXTENSION]
        call = decide(gate, self.operation.access, path)
        if self.operation.body is not None:
            call.body = decode(self.operation.body)
        # What needs no permission of a role opens no store, and waits for none.
        with gate.bulkhead.permit() if self.operation.access.permissions else nullcontext():
            answer = self.function(call)
        return answer.response() if isinstance(answer, Answer) else answer


def operation(
    blueprint: Blueprint,
    method: str,
    rule: str,
    *,
    access: Access,
    answers: Mapping[int, Any],
    body: type[msgspec.Struct] | None = None,
    parameters: Sequence[Parameter] = (),
    problems: Sequence[Kind] = (),
) -> Callable[[Handler], Handler]:
    """Serve ``rule`` with the decorated function, whose docstring is its documentation.

    The function is called with a ``Call`` only after ``access`` has decided for the caller and, where
    ``body`` is given, the body was read.
    """

    def register(function: Handler) -> Handler:
        summary, _, description = (function.__doc__ or "").partition("\n")
        declared = Operation(
            method,
            rule,
            summary.strip(),
            " ".join(description.split()),
            access,
            body,
            tuple(parameters),
            answers,
            tuple(problems),
        )

        blueprint.add_url_rule(
            rule,
            endpoint=function.__name__,
            view_func=View(declared, function),
            methods=[method],
            provide_automatic_options=False,
        )
        return function

    return register
