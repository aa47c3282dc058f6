"""What AWS's errors become: real ones, as botocore parses and raises them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import boto3
import pytest
from botocore.exceptions import (
    ClientError,
    ConnectTimeoutError,
    CredentialRetrievalError,
    EndpointConnectionError,
    IncompleteReadError,
    NoCredentialsError,
    ParamValidationError,
    ReadTimeoutError,
    ResponseStreamingError,
    SSLError,
)
from botocore.stub import Stubber

from service.aws.failures import code_of, translated
from service.errors import Forbidden, RefusedByAws, StoreError, Throttled, Unavailable

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client


@pytest.fixture(scope="module")
def s3() -> S3Client:
    """A client that reaches nobody."""
    return boto3.client("s3", region_name="us-east-1", aws_access_key_id="a", aws_secret_access_key="b")


def fail(s3: S3Client, code: str, status: int) -> None:
    """One call, refused by S3 in this way."""
    with Stubber(s3) as stub:
        stub.add_client_error("get_object", service_error_code=code, http_status_code=status)
        s3.get_object(Bucket="b", Key="k")


@pytest.mark.parametrize(
    ("code", "status", "meaning"),
    [
        ("AccessDenied", 403, RefusedByAws),
        ("AccessDeniedException", 400, RefusedByAws),
        ("403", 403, RefusedByAws),
        ("SlowDown", 503, Throttled),
        ("Throttling", 400, Throttled),
        ("ThrottlingException", 400, Throttled),
        ("KMS.ThrottlingException", 400, Throttled),
        ("RequestThrottled", 403, Throttled),
        ("TooManyRequestsException", 429, Throttled),
        ("InternalError", 500, Unavailable),
        ("ServiceUnavailable", 503, Unavailable),
        ("503", 503, Unavailable),
        ("RequestTimeout", 400, Unavailable),
    ],
)
def test_an_error_of_aws_becomes_one_of_ours(
    s3: S3Client, code: str, status: int, meaning: type[StoreError]
) -> None:
    """Refused, throttled or out of order; the sentence names the service and nothing of the answer."""
    with pytest.raises(StoreError) as failure, translated("S3"):
        fail(s3, code, status)
    assert type(failure.value) is meaning
    assert "S3" in failure.value.detail
    assert code not in failure.value.detail
    assert isinstance(failure.value.__cause__, ClientError)


@pytest.mark.parametrize(
    ("code", "status"),
    [
        *(("NoSuchKey", 404), ("404", 404), ("PreconditionFailed", 412), ("InvalidPart", 400)),
        *(("ExpiredToken", 400), ("SignatureDoesNotMatch", 403), ("NoSuchBucket", 404), ("Unheard", 418)),
    ],
)
def test_a_code_nobody_expects_is_not_explained_away(s3: S3Client, code: str, status: int) -> None:
    """It reaches whoever knows it, or becomes a 500 that is looked into."""
    with pytest.raises(ClientError) as failure, translated("S3"):
        fail(s3, code, status)
    assert code_of(failure.value) == code


@pytest.mark.parametrize(
    "outage",
    [
        EndpointConnectionError(endpoint_url="https://s3"),
        ConnectTimeoutError(endpoint_url="https://s3"),
        ReadTimeoutError(endpoint_url="https://s3"),
        SSLError(endpoint_url="https://s3", error=ValueError("certificate")),
        ResponseStreamingError(error="broken off"),
        IncompleteReadError(actual_bytes=1, expected_bytes=2),
        NoCredentialsError(),
        CredentialRetrievalError(provider="container", error_msg="secret detail"),
    ],
    ids=lambda outage: type(outage).__name__,
)
def test_an_outage_on_the_way_is_unavailable(outage: Exception) -> None:
    """No connection, a broken one, or no credentials of our own: try again later; details stay inside."""
    with pytest.raises(Unavailable) as failure, translated("STS"):
        raise outage
    assert failure.value.detail == "STS cannot be reached: try again later"


def test_our_own_mistakes_are_not_outages() -> None:
    """A call that botocore itself refuses is a bug, and stays one."""
    with pytest.raises(ParamValidationError), translated("S3"):
        raise ParamValidationError(report="Key missing")


def test_what_is_said_already_is_not_said_anew() -> None:
    """An error of ours passes through unchanged."""
    error = Forbidden("so it is")
    with pytest.raises(Forbidden) as failure, translated("S3"):
        raise error
    assert failure.value is error
