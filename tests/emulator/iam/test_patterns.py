"""Patterns, held against the simplest matcher there is."""

from __future__ import annotations

import string

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from smas_emulator.iam.arns import arn_pattern
from smas_emulator.iam.context import NOTHING, Context
from smas_emulator.iam.patterns import Pattern

# So few characters that what is written often fits.
text = st.text("ab/", max_size=8)
written = st.text("aab/**?", max_size=8)
# Everything a tag's value may have, and more: whatever means something to patterns or to regular expressions.
values = st.text(string.ascii_lowercase + "*?${}[](|)\\.^+/:, '\n\x00", max_size=8)
VALUE = "${aws:PrincipalTag/team}"


def naive(pattern: str, found: str) -> bool:
    """Character by character, every way there is."""
    if not pattern:
        return not found
    if pattern[0] == "*":
        return naive(pattern[1:], found) or (bool(found) and naive(pattern, found[1:]))
    return bool(found) and pattern[0] in ("?", found[0]) and naive(pattern[1:], found[1:])


@given(written, text)
@example("*a?b*", "aabab")
@example("?*?", "a")
@example("a*a", "a")
@example("**", "")
@example("a*b*b", "ab")
@example("*a*a*", "a")
@example("*a?*?b*", "aab")
def test_wildcards_match_what_a_naive_matcher_matches(pattern: str, found: str) -> None:
    """No more and no less."""
    assert Pattern.of(pattern, variables=True).matches(found, NOTHING) == naive(pattern, found)


@given(written, st.data())
def test_what_a_pattern_was_made_of_fits(pattern: str, data: st.DataObject) -> None:
    """A `*` may have been any text, a `?` any character."""
    parts = {"*": text, "?": st.characters(codec="utf-8")}
    found = "".join(data.draw(parts[each]) if each in parts else each for each in pattern)
    assert Pattern.of(pattern, variables=True).matches(found, NOTHING)


@given(written, values, written, text)
def test_a_value_is_no_pattern(before: str, value: str, after: str, found: str) -> None:
    """Whatever stands in a tag, it is matched to the letter, and by nothing else."""
    pattern = Pattern.of(f"{before}{VALUE}{after}", variables=True)
    context = Context({"aws:PrincipalTag/team": value})
    # A character that neither texts nor values have stands for the whole value.
    expected = any(
        naive(f"{before}\uffff{after}", f"{found[:at]}\uffff{found[at + len(value) :]}")
        for at in range(len(found) + 1)
        if found.startswith(value, at)
    )
    assert pattern.matches(found, context) == expected
    assert Pattern.of(VALUE, variables=True).matches(found, context) == (found == value)
    plain = before.replace("*", "").replace("?", "a")
    assert Pattern.of(f"{plain}{VALUE}", variables=True).matches(plain + value, context)
    assert Pattern.of(f"{plain}{VALUE}{plain}", variables=True).matches(plain + value + plain, context)


@given(written, written, text)
def test_a_variable_without_a_value_matches_nothing(before: str, after: str, found: str) -> None:
    """Not even where everything else would match everything."""
    assert not Pattern.of(f"{before}{VALUE}{after}", variables=True).matches(found, NOTHING)
    assert not Pattern.of(f"*{VALUE}*", variables=True).matches(found, NOTHING)


@given(text)
def test_every_text_can_be_written_to_the_letter(found: str) -> None:
    """By `${*}`, `${?}` and `${$}`."""
    odd = f"*?${{}}{found}$"
    escaped = "".join(f"${{{each}}}" if each in "*?$" else each for each in odd)
    pattern = Pattern.of(escaped, variables=True)
    assert pattern.matches(odd, NOTHING)
    assert not pattern.matches(odd.replace("*", "x"), NOTHING)


@pytest.mark.parametrize(
    "broken", ["${", "${}", "${a", "a${b,c}", "${a, 'b}", "${a${b}}", "${*a}", "${ a}", "${a }"]
)
def test_a_broken_variable_is_refused(broken: str) -> None:
    """And plain text where there are no variables."""
    with pytest.raises(ValueError, match="begins no policy variable"):
        Pattern.of(broken, variables=True)
    found = broken.replace("*", "xyz")
    assert Pattern.of(broken, variables=False).matches(found, NOTHING)


def test_many_wildcards_take_no_time() -> None:
    """A pattern cannot be made that a long key takes for ever to be held against."""
    pattern = Pattern.of("*a?" * 40 + "b", variables=True)
    assert not pattern.matches("a" * 1024, NOTHING)


segments = st.lists(st.text("ab*?", max_size=2), min_size=5, max_size=5)
arns = st.lists(st.text("ab", max_size=2), min_size=6, max_size=8).map(":".join)


@given(segments, written, st.data())
def test_an_arn_is_matched_part_by_part(first: list[str], last: str, data: st.DataObject) -> None:
    """Each of the first five by itself, by the naive matcher; the last takes all colons that follow."""
    parts = [*first, last]
    found = data.draw(arns | st.just(":".join(parts).replace("*", "").replace("?", "b")))
    expected = all(map(naive, parts, found.split(":", 5)))
    assert arn_pattern(":".join(parts), variables=True).matches(found, NOTHING) == expected


@given(segments, text, st.integers(0, 4), values.filter(lambda value: ":" not in value))
def test_a_value_is_no_pattern_between_the_colons_of_an_arn(
    first: list[str], last: str, place: int, value: str
) -> None:
    """It is matched to the letter there too, and its lack by nothing."""
    context = Context({"aws:PrincipalTag/team": value})
    pattern = arn_pattern(":".join([*first[:place], VALUE, *first[place + 1 :], last]), variables=True)
    plain = [part.replace("*", "").replace("?", "b") for part in first]
    found = ":".join([*plain[:place], value, *plain[place + 1 :], last])
    assert pattern.matches(found, context)
    other = ":".join([*plain[:place], f"{value}x", *plain[place + 1 :], last])
    assert not pattern.matches(other, context)
    assert not pattern.matches(found, NOTHING)
