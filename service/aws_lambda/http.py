"""A WSGI application behind Lambda: for API Gateway (payload format 2.0), function URLs, load balancers.

``apig-wsgi`` turns an event into a WSGI request and the response back. What AWS does to a request on the
way, and what it knows better than the request's headers, is taken care of around it
(docs/adr/0013-one-image.md).
"""

from __future__ import annotations

import json
import logging
import os
from http import HTTPStatus
from string import printable
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import quote

import msgspec
from apig_wsgi import make_lambda_handler

from service import metrics
from service.aws_lambda.invocation import ColdStart, UnknownEvent
from service.web.problems import INTERNAL, MEDIA_TYPE, VALIDATION_FAILED, FaultBody, Problem

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from types import TracebackType
    from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

    from service.aws_lambda.invocation import Context, InvocationIds

    ExcInfo = tuple[type[BaseException], BaseException, TracebackType] | tuple[None, None, None]

log = logging.getLogger(__name__)

# All that the service answers is text in UTF-8: none of it needs Base64, which would be a third longer.
_TEXT: Final = ("text/", "application/json", "application/problem+json", "application/x-ndjson")
# The trace id that API Gateway and load balancers make or pass on may be the caller's own.
_MOST_OF_A_TRACE_ID: Final = 128
# Of an answer as JSON: what Lambda takes from a function, and a load balancer from Lambda. Of a larger one
# the caller would learn nothing but that something failed.
# https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html
_MOST_BYTES: Final = 6_000_000
_MOST_BYTES_FOR_A_BALANCER: Final = 1_000_000
# A body of so many characters is far below both, though the runtime client may write one as 12 bytes.
_SURELY_FITS: Final = 50_000


class HttpFunction:
    """A WSGI application as a Lambda function.

    The events: of API Gateway's HTTP APIs and of function URLs
    (https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-develop-integrations-lambda.html),
    and of Application Load Balancers
    (https://docs.aws.amazon.com/elasticloadbalancing/latest/application/lambda-functions.html).
    """

    def __init__(self, app: WSGIApplication, ids: InvocationIds) -> None:
        self._ids = ids
        self._cold_start = ColdStart("api")
        self._serve = make_lambda_handler(
            _from_aws(app), binary_support=True, non_binary_content_type_prefixes=_TEXT
        )

    def __call__(self, event: dict[str, Any], context: Context) -> dict[str, Any]:
        """The answer to one request. Raises ``UnknownEvent``."""
        about = event.get("requestContext")
        if not isinstance(about, dict):
            raise UnknownEvent("this function answers HTTP requests, and the event is none")
        trace_id = _header(event, "x-amzn-trace-id")
        self._ids.begin(
            {
                "lambda_request_id": context.aws_request_id,
                "gateway_request_id": about.get("requestId"),
                "trace_id": trace_id[:_MOST_OF_A_TRACE_ID] if trace_id else None,
            }
        )
        with metrics.measuring() as measurements:
            self._cold_start.count(measurements)
            return self._answer(event, about, context)

    def _answer(self, event: dict[str, Any], about: dict[str, Any], context: Context) -> dict[str, Any]:
        if "elb" in about:
            path = _ascii(event["path"])
            answer = self._serve({**event, "path": path}, context)
            answer = _fitting(answer, event["httpMethod"], _MOST_BYTES_FOR_A_BALANCER)
            status = HTTPStatus(answer["statusCode"])
            return {**answer, "statusDescription": f"{status.value} {status.phrase}"}
        if event.get("version") == "2.0" and "http" in about:
            path, query = _encoded_path(event["rawPath"], about), _ascii(event["rawQueryString"])
            answer = self._serve({**event, "rawPath": path, "rawQueryString": query}, context)
            return _fitting(answer, about["http"]["method"], _MOST_BYTES)
        raise UnknownEvent("payload format 2.0 is needed; set it at the gateway's integration")


def _ascii(encoded: str) -> str:
    """A path or query as it came, and what a client should have encoded and did not, encoded."""
    return quote(encoded, safe=printable, errors="replace")


