"""What a record says, and what it does not make anybody believe."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any
from urllib.parse import quote

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.audit.log_files import Record
from service.audit.records import event_of, outcome_of, place_in
from service.domain.audit import AuditEvent, Outcome, Source
from service.domain.files import fault_in_path
from service.domain.names import ModelId
from service.registry import downloads, keys
from tests.fakes.audit import ACCOUNT, STORE
from tests.fakes.trail_records import s3_record, session_identity

NOON = datetime(2026, 11, 24, 12, tzinfo=UTC)
MODEL = ModelId("fraud", "credit-risk")
DIGEST = "687d24059903766ef66d6f7e0775924321928d0214d5b1d0281498e6e6acb2e6"
BLOB = keys.blob(MODEL, DIGEST)


def event(record: dict[str, Any]) -> AuditEvent:
    """The event in a record, by way of its JSON."""
    return event_of(msgspec.json.decode(msgspec.json.encode(record), type=Record), STORE)


def fetched(key: str, disposition: str) -> AuditEvent:
    """A read with a presigned URL that saves under a name."""
    return event(s3_record(NOON, "id", key, parameters={"response-content-disposition": disposition}))


def test_a_download_tells_everything() -> None:
    """Who, in which role, what of which version, how, how much, from where."""
    disposition = downloads._disposition(MODEL, 3, "größe/modell ü.bin")
    assert fetched(BLOB, disposition) == AuditEvent(
        event_id="id",
        time=NOON,
        actor="ds-fraud",
        subject="sub-of-ds-fraud",
        role="data-scientist",
        action="s3:GetObject",
        key=BLOB,
        model="fraud/credit-risk",
        version=3,
        path="größe/modell ü.bin",
        sha256=DIGEST,
        bytes=4711,
        outcome=Outcome.SUCCESS,
        error_code=None,
        source_ip="192.0.2.7",
        user_agent="[Boto3/1.44.5]",
        auth_method="AuthHeader",
        request_id="request-id",
        source=Source.CLOUDTRAIL,
    )


PATHS = st.text(
    st.characters(codec="utf-8", exclude_categories=["Cc", "Cs"], exclude_characters="\\"),
    min_size=1,
    max_size=40,
).filter(lambda path: fault_in_path(path) is None)


@given(st.integers(1, 999_999_999), PATHS)
def test_what_a_download_signs_is_read_back(version: int, path: str) -> None:
    """Every path that can be published, as it stands in the query and as it stands percent-encoded there."""
    disposition = downloads._disposition(MODEL, version, path)
    for text in (disposition, quote(disposition, safe=""), quote(disposition)):
        found = fetched(BLOB, text)
        assert (found.version, found.path) == (version, path)


@pytest.mark.parametrize(
    "disposition",
    [
        'attachment; filename="x"; smas="nlp/secret/3/weights.bin"',
        'attachment; filename="x"; smas="fraud/credit-risk-2/3/weights.bin"',
        'attachment; filename="x"; smas="fraud/credit-risk/03/weights.bin"',
        'attachment; filename="x"; smas="fraud/credit-risk/0/weights.bin"',
        'attachment; filename="x"; smas="fraud/credit-risk/1/../../../etc/passwd"',
        'attachment; filename="x"; smas="fraud/credit-risk/1/%ff"',
        'attachment; filename="x"; smas="fraud/credit-risk/1/%0Aforged"',
        'attachment; filename="x"; smas="fraud/credit-risk/1/"',
        'attachment; filename="x"; smas="fraud/credit-risk/1/a"; smas="fraud/credit-risk/2/a"',
        'attachment; filename="x"; smas="fraud/credit-risk/1/a"; filename="y"',
        'attachment; filename="; smas=fraud/credit-risk/1/a"',
        "attachment",
        "",
        "%",
        '; smas=""',
    ],
)
def test_a_name_to_save_under_that_nobody_here_wrote_is_not_believed(disposition: str) -> None:
    """The model and digest are the key's; version and path stay unknown."""
    found = fetched(BLOB, disposition)
    assert (found.model, found.sha256, found.version, found.path) == ("fraud/credit-risk", DIGEST, None, None)


def test_only_blobs_are_saved_under_names() -> None:
    """On another kind of key a disposition says nothing."""
    found = fetched(keys.card(MODEL), 'attachment; filename="x"; smas="fraud/credit-risk/3/a"')
    assert (found.model, found.version, found.path) == ("fraud/credit-risk", None, None)


