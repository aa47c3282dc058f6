"""Aliases: names that move from version to version."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flask import Blueprint, request
from msgspec import UNSET

from service.domain.access import Permission
from service.domain.names import ALIAS, MAX_VERSION, parse_alias
from service.domain.times import parse_moment
from service.errors import ValidationFailed
from service.registry import aliases
from service.web import bodies, problems
from service.web.access import Call, needs
from service.web.operations import Answer, Parameter, operation
from service.web.parameters import CURSOR, LIMIT
from service.web.wire import aliases as wire
from service.web.wire.base import Page

if TYPE_CHECKING:
    from service.ports import Workspace

routes = Blueprint("aliases", __name__)
_BASE = "/v1/models/<team>/<model>/aliases"
_MOVE = needs(Permission.ALIAS_WRITE, Permission.ALIAS_PROTECT)


@operation(
    routes,
    "GET",
    _BASE,
    access=needs(Permission.ALIAS_READ),
    answers={200: Page[wire.Alias]},
    parameters=[LIMIT, CURSOR],
)
def list_aliases(call: Call) -> Answer:
    """The model's aliases, by name."""
    after = bodies.cursor(ALIAS.pattern)
    page = aliases.list_aliases(call.workspace, call.model, after=after, limit=bodies.limit())
    items = [wire.Alias.of(alias) for alias in page.items]
    return Answer(Page(items, bodies.written_cursor(page.next)))


@operation(
    routes,
    "GET",
    f"{_BASE}/<alias>",
    access=needs(Permission.ALIAS_READ),
    answers={200: wire.Alias},
    parameters=[Parameter("at", "the alias as it was at this second (RFC 3339, inclusive)")],
)
def read_alias(call: Call) -> Answer:
    """An alias as it is, or as it was at some time."""
    at = request.args.get("at")
    moment = parse_moment(at, "at") if at is not None else None
    return Answer(wire.Alias.of(aliases.read(call.workspace, call.model, _name(call), moment)))


@operation(
    routes,
    "GET",
    f"{_BASE}/<alias>/history",
    access=needs(Permission.ALIAS_READ),
    answers={200: Page[wire.AliasMoved]},
    parameters=[LIMIT, CURSOR],
)
def alias_history(call: Call) -> Answer:
    """Every move of an alias, newest first."""
    page = aliases.history(
        call.workspace, call.model, _name(call), cursor=bodies.cursor(".+"), limit=bodies.limit()
    )
    items = [wire.AliasMoved.of(pointer) for pointer in page.items]
    return Answer(Page(items, bodies.written_cursor(page.next)))


@operation(
    routes,
    "PUT",
    f"{_BASE}/<alias>",
    access=_MOVE,
    body=wire.AliasMove,
    answers={200: wire.Alias},
    problems=[problems.CONFLICT, problems.NOT_APPROVED, problems.QUARANTINED],
)
def move_alias(call: Call) -> Answer:
    """Point an alias at a version, if it still points where you expect.

    Protected aliases are the approvers' alone, and move only to available versions that somebody else
    published.
    """
    body: wire.AliasMove = call.body
    if not 1 <= body.version <= MAX_VERSION:
        raise ValidationFailed.at("version", "must be a version number, from 1")
    if isinstance(body.expected_version, int) and body.expected_version < 1:
        raise ValidationFailed.at("expected_version", "must be a version number, from 1, or null")
    name = _name(call)
    workspace, protected = _mover(call, name)
    expected = aliases.UNCHECKED if body.expected_version is UNSET else body.expected_version
    moved = aliases.move(workspace, call.model, name, body.version, expected, call.now, protected=protected)
    return Answer(wire.Alias.of(moved))


@operation(routes, "DELETE", f"{_BASE}/<alias>", access=_MOVE, answers={204: None})
def remove_alias(call: Call) -> Answer:
    """Remove an alias; its history stays."""
    name = _name(call)
    workspace, protected = _mover(call, name)
    aliases.remove(workspace, call.model, name, call.now, protected=protected)
    return Answer(status=204)


def _name(call: Call) -> str:
    return parse_alias(call.path["alias"])


def _mover(call: Call, name: str) -> tuple[Workspace, bool]:
    """The stores under the grant that this alias, protected or not, asks for. Raises ``Forbidden``."""
    protected = aliases.is_protected(call.workspace, call.model, name)
    permission = Permission.ALIAS_PROTECT if protected else Permission.ALIAS_WRITE
    return call.narrowed_to(permission), protected
