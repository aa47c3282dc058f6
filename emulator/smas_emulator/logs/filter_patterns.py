"""Filter patterns of CloudWatch Logs: which log events a search or a metric filter means.

Patterns for JSON are in `json_patterns`; those for terms are here. Regular expressions (`%...%`) and patterns
for space-delimited text (`[...]`) are refused.

https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/FilterAndPatternSyntax.html
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

from smas_emulator.logs.errors import InvalidPatternError
from smas_emulator.logs.json_patterns import json_matcher

if TYPE_CHECKING:
    from collections.abc import Callable

# https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_FilterLogEvents.html
LONGEST_PATTERN = 1024
_TERM = re.compile(r'\s*(?P<mark>[-?]?)(?:"(?P<phrase>(?:[^"\\]|\\.)*)"|(?P<word>[^\s"]+))(?=\s|$)')


@lru_cache(maxsize=256)
def matcher(pattern: str) -> Callable[[str], bool]:
    """What tells whether a log event's message is meant by `pattern`.

    Raises `InvalidPatternError` for what AWS refuses, and for what is not supported here.
    """
    if len(pattern) > LONGEST_PATTERN:
        msg = f"a filter pattern has at most {LONGEST_PATTERN} characters"
        raise InvalidPatternError(msg)
    text = pattern.strip()
    if text.startswith("{"):
        return json_matcher(text)
    if text.startswith("["):
        raise InvalidPatternError("patterns for space-delimited events ([...]) are not supported here")
    return _terms_matcher(_terms(text))


@dataclass(frozen=True, slots=True)
class _Terms:
    """Parts of a message: all of `wanted` must be in it, none of `unwanted`, one of `optional`."""

    wanted: list[str]
    unwanted: list[str]
    optional: list[str]


def _terms(text: str) -> _Terms:
    terms = _Terms([], [], [])
    place = 0
    while place < len(text):
        found = _TERM.match(text, place)
        if found is None:
            msg = f"not a term: {text[place:]!r}"
            raise InvalidPatternError(msg)
        place = found.end()
        word, phrase = found["word"], found["phrase"]
        if word is not None:
            _require_plain(word)
        said = word if word is not None else re.sub(r"\\(.)", r"\1", phrase)
        {"": terms.wanted, "-": terms.unwanted, "?": terms.optional}[found["mark"]].append(said)
    return terms


def _require_plain(word: str) -> None:
    if word.startswith("%"):
        msg = f"regular expressions are not supported here: {word}"
        raise InvalidPatternError(msg)
    if not word.replace("_", "a").isalnum():
        msg = f"invalid character(s) in term {word!r}: put it in double quotation marks"
        raise InvalidPatternError(msg)


def _terms_matcher(terms: _Terms) -> Callable[[str], bool]:
    """Terms are found anywhere, also inside of words; beside other terms, those with `?` mean nothing."""
    others = bool(terms.wanted or terms.unwanted)
    # A blank phrase, like no term at all, matches everything.
    wanted = [term for term in terms.wanted if term.strip()]

    def matches(message: str) -> bool:
        if not all(term in message for term in wanted) or any(term in message for term in terms.unwanted):
            return False
        return others or not terms.optional or any(term in message for term in terms.optional)

    return matches
