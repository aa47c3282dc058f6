"""What a WSGI application sees of Lambda's HTTP events, and what comes of its answers."""

from __future__ import annotations

import json
import logging
from base64 import b64decode, b64encode
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, quote

import pytest
from flask import Flask, Response, request
from hypothesis import given
from hypothesis import strategies as st

from service.aws_lambda.http import HttpFunction
from service.aws_lambda.invocation import InvocationIds, UnknownEvent
from tests.image.events import EVENTS, alb_event, http_event, load

if TYPE_CHECKING:
    from werkzeug.wrappers import Response as AnyResponse

LAMBDA_ID = "5f7a1c1e-0000-4000-8000-000000000001"


@dataclass(frozen=True)
class Now:
    """An invocation with time to spare."""

    aws_request_id: str = LAMBDA_ID

    def get_remaining_time_in_millis(self) -> int:
        """Half a minute."""
        return 30_000


def mirror() -> Flask:
    """An application that answers what it was asked."""
    app = Flask("mirror", static_folder=None)
    app.url_map.merge_slashes = False

    @app.route("/", defaults={"path": ""}, methods=["GET", "POST"])
    @app.route("/<path:path>", methods=["GET", "POST"])
    def answer(path: str) -> dict[str, Any]:
        return {
            "path": path,
            "root": request.script_root,
            "query": request.query_string.decode(),
            "address": request.remote_addr,
            "request_id": request.headers.get("X-Request-Id"),
            "cookies": dict(request.cookies),
            "body": request.get_data().hex(),
            "type": request.content_type,
            "method": request.method,
            "scheme": request.scheme,
        }

    @app.route("/bytes")
    def some_bytes() -> AnyResponse:
        return Response(b"\x00\xff", mimetype="application/octet-stream")

    @app.route("/several")
    def several() -> AnyResponse:
        answer = Response("grüße", mimetype="application/problem+json")
        answer.headers.add("Vary", "Accept")
        answer.headers.add("Vary", "Origin")
        answer.set_cookie("a", "1")
        answer.set_cookie("b", "2")
        return answer

    return app


IDS = InvocationIds()
FUNCTION = HttpFunction(mirror(), IDS)


def seen(event: dict[str, Any]) -> dict[str, Any]:
    """What the application saw of an event."""
    answer = FUNCTION(event, Now())
    assert answer["statusCode"] == 200
    assert answer["isBase64Encoded"] is False
    return dict(json.loads(answer["body"]))


@given(
    st.text(st.characters(exclude_categories=["Cs", "Cc"]), min_size=1).filter(lambda path: path[0] != "/")
)
def test_any_path_survives_an_http_api(path: str) -> None:
    """An HTTP API decodes the path; percent signs that stand in a name are left as they are."""
    assert seen(http_event("GET", f"/{path}"))["path"] == path


@given(
    st.text(st.characters(exclude_categories=["Cs", "Cc"]), min_size=1).filter(lambda path: path[0] != "/")
)
def test_any_path_survives_a_load_balancer_and_a_function_url(path: str) -> None:
    """Both hand it over as the client encoded it."""
    assert seen(alb_event(f"/{quote(path)}"))["path"] == path
    event = http_event("GET", f"/{quote(path)}")
    event["requestContext"]["domainName"] = "abc123.lambda-url.eu-central-1.on.aws"
    assert seen(event)["path"] == path


def test_the_stage_is_no_part_of_the_path() -> None:
    """At the API's own address; the application still knows where it is mounted."""
    event = http_event("GET", "/prod/v1/whoami")
    event["requestContext"]["stage"] = "prod"
    assert (seen(event)["root"], seen(event)["path"]) == ("/prod", "v1/whoami")
    event["rawPath"] = "/production/v1"
    assert seen(event)["path"] == "production/v1"
    event["rawPath"] = "/prod/"
    assert seen(event)["path"] == ""


def test_a_custom_domain_has_no_stage_in_its_paths() -> None:
    """A stage that is named as a path begins takes nothing away there."""
    event = http_event("GET", "/v1/models")
    event["requestContext"] |= {"stage": "v1", "domainName": "models.example.org"}
    assert (seen(event)["root"], seen(event)["path"]) == ("", "v1/models")


@pytest.mark.parametrize("query", ["a=1&a=2&b=%C3%BC%20%2B", "", "cursor=a%3D%3D&limit=10"])
def test_the_query_arrives_as_it_was_sent(query: str) -> None:
    """API Gateway passes it on raw."""
    event = http_event("GET", "/x")
    event["rawQueryString"] = query
    assert seen(event)["query"] == query


def test_a_balancers_query_means_the_same() -> None:
    """It comes taken apart but not decoded, once or several times a name."""
    once = alb_event("/x", queryStringParameters={"path": "a%20b%2Bc", "flag": ""})
    assert parse_qs(seen(once)["query"], keep_blank_values=True) == {"path": ["a b+c"], "flag": [""]}
    several = alb_event("/x", multiValueQueryStringParameters={"a": ["1", "2"]})
    assert parse_qs(seen(several)["query"]) == {"a": ["1", "2"]}


