"""Where everything lies in the bucket: the kind first, so that policies and notifications can match it.

IAM's ``*`` matches ``/`` too, so a policy names a kind and a team as a literal prefix; an inner ``*``
stands only before a fixed last segment.
"""

from __future__ import annotations

import re
from hashlib import sha256
from typing import TYPE_CHECKING, Final

from service.domain.names import MAX_VERSION, parse_model_id
from service.errors import ValidationFailed

if TYPE_CHECKING:
    from service.domain.names import ModelId

# Kinds that the verifier's sweep lists whole.
MANIFESTS: Final = "manifests/"
VERDICTS: Final = "verdicts/"
PROTECTED: Final = "protected/"

# Subtracting from this makes the newest version the first key of a list.
_INVERT: Final = 9_999_999_999
# Removed once they have served, and expired by the bucket's lifecycle.
_PASSING: Final = ("uploads/", "requests/")
_INVERTED: Final = re.compile(r"[0-9]{10}", re.ASCII)


def cards(team: str | None = None, prefix: str = "") -> str:
    """The prefix of the cards of ``team`` (of all teams if None) whose model name starts with ``prefix``."""
    return f"cards/{team}/{prefix}" if team else "cards/"


def card(model: ModelId) -> str:
    """A model's card."""
    return f"cards/{model}.json"


def settings(model: ModelId) -> str:
    """A model's settings."""
    return f"settings/{model}.json"


def uploads(model: ModelId) -> str:
    """The prefix of a model's open multipart uploads."""
    return f"uploads/{model}/"


def upload(model: ModelId, digest: str) -> str:
    """The open multipart upload of one blob."""
    return f"uploads/{model}/{digest}.json"


def request(model: ModelId, subject: str, idempotency_key: str) -> str:
    """A person's idempotency key for one model, by the digest of both."""
    digest = sha256(f"{model}\n{idempotency_key}".encode()).hexdigest()
    return f"requests/{model.team}/{subject}/{digest}.json"


def blobs(model: ModelId) -> str:
    """The prefix of a model's blobs."""
    return f"blobs/{model}/"


def blob(model: ModelId, digest: str) -> str:
    """The bytes with that digest."""
    return f"blobs/{model}/{digest}"


def manifests(model: ModelId) -> str:
    """The prefix of a model's manifests, newest first."""
    return f"manifests/{model}/"


def manifest(model: ModelId, version: int) -> str:
    """The immutable part of a version."""
    return f"manifests/{model}/{_inverted(version)}.json"


def author(model: ModelId, version: int, subject: str) -> str:
    """The revision that ``subject`` stands for as the version's publisher."""
    return f"authors/{model}/{version}/{subject}.json"


def verdicts(model: ModelId) -> str:
    """The prefix of a model's verdicts, newest version first."""
    return f"verdicts/{model}/"


def verdict(model: ModelId, version: int) -> str:
    """What the verifier decided about a version."""
    return f"verdicts/{model}/{_inverted(version)}.json"


def finding(model: ModelId, digest: str, version_id: str) -> str:
    """What the verifier's scanning role read in one S3 version of a blob."""
    return f"findings/{model}/{digest}/{version_id}.json"


def releases(model: ModelId) -> str:
    """What deployers may read of a model."""
    return f"releases/{model}.json"


def aliases(model: ModelId, *, protected: bool) -> str:
    """The prefix of a model's aliases of one class."""
    return f"{'protected' if protected else 'aliases'}/{model}/"


def alias(model: ModelId, name: str, *, protected: bool) -> str:
    """An alias; a protected one lies where only approvers can write."""
    return f"{aliases(model, protected=protected)}{name}.json"


def move(model: ModelId, name: str, version: int, subject: str) -> str:
    """``subject``'s own word for moving a protected alias to a version."""
    return f"moves/{model}/{name}/{version}/{subject}.json"


def is_lasting(key: str) -> bool:
    """Whether a record, once it is there, stays: none but open uploads and idempotency keys is removed."""
    return not key.startswith(_PASSING)


def last_segment(key: str) -> str:
    """The name at the end of a key, without ``.json``."""
    return key.rpartition("/")[2].removesuffix(".json")


def version_in(key: str) -> int | None:
    """The version number in the key of a manifest or a verdict, None in a key that names none.

    IAM lets a team write any key under its prefixes, so lists may hold keys that the service never wrote.
    """
    name = last_segment(key)
    if not _INVERTED.fullmatch(name):
        return None
    number = _INVERT - int(name)
    return number if 1 <= number <= MAX_VERSION else None


def model_in(key: str) -> ModelId | None:
    """The model in the key of a card, None in a key that names none."""
    _, *segments = key.removesuffix(".json").split("/")
    try:
        team, model = segments
        return parse_model_id(team, model)
    except (ValueError, ValidationFailed):
        return None


def _inverted(version: int) -> str:
    if not 1 <= version <= MAX_VERSION:
        message = f"version {version} is out of range"
        raise ValueError(message)
    return str(_INVERT - version)
