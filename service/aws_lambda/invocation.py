"""What every invocation has: its context, and ids that tie its log lines to AWS's own."""

from __future__ import annotations

import logging
import os
from typing import TYPE_CHECKING, Protocol

from service import metrics

if TYPE_CHECKING:
    from collections.abc import Mapping


class UnknownEvent(Exception):
    """What invoked the function is nothing that it works on."""


class Context(Protocol):
    """What Lambda tells of an invocation (https://docs.aws.amazon.com/lambda/latest/dg/python-context.html)."""

    @property
    def aws_request_id(self) -> str:
        """The invocation's id, in Lambda's own lines of the log as well."""

    def get_remaining_time_in_millis(self) -> int:
        """Milliseconds until Lambda ends this invocation, never below 0."""


class ColdStart:
    """The first invocation of a process that was started for it; ``function`` is which function that is.

    With provisioned concurrency a process starts ahead of any, which the environment tells
    (https://docs.aws.amazon.com/lambda/latest/dg/configuration-envvars.html).
    """

    def __init__(self, function: str) -> None:
        self._function = function
        self._counted = os.environ.get("AWS_LAMBDA_INITIALIZATION_TYPE", "on-demand") != "on-demand"

    def count(self, measurements: metrics.Measurements) -> None:
        """Count it, at the first invocation alone."""
        if not self._counted:
            self._counted = True
            measurements.describe("Function", self._function)
            measurements.add(metrics.COLD_STARTS)


class InvocationIds(logging.Filter):
    """Puts the ids of the invocation under way on every record of the process.

    A Lambda process works on one invocation at a time, so its threads, too, log for that one.
    """

    def __init__(self) -> None:
        super().__init__()
        self._ids: Mapping[str, str] = {}

    def begin(self, ids: Mapping[str, str | None]) -> None:
        """From now on it is these; what is None is left out."""
        self._ids = {name: value for name, value in ids.items() if value}

    def filter(self, record: logging.LogRecord) -> bool:
        """Name them on ``record``, which always passes."""
        record.__dict__.update(self._ids)
        return True
