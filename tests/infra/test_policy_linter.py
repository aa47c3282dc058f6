"""The policies through parliament, which knows every action, resource and condition key that IAM knows."""

from __future__ import annotations

import json

import parliament  # type: ignore[import-untyped]  # it ships no types
import pytest

from tests.infra.rendering import AWS_NAMES, AWS_TRUSTS, NAMES, TRUSTS, rendered

DELEGATES = (
    "the account's own key: it delegates to IAM, or nobody could mend the policy; `*` there is that key"
)
THAT_KEY = "in a key's policy `*` is that key"
AN_ARN = "S3 compares the key's whole ARN, which has no wildcard here, so as a text it is the same"
EVERYTHING = "it denies every action of S3 to old signatures, those that know of no signature among them"
CONTEXT = "an encryption context is text to IAM; CloudWatch Logs' guide compares the ARN there as an ARN"
# What it finds and what is wanted all the same: policy, issue, what its detail holds, and why.
EXPLAINED = [
    *(
        (name, "RESOURCE_STAR", "kms:ScheduleKeyDeletion", DELEGATES)
        for name in ("kms-bytes", "kms-logs", "kms-metadata", "kms-operations", "kms-signing")
    ),
    ("kms-logs", "RESOURCE_STAR", "kms:GenerateDataKey", THAT_KEY),
    ("kms-logs", "RESOURCE_STAR", "kms:DescribeKey", THAT_KEY),
    ("kms-operations", "RESOURCE_STAR", "kms:GenerateDataKey", THAT_KEY),
    ("kms-logs", "MISMATCHED_TYPE", "ArnEquals requires", CONTEXT),
    ("kms-operations", "MISMATCHED_TYPE", "ArnLike requires", CONTEXT),
    ("bucket", "MISMATCHED_TYPE_BUT_USABLE", "StringNotEquals requires", AN_ARN),
    ("bucket", "MISMATCHED_TYPE_BUT_USABLE", "StringEquals requires", AN_ARN),
    ("bucket", "UNKNOWN_CONDITION_FOR_ACTION", "s3:signatureAge for action", EVERYTHING),
]


def found(name: str, text: str | None = None) -> list[tuple[str, str]]:
    """Issue and detail of everything it finds in a policy; a trust policy's resource is its role."""
    document = json.loads(text or rendered(name).text)
    if name in (*TRUSTS, *AWS_TRUSTS):
        for statement in document["Statement"]:
            statement["Resource"] = "arn:aws:iam::111122223333:role/smas-role"
    findings = parliament.analyze_policy_string(json.dumps(document)).findings
    return [(finding.issue, str(finding.detail)) for finding in findings]


def explains(name: str, issue: str, detail: str) -> list[tuple[str, str, str, str]]:
    """The explanations that fit a finding."""
    return [each for each in EXPLAINED if each[:2] == (name, issue) and each[2] in detail]


@pytest.mark.parametrize("name", [*NAMES, *AWS_NAMES])
def test_a_policy_means_what_it_says(name: str) -> None:
    """Actions exist, take these resources and know these conditions; what differs is explained above."""
    assert [each for each in found(name) if not explains(name, *each)] == []


def test_every_explanation_is_needed() -> None:
    """One that fits no finding would hide the next."""
    needed = [
        explanation
        for name in (*NAMES, *AWS_NAMES)
        for issue, detail in found(name)
        for explanation in explains(name, issue, detail)
    ]
    assert [each for each in EXPLAINED if each not in needed] == []


@pytest.mark.parametrize(
    ("before", "after", "issue"),
    [
        ("s3:GetObjectVersion", "s3:GetObjectVersions", "UNKNOWN_ACTION"),
        ("s3:prefix", "s3:ExistingObjectTag/x", "UNKNOWN_CONDITION_FOR_ACTION"),
        (
            "arn:aws:logs:eu-central-1:111122223333:log-group",
            "arn:aws:s3:::smas-models/",
            "RESOURCE_MISMATCH",
        ),
        ("StringLike", "StringAlike", "UNKNOWN_OPERATOR"),
    ],
)
def test_the_linter_finds_mistakes(before: str, after: str, issue: str) -> None:
    """Each of these makes a policy mean something else than it says."""
    text = rendered("persona-auditor").text
    assert before in text
    assert issue in {each for each, _ in found("persona-auditor", text.replace(before, after))}
