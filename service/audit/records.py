"""What CloudTrail's record of a call says about the store: who, what, and on which model.

Pure: a record in, an event out. What a record says of a model, in keys and in the names under which downloads
are saved, its caller could choose: it is held against what the store itself writes and else left out. The key
itself is told as it was sent.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final, TypeVar
from urllib.parse import unquote

import msgspec

from service.domain.audit import AuditEvent, Outcome, Source
from service.domain.files import fault_in_path
from service.domain.names import DIGEST, MODEL, TEAM, VERSION, ModelId
from service.registry import keys

if TYPE_CHECKING:
    from service.audit.log_files import Record, UserIdentity

# The kinds of keys that name a model, by whether the model is a folder or the last segment's name.
_FOLDERS: Final = frozenset(
    {
        "uploads",
        "blobs",
        "manifests",
        "authors",
        "approvals",
        "verdicts",
        "findings",
        "aliases",
        "protected",
        "moves",
        "tombstones",
    }
)
_FILES: Final = frozenset({"cards", "settings", "releases"})
# Where the version's number stands after the model, for each kind that writes it plainly.
_NUMBERED: Final = {
    "authors": re.compile(r"(?P<version>[1-9][0-9]{0,8})/[^/]+\.json", re.ASCII),
    "approvals": re.compile(r"(?P<version>[1-9][0-9]{0,8})/[^/]+\.json", re.ASCII),
    "moves": re.compile(r"[^/]+/(?P<version>[1-9][0-9]{0,8})/[^/]+\.json", re.ASCII),
    "tombstones": re.compile(r"(?P<version>[1-9][0-9]{0,8})\.json", re.ASCII),
}
_INVERTED: Final = frozenset({"manifests", "verdicts"})
# The extension parameter that service.registry.downloads signs as the last of a disposition.
_SAVED_AS: Final = re.compile(r'; smas="(?P<source>[^"]+)"', re.ASCII)
_READS: Final = ("Get", "Head", "List")
# What S3 takes for a key (https://docs.aws.amazon.com/AmazonS3/latest/userguide/object-keys.html).
_MAX_KEY_BYTES: Final = 1024
# The encryption context of an object; with a bucket key it is the bucket's alone
# (https://docs.aws.amazon.com/AmazonS3/latest/userguide/UsingKMSEncryption.html#encryption-context).
_OBJECT_ARN: Final = re.compile(r"arn:[a-z-]+:s3:::(?P<object>.*)", re.ASCII | re.DOTALL)


class _Parameters(msgspec.Struct):
    """What is read of a request's parameters; none of them has a type that could be relied on."""

    bucket: Any = msgspec.field(default=None, name="bucketName")
    key: Any = None
    prefix: Any = None
    copied: Any = msgspec.field(default=None, name="x-amz-copy-source")
    saved_as: Any = msgspec.field(default=None, name="response-content-disposition")
    context: Any = msgspec.field(default=None, name="encryptionContext")


class _Additional(msgspec.Struct):
    """What is read of what a service added to the record; the same holds for it."""

    sent: Any = msgspec.field(default=None, name="bytesTransferredOut")
    received: Any = msgspec.field(default=None, name="bytesTransferredIn")
    method: Any = msgspec.field(default=None, name="AuthenticationMethod")


_PARAMETERS: Final = msgspec.json.Decoder(_Parameters)
_ADDITIONAL: Final = msgspec.json.Decoder(_Additional)


Read = TypeVar("Read")
# The account itself: no name is recorded, and nobody should be it.
ROOT: Final = "root"


class Store(msgspec.Struct, frozen=True):
    """What tells the store's own bucket and roles from others in the same account's trail.

    ``role_prefix`` is the ARN of its roles up to a persona's name.
    """

    bucket: str
    role_prefix: str


class Place(msgspec.Struct, frozen=True):
    """What a key of the store names; what it does not name is None."""

    model: ModelId
    version: int | None = None
    path: str | None = None
    sha256: str | None = None


class Named(msgspec.Struct, frozen=True):
    """What a call named in the store's bucket: a key or a prefix as sent, and what of it is believed."""

    key: str | None = None
    place: Place | None = None


def event_of(record: Record, store: Store) -> AuditEvent:
    """The event in a record."""
    named = _named_by(record, store)
    place = named.place
    additional = _read(_ADDITIONAL, record.additional_event_data) or _Additional()
    identity = record.user_identity
    session = identity.session if identity else None
    return AuditEvent(
        event_id=record.event_id,
        time=record.time,
        actor=actor_of(identity),
        subject=session.source_identity if session else None,
        role=_role(identity, store),
        action=action_of(record),
        key=named.key if named.key and len(named.key.encode()) <= _MAX_KEY_BYTES else None,
        model=str(place.model) if place else None,
        version=place.version if place else None,
        path=place.path if place else None,
        sha256=place.sha256 if place else None,
        bytes=_number(additional.sent if _reads(record) else additional.received),
        outcome=outcome_of(record.error_code),
        error_code=record.error_code,
        source_ip=record.source_ip,
        user_agent=record.user_agent,
        auth_method=_text(additional.method),
        request_id=record.request_id,
        source=Source.CLOUDTRAIL,
    )


def action_of(record: Record) -> str:
    """IAM's name of the call, with CloudTrail's name of the operation."""
    return f"{record.event_source.partition('.')[0]}:{record.event_name}"


