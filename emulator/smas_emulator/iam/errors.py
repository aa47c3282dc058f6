"""What is wrong with a policy, or with what a request says."""

from __future__ import annotations


class MalformedPolicy(ValueError):
    """A document that is no policy; the message says where and why."""


class UnknownOperator(ValueError):
    """A condition operator that is not IAM's."""


class Incomparable(ValueError):
    """A value in a request that is none of the kind an operator compares, such as a number without digits."""
