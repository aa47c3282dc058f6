"""Query parameters and headers that several routes read."""

from __future__ import annotations

from typing import Final

from service.web.bodies import DEFAULT_LIMIT, MAX_LIMIT
from service.web.operations import Parameter

LIMIT: Final = Parameter(
    "limit",
    "items a page at most",
    schema={"type": "integer", "minimum": 1, "maximum": MAX_LIMIT, "default": DEFAULT_LIMIT},
)
CURSOR: Final = Parameter("cursor", "the next_cursor of the page before")
UPLOAD_ID: Final = Parameter("upload_id", "the upload, as POST …/uploads named it", required=True)
