"""Notifications: what S3 says happened, read as what must be looked at."""

from __future__ import annotations

import json

import msgspec
import pytest

from service.domain.names import ModelId
from service.registry import keys
from service.verifier.events import BlobArrived, ProtectedAliasMoved, VersionPublished, event_of, parse

MODEL = ModelId("fraud", "credit-risk")


def notification(*written: tuple[str, str]) -> str:
    """A message as S3 sends it: keys URL-encoded, fields we do not read beside those we do."""
    records = [
        {
            "eventVersion": "2.1",
            "eventName": "ObjectCreated:Put",
            "s3": {
                "bucket": {"name": "smas-models"},
                "object": {"key": key, "size": 3, "versionId": version, "sequencer": "0055"},
            },
        }
        for key, version in written
    ]
    return json.dumps({"Records": records})


def test_each_kind_asks_for_its_own_work() -> None:
    """Blobs, manifests, authors and protected aliases; several in one message, in order."""
    body = notification(
        (keys.blob(MODEL, "a" * 64), "v1"),
        (keys.manifest(MODEL, 7), "v2"),
        (keys.author(MODEL, 7, "sub"), "v3"),
        (keys.alias(MODEL, "production", protected=True), "v4"),
    )
    assert list(parse(body)) == [
        BlobArrived(MODEL, "a" * 64, "v1"),
        VersionPublished(MODEL, 7),
        VersionPublished(MODEL, 7),
        ProtectedAliasMoved(MODEL),
    ]


@pytest.mark.parametrize(
    "key",
    [
        keys.card(MODEL),
        keys.alias(MODEL, "champion", protected=False),
        "blobs/fraud/credit-risk/not-a-digest",
        "blobs/fraud/credit-risk/x/" + "a" * 64,
        "manifests/fraud/credit-risk/junk.json",
        "manifests/fraud/credit-risk/9999999999.json",
        "manifests/fraud/credit-risk/0000000000.json",
        "manifests/FRAUD/credit-risk/9999999998.json",
        "authors/fraud/credit-risk/0/sub.json",
        "blobs",
        "",
    ],
)
def test_other_keys_mean_nothing(key: str) -> None:
    """Kinds nobody watches, and keys the service never wrote."""
    assert event_of(key, "v") is None


def test_keys_come_url_encoded() -> None:
    """S3 writes a space as a plus and other characters in per cent."""
    assert list(parse(notification(("manifests%2Ffraud/credit-risk/9999999998.json", "v")))) == [
        VersionPublished(MODEL, 1)
    ]


def test_the_test_message_of_s3_is_no_event() -> None:
    """S3 sends one when notifications are set up."""
    assert list(parse('{"Service":"Amazon S3","Event":"s3:TestEvent","Bucket":"smas-models"}')) == []


@pytest.mark.parametrize("body", ["", "{", "[]", '{"Records": 1}', '{"Records": [{"s3": {}}]}'])
def test_what_is_no_notification_is_refused(body: str) -> None:
    """Such a message is left to the dead-letter queue."""
    with pytest.raises(msgspec.DecodeError):
        list(parse(body))
