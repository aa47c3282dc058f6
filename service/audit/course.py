"""The course of a page through a trail's files: in which order, and what is left for the next page."""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING

from service.audit.log_files import LogFile, delivered, named

if TYPE_CHECKING:
    from collections.abc import Iterator

    from service.audit.ports import TrailFiles
    from service.audit.resuming import Resume
    from service.domain.audit import EventFilter


class Course:
    """The files a page reads, newest first: first the stragglers of earlier pages, then on from ``rest``.

    After ``stop`` or ``finish`` the attributes say what this page has not read: ``stragglers``, ``rest``
    (where to read on; None at the end) and ``unread`` (the newest that no page has read; None at the end).
    """

    def __init__(self, files: TrailFiles, wanted: EventFilter, resume: Resume | None) -> None:
        self._files = files
        self._wanted = wanted
        self._begun = resume is not None
        names = resume.stragglers if resume else ()
        self.stragglers = deque(file for name in names if (file := self._named(name)))
        self.rest = self._named(resume.rest) if resume else None
        self.unread = self._named(resume.unread) if resume else None
        # Whether this page has read a file that no earlier one has: only then may it stop for want of time.
        self.advanced = False

    def contents(self) -> Iterator[tuple[LogFile, bytes | None]]:
        """The files and their bytes (None: it is gone), fetched a few ahead of whoever asks."""
        ahead: deque[LogFile] = deque()

        def keys() -> Iterator[str]:
            for file in self._all():
                ahead.append(file)
                yield file.key

        for data in self._files.read_many(keys()):
            yield ahead.popleft(), data

    def _all(self) -> Iterator[LogFile]:
        yield from tuple(self.stragglers)
        if not self._begun or self.rest is not None:
            yield from delivered(self._files, self._wanted.start, self._wanted.end, upto=self.rest)

    def read(self, file: LogFile) -> None:
        """This page has read ``file``."""
        if self.stragglers and self.stragglers[0] == file:
            self.stragglers.popleft()
            return
        self.advanced = self.advanced or not self._begun or (self.unread is not None and file <= self.unread)

    def stop(self, file: LogFile) -> None:
        """This page ends before ``file``."""
        if file in self.stragglers:
            return
        self.rest = file
        if not self._begun or (self.unread is not None and file < self.unread):
            self.unread = file

    def finish(self) -> None:
        """This page has read all there is."""
        self.rest = self.unread = None

    def _named(self, name: str | None) -> LogFile | None:
        return named(self._files.identity, name) if name is not None else None
