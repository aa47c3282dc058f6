"""Records that want to be misread, and records that lack this or that."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from smas_emulator.gateway.calls import Outcome

from tests.emulator.cloudtrail.records.calls import ACCOUNT
from tests.fakes.audit import STORE
from tests.infra.athena.calls import BYTES, FRAUD, OUTSIDER, on_object, read_as, record

if TYPE_CHECKING:
    from collections.abc import Callable

LONG_TEAM: Final = "t" * 39
LONG_NAME: Final = "m" * 96


def hostile() -> list[dict[str, Any]]:
    """Keys and dispositions that only somebody who wants to be misread would write."""
    keys = [
        f"blobs/{FRAUD}/{BYTES}\n",
        f"blobs/{FRAUD}/{BYTES.upper()}",
        f"\nblobs/{FRAUD}/{BYTES}",
        f"blobs/{FRAUD}",
        f"blobs//{FRAUD}/{BYTES}",
        f"blobs/Fraud/credit-risk/{BYTES}",
        f"blobs/fraud/{LONG_NAME}/{BYTES}",
        f"blobs/fraud/{LONG_NAME}m/{BYTES}",
        f"blobs/fraud/x/../y/{BYTES}",
        "blobs/fraud/x'; DROP TABLE cloudtrail --/y",
        "cards/fraud/x.json.json",
        "cards/fraud/x/y.json",
        f"cards/{FRAUD}",
        "manifests/fraud/x/9999999999.json",
        "manifests/fraud/x/0000000000.json",
        "manifests/fraud/x/9000000000.json",
        "manifests/fraud/x/999999999.json",
        "manifests/fraud/x/y/9999999998.json",
        "authors/fraud/x/0/me.json",
        "authors/fraud/x/1234567890/me.json",
        "authors/fraud/x/7/me/too.json",
        "moves/fraud/x/7/me.json",
        "tombstones/fraud/x/7.json\n",
        "nothing/fraud/x/y",
        "模型/größe",
        "%62lobs/fraud/x/y",
        "cards/fraud/x.jsonl",
        "cards/fraud/x.json\n",
        "manifests/fraud/x/9999999998.jsonl",
        "authors/fraud/x/7/me.jsonl",
        "moves/fraud/x/production/7/me.jsonl",
        "authors/fraud/x/7/.json",
        "moves/fraud/x//7/me.json",
        "moves/fraud/x/production/7/.json",
        f"blobs/{FRAUD}/{BYTES[1:]}",
        f"cards/fraud/{LONG_NAME}.json",
        f"blobs/{LONG_TEAM}/x/y",
        f"blobs/{LONG_TEAM}t/x/y",
        f"cards/{LONG_TEAM}/x.json",
        f"cards/{LONG_TEAM}t/x.json",
        # As long as a key may be, and longer.
        "k" * 1024,
        "k" * 1025,
        "é" * 512,
        "é" * 513,
        f"blobs/{FRAUD}/{'k' * 1024}",
        # What only looks like a key of the store further on.
        "x/cards/fraud/y.json",
        f"x/blobs/fraud/y/{BYTES}",
        f"findings/fraud/x/blobs/a/b/{BYTES}",
        *(
            f"blobs/fraud/x/{inner}"
            for inner in (
                "manifests/a/b/9999999998.json",
                "authors/a/b/7/me.json",
                "moves/a/b/c/7/me.json",
                "tombstones/a/b/7.json",
            )
        ),
    ]
    named = [
        f'; smas="{FRAUD}/7/a"',
        f'attachment; smas="{FRAUD}/7/a"; x=y',
        f'attachment; smas="{FRAUD}/7/a"; smas="{FRAUD}/8/a"',
        f'attachment; smas="a; smas="{FRAUD}/7/a"',
        'attachment; smas="nlp/tagger/7/a"',
        f'attachment; smas="{FRAUD}/0/a"',
        f'attachment; smas="{FRAUD}/1234567890/a"',
        f'attachment; smas="{FRAUD}/7/"',
        f'attachment; smas="{FRAUD}/7"',
        f'attachment; smas="{FRAUD}/7/../../etc/passwd"',
        f'attachment; smas="{FRAUD}/7//a"',
        f'attachment; smas="{FRAUD}/7/a/."',
        f'attachment; smas="{FRAUD}/7/%zz%4%"',
        f'attachment; smas="{FRAUD}/7/%ff%fe"',
        f'attachment; smas="{FRAUD}/7/a%00b%0a"',
        f'attachment; smas="{FRAUD}/7/a+b%2Bc"',
        f'attachment; smas="{FRAUD}/7/A%CC%8A"',
        f'attachment; smas="{FRAUD}/7/a%5Cb"',
        f'attachment; smas="{FRAUD}/7/{"a" * 512}"',
        f'attachment; smas="{FRAUD}/7/{"a" * 513}"',
        f'attachment; smas="{FRAUD}/7/{"%C3%A9" * 257}"',
        f"attachment%3B%20smas%3D%22{FRAUD}/7/a%2520b%22",
        f"attachment%3B%20smas%3D%22{FRAUD}/7/a%zz%22",
        "attachment; smas=",
        "",
    ]
    return [
        *(on_object("GetObject", key, who=OUTSIDER) for key in keys),
        *(read_as(disposition, who=OUTSIDER) for disposition in named),
        on_object("GetObject", f"blobs/{FRAUD}/{BYTES}", bucket="somebody-elses"),
        *_named_where_nothing_is_downloaded(),
        on_object(
            "CopyObject",
            "loot.bin",
            bucket="somebody-elses",
            headers={"x-amz-copy-source": f"/{STORE.bucket}/blobs/fraud/credit%2Drisk/{BYTES}?versionId=x"},
            who=OUTSIDER,
        ),
        *(
            on_object("CopyObject", key, headers={"x-amz-copy-source": f"{STORE.bucket}/cards/{FRAUD}.json"})
            for key in ("a/b", "x/blobs/fraud/y/z", "x/cards/fraud/y.json", "cards/fraud/y.json\n")
        ),
        *(
            on_object("CopyObject", "loot", bucket="somebody-elses", headers={"x-amz-copy-source": source})
            for source in (f"{STORE.bucket}-not/blobs/{FRAUD}/{BYTES}", f"{STORE.bucket}/uploads/{FRAUD}/%zz")
        ),
        on_object(
            "CopyObject",
            f"cards/{FRAUD}.json",
            headers={"x-amz-copy-source": f"{STORE.bucket}/cards/a/b.json"},
        ),
    ]


def _named_where_nothing_is_downloaded() -> list[dict[str, Any]]:
    named = {"response-content-disposition": f'attachment; smas="{FRAUD}/7/a"'}
    copied = {"x-amz-copy-source": f"{STORE.bucket}/blobs/{FRAUD}/{BYTES}"}
    return [
        on_object("GetObject", f"cards/{FRAUD}.json", query=named),
        on_object("CopyObject", "blobs/nowhere", query=named, headers=copied),
        record(
            "s3",
            "ListObjectsV2",
            {"Bucket": STORE.bucket, "Prefix": f"blobs/{FRAUD}/"},
            query={"prefix": f"blobs/{FRAUD}/"} | named,
        ),
    ]


def odd() -> list[dict[str, Any]]:
    """Records without this or that, as services write them now and then, or as nobody should."""
    ended = Outcome(200, bytes_in=3, bytes_out=77)
    dropped: list[Callable[[dict[str, Any]], object]] = [
        lambda each: each.pop("userIdentity"),
        lambda each: each.pop("additionalEventData"),
        lambda each: each.pop("readOnly"),
        lambda each: each.update(readOnly=None, eventName="BatchGetSomething"),
        lambda each: each["userIdentity"].pop("arn"),
        lambda each: each["userIdentity"].pop("sessionContext"),
        lambda each: each["userIdentity"]["sessionContext"].pop("sessionIssuer"),
        lambda each: each["userIdentity"].update(type=None, invokedBy="config.amazonaws.com"),
        lambda each: each["userIdentity"].update(type="WebIdentityUser"),
        lambda each: each["userIdentity"]["sessionContext"]["sessionIssuer"].update(
            arn=f"arn:aws:iam::{ACCOUNT}:role/admin", userName="admin"
        ),
        lambda each: each.update(requestParameters={"omitted": True, "reason": "too large"}),
        lambda each: each.update(requestParameters=None),
        lambda each: each.update(errorCode=""),
        lambda each: each.update(errorCode="AccessDeniedForReasons"),
        lambda each: each.update(eventSource="s3"),
        lambda each: each["additionalEventData"].update(bytesTransferredOut=12.0),
        lambda each: each["additionalEventData"].update(bytesTransferredOut=-1),
        lambda each: each["requestParameters"].update(key={"not": "a text"}),
        lambda each: each["requestParameters"].update(key=["blobs/", "more"]),
        lambda each: each.pop("eventID"),
        lambda each: each.pop("eventName"),
        lambda each: each.pop("eventSource"),
        lambda each: each.pop("eventTime"),
        lambda each: each.update(eventTime="yesterday"),
    ]
    changed = []
    for at, change in enumerate(dropped):
        each = on_object("GetObject", f"blobs/{FRAUD}/{BYTES}", outcome=ended) | {"requestID": f"ODD{at}"}
        change(each)
        changed.append(each)
    return changed
