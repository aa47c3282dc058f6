"""What a bucket of models holds, and whether it is whole: every version's bytes, every alias's version.

The keys' layout and the records' members are those of the contract that the service keeps with its bucket
(`docs/adr/0001-one-bucket-is-the-whole-truth.md`). Nothing is written here.
"""

from __future__ import annotations

import json
import re
import shlex
from collections import defaultdict
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from hashlib import sha256
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

# Only ever created, so the first version is the true one.
IMMUTABLE: Final = frozenset(
    ["approvals", "authors", "findings", "manifests", "moves", "tombstones", "verdicts"]
)
# Whose newest version counts and whose older ones are its history.
MOVABLE: Final = frozenset(["aliases", "cards", "protected", "releases", "settings"])
BLOBS: Final = "blobs"
# Removed once they have served.
_PASSING: Final = frozenset(["requests", "uploads"])
_NEWEST: Final = 9_999_999_999
_NUMBER: Final = re.compile(r"[0-9]{10}", re.ASCII)
_AT_ONCE: Final = 16
_CHUNK: Final = 1 << 20


@dataclass(frozen=True, slots=True)
class Version:
    """One version of a key; a delete marker has no size."""

    id: str
    size: int | None

    @property
    def is_marker(self) -> bool:
        """Whether it hides the key instead of holding something."""
        return self.size is None


@dataclass(frozen=True, slots=True)
class Holdings:
    """Every key of a bucket that is there to stay, with its versions, the newest first."""

    bucket: str
    keys: Mapping[str, Sequence[Version]]

    def of(self, *kinds: str) -> Iterator[str]:
        """The keys of these kinds that are not hidden, in order."""
        for key, versions in sorted(self.keys.items()):
            if kind(key) in kinds and not versions[0].is_marker:
                yield key


@dataclass(slots=True)
class Findings:
    """What was counted, and what is wrong; each fault says what to do where a command mends it."""

    models: set[str] = field(default_factory=set)
    versions: int = 0
    aliases: int = 0
    blobs: set[tuple[str, str]] = field(default_factory=set)
    faults: list[str] = field(default_factory=list)

    def __str__(self) -> str:
        counted = (
            f"{len(self.models)} models, {self.versions} versions, {self.aliases} aliases, "
            f"{len(self.blobs)} versions of blobs"
        )
        return f"{counted}: {'whole' if not self.faults else f'{len(self.faults)} faults'}"


def kind(key: str) -> str:
    """What sort of thing a key names."""
    return key.partition("/")[0]


def read_holdings(s3: Any, bucket: str, prefix: str = "") -> Holdings:
    """List every version of everything under `prefix` but what passes by itself."""
    found: dict[str, list[tuple[bool, Version]]] = defaultdict(list)
    pages = s3.get_paginator("list_object_versions").paginate(Bucket=bucket, Prefix=prefix)
    for page in pages:
        entries = [
            *((entry, int(entry["Size"])) for entry in page.get("Versions", ())),
            *((entry, None) for entry in page.get("DeleteMarkers", ())),
        ]
        # Versions and markers come in two lists; the times put them together again, the newest first.
        entries.sort(key=lambda each: each[0]["LastModified"], reverse=True)
        for entry, size in entries:
            if kind(entry["Key"]) not in _PASSING:
                found[entry["Key"]].append((entry["IsLatest"], Version(entry["VersionId"], size)))
    return Holdings(
        bucket,
        {
            # What is said to be the latest is the first, however close the times are.
            key: [version for _, version in sorted(versions, key=lambda each: not each[0])]
            for key, versions in found.items()
        },
    )


def check(s3: Any, holdings: Holdings, *, read_bytes: bool = False) -> Findings:
    """Whether every version can be served, and every alias leads to one.

    `read_bytes` also reads every byte and holds it against its digest, which takes as long as it takes.
    """
    findings = Findings()
    findings.faults += _damage(holdings)
    deleted = {tuple(key.removesuffix(".json").split("/")[1:]) for key in holdings.of("tombstones")}
    manifests = list(holdings.of("manifests"))
    published = set()
    for key, manifest in zip(manifests, _documents(s3, holdings.bucket, manifests), strict=True):
        number = _version(key)
        model = _model(key)
        if number is None or not _is_manifest(manifest):
            findings.faults.append(f"{key}: no manifest that can be read")
            continue
        findings.models.add(model)
        findings.versions += 1
        published.add((model, number))
        if (*model.split("/"), str(number)) not in deleted:
            findings.faults += _files(holdings, key, model, manifest, findings)
    names = list(holdings.of("aliases", "protected"))
    for key, alias in zip(names, _documents(s3, holdings.bucket, names), strict=True):
        findings.aliases += 1
        model = _model(key)
        version = alias.get("version") if isinstance(alias, dict) else None
        # An alias that was removed says so by naming no version; a team may have written anything there.
        if version is not None and not (isinstance(version, int) and (model, version) in published):
            findings.faults.append(f"{key}: points to version {version} of {model}, which is not there")
    if read_bytes:
        findings.faults += _bytes(s3, holdings, findings.blobs)
    return findings


