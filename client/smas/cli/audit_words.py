"""An event of the audit in plain words: who tried what, and who refused it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from smas.cli import audit_records

if TYPE_CHECKING:
    from collections.abc import Sequence

    from smas.audit_results import AuditEvent, Publication
    from smas.cli.audit_records import Deed

_MOST_NAMED: Final = 3
_DIGEST_SHOWN: Final = 12
# What was done, and what was tried. `{}` is the thing it was done to.
_WORDS: Final[dict[str, Deed]] = {
    "s3:GetObject": ("read {}", "read {}"),
    "s3:HeadObject": ("looked at {}", "look at {}"),
    "s3:GetObjectAttributes": ("looked at {}", "look at {}"),
    "s3:GetObjectTagging": ("read the tags of {}", "read the tags of {}"),
    "s3:PutObjectTagging": ("tagged {}", "tag {}"),
    "s3:DeleteObjectTagging": ("removed the tags of {}", "remove the tags of {}"),
    "s3:GetObjectRetention": ("read the retention of {}", "read the retention of {}"),
    "s3:PutObjectRetention": ("set the retention of {}", "set the retention of {}"),
    "s3:GetObjectLegalHold": ("read the legal hold of {}", "read the legal hold of {}"),
    "s3:PutObjectLegalHold": ("set the legal hold of {}", "set the legal hold of {}"),
    "s3:PutObject": ("wrote {}", "write {}"),
    # Of what its record tells, either end of the copy may be outside the store.
    "s3:CopyObject": ("copied to or from {}", "copy to or from {}"),
    "s3:DeleteObject": ("deleted {}", "delete {}"),
    "s3:DeleteObjects": ("deleted several objects", "delete several objects"),
    "s3:CreateMultipartUpload": ("began to upload {}", "begin to upload {}"),
    "s3:UploadPart": ("uploaded a part of {}", "upload a part of {}"),
    "s3:ListParts": ("listed the parts of {}", "list the parts of {}"),
    "s3:CompleteMultipartUpload": ("completed the upload of {}", "complete the upload of {}"),
    "s3:AbortMultipartUpload": ("gave up the upload of {}", "give up the upload of {}"),
    "kms:Decrypt": ("decrypted {}", "decrypt {}"),
    "kms:GenerateDataKey": ("got a key to encrypt {}", "get a key to encrypt {}"),
    "sts:AssumeRole": ("assumed a role", "assume a role"),
    "logs:FilterLogEvents": ("searched a log", "search a log"),
    "cloudtrail:ListPublicKeys": ("listed CloudTrail's public keys", "list CloudTrail's public keys"),
    "cognito-idp:InitiateAuth": ("signed in", "sign in"),
}
_READING: Final = ("Get", "Head", "List", "Describe", "Filter", "Lookup", "Select", "BatchGet", "Search")
_READS: Final = frozenset(
    {"kms:Decrypt", "kms:GenerateDataKey", "kms:Encrypt", "sts:AssumeRole", "sts:DecodeAuthorizationMessage"}
)
_STORE_READS: Final = frozenset({"alias_history", "whoami"})
_OWN_ROLES: Final = frozenset(
    {"service", "worker", "verifier-scanning", "verifier-tagging", "watch", "shipper"}
)
# A presigned URL is a person's way to a model's bytes; sessions of the store's own read with headers.
_PRESIGNED: Final = "QueryString"
_DOWNLOADED: Final = ("downloaded {}", "download {}")
_UPLOADED: Final = ("uploaded {}", "upload {}")
_SERVICE: Final = "service"
_REFUSED_BY: Final = {"s3": "S3", "kms": "KMS", "sts": "STS"}


def who(event: AuditEvent) -> str:
    """The session's name, else the source identity; ``unknown`` where nobody was recognised."""
    return event.actor or event.subject or "unknown"


def outcome(event: AuditEvent) -> str:
    """How it ended; of a refusal, by whom."""
    if event.outcome != "denied":
        return event.outcome
    if event.source == _SERVICE:
        return "denied: store"
    service = event.action.partition(":")[0]
    return f"denied: {_REFUSED_BY.get(service, service)}"


