"""Every client that the service makes can be made, without asking anybody."""

from __future__ import annotations

import inspect
from typing import TYPE_CHECKING, Any

import pytest
from botocore.credentials import Credentials

from service.aws import clients
from service.settings import StorageSettings

if TYPE_CHECKING:
    from collections.abc import Callable

SETTINGS = StorageSettings(
    bucket="smas-models",
    region="eu-central-1",
    role_prefix="arn:aws:iam::000000000000:role/smas-",
    metadata_key_arn="arn:aws:kms:eu-central-1:000000000000:key/none",
)
MAKERS = {
    name: made
    for name, made in inspect.getmembers(clients, inspect.isfunction)
    if name.endswith("_client") and name != "_client"
}


@pytest.mark.parametrize("make", MAKERS.values(), ids=list(MAKERS))
def test_each_service_is_known_to_the_loader(
    make: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Which names those it looks for; at AWS's own address of the region."""
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "a")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "b")
    credentials = (Credentials("a", "b"),) if "credentials" in inspect.signature(make).parameters else ()
    client = make(SETTINGS, *credentials)
    assert "eu-central-1" in client.meta.endpoint_url
    assert client.meta.region_name == "eu-central-1"


def test_there_are_clients_to_test() -> None:
    """Found by their names."""
    assert {"s3_client", "sts_client", "sqs_client", "cloudtrail_client", "logs_client"} <= set(MAKERS)


def test_an_endpoint_given_is_the_one_asked() -> None:
    """The local AWS, or the address that clients reach."""
    client = clients.s3_client(SETTINGS, Credentials("a", "b"), "http://localhost:1")
    assert client.meta.endpoint_url == "http://localhost:1"
