"""Names of teams, models, aliases and versions, from both sides of every limit of the contract."""

from __future__ import annotations

import pytest

from service.domain.names import (
    LATEST,
    MAX_VERSION,
    ModelId,
    parse_alias,
    parse_digest,
    parse_model_id,
    parse_reference,
    parse_team,
)
from service.errors import Fault, ValidationFailed


def refused_at(refusal: pytest.ExceptionInfo[ValidationFailed]) -> list[str]:
    """The places a refusal names."""
    return [fault.location for fault in refusal.value.errors]


@pytest.mark.parametrize("text", ["a", "0", "fraud", "fraud-2", "a-", "a" * 39, "9" + "-" * 38])
def test_a_team_within_the_rules_is_accepted(text: str) -> None:
    """A team is 1-39 lower-case letters, digits and dashes, and is answered unchanged."""
    assert parse_team(text) == text


@pytest.mark.parametrize(
    "text",
    [
        "",
        "a" * 40,
        "-a",
        "A",
        "fRaud",
        "a_b",
        "a.b",
        "a/b",
        "a b",
        "é",
        "\u0661",
        "a\n",
        "\na",
        "a\x00",
        "a@b",
    ],
)
def test_a_team_outside_the_rules_is_refused(text: str) -> None:
    """Nothing but the contract's pattern is a team: no upper case, no other alphabet, no trailing newline."""
    with pytest.raises(ValidationFailed) as refusal:
        parse_team(text)
    assert refused_at(refusal) == ["team"]


@pytest.mark.parametrize("model", ["m", "0", "Credit-Risk_v1.2", "a..b", "a-", "x" * 96])
def test_a_model_within_the_rules_is_accepted(model: str) -> None:
    """A model is 1-96 letters, digits, dots, underscores and dashes, and keeps its case."""
    assert parse_model_id("fraud", model) == ModelId("fraud", model)
    assert str(ModelId("fraud", model)) == f"fraud/{model}"


@pytest.mark.parametrize(
    "model", ["", "x" * 97, ".", "..", ".a", "_a", "-a", "a/b", "a b", "ä", "a\n", "a%2e", "a*", "a?"]
)
def test_a_model_outside_the_rules_is_refused(model: str) -> None:
    """No model begins with a dot, holds a slash, a wildcard or anything that IAM or S3 would read."""
    with pytest.raises(ValidationFailed) as refusal:
        parse_model_id("fraud", model)
    assert refused_at(refusal) == ["model"]


def test_a_model_in_a_wrong_team_is_refused_for_its_team() -> None:
    """Both halves of a model's name are checked."""
    with pytest.raises(ValidationFailed) as refusal:
        parse_model_id("FRAUD", "m")
    assert refused_at(refusal) == ["team"]


@pytest.mark.parametrize("text", ["a", "production", "a-", "a0", "latest-1", "late", "a" * 63])
def test_an_alias_within_the_rules_is_accepted(text: str) -> None:
    """An alias is 1-63 lower-case letters, digits and dashes after a letter."""
    assert parse_alias(text) == text


@pytest.mark.parametrize("text", ["", "a" * 64, "1", "-a", "Production", "a.b", "a_b", "a\n", "latest", "é"])
def test_an_alias_outside_the_rules_is_refused(text: str) -> None:
    """No alias looks like a number, and ``latest`` is nobody's to set; the place is the caller's own."""
    with pytest.raises(ValidationFailed) as refusal:
        parse_alias(text, "protected_aliases[3]")
    assert refused_at(refusal) == ["protected_aliases[3]"]


@pytest.mark.parametrize("text", ["0" * 64, "0123456789abcdef" * 4])
def test_a_digest_within_the_rules_is_accepted(text: str) -> None:
    """A digest is 64 lower-case hexadecimal digits."""
    assert parse_digest(text) == text


@pytest.mark.parametrize("text", ["", "0" * 63, "0" * 65, "A" * 64, "g" * 64, "0" * 64 + "\n", "\u0661" * 64])
def test_a_digest_outside_the_rules_is_refused(text: str) -> None:
    """A digest has one spelling, so that one blob has one key."""
    with pytest.raises(ValidationFailed) as refusal:
        parse_digest(text)
    assert refused_at(refusal) == ["sha256"]


@pytest.mark.parametrize(
    ("text", "reference"),
    [
        ("1", 1),
        ("10", 10),
        (str(MAX_VERSION), MAX_VERSION),
        ("latest", LATEST),
        ("production", "production"),
        ("v1", "v1"),
    ],
)
def test_a_reference_is_a_number_an_alias_or_latest(text: str, reference: int | str) -> None:
    """Digits alone are a version, everything else a name."""
    assert parse_reference(text) == reference


@pytest.mark.parametrize(
    "text",
    ["", "0", "01", "-1", "+1", "1.0", "1e3", " 1", "1\n", "\u0661", str(MAX_VERSION + 1), "Latest", "1a"],
)
def test_what_refers_to_no_version_is_refused(text: str) -> None:
    """A number has one spelling, and no text is read as both a number and a name."""
    with pytest.raises(ValidationFailed) as refusal:
        parse_reference(text)
    assert refused_at(refusal) == ["ref"]


def test_a_failure_with_several_faults_leads_with_the_first() -> None:
    """The sentence names the first fault and counts the others; all are kept."""
    faults = [Fault("a", "is wrong"), Fault("b", "is wrong too")]
    failure = ValidationFailed.of(faults)
    assert (failure.detail, list(failure.errors)) == ("a: is wrong (and 1 more)", faults)
