"""What the tagging role decides: blobs become readable, versions available or rejected.

The order is what makes it safe to be killed anywhere: findings, then tags, then the verdict. A verdict
is only ever created, so a version's fate is decided once.
"""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Final

from service.domain.times import age, written
from service.domain.versions import Author, Manifest, Verdict, VersionState, revision_of, same_model
from service.ports import KeyExists, KeyMissing
from service.registry import keys
from service.registry.blobs import QUARANTINED, STATE_TAG, VERIFIED
from service.registry.records import encode, find
from service.verifier.releasing import release
from service.verifier.scanning import find_or_scan

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from service.domain.files import StoredFile
    from service.domain.names import ModelId
    from service.ports import VerifierStores

# A publication writes manifest and author within milliseconds; after this its process is gone.
AUTHOR_GRACE: Final = timedelta(minutes=15)


@dataclass(frozen=True, slots=True)
class Verifier:
    """Settles blobs and versions with the two roles' stores."""

    stores: VerifierStores
    clock: Callable[[], datetime]

    def settle_blob(self, model: ModelId, digest: str, version_id: str) -> str:
        """Tag that S3 version of a blob ``verified`` or ``quarantined``; answers which.

        Raises ``KeyMissing`` if there is no such version.
        """
        key = keys.blob(model, digest)
        tags = self.stores.tagging.tags(key, version_id)
        if STATE_TAG in tags:
            return tags[STATE_TAG]
        finding = find_or_scan(
            self.stores.scanning, self.stores.bytes, model, digest, version_id, self.clock()
        )
        state = VERIFIED if finding.sha256 == digest else QUARANTINED
        self.stores.tagging.set_tags(key, version_id, {**tags, STATE_TAG: state})
        return state

    def settle_version(self, model: ModelId, number: int) -> Verdict | None:
        """Decide about a version once; answers the verdict, or None while its author's record is awaited."""
        decided = find(self.stores.tagging, keys.verdict(model, number), Verdict)
        if decided:
            release(self.stores.tagging, model)
            return decided.value
        found = find(self.stores.tagging, keys.manifest(model, number), Manifest)
        if found is None:
            return None
        manifest = found.value
        author = find(self.stores.tagging, keys.author(model, number, manifest.subject), Author)
        if author is None and age(manifest.created_at, self.clock()) < AUTHOR_GRACE:
            return None
        fault = _fault_in_authorship(model, number, manifest, author.value if author else None)
        faults = [fault] if fault else self._faults_in_files(model, manifest.files)
        verdict = Verdict(
            version=number,
            revision=manifest.revision,
            state=VersionState.REJECTED if faults else VersionState.AVAILABLE,
            reason=_sentence(faults),
            decided_at=written(self.clock()),
            faults=tuple(faults),
        )
        with suppress(KeyExists):  # a twin saw the same immutable things and decided the same
            self.stores.tagging.create(keys.verdict(model, number), encode(verdict))
        # A blob shared with a released version may just have been tagged anew: put its release back.
        release(self.stores.tagging, model)
        return verdict

    def _faults_in_files(self, model: ModelId, files: tuple[StoredFile, ...]) -> list[str]:
        pins = {(file.sha256, file.s3_version_id): file for file in files}
        faults: list[str] = []
        for (digest, version_id), file in pins.items():
            try:
                state = self.settle_blob(model, digest, version_id)
            except KeyMissing:
                faults.append(f"{file.path}: its bytes are not in storage")
                continue
            if state != VERIFIED:
                faults.append(
                    f"{file.path}: the bytes uploaded do not have the SHA-256 they were published under"
                )
        return faults


def _fault_in_authorship(
    model: ModelId, number: int, manifest: Manifest, author: Author | None
) -> str | None:
    if not same_model(manifest, model, number):
        return "the manifest is not the one its key names"
    if revision_of(manifest) != manifest.revision:
        return "the manifest's revision is not the digest of its contents"
    if author is None:
        return "the publication was interrupted before its author confirmed it: publish again"
    if author != Author(manifest.revision, manifest.subject):
        return "the author's own record names another revision"
    return None


def _sentence(faults: list[str]) -> str | None:
    if not faults:
        return None
    return faults[0] if len(faults) == 1 else f"{faults[0]} (and {len(faults) - 1} more files)"
