"""How long a deployment waits for the store, and what it says when that was in vain."""

from __future__ import annotations

import pytest

from deployment.errors import DeploymentError
from deployment.readiness import wait_ready
from tests.deployment.site import site

pytestmark = pytest.mark.enable_socket


def test_it_waits_until_the_store_says_that_it_is_ready() -> None:
    """And says on the way, once each, why it is not."""
    answers = [(503, b'{"detail": "no key set yet"}')] * 3 + [(200, b"{}")]
    said: list[str] = []
    with site(lambda *_: answers.pop(0)) as address:
        wait_ready(address, "", said.append, poll=0.01)
    assert answers == []
    assert [line.partition(": ")[2] for line in said] == ["503 no key set yet"]


def test_in_the_end_it_says_where_to_look() -> None:
    """With the last thing that the store said."""
    with (
        site(lambda *_: (500, b'{"message": "Internal Server Error"}')) as address,
        pytest.raises(DeploymentError, match=r"it says: 500 Internal Server Error\. Look at the logs"),
    ):
        wait_ready(address, "Look at the logs.", print, seconds=0.05, poll=0.01)


def test_no_answer_at_all_is_told_too() -> None:
    """A name that is not known yet, say."""
    with pytest.raises(
        DeploymentError, match=r"readyz was not 200 .*no answer from http://127\.0\.0\.1:9/readyz"
    ):
        wait_ready("http://127.0.0.1:9", "", print, seconds=0, poll=0.01)