def _encoded_path(raw_path: str, about: dict[str, Any]) -> str:
    """The path as a client encodes it.

    An HTTP API hands it over decoded, a function URL as it came (observed; AWS documents neither), and
    ``apig-wsgi`` decodes: without this a file named ``a%20b`` would be looked for as ``a b``.
    """
    if ".lambda-url." in about.get("domainName", ""):
        return _ascii(raw_path)
    return quote(raw_path, errors="replace")


def _fitting(answer: dict[str, Any], method: str, most: int) -> dict[str, Any]:
    """``answer``, or a problem in its place if it is more than ``most`` bytes as JSON."""
    if len(answer["body"]) < _SURELY_FITS or (size := len(json.dumps(answer))) <= most:
        return answer
    # One header may come as a list of its values, when balancers send theirs so.
    kept = "multiValueHeaders" if "multiValueHeaders" in answer else "headers"
    headers = {name.lower(): value for name, value in answer[kept].items()}
    (request_id,) = _listed(headers.get("x-request-id", ""))
    log.warning("an answer too large to be given", extra={"request_id": request_id, "bytes": size})
    only_read = method == "GET"
    kind = VALIDATION_FAILED if only_read else INTERNAL
    detail = f"the answer has {size} bytes, and no more than {most} get through here: ask for less at once"
    problem = Problem(
        type=f"{os.environ.get('SMAS_PUBLIC_URL', '').rstrip('/')}/docs#{kind.code}",
        title=kind.title,
        status=kind.status,
        detail=detail if only_read else f"{detail}; what was to be changed is changed",
        code=kind.code,
        request_id=request_id,
        errors=[FaultBody("limit", detail)] if only_read else [],
    )
    body = msgspec.json.encode(problem).decode()
    told = {"content-type": MEDIA_TYPE, "content-length": str(len(body))}
    listed = {name: [value] for name, value in told.items()} if kept == "multiValueHeaders" else told
    return {
        **answer,
        "statusCode": kind.status,
        kept: {**headers, **listed},
        "body": body,
        "isBase64Encoded": False,
    }


def _listed(value: str | list[str]) -> list[str]:
    return [value] if isinstance(value, str) else value


def _from_aws(app: WSGIApplication) -> WSGIApplication:
    """``app`` behind what AWS knows better than the request's headers."""

    def serve(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        event = environ["apig_wsgi.full_event"]
        about = event["requestContext"]
        if "elb" in about:
            # A balancer appends who connected to it; what stands before is the caller's own claim.
            forwarded = _header(event, "x-forwarded-for")
            if forwarded:
                environ["REMOTE_ADDR"] = forwarded.rpartition(",")[2].strip()
        else:
            _move_stage(environ, about)
        environ.setdefault("HTTP_X_REQUEST_ID", environ["apig_wsgi.context"].aws_request_id)

        def start(
            status: str, headers: list[tuple[str, str]], exc_info: ExcInfo | None = None
        ) -> Callable[[bytes], object]:
            return start_response(status, _combined(headers), exc_info)

        return app(environ, start)

    return serve


def _move_stage(environ: WSGIEnvironment, about: dict[str, Any]) -> None:
    """Take the stage out of the path: at the API's own address every stage but the default one is in it."""
    prefix = f"/{about.get('stage')}"
    own_address = str(about.get("domainName")).startswith(f"{about.get('apiId')}.execute-api.")
    path = environ["PATH_INFO"]
    if own_address and (path == prefix or path.startswith(f"{prefix}/")):
        environ["SCRIPT_NAME"] = prefix
        environ["PATH_INFO"] = path.removeprefix(prefix)


def _combined(headers: list[tuple[str, str]]) -> list[tuple[str, str]]:
    """Headers each once, as an answer's object holds them (RFC 9110, section 5.2); cookies have a list."""
    combined: dict[str, tuple[str, str]] = {}
    cookies = []
    for name, value in headers:
        folded = name.lower()
        if folded == "set-cookie":
            cookies.append((name, value))
        elif folded in combined:
            combined[folded] = (name, f"{combined[folded][1]}, {value}")
        else:
            combined[folded] = (name, value)
    return [*combined.values(), *cookies]


def _header(event: dict[str, Any], name: str) -> str | None:
    """The last value of a header of an event, whose names are in lower case; None if there is none."""
    several = (event.get("multiValueHeaders") or {}).get(name)
    value = several[-1] if several else (event.get("headers") or {}).get(name)
    return value if isinstance(value, str) else None
