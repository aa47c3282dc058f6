"""The log line of a refusal: one for each caller the service itself turned away, as an auditor reads it."""

from __future__ import annotations

import io
import json
import logging
from typing import TYPE_CHECKING, Any
from uuid import UUID

import msgspec
import pytest

from service.aws.service_log import RefusalLine
from service.errors import Forbidden, RefusedByAws
from service.logs import SafeJsonFormatter
from service.web.refusals import MAX_USER_AGENT
from tests.web.conftest import problem

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.web.conftest import Site

MODEL = "/v1/models/fraud/credit"


class Lines:
    """The audit's lines, as they are written."""

    def __init__(self) -> None:
        self.stream = io.StringIO()

    def read(self) -> list[dict[str, Any]]:
        """All lines so far."""
        return [json.loads(line) for line in self.stream.getvalue().splitlines()]


@pytest.fixture
def lines() -> Iterator[Lines]:
    """What the audit's logger writes, formatted as the service configures it."""
    written = Lines()
    handler = logging.StreamHandler(written.stream)
    handler.setFormatter(SafeJsonFormatter())
    logger = logging.getLogger("service.audit")
    logger.addHandler(handler)
    yield written
    logger.removeHandler(handler)


def test_a_role_that_does_not_allow_it(site: Site, lines: Lines) -> None:
    """Who, what, on what, from where, and how it ended: all that the contract's row has."""
    answer = site.user("ds-fraud")(
        "PUT", f"{MODEL}/aliases/champion", json={}, headers={"User-Agent": "smas/1"}
    )
    assert answer.status_code == 422
    assert lines.read() == []

    refused = site.user("deployer-fraud")(
        "PUT", f"{MODEL}/aliases/champion", json={}, headers={"User-Agent": "smas/1"}
    )

    body = problem(refused, 403, "forbidden")
    (line,) = lines.read()
    UUID(line.pop("event_id"))
    assert line.pop("time")
    assert line == {
        "level": "WARNING",
        "logger": "service.audit",
        "message": "refused",
        "audit": "refusal",
        "actor": "deployer-fraud",
        "subject": "sub-of-deployer-fraud",
        "role": None,
        "action": "smas:move_alias",
        "model": "fraud/credit",
        "version": None,
        "path": None,
        "outcome": "denied",
        "error_code": "forbidden",
        "source_ip": "127.0.0.1",
        "user_agent": "smas/1",
        "auth_method": "bearer",
        "request_id": body["request_id"],
    }


def test_a_team_that_the_caller_may_not_know_of(site: Site, lines: Lines) -> None:
    """The caller reads 404 and the auditor that somebody tried, with version and path as asked for."""
    problem(site.user("ds-nlp").get(f"{MODEL}/versions/7/files/a/b.bin"), 404, "not_found")
    problem(site.user("ds-nlp").get("/v1/models?team=fraud"), 404, "not_found")

    named, listed = lines.read()
    assert (named["actor"], named["error_code"]) == ("ds-nlp", "not_found")
    assert (named["model"], named["version"], named["path"]) == ("fraud/credit", 7, "a/b.bin")
    assert (listed["actor"], listed["action"], listed["model"]) == ("ds-nlp", "smas:list_models", None)


def test_what_does_not_exist_is_no_refusal(site: Site, lines: Lines) -> None:
    """Nor is anything else that is wrong with a request of somebody who may make it."""
    user = site.user("ds-fraud")
    problem(user.get(MODEL), 404, "not_found")
    problem(user.get("/v1/nothing"), 404, "not_found")
    problem(user("DELETE", MODEL), 405, "method_not_allowed")
    problem(user.get("/v1/models/fraud/a%20b"), 422, "validation_failed")
    site.call("GET", "/healthz")

    assert lines.read() == []


