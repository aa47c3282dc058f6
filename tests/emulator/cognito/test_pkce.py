"""Proof of possession, held against RFC 7636."""

from __future__ import annotations

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from smas_emulator.cognito import pkce

from tests.emulator.cognito.doubles import CHALLENGE, VERIFIER

UNRESERVED = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~"
verifiers = st.text(UNRESERVED, min_size=43, max_size=128)


def test_the_example_of_the_rfc() -> None:
    """Appendix B."""
    assert pkce.challenge_of(VERIFIER) == CHALLENGE
    assert pkce.answers(VERIFIER, CHALLENGE)


@given(verifiers, verifiers)
def test_only_the_verifier_itself_answers(verifier: str, other: str) -> None:
    """What it was made from does, nothing else does, and every challenge has the form of one."""
    assume(verifier != other)
    challenge = pkce.challenge_of(verifier)
    assert pkce.is_challenge(challenge)
    assert pkce.answers(verifier, challenge)
    assert not pkce.answers(other, challenge)
    assert not pkce.answers(challenge, challenge)


@given(verifiers)
def test_neither_goes_without_the_other(verifier: str) -> None:
    """A code that was asked for without a challenge is not given for a verifier, and the other way round."""
    assert not pkce.answers(None, pkce.challenge_of(verifier))
    assert not pkce.answers(verifier, None)
    assert pkce.answers(None, None)


@pytest.mark.parametrize(
    ("verifier", "good"),
    [("a" * 42, False), ("a" * 43, True), ("a" * 128, True), ("a" * 129, False), ("a" * 43 + "+", False)],
)
def test_a_verifier_has_43_to_128_unreserved_characters(verifier: str, good: bool) -> None:
    """Section 4.1, on both sides of each limit."""
    assert pkce.answers(verifier, pkce.challenge_of(verifier)) is good


@pytest.mark.parametrize("text", ["", "a" * 42, "a" * 44, "a" * 42 + "=", "a" * 42 + "+", "ä" * 43])
def test_what_is_no_challenge(text: str) -> None:
    """Not 43 characters of base64url."""
    assert not pkce.is_challenge(text)


@given(st.text())
def test_no_text_breaks_it(text: str) -> None:
    """Whatever somebody sends as a verifier, it is refused and nothing is raised."""
    assume(text != VERIFIER)
    assert not pkce.answers(text, CHALLENGE)
