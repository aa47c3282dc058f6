"""Bucket policies that let everybody in."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest
from smas_emulator.authorization.authorizer import Authorizer
from smas_emulator.authorization.public_policies import is_public
from smas_emulator.gateway.errors import AwsError

from tests.emulator.authorization.account import ACCOUNT, BUCKET_ARN, ROOT, FakeAccount, call
from tests.infra.rendering import BUCKET, rendered


def policy(**changed: Any) -> str:
    """A policy that allows everybody to read, changed."""
    statement = {
        "Effect": "Allow",
        "Principal": "*",
        "Action": "s3:GetObject",
        "Resource": f"{BUCKET_ARN}/*",
        **changed,
    }
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]})


@pytest.mark.parametrize(
    "changed",
    [
        {},
        {"Principal": {"AWS": "*"}},
        {"Principal": {"AWS": [f"arn:aws:iam::{ACCOUNT}:root", "*"]}},
        {"Condition": {"Bool": {"aws:SecureTransport": "true"}}},
        {"Condition": {"StringLike": {"aws:SourceVpc": "vpc-*"}}},
        {"Condition": {"StringLike": {"aws:PrincipalArn": "${aws:PrincipalArn}"}}},
        {"Condition": {"StringNotEquals": {"aws:SourceVpc": "vpc-1"}}},
        {"Condition": {"StringEqualsIfExists": {"aws:SourceVpc": "vpc-1"}}},
        {"Condition": {"IpAddress": {"aws:SourceIp": "0.0.0.0/0"}}},
        {"Condition": {"IpAddress": {"aws:SourceIp": ["10.0.0.0/8", "::/0"]}}},
        {"Condition": {"NotIpAddress": {"aws:SourceIp": "10.0.0.0/8"}}},
        {"Condition": {"IpAddress": {"aws:SourceIp": "everywhere"}}},
    ],
)
def test_these_let_everybody_in(changed: dict[str, Any]) -> None:
    """A condition narrows only with fixed values of the keys that AWS lists."""
    assert is_public(policy(**changed))


@pytest.mark.parametrize(
    "changed",
    [
        {"Effect": "Deny"},
        {"Principal": {"AWS": f"arn:aws:iam::{ACCOUNT}:root"}},
        {"Principal": {"Service": "cloudtrail.amazonaws.com"}},
        {"Condition": {"StringEquals": {"aws:SourceVpc": "vpc-1"}}},
        {"Condition": {"StringEquals": {"AWS:SourceAccount": [ACCOUNT]}}},
        {"Condition": {"ArnLike": {"aws:SourceArn": "arn:aws:sns:eu-central-1:1:t"}}},
        {"Condition": {"IpAddress": {"aws:SourceIp": ["10.0.0.0/8", "2001:db8::/32"]}}},
    ],
)
def test_these_do_not(changed: dict[str, Any]) -> None:
    """They forbid, name somebody, or narrow to somebody."""
    assert not is_public(policy(**changed))


def test_our_own_policies_are_not_public() -> None:
    """Nor is a text that is no policy."""
    for name in ("bucket", "trail-bucket"):
        assert not is_public(rendered(name).text)
    for text in ("", "[]", "{}", '{"Statement": "x"}'):
        assert not is_public(text)


def test_a_public_policy_is_blocked_whoever_puts_it() -> None:
    """Where the bucket blocks them; others it takes."""
    account = FakeAccount()
    authorizer = Authorizer(account)
    public, own = (call(ROOT, "PutBucketPolicy", Policy=text) for text in (policy(), rendered("bucket").text))
    authorizer.authorize(own)
    with pytest.raises(
        AwsError, match="blocked by the BlockPublicPolicy block public access setting"
    ) as caught:
        authorizer.authorize(public)
    assert (caught.value.code, caught.value.status) == ("AccessDenied", 403)
    account.buckets[BUCKET] = replace(account.buckets[BUCKET], block_public_policy=False)
    authorizer.authorize(public)
