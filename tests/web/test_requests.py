"""Requests in general: one error shape, strict bodies, limits from both sides, ids and headers."""

from __future__ import annotations

import io
import json
import logging
from typing import TYPE_CHECKING, Any

import pytest

from service.errors import Throttled, Unavailable
from service.web.bodies import MAX_BODY_BYTES
from tests.web.conftest import problem

if TYPE_CHECKING:
    from tests.web.conftest import Response, Site

UPLOADS = "/v1/models/fraud/m/uploads"


def test_unknown_routes_and_methods_are_problems(site: Site) -> None:
    """404 and, with Allow, 405, in the one shape."""
    problem(site.call("GET", "/v2/anything"), 404, "not_found")
    problem(site.call("GET", "/v1/models/"), 404, "not_found")
    problem(site.call("GET", "/v1//models"), 404, "not_found")
    response = site.user("ds-fraud")("DELETE", "/v1/models")
    problem(response, 405, "method_not_allowed")
    assert set(response.headers["Allow"].split(", ")) == {"GET", "HEAD"}


@pytest.mark.parametrize(
    "path", ["/healthz", "/v1/models", "/v1/models/fraud/m/versions/1/files/file-0.bin", "/no"]
)
def test_head_is_get_without_its_body(site: Site, path: str) -> None:
    """RFC 9110: the same status and headers, for answers, redirects and problems."""
    user, told = site.user("ds-fraud"), {"X-Request-Id": "the-same"}
    user.publish("fraud/m")
    site.verify()
    read, looked = user.get(path, headers=told), user("HEAD", path, headers=told)
    assert (looked.status_code, looked.data) == (read.status_code, b"")
    assert dict(looked.headers) == dict(read.headers)


@pytest.mark.parametrize(
    ("body", "content_type"),
    [
        (b"", "application/json"),
        (b"{", "application/json"),
        (b'{"files": [NaN]}', "application/json"),
        (b'{"files": [Infinity]}', "application/json"),
        (b"\xff\xfe", "application/json"),
        (b'"\xff"', "application/json"),
        (b"[" * 100_000, "application/json"),
        (b"{}", "text/plain"),
        (b"{}", "application/x-www-form-urlencoded"),
        (b"{}", None),
    ],
)
def test_what_is_no_json_is_400(site: Site, body: bytes, content_type: str | None) -> None:
    """Broken JSON, NaN and infinities, bad UTF-8, absurd nesting and other content types."""
    response = site.user("ds-fraud")("POST", UPLOADS, data=body, content_type=content_type)
    problem(response, 400, "invalid_request")


@pytest.mark.parametrize(
    ("body", "location"),
    [
        ({}, "body"),
        ([], "body"),
        ({"files": {}}, "files"),
        ({"files": [{"sha256": "a" * 64}]}, "files[0]"),
        ({"files": [{"sha256": "a" * 64, "size": "1"}]}, "files[0].size"),
        ({"files": [{"sha256": "a" * 64, "size": True}]}, "files[0].size"),
        ({"files": [{"sha256": "a" * 64, "size": 1.5}]}, "files[0].size"),
        ({"files": [{"sha256": None, "size": 1}]}, "files[0].sha256"),
        ({"files": [{"sha256": "A" * 64, "size": 1}]}, "files[0].sha256"),
        ({"files": [{"sha256": "a" * 63, "size": 1}]}, "files[0].sha256"),
        ({"files": [{"sha256": "a" * 64, "size": -1}]}, "files[0].size"),
        ({"files": [{"sha256": "a" * 64, "size": 1, "path": "x"}]}, "files[0]"),
        ({"files": [], "more": 1}, "body"),
    ],
)
def test_what_is_wrong_is_422_and_names_the_place(site: Site, body: Any, location: str) -> None:
    """Missing, mistyped, misspelt and out-of-range fields are each named."""
    told = problem(site.user("ds-fraud").post(UPLOADS, body), 422, "validation_failed")
    assert location in [fault["location"] for fault in told["errors"]]


@pytest.mark.parametrize(
    "body",
    [
        '{"version": 1, "version": 2}',
        '{"version": 2, "version": 2}',
        '{"version": 2, "expected_version": null, "expected_version": 1}',
        '{"version": 2, "\\u0076ersion": 1}',
    ],
)
def test_a_key_that_stands_twice_is_422(site: Site, body: str) -> None:
    """Which value is meant nobody knows: what checks requests on their way may read the other one."""
    user, path = site.user("ds-fraud"), "/v1/models/fraud/m/aliases/champion"
    user.publish("fraud/m")
    user.publish("fraud/m")
    response = user("PUT", path, data=body, content_type="application/json")
    told = problem(response, 422, "validation_failed")
    assert "stands twice" in told["errors"][0]["message"]
    problem(user.get(path), 404, "not_found")


