"""Uploads, versions, downloads and aliases as they look over HTTP."""

from __future__ import annotations

import json
import time
from hashlib import sha256
from typing import TYPE_CHECKING, Any

import pytest
import rfc8785

from tests.web.conftest import problem

if TYPE_CHECKING:
    from tests.web.conftest import Response, Site, User

M = "/v1/models/fraud/m"
BIG = 64 * 1024 * 1024 + 1
VERSION_FIELDS = {
    "model",
    "version",
    "revision",
    "state",
    "reason",
    "created_at",
    "created_by",
    "message",
    "metadata",
    "files",
    "total_size",
}


def test_the_answers_to_an_upload_are_as_the_contract_says(site: Site) -> None:
    """stored, single and multipart, each with its fields, in the order asked."""
    user = site.user("ds-fraud")
    user.publish("fraud/m", b"held")
    site.verify()
    wanted = [
        {"sha256": sha256(b"held").hexdigest(), "size": 4},
        {"sha256": "a" * 64, "size": 5},
        {"sha256": "b" * 64, "size": BIG},
    ]
    stored, single, multipart = user.post(f"{M}/uploads", {"files": wanted}).json["files"]
    assert stored == {**wanted[0], "state": "stored"}
    assert set(single) == {"sha256", "size", "state", "method", "url", "headers", "expires_at"}
    assert (single["state"], single["method"]) == ("single", "PUT")
    assert "x-amz-checksum-sha256" in single["headers"]
    assert set(multipart) == {"sha256", "size", "state", "upload_id", "part_size", "part_count"}
    assert multipart["part_count"] == -(-BIG // multipart["part_size"]) >= 2


def test_a_multipart_upload_over_http(site: Site) -> None:
    """Open uploads, parts, tickets and completion, with pages; what is wrong is named where it stands."""
    user, digest = site.user("ds-fraud"), "b" * 64
    (upload,) = user.post(f"{M}/uploads", {"files": [{"sha256": digest, "size": BIG}]}).json["files"]
    upload_id, count = upload["upload_id"], upload["part_count"]
    listed = user.get(f"{M}/uploads").json
    assert listed["next_cursor"] is None
    assert listed["items"][0] == {
        **{k: v for k, v in upload.items() if k != "state"},
        "created_by": "ds-fraud",
        "created_at": listed["items"][0]["created_at"],
    }
    path = f"{M}/uploads/{digest}"
    asked = user.post(f"{path}/parts", {"upload_id": upload_id, "numbers": list(range(1, count + 1))}).json
    assert set(asked) == {"parts", "expires_at"}
    parts = []
    for part in asked["parts"]:
        assert set(part) == {"number", "url", "headers"}
        size = min(upload["part_size"], BIG - (part["number"] - 1) * upload["part_size"])
        etag = site.bucket.send(_Ticket(part["url"]), bytes(size))  # type: ignore[arg-type]
        parts.append({"number": part["number"], "etag": etag})
    first = user.get(f"{path}/parts?upload_id={upload_id}&limit=1").json
    rest = user.get(f"{path}/parts?upload_id={upload_id}&cursor={first['next_cursor']}").json
    assert [(p["number"], p["etag"]) for p in first["items"] + rest["items"]] == [
        (p["number"], p["etag"]) for p in parts
    ]
    for place in (0, 2):
        listed = parts[::-1]
        listed[place] = {**listed[place], "etag": "0"}
        wrong = {"upload_id": upload_id, "parts": listed}
        told = problem(user.post(f"{path}/complete", wrong), 409, "upload_mismatch")
        assert [fault["location"] for fault in told["errors"]] == [f"parts[{place}]"]
    more = {"upload_id": upload_id, "parts": [*parts, {"number": count + 1, "etag": "0"}]}
    told = problem(user.post(f"{path}/complete", more), 409, "upload_mismatch")
    assert told["errors"] == [{"location": f"parts[{count}]", "message": f"the upload has {count} parts"}]
    for _ in range(2):
        done = user.post(f"{path}/complete", {"upload_id": upload_id, "parts": parts})
        assert (done.status_code, done.json) == (200, {"sha256": digest, "size": BIG, "state": "received"})
    problem(user("DELETE", f"{path}?upload_id={upload_id}"), 404, "not_found")


class _Ticket:
    """What the fake bucket reads of a ticket."""

    def __init__(self, url: str) -> None:
        self.url = url


@pytest.mark.parametrize(("numbers", "fits"), [([], False), ([1] * 1000, True), ([1] * 1001, False)])
def test_part_numbers_come_by_the_thousand(site: Site, numbers: list[int], *, fits: bool) -> None:
    """1 to 1,000 at once."""
    user = site.user("ds-fraud")
    (upload,) = user.post(f"{M}/uploads", {"files": [{"sha256": "b" * 64, "size": BIG}]}).json["files"]
    body = {"upload_id": upload["upload_id"], "numbers": numbers}
    response = user.post(f"{M}/uploads/{'b' * 64}/parts", body)
    if fits:
        assert len(response.json["parts"]) == 1000
    else:
        problem(response, 422, "validation_failed")


def test_an_aborted_upload_is_gone(site: Site) -> None:
    """204, and then there is none."""
    user = site.user("ds-fraud")
    (upload,) = user.post(f"{M}/uploads", {"files": [{"sha256": "b" * 64, "size": BIG}]}).json["files"]
    path = f"{M}/uploads/{'b' * 64}?upload_id={upload['upload_id']}"
    done = user("DELETE", path)
    assert (done.status_code, done.data) == (204, b"")
    problem(user("DELETE", path), 404, "not_found")


def test_a_published_version_is_as_the_contract_says(site: Site) -> None:
    """201, Location, every field, and a revision that anybody can recompute from the answer."""
    user = site.user("ds-fraud")
    files = user.upload("fraud/m", b"one", b"three")
    draft = {"files": files, "message": "first", "metadata": {"metrics": {"auc": 0.91}, "free": [1, None]}}
    response = user.post(f"{M}/versions", draft)
    version = response.json
    assert response.status_code == 201
    assert response.headers["Location"] == f"{M}/versions/1"
    assert set(version) == VERSION_FIELDS
    assert (version["model"], version["version"], version["state"]) == ("fraud/m", 1, "verifying")
    assert (version["created_by"], version["message"]) == ("ds-fraud", "first")
    assert version["total_size"] == 8
    vouched = {
        k: version[k]
        for k in ("model", "version", "created_at", "created_by", "message", "metadata", "files")
    }
    assert version["revision"] == sha256(rfc8785.dumps(vouched)).hexdigest()
    assert user.get(response.headers["Location"]).json == version


def test_versions_are_listed_newest_first(site: Site) -> None:
    """Short forms, in pages; a model without any is not found."""
    user = site.user("ds-fraud")
    problem(user.get(f"{M}/versions"), 404, "not_found")
    for n in range(5):
        user.publish("fraud/m", b"x", message=str(n))
    page = user.get(f"{M}/versions?limit=3").json
    rest = user.get(f"{M}/versions?limit=3&cursor={page['next_cursor']}").json
    items = page["items"] + rest["items"]
    assert [item["version"] for item in items] == [5, 4, 3, 2, 1]
    assert set(items[0]) == VERSION_FIELDS - {"files", "metadata"} | {"file_count"}
    assert rest["next_cursor"] is None


def test_an_idempotency_key_answers_200_with_the_same_version(site: Site) -> None:
    """201 the first time, 200 afterwards, 409 with another body."""
    user = site.user("ds-fraud")
    files = user.upload("fraud/m", b"x")
    key = {"Idempotency-Key": "job 42"}
    first = user.post(f"{M}/versions", {"files": files}, headers=key)
    site.verify()
    second = user.post(f"{M}/versions", {"files": files}, headers=key)
    assert (first.status_code, second.status_code) == (201, 200)
    assert {**first.json, "state": "available"} == second.json
    other = user.post(f"{M}/versions", {"files": files, "message": "other"}, headers=key)
    problem(other, 409, "conflict")
    problem(
        user.post(f"{M}/versions", {"files": files}, headers={"Idempotency-Key": "x" * 129}),
        422,
        "validation_failed",
    )


def test_missing_bytes_are_named(site: Site) -> None:
    """409 with each file whose bytes were never uploaded."""
    draft = {
        "files": [{"path": "a", "sha256": "a" * 64, "size": 1}, {"path": "b", "sha256": "b" * 64, "size": 1}]
    }
    told = problem(site.user("ds-fraud").post(f"{M}/versions", draft), 409, "blob_missing")
    assert [fault["location"] for fault in told["errors"]] == ["files[0]", "files[1]"]


@pytest.mark.parametrize(
    ("change", "location"),
    [
        ({"files": []}, "files"),
        ({"files": [{"path": "../x", "sha256": "a" * 64, "size": 1}]}, "files[0].path"),
        ({"metadata": {"big": "x" * 65_536}}, "metadata"),
        ({"metadata": {"n": 2**53}}, "metadata"),
        ({"metadata": []}, "metadata"),
        ({"message": "x" * 4097}, "message"),
    ],
)
def test_drafts_beyond_the_limits_are_422(site: Site, change: dict[str, Any], location: str) -> None:
    """Each names its place."""
    user = site.user("ds-fraud")
    draft = {"files": user.upload("fraud/m", b"x"), **change}
    told = problem(user.post(f"{M}/versions", draft), 422, "validation_failed")
    assert told["errors"][0]["location"] == location


@pytest.mark.parametrize(
    ("metadata", "status", "code"),
    [
        (b'{"a": 1, "a": 2}', 422, "validation_failed"),
        (b'{"a": 18446744073709551617}', 422, "validation_failed"),
        (b'{"a": ' + b"1" * 5000 + b"}", 422, "validation_failed"),
        (b'{"a": 1e400}', 422, "validation_failed"),
        (b"null", 422, "validation_failed"),
        (b'{"a": "\\ud800"}', 400, "invalid_request"),
        (b'{"a": "\xff"}', 400, "invalid_request"),
        (b'{"a": "\xed\xa0\x80"}', 400, "invalid_request"),
        (b'{"a": NaN}', 400, "invalid_request"),
        (b'{"a": ' + b"[" * 5000 + b"]" * 5000 + b"}", 400, "invalid_request"),
    ],
    ids=lambda value: value[:16] if isinstance(value, bytes) else None,
)
def test_metadata_that_would_not_come_back_as_sent_is_refused(
    site: Site, metadata: bytes, status: int, code: str
) -> None:
    """Keys standing twice, numbers JSON cannot carry exactly, what is no UTF-8: nothing is published."""
    user = site.user("ds-fraud")
    told = problem(_published_with(user, metadata), status, code)
    assert "sys." not in told["detail"]
    assert user.get(f"{M}/versions").status_code == 404


def test_metadata_of_many_keys_takes_no_longer_than_others(site: Site) -> None:
    """A mebibyte of short keys, the last of them twice, must not hold a process for minutes."""
    keys = ",".join(f'"{number}":1' for number in range(40_000))
    started = time.process_time()
    problem(
        _published_with(site.user("ds-fraud"), f'{{{keys},"39999":2}}'.encode()), 422, "validation_failed"
    )
    assert time.process_time() - started < 5


def _published_with(user: User, metadata: bytes) -> Response:
    """The answer to a draft whose metadata is written so."""
    files = json.dumps(user.upload("fraud/m", b"x")).encode()
    body = b'{"files": ' + files + b', "metadata": ' + metadata + b"}"
    return user("POST", f"{M}/versions", data=body, content_type="application/json")


def test_downloads_redirect_or_tell_the_url(site: Site) -> None:
    """302 by default, JSON on request, by path or by query; several at once; 423 until verified."""
    user = site.user("ds-fraud")
    odd = "dir/ä b#?%.bin"
    files = [{**user.upload("fraud/m", b"bytes")[0], "path": odd}]
    user.publish("fraud/m", files=files)
    query = {"path": odd}
    early = user.get(f"{M}/versions/1/file", query_string=query)
    problem(early, 423, "quarantined")
    assert early.headers["Retry-After"] == "1"
    site.verify()
    redirected = user.get(f"{M}/versions/1/file", query_string=query)
    assert (redirected.status_code, redirected.data) == (302, b"")
    assert redirected.headers["Location"]
    told = user.get(f"{M}/versions/latest/file", query_string={**query, "redirect": "false"}).json
    assert set(told) == {"url", "sha256", "size", "expires_at"}
    assert site.bucket.fetch(told["url"]) == b"bytes"
    by_path = user.get(f"{M}/versions/1/files/dir/%C3%A4%20b%23%3F%25.bin?redirect=false").json
    assert by_path["sha256"] == told["sha256"]
    for paths in ([odd], None):
        several = user.post(f"{M}/versions/1/downloads", {"paths": paths}).json
        assert set(several) == {"version", "files", "expires_at"}
        assert [set(file) for file in several["files"]] == [{"path", "url", "sha256", "size"}]
    problem(user.get(f"{M}/versions/1/files/none"), 404, "not_found")
    problem(user.post(f"{M}/versions/1/downloads", {"paths": []}), 422, "validation_failed")
    problem(user.get(f"{M}/versions/2/files/{odd}"), 404, "not_found")


def test_urls_are_in_no_log(site: Site, caplog: pytest.LogCaptureFixture) -> None:
    """A presigned URL appears in the answer whose job it is, and nowhere else."""
    user = site.user("ds-fraud")
    user.publish("fraud/m", b"bytes")
    site.verify()
    caplog.set_level("DEBUG")
    url = user.get(f"{M}/versions/1/files/file-0.bin?redirect=false").json["url"]
    assert url
    assert all(
        url not in str(vars(record)) and user.token not in str(vars(record)) for record in caplog.records
    )


def test_aliases_over_http(site: Site) -> None:
    """Set, read, listed, moved with an expectation, travelled in time, removed, remembered."""
    user = site.user("ds-fraud")
    user.publish("fraud/m", b"x")
    user.publish("fraud/m", b"x")
    path = f"{M}/aliases/champion"
    first = user("PUT", path, json={"version": 1, "expected_version": None})
    assert first.status_code == 200
    assert set(first.json) == {"alias", "version", "protected", "updated_at", "updated_by"}
    problem(user("PUT", path, json={"version": 2, "expected_version": None}), 409, "conflict")
    problem(user("PUT", path, json={"version": 2, "expected_version": 2}), 409, "conflict")
    problem(user("PUT", path, json={"version": 2, "expected_versoin": 2}), 422, "validation_failed")
    problem(user("PUT", path, json={"version": 0}), 422, "validation_failed")
    problem(user("PUT", path, json={"version": 2, "expected_version": 0}), 422, "validation_failed")
    problem(user("PUT", path, json={"version": 9}), 404, "not_found")
    assert user("PUT", path, json={"version": 2, "expected_version": 1}).json["version"] == 2
    assert user.get(f"{M}/versions/champion").json["version"] == 2
    assert user.get(f"{path}?at={first.json['updated_at']}").json["version"] in {1, 2}
    problem(user.get(f"{path}?at=2020-01-01T00:00:00%2B02:00"), 404, "not_found")
    assert user.get(f"{path}?at=9999-12-31T23:59:59Z").json["version"] == 2
    problem(user.get("/v1/models/fraud/none/aliases"), 404, "not_found")
    assert [item["alias"] for item in user.get(f"{M}/aliases").json["items"]] == ["champion"]
    assert user("DELETE", path).status_code == 204
    problem(user.get(path), 404, "not_found")
    problem(user("DELETE", path), 404, "not_found")
    told = user.get(f"{path}/history").json["items"]
    assert [item["version"] for item in told] == [None, 2, 1]
    assert set(told[0]) == {"version", "updated_at", "updated_by"}


def test_production_is_the_approvers_alone(site: Site) -> None:
    """From the first day: not the data scientists', not to unverified versions, not one's own."""
    path = f"{M}/aliases/production"
    site.user("ds-fraud").publish("fraud/m", b"x")
    problem(site.user("ds-fraud")("PUT", path, json={"version": 1}), 403, "forbidden")
    problem(site.user("approver-fraud")("PUT", path, json={"version": 1}), 409, "not_approved")
    site.verify()
    assert site.user("approver-fraud")("PUT", path, json={"version": 1}).json["protected"] is True
    problem(site.user("ds-fraud")("DELETE", path), 403, "forbidden")
    problem(
        site.user("approver-fraud")("PUT", f"{M}/aliases/champion", json={"version": 1}), 403, "forbidden"
    )
    both = site.user("ds-and-approver")
    both.publish("fraud/m", b"own")
    site.verify()
    problem(both("PUT", path, json={"version": 2}), 409, "not_approved")


def test_deployers_people_or_machines_fetch_what_production_is(site: Site) -> None:
    """And nothing else: 403 for other versions, 423 until the verifier released it."""
    site.user("ds-fraud").publish("fraud/m", b"x")
    site.verify()
    for name in ("deployer-fraud", "machine"):
        problem(site.user(name).get(f"{M}/versions/1/files/file-0.bin"), 403, "forbidden")
    site.user("approver-fraud")("PUT", f"{M}/aliases/production", json={"version": 1})
    for name in ("deployer-fraud", "machine"):
        problem(site.user(name).get(f"{M}/versions/production/files/file-0.bin"), 423, "quarantined")
    site.verify()
    for name in ("deployer-fraud", "machine"):
        assert site.user(name).get(f"{M}/versions/production/files/file-0.bin").status_code == 302
