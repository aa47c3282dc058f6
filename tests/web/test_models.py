"""Models: listed, described and governed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from tests.web.conftest import User, problem

if TYPE_CHECKING:
    from tests.web.conftest import Site

FIELDS = {
    "id",
    "team",
    "name",
    "description",
    "tags",
    "latest_version",
    "created_at",
    "created_by",
    "updated_at",
}


def names(user: User, limit: int = 100, **query: Any) -> list[str]:
    """Every model the user sees, page by page."""
    seen: list[str] = []
    cursor: dict[str, str] = {}
    while True:
        page = user.get("/v1/models", query_string={**query, **cursor, "limit": limit}).json
        assert len(page["items"]) <= limit
        seen += [item["id"] for item in page["items"]]
        if page["next_cursor"] is None:
            return seen
        cursor = {"cursor": page["next_cursor"]}


def test_publishing_creates_the_model(site: Site) -> None:
    """Before, there is none; after, it has the publisher's name and no description yet."""
    user = site.user("ds-fraud")
    problem(user.get("/v1/models/fraud/credit-risk"), 404, "not_found")
    user.publish("fraud/credit-risk")
    model = user.get("/v1/models/fraud/credit-risk").json
    assert set(model) == FIELDS
    assert (model["id"], model["created_by"], model["latest_version"]) == (
        "fraud/credit-risk",
        "ds-fraud",
        None,
    )
    site.verify()
    assert user.get("/v1/models/fraud/credit-risk").json["latest_version"] == 1


@pytest.mark.parametrize("limit", [1, 2, 3, 100])
def test_everybody_lists_exactly_what_they_may_see(site: Site, limit: int) -> None:
    """A team's people their team's, those of two teams both, compliance all; once each, in order."""
    for name in ("a", "b", "c"):
        site.user("ds-fraud").publish(f"fraud/{name}")
        site.user("ds-nlp").publish(f"nlp/{name}")
    fraud, nlp = [f"fraud/{n}" for n in "abc"], [f"nlp/{n}" for n in "abc"]
    assert names(site.user("ds-fraud"), limit) == fraud
    assert names(site.user("ds-nlp"), limit) == nlp
    assert names(site.user("ds-both"), limit) == fraud + nlp
    assert names(site.user("compliance"), limit) == fraud + nlp
    assert names(site.user("compliance"), limit, team="nlp") == nlp
    assert names(site.user("ds-both"), limit, team="nlp", prefix="b") == ["nlp/b"]
    assert names(site.user("ds-both"), limit, prefix="b") == ["fraud/b", "nlp/b"]
    assert names(site.user("compliance"), limit, prefix="b") == ["fraud/b", "nlp/b"]


@pytest.mark.parametrize("limit", [1, 2, 100])
def test_teams_whose_names_begin_alike_are_both_listed(site: Site, limit: int) -> None:
    """Storage sorts the keys of team ``a-b`` before those of team ``a``; no page loses either."""
    user = User(site, site.pool.person("both", "data-scientist@a", "data-scientist@a-b"))
    every = [f"{team}/{name}" for team in ("a-b", "a") for name in ("x", "y")]
    for model in every:
        user.publish(model)
    assert names(user, limit) == every


def test_a_team_one_may_not_see_does_not_exist(site: Site) -> None:
    """Neither its models nor the team itself."""
    site.user("ds-nlp").publish("nlp/m")
    problem(site.user("ds-fraud").get("/v1/models?team=nlp"), 404, "not_found")
    problem(site.user("ds-fraud").get("/v1/models/nlp/m"), 404, "not_found")


def test_a_card_is_merged(site: Site) -> None:
    """Absent fields stay, tags are merged, null removes one; others see it at once."""
    user = site.user("ds-fraud")
    user.publish("fraud/m")
    path = "/v1/models/fraud/m"
    user("PATCH", path, json={"description": "scores", "tags": {"stage": "pilot", "owner": "ann"}})
    changed = user("PATCH", path, json={"tags": {"stage": None, "risk": "high"}})
    assert changed.status_code == 200
    model = site.user("ds-fraud-2").get(path).json
    assert (model["description"], model["tags"]) == ("scores", {"owner": "ann", "risk": "high"})
    assert user("PATCH", path, json={}).json["description"] == "scores"


