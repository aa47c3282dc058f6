"""Filter patterns as AWS's page on them describes: its own examples, and what it says in words."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from smas_emulator.logs.errors import InvalidPatternError
from smas_emulator.logs.filter_patterns import matcher

EVENT = {
    "eventType": "UpdateTrail",
    "sourceIPAddress": "111.111.111.111",
    "arrayKey": ["value", "another value"],
    "objectList": [{"name": "a", "id": 1}, {"name": "b", "id": 2}],
    "SomeObject": None,
    "cluster.name": "c",
    "on": True,
    "errorCode": 400,
    "ratio": 0.001,
}
OBJECT = {
    "user": {"id": 1, "email": "John.Stiles@example.com"},
    "users": [{"id": 2, "email": "John.Doe@example.com"}, {"id": 3, "email": "Jane.Doe@example.com"}],
    "actions": ["GET", "PUT", "DELETE"],
    "coordinates": [[0, 1, 2], [4, 5, 6], [7, 8, 9]],
}
LINES = (
    "[ERROR 400] BAD REQUEST",
    "[ERROR 401] UNAUTHORIZED REQUEST",
    "[ERROR 419] MISSING ARGUMENTS",
    "[INFO] started",
)


@pytest.mark.parametrize(
    ("pattern", "meant"),
    [
        ("", {0, 1, 2, 3}),
        ('" "', {0, 1, 2, 3}),
        ("ERROR", {0, 1, 2}),
        ("error", set()),
        ("ERROR ARGUMENTS", {2}),
        ("?ARGUMENTS ?REQUEST", {0, 1, 2}),
        ("?nothing ?neither", set()),
        ("ERROR -ARGUMENTS", {0, 1}),
        ("-ERROR", {3}),
        ('"BAD REQUEST"', {0}),
        ('"ERROR 400"', {0}),
        ('-"BAD REQUEST" ERROR', {1, 2}),
        ("?ERROR ?INFO REQUEST", {0, 1}),  # beside other terms, those with ? mean nothing
    ],
)
def test_terms(pattern: str, meant: set[int]) -> None:
    """Terms are all wanted; with a minus unwanted; with question marks one of them will do."""
    assert {number for number, line in enumerate(LINES) if matcher(pattern)(line)} == meant


@pytest.mark.parametrize(
    ("pattern", "document", "meant"),
    [
        ('{ $.eventType = "UpdateTrail" }', EVENT, True),
        ("{ $.eventType = UpdateTrail }", EVENT, True),
        ('{$.eventType="UpdateTrail"}', EVENT, True),
        ('{ $.eventType = "updatetrail" }', EVENT, False),
        ('{ $.eventType != "UpdateTrail" }', EVENT, False),
        ('{ $.eventType = "Update*" }', EVENT, True),
        ('{ $.eventType = "*Trail" }', EVENT, True),
        ('{ $.eventType = "*Tr" }', EVENT, False),
        ("{ $.sourceIPAddress != 123.123.* }", EVENT, True),
        ("{ $.sourceIPAddress = 111.111.* }", EVENT, True),
        ('{ $.arrayKey[0] = "value" }', EVENT, True),
        ('{ $.arrayKey[1] = "value" }', EVENT, False),
        ('{ $.arrayKey[7] = "value" }', EVENT, False),
        ('{ $.arrayKey = "value" }', EVENT, False),
        ('{ $.arrayKey != "value" }', EVENT, False),
        ('{ $.arrayKey[*] = "another value" }', EVENT, True),
        ('{ $.* = "UpdateTrail" }', EVENT, True),
        ("{ $.objectList[1].id = 2 }", EVENT, True),
        ("{ $.objectList[*].id = 2 }", EVENT, True),
        ("{ $.objectList[*].id = 3 }", EVENT, False),
        ("{ $.['cluster.name'] = \"c\" }", EVENT, True),
        ("{ $.cluster.name = c }", EVENT, False),
        ("{ $.SomeObject IS NULL }", EVENT, True),
        ("{ $.eventType IS NULL }", EVENT, False),
        ("{ $.Missing IS NULL }", EVENT, False),
        ("{ $.on IS TRUE }", EVENT, True),
        ("{ $.on IS FALSE }", EVENT, False),
        ("{ $.errorCode IS TRUE }", {"errorCode": 1}, False),
        ("{ $.SomeOtherObject NOT EXISTS }", EVENT, True),
        ("{ $.SomeObject NOT EXISTS }", EVENT, False),
        ("{ $.errorCode = 400}", EVENT, True),
        ("{ $.errorCode = 4e2 }", EVENT, True),
        ("{ $.errorCode = 4* }", EVENT, True),
        ("{ $.errorCode != 500 }", EVENT, True),
        ("{ $.errorCode > 399 && $.errorCode < 401 }", EVENT, True),
        ("{ $.errorCode >= 400 && $.errorCode <= 400 }", EVENT, True),
        ("{ $.errorCode > 400 || $.errorCode < 400 }", EVENT, False),
        ("{ $.ratio = 1e-3 }", EVENT, True),
        ("{ $.ratio > -1 }", EVENT, True),
        ("{ $.eventType > 1 }", EVENT, False),
        ("{ $.Missing != 1 }", EVENT, False),
        ('{ ($.user.id = 1) && ($.users[0].email = "John.Doe@example.com") }', OBJECT, True),
        (
            (
                '{ $.user.email = "John.Stiles@example.com" || $.coordinates[0][1] = "nonmatch" && '
                '$.actions[2] = "nonmatch" }'
            ),
            OBJECT,
            True,
        ),
        (
            (
                '{ ($.user.email = "John.Stiles@example.com" || $.coordinates[0][1] = "nonmatch") && '
                '$.actions[2] = "nonmatch" }'
            ),
            OBJECT,
            False,
        ),
        ('{ ($.user.id = 2 && $.users[0].email = "nonmatch") || $.actions[2] = "GET" }', OBJECT, False),
        ("{ $.coordinates[2][1] = 8 }", OBJECT, True),
    ],
)
def test_json(pattern: str, document: dict[str, Any], *, meant: bool) -> None:
    """Selectors, comparisons, wildcards, IS, NOT EXISTS and compound expressions, as on AWS's page."""
    assert matcher(pattern)(json.dumps(document)) is meant


