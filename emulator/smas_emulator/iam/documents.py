"""Policy documents, read strictly and compiled once.

https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_grammar.html
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from smas_emulator.iam.errors import MalformedPolicy
from smas_emulator.iam.statements import statement

if TYPE_CHECKING:
    from collections.abc import Iterable

    from smas_emulator.iam.statements import Statement

__all__ = ["MalformedPolicy", "Policy"]

# What a document without `Version` has; there, `${` is plain text
# (https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_version.html).
OLD_VERSION = "2008-10-17"
VERSION = "2012-10-17"
_ELEMENTS = frozenset({"Version", "Id", "Statement"})
_MOST_ACTIONS = 1024


class Policy:
    """A policy, of whatever kind; nothing about it changes, and it may be used from many threads."""

    __slots__ = ("_by_action", "statements")

    def __init__(self, statements: Iterable[Statement]) -> None:
        self.statements = tuple(statements)
        self._by_action: dict[str, tuple[tuple[Statement, ...], tuple[Statement, ...]]] = {}

    @classmethod
    def parse(cls, document: str | Mapping[str, Any]) -> Policy:
        """The policy of a JSON text, or of what was read from one. Raises `MalformedPolicy`."""
        written = _read(document) if isinstance(document, str) else document
        if not isinstance(written, Mapping):
            raise MalformedPolicy("A policy must be a JSON object.")
        if unknown := written.keys() - _ELEMENTS:
            msg = f"A policy has no element {', '.join(sorted(map(str, unknown)))}."
            raise MalformedPolicy(msg)
        version = written.get("Version", OLD_VERSION)
        if version not in (VERSION, OLD_VERSION):
            msg = f"Version must be {VERSION} or {OLD_VERSION}, not {version!r}."
            raise MalformedPolicy(msg)
        statements = written.get("Statement")
        if isinstance(statements, Mapping):
            statements = [statements]
        if not isinstance(statements, list) or not statements:
            raise MalformedPolicy("A policy needs a Statement, which is an object or a list of them.")
        variables = version == VERSION
        compiled = [statement(each, number, variables=variables) for number, each in enumerate(statements, 1)]
        sids = [each.sid for each in compiled if each.sid]
        if repeated := [sid for sid in dict.fromkeys(sids) if sids.count(sid) > 1]:
            msg = f"Statement {repeated[0]} is not the only one of this Sid."
            raise MalformedPolicy(msg)
        return cls(compiled)

    def concerning(self, action: str) -> tuple[tuple[Statement, ...], tuple[Statement, ...]]:
        """The statements that deny and those that allow an action (`s3:GetObject`, in any case)."""
        found = self._by_action.get(action)
        if found is None:
            lower = action.lower()
            about = [each for each in self.statements if each.concerns(lower)]
            found = (
                tuple(each for each in about if not each.allow),
                tuple(each for each in about if each.allow),
            )
            if len(self._by_action) < _MOST_ACTIONS:
                self._by_action[action] = found
        return found


def _read(text: str) -> Any:
    try:
        return json.loads(text, object_pairs_hook=_members)
    except MalformedPolicy:
        raise
    except (ValueError, RecursionError) as error:
        msg = f"A policy must be JSON: {error}."
        raise MalformedPolicy(msg) from None


def _members(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    members = dict(pairs)
    if len(members) < len(pairs):
        names = [name for name, _ in pairs]
        msg = f"A policy names {next(name for name in names if names.count(name) > 1)} twice in one object."
        raise MalformedPolicy(msg)
    return members
