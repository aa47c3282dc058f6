"""What a check of the trail found, in words."""

from __future__ import annotations

import shutil
import sys
import textwrap
from typing import TYPE_CHECKING, Final

import click

from smas.audit import merged
from smas.cli.output import printable
from smas.cli.status import Status
from smas.progress import counted

if TYPE_CHECKING:
    from collections.abc import Iterator

    from smas.audit_results import AuditIntegrity, AuditSessions, UnknownSession
    from smas.cli.context import Run

_WRONG: Final = ("NOT VALID", "NOT CHECKED", "UNKNOWN SESSIONS")


def report(run: Run, since: str | None, until: str | None) -> AuditIntegrity:
    """Check the range, telling how far it is, and print what was found; answers it."""
    status = Status(None if run.output.quiet else sys.stderr)
    status.tell("checking")
    try:
        found = merged(_told(run.store().audit_checks(since, until), status))
    finally:
        status.clear()
    if run.output.as_json:
        run.output.json(found.as_json())
    else:
        terminal = sys.stdout.isatty()
        width = shutil.get_terminal_size().columns if terminal else None
        for line in map(printable, _lines(found)):
            text = _fitted(line, width)
            wrong = terminal and run.output.colour and line.startswith(_WRONG)
            run.output.data(click.style(text, fg="red", bold=True) if wrong else text)
    return found


def _told(parts: Iterator[AuditIntegrity], status: Status) -> Iterator[AuditIntegrity]:
    digests = logs = 0
    for part in parts:
        digests, logs = digests + part.digests, logs + part.logs
        so_far = f"{counted(digests, 'digest')} and {counted(logs, 'log file')}"
        status.tell(f"checked up to {part.checked_until or part.end}: {so_far}")
        yield part


def _lines(found: AuditIntegrity) -> Iterator[str]:
    yield from _files(found)
    yield from _proof(found)
    if found.sessions is not None:
        yield from _sessions(found.sessions)


def _files(found: AuditIntegrity) -> Iterator[str]:
    checked = f"{counted(found.digests, 'digest')} and {counted(found.logs, 'log file')}"
    where = f"from {found.start} to {found.end}"
    if not found.valid:
        problems = counted(len(found.problems) + found.more_problems, "problem")
        yield f"NOT VALID: {problems} in {checked}, {where}"
    elif found.complete:
        yield f"valid: {checked}, {where}"
    else:
        yield f"valid as far as it was checked: {checked}, {where}"
    for problem in found.problems:
        yield f"  {problem.file or problem.kind}"
        yield f"    {problem.message}"
    if found.more_problems:
        yield f"  and {found.more_problems:,} more"
    if not found.complete:
        yield f"NOT CHECKED: what is later than {found.checked_until or found.start}"


def _proof(found: AuditIntegrity) -> Iterator[str]:
    if found.proved_until:
        waiting = (
            "" if found.proved_until >= found.end else "; what came later waits for its digest, one an hour"
        )
        yield f"proved from {found.proved_from or found.start} until {found.proved_until}{waiting}"
    for note in found.notes:
        yield f"note: {note.message}"
        if note.file:
            yield f"  {note.file}"
    if found.more_notes:
        yield f"and {counted(found.more_notes, 'more note')}"


def _fitted(line: str, width: int | None) -> str:
    """The line, going on with its own indent where the terminal ends; names of files stay whole."""
    if width is None or len(line) <= width:
        return line
    indent = " " * (len(line) - len(line.lstrip()))
    return textwrap.fill(
        line.lstrip(),
        width,
        initial_indent=indent,
        subsequent_indent=indent,
        break_long_words=False,
        break_on_hyphens=False,
    )


def _sessions(sessions: AuditSessions) -> Iterator[str]:
    count = len(sessions.unknown) + sessions.more
    if not count:
        yield f"sessions: {counted(sessions.assumed, 'session')} of the store's personas, all announced by it"
        return
    yield f"UNKNOWN SESSIONS: {count:,} of {sessions.assumed:,} were never announced by the store"
    for session in sessions.unknown:
        yield f"  {session.time}  {session.role}, {_claims(session)}"
        yield f"    assumed by {session.assumed_by or 'somebody'} from {session.source_ip or 'somewhere'}"
    if sessions.more:
        yield f"  and {sessions.more:,} more"


def _claims(session: UnknownSession) -> str:
    named = {
        "session": session.session_name,
        "source identity": session.subject,
        "team": session.team,
        "token": session.token_id,
    }
    return ", ".join(f"{name} {value}" for name, value in named.items() if value) or "naming nobody"