@given(st.sampled_from([BLOB, keys.card(MODEL), "odd", ""]), st.text(max_size=80), st.text(max_size=300))
def test_no_text_breaks_a_record(key: str, tail: str, disposition: str) -> None:
    """People's own sessions write any key and any disposition; a model is only told if its name is whole."""
    try:
        found = fetched(key + tail, disposition)
    except UnicodeEncodeError:
        return
    assert found.model in {None, "fraud/credit-risk"} or tail
    assert found.version is None or found.path is not None or found.sha256 is None


@pytest.mark.parametrize(
    ("key", "model", "version", "sha256"),
    [
        (keys.card(MODEL), MODEL, None, None),
        (keys.settings(MODEL), MODEL, None, None),
        (keys.releases(MODEL), MODEL, None, None),
        (keys.upload(MODEL, DIGEST), MODEL, None, None),
        (keys.blob(MODEL, DIGEST), MODEL, None, DIGEST),
        (keys.manifest(MODEL, 7), MODEL, 7, None),
        (keys.verdict(MODEL, 7), MODEL, 7, None),
        (keys.author(MODEL, 7, "sub"), MODEL, 7, None),
        (f"approvals/{MODEL}/7/sub.json", MODEL, 7, None),
        (f"tombstones/{MODEL}/7.json", MODEL, 7, None),
        (keys.finding(MODEL, DIGEST, "v1"), MODEL, None, None),
        (keys.alias(MODEL, "best", protected=False), MODEL, None, None),
        (keys.alias(MODEL, "best", protected=True), MODEL, None, None),
        (keys.move(MODEL, "best", 7, "sub"), MODEL, 7, None),
        (keys.blobs(MODEL), MODEL, None, None),
        (f"blobs/{MODEL}/{DIGEST.upper()}", MODEL, None, None),
        (f"blobs/{MODEL}/{DIGEST}/more", MODEL, None, None),
        (f"blobs/{MODEL}/../../nlp/secret/{DIGEST}", MODEL, None, None),
        (f"manifests/{MODEL}/x/9999999998.json", MODEL, None, None),
        (f"manifests/{MODEL}/9999999998", MODEL, None, None),
        (f"manifests/{MODEL}/9999999999.json", MODEL, None, None),
        (f"authors/{MODEL}/07/sub.json", MODEL, None, None),
        (f"authors/{MODEL}/7/a/b.json", MODEL, None, None),
        (f"cards/{MODEL}", None, None, None),
        (f"cards/{MODEL}/x.json", None, None, None),
        (f"blobs/{MODEL}", None, None, None),
        (f"blobs/Fraud/{MODEL.model}/{DIGEST}", None, None, None),
        (f"blobs//{DIGEST}", None, None, None),
        (keys.request(MODEL, "sub", "key"), None, None, None),
        ("blobs/fraud/", None, None, None),
        ("other/fraud/credit-risk/x", None, None, None),
        ("", None, None, None),
    ],
)
def test_what_a_key_names(key: str, model: ModelId | None, version: int | None, sha256: str | None) -> None:
    """A model where its whole name stands, a version and a digest where the key is one the store writes."""
    place = place_in(key)
    assert (place and place.model, place and place.version, place and place.sha256) == (
        model,
        version,
        sha256,
    )


def test_a_model_may_be_called_as_a_file() -> None:
    """Only the last `.json` of a card's key is not its model's."""
    odd = ModelId("fraud", "x.json")
    found = [place_in(key) for key in (keys.card(odd), keys.manifest(odd, 2))]
    assert [place and place.model for place in found] == [odd, odd]


@pytest.mark.parametrize(
    ("prefix", "model"),
    [
        (keys.manifests(MODEL), "fraud/credit-risk"),
        (f"blobs/{MODEL}/68", "fraud/credit-risk"),
        (keys.card(MODEL), "fraud/credit-risk"),
        (f"manifests/{MODEL}", None),
        ("manifests/fraud/", None),
        ("", None),
    ],
)
def test_a_list_is_of_a_model_if_its_prefix_reaches_into_it(prefix: str, model: str | None) -> None:
    """`manifests/fraud/credit-risk` is also the beginning of another model's name."""
    found = event(s3_record(NOON, "id", name="ListObjects", parameters={"prefix": prefix}))
    assert (found.action, found.model) == ("s3:ListObjects", model)


