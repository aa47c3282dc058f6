"""Every route as every role, about its own and another team's model: what becomes of it is as promised."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import pytest

from service.domain.access import Role
from service.domain.parts import SINGLE_UPLOAD_BYTES
from service.web.openapi import operations
from tests.web.conftest import User
from tests.web.route_promises import MAY, OF_A_TEAM, ORDINARY, PROTECTED, ROUTES, Caller, Outcome, promised

if TYPE_CHECKING:
    from tests.web.conftest import Pool, Response, Site
    from tests.web.route_promises import Route

TEAMS = ("fraud", "nlp")
LARGE = "c" * 64
# By the path of its route: what a call sends that is to succeed.
SENT: dict[tuple[str, str], dict[str, Any]] = {
    ("PATCH", ""): {"description": "new"},
    ("PUT", "/settings"): {"scan_policy": "digest"},
    ("POST", "/uploads"): {"files": [{"sha256": "b" * 64, "size": 1}]},
    ("POST", "/versions/<ref>/downloads"): {"paths": None},
    ("PUT", "/aliases/<alias>"): {"version": 1},
}
CALLERS = {
    **{role: Caller(frozenset({role})) for role in MAY},
    "no role": Caller(frozenset()),
    "no token": Caller(frozenset(), signed_in=False),
    "data scientist and approver": Caller(frozenset({"data-scientist", "approver"})),
    "deployer and auditor": Caller(frozenset({"deployer", "auditor"})),
}


def token(pool: Pool, caller: Caller) -> str | None:
    """The caller's token: None for none."""
    groups = [f"{role}@{caller.team}" if role in OF_A_TEAM else role for role in sorted(caller.roles)]
    return pool.person("caller", *groups) if caller.signed_in else None


class Stage:
    """A site with a released model and an unfinished upload in each team, and what calls say of them."""

    def __init__(self, site: Site) -> None:
        self.site = site
        self.uploads: dict[str, str] = {}
        self.files: dict[str, list[dict[str, Any]]] = {}
        for team in TEAMS:
            pool, model = site.pool, f"{team}/m"
            publisher = User(site, pool.person(f"publisher-{team}", f"data-scientist@{team}"))
            approver = User(site, pool.person(f"approver-{team}", f"approver@{team}"))
            self.files[team] = publisher.publish(model, b"weights")["files"]
            site.verify()
            for mover, alias in ((publisher, ORDINARY), (approver, PROTECTED)):
                moved = mover("PUT", f"/v1/models/{model}/aliases/{alias}", json={"version": 1})
                assert moved.status_code == 200, moved.text
            site.verify()
            large = {"files": [{"sha256": LARGE, "size": SINGLE_UPLOAD_BYTES + 1}]}
            started = publisher.post(f"/v1/models/{model}/uploads", large)
            self.uploads[team] = started.json["files"][0]["upload_id"]

    def call(self, route: Route, team: str, bearer: str | None) -> Response:
        """A call of the route that would succeed for whoever may make it."""
        file = self.files[team][0]
        filled = {
            "team": team,
            "model": "m",
            "sha256": LARGE,
            "ref": "1",
            "path": file["path"],
            "alias": route.alias,
        }
        path = re.sub(r"<(?:\w+:)?(\w+)>", lambda match: filled[match[1]], route.rule)
        below = route.rule.removeprefix("/v1/models/<team>/<model>")
        options: dict[str, Any] = {"query_string": {}}
        if "<sha256>" in below:
            options["query_string"]["upload_id"] = self.uploads[team]
        if below.endswith("/file"):
            options["query_string"]["path"] = file["path"]
        body = SENT.get((route.method, below))
        if (route.method, below) == ("POST", "/versions"):
            wanted = {name: file[name] for name in ("path", "sha256", "size")}
            body = {"files": [{**wanted, "path": "again.bin"}]}
        elif below.endswith("/parts"):
            body = {"upload_id": self.uploads[team], "numbers": [1]}
        elif below.endswith("/complete"):
            body = {"upload_id": self.uploads[team], "parts": [{"number": 1, "etag": "none"}]}
        if route.method not in {"GET", "DELETE"}:
            options["json"] = body
        return self.site.call(route.method, path, bearer, **options)


