"""Models: listing, describing and governing them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flask import Blueprint, request
from msgspec import UNSET

from service.domain.access import Permission
from service.domain.models import Settings
from service.domain.names import MODEL, parse_team
from service.errors import Forbidden, Invisible, ValidationFailed
from service.registry import keys, models
from service.web import bodies, pages, problems
from service.web.access import Call, needs
from service.web.operations import Answer, Parameter, operation
from service.web.parameters import CURSOR, LIMIT
from service.web.wire import models as wire
from service.web.wire.base import Page

if TYPE_CHECKING:
    from collections.abc import Sequence

    from service.domain.access import Grant
    from service.registry.models import Model

routes = Blueprint("models", __name__)


@operation(
    routes,
    "GET",
    "/v1/models",
    access=needs(Permission.MODEL_READ),
    answers={200: Page[wire.Model]},
    parameters=[
        Parameter("team", "only models of this team"),
        Parameter("prefix", "only models whose name starts so"),
        LIMIT,
        CURSOR,
    ],
)
def list_models(call: Call) -> Answer:
    """The models you may see, by team and name."""
    limit, after = bodies.limit(), bodies.cursor("cards/.+")
    team, prefix = request.args.get("team"), request.args.get("prefix", "")
    if team is not None:
        parse_team(team)
    if prefix and not MODEL.fullmatch(prefix):
        raise ValidationFailed.at("prefix", f"must match {MODEL.pattern}, as names of models do")
    items, following = _across(call, _grants(call, team), team, prefix, after, limit)
    return Answer(pages.fitting(items, wire.Model.of, lambda model: keys.card(model.id), following))


@operation(
    routes,
    "GET",
    "/v1/models/<team>/<model>",
    access=needs(Permission.MODEL_READ),
    answers={200: wire.Model},
)
def read_model(call: Call) -> Answer:
    """A model; its ETag can be sent as If-Match with PATCH."""
    return _answer(models.read(call.workspace, call.model))


@operation(
    routes,
    "PATCH",
    "/v1/models/<team>/<model>",
    access=needs(Permission.MODEL_WRITE),
    body=wire.ModelChange,
    answers={200: wire.Model},
    parameters=[Parameter("If-Match", "the ETag of the state you read", place="header")],
    problems=[problems.CONFLICT],
)
def describe_model(call: Call) -> Answer:
    """Change a model's description and tags.

    What is absent stays; tags are merged, and a tag set to null goes.
    """
    change: wire.ModelChange = call.body
    return _answer(
        models.describe(
            call.workspace,
            call.model,
            None if change.description is UNSET else change.description,
            None if change.tags is UNSET else change.tags,
            request.if_match if "If-Match" in request.headers else None,
            call.now,
        )
    )


@operation(
    routes,
    "GET",
    "/v1/models/<team>/<model>/settings",
    access=needs(Permission.SETTINGS_READ),
    answers={200: wire.Settings},
)
def read_settings(call: Call) -> Answer:
    """How the model is governed."""
    return Answer(wire.Settings.of(models.settings(call.workspace, call.model)))


@operation(
    routes,
    "PUT",
    "/v1/models/<team>/<model>/settings",
    access=needs(Permission.SETTINGS_WRITE),
    body=wire.SettingsChange,
    answers={200: wire.Settings},
    problems=[problems.CONFLICT],
)
def govern_model(call: Call) -> Answer:
    """Govern the model: which aliases only approvers may move.

    A newly protected alias points to nothing until an approver points it somewhere.
    """
    change: wire.SettingsChange = call.body
    wanted = Settings(
        protected_aliases=tuple(change.protected_aliases),
        required_approvals=change.required_approvals,
        scan_policy=change.scan_policy,
        default_retention_days=change.default_retention_days,
    )
    return Answer(wire.Settings.of(models.govern(call.workspace, call.model, wanted)))


def _answer(model: Model) -> Answer:
    return Answer(wire.Model.of(model), headers={"ETag": model.etag})


def _grants(call: Call, team: str | None) -> Sequence[Grant]:
    if team is None:
        return call.principal.grants_for(Permission.MODEL_READ)
    if not call.principal.sees(team):
        message = f"no team {team}"
        raise Invisible(message)
    grant = call.principal.grant_for(Permission.MODEL_READ, team)
    if grant is None:
        message = f"this needs {Permission.MODEL_READ} in team {team}"
        raise Forbidden(message)
    return (grant,)


def _across(
    call: Call, grants: Sequence[Grant], team: str | None, prefix: str, after: str | None, limit: int
) -> tuple[list[Model], str | None]:
    """A page that runs on from team to team, in the order of their keys (``a-b/`` comes before ``a/``)."""
    found: list[Model] = []
    grants = sorted(grants, key=lambda grant: keys.cards(team or grant.team))
    for grant in grants:
        of_team = team or grant.team
        start = keys.cards(of_team)
        if after and of_team and after > start and not after.startswith(start):
            continue
        within = after if after and after.startswith(start) else None
        page = models.list_models(call.under(grant), of_team, prefix, after=within, limit=limit - len(found))
        found += page.items
        if page.next:
            return found, page.next
        if len(found) == limit and grant is not grants[-1]:
            return found, keys.card(found[-1].id)
    return found, None