def what(event: AuditEvent, *, with_model: bool) -> str:
    """What was done or tried, as in ``downloaded model.joblib of version 3`` or ``moved alias champion``.

    ``with_model`` names the model too, as in ``of fraud/credit-risk@3``.
    """
    model = event.model if with_model else None
    if event.action.startswith("smas:"):
        said = f"tried to {_asked_of_the_store(event, model)}"
    else:
        done, tried = _deed(event, model)
        said = done if event.outcome == "success" else f"tried to {tried}"
    reason = event.error_code if event.outcome == "error" or event.source == _SERVICE else None
    return f"{said} ({reason})" if reason else said


def is_by_the_way(event: AuditEvent) -> bool:
    """Whether nobody asked for it: the store did it in a role of its own, or AWS while it did something else.

    Of AWS's own calls for somebody (S3 decrypting what it hands out) only those that went well are by the
    way: what they were made for has a row of its own.
    """
    by_aws = (event.source_ip or "").endswith(".amazonaws.com") and event.outcome == "success"
    return by_aws or event.role in _OWN_ROLES


def changes_nothing(action: str) -> bool:
    """Whether a call only reads, by its name: as CloudTrail's ``readOnly`` has it, which rows lack."""
    service, _, name = action.partition(":")
    if service == "smas":
        return name.startswith(("list_", "read_", "fetch_")) or name in _STORE_READS
    return name.startswith(_READING) or action in _READS


def _deed(event: AuditEvent, model: str | None) -> Deed:
    thing = _file(event, model) or audit_records.noun(event, model)
    known = audit_records.listing(event, thing, model) or audit_records.deed(event, model)
    if known:
        return known
    done, tried = _words(event)
    thing = thing or _anything(event, model)
    return done.format(thing), tried.format(thing)


def _words(event: AuditEvent) -> Deed:
    if event.action == "s3:GetObject" and event.sha256 and (event.path or event.auth_method == _PRESIGNED):
        return _DOWNLOADED
    if event.action == "s3:PutObject" and event.sha256:
        return _UPLOADED
    # Braces of an action, which nobody has seen yet, are no pattern.
    name = event.action.replace("{", "{{").replace("}", "}}")
    on = " on {}" if event.model else ""
    return _WORDS.get(event.action, (f"called {name}{on}", f"call {name}{on}"))


def _asked_of_the_store(event: AuditEvent, model: str | None) -> str:
    """A refusal's operation, from its name: ``fetch_files`` is "fetch files"."""
    name = event.action.removeprefix("smas:")
    words = name.removesuffix("_by_query").replace("_", " ")
    if event.path:
        verb = words.partition(" ")[0]
        return f"{verb} {_named(event.path)}{_of(event.version, model)}"
    if event.version is not None and words.endswith(" version"):
        return f"{words} {event.version}{_of(None, model)}"
    return words + _of(event.version, model)


def _file(event: AuditEvent, model: str | None) -> str | None:
    """The file, or the bytes, that it was about; None if it was about neither."""
    if event.path:
        return _named(event.path) + _of(event.version, model)
    if not event.sha256:
        return None
    if event.version is not None:
        return f"a file{_of(event.version, model)}"
    digest = event.sha256[:_DIGEST_SHOWN]
    return _published(event.published_as, model) or f"bytes {digest}…{_of(None, model)}"


def _anything(event: AuditEvent, model: str | None) -> str:
    """What it was about, where the key is odd or not told."""
    if event.version is not None:
        return f"the record{_of(event.version, model)}"
    return f"a record{_of(None, model)}" if event.model else "an object"


def _named(path: str) -> str:
    """A path of several words is no part of the sentence."""
    return f'"{path}"' if " " in path else path


def _of(version: int | None, model: str | None) -> str:
    if model:
        return f" of {model}" if version is None else f" of {model}@{version}"
    return "" if version is None else f" of version {version}"


def _published(places: Sequence[Publication], model: str | None) -> str:
    """Bytes that several versions may share, by the first name they were published under."""
    if not places:
        return ""
    path = places[0].path
    numbers = sorted({place.version for place in places if place.path == path})
    if len(numbers) == 1:
        named = _named(path) + _of(numbers[0], model)
    else:
        shown = ", ".join(map(str, numbers[:_MOST_NAMED]))
        more = f" and {len(numbers) - _MOST_NAMED} more" if len(numbers) > _MOST_NAMED else ""
        named = f"{_named(path)} of {f'{model}, ' if model else ''}versions {shown}{more}"
    others = len({place.path for place in places}) - 1
    return f"{named}, also published as {others} other name{'s' if others > 1 else ''}" if others else named
