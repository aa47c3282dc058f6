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

RECORD: dict[str, Any] = {
    "key": None,
    "path": None,
    "sha256": None,
    "published_as": [],
    "auth_method": "AuthHeader",
}
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


M = "fraud/credit-risk"
ME = event()["subject"]


def on(key: str, version: int | None = None, action: str = "s3:PutObject", **changed: Any) -> dict[str, Any]:
    """A call about one key."""
    return event(**{**RECORD, "key": key, "version": version, "action": action, **changed})


def a_list(prefix: str, action: str = "s3:ListObjects", **changed: Any) -> dict[str, Any]:
    """A list."""
    return on(prefix, action=action, **changed)


KEYS: list[tuple[dict[str, Any], str, str]] = [
    (on(f"cards/{M}.json"), "wrote the card", f"wrote the card of {M}"),
    (on(f"settings/{M}.json"), "changed the settings", f"changed the settings of {M}"),
    (on(f"releases/{M}.json"), "changed the releases", f"changed the releases of {M}"),
    (on(f"aliases/{M}/champion.json"), "moved alias champion", f"moved alias champion of {M}"),
    (
        on(f"protected/{M}/production.json"),
        "moved protected alias production",
        f"moved protected alias production of {M}",
    ),
    (on(f"manifests/{M}/9999999998.json", 1), "published version 1", f"published {M}@1"),
    (
        on(f"manifests/{M}/9999999998.json", 1, outcome="error", error_code="PreconditionFailed"),
        "tried to publish version 1 (PreconditionFailed)",
        f"tried to publish {M}@1 (PreconditionFailed)",
    ),
    (
        on(f"verdicts/{M}/9999999996.json", 3),
        "wrote the verdict on version 3",
        f"wrote the verdict on {M}@3",
    ),
    (on(f"authors/{M}/1/{ME}.json", 1), "signed version 1 as its author", f"signed {M}@1 as its author"),
    (
        on(f"authors/{M}/1/somebody.json", 1, outcome="denied"),
        "tried to write the author's signature of version 1 in somebody else's name",
        f"tried to write the author's signature of {M}@1 in somebody else's name",
    ),
    (
        on(f"authors/{M}/1/somebody.json", 1, subject=None),
        "wrote the author's signature of version 1",
        f"wrote the author's signature of {M}@1",
    ),
    (
        on(f"moves/{M}/production/1/{ME}.json", 1),
        "gave the word to move production to version 1",
        f"gave the word to move production to {M}@1",
    ),
    (
        on(f"moves/{M}/production/1/somebody.json", 1),
        "wrote the word to move production to version 1 in somebody else's name",
        f"wrote the word to move production to {M}@1 in somebody else's name",
    ),
    (on(f"approvals/{M}/2/{ME}.json", 2), "approved or rejected version 2", f"approved or rejected {M}@2"),
    (on(f"tombstones/{M}/2.json", 2), "marked version 2 as deleted", f"marked {M}@2 as deleted"),
    (on(f"uploads/{M}/{DIGEST}.json"), "opened an upload", f"opened an upload of {M}"),
    (
        on(f"uploads/{M}/{DIGEST}.json", action="s3:DeleteObject"),
        "closed an upload",
        f"closed an upload of {M}",
    ),
    (
        on(f"findings/{M}/{DIGEST}/v1.json"),
        f"wrote a finding about bytes {DIGEST[:12]}…",
        f"wrote a finding about bytes {DIGEST[:12]}… of {M}",
    ),
    (
        on(f"requests/fraud/{ME}/{DIGEST}.json", model=None),
        "remembered an idempotency key",
        "remembered an idempotency key",
    ),
    (
        on(f"protected/{M}/production.json", action="s3:GetObject"),
        "read protected alias production",
        f"read protected alias production of {M}",
    ),
    (
        on(f"manifests/{M}/9999999998.json", 1, "s3:GetObject"),
        "read the record of version 1",
        f"read the record of {M}@1",
    ),
    (
        on(f"aliases/{M}/champion.json", action="s3:DeleteObject", outcome="denied"),
        "tried to delete alias champion",
        f"tried to delete alias champion of {M}",
    ),
    (on(f"cards/{M}.json", action="kms:Decrypt"), "decrypted the card", f"decrypted the card of {M}"),
    (
        on(f"settings/{M}.json", action="s3:PutObjectAcl"),
        "called s3:PutObjectAcl on the settings",
        f"called s3:PutObjectAcl on the settings of {M}",
    ),
    (
        on(f"cards/{M}.json", action="s3:CopyObject"),
        "copied to or from the card",
        f"copied to or from the card of {M}",
    ),
    (a_list(f"manifests/{M}/"), "listed versions", f"listed versions of {M}"),
    (a_list(f"aliases/{M}/"), "listed aliases", f"listed aliases of {M}"),
    (a_list(f"protected/{M}/"), "listed protected aliases", f"listed protected aliases of {M}"),
    (
        a_list(f"blobs/{M}/", "s3:ListObjectVersions"),
        "listed the S3 versions of stored files",
        f"listed the S3 versions of stored files of {M}",
    ),
    (
        a_list(f"blobs/{M}/", outcome="denied"),
        "tried to list stored files",
        f"tried to list stored files of {M}",
    ),
    (a_list(f"cards/{M}.json"), "looked for the card", f"looked for the card of {M}"),
    (
        a_list(f"verdicts/{M}/9999999998.json", version=1, outcome="denied"),
        "tried to look for the verdict on version 1",
        f"tried to look for the verdict on {M}@1",
    ),
    (
        a_list(f"aliases/{M}/champion.json", "s3:ListObjectVersions"),
        "listed the S3 versions of alias champion",
        f"listed the S3 versions of alias champion of {M}",
    ),
    (
        a_list(f"blobs/{M}/{DIGEST}", sha256=DIGEST),
        f"looked for bytes {DIGEST[:12]}…",
        f"looked for bytes {DIGEST[:12]}… of {M}",
    ),
    (a_list("cards/", model=None), "listed models", "listed models"),
    (a_list("cards/fraud/", model=None), "listed models of fraud", "listed models of fraud"),
    (
        a_list("cards/fraud/cre", model=None),
        "listed models of fraud beginning with cre",
        "listed models of fraud beginning with cre",
    ),
    (a_list("manifests/fraud/", model=None), "listed objects", "listed objects"),
    (a_list("cards/fraud/\x1b[31m", model=None), "listed objects", "listed objects"),
    (a_list(f"blobs/{M}/68"), "listed objects", f"listed objects of {M}"),
]


