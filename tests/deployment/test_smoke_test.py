"""What a smoke test waits for, and what it does not; on a whole store it is tried in tests/e2e."""

from __future__ import annotations

import json

import pytest

from deployment.errors import DeploymentError
from deployment.smoke_test import MODEL, Store, run, tiny_model
from tests.deployment.site import site

pytestmark = pytest.mark.enable_socket

IMAGE = f"registry/smas@sha256:{64 * 'a'}"
FORBIDDEN = 403, b'{"detail": "AWS refused this to the caller\'s own session (STS)"}'


def test_permissions_that_are_on_their_way_are_waited_for() -> None:
    """A first deployment would fail for them; what else is refused fails it at once."""
    version = {"version": 1, "state": "available", "message": f"smoke test of sha256:{64 * 'a'}"}
    first = [FORBIDDEN, FORBIDDEN, (503, b""), (200, json.dumps({"items": [version]}).encode())]

    def answer(_method: str, path: str, _body: bytes) -> tuple[int, bytes]:
        if path == f"/v1/models/{MODEL}/versions?limit=1":
            return first.pop(0)
        if path == "/bytes":
            return 200, tiny_model(IMAGE)
        link = {"url": f"{address}/bytes"}
        return 200, json.dumps(link if "/files/" in path else version).encode()

    said: list[str] = []
    with site(answer) as address:
        assert run(Store(address, "token"), IMAGE, said.append, poll=0.01) == 1
    assert first == []
    assert [line.startswith("not yet (") for line in said[:3]] == [True, True, False]


@pytest.mark.parametrize(("answers", "seconds"), [([(401, b"")], 60.0), ([FORBIDDEN, FORBIDDEN], 0.0)])
def test_nobody_waits_for_what_does_not_settle(answers: list[tuple[int, bytes]], seconds: float) -> None:
    """A token that is not good, or a permission that never comes."""
    left = list(answers)
    with (
        site(lambda *_: left.pop(0)) as address,
        pytest.raises(DeploymentError, match="The smoke test failed at GET"),
    ):
        run(Store(address, "token"), IMAGE, lambda _: None, seconds=seconds, poll=0.01)
