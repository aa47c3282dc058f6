"""What must answer before this process can serve, asked without reading anything of anybody's."""

from __future__ import annotations

import threading
from datetime import timedelta
from typing import TYPE_CHECKING, Final

import urllib3

from service.aws.failures import translated
from service.errors import StoreError

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from mypy_boto3_sts import STSClient

    from service.aws.key_set import KeySet


# Anybody may ask whether we are ready; AWS is not asked more often than this.
FRESH: Final = timedelta(seconds=2)


class AwsReadiness:
    """``Readiness``: the key set is there, STS knows us, S3 answers at all (an anonymous 403 will do)."""

    def __init__(
        self,
        key_set: KeySet,
        sts: STSClient,
        bucket_url: str,
        pool: urllib3.PoolManager,
        clock: Callable[[], datetime],
    ) -> None:
        self.key_set = key_set
        self.sts = sts
        self.bucket_url = bucket_url
        self.pool = pool
        self._clock = clock
        self._asked: tuple[datetime, dict[str, str]] | None = None
        self._lock = threading.Lock()

    def faults(self) -> dict[str, str]:
        """See ``Readiness.faults``; the answer may be two seconds old."""
        with self._lock:
            if self._asked is None or self._clock() - self._asked[0] > FRESH:
                faults = self._ask()
                self._asked = (self._clock(), faults)
            return self._asked[1]

    def _ask(self) -> dict[str, str]:
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
