"""What changed from one version to another."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from smas.results import Difference

if TYPE_CHECKING:
    from collections.abc import Mapping

    from smas.results import Version


def difference(before: Version, after: Version) -> Difference:
    """Files by path, metadata by dotted key, each with its value before and after (None: absent)."""
    old = {file.path: file for file in before.files}
    new = {file.path: file for file in after.files}
    old_metadata, new_metadata = dict(_flat(before.metadata)), dict(_flat(after.metadata))
    keys = sorted(set(old_metadata) | set(new_metadata))
    common = [path for path in new if path in old]
    return Difference(
        before=before.reference,
        after=after.reference,
        added=[file for path, file in new.items() if path not in old],
        removed=[file for path, file in old.items() if path not in new],
        changed=[new[path] for path in common if new[path].sha256 != old[path].sha256],
        unchanged=sum(new[path].sha256 == old[path].sha256 for path in common),
        metadata={
            key: [old_metadata.get(key), new_metadata.get(key)]
            for key in keys
            if old_metadata.get(key) != new_metadata.get(key)
        },
    )


def _flat(metadata: Mapping[str, Any], prefix: str = "") -> list[tuple[str, Any]]:
    found: list[tuple[str, Any]] = []
    for key, value in metadata.items():
        if isinstance(value, dict) and value:
            found += _flat(value, f"{prefix}{key}.")
        else:
            found.append((f"{prefix}{key}", value))
    return found
