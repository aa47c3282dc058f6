"""What each role may do in the bucket, kind by kind: the promise policies and local AWS are held to."""

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
    **dict.fromkeys(("service", "worker"), NONE),
}
LISTS = {
    **dict.fromkeys(PERSONAS, RECORDS | {"blobs"}),
    "persona-data-scientist": RECORDS | {"blobs", "uploads", "requests"},
    "persona-deployer": RECORDS,
    "verifier-scanning": frozenset({"blobs", "findings"}),
    "verifier-tagging": TAGGED_BY | {"blobs"},
    **dict.fromkeys(("service", "worker"), NONE),
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
DELETES = {**dict.fromkeys(ROLES, NONE), "persona-data-scientist": frozenset({"uploads"})}
# Whose blobs can be read: those with these tags; None: no tag helps.
BYTES: dict[str, dict[str, str] | None] = {
    "persona-data-scientist": {"smas-state": "verified"},
    "persona-approver": {"smas-state": "verified"},
    "persona-compliance": {"smas-state": "verified"},
    "persona-deployer": {"smas-state": "verified", "smas-release": "yes"},
    "verifier-scanning": {},
    **dict.fromkeys(("persona-auditor", "persona-custodian", "verifier-tagging", "service", "worker"), None),
}


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
