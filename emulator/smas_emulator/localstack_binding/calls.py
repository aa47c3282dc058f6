"""LocalStack's request context, as the types of `smas_emulator.gateway`."""
# LocalStack is not installed where types are checked.
# mypy: disable-error-code="import-not-found, import-untyped"

from __future__ import annotations

from datetime import UTC, datetime
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from rolo.request import get_raw_path

from smas_emulator.gateway.calls import Call, HttpRequest, Outcome

if TYPE_CHECKING:
    from collections.abc import Mapping

    from smas_emulator.gateway.calls import Signature
    from smas_emulator.gateway.principals import Principal


def http_request(request: Any) -> HttpRequest:
    """The request as it came over the wire: to be called before a handler changes its headers."""
    headers: dict[str, str] = {}
    for name, value in request.headers.items():
        lower = name.lower()
        headers[lower] = f"{headers[lower]},{value}" if lower in headers else value
    return HttpRequest(
        method=request.method,
        path=get_raw_path(request),
        query_string=request.query_string.decode("utf-8", "replace"),
        headers=headers,
        source_ip=request.remote_addr or "",
        # The emulator stands where AWS's TLS ends. A proxy before it can say that its client came without.
        secure=headers.get("x-forwarded-proto", "https") != "http",
    )


def call(context: Any, http: HttpRequest, principal: Principal, signature: Signature | None) -> Call:
    """The call of a context whose request LocalStack has parsed."""
    body = _streamed_in(context.operation)
    parameters = context.service_request or {}
    if body is not None and body in parameters:
        parameters = {name: value for name, value in parameters.items() if name != body}
    return Call(
        service=context.service.service_name,
        operation=context.operation.name,
        parameters=parameters,
        principal=principal,
        signature=signature,
        http=http,
        region=context.region,
        account=context.account_id,
        request_id=context.request_id,
        time=datetime.now(UTC),
    )


def outcome(context: Any, response: Any, http: HttpRequest) -> Outcome:
    """How the call of a context ended, once LocalStack has an answer for it."""
    answer: Mapping[str, Any] = context.service_response or {}
    body = _streamed_out(context.operation)
    if body is not None and body in answer:
        answer = {name: value for name, value in answer.items() if name != body}
    error = context.service_exception
    length = http.headers.get("x-amz-decoded-content-length") or http.headers.get("content-length") or "0"
    return Outcome(
        status=response.status_code,
        response={} if error else answer,
        error_code=error.code if error else None,
        error_message=str(error.message) if error else None,
        bytes_in=int(length) if length.isdecimal() else 0,
        bytes_out=response.content_length or 0,
        headers={name.lower(): value for name, value in response.headers.items()},
    )


@lru_cache(maxsize=4096)
def _streamed_in(operation: Any) -> str | None:
    return _payload(operation.input_shape, streamed=operation.has_streaming_input)


@lru_cache(maxsize=4096)
def _streamed_out(operation: Any) -> str | None:
    return _payload(operation.output_shape, streamed=operation.has_streaming_output)


def _payload(shape: Any, *, streamed: bool) -> str | None:
    return shape.serialization.get("payload") if shape is not None and streamed else None
