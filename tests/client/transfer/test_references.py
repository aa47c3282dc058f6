"""Names of models, versions and files: the client refuses before anything is sent what the store would."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from smas.errors import Invalid
from smas.references import (
    ModelName,
    Reference,
    fault_in_path,
    parse_alias,
    parse_model,
    parse_ref,
    parse_reference,
)

from service.domain import files, names
from service.errors import ValidationFailed

# Texts near the rules: what they are made of, what they forbid, and everything else now and then.
NEAR = st.text(
    st.one_of(
        st.sampled_from("aZ09./\\-_@:~\n\0\x7f\x85é\u0301\u212b\u0661 "),
        st.characters(),
        st.characters(categories=["Cs", "Cc", "Mn"]),
    ),
    max_size=12,
)


def accepted_by_store(parse: object, *texts: str) -> bool:
    """Whether the service takes a name."""
    assert callable(parse)
    try:
        parse(*texts)
    except ValidationFailed:
        return False
    return True


def accepted(parse: object, text: str) -> bool:
    """Whether the client takes a name."""
    assert callable(parse)
    try:
        parse(text)
    except Invalid:
        return False
    return True


@settings(max_examples=400)
@given(path=st.one_of(NEAR, st.lists(NEAR, max_size=5).map("/".join), st.text(max_size=300)))
@example(path="a" * 512)
@example(path="a" * 513)
@example(path="é" * 256)
@example(path="é" * 257)
@example(path="")
@example(path="e\u0301")
@example(path="a/../b")
@example(path="\udcff")
@example(path="a\\b")
@example(path="\x85")
def test_a_path_is_refused_exactly_where_the_store_refuses_it(path: str) -> None:
    """Client and store take the same paths, whatever the text: no push fails late for a path."""
    assert (fault_in_path(path) is None) == (files.fault_in_path(path) is None)


@given(text=NEAR)
def test_a_path_in_another_normal_form_is_refused(text: str) -> None:
    """No path that is accepted has a second spelling in Unicode."""
    if fault_in_path(text) is None:
        assert unicodedata.normalize("NFC", text) == text


@settings(max_examples=300)
@given(team=NEAR, model=NEAR)
@example(team="fraud", model="credit-risk")
@example(team="a" * 39, model="m" * 96)
@example(team="a" * 40, model="m")
@example(team="a", model="m" * 97)
@example(team="a", model="m\n")
@example(team="a", model="b/c")
def test_a_model_is_refused_exactly_where_the_store_refuses_it(team: str, model: str) -> None:
    """Client and store take the same names of teams and models."""
    if "/" in team:
        assert not accepted(parse_model, f"{team}/{model}") or "/" not in f"{team}/{model}".partition("/")[2]
    else:
        expected = accepted_by_store(names.parse_model_id, team, model)
        assert accepted(parse_model, f"{team}/{model}") == expected


@settings(max_examples=300)
@given(text=st.one_of(NEAR, st.from_regex(r"\A[a-z0-9-]{0,70}\Z"), st.integers().map(str)))
@example(text="latest")
@example(text="999999999")
@example(text="1000000000")
@example(text="0")
@example(text="01")
@example(text="\u0661")
@example(text="a" * 63)
@example(text="a" * 64)
@example(text="production\n")
def test_refs_and_aliases_are_refused_exactly_where_the_store_refuses_them(text: str) -> None:
    """Client and store take the same aliases and version references."""
    assert accepted(parse_ref, text) == accepted_by_store(names.parse_reference, text)
    assert accepted(parse_alias, text) == accepted_by_store(names.parse_alias, text)


@pytest.mark.parametrize(
    ("text", "reference"),
    [
        ("fraud/m", Reference(ModelName("fraud", "m"), "latest")),
        ("fraud/m@7", Reference(ModelName("fraud", "m"), "7")),
        ("fraud/m@production", Reference(ModelName("fraud", "m"), "production")),
        ("smas://fraud/m@latest", Reference(ModelName("fraud", "m"), "latest")),
    ],
)
def test_a_reference_is_a_model_and_a_ref(text: str, reference: Reference) -> None:
    """Without a ref it is the latest version; the scheme may stand in front."""
    assert parse_reference(text) == reference


@pytest.mark.parametrize("text", ["fraud", "fraud/m@", "fraud/m@@1", "fraud/m@1@2", "@1", "", "fraud/m/@1"])
def test_what_names_no_version_is_refused(text: str) -> None:
    """Half a reference, or one and a half, is nothing the client guesses about."""
    assert not accepted(parse_reference, text)


def test_names_are_written_as_they_are_read() -> None:
    """A reference, printed, is read as the same reference."""
    assert str(parse_reference("smas://fraud/m@7")) == "fraud/m@7"
    assert str(parse_reference("fraud/m")) == "fraud/m@latest"


def test_a_model_with_a_ref_is_no_model() -> None:
    """Where a model is asked for, a version is refused rather than cut."""
    with pytest.raises(Invalid, match="does not name a model"):
        parse_model("fraud/m@1")


def test_latest_can_be_read_but_not_moved() -> None:
    """``latest`` refers to a version and is no alias; the refusal says why."""
    assert parse_ref("latest") == "latest"
    with pytest.raises(Invalid, match="always means the newest"):
        parse_alias("latest")
