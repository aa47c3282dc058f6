"""How large a record may get: the maxima of "CloudTrail record contents".

https://docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-event-reference-record-contents.html
"""

from __future__ import annotations

import json

from hypothesis import given
from hypothesis import strategies as st
from smas_emulator.cloudtrail.records import build_record
from smas_emulator.cloudtrail.records.limits import PARAMETERS_BYTES, cut, whole_or_omitted
from smas_emulator.gateway.calls import Outcome

from tests.emulator.cloudtrail.records.calls import SUCCESS, call

KILOBYTE = 1024


@given(st.text(max_size=3000))
def test_texts_are_cut_at_a_kilobyte(text: str) -> None:
    """What is left is the text's beginning, whole characters, and all of it where it fits."""
    left = cut(text)

    assert text.startswith(left)
    assert len(left.encode("utf-8", "replace")) <= KILOBYTE
    assert left == text or len(text.encode("utf-8", "replace")) > KILOBYTE


def test_large_parameters_are_left_out() -> None:
    """Beyond 100 KB the field says that it was omitted; the rest of the record is there."""
    policy = "x" * (100 * KILOBYTE)

    record = build_record(call("iam", "CreatePolicy", {"PolicyDocument": policy}), SUCCESS)

    omitted = record["requestParameters"]
    assert omitted.pop("originalSize") > 100 * KILOBYTE
    assert omitted == {"omitted": True, "reason": "requestParameters too large"}
    assert record["eventName"] == "CreatePolicy"


def test_bytes_count_not_escapes() -> None:
    """50,000 letters with accents are less than 100 KB in UTF-8, though not when they are escaped."""
    value = {"name": "é" * 50_000}

    assert len(json.dumps(value)) > PARAMETERS_BYTES
    assert whole_or_omitted("requestParameters", value, PARAMETERS_BYTES) is value


def test_the_whole_stays_below_256_kilobytes() -> None:
    """However much a caller sends and a service answers."""
    much = "x" * 90 * KILOBYTE
    made = call(
        "iam",
        "CreatePolicy",
        {"PolicyDocument": much, "Description": much},
        headers={"user-agent": much},
    )
    outcomes = [
        Outcome(200, {"Policy": {"Description": much, "PolicyName": "p"}}),
        Outcome(400, {}, much, much),
    ]

    sizes = [len(json.dumps(build_record(made, outcome))) for outcome in outcomes]

    assert max(sizes) < 256 * KILOBYTE
    assert sizes[1] < 8 * KILOBYTE
