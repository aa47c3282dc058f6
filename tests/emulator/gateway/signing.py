"""Requests as botocore signs them, and a store of keys to check them with."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any
from unittest.mock import patch
from urllib.parse import urlsplit

import botocore.auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
from smas_emulator.gateway.calls import HttpRequest
from smas_emulator.gateway.credentials import Credential
from smas_emulator.gateway.principals import Root

NOW = datetime(2026, 3, 1, 12, 0, 0, tzinfo=UTC)
KEY_ID, SECRET, TOKEN = "LSIAQAAAAAAVNEXAMPLE", "secret/of+the key", "token+/=of the session"
LONG_LIVED = Credential(KEY_ID, SECRET, Root("000000000000", KEY_ID))
TEMPORARY = Credential(
    KEY_ID, SECRET, Root("000000000000", KEY_ID), session_token=TOKEN, expires=NOW + timedelta(hours=1)
)


@dataclass(frozen=True)
class Keys:
    """A store with one key."""

    credential: Credential = field(default=LONG_LIVED)

    def find(self, access_key_id: str) -> Credential | None:
        """The one key, by its id."""
        return self.credential if access_key_id == self.credential.access_key_id else None


def signed(
    method: str = "GET",
    url: str = "http://localhost:4566/bucket/key",
    *,
    service: str = "s3",
    presigned: int | None = None,
    headers: dict[str, str] | None = None,
    body: bytes = b"",
    credential: Credential = LONG_LIVED,
    at: datetime = NOW,
) -> HttpRequest:
    """A request signed by botocore; `presigned` is the life of a presigned URL in seconds."""
    keys = Credentials(credential.access_key_id, credential.secret, credential.session_token)
    request = AWSRequest(method, url, headers=headers or {}, data=body)
    request.context["payload_signing_enabled"] = True
    signer: Any
    if presigned is None:
        kind = botocore.auth.S3SigV4Auth if service == "s3" else botocore.auth.SigV4Auth
        signer = kind(keys, service, "us-east-1")
    else:
        query = botocore.auth.S3SigV4QueryAuth if service == "s3" else botocore.auth.SigV4QueryAuth
        signer = query(keys, service, "us-east-1", expires=presigned)
    with patch.object(botocore.auth, "get_current_datetime", lambda: at.replace(tzinfo=None)):
        signer.add_auth(request)
    prepared = request.prepare()
    parts = urlsplit(str(prepared.url))
    sent = {name.lower(): _text(value) for name, value in prepared.headers.items()}
    return HttpRequest(
        method=method,
        path=parts.path,
        query_string=parts.query,
        headers={"host": parts.netloc, **sent},
        source_ip="127.0.0.1",
    )


def _text(value: str | bytes) -> str:
    return value.decode() if isinstance(value, bytes) else value
