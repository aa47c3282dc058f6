"""Metrics of the API: in each request's line, with dimensions that are known beforehand."""

from __future__ import annotations

import json
import logging
from dataclasses import dataclass
from hashlib import sha256
from typing import TYPE_CHECKING, Any

import pytest

from service.errors import RefusedByAws, Throttled
from service.logs import SafeJsonFormatter
from service.web.operations import View
from tests import emf

if TYPE_CHECKING:
    from tests.web.conftest import Site

M = "/v1/models/fraud/m"


@dataclass
class Lines:
    """The lines of requests, as the service writes them."""

    caplog: pytest.LogCaptureFixture

    def __call__(self) -> list[dict[str, Any]]:
        """Those since the last time, each checked."""
        formatter = SafeJsonFormatter()
        records = [record for record in self.caplog.records if record.name == "service.request"]
        lines = [json.loads(formatter.format(record)) for record in records]
        assert not [record for record in self.caplog.records if record.name == "service.metrics"]
        self.caplog.clear()
        for line in lines:
            emf.check(line)
        return lines

    def last(self) -> dict[str, Any]:
        """The last of them."""
        return self()[-1]


@pytest.fixture
def lines(caplog: pytest.LogCaptureFixture) -> Lines:
    """The lines of this test's requests."""
    caplog.set_level(logging.INFO)
    return Lines(caplog)


def test_each_request_is_counted_once_in_its_line(site: Site, lines: Lines) -> None:
    """How long it took and how it ended, in total and by route."""
    site.call("GET", "/healthz")
    (line,) = lines()
    assert (line["Route"], line["Latency"]) == ("healthz", line["duration_ms"])
    assert emf.values(line) == {
        "Requests": 1,
        "Latency": line["duration_ms"],
        "ClientErrors": 0,
        "ServerErrors": 0,
        "Throttled": 0,
    }
    (directive,) = line["_aws"]["CloudWatchMetrics"]
    assert (directive["Namespace"], directive["Dimensions"]) == ("SMAS", [[], ["Route"]])


def test_downloads_are_counted_by_persona(site: Site, lines: Lines) -> None:
    """URLs and the bytes they lead to; nobody's name, team or model is a dimension."""
    user = site.user("ds-fraud")
    user.publish("fraud/m", b"weights", b"more")
    site.verify()
    user.post(f"{M}/versions/1/downloads", {"paths": None})
    line = lines.last()
    assert (line["Route"], line["Persona"]) == ("fetch_files", "data-scientist")
    assert (line["DownloadUrls"], line["DownloadBytes"]) == (2, 11)
    by = {tuple(each["Dimensions"][-1]) for each in line["_aws"]["CloudWatchMetrics"]}
    assert by == {("Route",), ("Persona",)}
    site.user("compliance").get(f"{M}/versions/1/files/file-1.bin")
    line = lines.last()
    assert (line["Persona"], line["DownloadUrls"], line["DownloadBytes"]) == ("compliance", 1, 4)


def test_uploads_and_versions_are_counted_when_they_begin_and_end(site: Site, lines: Lines) -> None:
    """What is stored already, or found open again, has not begun anew."""
    user, big = site.user("ds-fraud"), 64 * 1024 * 1024 + 1
    wanted = [
        {"sha256": sha256(b"x").hexdigest(), "size": 1},
        {"sha256": "b" * 64, "size": big},
    ]
    (_, upload) = user.post(f"{M}/uploads", {"files": wanted}).json["files"]
    line = lines.last()
    assert (line["UploadsBegun"], line["UploadBytesBegun"]) == (2, big + 1)
    user.post(f"{M}/uploads", {"files": wanted[1:]})
    assert "UploadsBegun" not in lines.last()

    path, numbers = f"{M}/uploads/{'b' * 64}", list(range(1, upload["part_count"] + 1))
    asked = user.post(f"{path}/parts", {"upload_id": upload["upload_id"], "numbers": numbers}).json["parts"]
    parts = []
    for part in asked:
        size = min(upload["part_size"], big - (part["number"] - 1) * upload["part_size"])
        etag = site.bucket.send(_Ticket(part["url"]), bytes(size))  # type: ignore[arg-type]  # all it reads
        parts.append({"number": part["number"], "etag": etag})
    user.post(f"{path}/complete", {"upload_id": upload["upload_id"], "parts": parts})
    line = lines.last()
    assert (line["UploadsCompleted"], line["UploadBytesCompleted"]) == (1, big)

    draft = {"files": user.upload("fraud/m", b"weights")}
    for created in (True, False):
        user.post(f"{M}/versions", draft, headers={"Idempotency-Key": "k"})
        assert lines.last().get("VersionsPublished") == (1 if created else None)


@dataclass
class _Ticket:
    url: str
    headers: tuple[()] = ()


def test_refusals_say_who_refused(site: Site, lines: Lines) -> None:
    """The service, on which route; AWS; a wrong path is no refusal."""
    site.user("ds-nlp").get(f"{M}/versions")
    line = lines.last()
    assert (line["Route"], line["RefusedByService"], line["ClientErrors"]) == ("list_versions", 1, 1)
    site.call("GET", "/v1/whoami")
    assert lines.last()["RefusedByService"] == 1
    site.user("ds-fraud").get(M)
    assert "RefusedByService" not in lines.last()


@pytest.mark.parametrize(
    ("error", "counted"),
    [
        (RefusedByAws("no"), {"ClientErrors": 1, "RefusedByAws": 1}),
        (Throttled("later"), {"ClientErrors": 1, "Throttled": 1}),
        (ZeroDivisionError(), {"ServerErrors": 1}),
    ],
    ids=["refused", "throttled", "bug"],
)
def test_errors_are_counted_by_class(
    site: Site, lines: Lines, monkeypatch: pytest.MonkeyPatch, error: Exception, counted: dict[str, int]
) -> None:
    """4xx, of which 429 is one, and 5xx."""

    def fails(*_: object, **__: object) -> None:
        raise error

    monkeypatch.setattr(site.workspaces, "open", fails)
    site.user("ds-fraud").get(M)
    found = {name: value for name, value in emf.values(lines.last()).items() if value and name != "Latency"}
    assert found == {"Requests": 1, **counted}


def test_dimensions_are_known_beforehand(site: Site, lines: Lines) -> None:
    """Whatever is asked for: a route is an operation's name, or `none`."""
    for method, path in (
        ("GET", "/nothing/like/it"),
        ("GET", "/v1/models/fraud/" + "x" * 300),
        ("DELETE", "/healthz"),
        ("BREW", "/healthz"),
        ("GET", f"{M}/versions/1/files/%F0%9F%92%A3"),
    ):
        site.user("ds-fraud")(method, path)
    views = [view for view in site.app.view_functions.values() if isinstance(view, View)]
    names = {view.function.__name__ for view in views}
    found = {line["Route"] for line in lines()}
    assert found <= names | {"none"}
    assert found == {"none", "read_model", "fetch_file"}
