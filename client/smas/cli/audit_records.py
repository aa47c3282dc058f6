"""The store's records in the words of the audit: a card, an alias, a signature, and lists of them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

from smas.cli import audit_keys

if TYPE_CHECKING:
    from smas.audit_results import AuditEvent

# What was done, and what was tried.
Deed = tuple[str, str]


class _Kind(NamedTuple):
    """A record as a thing, and what writing and deleting one comes to, where there is a word for that.

    ``own`` says that these words hold only of a record in the writer's own name.
    """

    noun: str
    put: Deed | None = None
    delete: Deed | None = None
    own: bool = False


_KINDS: Final[dict[str, _Kind]] = {
    "cards": _Kind("the card{of}"),
    "settings": _Kind("the settings{of}", ("changed the settings{of}", "change the settings{of}")),
    "releases": _Kind("the releases{of}", ("changed the releases{of}", "change the releases{of}")),
    "manifests": _Kind("the record of {version}", ("published {version}", "publish {version}")),
    "verdicts": _Kind("the verdict on {version}"),
    "authors": _Kind(
        "the author's signature of {version}",
        ("signed {version} as its author", "sign {version} as its author"),
        own=True,
    ),
    "approvals": _Kind(
        "an approval or rejection of {version}",
        ("approved or rejected {version}", "approve or reject {version}"),
        own=True,
    ),
    "moves": _Kind(
        "the word to move {alias} to {version}",
        ("gave the word to move {alias} to {version}", "give the word to move {alias} to {version}"),
        own=True,
    ),
    "tombstones": _Kind(
        "the tombstone of {version}", ("marked {version} as deleted", "mark {version} as deleted")
    ),
    "aliases": _Kind("alias {alias}{of}", ("moved alias {alias}{of}", "move alias {alias}{of}")),
    "protected": _Kind(
        "protected alias {alias}{of}",
        ("moved protected alias {alias}{of}", "move protected alias {alias}{of}"),
    ),
    "uploads": _Kind(
        "an open upload{of}",
        ("opened an upload{of}", "open an upload{of}"),
        ("closed an upload{of}", "close an upload{of}"),
    ),
    "findings": _Kind("a finding about bytes {digest}…{of}"),
    "requests": _Kind(
        "an idempotency key", ("remembered an idempotency key", "remember an idempotency key"), own=True
    ),
}
_PUT: Final = "s3:PutObject"
_DELETE: Final = "s3:DeleteObject"
_WROTE: Final = ("wrote {}", "write {}")
_LISTS: Final = frozenset({"s3:ListObjects", "s3:ListObjectsV2"})
_VERSIONS: Final = "s3:ListObjectVersions"
_PLURALS: Final = {
    "manifests": "versions",
    "verdicts": "verdicts",
    "aliases": "aliases",
    "protected": "protected aliases",
    "uploads": "open uploads",
    "blobs": "stored files",
    "authors": "authors' signatures",
    "approvals": "approvals and rejections",
    "moves": "words to move protected aliases",
    "tombstones": "deleted versions",
    "findings": "findings",
}
_DIGEST_SHOWN: Final = 12


def noun(event: AuditEvent, model: str | None) -> str | None:
    """The record that the call named, as a thing; None if it named none."""
    record = audit_keys.record_of(event)
    return _said(_KINDS[record.kind].noun, record, model) if record else None


def deed(event: AuditEvent, model: str | None) -> Deed | None:
    """What writing or deleting this record comes to, None for other calls or without a word for it."""
    record = audit_keys.record_of(event)
    if record is None or event.action not in {_PUT, _DELETE}:
        return None
    kind = _KINDS[record.kind]
    words = kind.put if event.action == _PUT else kind.delete
    if words is None:
        return None
    if kind.own and record.subject != event.subject:
        thing = _said(kind.noun, record, model)
        for_whom = " in somebody else's name" if event.subject else ""
        return _WROTE[0].format(thing) + for_whom, _WROTE[1].format(thing) + for_whom
    return _said(words[0], record, model), _said(words[1], record, model)


def listing(event: AuditEvent, thing: str | None, model: str | None) -> Deed | None:
    """What a list was for, None for other calls; ``thing`` is the one thing whose key it had for a prefix."""
    if event.action not in _LISTS | {_VERSIONS}:
        return None
    of = _of(model)
    versions = "the S3 versions of " if event.action == _VERSIONS else ""
    if thing is not None:
        return _listed(f"{versions}{thing}") if versions else (f"looked for {thing}", f"look for {thing}")
    if plural := _PLURALS.get(audit_keys.kind_listed(event) or ""):
        return _listed(f"{versions}{plural}{of}")
    if models := audit_keys.models_listed(event):
        return _listed(f"{versions}{_models(models)}")
    return _listed(f"objects' versions{of}" if versions else f"objects{of}")


def _listed(what: str) -> Deed:
    return f"listed {what}", f"list {what}"


def _models(models: audit_keys.Models) -> str:
    of = f" of {models.team}" if models.team else ""
    return f"models{of}" + (f" beginning with {models.beginning}" if models.beginning else "")


def _said(pattern: str, record: audit_keys.Record, model: str | None) -> str:
    version = f"{model}@{record.version}" if model else f"version {record.version}"
    digest = (record.digest or "")[:_DIGEST_SHOWN]
    return pattern.format(of=_of(model), version=version, alias=record.alias, digest=digest)


def _of(model: str | None) -> str:
    return f" of {model}" if model else ""
