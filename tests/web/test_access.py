"""Deny by default: nothing answers without a token and a decision, but what the contract makes public.

Who may do what is in ``tests.web.test_route_matrix``.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest
from flask import Flask

from service.web.access import PUBLIC, SIGNED_IN
from service.web.app import UndeclaredRoute, _require_declared
from service.web.openapi import operations
from tests.web.conftest import problem

if TYPE_CHECKING:
    from tests.web.conftest import Site

PUBLIC_PATHS = {"/healthz", "/readyz", "/openapi.json", "/docs", "/.well-known/oauth-protected-resource"}
OPEN_TO_ALL_SIGNED_IN = {"/v1/whoami"}
METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE")
_FILLED = {"team": "fraud", "model": "m", "sha256": "a" * 64, "ref": "1", "path": "a/b", "alias": "champion"}


def filled(rule: str) -> str:
    """A rule as a path somebody may ask for."""
    return re.sub(r"<(?:\w+:)?(\w+)>", lambda match: _FILLED[match[1]], rule)


def test_every_route_but_the_public_ones_refuses_without_a_token(site: Site) -> None:
    """Walks the whole URL map with every method: 401, or 405 where the method does not exist."""
    walked = 0
    for rule in site.app.url_map.iter_rules():
        for method in METHODS:
            response = site.call(method, filled(rule.rule))
            allowed = {
                m for r in site.app.url_map.iter_rules() if r.rule == rule.rule for m in r.methods or ()
            }
            if method not in allowed:
                assert response.status_code == 405, (method, rule.rule)
            elif rule.rule in PUBLIC_PATHS:
                assert response.status_code == 200, (method, rule.rule)
            else:
                assert response.status_code == 401, (method, rule.rule)
                walked += 1
    assert walked > 20


def test_every_route_but_the_public_ones_decides(site: Site) -> None:
    """Every operation but whoami asks for a permission; a caller without any role is refused everywhere."""
    nobody = site.user("nobody")
    for operation in operations(site.app):
        response = nobody(operation.method, filled(operation.rule), json={})
        if operation.access is PUBLIC:
            assert operation.rule in PUBLIC_PATHS
        elif operation.access is SIGNED_IN:
            assert operation.rule in OPEN_TO_ALL_SIGNED_IN
        else:
            assert operation.access.permissions, operation.rule
            status = response.status_code
            assert status == (404 if "<team>" in operation.rule else 403), operation.rule
    assert site.workspaces.opened == []


def test_a_route_that_was_not_declared_ends_the_start() -> None:
    """A view added to Flask directly has no access rule, so the application refuses to be built with it."""
    app = Flask("stray", static_folder=None)
    app.add_url_rule("/stray", view_func=lambda: "hello", endpoint="stray")
    with pytest.raises(UndeclaredRoute, match="/stray"):
        _require_declared(app)


def test_every_act_is_done_in_the_callers_own_name(site: Site) -> None:
    """The stores are only ever opened for the caller, under the role that allows the act."""
    site.user("ds-fraud").publish("fraud/m", b"x")
    site.workspaces.opened.clear()
    site.user("ds-and-approver")("PUT", "/v1/models/fraud/m/aliases/champion", json={"version": 1})
    site.user("compliance").get("/v1/models/fraud/m")
    told = {(name, grant.role.value) for name, grant in site.workspaces.opened}
    assert told == {("two-hats", "data-scientist"), ("compliance", "compliance")}


def test_a_refusal_names_what_was_needed_and_what_is_held(site: Site) -> None:
    """A person can tell from the answer which role to ask for."""
    told = problem(site.user("auditor")("PUT", "/v1/models/fraud/m/settings", json={}), 403, "forbidden")
    assert "settings:write" in told["detail"]
    assert "auditor" in told["detail"]
