"""Bodies of the audit."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Literal

import msgspec

from service.domain.times import written
from service.web.wire.base import Given, Sha256, Size, Time

if TYPE_CHECKING:
    from service.audit.events import Events, Seen

Outcome = Literal["success", "denied", "error"]
Source = Literal["cloudtrail", "service"]


class Publication(Given):
    """A place where bytes were published."""

    version: int
    path: str


class Event(Given):
    """One call that AWS recorded or the service refused; what nothing tells of is null.

    version and path are set where the request itself named them; published_as is every place of the model
    where the bytes are published.
    """

    event_id: str
    time: Time
    actor: Annotated[str | None, msgspec.Meta(description="the session's name: a person's user name")]
    subject: Annotated[str | None, msgspec.Meta(description="the source identity")]
    role: Annotated[str | None, msgspec.Meta(description="the persona, or another role's whole name")]
    action: Annotated[str, msgspec.Meta(description="s3:GetObject; smas: and the operation for a refusal")]
    key: Annotated[
        str | None,
        msgspec.Meta(
            description="the key in the store's bucket that the call named, as its caller sent it; of a list "
            "the prefix; null for refusals by the service and calls about nothing in the bucket"
        ),
    ]
    model: Annotated[str | None, msgspec.Meta(description="team/model")]
    version: int | None
    path: str | None
    published_as: list[Publication]
    sha256: Sha256 | None
    bytes: Size | None
    outcome: Outcome
    error_code: str | None
    source_ip: str | None
    user_agent: str | None
    auth_method: Annotated[
        str | None, msgspec.Meta(description="QueryString for presigned URLs, AuthHeader, or bearer")
    ]
    request_id: str | None
    source: Source

    @classmethod
    def of(cls, seen: Seen) -> Event:
        """The event, rendered."""
        event = seen.event
        return cls(
            event_id=event.event_id,
            time=written(event.time),
            actor=event.actor,
            subject=event.subject,
            role=event.role,
            action=event.action,
            key=event.key,
            model=event.model,
            version=event.version,
            path=event.path,
            published_as=[Publication(place.version, place.path) for place in seen.published_as],
            sha256=event.sha256,
            bytes=event.bytes,
            outcome=event.outcome.value,
            error_code=event.error_code,
            source_ip=event.source_ip,
            user_agent=event.user_agent,
            auth_method=event.auth_method,
            request_id=event.request_id,
            source=event.source.value,
        )


class EventPage(Given):
    """A page of events, newest first; next_cursor continues it, null at the end.

    A page may be short, even empty, and yet have a next one. unreadable_files names log files that are gone
    or damaged: what they held is missing from this page, and `/v1/audit/integrity` says what is wrong.
    """

    items: list[Event]
    next_cursor: str | None
    unreadable_files: list[str]

    @classmethod
    def of(cls, page: Events) -> EventPage:
        """The page, rendered."""
        return cls([Event.of(seen) for seen in page.items], page.next, list(page.unreadable))
