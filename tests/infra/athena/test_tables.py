"""The tables: which files they reach, and how they take them apart."""

from __future__ import annotations

import re

import pytest
from sqlglot import exp

from tests.fakes.audit import FakeTrailFiles
from tests.infra.athena.calls import FRAUD, NOON, on_object
from tests.infra.athena.serde import definition
from tests.infra.athena.templates import rendered

FOLDER = "s3://trail-bucket/AWSLogs/111122223333/CloudTrail"
ACCESS_FOLDER = "s3://smas-access-logs/s3/111122223333/eu-central-1/model-bucket"


def test_the_trail_s_own_files_are_reached() -> None:
    """Under the day they were delivered on, as CloudTrail lays them down."""
    files = FakeTrailFiles()
    key = files.log(NOON, [])

    partition = definition(rendered("cloudtrail_table")).partition_of(f"s3://trail-bucket/{key}")

    assert partition == {"region": "eu-central-1", "day": "2026/11/24"}


def test_a_trail_with_a_prefix_is_reached() -> None:
    """The prefix stands before AWSLogs, with its slash."""
    table = definition(rendered("cloudtrail_table", prefix="audit/"))

    assert table.partition_of(f"{FOLDER}/eu-central-1/2026/11/24/x.json.gz") is None
    reached = FOLDER.replace("AWSLogs", "audit/AWSLogs")
    assert table.partition_of(f"{reached}/eu-central-1/2026/11/24/x.json.gz") is not None


@pytest.mark.parametrize(
    "url",
    [
        f"{FOLDER}-Digest/eu-central-1/2026/11/24/x.json.gz",
        f"{FOLDER}/eu-west-1/2026/11/24/x.json.gz",
        f"{FOLDER}/eu-central-1/2024/12/31/x.json.gz",
        f"{FOLDER}/eu-central-1/2026/11/24/deeper/x.json.gz",
        FOLDER.replace("1111", "2222") + "/eu-central-1/2026/11/24/x.json.gz",
        FOLDER.replace("trail-bucket", "other") + "/eu-central-1/2026/11/24/x.json.gz",
    ],
)
def test_other_files_are_not(url: str) -> None:
    """Neither digests nor other accounts, regions that were not asked for, or days before the first."""
    assert definition(rendered("cloudtrail_table")).partition_of(url) is None


def test_every_member_of_a_record_has_a_column() -> None:
    """Nothing of what the local CloudTrail writes is lost, down to the members of the identity."""
    table = definition(rendered("cloudtrail_table"))
    record = on_object("GetObject", f"cards/{FRAUD}.json")

    unknown = {name.lower() for name in record} - set(table.columns) - {"managementevent"}
    assert not unknown
    assert _members(record["userIdentity"]) <= _fields(table.columns["useridentity"])


def test_a_definition_projects_each_of_its_partitions() -> None:
    """By day, in the pattern of the folders, from the first day until now."""
    for name in ("cloudtrail_table", "access_log_table"):
        table = definition(rendered(name))
        given = table.properties
        assert given["projection.enabled"] == "true"
        assert (given["projection.day.type"], given["projection.day.format"]) == ("date", "yyyy/MM/dd")
        assert (given["projection.day.interval"], given["projection.day.interval.unit"]) == ("1", "DAYS")
        assert given["projection.day.range"] == "2025/01/01,NOW"
        for partition in table.partitions:
            assert f"${{{partition}}}" in given["storage.location.template"]
            assert f"projection.{partition}.type" in given


OWNER = "79a59df900b949e55d96a1e698fbacedfd6e09d98eacf8f8d5218e7cd47ef2be"
LINE = (
    f"{OWNER} model-bucket [24/Nov/2026:12:00:38 +0000] 192.0.2.3"
    " arn:aws:sts::111122223333:assumed-role/smas-data-scientist/ds-fraud 3E57427F33A59F07 REST.GET.OBJECT"
    " blobs/fraud/credit-risk/part%25201"
    ' "GET /blobs/fraud/credit-risk/part%201?versionId=x HTTP/1.1" 200 - 1000 1000 12 10 "-"'
    ' "smas/0.1 (linux; x86_64)" x'
)
TAIL = (
    " 9vKBE6vMhrNiWHZmb2L0mXOcqPGzQOI5XLnCtZNPxev+Hf= SigV4 ECDHE-RSA-AES128-GCM-SHA256 QueryString"
    " model-bucket.s3.eu-central-1.amazonaws.com TLSv1.3 - Yes"
)


@pytest.mark.parametrize("tail", ["", TAIL, f"{TAIL} eu-central-1", f"{TAIL} eu-central-1 and more to come"])
def test_a_line_of_the_access_log_is_taken_apart(tail: str) -> None:
    """Whole fields in the columns of their names, in older lines as well as in ones that grew."""
    row = _access_log_row(LINE + tail)

    assert row["requestdatetime"] == "24/Nov/2026:12:00:38 +0000"
    assert row["requester"] == "arn:aws:sts::111122223333:assumed-role/smas-data-scientist/ds-fraud"
    assert row["operation"] == "REST.GET.OBJECT"
    assert row["key"] == "blobs/fraud/credit-risk/part%25201"
    assert row["request_uri"] == '"GET /blobs/fraud/credit-risk/part%201?versionId=x HTTP/1.1"'
    assert (row["httpstatus"], row["errorcode"], row["bytessent"]) == ("200", "-", "1000")
    assert (row["referrer"], row["useragent"]) == ('"-"', '"smas/0.1 (linux; x86_64)"')
    assert row["versionid"] == "x"
    assert row["authtype"] == ("QueryString" if tail else None)
    assert row["aclrequired"] == ("Yes" if tail else None)


def test_a_line_that_is_no_record_is_a_row_of_nulls() -> None:
    """Then nobody takes half of it for a fact."""
    assert set(_access_log_row("no such line").values()) == {None}


def test_access_logs_of_the_store_s_bucket_are_reached() -> None:
    """In the folders that date-partitioned delivery makes."""
    table = definition(rendered("access_log_table"))
    name = "2026-11-24-00-00-00-0123456789ABCDEF"

    assert table.partition_of(f"{ACCESS_FOLDER}/2026/11/24/{name}") == {"day": "2026/11/24"}
    assert table.partition_of(f"{ACCESS_FOLDER}/{name}") is None


def _access_log_row(line: str) -> dict[str, str | None]:
    """What the RegexSerDe makes of a line: it must match as a whole, groups are columns in order."""
    table = definition(rendered("access_log_table"))
    expression = re.compile(table.properties["input.regex"])
    assert expression.groups == len(table.columns)
    found = expression.fullmatch(line)
    return dict(zip(table.columns, found.groups() if found else (None,) * len(table.columns), strict=True))


def _members(value: dict[str, object], path: str = "") -> set[str]:
    found = set()
    for name, each in value.items():
        found.add(f"{path}{name.lower()}")
        if isinstance(each, dict):
            found |= _members(each, f"{path}{name.lower()}.")
    return found


def _fields(kind: exp.DataType, path: str = "") -> set[str]:
    found = set()
    for each in kind.expressions:
        found.add(f"{path}{each.name}")
        if each.args["kind"].is_type(exp.DType.STRUCT):
            found |= _fields(each.args["kind"], f"{path}{each.name}.")
    return found
