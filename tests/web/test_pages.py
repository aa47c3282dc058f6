"""Lists of what may be large: pages that a load balancer's or API Gateway's function can give."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from service.domain.models import (
    MAX_DESCRIPTION_BYTES,
    MAX_TAG_KEY_BYTES,
    MAX_TAG_VALUE_BYTES,
    MAX_TAGS,
    Card,
)
from service.domain.names import ModelId
from service.registry import keys
from service.registry.records import encode
from service.web import pages

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.web.conftest import Site, User

# https://docs.aws.amazon.com/elasticloadbalancing/latest/application/lambda-functions.html
BALANCER = 1_000_000
NOW = "2026-01-01T00:00:00Z"


def walked(user: User, path: str) -> Iterator[list[dict[str, Any]]]:
    """All pages of a list, each of them small enough."""
    cursor: str | None = None
    while True:
        response = user.get(path, query_string={"limit": 1000} | ({"cursor": cursor} if cursor else {}))
        assert response.status_code == 200, response.text
        assert len(json.dumps({"body": response.text})) < BALANCER
        yield response.json["items"]
        cursor = response.json["next_cursor"]
        if cursor is None:
            return


@pytest.mark.parametrize("character", ["x", "é", "\u0001"], ids=["plain", "accented", "control"])
def test_models_with_the_largest_cards_are_all_listed_once(site: Site, character: str) -> None:
    """A description and tags of the most bytes, whatever they are as JSON: shorter pages, nothing lost."""
    per = len(character.encode())
    tags = {
        f"{number:03}" + character * ((MAX_TAG_KEY_BYTES - 3) // per): character
        * (MAX_TAG_VALUE_BYTES // per)
        for number in range(MAX_TAGS)
    }
    card = Card(character * (MAX_DESCRIPTION_BYTES // per), tags, NOW, "ds-fraud", NOW)
    names = [f"m{number:03}" for number in range(60)]
    for name in names:
        site.bucket.put(keys.card(ModelId("fraud", name)), encode(card))
    found = list(walked(site.user("ds-fraud"), "/v1/models"))
    assert len(found) > 1
    assert [model["name"] for page in found for model in page] == names


def test_versions_with_the_longest_messages_are_all_listed_once(site: Site) -> None:
    """The newest first, through pages that are cut."""
    user = site.user("ds-fraud")
    files = user.upload("fraud/m", b"x")
    for _ in range(60):
        user.publish("fraud/m", files=files, message="\u0001" * 4096)
    found = list(walked(user, "/v1/models/fraud/m/versions"))
    assert len(found) > 1
    assert [version["version"] for page in found for version in page] == list(range(60, 0, -1))


def test_a_page_that_fits_is_not_cut(site: Site) -> None:
    """Small items come as many as were asked for."""
    user = site.user("ds-fraud")
    for number in range(120):
        site.bucket.put(
            keys.card(ModelId("fraud", f"m{number:03}")),
            encode(Card("", {}, NOW, "ds-fraud", NOW)),
        )
    (only,) = walked(user, "/v1/models")
    assert len(only) == 120


def test_one_item_is_given_however_large(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    """Or a list would end before it."""
    monkeypatch.setattr(pages, "MOST_BYTES", 1)
    user = site.user("ds-fraud")
    for name in ("a", "b", "c"):
        user.publish(f"fraud/{name}")
    assert [[model["name"] for model in page] for page in walked(user, "/v1/models")] == [["a"], ["b"], ["c"]]
