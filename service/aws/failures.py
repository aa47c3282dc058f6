"""What AWS's errors mean to the store. Codes no adapter expects propagate and become a 500."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Final

from botocore.exceptions import (
    ClientError,
    CredentialRetrievalError,
    HTTPClientError,
    IncompleteReadError,
    NoCredentialsError,
)
from botocore.exceptions import (
    ConnectionError as BotoConnectionError,
)

from service.errors import RefusedByAws, Throttled, Unavailable

if TYPE_CHECKING:
    from collections.abc import Iterator

_REFUSED: Final = frozenset({"AccessDenied", "AccessDeniedException", "403", "Forbidden"})
_THROTTLED: Final = frozenset(
    {
        "SlowDown",
        "Throttling",
        "ThrottlingException",
        "ThrottledException",
        "RequestLimitExceeded",
        "RequestThrottled",
        "TooManyRequestsException",
        "KMS.ThrottlingException",
    }
)
# The connection broke off while S3 was reading, which it answers with 400.
_BROKEN_OFF: Final = "RequestTimeout"
_SERVER_FAULT: Final = 500
_OUTAGES: Final = (
    BotoConnectionError,
    CredentialRetrievalError,
    HTTPClientError,
    IncompleteReadError,
    NoCredentialsError,
)


def code_of(error: ClientError) -> str:
    """The error's code; a HEAD has no body, so its code is the status (boto3#2442)."""
    return str(error.response.get("Error", {}).get("Code", ""))


@contextmanager
def translated(what: str) -> Iterator[None]:
    """Turn refusals, throttling and outages of AWS into the store's errors; ``what`` names the service."""
    try:
        yield
    except ClientError as error:
        code = code_of(error)
        status = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)
        if code in _REFUSED:
            message = f"AWS refused this to the caller's own session ({what})"
            raise RefusedByAws(message) from error
        if code in _THROTTLED:
            message = f"AWS throttled the request ({what}): try again later"
            raise Throttled(message) from error
        if status >= _SERVER_FAULT or code == _BROKEN_OFF:
            message = f"{what} does not answer properly: try again later"
            raise Unavailable(message) from error
        raise
    except _OUTAGES as error:
        message = f"{what} cannot be reached: try again later"
        raise Unavailable(message) from error
