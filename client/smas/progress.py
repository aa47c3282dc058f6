"""What a transfer tells whoever watches it; the command line shows it, notebooks may ignore it."""

from __future__ import annotations

from typing import Protocol


class Progress(Protocol):
    """Called from several threads."""

    def begin(self, task: str, total: int) -> None:
        """A task of ``total`` bytes begins, in place of the one before."""

    def advance(self, count: int) -> None:
        """``count`` more bytes are done; negative where some have to be sent again."""

    def end(self) -> None:
        """The task is over, done or not."""

    def say(self, line: str) -> None:
        """Something worth a line."""


def counted(count: int, noun: str) -> str:
    """``1 file``, ``2 files``."""
    return f"{count:,} {noun}" if count == 1 else f"{count:,} {noun}s"


class Silent:
    """Nobody watches."""

    def begin(self, task: str, total: int) -> None:
        """See ``Progress.begin``."""

    def advance(self, count: int) -> None:
        """See ``Progress.advance``."""

    def end(self) -> None:
        """See ``Progress.end``."""

    def say(self, line: str) -> None:
        """See ``Progress.say``."""
