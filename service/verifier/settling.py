"""What the tagging role decides: blobs become readable, versions available or rejected.

The order is what makes it safe to be killed anywhere: findings, then tags, then the verdict. A verdict
is only ever created, so a version's fate is decided once.
"""

from __future__ import annotations

from contextlib import suppress
from datetime import timedelta
from typing import TYPE_CHECKING, Final

import msgspec

from service import metrics
from service.domain.access import is_subject
from service.domain.files import FileEntry, check_files
from service.domain.times import age, parsed, written
from service.domain.versions import (
    Author,
    Manifest,
    Verdict,
    VersionState,
    check_description,
    revision_of,
    same_model,
)
from service.errors import ValidationFailed
from service.ports import KeyExists, KeyMissing
from service.registry import keys
from service.registry.blobs import QUARANTINED, STATE_TAG, VERIFIED
from service.registry.records import Unreadable, encode, find
from service.verifier.releasing import release

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from service.domain.files import StoredFile
    from service.domain.names import ModelId
    from service.ports import ObjectStore
    from service.verifier.scanning import Scanner

# A publication writes manifest and author within milliseconds; after this its process is gone.
AUTHOR_GRACE: Final = timedelta(minutes=15)


class SettledBlob(msgspec.Struct, frozen=True):
    """A blob's state tag and its true size in bytes."""

    state: str
    size: int


class Verifier(msgspec.Struct, frozen=True):
    """Settles blobs and versions: decides as the tagging role, asks the scanner what the bytes are."""

    scanner: Scanner
    tagging: ObjectStore
    clock: Callable[[], datetime]

    def settle_blob(self, model: ModelId, digest: str, version_id: str) -> SettledBlob:
        """Tag that S3 version of a blob ``verified`` or ``quarantined``, once.

        Raises ``KeyMissing`` if there is no such version.
        """
        finding = self.scanner.find_or_scan(model, digest, version_id, self.clock())
        key = keys.blob(model, digest)
        tags = self.tagging.tags(key, version_id)
        if STATE_TAG not in tags:
            tags[STATE_TAG] = VERIFIED if finding.sha256 == digest else QUARANTINED
            self.tagging.set_tags(key, version_id, tags)
            verified = tags[STATE_TAG] == VERIFIED
            metrics.add(metrics.BLOBS_VERIFIED if verified else metrics.BLOBS_QUARANTINED)
            metrics.add(metrics.VERIFIED_BYTES, finding.size)
        return SettledBlob(tags[STATE_TAG], finding.size)

    def settle_version(self, model: ModelId, number: int) -> Verdict | None:
        """Decide about a version once; answers the verdict, or None while its author's record is awaited."""
        decided = find(self.tagging, keys.verdict(model, number), Verdict)
        if decided:
            release(self.tagging, model)
            return decided.value
        try:
            found = find(self.tagging, keys.manifest(model, number), Manifest)
        except Unreadable:
            return self._decide(model, number, "", ["the manifest cannot be read"])
        if found is None:
            return None
        manifest = found.value
        fault = _fault_in_manifest(model, number, manifest)
        if fault:
            return self._decide(model, number, manifest.revision, [fault])
        author = self._author(model, number, manifest)
        if author is None and age(manifest.created_at, self.clock()) < AUTHOR_GRACE:
            return None
        fault = _fault_in_authorship(manifest, author)
        faults = [fault] if fault else self._faults_in_files(model, manifest.files)
        return self._decide(model, number, manifest.revision, faults)

    def _decide(self, model: ModelId, number: int, revision: str, faults: list[str]) -> Verdict:
        verdict = Verdict(
            version=number,
            revision=revision,
            state=VersionState.REJECTED if faults else VersionState.AVAILABLE,
            reason=_sentence(faults),
            decided_at=written(self.clock()),
            faults=tuple(faults),
        )
        with suppress(KeyExists):  # a twin saw the same immutable things and decided the same
            self.tagging.create(keys.verdict(model, number), encode(verdict))
            metrics.add(metrics.VERSIONS_REJECTED if faults else metrics.VERSIONS_AVAILABLE)
        # A blob shared with a released version may just have been tagged anew: put its release back.
        release(self.tagging, model)
        return verdict

    def _author(self, model: ModelId, number: int, manifest: Manifest) -> Author | None:
        try:
            found = find(self.tagging, keys.author(model, number, manifest.subject), Author)
        except Unreadable:
            return Author("unreadable", manifest.subject)
        return found.value if found else None

    def _faults_in_files(self, model: ModelId, files: tuple[StoredFile, ...]) -> list[str]:
        faults: list[str] = []
        settled: dict[tuple[str, str], SettledBlob | None] = {}
        for file in files:
            pin = (file.sha256, file.s3_version_id)
            if pin not in settled:
                try:
                    settled[pin] = self.settle_blob(model, *pin)
                except KeyMissing:
                    settled[pin] = None
            if fault := _fault_in_file(file, settled[pin]):
                faults.append(f"{file.path}: {fault}")
        return faults


def _fault_in_file(file: StoredFile, blob: SettledBlob | None) -> str | None:
    if blob is None:
        return "its bytes are not in storage"
    if blob.state != VERIFIED:
        return "the bytes uploaded do not have the SHA-256 they were published under"
    if blob.size != file.size:
        return f"its bytes are {blob.size} long, not {file.size}"
    return None


def _fault_in_manifest(model: ModelId, number: int, manifest: Manifest) -> str | None:
    """What the service would never have written, but somebody's own S3 session may."""
    if not same_model(manifest, model, number):
        return "the manifest is not the one its key names"
    if not is_subject(manifest.subject):
        return "the manifest names nobody as its publisher"
    try:
        parsed(manifest.created_at)
        check_description(manifest.message, manifest.metadata)
        check_files([FileEntry(file.path, file.sha256, file.size) for file in manifest.files])
        revision = revision_of(manifest)
    except (ValueError, ValidationFailed) as error:
        return f"the manifest breaks the rules of publishing: {error}"
    if revision != manifest.revision:
        return "the manifest's revision is not the digest of its contents"
    return None


def _fault_in_authorship(manifest: Manifest, author: Author | None) -> str | None:
    if author is None:
        return "the publication was interrupted before its author confirmed it: publish again"
    if author != Author(manifest.revision, manifest.subject):
        return "the author's own record names another revision"
    return None


def _sentence(faults: list[str]) -> str | None:
    if not faults:
        return None
    return faults[0] if len(faults) == 1 else f"{faults[0]} (and {len(faults) - 1} more files)"