def test_a_body_may_weigh_one_mebibyte_and_no_more(site: Site) -> None:
    """The limit from both sides, announced and chunked."""
    user = site.user("ds-fraud")
    padding = MAX_BODY_BYTES - len(b'{"files": []}')
    fits = b'{"files": []}' + b" " * padding
    problem(user("POST", UPLOADS, data=fits, content_type="application/json"), 422, "validation_failed")
    over = fits + b" "
    problem(user("POST", UPLOADS, data=over, content_type="application/json"), 413, "payload_too_large")


def test_a_body_of_unannounced_length_is_not_cut_but_refused(site: Site) -> None:
    """Sent in chunks, a body over the limit is 413 too, even where its first mebibyte is good JSON."""
    user = site.user("ds-fraud")

    def send(body: bytes) -> Response:
        return user(
            "POST",
            UPLOADS,
            input_stream=io.BytesIO(body),
            content_type="application/json",
            environ_overrides={"wsgi.input_terminated": True},
        )

    fits = b'{"files": []}'.ljust(MAX_BODY_BYTES)
    problem(send(fits), 422, "validation_failed")
    problem(send(fits + b" "), 413, "payload_too_large")
    problem(send(fits * 3), 413, "payload_too_large")


@pytest.mark.parametrize("limit", ["0", "1001", "-1", "x", "1.0", "", "\u0661", "00000000001"])
def test_limits_beyond_the_bounds_are_422(site: Site, limit: str) -> None:
    """1 to 1,000, in plain digits."""
    response = site.user("ds-fraud").get("/v1/models", query_string={"limit": limit})
    problem(response, 422, "validation_failed")


@pytest.mark.parametrize("limit", ["1", "1000"])
def test_limits_within_the_bounds_are_taken(site: Site, limit: str) -> None:
    """The smallest and the largest page."""
    assert site.user("ds-fraud").get("/v1/models", query_string={"limit": limit}).status_code == 200


def test_a_page_holds_a_hundred_unless_asked_otherwise(site: Site) -> None:
    """The rest is where next_cursor leads."""
    user, path = site.user("ds-fraud"), "/v1/models/fraud/m/aliases"
    user.publish("fraud/m")
    for number in range(101):
        assert user("PUT", f"{path}/a{number:03}", json={"version": 1}).status_code == 200
    first = user.get(path).json
    assert [item["alias"] for item in first["items"]] == [f"a{number:03}" for number in range(100)]
    rest = user.get(path, query_string={"cursor": first["next_cursor"]}).json
    assert ([item["alias"] for item in rest["items"]], rest["next_cursor"]) == (["a100"], None)
    assert len(user.get(path, query_string={"limit": "101"}).json["items"]) == 101


@pytest.mark.parametrize("cursor", ["", "x", "é", "====", "Tm9uc2Vuc2U", "Li4vLi4v", "//8"])
@pytest.mark.parametrize(
    "path",
    [
        "/v1/models",
        "/v1/models/fraud/m/versions",
        "/v1/models/fraud/m/aliases",
        "/v1/models/fraud/m/aliases/champion/history",
        UPLOADS,
    ],
)
def test_cursors_we_never_gave_are_422(site: Site, path: str, cursor: str) -> None:
    """A cursor is a next_cursor of the same list."""
    site.user("ds-fraud").publish("fraud/m")
    problem(site.user("ds-fraud").get(path, query_string={"cursor": cursor}), 422, "validation_failed")


@pytest.mark.parametrize(
    ("path", "location"),
    [
        ("/v1/models/FRAUD/m", "team"),
        ("/v1/models/-fraud/m", "team"),
        (f"/v1/models/{'f' * 40}/m", "team"),
        ("/v1/models/fraud/.m", "model"),
        (f"/v1/models/fraud/{'m' * 97}", "model"),
        ("/v1/models/fraud/m%20m", "model"),
        ("/v1/models/fraud/m/versions/UPPER", "ref"),
        ("/v1/models/fraud/m/versions/0", "ref"),
        ("/v1/models/fraud/m/versions/-1", "ref"),
        ("/v1/models/fraud/m/versions/01", "ref"),
        ("/v1/models/fraud/m/aliases/latest", "alias"),
        ("/v1/models/fraud/m/aliases/9", "alias"),
        ("/v1/models/fraud/m/aliases/champion?at=yesterday", "at"),
        ("/v1/models/fraud/m/uploads/xyz/parts?upload_id=u", "sha256"),
        (f"/v1/models/fraud/m/uploads/{'a' * 64}/parts", "upload_id"),
        ("/v1/models/fraud/m/versions/1/file", "path"),
        ("/v1/models/fraud/m/versions/1/file?path=x&redirect=maybe", "redirect"),
        ("/v1/models?team=UPPER", "team"),
        (f"/v1/models?prefix={'m' * 97}", "prefix"),
        ("/v1/models?prefix=fraud/m", "prefix"),
        ("/v1/models?prefix=-", "prefix"),
        ("/v1/models?prefix=%FF", "prefix"),
    ],
)
def test_names_that_cannot_be_are_422(site: Site, path: str, location: str) -> None:
    """Teams, models, references, aliases, digests, times and flags, each named."""
    told = problem(site.user("ds-fraud").get(path), 422, "validation_failed")
    assert [fault["location"] for fault in told["errors"]] == [location]


