"""`DeleteObjects` in LocalStack, which IAM decides key by key."""
# LocalStack is not installed where types are checked.
# mypy: disable-error-code="import-not-found, import-untyped"

from __future__ import annotations

import functools
from typing import TYPE_CHECKING, Any

from localstack.services.s3.provider import S3Provider

if TYPE_CHECKING:
    from collections.abc import Sequence

    from smas_emulator.authorization.authorizer import RefusedDeletion


def answer_key_by_key() -> None:
    """Let `DeleteObjects` delete what the guard did not refuse, and name the rest as errors, as S3 does."""
    original = S3Provider.delete_objects

    @functools.wraps(original)
    def delete_objects(provider: Any, context: Any, bucket: str, delete: Any, **kwargs: Any) -> Any:
        refused: Sequence[RefusedDeletion] = context.get("smas_refused_deletions") or ()
        if not refused:
            return original(provider, context, bucket, delete, **kwargs)
        barred = {(each.key, each.version_id) for each in refused}
        left = [one for one in delete["Objects"] if (one["Key"], one.get("VersionId")) not in barred]
        answer = original(provider, context, bucket, {**delete, "Objects": left}, **kwargs) if left else {}
        errors = [_error(each) for each in refused]
        return {**answer, "Errors": [*(answer.get("Errors") or ()), *errors]}

    S3Provider.delete_objects = delete_objects


def _error(refused: RefusedDeletion) -> dict[str, str]:
    version = {"VersionId": refused.version_id} if refused.version_id is not None else {}
    return {"Key": refused.key, "Code": refused.code, "Message": refused.message, **version}
