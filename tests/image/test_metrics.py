"""Metrics of the functions, through Lambda's own runtime client."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from tests import emf
from tests.image.events import EVENTS, http_event, load
from tests.image.function import LambdaFunction
from tests.image.test_runtime import API, SETTINGS, VERIFIER

if TYPE_CHECKING:
    from collections.abc import Iterable

pytestmark = pytest.mark.runtime_client


def measured(lines: Iterable[dict[str, Any]]) -> list[dict[str, Any]]:
    """The lines that hold metrics, each checked."""
    found = [line for line in lines if "_aws" in line]
    for line in found:
        emf.check(line)
    return found


def test_a_request_is_measured_in_its_line_and_a_cold_start_in_the_first() -> None:
    """A line for each request, and no other line for its metrics."""
    with LambdaFunction(API, SETTINGS) as function:
        for path in ("/healthz", "/v1/whoami", "/nothing"):
            function.invoke(http_event("GET", path))
        lines = function.log_lines()
    first, second, third = measured(lines)
    assert [line["logger"] for line in lines].count("service.metrics") == 0
    assert (first["ColdStarts"], first["Function"], first["Route"]) == (1, "api", "healthz")
    assert (second["Route"], second["ClientErrors"], second["RefusedByService"]) == ("whoami", 1, 1)
    assert third["Route"] == "none"
    assert "ColdStarts" not in second | third
    assert all(line["lambda_request_id"] for line in (first, second, third))


def test_a_process_that_was_started_ahead_had_no_cold_start() -> None:
    """With provisioned concurrency nobody waited for it."""
    settings = {**SETTINGS, "AWS_LAMBDA_INITIALIZATION_TYPE": "provisioned-concurrency"}
    with LambdaFunction(API, settings) as function:
        function.invoke(http_event("GET", "/healthz"))
        (line,) = measured(function.log_lines())
    assert "ColdStarts" not in line


def test_what_the_verifier_cannot_settle_is_counted() -> None:
    """Each event of the batch, and the start; whatever no line took is in one of its own."""
    event = load(EVENTS / "sqs_partial_failure_event.json", str)
    with LambdaFunction(VERIFIER, SETTINGS) as function:
        function.invoke(event, seconds=60)
        lines = measured(function.log_lines())
    assert sum(line.get("EventsUnsettled", 0) for line in lines) == 2
    assert [line["Function"] for line in lines if "ColdStarts" in line] == ["verifier"]
    assert sum(line.get("SessionsAssumed", 0) for line in lines) >= 1
