"""What can be wrong with what is asked of CloudWatch Logs."""

from __future__ import annotations


class InvalidPatternError(Exception):
    """A filter pattern that AWS refuses, or that is not supported here; the message says why."""
