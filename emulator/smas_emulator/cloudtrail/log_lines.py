"""Events on their way to CloudWatch Logs, in calls of the sizes that it takes.

https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_PutLogEvents.html
"""

from __future__ import annotations

from collections import deque

# What one call takes: in events, in bytes (of UTF-8, and 26 for each event), and from the first to the last.
MOST_LINES, MOST_BYTES, LINE_OVERHEAD = 10_000, 1024 * 1024, 26
LONGEST_SPAN_MILLISECONDS = 24 * 3600 * 1000
# CloudTrail leaves larger events out
# (https://docs.aws.amazon.com/awscloudtrail/latest/userguide/send-cloudtrail-events-to-cloudwatch-logs.html).
LARGEST_LINE_BYTES = 256 * 1024 - LINE_OVERHEAD
# What waits for a log group that takes nothing; beyond it the oldest are given up.
MOST_WAITING_BYTES = 8 * MOST_BYTES


class LogLines:
    """Lines of one trail and region, as `(milliseconds since 1970, JSON in UTF-8)`, oldest first."""

    def __init__(self) -> None:
        self._lines: deque[tuple[int, bytes]] = deque()
        self._bytes = 0

    def __len__(self) -> int:
        return len(self._lines)

    @property
    def enough(self) -> bool:
        """Whether a whole call can be made of them."""
        return self._bytes >= MOST_BYTES or len(self._lines) >= MOST_LINES

    def add(self, milliseconds: int, text: bytes) -> int:
        """Add a line; how many lines are given up: this one if it is too large, or the oldest."""
        if len(text) > LARGEST_LINE_BYTES:
            return 1
        self._lines.append((milliseconds, text))
        self._bytes += len(text) + LINE_OVERHEAD
        lost = 0
        while self._bytes > MOST_WAITING_BYTES:
            self._drop(1)
            lost += 1
        return lost

    def call(self) -> list[tuple[int, str]]:
        """What the next call takes, in order of time; it stays until `sent`."""
        size, earliest, latest = 0, self._lines[0][0], self._lines[0][0]
        taken: list[tuple[int, str]] = []
        for milliseconds, text in self._lines:
            size += len(text) + LINE_OVERHEAD
            earliest, latest = min(earliest, milliseconds), max(latest, milliseconds)
            if (
                size > MOST_BYTES
                or len(taken) == MOST_LINES
                or latest - earliest >= LONGEST_SPAN_MILLISECONDS
            ):
                break
            taken.append((milliseconds, text.decode()))
        # A clock that was set back must not spoil the order; of equal times the first stays first.
        return sorted(taken, key=lambda line: line[0])

    def sent(self, count: int) -> None:
        """Forget the oldest: they are where they should be."""
        self._drop(count)

    def _drop(self, count: int) -> None:
        for _ in range(count):
            self._bytes -= len(self._lines.popleft()[1]) + LINE_OVERHEAD
