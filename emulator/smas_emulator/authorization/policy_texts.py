"""Policies as the account keeps them, compiled once per text."""

from __future__ import annotations

import logging
from functools import lru_cache

from smas_emulator.iam.documents import MalformedPolicy, Policy

_log = logging.getLogger(__name__)
_DENY_ALL = Policy.parse(
    {
        "Version": "2012-10-17",
        "Statement": [{"Sid": "Unreadable", "Effect": "Deny", "Action": "*", "Resource": "*"}],
    }
)
_DENY_ALL_TO_ALL = Policy.parse(
    {
        "Version": "2012-10-17",
        "Statement": [
            {"Sid": "Unreadable", "Effect": "Deny", "Principal": "*", "Action": "*", "Resource": "*"}
        ],
    }
)


@lru_cache(maxsize=1024)
def compiled(text: str) -> Policy:
    """The policy of this text. Raises `MalformedPolicy`."""
    return Policy.parse(text)


@lru_cache(maxsize=1024)
def identity_policies(texts: tuple[str, ...]) -> tuple[Policy, ...]:
    """The policies of a role or a user; one that cannot be read denies everything, and the log says so."""
    return tuple(_readable(text, _DENY_ALL) for text in texts)


def identity_policy(text: str) -> Policy:
    """The same for one, such as a session policy."""
    return _readable(text, _DENY_ALL)


def resource_policy(text: str) -> Policy:
    """The same for the policy of a bucket, a key or a queue, or for a trust policy."""
    return _readable(text, _DENY_ALL_TO_ALL)


def _readable(text: str, otherwise: Policy) -> Policy:
    try:
        return compiled(text)
    except MalformedPolicy as fault:
        _log.error("A policy denies everything because it cannot be read: %s", fault)
        return otherwise
