"""Logs: one JSON object a line, findable by the request's id, and never a secret."""

from __future__ import annotations

import io
import json
import logging
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import msgspec
import pytest
from botocore.credentials import ReadOnlyCredentials

from service.aws.personas import PersonaSession
from service.aws.presign import Presigner
from service.logs import SafeJsonFormatter, request_id

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

JWT = "eyJhbGciOiJSUzI1NiIsImtpZCI6ImEifQ.eyJzdWIiOiJhIn0.c2lnbmF0dXJlLXNpZ25hdHVyZQ"
JWE = "eyJjdHkiOiJKV1QiLCJlbmMiOiJBMjU2R0NNIn0.a2V5.aXZpdg.Y2lwaGVydGV4dA.dGFndGFn"
OPAQUE = "opaque-0123456789"
SECRET = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"
SESSION_TOKEN = "IQoJb3JpZ2luX2VjEXAMPLE/token+token=="
CREDENTIALS = ReadOnlyCredentials("ASIAEXAMPLEEXAMPLE01", SECRET, SESSION_TOKEN, None)
NOW = datetime(2026, 1, 31, 9, 30, tzinfo=UTC)
URL = Presigner("https://b.s3.amazonaws.com", "us-east-1").sign("GET", "k", CREDENTIALS, now=NOW, seconds=900)
SIGNATURE = URL.rpartition("=")[2]
QUOTED_TOKEN = URL.partition("X-Amz-Security-Token=")[2].partition("&")[0]
# Each text, and what of it must not get out.
SECRETS = {
    "jwt": (JWT, JWT.split(".")),
    "jwe": (JWE, JWE.split(".")),
    "unsigned": (JWT.rpartition(".")[0] + ".", JWT.split(".")[:2]),
    "bearer": (f"Authorization: Bearer {OPAQUE}", [OPAQUE]),
    "bearer-lower": (f"bearer {OPAQUE}", [OPAQUE]),
    "basic": (f"Authorization: Basic {OPAQUE}", [OPAQUE]),
    "presigned": (f"GET {URL} failed", [SIGNATURE, QUOTED_TOKEN, "ASIAEXAMPLE"]),
    "presigned-lower": (URL.replace("X-Amz", "x-amz"), [SIGNATURE, QUOTED_TOKEN]),
    "presigned-twice-quoted": (
        f"?next={URL.replace('%', '%25').replace('=', '%3D').replace('&', '%26')}",
        [SIGNATURE, QUOTED_TOKEN.replace("%", "%25")],
    ),
    "header-signature": (
        f"AWS4-HMAC-SHA256 Credential=ASIAEXAMPLEEXAMPLE01/x/s3, SignedHeaders=host, Signature={SIGNATURE}",
        [SIGNATURE, "ASIAEXAMPLE"],
    ),
    "header-token": (f"x-amz-security-token: {SESSION_TOKEN}", [SESSION_TOKEN]),
    "header-dict": (str({"X-Amz-Security-Token": SESSION_TOKEN}), [SESSION_TOKEN]),
    "repr": (repr(CREDENTIALS), [SECRET, SESSION_TOKEN, "ASIAEXAMPLE"]),
    "json": (json.dumps({"SecretAccessKey": SECRET, "SessionToken": SESSION_TOKEN}), [SECRET, SESSION_TOKEN]),
    "json-in-json": (json.dumps(json.dumps({"access_token": OPAQUE})), [OPAQUE]),
    "xml": (
        f"<SecretAccessKey>{SECRET}</SecretAccessKey><SessionToken>{SESSION_TOKEN}",
        [SECRET, SESSION_TOKEN],
    ),
    "environment": (
        f"AWS_SECRET_ACCESS_KEY={SECRET} AWS_SESSION_TOKEN={SESSION_TOKEN}",
        [SECRET, SESSION_TOKEN],
    ),
    "phrase": (f"password='correct {OPAQUE}' refused", [OPAQUE]),
    "phrase-json": (json.dumps(json.dumps({"password": f"it's, {OPAQUE}"})), [OPAQUE]),
    "quoted-twice": (f"password=''{OPAQUE}''", [OPAQUE]),
    "form": (f"client_secret={OPAQUE}&refresh_token={OPAQUE}&password={OPAQUE}", [OPAQUE]),
}


