"""The same questions to both: the service's reader of log files, and Athena's SQL in DuckDB."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final

from service.audit.log_file_trail import LogFileTrail
from service.domain.audit import AuditEvent, EventFilter, Outcome, Source
from tests.fakes.audit import STORE
from tests.infra.athena.engine import Engine
from tests.infra.athena.serde import definition, fill
from tests.infra.athena.templates import VALUES, VIEWS, rendered

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from service.domain.names import ModelId
    from tests.fakes.audit import FakeTrailFiles

START: Final = datetime(2026, 11, 23, tzinfo=UTC)
END: Final = datetime(2026, 11, 27, tzinfo=UTC)
COLUMNS: Final = tuple(name for name in AuditEvent.__struct_fields__ if name != "source")
ALL_EVENTS: Final = f"SELECT * FROM {VALUES['database']}.audit_events ORDER BY time DESC, event_id DESC"  # noqa: S608


def athena_over(files: FakeTrailFiles, scratch: Path) -> Engine:
    """The table of a trail's files and the views on it."""
    engine = Engine(VALUES["database"])
    bodies = {f"s3://{files.identity.bucket}/{key}": body for key, body in files.bodies.items()}
    fill(engine, definition(rendered("cloudtrail_table")), bodies, scratch)
    for view in VIEWS:
        engine.make(rendered(view))
    return engine


def of_service(
    files: FakeTrailFiles,
    *,
    start: datetime = START,
    end: datetime = END,
    model: ModelId | None = None,
    actor: str | None = None,
    outcome: Outcome | None = None,
) -> list[AuditEvent]:
    """What the audit API's reader answers, all of its pages."""
    trail = LogFileTrail(files, STORE)
    wanted = EventFilter(start, end, model=model, actor=actor, outcome=outcome)
    found: list[AuditEvent] = []
    after: str | None = None
    while True:
        page = trail.events(wanted, after=after, limit=50)
        found += page.items
        after = page.next
        if after is None:
            return found


def events_in(rows: Iterable[dict[str, Any]]) -> list[AuditEvent]:
    """Rows of the views as the service has events."""
    return [
        AuditEvent(
            **{name: row[name] for name in COLUMNS}
            | {
                "time": row["time"].replace(tzinfo=UTC),
                "outcome": Outcome(row["outcome"]),
                "source": Source.CLOUDTRAIL,
            }
        )
        for row in rows
    ]


def range_of(start: datetime, end: datetime) -> dict[str, str]:
    """A range as the named queries take it."""
    return {"from": f"{start:%Y-%m-%d %H:%M:%S}", "to": f"{end:%Y-%m-%d %H:%M:%S}"}
