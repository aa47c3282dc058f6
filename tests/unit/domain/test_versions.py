"""The revision that anyone can recompute, and the limits of what a publisher may say."""

from __future__ import annotations

import json
import random
from hashlib import sha256
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from service.domain.files import StoredFile
from service.domain.names import ModelId
from service.domain.versions import Manifest, canonical, check_description, revision_of, same_model
from service.errors import ValidationFailed

LARGEST_EXACT = 2**53 - 1
MANIFEST = Manifest(
    model="fraud/credit-risk",
    version=7,
    created_at="2026-01-31T09:30:00Z",
    created_by="ds-fraud",
    subject="sub-of-ds-fraud",
    message="retrained, with Zoë's features",
    metadata={
        "framework": "sklearn",
        "metrics": {"auc": 0.5, "n": 1200},
        "params": {"depth": [3, None, True]},
    },
    files=(
        StoredFile("model.bin", "ab" * 32, 10, "v1"),
        StoredFile("folder/config.json", "cd" * 32, 0, "v2"),
    ),
    revision="",
)


def by_hand(manifest: Manifest) -> str:
    """The revision as a stranger computes it, from what is answered, with nothing but json and hashlib.

    That agrees with RFC 8785 for texts in the basic plane, integers and short decimals.
    """
    answered: dict[str, Any] = {
        "created_at": manifest.created_at,
        "created_by": manifest.created_by,
        "files": [
            {"path": f.path, "s3_version_id": f.s3_version_id, "sha256": f.sha256, "size": f.size}
            for f in manifest.files
        ],
        "message": manifest.message,
        "metadata": manifest.metadata,
        "model": manifest.model,
        "version": manifest.version,
    }
    text = json.dumps(answered, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False)
    return sha256(text.encode()).hexdigest()


def free_json() -> st.SearchStrategy[Any]:
    """Metadata of which ``by_hand`` knows the canonical form."""
    texts = st.text(st.characters(max_codepoint=0xD7FF), max_size=8)
    leaves = (
        st.none()
        | st.booleans()
        | st.integers(-LARGEST_EXACT, LARGEST_EXACT)
        | texts
        | st.sampled_from([0.5, -2.25])
    )
    return st.recursive(
        leaves,
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3),
        max_leaves=8,
    )


def shuffled(value: Any) -> Any:
    """The same JSON with the names of every object in another order."""
    if isinstance(value, dict):
        names = list(value)
        random.shuffle(names)
        return {name: shuffled(value[name]) for name in names}
    return [shuffled(item) for item in value] if isinstance(value, list) else value


@settings(max_examples=60)
@given(
    metadata=st.dictionaries(
        st.text(st.characters(max_codepoint=0xD7FF), max_size=8), free_json(), max_size=5
    )
)
def test_the_revision_is_what_a_stranger_computes(metadata: dict[str, Any]) -> None:
    """The digest of the RFC 8785 form of what is answered, nothing more and nothing less."""
    manifest = replace(MANIFEST, metadata=metadata)
    assert revision_of(manifest) == by_hand(manifest)


@settings(max_examples=60)
@given(metadata=st.dictionaries(st.text(max_size=8), free_json(), min_size=1, max_size=5))
def test_the_order_of_names_does_not_matter(metadata: dict[str, Any]) -> None:
    """However a client or a store orders an object's names, the revision stays."""
    assert revision_of(replace(MANIFEST, metadata=shuffled(metadata))) == revision_of(
        replace(MANIFEST, metadata=metadata)
    )


def test_the_revision_of_one_version_never_changes() -> None:
    """Published revisions stay valid: this one was computed apart from the service."""
    assert revision_of(MANIFEST) == by_hand(MANIFEST)
    assert revision_of(MANIFEST) == "103e088cb9c3c2fba7bbbd72d463e2633bc983d562f311145fa9e5b6b7d2af7d"


@pytest.mark.parametrize(
    "changed",
    [
        {"model": "fraud/credit-risk2"},
        {"version": 8},
        {"created_at": "2026-01-31T09:30:01Z"},
        {"created_by": "ds-fraud-2"},
        {"message": ""},
        {"metadata": {}},
        {"files": MANIFEST.files[:1]},
        {"files": MANIFEST.files[::-1]},
        {"files": (replace(MANIFEST.files[0], path="other.bin"), MANIFEST.files[1])},
        {"files": (replace(MANIFEST.files[0], sha256="ef" * 32), MANIFEST.files[1])},
        {"files": (replace(MANIFEST.files[0], size=11), MANIFEST.files[1])},
        {"files": (replace(MANIFEST.files[0], s3_version_id="v9"), MANIFEST.files[1])},
    ],
    ids=str,
)
def test_a_change_of_anything_answered_changes_the_revision(changed: dict[str, Any]) -> None:
    """Whoever has the revision has all of the version."""
    assert revision_of(replace(MANIFEST, **changed)) != revision_of(MANIFEST)