@dataclass
class Lines:
    """A logger as the service configures it, and what it wrote."""

    logger: logging.Logger
    stream: io.StringIO

    def read(self) -> list[dict[str, Any]]:
        """Every line as JSON, strictly: no NaN, nothing between the objects."""

        def refuse(constant: str) -> Any:
            raise ValueError(constant)

        return [json.loads(line, parse_constant=refuse) for line in self.stream.getvalue().splitlines()]


@pytest.fixture
def lines() -> Iterator[Lines]:
    """A logger of its own, apart from pytest's handlers, outside of any request."""
    outside = request_id.set(None)
    stream = io.StringIO()
    handler = logging.StreamHandler(stream)
    handler.setFormatter(SafeJsonFormatter())
    logger = logging.Logger("test")  # noqa: LOG001 - of no other test's
    logger.addHandler(handler)
    yield Lines(logger, stream)
    logger.removeHandler(handler)
    request_id.reset(outside)


class Odd:
    """An object whose text holds a secret."""

    def __init__(self, text: str) -> None:
        self.text = text

    def __str__(self) -> str:
        return f"<odd {self.text}>"

    __repr__ = __str__


@dataclass
class Held:
    """A dataclass that holds a text."""

    text: str


class Named(msgspec.Struct):
    """A struct that holds a text, and one by a name that secrets have."""

    text: str
    password: str


def _refuse(text: str) -> None:
    raise ValueError(text) from KeyError(text)


def _tabbed(text: str) -> str:
    return f"before\t{text}"


def _fail(lines: Lines, text: str) -> None:
    try:
        _refuse(text)
    except ValueError:
        lines.logger.exception("failed")


WAYS: dict[str, Callable[[Lines, str], None]] = {
    "message": lambda lines, text: lines.logger.info(text),
    "message-inside": lambda lines, text: lines.logger.info("before\n%s\nafter", text),
    "message-tab": lambda lines, text: lines.logger.info(_tabbed(text)),
    "argument": lambda lines, text: lines.logger.info("%s", text),
    "repr": lambda lines, text: lines.logger.info("%r", [text]),
    "object": lambda lines, text: lines.logger.info("%s", Odd(text)),
    "extra": lambda lines, text: lines.logger.info("x", extra={"seen": text}),
    "extra-name": lambda lines, text: lines.logger.info("x", extra={text: 1}),
    "nested": lambda lines, text: lines.logger.info("x", extra={"a": {"b": [({"c": {text}},)]}}),
    "nested-object": lambda lines, text: lines.logger.info("x", extra={"a": [Odd(text), Held(text)]}),
    "struct": lambda lines, text: lines.logger.info("x", extra={"a": [Named(text, text)]}),
    "deep": lambda lines, text: lines.logger.info("x", extra={"a": _deep(text)}),
    "dictionary": lambda lines, text: lines.logger.info({"a": text}),
    "bytes": lambda lines, text: lines.logger.info("x", extra={"body": text.encode()}),
    "exception": _fail,
    "unformattable": lambda lines, text: lines.logger.info("%d", text),
    "too-many": lambda lines, text: lines.logger.info(*["%s", text, text]),
}


def _deep(text: str) -> Any:
    value: Any = text
    for _ in range(30):
        value = [value]
    return value


@pytest.mark.parametrize("secret", SECRETS)
@pytest.mark.parametrize("way", WAYS)
def test_no_secret_gets_out(lines: Lines, capsys: pytest.CaptureFixture[str], way: str, secret: str) -> None:
    """However it gets into a record, and whatever kind it is; the line is still there, and still JSON."""
    text, parts = SECRETS[secret]
    WAYS[way](lines, text)
    written = lines.stream.getvalue() + capsys.readouterr().err
    assert [part for part in parts if part in written] == []
    assert len(lines.read()) == 1


