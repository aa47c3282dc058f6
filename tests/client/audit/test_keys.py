"""What the command makes of keys, held against the keys that the service writes."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from smas.audit_results import AuditEvent
from smas.cli.audit_keys import Models, Record, kind_listed, models_listed, record_of

from service.domain.names import ModelId
from service.registry import keys
from tests.client.audit.store import DIGEST, event

MODELS = [ModelId("fraud", "credit-risk"), ModelId("f", "x.json"), ModelId("a-b", "M_1.json.json")]
ALIASES = st.from_regex(r"[a-z][a-z0-9-]{0,62}", fullmatch=True)
SUBJECTS = st.from_regex(r"[A-Za-z0-9-]{1,40}", fullmatch=True)


def named(key: str | None, model: ModelId | None = None, version: int | None = None) -> AuditEvent:
    """An event that named the key."""
    changed: dict[str, Any] = {"key": key, "model": model and str(model), "version": version}
    return msgspec.convert(event(**changed), AuditEvent)


@given(st.sampled_from(MODELS), st.integers(1, 999_999_999), ALIASES, SUBJECTS)
def test_every_key_of_the_store_is_understood(model: ModelId, number: int, alias: str, subject: str) -> None:
    """All of its records, of any model: the kind, the version, the alias, the digest, and in whose name."""
    of_versions = {
        keys.manifest(model, number): Record("manifests", number),
        keys.verdict(model, number): Record("verdicts", number),
        keys.author(model, number, subject): Record("authors", number, subject=subject),
        keys.move(model, alias, number, subject): Record("moves", number, alias, subject=subject),
    }
    others = {
        keys.card(model): Record("cards"),
        keys.settings(model): Record("settings"),
        keys.releases(model): Record("releases"),
        keys.upload(model, DIGEST): Record("uploads", digest=DIGEST),
        keys.finding(model, DIGEST, "AaINUQuUTItnIltDfJrdGtpsmmnnNEKj"): Record("findings", digest=DIGEST),
        keys.alias(model, alias, protected=False): Record("aliases", alias=alias),
        keys.alias(model, alias, protected=True): Record("protected", alias=alias),
    }
    for key, record in of_versions.items():
        assert record_of(named(key, model, number)) == record
        assert record_of(named(key, model, number + 1)) is None
    for key, record in others.items():
        assert record_of(named(key, model)) == record
        assert record_of(named(key, ModelId("other", model.model))) is None
    request = keys.request(model, subject, "key")
    assert record_of(named(request)) == Record("requests", subject=subject)


@pytest.mark.parametrize("model", MODELS)
def test_lists_of_a_model_are_understood(model: ModelId) -> None:
    """A prefix that has all of a kind; one that goes on, or stops short, is another list."""
    prefixes = {
        "manifests": keys.manifests(model),
        "verdicts": keys.verdicts(model),
        "uploads": keys.uploads(model),
        "blobs": keys.blobs(model),
        "aliases": keys.aliases(model, protected=False),
        "protected": keys.aliases(model, protected=True),
    }
    for kind, prefix in prefixes.items():
        assert kind_listed(named(prefix, model)) == kind
        for other in (f"{prefix}x", prefix[:-1], f"/{prefix}"):
            assert kind_listed(named(other, model)) != kind


def test_lists_of_models_are_understood() -> None:
    """Of everybody's, of a team's, and those that begin with something."""
    assert models_listed(named(keys.cards())) == Models(None, "")
    assert models_listed(named(keys.cards("fraud"))) == Models("fraud", "")
    assert models_listed(named(keys.cards("fraud", "cre"))) == Models("fraud", "cre")
    for other in (
        None,
        "",
        "cards",
        "cards/Fraud/",
        "cards/fraud",
        "cards/fraud/a b",
        "cards/fraud/a/",
        "x/",
    ):
        assert models_listed(named(other)) is None


@given(st.text(max_size=40) | st.lists(st.text(max_size=6), max_size=6).map("/".join))
def test_other_keys_are_nothing(key: str) -> None:
    """Whatever is in them."""
    for model in (MODELS[0], None):
        assert record_of(named(key, model)) is None
