"""docs/operations.md, held to the code."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest

from service import gunicorn_config, gunicorn_worker
from service.aws import clients, key_set, readiness
from service.aws.sqs_events import HIDDEN_SECONDS
from service.gunicorn_errors import _REFUSALS
from service.web.bulkhead import PATIENCE_SECONDS, PERMITS
from tests.local_aws import REPOSITORY

if TYPE_CHECKING:
    from collections.abc import Iterable

PAGE = (REPOSITORY / "docs" / "operations.md").read_text(encoding="utf-8")
TEXT = " ".join(PAGE.split())


SETTINGS = (
    "workers",
    "threads",
    "worker_connections",
    "backlog",
    "keepalive",
    "timeout",
    "graceful_timeout",
    "limit_request_line",
    "limit_request_fields",
    "limit_request_field_size",
)


@pytest.mark.parametrize("name", SETTINGS)
def test_each_setting_of_gunicorn_is_documented_as_it_is(name: str) -> None:
    """The row that names it has its value."""
    (row,) = re.findall(rf"^\|[^|]*`{name}`[^|]*\|([^|]*)\|", PAGE, re.MULTILINE)
    assert str(getattr(gunicorn_config, name)) in re.findall(r"[0-9]+", row)


def sentences() -> Iterable[str]:
    """What is said of the numbers that the code has."""
    yield f"{gunicorn_worker.REQUEST_SECONDS:g} s from its first byte"
    yield f"| {gunicorn_worker.SEND_SECONDS} s | then the connection is closed |"
    yield f"{PERMITS} of them may wait for AWS"
    yield f"When none has begun or ended for {PATIENCE_SECONDS:g} s"
    yield f"given up after {clients.SERVING_SECONDS} s and one more try"
    yield f"at most once in {readiness.FRESH.seconds} s"
    yield f"for at most {readiness.PATIENCE_SECONDS:g} s"
    yield f"never older than {readiness.FRESH.seconds + readiness.PATIENCE_SECONDS:g} s"
    yield f"asks for it again after {key_set.FIRST_COOL_DOWN.seconds} s, and not after"
    yield f"not after the {key_set.COOL_DOWN.seconds} s that invented key ids"
    yield f"hidden for {HIDDEN_SECONDS} s"


@pytest.mark.parametrize("sentence", list(sentences()))
def test_each_number_is_documented_as_it_is(sentence: str) -> None:
    """In the very words."""
    assert sentence in TEXT


def test_the_promise_to_idle_connections_is_what_the_worker_keeps() -> None:
    """Two seconds, in words."""
    assert gunicorn_worker.IDLE_SECONDS == 2
    assert "if it is sent within two seconds of the answer before" in TEXT


def test_every_status_of_what_is_no_request_is_documented() -> None:
    """The table has each of them."""
    for refusal in _REFUSALS.values():
        assert re.search(rf"^\|[^|]*\b{refusal.status.value}\b", PAGE, re.MULTILINE)
