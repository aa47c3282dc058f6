"""What an event is in plain words."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from smas.audit_results import AuditEvent
from smas.cli import audit_words

from tests.client.audit.store import DIGEST, event, refusal

RECORD: dict[str, Any] = {"path": None, "sha256": None, "published_as": [], "auth_method": "AuthHeader"}
BYTES: dict[str, Any] = {"path": None, "version": None, "auth_method": "AuthHeader"}


def typed(document: dict[str, Any]) -> AuditEvent:
    """The event as the SDK has it."""
    return msgspec.convert(document, AuditEvent)


def places(*numbers: int, path: str = "model.joblib") -> list[dict[str, Any]]:
    """Where bytes are published."""
    return [{"version": number, "path": path} for number in numbers]


CASES: list[tuple[dict[str, Any], str, str]] = [
    (event(), "downloaded model.joblib of version 3", "downloaded model.joblib of fraud/credit-risk@3"),
    (
        event(outcome="denied", error_code="AccessDenied"),
        "tried to download model.joblib of version 3",
        "tried to download model.joblib of fraud/credit-risk@3",
    ),
    (
        event(outcome="error", error_code="NoSuchKey"),
        "tried to download model.joblib of version 3 (NoSuchKey)",
        "tried to download model.joblib of fraud/credit-risk@3 (NoSuchKey)",
    ),
    (
        event(**BYTES),
        "read model.joblib of version 3",
        "read model.joblib of fraud/credit-risk@3",
    ),
    (
        event(action="s3:PutObject", **{**BYTES, "published_as": places(3, 1, 2)}),
        "uploaded model.joblib of versions 1, 2, 3",
        "uploaded model.joblib of fraud/credit-risk, versions 1, 2, 3",
    ),
    (
        event(action="s3:HeadObject", **{**BYTES, "published_as": places(1, 2, 3, 4, 9)}),
        "looked at model.joblib of versions 1, 2, 3 and 2 more",
        "looked at model.joblib of fraud/credit-risk, versions 1, 2, 3 and 2 more",
    ),
    (
        event(
            action="s3:PutObjectTagging", **{**BYTES, "published_as": places(1) + places(2, path="old.bin")}
        ),
        "tagged model.joblib of version 1, also published as 1 other name",
        "tagged model.joblib of fraud/credit-risk@1, also published as 1 other name",
    ),
    (
        event(**{**BYTES, "published_as": []}),
        f"read bytes {DIGEST[:12]}…",
        f"read bytes {DIGEST[:12]}… of fraud/credit-risk",
    ),
    (event(**RECORD), "read the record of version 3", "read the record of fraud/credit-risk@3"),
    (
        event(action="s3:PutObject", version=None, **RECORD),
        "wrote a record",
        "wrote a record of fraud/credit-risk",
    ),
    (
        event(action="s3:ListObjects", version=None, **RECORD),
        "listed objects",
        "listed objects of fraud/credit-risk",
    ),
    (event(action="s3:GetObject", version=None, model=None, **RECORD), "read an object", "read an object"),
    (event(action="sts:AssumeRole", version=None, model=None, **RECORD), "assumed a role", "assumed a role"),
    (
        event(action="s3:PutBucketPolicy", version=None, model=None, outcome="denied", **RECORD),
        "tried to call s3:PutBucketPolicy",
        "tried to call s3:PutBucketPolicy",
    ),
    (
        event(action="s3:PutObjectAcl"),
        "called s3:PutObjectAcl on model.joblib of version 3",
        "called s3:PutObjectAcl on model.joblib of fraud/credit-risk@3",
    ),
    (
        event(action="new:{0}{x}{", version=None, model=None, **RECORD),
        "called new:{0}{x}{",
        "called new:{0}{x}{",
    ),
    (
        refusal(),
        "tried to fetch files of version 3 (not_found)",
        "tried to fetch files of fraud/credit-risk@3 (not_found)",
    ),
    (
        refusal(action="smas:fetch_file_by_query", path="{a} b.bin", error_code="forbidden"),
        'tried to fetch "{a} b.bin" of version 3 (forbidden)',
        'tried to fetch "{a} b.bin" of fraud/credit-risk@3 (forbidden)',
    ),
    (
        refusal(action="smas:read_version"),
        "tried to read version 3 (not_found)",
        "tried to read version 3 of fraud/credit-risk (not_found)",
    ),
    (
        refusal(action="smas:list_models", model=None, version=None, error_code="unauthenticated"),
        "tried to list models (unauthenticated)",
        "tried to list models (unauthenticated)",
    ),
]


@pytest.mark.parametrize(("document", "said", "with_model"), CASES, ids=[said for _, said, _ in CASES])
def test_what_was_done_is_a_sentence(document: dict[str, Any], said: str, with_model: str) -> None:
    """What was done, or only tried; the model in it where no column names it."""
    assert audit_words.what(typed(document), with_model=False) == said
    assert audit_words.what(typed(document), with_model=True) == with_model


@pytest.mark.parametrize(
    ("document", "said"),
    [
        (event(), "success"),
        (event(outcome="error"), "error"),
        (event(outcome="denied"), "denied: S3"),
        (event(outcome="denied", action="kms:Decrypt"), "denied: KMS"),
        (event(outcome="denied", action="sts:AssumeRole"), "denied: STS"),
        (event(outcome="denied", action="cloudtrail:StopLogging"), "denied: cloudtrail"),
        (refusal(), "denied: store"),
    ],
)
def test_a_refusal_says_who_refused(document: dict[str, Any], said: str) -> None:
    """AWS by the service that was called, or the store."""
    assert audit_words.outcome(typed(document)) == said


def test_whoever_can_be_named_is_named() -> None:
    """The session's name, else the source identity; somebody without a token is nobody known."""
    assert audit_words.who(typed(event())) == "ds-fraud"
    assert audit_words.who(typed(event(actor=None, subject="the-subject"))) == "the-subject"
    assert audit_words.who(typed(event(actor=None, subject=None))) == "unknown"


