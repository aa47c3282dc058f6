"""Publishing a folder or file as a model's next version."""

from __future__ import annotations

import json
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from smas.errors import Conflict, Forbidden, Invalid, LocalFault, NotServed
from smas.progress import counted
from smas.references import parse_alias
from smas.results import Pushed
from smas.transfer.options import TransferOptions
from smas.transfer.rate_limit import RateLimit
from smas.transfer.selection import names_differing_in_case, select
from smas.transfer.upload import Uploads

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from smas.api import Api
    from smas.progress import Progress
    from smas.references import ModelName
    from smas.results import Version
    from smas.retries import Stop
    from smas.transfer.digests import DigestCache
    from smas.transfer.selection import LocalFile
    from smas.transport import Transport

DEFAULT_WAIT_SECONDS: Final = 3600.0
_FIRST_LOOK_SECONDS: Final = 0.1
_LONGEST_LOOK_SECONDS: Final = 2.0


@dataclass(frozen=True, slots=True)
class PushOptions:
    """How a push behaves.

    ``wait_seconds`` is how long to wait until the version is verified (0: don't); an ``alias`` is moved when
    it is, or at once without waiting. ``rehash`` reads every file anew.
    """

    alias: str | None = None
    wait_seconds: float = DEFAULT_WAIT_SECONDS
    hidden: bool = False
    follow_symlinks: bool = False
    rehash: bool = False
    transfer: TransferOptions = field(default_factory=TransferOptions)


def push(
    source: Path,
    model: ModelName,
    *,
    message: str,
    metadata: Mapping[str, Any],
    options: PushOptions,
    api: Api,
    transport: Transport,
    digests: DigestCache,
    progress: Progress,
    stop: Stop,
) -> Pushed:
    """Send what the model does not hold yet, publish, wait for the verdict, move the alias.

    Stopped at any point, it can be run again: what S3 has is not sent twice. Raises ``Invalid`` for files
    that can't be published, before anything is sent; ``NotServed`` if the verifier refused the version;
    whatever the store answers.
    """
    if options.alias is not None:
        parse_alias(options.alias)
    facts = _as_json(metadata)
    selection = select(source, hidden=options.hidden, follow_symlinks=options.follow_symlinks)
    for line in selection.left_out:
        progress.say(f"left out: {line}")
    for pair in names_differing_in_case([file.path for file in selection.files]):
        progress.say(f"{pair[0]} and {pair[1]} differ in case only: not every file system can hold both")
    total = sum(file.size for file in selection.files)
    limit = RateLimit(options.transfer.bytes_per_second, stop)
    uploads = Uploads(api, transport, model, options.transfer, progress, stop, limit)
    known = {} if options.rehash else digests.known(selection.files)
    found, hashed = _send(uploads, selection.files, known, total, trust_latest=True)
    try:
        digests.remember(hashed)
    except LocalFault as fault:
        progress.say(f"what was hashed is not remembered: {fault.detail}")
    listed = [(file.path, found[file.path], file.size) for file in selection.files]
    try:
        version = api.publish(model, listed, message, facts)
    except Conflict as conflict:
        if conflict.code != "blob_missing":
            raise
        # The newest version went away while we relied on it: ask about every file.
        _send(uploads, selection.files, found, total, trust_latest=False)
        version = api.publish(model, listed, message, facts)
    progress.say(f"published {version.reference}: {counted(len(listed), 'file')}, {version.state}")
    if options.wait_seconds > 0:
        version = settled(api, model, version, options.wait_seconds, progress, stop)
    alias = None
    if options.alias is not None:
        try:
            alias = api.move_alias(model, options.alias, version.version)
        except (Conflict, Forbidden) as refusal:
            whose = "" if isinstance(refusal, Conflict) else " (or have somebody do it who may)"
            refusal.hint = f"{version.reference} is published; move the alias later{whose}: smas alias set"
            raise
        progress.say(f"{options.alias} is now version {version.version}")
    return Pushed(
        version=version,
        alias=alias,
        sent_files=uploads.sent.files,
        sent_bytes=uploads.sent.bytes,
        left_out=selection.left_out,
    )


def _send(
    uploads: Uploads, files: list[LocalFile], known: Mapping[str, str], total: int, *, trust_latest: bool
) -> tuple[dict[str, str], list[tuple[LocalFile, str, int]]]:
    """Send under a progress bar, and make sure that no file was changed meanwhile."""
    uploads.progress.begin("sending", total)
    try:
        sent = uploads.send(files, known, trust_latest=trust_latest)
    finally:
        uploads.progress.end()
    for file in files:
        file.check_unchanged()
    return sent


def _as_json(metadata: Mapping[str, Any]) -> dict[str, Any]:
    """The metadata as they will be read back. Raises ``Invalid`` for what is not JSON, NaN too."""
    try:
        plain: dict[str, Any] = json.loads(json.dumps(metadata, allow_nan=False, ensure_ascii=False).encode())
    except (TypeError, ValueError) as error:
        message = f"the metadata can't be written as JSON: {error}"
        raise Invalid(message, hint="numbers of other libraries: float(x) or int(x); NaN: None") from error
    return plain


def settled(
    api: Api, model: ModelName, version: Version, wait_seconds: float, progress: Progress, stop: Stop
) -> Version:
    """The version once it is available. Raises ``NotServed`` if it was refused or time is up."""
    deadline, pause = time.monotonic() + wait_seconds, _FIRST_LOOK_SECONDS
    if version.state == "verifying":
        progress.say("waiting until it is verified")
    while version.state == "verifying":
        if time.monotonic() >= deadline:
            message = f"{version.reference} is published, but still not verified after {wait_seconds:.0f} s"
            raise NotServed(message, hint=f"verification goes on; look with: smas show {version.reference}")
        stop.pause(pause)
        pause = min(pause * 1.5, _LONGEST_LOOK_SECONDS)
        version = api.version(model, str(version.version))
    if version.state != "available":
        message = f"{version.reference} is {version.state}: {version.reason}"
        hint = "push again: bytes that were refused are sent anew" if version.state == "rejected" else ""
        raise NotServed(message, hint=hint, code=version.state)
    return version