def differences(s3: Any, holdings: Holdings, other_s3: Any, other: Holdings) -> list[str]:
    """What `other` lacks of `holdings`, or has otherwise: versions by their ids, records by their content."""
    faults = []
    records = []
    for key, versions in sorted(holdings.keys.items()):
        there = {version.id: version.size for version in other.keys.get(key, ())}
        for version in versions:
            if version.is_marker:
                continue  # deletions are not copied
            if version.id not in there:
                faults.append(f"{key}: version {version.id} is not in {other.bucket}")
            elif there[version.id] != version.size:
                faults.append(f"{key}: version {version.id} has another size in {other.bucket}")
            elif kind(key) != BLOBS:
                records.append((key, version.id))
    ours = _bodies(s3, holdings.bucket, records)
    theirs = _bodies(other_s3, other.bucket, records)
    for (key, version_id), here, there_ in zip(records, ours, theirs, strict=True):
        if here != there_:
            faults.append(f"{key}: version {version_id} says something else in {other.bucket}")
    return faults


def _damage(holdings: Holdings) -> Iterator[str]:
    for key, versions in sorted(holdings.keys.items()):
        if versions[0].is_marker:
            yield f"{key}: hidden by a delete marker; python -m deployment restore {shlex.quote(key)}"
        elif kind(key) in IMMUTABLE and len(versions) > 1:
            yield (
                f"{key}: written over, which nobody may; python -m deployment restore {shlex.quote(key)} "
                "--evidence DIR"
            )


def _files(
    holdings: Holdings, key: str, model: str, manifest: Mapping[str, Any], findings: Findings
) -> Iterator[str]:
    for file in manifest["files"]:
        blob = f"{BLOBS}/{model}/{file['sha256']}"
        sizes = {version.id: version.size for version in holdings.keys.get(blob, ())}
        findings.blobs.add((blob, file["s3_version_id"]))
        if file["s3_version_id"] not in sizes:
            yield f"{key}: {file['path']} is gone: {blob} has no version {file['s3_version_id']}"
        elif sizes[file["s3_version_id"]] != file["size"]:
            yield f"{key}: {file['path']} has not its size: {blob}, version {file['s3_version_id']}"


def _is_manifest(document: Any) -> bool:
    """Whether it names files as the service does; IAM lets a team write anything under its prefixes."""
    members = {"path": str, "sha256": str, "size": int, "s3_version_id": str}
    files = document.get("files") if isinstance(document, dict) else None
    return isinstance(files, list) and all(
        isinstance(file, dict) and all(isinstance(file.get(name), kind) for name, kind in members.items())
        for file in files
    )


def _bytes(s3: Any, holdings: Holdings, blobs: Iterable[tuple[str, str]]) -> Iterator[str]:
    there = {(key, version.id) for key, versions in holdings.keys.items() for version in versions}
    for key, version_id in sorted(set(blobs) & there):
        digest = sha256()
        body = s3.get_object(Bucket=holdings.bucket, Key=key, VersionId=version_id)["Body"]
        for chunk in body.iter_chunks(_CHUNK):
            digest.update(chunk)
        if digest.hexdigest() != key.rpartition("/")[2]:
            yield f"{key}: version {version_id} has other bytes than its digest"


def _documents(s3: Any, bucket: str, keys: Sequence[str]) -> list[Any]:
    return [_json(body) for body in _bodies(s3, bucket, [(key, None) for key in keys])]


def _bodies(s3: Any, bucket: str, wanted: Sequence[tuple[str, str | None]]) -> list[bytes]:
    def body(asked: tuple[str, str | None]) -> bytes:
        key, version_id = asked
        of_version = {"VersionId": version_id} if version_id else {}
        return bytes(s3.get_object(Bucket=bucket, Key=key, **of_version)["Body"].read())

    with ThreadPoolExecutor(_AT_ONCE) as pool:
        return list(pool.map(body, wanted))


def _json(body: bytes) -> Any:
    try:
        return json.loads(body)
    except (ValueError, RecursionError):
        return None


def _model(key: str) -> str:
    """Team and name, as between a key's kind and its last part."""
    return key.partition("/")[2].rpartition("/")[0]


def _version(key: str) -> int | None:
    """The number in a manifest's key."""
    name = key.rpartition("/")[2].removesuffix(".json")
    return _NEWEST - int(name) if _NUMBER.fullmatch(name) else None