@pytest.mark.parametrize("prefix", ["", "m", "9", "M._-", "m" * 96])
def test_prefixes_that_can_be_are_asked_for(site: Site, prefix: str) -> None:
    """Whatever a model's name may begin with, however long."""
    user = site.user("ds-fraud")
    user.publish(f"fraud/{prefix or 'any'}")
    found = user.get("/v1/models", query_string={"prefix": prefix}).json["items"]
    assert [model["name"] for model in found] == [prefix or "any"]


def test_every_answer_carries_the_callers_request_id_if_well_formed(site: Site) -> None:
    """One that is not is replaced, so that nothing foreign gets into headers and logs."""
    given = site.call("GET", "/healthz", headers={"X-Request-Id": "from-me.1"}).headers["X-Request-Id"]
    assert given == "from-me.1"
    for bad in ("", "a b", "x" * 129, 'quote"', "é"):
        made = site.call("GET", "/healthz", headers={"X-Request-Id": bad}).headers["X-Request-Id"]
        assert made != bad
        assert len(made) == 32


def test_answers_are_private_and_typed(site: Site) -> None:
    """No cache may keep them, no browser may guess their type."""
    for response in (site.call("GET", "/healthz"), site.user("ds-fraud").get("/v1/whoami")):
        assert response.headers["Cache-Control"] == "no-store"
        assert response.headers["X-Content-Type-Options"] == "nosniff"
        assert response.mimetype == "application/json"


def test_each_request_is_one_log_line(site: Site, caplog: pytest.LogCaptureFixture) -> None:
    """Who, what, how it ended and how long it took; not the query, which is nobody's business."""
    caplog.set_level(logging.INFO)
    site.user("ds-fraud").get("/v1/models/fraud/m?secret=1", headers={"X-Request-Id": "r1"})
    (record,) = [record for record in caplog.records if record.name == "service.request"]
    line = vars(record)
    assert line["route"] == "/v1/models/<team>/<model>"
    assert (line["method"], line["status"], line["model"]) == ("GET", 404, "fraud/m")
    assert (line["principal"], line["subject"], line["role"]) == (
        "ds-fraud",
        "sub-of-ds-fraud",
        "data-scientist",
    )
    assert line["duration_ms"] >= 0
    assert "secret" not in str(line)


def test_a_bug_answers_500_with_nothing_of_it(site: Site, caplog: pytest.LogCaptureFixture) -> None:
    """The body names the request id, the log has the traceback."""
    site.bucket.put("cards/fraud/m.json", b"junk that no decoder takes")
    response = site.user("ds-fraud").get("/v1/models/fraud/m")
    told = problem(response, 500, "internal")
    assert "junk" not in response.text
    assert told["request_id"] in told["detail"]
    assert any(record.exc_info for record in caplog.records)


@pytest.mark.parametrize(
    ("error", "status", "code"),
    [(Throttled("later"), 429, "throttled"), (Unavailable("later"), 503, "storage_unavailable")],
    ids=["throttled", "unavailable"],
)
def test_who_is_to_come_back_is_told_when(
    site: Site, monkeypatch: pytest.MonkeyPatch, error: Exception, status: int, code: str
) -> None:
    """Retry-After, in whole seconds."""

    def fails(*_: object) -> None:
        raise error

    monkeypatch.setattr(site.workspaces, "open", fails)
    response = site.user("ds-fraud").get("/v1/models/fraud/m")
    problem(response, status, code)
    assert int(response.headers["Retry-After"]) > 0


def test_one_unreadable_record_does_not_take_the_list_away(site: Site) -> None:
    """What somebody wrote past the service is left out of lists; the rest stays."""
    site.user("ds-fraud").publish("fraud/good")
    site.bucket.put("cards/fraud/bad.json", b"junk")
    site.bucket.put("cards/fraud/odd/key.json", b"{}")
    for name in ("ds-fraud", "compliance"):
        assert [item["name"] for item in site.user(name).get("/v1/models").json["items"]] == ["good"]


def test_health_and_readiness(site: Site) -> None:
    """The process runs; it is ready when what it needs answers, and says what does not."""
    assert site.call("GET", "/healthz").json == {"status": "ok"}
    assert site.call("GET", "/readyz").json == {"status": "ready", "failing": {}}
    site.readiness.broken = {"sts": "STS cannot be reached"}
    response = site.call("GET", "/readyz")
    assert response.status_code == 503
    assert json.loads(response.data)["failing"] == {"sts": "STS cannot be reached"}
    assert response.headers["Retry-After"]