@pytest.mark.parametrize(
    ("key", "told"),
    [
        (keys.alias(MODEL, "champion", protected=False), keys.alias(MODEL, "champion", protected=False)),
        (keys.request(MODEL, "sub", "k"), keys.request(MODEL, "sub", "k")),
        ("loot\x1b[31m\n; DROP", "loot\x1b[31m\n; DROP"),
        ("a" * 1024, "a" * 1024),
        ("a" * 1025, None),
        ("é" * 512, "é" * 512),
        ("é" * 512 + "a", None),
        ("", None),
        (None, None),
    ],
)
def test_the_key_is_told_as_it_was_sent(key: str | None, told: str | None) -> None:
    """Whatever it is, up to what S3 takes for a key; of a list it is the prefix."""
    assert event(s3_record(NOON, "id", key)).key == told
    assert event(s3_record(NOON, "id", name="ListObjects", parameters={"prefix": key})).key == told


def test_a_key_goes_before_a_prefix() -> None:
    """And what is too long for a key still tells its model."""
    found = event(s3_record(NOON, "id", BLOB, parameters={"prefix": "cards/"}))
    assert found.key == BLOB
    long = event(s3_record(NOON, "id", keys.blobs(MODEL) + "a" * 1024))
    assert (long.key, long.model) == (None, str(MODEL))


def test_another_bucket_is_not_the_store() -> None:
    """The same trail may record buckets whose keys look like the store's."""
    found = event(s3_record(NOON, "id", BLOB, bucket="trail-bucket"))
    assert (found.key, found.model) == (None, None)
    listed = s3_record(NOON, "id", name="ListObjects", bucket="trail-bucket", parameters={"prefix": BLOB})
    assert event(listed).key is None


@pytest.mark.parametrize("source", [f"{STORE.bucket}/{BLOB}", f"/{STORE.bucket}/{quote(BLOB)}?versionId=x"])
def test_a_copy_out_of_the_store_is_about_what_was_copied(source: str) -> None:
    """Wherever it goes."""
    found = event(
        s3_record(
            NOON,
            "id",
            "stolen",
            name="CopyObject",
            bucket="elsewhere",
            parameters={"x-amz-copy-source": source},
        )
    )
    assert (found.key, found.model, found.sha256) == (BLOB, "fraud/credit-risk", DIGEST)


def test_a_copy_inside_the_store_tells_where_it_went() -> None:
    """The model is the copied one's if that of the target is not known."""
    copied = {"x-amz-copy-source": f"{STORE.bucket}/{BLOB}"}
    for target, sha256 in ((keys.card(MODEL), None), ("odd", DIGEST)):
        found = event(s3_record(NOON, "id", target, name="CopyObject", parameters=copied))
        assert (found.key, found.model, found.sha256) == (target, "fraud/credit-risk", sha256)


def test_a_write_counts_the_bytes_that_came_in() -> None:
    """And a read those that went out."""
    assert event(s3_record(NOON, "id", BLOB, name="PutObject")).bytes == 17
    assert event(s3_record(NOON, "id", BLOB, name="GetObject")).bytes == 4711
    assert event(s3_record(NOON, "id", BLOB, name="HeadObject", readOnly=None)).bytes == 4711


@pytest.mark.parametrize(
    ("code", "outcome"),
    [
        (None, Outcome.SUCCESS),
        ("", Outcome.SUCCESS),
        ("AccessDenied", Outcome.DENIED),
        ("AccessDeniedException", Outcome.DENIED),
        ("Client.UnauthorizedOperation", Outcome.DENIED),
        ("NoSuchKey", Outcome.ERROR),
        ("PreconditionFailed", Outcome.ERROR),
    ],
)
def test_outcomes(code: str | None, outcome: Outcome) -> None:
    """Somebody was not allowed, or it failed otherwise."""
    assert outcome_of(code) is outcome


