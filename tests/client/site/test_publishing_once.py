"""One push makes one version, however many of its answers get lost."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.client.site.answers import gateway_answer
from tests.client.site.fixtures import M

if TYPE_CHECKING:
    from pathlib import Path

    from tests.client.site.fixtures import Stores
    from tests.client.site.wire import WsgiTransport


@pytest.mark.parametrize("lost", [1, 3])
def test_a_lost_answer_to_publishing_makes_no_second_version(
    stores: Stores, wire: WsgiTransport, files: Path, lost: int
) -> None:
    """The same idempotency key travels with every try, so the store answers the version it already made."""
    wire.lose_answers("POST", "/versions", times=lost)
    store = stores.of("ds-fraud")
    assert store.push(files, M).version.version == 1
    assert [version.version for version in store.versions(M)] == [1]
    tries = wire.requests("POST", "/versions")
    assert len(tries) == lost + 1
    assert len({one.headers["Idempotency-Key"] for one in tries}) == 1


def test_another_push_is_another_version(stores: Stores, wire: WsgiTransport, files: Path) -> None:
    """Also of the same folder: nobody gets an older version for a new push."""
    store = stores.of("ds-fraud")
    assert [store.push(files, M).version.version for _ in range(2)] == [1, 2]
    used = {one.headers["Idempotency-Key"] for one in wire.requests("POST", "/versions")}
    assert len(used) == 2


@pytest.mark.parametrize("status", [502, 503, 504, 500, 429, 408])
def test_a_failure_in_passing_is_tried_again(
    stores: Stores, wire: WsgiTransport, files: Path, status: int
) -> None:
    """Statuses that gateways and S3 give in passing end no push, wherever they come."""
    for method, part in (("POST", "/uploads"), ("PUT", "memory://put|"), ("POST", "/versions")):
        wire.instead(method, part, lambda _: gateway_answer(status))
    assert stores.of("ds-fraud").push(files, M, alias="champion").version.version == 1


def test_lost_answers_everywhere_change_nothing(stores: Stores, wire: WsgiTransport, files: Path) -> None:
    """Every first answer of a push may get lost: the version is the same, and it is one."""
    for method in ("POST", "PUT", "GET"):
        for part in ("/uploads", "/versions", "memory://put|", "/aliases/", "/versions/1"):
            wire.lose_answers(method, part)
    store = stores.of("ds-fraud")
    pushed = store.push(files, M, alias="champion")
    assert pushed.version.state == "available"
    assert [version.version for version in store.versions(M)] == [1]
    assert store.alias(M, "champion").version == 1
