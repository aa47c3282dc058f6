"""What each role may do in the buckets, kind by kind: the promise policies and local AWS are held to."""

from __future__ import annotations

from service.domain.names import ModelId
from service.registry import keys
from tests.infra.rendering import PERSONAS, ROLES

ME = "sub-of-me"
RECORDS = frozenset(
    [
        "aliases",
        "approvals",
        "authors",
        "cards",
        "manifests",
        "moves",
        "protected",
        "releases",
        "settings",
        "tombstones",
        "verdicts",
    ]
)
TAGGED_BY = frozenset(
    ["authors", "cards", "findings", "manifests", "moves", "protected", "releases", "settings", "verdicts"]
)
NONE: frozenset[str] = frozenset()
# Kinds whose current and older versions a role may read, blobs apart.
READS = {
    "persona-data-scientist": RECORDS | {"uploads", "requests"},
    **dict.fromkeys((p for p in PERSONAS if p != "persona-data-scientist"), RECORDS),
    "verifier-scanning": frozenset({"findings"}),
    "verifier-tagging": TAGGED_BY,
    **dict.fromkeys(("watch", "service", "worker"), NONE),
}
LISTS = {
    **dict.fromkeys(PERSONAS, RECORDS | {"blobs"}),
    "persona-data-scientist": RECORDS | {"blobs", "uploads", "requests"},
    "persona-deployer": RECORDS,
    "verifier-scanning": frozenset({"blobs", "findings"}),
    "verifier-tagging": TAGGED_BY | {"blobs"},
    **dict.fromkeys(("watch", "service", "worker"), NONE),
}
WRITES = {
    **dict.fromkeys(ROLES, NONE),
    "persona-data-scientist": frozenset(
        ["aliases", "authors", "blobs", "cards", "manifests", "requests", "uploads"]
    ),
    "persona-approver": frozenset({"moves", "protected", "settings"}),
    "verifier-scanning": frozenset({"findings"}),
    "verifier-tagging": frozenset({"releases", "verdicts"}),
}
# Kinds that are never written over: the bucket's own policy refuses whatever does not say so.
CREATE_ONLY = frozenset(["approvals", "authors", "findings", "manifests", "moves", "tombstones", "verdicts"])
DELETES = {**dict.fromkeys(ROLES, NONE), "persona-data-scientist": frozenset({"uploads"})}
# Kinds of whose versions a role sets the tags that open them.
TAGS = {**dict.fromkeys(ROLES, NONE), "verifier-tagging": frozenset({"blobs"})}
# Kinds of which a role reads the tags, and whose unfinished uploads it continues or gives up.
READ_TAGS = {
    **dict.fromkeys(ROLES, NONE),
    **dict.fromkeys((p for p in PERSONAS if p != "persona-deployer"), frozenset({"blobs"})),
    "verifier-tagging": frozenset({"blobs"}),
}
PARTS = {**dict.fromkeys(ROLES, NONE), "persona-data-scientist": frozenset({"blobs"})}
# Whose blobs can be read: those with these tags; None: no tag helps.
BYTES: dict[str, dict[str, str] | None] = {
    "persona-data-scientist": {"smas-state": "verified"},
    "persona-approver": {"smas-state": "verified"},
    "persona-compliance": {"smas-state": "verified"},
    "persona-deployer": {"smas-state": "verified", "smas-release": "yes"},
    "verifier-scanning": {},
    **dict.fromkeys(("persona-auditor", "persona-custodian", "verifier-tagging"), None),
    **dict.fromkeys(("watch", "service", "worker"), None),
}
# Who reads what proves it all: the trail's files and the service's log; nobody writes or deletes there.
READ_THE_TRAIL = frozenset({"persona-compliance", "persona-auditor", "watch"})

# Everything that anybody may do to an object: the actions behind each letter of the page.
LETTERS = {
    "r": ("s3:GetObject", "s3:GetObjectVersion"),
    "l": ("s3:ListBucket", "s3:ListBucketVersions"),
    "w": ("s3:PutObject",),
    "d": ("s3:DeleteObject",),
    "s": ("s3:GetObjectTagging", "s3:GetObjectVersionTagging"),
    "t": ("s3:PutObjectVersionTagging",),
    "p": ("s3:AbortMultipartUpload", "s3:ListMultipartUploadParts"),
}


def letters(role: str, kind: str) -> str:
    """What a role may do to objects of a kind, in letters of `LETTERS`."""
    reads = BYTES[role] is not None if kind == "blobs" else kind in READS[role]
    can = {
        "r": reads,
        "l": kind in LISTS[role],
        "w": kind in WRITES[role],
        "d": kind in DELETES[role],
        "s": kind in READ_TAGS[role],
        "t": kind in TAGS[role],
        "p": kind in PARTS[role],
    }
    return "".join(letter for letter in LETTERS if can[letter])


def key(kind: str, team: str = "fraud", subject: str = ME, name: str = "m") -> str:
    """A key of each kind, as the service makes it."""
    model, digest = ModelId(team, name), "a" * 64
    made = {
        "aliases": keys.alias(model, "champion", protected=False),
        "approvals": f"approvals/{model}/7/{subject}.json",
        "authors": keys.author(model, 7, subject),
        "blobs": keys.blob(model, digest),
        "cards": keys.card(model),
        "findings": keys.finding(model, digest, "v1"),
        "manifests": keys.manifest(model, 7),
        "moves": keys.move(model, "production", 7, subject),
        "protected": keys.alias(model, "production", protected=True),
        "releases": keys.releases(model),
        "requests": keys.request(model, subject, "key"),
        "settings": keys.settings(model),
        "tombstones": f"tombstones/{model}/7.json",
        "uploads": keys.upload(model, digest),
        "verdicts": keys.verdict(model, 7),
    }
    return made[kind]
