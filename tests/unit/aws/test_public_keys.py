"""CloudTrail's public keys: all pages, in the reader's session, and its refusals."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, cast

import pytest
from botocore.credentials import ReadOnlyCredentials
from botocore.stub import Stubber

from service.aws.clients import cloudtrail_client
from service.aws.personas import ActingCredentials, PersonaSession
from service.aws.public_keys import CloudTrailPublicKeys
from service.errors import RefusedByAws, Unavailable
from service.settings import StorageSettings

if TYPE_CHECKING:
    from botocore.awsrequest import AWSPreparedRequest
    from mypy_boto3_cloudtrail import CloudTrailClient

START = datetime(2026, 1, 31, 12, tzinfo=UTC)
END = START + timedelta(hours=1)
SETTINGS = StorageSettings("bucket", "eu-central-1", "arn:aws:iam::111122223333:role/smas-", "arn:key")
SESSION = PersonaSession(ReadOnlyCredentials("AKIA", "secret", "token", None), END)


@pytest.fixture
def stubbed() -> Stubber:
    """A CloudTrail client that answers as it is told, and expects what it is told."""
    return Stubber(cloudtrail_client(SETTINGS, ActingCredentials()))


def keys(stubbed: Stubber) -> CloudTrailPublicKeys:
    """The adapter over the stubbed client."""
    return CloudTrailPublicKeys(cast("CloudTrailClient", stubbed.client), SESSION)


def test_all_pages(stubbed: Stubber) -> None:
    """By fingerprint, as CloudTrail gives them out."""
    asked = {"StartTime": START, "EndTime": END}
    one, two = ({"Fingerprint": name, "Value": name.encode()} for name in ("one", "two"))
    stubbed.add_response("list_public_keys", {"PublicKeyList": [one], "NextToken": "more"}, asked)
    stubbed.add_response("list_public_keys", {"PublicKeyList": [two]}, {**asked, "NextToken": "more"})
    with stubbed:
        assert keys(stubbed).between(START, END) == {"one": b"one", "two": b"two"}
    stubbed.assert_no_pending_responses()


@pytest.mark.parametrize(
    ("code", "status", "error"),
    [("AccessDeniedException", 400, RefusedByAws), ("InternalFailure", 500, Unavailable)],
)
def test_what_fails(stubbed: Stubber, code: str, status: int, error: type[Exception]) -> None:
    """Refusals and outages are the store's own errors."""
    stubbed.add_client_error("list_public_keys", code, http_status_code=status)
    with stubbed, pytest.raises(error, match="CloudTrail"):
        keys(stubbed).between(START, END)


def test_the_readers_credentials_sign() -> None:
    """Nobody's else: outside of the session there are none."""
    signed: list[str] = []
    client = cloudtrail_client(SETTINGS, ActingCredentials())

    def answer(request: AWSPreparedRequest, **_: object) -> None:
        signed.append(str(request.headers["Authorization"]))
        raise StopAsking

    client.meta.events.register("before-send.cloudtrail.ListPublicKeys", answer)
    with pytest.raises(StopAsking):
        CloudTrailPublicKeys(client, SESSION).between(START, END)
    assert "Credential=AKIA/" in signed[0]


class StopAsking(Exception):
    """Ends a request before it is sent."""