@pytest.mark.parametrize("changed", [{"subject": "x"}, {"request": "x"}, {"revision": "x"}], ids=str)
def test_what_is_not_answered_is_not_in_the_revision(changed: dict[str, Any]) -> None:
    """Else nobody outside could recompute it."""
    assert revision_of(replace(MANIFEST, **changed)) == revision_of(MANIFEST)


def test_canonical_numbers_are_those_of_rfc_8785() -> None:
    """Numbers are written as ECMAScript writes them (RFC 8785, appendix B)."""
    numbers = [0.0, -0.0, 5e-324, 1e21, 1e20, 1e-7, 0.000001, 333333333.33333329, 4.5, 2.0e-3, 1.0]
    wanted = b'{"n":[0,0,5e-324,1e+21,100000000000000000000,1e-7,0.000001,333333333.3333333,4.5,0.002,1]}'
    assert canonical({"n": numbers}) == wanted


def test_canonical_names_are_ordered_as_utf_16() -> None:
    """A character beyond the basic plane sorts by its surrogates, before U+FB33 (RFC 8785, 3.2.3)."""
    given_names = {"\ufb33": 1, "\U0001f600": 2, "\u20ac": 3, "1": 4, "\r": 5, "ö": 6}
    wanted = '{"\\r":5,"1":4,"ö":6,"€":3,"\U0001f600":2,"\ufb33":1}'
    assert canonical(given_names).decode() == wanted


@pytest.mark.parametrize("number", [LARGEST_EXACT, -LARGEST_EXACT])
def test_the_largest_exact_integers_are_kept(number: int) -> None:
    """Up to 2^53 - 1 every integer survives every JSON library."""
    assert canonical({"n": number}) == f'{{"n":{number}}}'.encode()


@pytest.mark.parametrize("number", [2**53, -(2**53), 10**400])
@pytest.mark.parametrize(
    "where", [lambda n: {"n": n}, lambda n: {"deep": [{"er": [n]}]}], ids=["top", "deep"]
)
def test_integers_that_some_json_library_would_change_are_refused(number: int, where: Any) -> None:
    """Beyond it they are refused, saying what to do, instead of silently becoming another number."""
    with pytest.raises(ValidationFailed, match="send it as text") as refusal:
        check_description("", where(number))
    assert [fault.location for fault in refusal.value.errors] == ["metadata"]


def nested(depth: int) -> dict[str, Any]:
    """An object ``depth`` levels deep."""
    value: dict[str, Any] = {}
    for _ in range(depth):
        value = {"a": value}
    return value


@pytest.mark.parametrize(
    "metadata",
    [
        {"n": float("nan")},
        {"n": float("inf")},
        {"n": [-float("inf")]},
        {"text": "\ud800"},
        {"text": "a\udfffb"},
        {"\ud800": 1},
        {"a": [{"\udc00": 1}]},
        nested(20_000),
    ],
    ids=["nan", "inf", "-inf", "surrogate", "surrogate-inside", "name", "deep-name", "abyss"],
)
def test_what_json_cannot_carry_is_refused(metadata: dict[str, Any]) -> None:
    """NaN, infinities, lone surrogates and bottomless nesting are the caller's mistake, never a crash."""
    with pytest.raises(ValidationFailed, match="cannot be written as RFC 8785 JSON") as refusal:
        check_description("", metadata)
    assert [fault.location for fault in refusal.value.errors] == ["metadata"]


@pytest.mark.parametrize("character", ["a", "é", "\U0001f600"])
def test_metadata_may_be_64_kib_and_no_more(character: str) -> None:
    """The limit counts bytes of the canonical form, so white space and escapes do not."""
    around = len('{"k":""}')
    room, width = 64 * 1024 - around, len(character.encode())
    full = character * (room // width) + "x" * (room % width)
    assert len(canonical({"k": full})) == 64 * 1024
    check_description("", {"k": full})
    with pytest.raises(ValidationFailed, match="at most 65536 bytes of canonical JSON"):
        check_description("", {"k": full + "x"})


def test_a_message_may_be_4_kib_and_no_more() -> None:
    """The limit counts bytes of UTF-8."""
    check_description("é" * 2048, {})
    with pytest.raises(ValidationFailed, match="message: must be at most 4096 bytes"):
        check_description("é" * 2048 + "x", {})


def test_a_message_with_a_lone_surrogate_is_refused() -> None:
    """What has no UTF-8 cannot be stored."""
    with pytest.raises(ValidationFailed, match="lone surrogate"):
        check_description("\ud800", {})


def test_a_manifest_is_of_the_model_and_number_its_key_names() -> None:
    """A manifest copied under another key is found out."""
    model = ModelId("fraud", "credit-risk")
    assert same_model(MANIFEST, model, 7)
    assert [same_model(MANIFEST, model, 8), same_model(MANIFEST, ModelId("nlp", "credit-risk"), 7)] == [
        False
    ] * 2


def test_the_total_size_is_that_of_all_files() -> None:
    """Also of none."""
    assert [MANIFEST.total_size, replace(MANIFEST, files=()).total_size] == [10, 0]