@pytest.mark.parametrize("message", ["", "no JSON", "[1]", '"a"', '{"a": ', "[" * 100_000])
def test_what_is_no_object_matches_no_json_pattern(message: str) -> None:
    """Whatever somebody wrote into a log, it is passed over and breaks nothing."""
    assert not matcher("{ $.a NOT EXISTS }")(message)


@pytest.mark.parametrize(
    ("pattern", "why"),
    [
        ("[ip, user]", "space-delimited"),
        ("%ERR.*%", "regular expressions"),
        ("{ $.a = %x% }", "regular expressions"),
        ("a.b", "double quotation marks"),
        ('"open', "not a term"),
        ("{ }", "selector"),
        ("{ $.a }", "operator"),
        ("{ $.a = }", "not a value"),
        ("{ $.a = a-b }", "double quotation marks"),
        ('{ $.a < "x" }', "compares numbers"),
        ("{ $.a IS MAYBE }", "NULL, TRUE or FALSE"),
        ("{ $.a IS NOT NULL }", "NULL, TRUE or FALSE"),
        ("{ $.a EXISTS }", "operator"),
        ("{ $.a = 1", "'}' is expected"),
        ("{ $.a = 1 } x", "end"),
        ("{ ($.a = 1 }", "')' is expected"),
        ("{ $.a = 1 && }", "selector"),
        ("{ $.*.* = 1 }", "wildcard"),
        ("{ $.*=1 || $.*=1 || $.*=1 || $.*=1 }", "wildcard"),
        ("{ " + "(" * 400 + "$.a = 1" + ")" * 400 + " }", "parentheses"),
        ("x" * 1025, "1024"),
    ],
)
def test_what_cannot_be_meant_is_refused(pattern: str, why: str) -> None:
    """What AWS refuses, and what is not supported here, is refused with its reason and never matches all."""
    with pytest.raises(InvalidPatternError, match="(?i)" + why.replace("(", r"\(").replace(")", r"\)")):
        matcher(pattern)


@given(st.text(max_size=60))
def test_any_text_is_a_pattern_or_refused(pattern: str) -> None:
    """Nothing else comes of a pattern, whatever somebody asks for."""
    try:
        matches = matcher(pattern)
    except InvalidPatternError:
        return
    assert matches("a line") in {True, False}


@given(st.text(alphabet='{}()$.[]*="!&|<> abIS1', max_size=40).map("{{ $.a{} }}".format))
def test_any_json_pattern_is_one_or_refused(pattern: str) -> None:
    """Nor of what begins like one for JSON."""
    try:
        matches = matcher(pattern)
    except InvalidPatternError:
        return
    assert matches('{"a": {"b": 1}}') in {True, False}


@given(st.text(max_size=20).filter(lambda text: "*" not in text and len(text) < 20))
def test_a_quoted_text_is_that_text(text: str) -> None:
    """Whatever is quoted is compared as it is: its quotation marks and backslashes, too."""
    quoted = text.replace("\\", "\\\\").replace('"', '\\"')
    matches = matcher(f'{{ $.a = "{quoted}" }}')

    assert matches(json.dumps({"a": text}))
    assert not matches(json.dumps({"a": f"{text}x"}))
