"""Filter patterns for JSON: `{ ($.a.b = "x*" || $.list[0] > 3) && $.c NOT EXISTS }`.

A comparison is with a string or a number that a selector finds; it is false of anything else, of a missing
property too, whatever the operator. `&&` binds closer than `||`.

https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/FilterAndPatternSyntax.html
"""

from __future__ import annotations

import json
import operator
import re
from typing import TYPE_CHECKING, Any

from smas_emulator.logs.errors import InvalidPatternError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    Condition = Callable[[Any], bool]

MOST_WILDCARDS_IN_SELECTOR, MOST_WILDCARDS = 1, 3
_DEEPEST = 50  # of parentheses: far beyond any pattern of 1024 characters that means something
_TOKEN = re.compile(
    r"""\s*(?:
        (?P<selector>\$(?:\.?\[(?:\d+|\*|'[^']*'|"[^"]*")\]|\.(?:[\w-]+|\*))+)
      | (?P<sign>&&|\|\||!=|<=|>=|[=<>(){}])
      | (?P<quoted>"(?:[^"\\]|\\.)*")
      | (?P<regex>%[^%]*%)
      | (?P<bare>[^\s&|=<>(){}"!]+)
    )""",
    re.VERBOSE | re.ASCII,
)
_STEP = re.compile(
    r"""\[(?P<index>\d+)\]|\[['"](?P<quoted>[^'"]*)['"]\]|(?P<any>\[\*\]|\.\*)|\.(?P<name>[\w-]+)"""
)
_NUMBER = re.compile(r"[+-]?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?", re.ASCII)
# Digits with a wildcard, as of an address, need no quotation marks; other text than letters and digits does.
_PLAIN = re.compile(r"[\w*]+|[\d.*+-]+", re.ASCII)
_NAMED_VALUES: dict[str, object] = {"NULL": None, "TRUE": True, "FALSE": False}
_COMPARISONS: dict[str, Callable[[Any, Any], bool]] = {
    "=": operator.eq,
    "!=": operator.ne,
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}


def json_matcher(pattern: str) -> Callable[[str], bool]:
    """What tells whether a message is JSON that `pattern` means. Raises `InvalidPatternError`."""
    condition = _Parser(pattern).pattern()

    def matches(message: str) -> bool:
        try:
            document = json.loads(message)
        except (ValueError, RecursionError):
            return False
        return isinstance(document, dict) and condition(document)

    return matches