def observed(response: Response) -> Outcome | str:
    """What became of a call; anything that no promise speaks of, as it was answered."""
    if response.status_code < 400:
        return Outcome.ALLOWED
    code = response.get_json(force=True)["code"]
    # Nothing was sent for the unfinished upload: who may complete it is told so.
    known = {
        (401, "unauthenticated"): Outcome.UNAUTHENTICATED,
        (403, "forbidden"): Outcome.FORBIDDEN,
        (404, "not_found"): Outcome.INVISIBLE,
        (409, "upload_mismatch"): Outcome.ALLOWED,
    }
    return known.get((response.status_code, code), f"{response.status_code} {code}: {response.text}")


def in_order(routes: tuple[Route, ...]) -> list[Route]:
    """What takes away comes last, and of that the protected alias before its policy could change."""
    return sorted(routes, key=lambda route: route.method == "DELETE")


def test_the_promises_know_every_route_and_role(site: Site) -> None:
    """A new route or role is decided on there first; and none is promised that is not served."""
    served = {(operation.method, operation.rule) for operation in operations(site.app)}
    assert {(route.method, route.rule) for route in ROUTES} == served
    assert set(MAY) == set(Role)
    assert {role for role in Role if role.of_a_team} == OF_A_TEAM


@pytest.mark.parametrize("name", CALLERS)
def test_every_route_as_every_role_in_every_team(site: Site, name: str) -> None:
    """Allowed, or refused with 401, 403, or 404 where the team is invisible; nothing else becomes of it."""
    caller, stage = CALLERS[name], Stage(site)
    bearer = token(site.pool, caller)
    found = {
        (route, team): observed(stage.call(route, team, bearer))
        for route in in_order(ROUTES)
        for team in TEAMS
    }
    wanted = {(route, team): promised(route, caller, team) for route, team in found}
    differing = {each: (found[each], wanted[each]) for each in found if found[each] != wanted[each]}
    assert differing == {}


def test_a_machine_has_the_same_rights_as_a_person(site: Site) -> None:
    """A deployer's scope is what a deployer's group is."""
    caller, stage = Caller(frozenset({"deployer"})), Stage(site)
    bearer = site.pool.machine("smas/deployer@fraud")
    for route in in_order(ROUTES):
        for team in TEAMS:
            assert observed(stage.call(route, team, bearer)) == promised(route, caller, team), (route, team)


@pytest.mark.parametrize("name", CALLERS)
def test_a_list_of_models_shows_the_teams_that_are_visible(site: Site, name: str) -> None:
    """Models of other teams are in no list."""
    caller = CALLERS[name]
    Stage(site)
    answer = site.call("GET", "/v1/models", token(site.pool, caller))
    everywhere = bool(caller.roles - OF_A_TEAM)
    wanted = set(TEAMS) if everywhere else {caller.team} if caller.roles else set()
    shown = {item["id"].partition("/")[0] for item in answer.json["items"]} if caller.roles else set()
    assert shown == wanted


def test_a_promise_tells_teams_apart() -> None:
    """The same route: the own team's, another's, everybody's, and nobody's."""
    (publish,) = [route for route in ROUTES if route.purpose == "publish"]
    mine = CALLERS["data-scientist"]
    assert [promised(publish, mine, team) for team in TEAMS] == [Outcome.ALLOWED, Outcome.INVISIBLE]
    assert {promised(publish, CALLERS["auditor"], team) for team in TEAMS} == {Outcome.FORBIDDEN}
    assert promised(publish, CALLERS["no token"], "fraud") is Outcome.UNAUTHENTICATED
