"""The real entry point under Lambda's own runtime client, as a process: start, answers, failures, deadlines.

Nothing here needs AWS; what does is in `test_functions`.
"""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING, Final

import pytest

from tests.image.events import EVENTS, http_event, load
from tests.image.function import FunctionFailed, LambdaFunction
from tests.image.runtime_api import FUNCTION_ARN, MOST_BYTES

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = pytest.mark.runtime_client

API: Final = "service.lambda_handler.api"
VERIFIER: Final = "service.lambda_handler.verifier"
TOKEN_GROUPS: Final = "service.lambda_handler.token_groups"
_NOWHERE: Final = "http://127.0.0.1:9"
# Whole, but nothing answers there.
SETTINGS: Final = {
    "PATH": os.environ["PATH"],
    "AWS_ACCESS_KEY_ID": "none",
    "AWS_SECRET_ACCESS_KEY": "none",
    "AWS_ENDPOINT_URL": _NOWHERE,
    "AWS_REGION": "eu-central-1",
    "SMAS_BUCKET": "smas-models",
    "SMAS_CLIENT_IDS": "people",
    "SMAS_EVENTS_QUEUE_URL": f"{_NOWHERE}/queue",
    "SMAS_ISSUER": "https://issuer.example.org",
    "SMAS_JWKS_URL": f"{_NOWHERE}/.well-known/jwks.json",
    "SMAS_LOG_GROUP": "/smas/service",
    "SMAS_METADATA_KEY_ARN": "arn:aws:kms:eu-central-1:000000000000:key/none",
    "SMAS_PEOPLE_CLIENT_ID": "people",
    "SMAS_PUBLIC_URL": "https://models.example.org",
    "SMAS_ROLE_PREFIX": "arn:aws:iam::000000000000:role/smas-",
    "SMAS_TRAIL_ARN": "arn:aws:cloudtrail:eu-central-1:000000000000:trail/smas",
    "SMAS_TRAIL_BUCKET": "smas-trail",
}


@pytest.fixture(scope="module")
def api() -> Iterator[LambdaFunction]:
    """The API's function, without an AWS."""
    with LambdaFunction(API, SETTINGS) as function:
        yield function


def test_a_cold_function_answers_its_first_event(api: LambdaFunction) -> None:
    """With the response object that API Gateway expects, under the invocation's id."""
    outcome = api.invoke(load(EVENTS / "healthz_event.json", str), request_id="first-1")
    assert outcome.error_type is None
    assert outcome.payload["statusCode"] == 200
    assert outcome.payload["headers"]["x-request-id"] == "first-1"


def test_every_line_of_the_log_is_json_and_names_its_invocation(api: LambdaFunction) -> None:
    """Also that of a request nobody has a token for."""
    api.invoke(load(EVENTS / "unauthenticated_event.json", str), request_id="second-2")
    lines = [line for line in api.log_lines() if line.get("lambda_request_id") == "second-2"]
    assert {line["logger"] for line in lines} == {"service.request", "service.audit"}
    refusal = next(line for line in lines if line["logger"] == "service.audit")
    assert refusal["source_ip"] == "203.0.113.7"
    assert refusal["request_id"] == "second-2"
    assert refusal["gateway_request_id"] == "UNAUTHENTICATEDxExampleQ="


def test_an_event_of_another_kind_is_an_error_and_the_next_is_answered(api: LambdaFunction) -> None:
    """One wrong trigger takes no function down; its error is one line of JSON."""
    outcome = api.invoke(load(EVENTS / "sqs_event.json", str))
    assert outcome.error_type is not None
    assert outcome.payload["errorType"] == "UnknownEvent"
    assert api.invoke(load(EVENTS / "healthz_event.json", str)).payload["statusCode"] == 200
    assert any(line.get("errorType") == "UnknownEvent" for line in api.log_lines())


def test_whatever_is_printed_is_json_and_holds_no_secret() -> None:
    """By a library, and by the runtime client, whose line of a failed invocation keeps its own form."""
    with LambdaFunction("tests.image.handlers.talks", {**SETTINGS, "SMAS_PROVIDER_GROUPS": "{}"}) as function:
        assert function.invoke("Bearer opaque-0123456789\nof two lines").error_type is not None
        assert "opaque" not in function.log()
        lines = function.log_lines()
    said = {(line["logger"], line["message"]) for line in lines if "logger" in line}
    assert said == {
        ("stdout", "Bearer [removed]"),
        ("stdout", "of two lines"),
        ("stderr", "in pieces, Bearer [removed]"),
        ("stderr", "of two lines"),
    }
    (failed,) = [line for line in lines if "errorType" in line]
    assert (failed["errorType"], failed["errorMessage"]) == ("ValueError", "Bearer [removed]\nof two lines")


def test_an_unreachable_key_set_is_an_answer(api: LambdaFunction) -> None:
    """Well before API Gateway gives up, and no failure of the function."""
    token = "eyJhbGciOiJSUzI1NiIsImtpZCI6IngifQ.eyJpc3MiOiJ4In0.c2lnbmF0dXJl"
    event = http_event("GET", "/v1/whoami", authorization=f"Bearer {token}")
    assert api.invoke(event).payload["statusCode"] == 503
    assert token not in api.log()