@pytest.mark.parametrize("sent", [None, "Basic YTpi", "Bearer junk", "bearer a.b.c"])
def test_nobody_is_nobody(site: Site, lines: Lines, sent: str | None) -> None:
    """Without a good token there is no actor, and nothing of a bad one is written."""
    headers = {"Authorization": sent} if sent else {}

    problem(site.call("GET", MODEL, headers=headers), 401, "unauthenticated")

    (line,) = lines.read()
    assert (line["actor"], line["subject"], line["role"]) == (None, None, None)
    assert (line["action"], line["model"]) == ("smas:read_model", "fraud/credit")
    assert line["error_code"] == "unauthenticated"
    assert line["auth_method"] == ("bearer" if sent and sent.lower().startswith("bearer") else None)
    assert not sent or sent.partition(" ")[2] not in lines.stream.getvalue()


def test_a_stolen_name_is_not_believed(site: Site, lines: Lines) -> None:
    """A token of the right form with a wrong signature names nobody."""
    token = site.pool.person("ds-fraud", "data-scientist@fraud")
    header, claims, signature = token.split(".")

    problem(site.call("GET", MODEL, f"{header}.{claims}.{signature[::-1]}"), 401, "unauthenticated")

    assert lines.read()[0]["actor"] is None
    assert not [part for part in (header, claims, signature[::-1]) if part in lines.stream.getvalue()]


@pytest.mark.parametrize(("refusal", "written"), [(RefusedByAws, 0), (Forbidden, 1)])
def test_what_aws_refused_is_in_cloudtrail(
    site: Site, lines: Lines, monkeypatch: pytest.MonkeyPatch, refusal: type[Forbidden], written: int
) -> None:
    """The same answer to the caller, but no second row for the auditor."""

    def refuse(*_: object) -> None:
        raise refusal("no")

    monkeypatch.setattr(site.workspaces, "open", refuse)

    problem(site.user("ds-fraud").get(MODEL), 403, "forbidden")

    assert len(lines.read()) == written
    assert [line["role"] for line in lines.read()] == ["data-scientist"] * written


def test_a_narrower_rule_refuses_in_a_role(site: Site, lines: Lines) -> None:
    """A deployer who fetches what was not released: the role that was acted in is told."""
    site.user("ds-fraud").publish("fraud/credit", b"x")
    site.verify()

    refused = site.user("deployer-fraud").get(f"{MODEL}/versions/1/files/file-0.bin")

    problem(refused, 403, "forbidden")
    (line,) = lines.read()
    assert (line["role"], line["version"], line["path"]) == ("deployer", 1, "file-0.bin")


def test_what_callers_send_does_no_harm(site: Site, lines: Lines) -> None:
    """Long agents are cut, terminals get nothing to obey, names that cannot be are not repeated."""
    agent = "a\x1b[31m\x85\x9b" + "b" * 2000
    site.call("GET", f"{MODEL}/versions/007/files/a/../%1B%5B31m", headers={"User-Agent": agent})
    site.call("GET", "/v1/models/fraud/a%0Ab", headers={"User-Agent": f"x password={'s' * 30}"})

    named, unnamed = lines.read()
    assert named["user_agent"] == ("a\ufffd[31m\ufffd\ufffd" + "b" * 2000)[:MAX_USER_AGENT]
    assert (named["version"], named["path"]) == (None, None)
    assert unnamed["model"] is None
    assert unnamed["user_agent"] == "x password=[removed]"
    assert lines.stream.getvalue().isascii()
    assert "\\u001b" not in lines.stream.getvalue()


def test_a_header_does_not_say_where_a_caller_is(site: Site, lines: Lines) -> None:
    """Anybody can write X-Forwarded-For; who connected cannot be invented."""
    site.call("GET", MODEL, headers={"X-Forwarded-For": "198.51.100.9", "Forwarded": "for=198.51.100.9"})

    assert lines.read()[0]["source_ip"] == "127.0.0.1"


def test_every_line_can_be_read_back(site: Site, lines: Lines) -> None:
    """What is written here is what the reader of the log takes for a refusal."""
    problem(site.call("GET", MODEL), 401, "unauthenticated")
    problem(site.user("nobody").get("/v1/models"), 403, "forbidden")

    for line in lines.stream.getvalue().splitlines():
        assert msgspec.json.decode(line, type=RefusalLine).action.startswith("smas:")
    assert len(lines.read()) == 2
