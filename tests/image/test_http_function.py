"""What a WSGI application sees of Lambda's HTTP events, and what comes of its answers."""

from __future__ import annotations

import json
import logging
from base64 import b64decode, b64encode
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, quote, urlencode

import pytest
from flask import Flask, Response, request
from hypothesis import given
from hypothesis import strategies as st

from service.aws_lambda.http import HttpFunction
from service.aws_lambda.invocation import InvocationIds, UnknownEvent
from tests.image.events import EVENTS, alb_event, http_event, load
from tests.image.function import LambdaFunction
from tests.image.test_runtime import SETTINGS

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

    @app.route("/repeated", methods=["GET", "POST"])
    def repeated() -> AnyResponse:
        answer = Response(request.args["text"] * int(request.args["times"]), mimetype="application/json")
        answer.headers["X-Request-Id"] = "asked-for-much"
        return answer

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


def test_what_a_client_did_not_encode_is_encoded() -> None:
    """Letters beyond ASCII in a path or a query are what they would be encoded, and no failure."""
    event = http_event("GET", "/模型")
    event["rawQueryString"] = "a=模&b=%C3%BC"
    assert (seen(event)["path"], parse_qs(seen(event)["query"])) == ("模型", {"a": ["模"], "b": ["ü"]})
    event["requestContext"]["domainName"] = "abc123.lambda-url.eu-central-1.on.aws"
    assert seen(event)["path"] == "模型"
    assert seen(alb_event("/模%20型"))["path"] == "模 型"


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


def asking_for(text: str, times: int, method: str = "GET") -> dict[str, Any]:
    """An event of an HTTP API whose answer is a text so many times over."""
    event = http_event(method, "/repeated")
    event["rawQueryString"] = urlencode({"text": text, "times": times})
    return event


def of_a_balancer(text: str, times: int, *, listed: bool) -> dict[str, Any]:
    """The same of a load balancer, which sends each header's value, or a list of its values."""
    event = alb_event("/repeated", queryStringParameters={"text": quote(text), "times": str(times)})
    if listed:
        event["multiValueHeaders"] = {name: [value] for name, value in event.pop("headers").items()}
    return event


@pytest.mark.parametrize("text", ["x", "模", "🜁", '"'])
def test_an_answer_is_given_as_it_is_up_to_what_lambda_takes(text: str) -> None:
    """As much as fits of what the runtime client makes of it, which writes most characters as several."""
    fitting = 5_900_000 // (len(json.dumps(text)) - 2)
    assert FUNCTION(asking_for(text, fitting), Now())["body"] == text * fitting
    assert FUNCTION(of_a_balancer(text, fitting // 6, listed=False), Now())["body"] == text * (fitting // 6)


@pytest.mark.parametrize("text", ["x", "模", "🜁", '"'])
def test_an_answer_that_lambda_would_not_take_says_what_to_do(
    text: str, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """Else the gateway tells of an error inside, without a request id; the log says how large it was."""
    monkeypatch.setenv("SMAS_PUBLIC_URL", "https://models.example.org/")
    answer = FUNCTION(asking_for(text, 6_000_001 // (len(json.dumps(text)) - 2)), Now())
    problem = json.loads(answer["body"])
    assert (answer["statusCode"], problem["status"], problem["code"]) == (422, 422, "validation_failed")
    assert problem["errors"] == [{"location": "limit", "message": problem["detail"]}]
    assert problem["type"] == "https://models.example.org/docs#validation_failed"
    assert (problem["request_id"], answer["headers"]["x-request-id"]) == ("asked-for-much", "asked-for-much")
    assert answer["headers"]["content-type"] == "application/problem+json"
    assert int(answer["headers"]["content-length"]) == len(answer["body"].encode())
    (line,) = [each for each in caplog.records if each.message == "an answer too large to be given"]
    assert vars(line)["request_id"] == "asked-for-much"
    assert vars(line)["bytes"] > 6_000_000


@pytest.mark.runtime_client
@pytest.mark.parametrize(("times", "status"), [(990_000, 200), (1_000_000, 422)])
def test_lambda_takes_what_is_given(times: int, status: int) -> None:
    """Through Lambda's own runtime client, whose writing of an answer is what counts."""
    with LambdaFunction("tests.image.test_http_function.FUNCTION", SETTINGS) as function:
        outcome = function.invoke(asking_for("模", times))
        assert (outcome.error_type, outcome.payload["statusCode"]) == (None, status)


@pytest.mark.parametrize("listed", [False, True])
def test_a_balancer_takes_a_sixth_of_that(listed: bool) -> None:
    """Its own limit, and its own two ways to write headers."""
    answer = FUNCTION(of_a_balancer("x", 1_000_000, listed=listed), Now())
    assert answer["statusDescription"] == "422 Unprocessable Entity"
    length = len(answer["body"].encode())
    if listed:
        assert answer["multiValueHeaders"]["content-type"] == ["application/problem+json"]
        assert answer["multiValueHeaders"]["content-length"] == [str(length)]
    else:
        assert answer["headers"]["content-type"] == "application/problem+json"
        assert answer["headers"]["content-length"] == str(length)
    assert json.loads(answer["body"])["request_id"] == "asked-for-much"


def test_what_was_changed_is_not_said_to_be_refused() -> None:
    """An answer that cannot be given is no sign that nothing was done."""
    answer = FUNCTION(asking_for("x", 6_000_000, "POST"), Now())
    problem = json.loads(answer["body"])
    assert (answer["statusCode"], problem["code"]) == (500, "internal")
    assert problem["detail"].endswith("what was to be changed is changed")
    assert "errors" not in problem


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