@pytest.mark.parametrize("handler", [API, VERIFIER])
def test_a_missing_setting_is_an_initialisation_error_that_names_it(handler: str) -> None:
    """Reported to Lambda as such; then the process ends."""
    settings = {name: value for name, value in SETTINGS.items() if name != "SMAS_BUCKET"}
    with LambdaFunction(handler, settings) as function:
        with pytest.raises(FunctionFailed, match=r"^SMAS_BUCKET is missing$") as failure:
            function.wait_until_initialised()
        assert failure.value.payload["errorType"] == "SettingsError"
        assert function.process.wait(timeout=60) == 1
        assert all(function.log_lines())


def test_the_groups_of_a_token_are_decided_by_a_function_of_its_own() -> None:
    """Which has no setting but its mapping, says who got what, and refuses what it does not understand."""
    settings = {
        "PATH": os.environ["PATH"],
        "SMAS_PROVIDER_GROUPS": '{"Bank": {"ML-Fraud": ["data-scientist@fraud"]}}',
    }
    with LambdaFunction(TOKEN_GROUPS, settings) as function:
        outcome = function.invoke(
            load(EVENTS / "token_groups_event.json", str), seconds=5, request_id="groups-1"
        )
        assert outcome.error_type is None
        details = outcome.payload["response"]["claimsAndScopeOverrideDetails"]
        assert details["groupOverrideDetails"]["groupsToOverride"] == ["data-scientist@fraud"]
        (line,) = [each for each in function.log_lines() if each.get("lambda_request_id") == "groups-1"]
        assert (line["username"], line["groups"]) == ("Bank_alice@example.com", ["data-scientist@fraud"])
        refused = function.invoke(load(EVENTS / "healthz_event.json", str), seconds=5)
        assert refused.payload["errorType"] == "UnknownEvent"


def test_the_groups_of_a_token_are_never_decided_without_a_mapping() -> None:
    """A missing one is no empty one: the function does not start, and nobody gets a token."""
    with (
        LambdaFunction(TOKEN_GROUPS, {"PATH": os.environ["PATH"]}) as function,
        pytest.raises(FunctionFailed, match=r"^SMAS_PROVIDER_GROUPS is missing$"),
    ):
        function.wait_until_initialised()


def test_there_are_no_other_functions() -> None:
    """Another name is an initialisation error, too."""
    with (
        LambdaFunction("service.lambda_handler.worker", SETTINGS) as function,
        pytest.raises(FunctionFailed, match="worker"),
    ):
        function.wait_until_initialised()


def test_the_verifier_near_its_deadline_hands_the_batch_back() -> None:
    """It answers in time, so Lambda does not end it, and no message waits for the queue's time-out."""
    event = load(EVENTS / "sqs_event.json", str)
    with LambdaFunction(VERIFIER, SETTINGS) as function:
        outcome = function.invoke(event, seconds=5)
        assert outcome.error_type is None
        assert outcome.payload == {
            "batchItemFailures": [{"itemIdentifier": record["messageId"]} for record in event["Records"]]
        }
        ids = {line.get("message_id") for line in function.log_lines()}
        assert ids >= {record["messageId"] for record in event["Records"]}


def test_the_verifier_without_aws_fails_the_messages_and_not_the_invocation() -> None:
    """What it cannot settle comes again; what needs nothing is done."""
    event = load(EVENTS / "sqs_partial_failure_event.json", str)
    with LambdaFunction(VERIFIER, SETTINGS) as function:
        outcome = function.invoke(event, seconds=60)
        first, second, _ = (record["messageId"] for record in event["Records"])
        assert outcome.payload == {
            "batchItemFailures": [{"itemIdentifier": first}, {"itemIdentifier": second}]
        }


def test_the_runtime_api_tells_a_function_what_lambdas_tells() -> None:
    """Request id, deadline, ARN and trace id."""
    with LambdaFunction("tests.image.handlers.told", SETTINGS) as function:
        told = function.invoke({"a": "ü"}, seconds=7, request_id="id-1", trace_id="Root=1").payload
        assert 0 < told.pop("remaining_ms") <= 7_000
        assert told == {"event": {"a": "ü"}, "request_id": "id-1", "arn": FUNCTION_ARN, "trace_id": "Root=1"}


def test_the_runtime_api_ends_a_function_at_its_deadline() -> None:
    """As Lambda does, without a signal it could wait for."""
    with LambdaFunction("tests.image.handlers.sleeps", SETTINGS) as function:
        function.wait_until_initialised()
        with pytest.raises(FunctionFailed, match=r"timed out after 0\.20 seconds"):
            function.invoke({}, seconds=0.2)
        assert function.process.returncode == -9


def test_the_runtime_api_takes_six_megabytes_and_no_more() -> None:
    """As Lambda, which gives the caller an error of its own instead."""
    with LambdaFunction("tests.image.handlers.answers_at_length", SETTINGS) as function:
        assert len(function.invoke(MOST_BYTES).payload) == MOST_BYTES - 2
        outcome = function.invoke(MOST_BYTES + 1)
        assert outcome.error_type == "Function.ResponseSizeTooLarge"


def test_the_runtime_api_sees_a_function_die() -> None:
    """Whatever made it, and before it asked for anything."""
    with (
        LambdaFunction("tests.image.handlers.dies", SETTINGS) as function,
        pytest.raises(FunctionFailed, match="ended with 7"),
    ):
        function.invoke({})
    with (
        LambdaFunction("none", SETTINGS, command=[sys.executable, "-c", "print('oh')"]) as function,
        pytest.raises(FunctionFailed, match="oh"),
    ):
        function.wait_until_initialised()
