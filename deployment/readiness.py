"""Waits until the deployed store answers that it is ready."""

from __future__ import annotations

import time
from http import HTTPStatus
from typing import TYPE_CHECKING, Final

from deployment import http
from deployment.errors import DeploymentError

if TYPE_CHECKING:
    from collections.abc import Callable

# A function's first start, new permissions on their way through IAM, a new name on its way through DNS.
PATIENCE_SECONDS: Final = 300.0
_POLL_SECONDS: Final = 3.0


def wait_ready(
    address: str,
    advice: str,
    say: Callable[[str], None],
    *,
    seconds: float = PATIENCE_SECONDS,
    poll: float = _POLL_SECONDS,
) -> float:
    """Wait until `<address>/readyz` is 200; how long that took. `advice` is for when it is not."""
    begun = time.monotonic()
    before = ""
    while True:
        words = _probe(address)
        took = time.monotonic() - begun
        if not words:
            return took
        if words != before:
            say(f"not ready after {took:.0f} s: {words}")
            before = words
        if took > seconds:
            message = f"{address}/readyz was not 200 within {seconds:.0f} seconds; it says: {words}. {advice}"
            raise DeploymentError(message)
        time.sleep(poll)


def _probe(address: str) -> str:
    """Why it is not ready; empty when it is."""
    try:
        answer = http.request("GET", f"{address}/readyz")
    except http.Unreachable as error:
        return str(error)
    return "" if answer.status == HTTPStatus.OK else answer.words
