"""The shape of every JSON document that `smas --json` prints: what scripts rely on.

A field may be added here; one that is renamed, removed or of another type breaks somebody's script.
"""

from __future__ import annotations

from typing import Any

TEXT, NUMBER, YES_OR_NO = "text", "number", "yes or no"


class Maybe:
    """Null, or what it says."""

    def __init__(self, shape: Any) -> None:
        self.shape = shape


class AnyJson:
    """Whatever the publisher wrote."""


class Keys:
    """An object with keys that somebody else chose."""

    def __init__(self, shape: Any) -> None:
        self.shape = shape


ROLE = {"role": TEXT, "team": Maybe(TEXT)}
WHO = {
    "subject": TEXT,
    "username": Maybe(TEXT),
    "client_id": TEXT,
    "roles": [ROLE],
    "permissions": [TEXT],
    "expires_at": TEXT,
}
MODEL = {
    "id": TEXT,
    "team": TEXT,
    "name": TEXT,
    "description": TEXT,
    "tags": Keys(TEXT),
    "latest_version": Maybe(NUMBER),
    "created_at": TEXT,
    "created_by": TEXT,
    "updated_at": TEXT,
}
FILE = {"path": TEXT, "sha256": TEXT, "size": NUMBER, "s3_version_id": TEXT}
OF_A_VERSION = {
    "model": TEXT,
    "version": NUMBER,
    "revision": TEXT,
    "state": TEXT,
    "reason": Maybe(TEXT),
    "created_at": TEXT,
    "created_by": TEXT,
    "message": TEXT,
    "total_size": NUMBER,
}
SUMMARY = {**OF_A_VERSION, "file_count": NUMBER}
VERSION = {**OF_A_VERSION, "metadata": Keys(AnyJson()), "files": [FILE]}
ALIAS = {"alias": TEXT, "version": NUMBER, "protected": YES_OR_NO, "updated_at": TEXT, "updated_by": TEXT}
MOVE = {"version": Maybe(NUMBER), "updated_at": TEXT, "updated_by": TEXT}
UPLOAD = {
    "sha256": TEXT,
    "size": NUMBER,
    "upload_id": TEXT,
    "part_size": NUMBER,
    "part_count": NUMBER,
    "created_at": TEXT,
    "created_by": TEXT,
}
EVENT = {
    "event_id": TEXT,
    "time": TEXT,
    "actor": Maybe(TEXT),
    "subject": Maybe(TEXT),
    "role": Maybe(TEXT),
    "action": TEXT,
    "key": Maybe(TEXT),
    "model": Maybe(TEXT),
    "version": Maybe(NUMBER),
    "path": Maybe(TEXT),
    "published_as": [{"version": NUMBER, "path": TEXT}],
    "sha256": Maybe(TEXT),
    "bytes": Maybe(NUMBER),
    "outcome": TEXT,
    "error_code": Maybe(TEXT),
    "source_ip": Maybe(TEXT),
    "user_agent": Maybe(TEXT),
    "auth_method": Maybe(TEXT),
    "request_id": Maybe(TEXT),
    "source": TEXT,
}
FINDING = {"kind": TEXT, "file": Maybe(TEXT), "message": TEXT}
UNKNOWN_SESSION = {
    "time": TEXT,
    "role": TEXT,
    "event_id": Maybe(TEXT),
    "token_id": Maybe(TEXT),
    "subject": Maybe(TEXT),
    "team": Maybe(TEXT),
    "session_name": Maybe(TEXT),
    "assumed_by": Maybe(TEXT),
    "source_ip": Maybe(TEXT),
}
INTEGRITY = {
    "valid": YES_OR_NO,
    "digests": NUMBER,
    "logs": NUMBER,
    "from": TEXT,
    "to": TEXT,
    "problems": [FINDING],
    "notes": [FINDING],
    "more_problems": NUMBER,
    "more_notes": NUMBER,
    "complete": YES_OR_NO,
    "checked_until": Maybe(TEXT),
    "proved_from": Maybe(TEXT),
    "proved_until": Maybe(TEXT),
    "sessions": Maybe({"assumed": NUMBER, "unknown": [UNKNOWN_SESSION], "more": NUMBER}),
}

SHAPES: dict[str, Any] = {
    "login": {"store": TEXT, **WHO},
    "logout": {"store": TEXT, "signed_out": YES_OR_NO},
    "whoami": WHO,
    "token": {"access_token": TEXT},
    "push": {
        "version": VERSION,
        "alias": Maybe(ALIAS),
        "sent_files": NUMBER,
        "sent_bytes": NUMBER,
        "left_out": [TEXT],
    },
    "pull": {
        "version": VERSION,
        "folder": TEXT,
        "fetched_files": NUMBER,
        "fetched_bytes": NUMBER,
        "cached_files": NUMBER,
        "unchanged_files": NUMBER,
        "removed": [TEXT],
    },
    "ls models": [MODEL],
    "ls versions": [SUMMARY],
    "ls files": [FILE],
    "show model": {**MODEL, "aliases": [ALIAS]},
    "show version": VERSION,
    "edit": {**MODEL, "aliases": [ALIAS]},
    "diff": {
        "before": TEXT,
        "after": TEXT,
        "added": [FILE],
        "removed": [FILE],
        "changed": [FILE],
        "unchanged": NUMBER,
        "metadata": Keys([AnyJson()]),
    },
    "alias set": ALIAS,
    "alias list": [ALIAS],
    "alias history": [MOVE],
    "alias history --at": ALIAS,
    "alias rm": {"model": TEXT, "alias": TEXT, "removed": YES_OR_NO},
    "uploads ls": [UPLOAD],
    "uploads abort": {"model": TEXT, "sha256": TEXT, "aborted": YES_OR_NO},
    # A line an event, of which this is one.
    "audit events": EVENT,
    "audit integrity": INTEGRITY,
    "cache show": {"folder": TEXT, "files": NUMBER, "bytes": NUMBER, "linked": NUMBER},
    "cache prune": {"files": NUMBER, "bytes": NUMBER},
    "open": {"url": TEXT},
}
# On stderr, when a command with `--json` fails.
ERROR = {
    "error": {
        "kind": TEXT,
        "exit_code": NUMBER,
        "code": Maybe(TEXT),
        "detail": TEXT,
        "next": Maybe(TEXT),
        "request_id": Maybe(TEXT),
        "errors": [{"location": TEXT, "message": TEXT}],
    }
}


def misfit(value: Any, shape: Any, where: str = "") -> str | None:  # noqa: PLR0911 - one a rule
    """Where ``value`` is not of ``shape``, or None."""
    match shape:
        case AnyJson():
            return None
        case Maybe():
            return None if value is None else misfit(value, shape.shape, where)
        case Keys():
            if not isinstance(value, dict):
                return f"{where}: {value!r} is no object"
            faults = (misfit(one, shape.shape, f"{where}.{name}") for name, one in value.items())
            return next((fault for fault in faults if fault), None)
        case list():
            if not isinstance(value, list):
                return f"{where}: {value!r} is no list"
            faults = (misfit(one, shape[0], f"{where}[{number}]") for number, one in enumerate(value))
            return next((fault for fault in faults if fault), None)
        case dict():
            if not isinstance(value, dict) or set(value) != set(shape):
                return f"{where}: {value!r} has not the fields {sorted(shape)}"
            faults = (misfit(value[name], one, f"{where}.{name}") for name, one in shape.items())
            return next((fault for fault in faults if fault), None)
    kind = {TEXT: str, NUMBER: int, YES_OR_NO: bool}[shape]
    return None if type(value) is kind else f"{where}: {value!r} is no {shape}"