@pytest.mark.parametrize(
    ("action", "reads"),
    [
        ("s3:GetObject", True),
        ("s3:HeadObject", True),
        ("s3:ListObjects", True),
        ("kms:Decrypt", True),
        ("sts:AssumeRole", True),
        ("smas:fetch_files", True),
        ("smas:read_version", True),
        ("smas:whoami", True),
        ("s3:PutObject", False),
        ("s3:DeleteObject", False),
        ("s3:CompleteMultipartUpload", False),
        ("smas:publish_version", False),
        ("smas:start_uploads", False),
        ("cloudtrail:StopLogging", False),
        ("something:New", False),
    ],
)
def test_reads_change_nothing(action: str, reads: bool) -> None:
    """What is not known to change nothing counts as a write: an audit overlooks nothing."""
    assert audit_words.changes_nothing(action) is reads


texts = st.none() | st.text(max_size=20)


@given(
    action=st.text(max_size=20) | st.sampled_from(["s3:GetObject", "smas:read_version", "smas:x"]),
    path=texts,
    digest=texts,
    version=st.none() | st.integers(1, 99),
    model=texts,
    outcome=st.sampled_from(["success", "denied", "error", "later"]),
    source=st.sampled_from(["cloudtrail", "service"]),
    code=texts,
)
def test_every_event_can_be_said(
    action: str,
    path: str | None,
    digest: str | None,
    version: int | None,
    model: str | None,
    outcome: str,
    source: str,
    code: str | None,
) -> None:
    """Whatever a record holds: words, and what was not done is only ever tried."""
    said = typed(
        event(
            action=action,
            path=path,
            sha256=digest,
            version=version,
            model=model,
            outcome=outcome,
            source=source,
            error_code=code,
        )
    )
    for with_model in (True, False):
        words = audit_words.what(said, with_model=with_model)
        assert words
        assert words.startswith("tried to ") or outcome == "success"
        assert not path or not model or path in words