@pytest.mark.parametrize(("document", "said", "with_model"), KEYS, ids=[said for _, said, _ in KEYS])
def test_a_key_tells_which_record(document: dict[str, Any], said: str, with_model: str) -> None:
    """By its kind, and what else it names."""
    assert audit_words.what(typed(document), with_model=False) == said
    assert audit_words.what(typed(document), with_model=True) == with_model


ODD: list[tuple[str, int | None]] = [
    (f"aliases/{M}/production to version 9.json", None),
    (f"aliases/{M}/Production.json", None),
    (f"aliases/{M}/a\n.json", None),
    (f"aliases/{M}/a\u202eb.json", None),
    (f"aliases/{M}/champion.json/x", None),
    (f"aliases/{M}/champion.json\n", None),
    (f"aliases/{M}/champion", None),
    ("aliases/fraud/another/champion.json", None),
    ("aliases/nlp/credit-risk/champion.json", None),
    (f"x/aliases/{M}/champion.json", None),
    (f"Aliases/{M}/champion.json", None),
    (f"cards/{M}.jsonl", None),
    (f"cards/{M}-2.json", None),
    (f"cards/{M}/x.json", None),
    (f"uploads/{M}/{DIGEST[1:]}.json", None),
    (f"uploads/{M}/{DIGEST.upper()}.json", None),
    (f"requests/fraud/{ME}/{DIGEST}.json", None),
    (f"manifests/{M}/9999999999.json", None),
    (f"manifests/{M}/0000000000.json", None),
    (f"manifests/{M}/x/9999999998.json", None),
    (f"manifests/{M}/٩٩٩٩٩٩٩٩٩٨.json", None),
    (f"authors/{M}/01/{ME}.json", None),
    (f"authors/{M}/1/a/b.json", None),
    (f"moves/{M}/1/{ME}.json", None),
    # The event says something else than its key.
    (f"manifests/{M}/9999999998.json", None),
    (f"manifests/{M}/9999999998.json", 2),
    (f"authors/{M}/1/{ME}.json", 2),
    (f"cards/{M}.json", 3),
    ("", None),
]


@pytest.mark.parametrize(("key", "version"), ODD)
def test_an_odd_key_tells_nothing(key: str, version: int | None) -> None:
    """Nobody puts words into an auditor's table by writing a key that only looks like one of the store's."""
    record = "a record" if version is None else f"the record of version {version}"
    assert audit_words.what(typed(on(key, version)), with_model=False) == f"wrote {record}"
    assert audit_words.what(typed(a_list(key, version=version)), with_model=False) == "listed objects"


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
        ("logs:FilterLogEvents", True),
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
keys = st.builds(
    "/".join,
    st.lists(
        st.sampled_from(["cards", "aliases", "moves", "authors", "requests", "fraud", "x.json", "1", DIGEST])
        | st.text(max_size=5),
        max_size=6,
    ),
)


@given(
    action=st.text(max_size=20)
    | st.sampled_from(["s3:GetObject", "s3:PutObject", "s3:ListObjects", "smas:read_version", "smas:x"]),
    path=texts,
    digest=texts,
    version=st.none() | st.integers(1, 99),
    model=texts | st.just("fraud/x"),
    outcome=st.sampled_from(["success", "denied", "error", "later"]),
    source=st.sampled_from(["cloudtrail", "service"]),
    code=texts,
    key=keys,
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
    key: str | None,
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
            key=key,
        )
    )
    for with_model in (True, False):
        words = audit_words.what(said, with_model=with_model)
        assert words
        assert words.startswith("tried to ") or outcome == "success"
        assert not path or not model or path in words
