"""The real way out: where it leads, and where it refuses to."""

from __future__ import annotations

import pytest
from smas.errors import WrongUsage
from smas.transport import Dropped, Urllib3Transport


@pytest.mark.parametrize(
    "host", ["s3.example.com", "localhost.example.com", "10.0.0.1", "127.0.0.1.example.com"]
)
def test_nothing_travels_unencrypted_to_another_machine(host: str) -> None:
    """Not even by a URL that the store handed out; the refusal does not repeat its signature."""
    with pytest.raises(WrongUsage) as refused:
        Urllib3Transport().send("PUT", f"http://{host}/key?X-Amz-Signature=secret", {}, b"bytes")
    assert refused.value.detail == f"http://{host} is not encrypted: nothing is sent there"


@pytest.mark.enable_socket
def test_this_machine_may_be_asked_in_the_clear() -> None:
    """A request to loopback is sent: here nobody listens, which is another error."""
    with pytest.raises(Dropped):
        Urllib3Transport().send("GET", "http://127.0.0.1:1/", {})
