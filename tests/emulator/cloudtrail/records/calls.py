"""Calls and outcomes as the gateway hands them over, short to write."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

from smas_emulator.gateway.calls import Call, HttpRequest, Outcome, Signature
from smas_emulator.gateway.principals import RoleSession

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from smas_emulator.gateway.principals import Principal

ACCOUNT = "111122223333"
TIME = datetime(2026, 11, 24, 9, 30, 15, 123456, tzinfo=UTC)
SESSION = RoleSession(
    account=ACCOUNT,
    access_key_id="ASIAEXAMPLE",
    role_name="smas-data-scientist",
    role_id="AROAEXAMPLE",
    name="ds-fraud",
    created=TIME - timedelta(minutes=1),
    expires=TIME + timedelta(minutes=14),
    role_path="/smas/",
    source_identity="ds-fraud",
    tags={"team": "fraud", "seat": "7"},
    transitive_tags=frozenset({"team"}),
)
SIGNED = Signature("AuthHeader", "ASIAEXAMPLE", TIME)
PRESIGNED = Signature("QueryString", "ASIAEXAMPLE", TIME, expires_seconds=300)
SUCCESS = Outcome(200)


def call(
    service: str,
    operation: str,
    parameters: Mapping[str, Any] | None = None,
    *,
    method: str = "POST",
    query: Sequence[tuple[str, str]] = (),
    headers: Mapping[str, str] | None = None,
    principal: Principal = SESSION,
    signature: Signature | None = SIGNED,
    secure: bool = True,
) -> Call:
    """A call by `SESSION` from 192.0.2.10, with the headers that botocore sends."""
    sent = {
        "host": f"{service}.us-east-1.amazonaws.com",
        "user-agent": "Boto3/1.40.30",
        "x-amz-date": "20261124T093015Z",
        "x-amz-content-sha256": "UNSIGNED-PAYLOAD",
    }
    return Call(
        service=service,
        operation=operation,
        parameters=parameters or {},
        principal=principal,
        signature=signature,
        http=HttpRequest(
            method, "/", urlencode(query), {**sent, **(headers or {})}, "192.0.2.10", secure=secure
        ),
        region="us-east-1",
        account=ACCOUNT,
        request_id="K5FH04G883381FE1",
        time=TIME,
    )
