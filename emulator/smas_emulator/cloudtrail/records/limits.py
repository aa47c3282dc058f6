"""How large the fields of a record may grow.

As "CloudTrail record contents" has it: short texts are cut off at 1 KB; request parameters and response
elements beyond 100 KB and additional event data beyond 28 KB are left out whole, which the field then says
(https://docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-event-reference-record-contents.html).
Together the fields stay below the 256 KB that an event may have.
"""

from __future__ import annotations

import json
from typing import Any

TEXT_BYTES = 1024
PARAMETERS_BYTES = 100 * 1024
ADDITIONAL_DATA_BYTES = 28 * 1024


def cut(text: str) -> str:
    """The text, or as much of its beginning as has 1 KB in UTF-8."""
    if len(text) * 4 <= TEXT_BYTES:
        return text
    encoded = text.encode("utf-8", "replace")
    return text if len(encoded) <= TEXT_BYTES else encoded[:TEXT_BYTES].decode("utf-8", "ignore")


def whole_or_omitted(name: str, value: dict[str, Any] | None, most: int) -> dict[str, Any] | None:
    """The field `name`, or a note that it was too large: `most` counts bytes of its JSON in UTF-8."""
    if not value:
        return None
    size = len(json.dumps(value))
    if size > most:
        # Escapes make text longer than it is.
        size = len(json.dumps(value, ensure_ascii=False).encode("utf-8", "replace"))
    if size <= most:
        return value
    return {"omitted": True, "originalSize": size, "reason": f"{name} too large"}
