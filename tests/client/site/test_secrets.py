"""No error, log line or representation ever holds a token, a password, or a signed URL."""

from __future__ import annotations

import logging
import traceback
from typing import TYPE_CHECKING

import pytest
from smas.errors import SmasError
from smas.store import Store
from smas.transport import Urllib3Transport

from tests.client.site.answers import Given, gateway_answer, s3_error
from tests.client.site.fixtures import SOON, M, sparse
from tests.client.site.storage import SCHEME

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.client.site.fixtures import Stores
    from tests.client.site.wire import Sent, WsgiTransport


def _answers(status: int, code: str) -> Callable[[Sent], Given]:
    return lambda _: s3_error(status, code)


@pytest.mark.parametrize(
    ("method", "part", "happens"),
    [
        ("GET", "/v1/", lambda _: gateway_answer(503)),
        ("POST", "/v1/", lambda _: gateway_answer(400)),
        (
            "POST",
            "/downloads",
            lambda _: Given(200, {}, b'{"files": [{"url": "memory://get|the-signature"}]}'),
        ),
        ("GET", "memory://get", _answers(403, "AccessDenied")),
        ("GET", "memory://get", _answers(503, "SlowDown")),
        ("GET", "memory://get", _answers(404, "NoSuchVersion")),
        ("PUT", "memory://p", _answers(403, "SignatureDoesNotMatch")),
        ("PUT", "memory://p", _answers(400, "EntityTooLarge")),
        ("PUT", "memory://p", _answers(400, "BadDigest")),
        ("PUT", "memory://p", _answers(500, "InternalError")),
        ("PUT", "memory://p", lambda _: Given(200, {}, b"")),
    ],
)
def test_failures_tell_no_secret(
    stores: Stores,
    wire: WsgiTransport,
    tmp_path: Path,
    caplog: pytest.LogCaptureFixture,
    method: str,
    part: str,
    happens: Callable[[Sent], Given],
) -> None:
    """Neither the error, nor what caused it, nor the log of all requests, nor the answer's own words."""
    caplog.set_level(logging.DEBUG, "smas")
    store = stores.of("ds-fraud")
    source = tmp_path / "out"
    source.mkdir()
    (source / "small").write_bytes(b"small")
    store.push(source, M)
    if part == "memory://p":
        sparse(source / "large")
    wire.instead(method, part, happens, times=1000)
    with pytest.raises(SmasError) as told:
        store.push(source, M, rehash=True) if method == "PUT" else store.pull(M, tmp_path / "in")
    said = "".join(traceback.format_exception(told.value))
    said += repr(vars(told.value)) + caplog.text + repr(store)
    assert "request id" in caplog.text
    for secret in (store.token(), SCHEME, "the-signature", "secret-of-the-gateway"):
        assert secret not in said, secret


@pytest.mark.enable_socket
def test_a_dropped_connection_tells_only_where_it_went() -> None:
    """The real transport names scheme and host, never path, query, or what stands before an @."""
    from tests.local_aws import free_port  # noqa: PLC0415

    nowhere = f"127.0.0.1:{free_port()}"
    store = Store(f"http://{nowhere}", token="secret-token", transport=Urllib3Transport(), retries=SOON)
    with pytest.raises(SmasError) as told:
        store.whoami()
    assert nowhere in told.value.detail
    assert "/v1" not in told.value.detail
    said = "".join(traceback.format_exception(told.value))
    assert "secret-token" not in said