@pytest.mark.parametrize(
    "extra",
    [
        *({name: SECRET} for name in ("Authorization", "X-Amz-Signature", "access_token", "SecretAccessKey")),
        *({name: SECRET} for name in ("secret_key", "client_secret", "password", "token", "Set-Cookie")),
        {"credentials": [SECRET]},
        {"session": CREDENTIALS},
        {"session": PersonaSession(CREDENTIALS, NOW)},
        {"answer": {"Credentials": {"SecretAccessKey": SECRET, "SessionToken": SESSION_TOKEN}}},
    ],
    ids=str,
)
def test_what_is_named_a_secret_is_one(lines: Lines, extra: dict[str, Any]) -> None:
    """Whatever it looks like, a value under such a name does not get out."""
    lines.logger.info("x", extra=extra)
    assert [part for part in (SECRET, SESSION_TOKEN) if part in lines.stream.getvalue()] == []
    assert "[removed]" in lines.stream.getvalue()


def test_what_is_no_secret_is_kept(lines: Lines) -> None:
    """The request's line, as the service writes it, arrives whole."""
    extra = {
        "method": "GET",
        "route": "/v1/models/<team>/<model>",
        "status": 200,
        "duration_ms": 1.25,
        "principal": "ds-fraud",
        "subject": "5f0c0f1e-0000-4000-8000-000000000000",
        "token_id": "a-jti",
        "upload_id": "abc.def",
        "versions": (1, 2),
        "when": NOW,
        "nothing": None,
        "reason": "the token is signed by an unknown key",
        "sha256": "ab" * 32,
    }
    lines.logger.warning("request %s", "done", extra=extra)
    (line,) = lines.read()
    time = datetime.fromisoformat(line.pop("time"))
    assert time.tzinfo is not None
    wanted = {**extra, "versions": [1, 2], "when": "2026-01-31T09:30:00+00:00"}
    assert line == {"level": "WARNING", "logger": "test", "message": "request done", **wanted}


def test_a_presigned_url_keeps_what_finds_the_object(lines: Lines) -> None:
    """Where it pointed and until when may be known; only what makes it work is gone."""
    lines.logger.info("sent %s", URL)
    (line,) = lines.read()
    assert "https://b.s3.amazonaws.com/k?" in line["message"]
    assert "X-Amz-Expires=900" in line["message"]


def test_one_record_is_one_line(lines: Lines) -> None:
    """Messages of several lines, tracebacks and odd separators stay inside their object."""
    lines.logger.info("a\nb\r\nc\u2028d\x85e\x00\ud800")
    _fail(lines, "first\nsecond")
    first, second = lines.read()
    assert first["message"] == "a\nb\r\nc\u2028d\x85e\x00\ud800"
    assert "second" in second["exc_info"]
    assert "KeyError" in second["exc_info"]


def test_numbers_json_does_not_know_are_written_as_text(lines: Lines) -> None:
    """A line with NaN is no JSON to most readers."""
    lines.logger.info("x", extra={"ratio": float("nan"), "deep": [float("inf")]})
    (line,) = lines.read()
    assert (line["ratio"], line["deep"]) == ("nan", ["inf"])


def test_a_record_that_cannot_be_formatted_says_where_it_comes_from(
    lines: Lines, capsys: pytest.CaptureFixture[str]
) -> None:
    """Logging's own answer would print the arguments, unclean and over several lines."""
    lines.logger.error("%d models", "many")
    (line,) = lines.read()
    assert (line["level"], line["reason"]) == ("ERROR", "TypeError")
    assert "test_logs.py:" in line["at"]
    assert capsys.readouterr().err == ""


def test_every_line_carries_the_requests_id(lines: Lines) -> None:
    """While a request is served; lines outside of one have none."""
    token = request_id.set("the-request")
    lines.logger.info("inside")
    request_id.reset(token)
    lines.logger.info("outside")
    inside, outside = lines.read()
    assert inside["request_id"] == "the-request"
    assert "request_id" not in outside