def test_if_match_protects_from_lost_updates(site: Site) -> None:
    """A change based on an outdated state is a conflict and changes nothing."""
    user, path = site.user("ds-fraud"), "/v1/models/fraud/m"
    user.publish("fraud/m")
    etag = user.get(path).headers["ETag"]
    first = user("PATCH", path, json={"description": "one"}, headers={"If-Match": etag})
    assert first.status_code == 200
    stale = user("PATCH", path, json={"description": "two"}, headers={"If-Match": etag})
    problem(stale, 409, "conflict")
    assert user.get(path).json["description"] == "one"
    fresh = {"If-Match": first.headers["ETag"]}
    assert user("PATCH", path, json={"description": "three"}, headers=fresh).status_code == 200
    assert user("PATCH", path, json={"description": "four"}, headers={"If-Match": "*"}).status_code == 200


@pytest.mark.parametrize(
    ("written", "holds"),
    [
        ("{etag}", True),
        ('"other", {etag}', True),
        ('{etag} , "other"', True),
        ("*", True),
        ('"other", "another"', False),
        ("W/{etag}", False),
        ("{bare}", True),
        ('"*"', False),
        ("", False),
    ],
)
def test_if_match_is_read_as_http_writes_it(site: Site, written: str, *, holds: bool) -> None:
    """RFC 9110: one of several tags will do, a weak one matches nothing, and no tag is no leave to write."""
    user, path = site.user("ds-fraud"), "/v1/models/fraud/m"
    user.publish("fraud/m")
    etag = user.get(path).headers["ETag"]
    told = {"If-Match": written.format(etag=etag, bare=etag.strip('"'))}
    response = user("PATCH", path, json={"description": "one"}, headers=told)
    if holds:
        assert response.json["description"] == "one"
    else:
        problem(response, 409, "conflict")
        assert user.get(path).headers["ETag"] == etag


@pytest.mark.parametrize(
    ("body", "location"),
    [
        ({"description": "x" * 16_385}, "description"),
        ({"tags": {f"k{n}": "v" for n in range(51)}}, "tags"),
        ({"tags": {"": "v"}}, "tags"),
        ({"tags": {"k": "v" * 257}}, "tags"),
        ({"tags": {"k": 1}}, "tags[...]"),
        ({"tags": ["a"]}, "tags"),
        ({"name": "other"}, "body"),
    ],
)
def test_cards_beyond_the_limits_are_422(site: Site, body: Any, location: str) -> None:
    """Each names its place."""
    site.user("ds-fraud").publish("fraud/m")
    told = problem(site.user("ds-fraud")("PATCH", "/v1/models/fraud/m", json=body), 422, "validation_failed")
    assert told["errors"][0]["location"] == location


def test_settings_have_defaults_and_are_the_approvers(site: Site) -> None:
    """Everybody of the team reads them, only approvers replace them, absent ones take their default."""
    site.user("ds-fraud").publish("fraud/m")
    path = "/v1/models/fraud/m/settings"
    defaults = {
        "protected_aliases": ["production"],
        "required_approvals": 0,
        "scan_policy": "digest",
        "default_retention_days": None,
    }
    assert site.user("ds-fraud").get(path).json == defaults
    problem(site.user("ds-fraud")("PUT", path, json=defaults), 403, "forbidden")
    wanted = {"protected_aliases": ["production", "champion"]}
    changed = site.user("approver-fraud")("PUT", path, json=wanted)
    assert changed.json == {**defaults, **wanted}
    assert site.user("auditor").get(path).json == {**defaults, **wanted}


@pytest.mark.parametrize(
    "body",
    [
        {"protected_aliases": ["latest"]},
        {"protected_aliases": ["UPPER"]},
        {"protected_aliases": ["a", "a"]},
        {"protected_aliases": [f"a{n}" for n in range(21)]},
        {"required_approvals": 1},
        {"default_retention_days": 30},
        {"scan_policy": "pickle"},
    ],
)
def test_settings_that_cannot_be_enforced_are_refused(site: Site, body: Any) -> None:
    """Nothing is promised that this release does not do."""
    site.user("ds-fraud").publish("fraud/m")
    response = site.user("approver-fraud")("PUT", "/v1/models/fraud/m/settings", json=body)
    problem(response, 422, "validation_failed")


def test_settings_of_no_model_are_not_found(site: Site) -> None:
    """Governing begins with the first version."""
    problem(site.user("approver-fraud").get("/v1/models/fraud/m/settings"), 404, "not_found")
    problem(site.user("approver-fraud")("PUT", "/v1/models/fraud/m/settings", json={}), 404, "not_found")
