"""LocalStack's own check of presigned URLs, without what `smas_emulator.gateway` has checked already."""
# LocalStack is not installed where types are checked.
# mypy: disable-error-code="import-not-found, import-untyped"

from __future__ import annotations

from typing import Any

from localstack.services.s3 import presigned_url


def skip_second_check() -> None:
    """Let LocalStack move headers from the query to where its parser expects them, and compute nothing.

    It would accept a signature for another port than the one that was asked, and one made with a deleted key.
    """

    def unchecked(context: Any) -> tuple[Any, None]:
        return presigned_url.S3SigV4SignatureContext(context=context), None

    presigned_url._find_valid_signature_through_ports = unchecked  # noqa: SLF001
