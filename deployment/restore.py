"""`restore`: bring back one object that was hidden, written over, moved wrongly, or destroyed."""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError

from deployment import options, store
from deployment.errors import DeploymentError
from deployment.holdings import BLOBS, IMMUTABLE, MOVABLE, kind, read_holdings

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from deployment.holdings import Version
    from deployment.store import Aws, Store

_DESCRIPTION = """\
Bring back one object of the models' bucket, by its key (`check-store` names what needs it).

  hidden       its delete markers are taken away; the version behind them is what it was
  written over of a kind that is only ever created, as a manifest: all but the first version is saved below
               --evidence, each with its version id, and then destroyed
  moved        of a kind that changes, as an alias: --version-id says which content is written once more, if
               nobody writes in between; without it the versions are listed
  destroyed    --from-copy takes a record's newest version from the copy in the second region

A blob that was destroyed cannot be written again, because manifests name S3's version ids:
docs/operations.md, "Restoring", has the job that copies it back with its id.

examples:
  python -m deployment restore manifests/fraud/risk/9999999998.json --evidence incident-7 --vars our.tfvars
  python -m deployment restore aliases/fraud/risk/champion.json --vars our.tfvars
  python -m deployment restore aliases/fraud/risk/champion.json --version-id 3sL4kqtJ --vars our.tfvars
"""


