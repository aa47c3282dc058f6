"""S3 accepts and does not answer: who needs it is refused soon, who does not is served as always."""

from __future__ import annotations

import threading
import time
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import pytest

from service.errors import Unavailable
from service.web.bulkhead import PATIENCE_SECONDS, PERMITS, Bulkhead
from tests.operate.processes import Service

if TYPE_CHECKING:
    from tests.operate.aws import Aws

LIST = "/v1/models"
SOON_SECONDS = 3


def test_a_frozen_storage_holds_up_only_who_needs_it(aws: Aws, token: str) -> None:
    """Beside as many as may wait for S3, twenty more are refused with a time to come back.

    Health, readiness and identity are answered all the while; when S3 is back, so is everything.
    """
    with Service(aws, workers=1) as service, ThreadPoolExecutor(PERMITS + 20) as clients:
        assert service.get("/v1/whoami", token).status == 200
        with aws.without("s3", "is silent"):
            stuck = [clients.submit(service.get, LIST, token) for _ in range(PERMITS)]
            aws.until_waiting(PERMITS)
            others = [clients.submit(service.get, LIST, token) for _ in range(20)]
            for path, status in (("/healthz", 200), ("/v1/whoami", 200), ("/openapi.json", 200)):
                began = time.monotonic()
                assert service.get(path, token).status == status
                assert time.monotonic() - began < SOON_SECONDS
            assert service.get("/readyz").body["failing"].keys() == {"s3"}
            for reply in (other.result() for other in others):
                assert (reply.status, reply.body["code"]) == (503, "storage_unavailable")
                assert int(reply.headers["Retry-After"]) > 0
            assert aws.waiting >= PERMITS
            began = time.monotonic()
            assert service.get(LIST, token).status == 503
            assert time.monotonic() - began < SOON_SECONDS
        assert {reply.result().status for reply in stuck} == {200}
        assert service.get(LIST, token).status == 200


def test_who_may_not_is_told_so_and_waits_for_no_storage(aws: Aws, token: str) -> None:
    """Tokens and roles are checked first: they need no S3."""
    with Service(aws, workers=1) as service, ThreadPoolExecutor(PERMITS) as clients:
        with aws.without("s3", "is silent"):
            stuck = [clients.submit(service.get, LIST, token) for _ in range(PERMITS)]
            aws.until_waiting(PERMITS)
            began = time.monotonic()
            assert service.get(LIST).status == 401
            assert service.get("/v1/audit/events", token).status == 403
            assert time.monotonic() - began < SOON_SECONDS
        assert {reply.result().status for reply in stuck} == {200}


class Clock:
    """A time that is set."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        """Seconds."""
        return self.now


def test_permits_are_handed_out_while_there_are_any() -> None:
    """Also after long rest, and again and again."""
    clock = Clock()
    bulkhead = Bulkhead(permits=2, clock=clock)
    for _ in range(3):
        with bulkhead.permit(), bulkhead.permit():
            clock.now += 100


def test_when_no_permit_has_moved_for_long_more_are_refused_at_once() -> None:
    """Without waiting at all; one that comes back is handed out again."""
    clock = Clock()
    bulkhead = Bulkhead(permits=1, clock=clock)
    with bulkhead.permit():
        clock.now += PATIENCE_SECONDS
        with pytest.raises(Unavailable), bulkhead.permit():
            pass
    with bulkhead.permit():
        pass


def test_who_finds_none_waits_for_one() -> None:
    """As in any moment with many requests: it is handed on when one comes back."""
    bulkhead = Bulkhead(permits=1)
    waiting, served = threading.Event(), threading.Event()

    def serve() -> None:
        waiting.set()
        with bulkhead.permit():
            served.set()

    waiter = threading.Thread(target=serve)
    with bulkhead.permit():
        waiter.start()
        assert waiting.wait(5)
        assert not served.is_set()
    assert served.wait(5)
    waiter.join()


def test_a_wait_ends_when_nothing_moves() -> None:
    """With the refusal that storage does not answer."""
    bulkhead = Bulkhead(permits=1, patience_seconds=0.01)
    with bulkhead.permit(), pytest.raises(Unavailable, match="storage does not answer"), bulkhead.permit():
        pass


def test_a_permit_comes_back_from_whatever_fails() -> None:
    """Errors cost no permit."""
    bulkhead = Bulkhead(permits=1)
    for _ in range(3):
        with pytest.raises(ValueError, match="failed"), bulkhead.permit():
            raise ValueError("failed")
