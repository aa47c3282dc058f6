"""Routes: made without what nobody uses, and whole all the same."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flask import Flask
from werkzeug.routing import Rule

from service.web.rules import MatchedRule

if TYPE_CHECKING:
    import pytest

    from tests.web.conftest import Site


def test_no_route_learns_to_build_urls_before_it_is_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    """Werkzeug's own would, when it is made."""
    made: list[str] = []
    original = Rule._compile_builder

    def counted(rule: Rule, append_unknown: bool = True) -> object:  # noqa: FBT002 - werkzeug's signature
        made.append(rule.rule)
        return original(rule, append_unknown)

    monkeypatch.setattr(Rule, "_compile_builder", counted)
    app = Flask("measured", static_folder=None)
    app.url_rule_class = MatchedRule
    app.add_url_rule("/a/<name>", endpoint="a")
    assert made == []
    with app.test_request_context():
        assert app.url_for("a", name="b c", more="1") == "/a/b%20c?more=1"
    assert made == ["/a/<name>"]


def test_every_route_of_the_service_is_one(site: Site) -> None:
    """Blueprints take the application's kind of rule."""
    assert {type(rule) for rule in site.app.url_map.iter_rules()} == {MatchedRule}
