"""What is wrong with a policy."""

from __future__ import annotations


class MalformedPolicy(ValueError):
    """A document that is no policy; the message says where and why."""


class UnknownOperator(ValueError):
    """A condition operator that is not IAM's."""