@pytest.mark.parametrize(
    ("identity", "actor", "subject", "role"),
    [
        (session_identity(), "ds-fraud", "sub-of-ds-fraud", "data-scientist"),
        (session_identity("smas-service", "smas-service", None), "smas-service", None, "service"),
        (session_identity("Admin", "joe", None), "joe", None, "Admin"),
        ({"type": "IAMUser", "userName": "smas-local", "arn": "a/b"}, "smas-local", None, None),
        (
            {"type": "AWSService", "invokedBy": "cloudtrail.amazonaws.com"},
            "cloudtrail.amazonaws.com",
            None,
            None,
        ),
        ({"invokedBy": "s3.amazonaws.com"}, "s3.amazonaws.com", None, None),
        ({"type": "Root", "arn": f"arn:aws:iam::{ACCOUNT}:root"}, "root", None, None),
        ({"type": "AWSAccount", "principalId": "", "accountId": "anonymous"}, None, None, None),
        ({"type": "AssumedRole"}, None, None, None),
        ({"type": "AssumedRole", "principalId": "AROA:joe", "sessionContext": {}}, "joe", None, None),
        ({"type": "AssumedRole", "arn": "x/y/z", "sessionContext": {"sessionIssuer": {}}}, "z", None, None),
        ({}, None, None, None),
        (None, None, None, None),
    ],
)
def test_who_it_was(
    identity: dict[str, Any] | None, actor: str | None, subject: str | None, role: str | None
) -> None:
    """The session's name, the source identity, the persona; whatever part of it is missing."""
    found = event(s3_record(NOON, "id", BLOB, userIdentity=identity))
    assert (found.actor, found.subject, found.role) == (actor, subject, role)


def test_a_role_of_the_same_name_elsewhere_is_no_persona() -> None:
    """Another account's `smas-auditor` is shown by its whole name."""
    identity = session_identity("smas-auditor")
    identity["sessionContext"]["sessionIssuer"]["arn"] = "arn:aws:iam::999999999999:role/smas-auditor"
    assert event(s3_record(NOON, "id", BLOB, userIdentity=identity)).role == "smas-auditor"


@pytest.mark.parametrize(
    ("parameters", "model"),
    [
        ({"encryptionContext": {"aws:s3:arn": f"arn:aws:s3:::{STORE.bucket}/{BLOB}"}}, "fraud/credit-risk"),
        (
            {"encryptionContext": {"aws:s3:arn": f"arn:aws-cn:s3:::{STORE.bucket}/{BLOB}"}},
            "fraud/credit-risk",
        ),
        ({"encryptionContext": {"aws:s3:arn": f"arn:aws:s3:::{STORE.bucket}"}}, None),
        ({"encryptionContext": {"aws:s3:arn": f"arn:aws:s3:::{STORE.bucket}/"}}, None),
        ({"encryptionContext": {"aws:s3:arn": f"arn:aws:s3:::elsewhere/{BLOB}"}}, None),
        ({"encryptionContext": {"aws:s3:arn": f"arn:aws:s3:::elsewhere/x:::{STORE.bucket}/{BLOB}"}}, None),
        ({"encryptionContext": {"aws:s3:arn": f"x:::{STORE.bucket}/{BLOB}"}}, None),
        ({"encryptionContext": {"aws:s3:arn": 7}}, None),
        ({"encryptionContext": "HIDDEN_DUE_TO_SECURITY_REASONS"}, None),
        ({}, None),
        (None, None),
        ([], None),
    ],
)
def test_a_key_used_for_a_model(parameters: Any, model: str | None) -> None:
    """S3 asks KMS for each object in its caller's name, and says for which."""
    record = s3_record(NOON, "id", name="Decrypt", eventSource="kms.amazonaws.com")
    found = event({**record, "requestParameters": parameters, "additionalEventData": None})
    assert (found.action, found.model, found.bytes, found.auth_method) == ("kms:Decrypt", model, None, None)
    assert found.key == (BLOB if model else None)


@pytest.mark.parametrize(
    "parameters", [{"key": {"id": {"S": "x"}}, "prefix": 7}, {"key": ["a"]}, "text", 7, None, [1], True]
)
def test_parameters_of_other_services_have_other_types(parameters: Any) -> None:
    """DynamoDB's `key` is an object: no record is lost for that."""
    for source in ("dynamodb.amazonaws.com", "s3.amazonaws.com"):
        record = {
            **s3_record(NOON, "id", name="GetItem", eventSource=source),
            "requestParameters": parameters,
        }
        assert (event(record).model, event(record).key) == (None, None)


@pytest.mark.parametrize("number", [-1, 1e300, "12", True, None])
def test_numbers_that_are_none(number: Any) -> None:
    """What is no count of bytes is not told."""
    record = s3_record(NOON, "id", BLOB)
    assert event({**record, "additionalEventData": {"bytesTransferredOut": number}}).bytes is None