def outcome_of(error_code: str | None) -> Outcome:
    """How the call ended.

    What counts as a refusal is what AWS's own control counts
    (https://docs.aws.amazon.com/securityhub/latest/userguide/cloudwatch-controls.html, CloudWatch.2).
    """
    if not error_code:
        return Outcome.SUCCESS
    if error_code.startswith("AccessDenied") or error_code.endswith("UnauthorizedOperation"):
        return Outcome.DENIED
    return Outcome.ERROR


def actor_of(identity: UserIdentity | None) -> str | None:
    """The name of a session, of an IAM user, or of the service that called; ``root`` for the account."""
    if identity is None:
        return None
    if identity.type == "AssumedRole":
        named = (identity.arn or "").rpartition("/")[2] or (identity.principal_id or "").rpartition(":")[2]
        return named or None
    if identity.type == "IAMUser":
        return identity.user_name
    if identity.type == "Root":
        return ROOT
    return identity.invoked_by if identity.type == "AWSService" or identity.type is None else None


def _named_by(record: Record, store: Store) -> Named:
    if record.event_source not in {"s3.amazonaws.com", "kms.amazonaws.com"}:
        return Named()
    parameters = _read(_PARAMETERS, record.request_parameters)
    if parameters is None:
        return Named()
    if record.event_source == "s3.amazonaws.com":
        return _of_s3(parameters, store)
    context = parameters.context
    arn = _text(context.get("aws:s3:arn")) if isinstance(context, dict) else None
    match = _OBJECT_ARN.fullmatch(arn or "")
    bucket, _, key = match["object"].partition("/") if match else ("", "", "")
    return Named(key, place_in(key)) if bucket == store.bucket else Named()


def _of_s3(parameters: _Parameters, store: Store) -> Named:
    copied = _copied(_text(parameters.copied) or "", store)
    if parameters.bucket != store.bucket:
        # A copy out of the store is a read of what was copied, wherever it went.
        return Named(copied, place_in(copied)) if copied else Named()
    key = _text(parameters.key)
    if key is None:
        prefix = _text(parameters.prefix)
        return Named(prefix, place_in(prefix)) if prefix else Named()
    place = place_in(key)
    if place is None:
        return Named(key, place_in(copied) if copied else None)
    disposition = _text(parameters.saved_as)
    return Named(key, _fetched(place, disposition) if disposition and key.startswith("blobs/") else place)


def _read(decoder: msgspec.json.Decoder[Read], raw: msgspec.Raw) -> Read | None:
    """What is needed of a free part of a record; None if it is no object."""
    try:
        return decoder.decode(raw)
    except msgspec.ValidationError:
        return None


def _copied(source: str, store: Store) -> str | None:
    """The key in the store's bucket that a copy is made of."""
    bucket, _, key = unquote(source.partition("?versionId=")[0]).removeprefix("/").partition("/")
    return key if bucket == store.bucket else None


def place_in(key: str) -> Place | None:
    """What a key, or a list's prefix, names: a model only if the whole of its name is there."""
    kind, _, rest = key.partition("/")
    team, _, rest = rest.partition("/")
    if kind in _FILES:
        name, folder, rest = rest.removesuffix(".json"), rest.endswith(".json"), ""
    elif kind in _FOLDERS:
        name, slash, rest = rest.partition("/")
        folder = bool(slash)
    else:
        return None
    if not (folder and TEAM.fullmatch(team) and MODEL.fullmatch(name)):
        return None
    model = ModelId(team, name)
    if kind == "blobs":
        return Place(model, sha256=rest if DIGEST.fullmatch(rest) else None)
    return Place(model, _version(kind, rest))


def _version(kind: str, rest: str) -> int | None:
    if kind in _INVERTED and rest.endswith(".json") and "/" not in rest:
        return keys.version_in(rest)
    match = _NUMBERED[kind].fullmatch(rest) if kind in _NUMBERED else None
    return int(match["version"]) if match else None


def _fetched(place: Place, disposition: str) -> Place:
    """The place with the version and path that the signed request named, if it speaks of the same model.

    Anybody's own session may sign any disposition; what is left of a lie is one about the reader's own
    model, which does not agree with where the bytes were published.
    """
    match = _signed_name(disposition) or _signed_name(unquote(disposition))
    if match is None:
        return place
    opening = f"{place.model}/"
    if not match["source"].startswith(opening):
        return place
    number, _, quoted = match["source"].removeprefix(opening).partition("/")
    path = _unquoted(quoted)
    if not VERSION.fullmatch(number) or path is None or fault_in_path(path):
        return place
    return Place(place.model, int(number), path, place.sha256)


def _signed_name(disposition: str) -> re.Match[str] | None:
    found = list(_SAVED_AS.finditer(disposition))
    # Twice is once too many: nobody can tell which of them is meant.
    return found[0] if len(found) == 1 and found[0].end() == len(disposition) else None


def _unquoted(text: str) -> str | None:
    try:
        return unquote(text, errors="strict")
    except UnicodeDecodeError:
        return None


def _role(identity: UserIdentity | None, store: Store) -> str | None:
    issuer = identity.session.issuer if identity and identity.session else None
    if issuer is None:
        return None
    if issuer.arn and issuer.arn.startswith(store.role_prefix):
        return issuer.arn.removeprefix(store.role_prefix) or issuer.user_name
    return issuer.user_name


def _reads(record: Record) -> bool:
    if record.read_only is not None:
        return record.read_only
    return record.event_name.startswith(_READS)


def _text(value: object) -> str | None:
    return value if isinstance(value, str) else None


def _number(value: object) -> int | None:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    return int(value) if 0 <= value < 2**63 else None