@pytest.mark.parametrize("event", [http_event("POST", "/x"), alb_event("/x", httpMethod="POST")])
def test_bodies_arrive_as_text_and_in_base64(event: dict[str, Any]) -> None:
    """Whichever way the gateway chose."""
    event["headers"]["content-type"] = "application/json"
    text = '{"größe": 1}'
    assert bytes.fromhex(seen({**event, "body": text})["body"]).decode() == text
    encoded = {**event, "body": b64encode(b"\x00\xff{}").decode(), "isBase64Encoded": True}
    assert bytes.fromhex(seen(encoded)["body"]) == b"\x00\xff{}"
    assert seen(encoded)["type"] == "application/json"
    assert seen(encoded)["method"] == "POST"


def test_binary_answers_are_in_base64_and_texts_are_not() -> None:
    """Problems, too, are texts."""
    answer = FUNCTION(http_event("GET", "/bytes"), Now())
    assert (b64decode(answer["body"]), answer["isBase64Encoded"]) == (b"\x00\xff", True)
    answer = FUNCTION(http_event("GET", "/several"), Now())
    assert (answer["body"], answer["isBase64Encoded"]) == ("grüße", False)


def test_cookies_go_both_ways() -> None:
    """They have a list of their own in payload format 2.0."""
    event = http_event("GET", "/x")
    event["cookies"] = ["a=1", "b=2"]
    assert seen(event)["cookies"] == {"a": "1", "b": "2"}
    answer = FUNCTION(http_event("GET", "/several"), Now())
    assert [cookie.split(";")[0] for cookie in answer["cookies"]] == ["a=1", "b=2"]


def test_a_header_sent_twice_is_combined() -> None:
    """An answer's headers are an object: the last of two must not swallow the first."""
    assert FUNCTION(http_event("GET", "/several"), Now())["headers"]["vary"] == "Accept, Origin"
    assert FUNCTION(alb_event("/several"), Now())["headers"]["Vary"] == "Accept, Origin"


def test_the_callers_address_is_the_one_that_aws_saw() -> None:
    """Never what the caller wrote into a header."""
    event = http_event("GET", "/x")
    event["headers"]["x-forwarded-for"] = "198.51.100.1, 203.0.113.7"
    assert seen(event)["address"] == "203.0.113.7"
    assert seen(alb_event("/x"))["address"] == "203.0.113.7"
    several = alb_event("/x")
    several["multiValueHeaders"] = {name: [value] for name, value in several.pop("headers").items()} | {
        "x-forwarded-for": ["198.51.100.1", "198.51.100.2,203.0.113.8"]
    }
    assert seen(several)["address"] == "203.0.113.8"


def test_the_request_id_is_lambdas_unless_the_caller_sent_one() -> None:
    """So an answer leads to Lambda's own lines of the log."""
    assert seen(http_event("GET", "/x"))["request_id"] == LAMBDA_ID
    event = http_event("GET", "/x")
    event["headers"]["x-request-id"] = "mine-1"
    assert seen(event)["request_id"] == "mine-1"


def test_log_lines_name_the_requests_of_gateway_and_lambda() -> None:
    """Each of the invocation under way, and none of the one before."""
    FUNCTION(http_event("GET", "/x"), Now())
    assert ids_of_a_record() == {
        "lambda_request_id": LAMBDA_ID,
        "gateway_request_id": "HEALTHxExampleQ=",
        "trace_id": "Root=1-65a1b2c3-0123456789abcdef01234567",
    }
    FUNCTION(alb_event("/x", headers={"x-amzn-trace-id": "Root=1;" + "x" * 500}), Now("other"))
    ids = ids_of_a_record()
    assert ids["lambda_request_id"] == "other"
    assert "gateway_request_id" not in ids
    assert len(ids["trace_id"]) == 128


def ids_of_a_record() -> dict[str, str]:
    """What the filter puts on a record now."""
    record = logging.LogRecord("x", logging.INFO, "x.py", 1, "x", None, None)
    before = set(record.__dict__)
    assert IDS.filter(record)
    return {name: value for name, value in record.__dict__.items() if name not in before}


def test_a_balancer_is_told_the_status_in_words() -> None:
    """It wants both (and API Gateway refuses neither)."""
    assert FUNCTION(alb_event("/x"), Now())["statusDescription"] == "200 OK"


def test_the_scheme_is_the_clients() -> None:
    """TLS ends before us."""
    assert seen(http_event("GET", "/x"))["scheme"] == "https"


@pytest.mark.parametrize(
    "event",
    [
        {},
        {"requestContext": None},
        load(EVENTS / "sqs_event.json", str),
        load(EVENTS / "schedule_event.json", str),
        {"version": "1.0", "path": "/", "httpMethod": "GET", "requestContext": {"stage": "prod"}},
    ],
)
def test_other_events_are_refused_by_name(event: dict[str, Any]) -> None:
    """A gateway with the old payload format must not half work."""
    with pytest.raises(UnknownEvent):
        FUNCTION(event, Now())