class _Parser:
    """Reads one pattern from left to right."""

    def __init__(self, pattern: str) -> None:
        self._tokens = list(_tokens(pattern))
        self._place = 0
        self._wildcards = 0

    def pattern(self) -> Condition:
        self._take("sign", "{")
        condition = self._any_of(0)
        self._take("sign", "}")
        self._take("end")
        return condition

    def _any_of(self, depth: int) -> Condition:
        parts = [self._all_of(depth)]
        while self._next_is("||"):
            parts.append(self._all_of(depth))
        return lambda document: any(part(document) for part in parts)

    def _all_of(self, depth: int) -> Condition:
        parts = [self._one(depth)]
        while self._next_is("&&"):
            parts.append(self._one(depth))
        return lambda document: all(part(document) for part in parts)

    def _one(self, depth: int) -> Condition:
        if self._next_is("("):
            if depth == _DEEPEST:
                raise InvalidPatternError("too many parentheses inside each other")
            condition = self._any_of(depth + 1)
            self._take("sign", ")")
            return condition
        select = self._selector()
        kind, said = self._tokens[self._place]
        self._place += 1
        if kind == "sign" and said in _COMPARISONS:
            return self._comparison(select, said)
        if (kind, said) == ("bare", "IS"):
            return _is(select, self._take("bare"))
        if (kind, said) == ("bare", "NOT"):
            self._take("bare", "EXISTS")
            return lambda document: not any(True for _ in select(document))
        msg = f"an operator, IS or NOT EXISTS must follow a selector, not {said!r}"
        raise InvalidPatternError(msg)

    def _selector(self) -> Callable[[Any], Iterator[Any]]:
        steps = [_step(found) for found in _STEP.finditer(self._take("selector"))]
        wildcards = steps.count(None)
        self._wildcards += wildcards
        if wildcards > MOST_WILDCARDS_IN_SELECTOR or self._wildcards > MOST_WILDCARDS:
            raise InvalidPatternError("too many wildcard selectors")
        return lambda document: _selected(document, steps)

    def _comparison(self, select: Callable[[Any], Iterator[Any]], sign: str) -> Condition:
        kind, said = self._tokens[self._place]
        self._place += 1
        holds: Condition
        if kind == "quoted":
            holds = _text_test(sign, re.sub(r"\\(.)", r"\1", said[1:-1]))
        elif kind == "bare" and _NUMBER.fullmatch(said):
            holds = _number_test(sign, said)
        elif kind == "bare" and _PLAIN.fullmatch(said):
            holds = _text_test(sign, said)
        elif kind == "regex":
            msg = f"regular expressions are not supported here: {said}"
            raise InvalidPatternError(msg)
        else:
            msg = f"not a value: {said!r}; put text other than letters and digits in double quotation marks"
            raise InvalidPatternError(msg)
        return lambda document: any(holds(value) for value in select(document))

    def _take(self, kind: str, said: str | None = None) -> str:
        found = self._tokens[self._place]
        if found[0] != kind or said not in {None, found[1]}:
            msg = f"{said or kind!r} is expected, not {found[1] or 'the end'!r}"
            raise InvalidPatternError(msg)
        self._place += 1
        return found[1]

    def _next_is(self, sign: str) -> bool:
        if self._tokens[self._place] != ("sign", sign):
            return False
        self._place += 1
        return True


def _tokens(pattern: str) -> Iterator[tuple[str, str]]:
    text = pattern.rstrip()
    place = 0
    while place < len(text):
        found = _TOKEN.match(text, place)
        if found is None:
            msg = f"not a part of a pattern: {text[place:]!r}"
            raise InvalidPatternError(msg)
        kind = str(found.lastgroup)
        yield kind, found[kind]
        place = found.end()
    yield "end", ""


def _step(found: re.Match[str]) -> str | int | None:
    """A property's name, an element's number, or None for any of them."""
    if found["any"]:
        return None
    return int(found["index"]) if found["index"] else found["quoted"] or found["name"]


def _selected(document: Any, steps: list[str | int | None]) -> Iterator[Any]:
    values = [document]
    for step in steps:
        values = [inner for value in values for inner in _inside(value, step)]
    yield from values


def _inside(value: Any, step: str | int | None) -> list[Any]:
    if isinstance(value, dict):
        if step is None:
            return list(value.values())
        return [value[step]] if step in value else []
    if isinstance(value, list):
        if step is None:
            return value
        return [value[step]] if isinstance(step, int) and step < len(value) else []
    return []


def _is(select: Callable[[Any], Iterator[Any]], name: str) -> Condition:
    if name not in _NAMED_VALUES:
        msg = f"IS is followed by NULL, TRUE or FALSE, not {name!r}"
        raise InvalidPatternError(msg)
    wanted = _NAMED_VALUES[name]
    return lambda document: any(value is wanted for value in select(document))


def _text_test(sign: str, wanted: str) -> Condition:
    if sign not in {"=", "!="}:
        msg = f"{sign} compares numbers, not {wanted!r}"
        raise InvalidPatternError(msg)
    like = re.compile(".*".join(map(re.escape, wanted.split("*"))), re.DOTALL)
    return lambda value: _is_value(value) and bool(like.fullmatch(_text(value))) == (sign == "=")


def _number_test(sign: str, said: str) -> Condition:
    compare, wanted = _COMPARISONS[sign], float(said)

    def holds(value: Any) -> bool:
        if isinstance(value, str):
            return sign in {"=", "!="} and compare(value, said)
        return _is_value(value) and compare(value, wanted)

    return holds


def _is_value(value: Any) -> bool:
    return isinstance(value, str | int | float) and not isinstance(value, bool)


def _text(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value)
