"""Replication of buckets: LocalStack keeps the configuration and copies nothing, so it is done when asked.

`POST /_smas/s3/replicate` copies, for every bucket that has a replication configuration, every version that
its destination lacks: with its id, its time, its tags and its lock, under the rule's key, as S3 does for what
is written and as S3 Batch Replication does for what is there. Delete markers stay where they are. The role of
the configuration is not asked for its permissions.
"""
# LocalStack is not installed where types are checked.
# mypy: disable-error-code="import-not-found, import-untyped"

from __future__ import annotations

import copy
import json
from typing import TYPE_CHECKING, Any

from localstack.http import Response
from localstack.services.edge import ROUTER
from localstack.services.plugins import SERVICE_PLUGINS
from localstack.services.s3.models import S3DeleteMarker, VersionedKeyStore, s3_stores
from localstack.services.s3.utils import get_unique_key_id

from smas_emulator import seed

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from localstack.http import Request


def serve_replication() -> None:
    """Answer at an address that no bucket can have."""
    ROUTER.add("/_smas/s3/replicate", _serve, methods=["POST"])


def _serve(_request: Request) -> Response:
    """How many versions were copied, by destination."""
    store = s3_stores[seed.ACCOUNT][seed.REGION]
    copied: dict[str, int] = {}
    for bucket in [each for each in store.buckets.values() if each.replication]:
        for source, rule in _wanted(bucket):
            destination = store.buckets[rule["Destination"]["Bucket"].rpartition(":")[2]]
            if _copy(store, bucket, source, destination, rule):
                copied[destination.name] = copied.get(destination.name, 0) + 1
    return Response(json.dumps(copied), 200, {"Content-Type": "application/json"})


def _wanted(bucket: Any) -> list[tuple[Any, Mapping[str, Any]]]:
    """Each version with the rule that copies it, the oldest first."""
    if not isinstance(bucket.objects, VersionedKeyStore):
        return []
    found = []
    for each in bucket.objects.values(with_versions=True):
        rule = None if isinstance(each, S3DeleteMarker) else _rule(bucket.replication["Rules"], each.key)
        if rule is not None:
            found.append((each, rule))
    return found


def _rule(rules: Sequence[Mapping[str, Any]], key: str) -> Mapping[str, Any] | None:
    """Of the rules for a key, the one of the highest priority."""
    matching = [
        rule
        for rule in rules
        if rule["Status"] == "Enabled" and key.startswith(rule.get("Filter", {}).get("Prefix", ""))
    ]
    return max(matching, key=lambda rule: int(rule.get("Priority", 0)), default=None)


def _copy(store: Any, bucket: Any, source: Any, destination: Any, rule: Mapping[str, Any]) -> bool:
    """Copy one version, unless it is there."""
    if destination.objects.get(source.key, source.version_id) is not None:
        return False
    made = copy.copy(source)
    made.user_metadata, made.system_metadata = dict(source.user_metadata), dict(source.system_metadata)
    made.bucket = destination.name
    key = rule["Destination"].get("EncryptionConfiguration", {}).get("ReplicaKmsKeyID")
    if key:
        made.encryption, made.kms_key_id = "aws:kms", key
    made.is_current = True
    storage = SERVICE_PLUGINS.get_service("s3")._provider._storage_backend  # noqa: SLF001 - nothing else leads there
    stored = storage.copy(
        src_bucket=bucket.name, src_object=source, dest_bucket=destination.name, dest_object=made
    )
    stored.close()
    # Storing sets them anew.
    made.etag, made.last_modified = source.etag, source.last_modified
    destination.objects.set(source.key, made)
    tags = store.TAGS.tags.get(get_unique_key_id(bucket.name, source.key, source.version_id))
    if tags:
        store.TAGS.tags[get_unique_key_id(destination.name, source.key, source.version_id)] = dict(tags)
    return True
