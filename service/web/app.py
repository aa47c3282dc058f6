"""The Flask application, built from its collaborators; nothing is created at import."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

import msgspec
from flask import Flask

from service.web import observability, problems
from service.web.access import Gate
from service.web.bodies import MAX_BODY_BYTES
from service.web.bulkhead import Bulkhead
from service.web.operations import EXTENSION, View
from service.web.resources import aliases, audit, discovery, integrity, models, uploads, versions, whoami
from service.web.rules import MatchedRule
from service.web.tokens import Keys, Tokens

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from service.audit.ports import AuditWorkspaces
    from service.ports import Readiness, Workspaces


class Collaborators(msgspec.Struct, frozen=True):
    """Everything the application needs from outside."""

    public_url: str
    issuer: str
    openid_configuration_uri: str
    people_client_id: str
    client_ids: frozenset[str]
    keys: Keys
    workspaces: Workspaces
    audit: AuditWorkspaces
    readiness: Readiness
    clock: Callable[[], datetime]


class UndeclaredRoute(Exception):
    """A route that never said who may use it."""


def create_app(collaborators: Collaborators) -> Flask:
    """The application. Raises ``UndeclaredRoute`` if a route did not come in through ``operation``."""
    app = Flask("service", static_folder=None, template_folder="web/templates")
    app.config.update(MAX_CONTENT_LENGTH=MAX_BODY_BYTES, PROVIDE_AUTOMATIC_OPTIONS=False)
    app.url_map.merge_slashes = False
    app.url_rule_class = MatchedRule
    observability.install(app)
    problems.install(app, collaborators.public_url)
    tokens = Tokens(app, collaborators.keys, collaborators.issuer, collaborators.client_ids)
    app.extensions[EXTENSION] = Gate(
        tokens.principal, collaborators.workspaces, collaborators.audit, collaborators.clock, Bulkhead()
    )

    @cache
    def description() -> dict[str, object]:
        # Made when first asked for: few ask, and it would be a quarter of all that a start takes.
        from service.web import openapi  # noqa: PLC0415

        return openapi.describe(app, collaborators.public_url)

    app.register_blueprint(discovery.blueprint(collaborators, description))
    for module in (whoami, models, uploads, versions, aliases, audit, integrity):
        app.register_blueprint(module.routes)
    _require_declared(app)
    return app


def _require_declared(app: Flask) -> None:
    """Deny by default: what has no access rule is not served at all."""
    for rule in app.url_map.iter_rules():
        if not isinstance(app.view_functions[rule.endpoint], View):
            raise UndeclaredRoute(rule.rule)
