"""One call to AWS: as it arrived, and as it ended."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Literal
from urllib.parse import parse_qsl

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from smas_emulator.gateway.principals import Principal


@lru_cache(maxsize=256)
def _pairs(query_string: str) -> tuple[tuple[str, str], ...]:
    return tuple(parse_qsl(query_string, keep_blank_values=True))


@dataclass(frozen=True, slots=True)
class HttpRequest:
    """The request as it came over the wire.

    `path` and `query_string` are as sent (percent-encoded, without the `?` between them); header names are in
    lower case, a header that came twice is joined by `,`. `secure` says whether the caller's way to AWS
    counts as TLS.
    """

    method: str
    path: str
    query_string: str
    headers: Mapping[str, str]
    source_ip: str
    secure: bool = True

    @property
    def query(self) -> tuple[tuple[str, str], ...]:
        """The pairs of the query, decoded, in order; a name without `=` has the value ""."""
        return _pairs(self.query_string)

    @property
    def host(self) -> str:
        """The `Host` header, with its port."""
        return self.headers.get("host", "")


@dataclass(frozen=True, slots=True)
class Signature:
    """How a call was signed, once that was found to be right: in a header, or in the query (presigned).

    `version` is `SigV4` or `SigV2`; `expires_seconds` is given for presigned calls.
    """

    kind: Literal["AuthHeader", "QueryString"]
    access_key_id: str
    signed_at: datetime
    version: str = "SigV4"
    expires_seconds: int | None = None


@dataclass(frozen=True, slots=True)
class Call:
    """A call that passed authentication, as the gateway parsed it.

    `service` is botocore's name (`s3`, `cognito-idp`), `operation` the API's (`PutObject`), `parameters` the
    operation's members by botocore's names (`Bucket`, `Key`), without streamed bodies. `time` is aware, UTC.
    """

    service: str
    operation: str
    parameters: Mapping[str, Any]
    principal: Principal
    signature: Signature | None
    http: HttpRequest
    region: str
    account: str
    request_id: str
    time: datetime


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a call ended.

    `response` has the members of the answer by botocore's names, without streamed bodies ({} for none, and
    for an error); `error_code` is None when it succeeded. `bytes_in` and `bytes_out` count bodies.
    """

    status: int
    response: Mapping[str, Any] = field(default_factory=dict)
    error_code: str | None = None
    error_message: str | None = None
    bytes_in: int = 0
    bytes_out: int = 0
    headers: Mapping[str, str] = field(default_factory=dict)
