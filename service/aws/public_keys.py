"""CloudTrail's public keys, asked for in one persona's session."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from service.aws.failures import translated
from service.aws.personas import acting_as

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from mypy_boto3_cloudtrail import CloudTrailClient

    from service.aws.personas import PersonaSession


class CloudTrailPublicKeys(msgspec.Struct, frozen=True):
    """``PublicKeys`` through ListPublicKeys, in one persona's session.

    Each region signs with keys of its own: ``client`` must be one of the region whose digests are checked
    (https://docs.aws.amazon.com/awscloudtrail/latest/APIReference/API_ListPublicKeys.html).
    """

    client: CloudTrailClient
    session: PersonaSession

    def between(self, start: datetime, end: datetime) -> Mapping[str, bytes]:
        """See ``PublicKeys.between``. Raises ``Forbidden``, ``Throttled``, ``Unavailable``."""
        with acting_as(self.session), translated("CloudTrail"):
            pages = self.client.get_paginator("list_public_keys").paginate(StartTime=start, EndTime=end)
            return {key["Fingerprint"]: key["Value"] for page in pages for key in page["PublicKeyList"]}
