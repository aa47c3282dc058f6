"""What must answer before this process can serve, asked without reading anything of anybody's."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import urllib3

from service.aws.failures import translated
from service.errors import StoreError

if TYPE_CHECKING:
    from mypy_boto3_sts import STSClient

    from service.aws.key_set import KeySet


@dataclass(frozen=True, slots=True)
class AwsReadiness:
    """``Readiness``: the key set is there, STS knows us, S3 answers at all (an anonymous 403 will do)."""

    key_set: KeySet
    sts: STSClient
    bucket_url: str
    pool: urllib3.PoolManager

    def faults(self) -> dict[str, str]:
        """See ``Readiness.faults``."""
        faults: dict[str, str] = {}
        try:
            self.key_set.require()
        except StoreError as error:
            faults["key_set"] = error.detail
        try:
            with translated("STS"):
                self.sts.get_caller_identity()
        except StoreError as error:
            faults["sts"] = error.detail
        try:
            self.pool.request("HEAD", self.bucket_url, redirect=False)
        except urllib3.exceptions.HTTPError:
            faults["s3"] = "S3 cannot be reached: try again later"
        return faults