def add_parser(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Declare `restore`."""
    parser = subparsers.add_parser(
        "restore",
        help="bring back an object that was hidden, written over, moved or destroyed",
        description=_DESCRIPTION,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("key", metavar="KEY", help="the object's key in the models' bucket")
    how = parser.add_mutually_exclusive_group()
    how.add_argument("--version-id", metavar="ID", help="the S3 version whose content counts again")
    how.add_argument("--evidence", type=Path, metavar="DIR", help="where what is destroyed is kept")
    how.add_argument("--from-copy", action="store_true", help="take it from the copy in the second region")
    store.add_arguments(parser)
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Restore one object."""
    which, aws = store.opened(arguments)
    restore(
        which,
        aws,
        arguments.key,
        version_id=arguments.version_id,
        evidence=arguments.evidence,
        from_copy=arguments.from_copy,
        say=options.say,
    )
    return 0


def restore(
    which: Store,
    aws: Aws,
    key: str,
    *,
    version_id: str | None = None,
    evidence: Path | None = None,
    from_copy: bool = False,
    say: Callable[[str], object],
) -> None:
    """Bring back what the key named. Raises `DeploymentError` for what cannot be, and says what can."""
    if kind(key) not in IMMUTABLE | MOVABLE | {BLOBS}:
        message = (
            f"{key!r} is no key of anything that stays: it begins with a kind, as manifests/ or aliases/."
        )
        raise DeploymentError(message)
    s3 = aws.client("s3")
    if from_copy:
        _take_from_copy(which, aws, key)
        say(f"{key}: written from the copy")
        return
    versions = _versions(s3, which.bucket, key)
    hidden = [version for version in versions if version.is_marker]
    for marker in hidden:
        s3.delete_object(Bucket=which.bucket, Key=key, VersionId=marker.id)
        say(f"{key}: took away the delete marker {marker.id}")
    kept = [version for version in versions if not version.is_marker]
    if version_id is not None:
        _write_again(which, aws, key, version_id)
        say(f"{key}: the content of version {version_id} counts again")
    elif kind(key) in IMMUTABLE and len(kept) > 1:
        _destroy_all_but_the_first(s3, which.bucket, key, kept, evidence, say)
    elif not kept:
        message = (
            f"{key} has no version left. A record: --from-copy, if there is a copy. A blob: "
            'docs/operations.md, "Restoring".'
        )
        raise DeploymentError(message)
    elif not hidden:
        raise DeploymentError(_nothing_to_do(s3, which.bucket, key, kept))


def _versions(s3: Any, bucket: str, key: str) -> Sequence[Version]:
    return read_holdings(s3, bucket, key).keys.get(key, ())


def _destroy_all_but_the_first(
    s3: Any,
    bucket: str,
    key: str,
    kept: Sequence[Version],
    evidence: Path | None,
    say: Callable[[str], object],
) -> None:
    """What was written over the true one is kept as a file each, and gone from the bucket."""
    if evidence is None:
        message = (
            f"{key} was written over {len(kept) - 1} times, which nobody may. --evidence DIR keeps those "
            "versions there and destroys them here, so that the first one counts again."
        )
        raise DeploymentError(message)
    for version in kept[:-1]:
        found = s3.get_object(Bucket=bucket, Key=key, VersionId=version.id)
        file = _file_below(evidence, key) / version.id
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(found["Body"].read())
        about = {name: found[name] for name in ("ETag", "LastModified", "Metadata") if name in found}
        file.with_name(f"{version.id}.about.json").write_text(
            json.dumps(about, default=str), encoding="utf-8"
        )
        s3.delete_object(Bucket=bucket, Key=key, VersionId=version.id)
        say(f"{key}: version {version.id} is in {file} and no longer in the bucket")
    say(f"{key}: version {kept[-1].id}, the first, counts again")


def _file_below(folder: Path, key: str) -> Path:
    """The path of a key in a folder, and never outside of it: a key may have any parts."""
    parts = [part.replace(".", "%2E") if set(part) <= {"."} else part for part in key.split("/")]
    return folder.joinpath(*filter(None, parts))


def _write_again(which: Store, aws: Aws, key: str, version_id: str) -> None:
    """The content of an older version as the newest one, if what is there now is still there then."""
    if kind(key) not in MOVABLE:
        message = (
            f"{key}: {kind(key)} are only ever created; --version-id is for {', '.join(sorted(MOVABLE))}."
        )
        raise DeploymentError(message)
    s3 = aws.client("s3")
    try:
        now = s3.head_object(Bucket=which.bucket, Key=key)["ETag"]
        body = s3.get_object(Bucket=which.bucket, Key=key, VersionId=version_id)["Body"].read()
        _put(which, aws, key, body, IfMatch=now)
    except ClientError as error:
        raise DeploymentError(_refused(error, key, version_id)) from error


def _take_from_copy(which: Store, aws: Aws, key: str) -> None:
    if which.copy is None:
        raise DeploymentError("This store has no copy; `replica_region` makes one (infra/README.md).")
    if kind(key) == BLOBS:
        message = (
            f"{key}: manifests name the S3 version ids of blobs, and a write would give it another. S3 Batch "
            'Replication copies it back with its id: docs/operations.md, "Restoring".'
        )
        raise DeploymentError(message)
    copy = aws.client("s3", which.copy.region)
    try:
        body = copy.get_object(Bucket=which.copy.bucket, Key=key)["Body"].read()
        _put(which, aws, key, body, IfNoneMatch="*")
    except ClientError as error:
        raise DeploymentError(_refused(error, key, "there")) from error


def _put(which: Store, aws: Aws, key: str, body: bytes, **condition: str) -> None:
    """Write a record as the service does: under the records' key, by a condition."""
    described = aws.client("kms").describe_key(KeyId=f"alias/{which.name}-metadata")
    aws.client("s3").put_object(
        Bucket=which.bucket,
        Key=key,
        Body=body,
        ContentType="application/json",
        ServerSideEncryption="aws:kms",
        SSEKMSKeyId=described["KeyMetadata"]["Arn"],
        **condition,
    )


def _refused(error: ClientError, key: str, version_id: str) -> str:
    code = error.response["Error"]["Code"]
    if code in {"PreconditionFailed", "ConditionalRequestConflict"}:
        return f"{key} was written in between, or is there already; look again, nothing was changed."
    if code in {"NoSuchVersion", "NoSuchKey", "404"}:
        return f"{key} has no version {version_id}."
    return f"{key} could not be restored: {error}"


def _nothing_to_do(s3: Any, bucket: str, key: str, kept: Sequence[Version]) -> str:
    if kind(key) not in MOVABLE:
        return f"{key} is neither hidden nor written over: nothing to restore."
    lines = []
    for version in kept:
        found = s3.get_object(Bucket=bucket, Key=key, VersionId=version.id)
        said = found["Body"].read(200).decode(errors="replace")
        lines.append(f"  {version.id}  {found['LastModified']:%Y-%m-%dT%H:%M:%SZ}  {options.shown(said)}")
    return "\n".join(
        [f"{key} is not hidden. --version-id writes one of these once more, newest first:", *lines]
    )
