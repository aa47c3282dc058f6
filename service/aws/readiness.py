"""What must answer before this process can serve, asked without reading anything of anybody's.

Anybody may ask whether we are ready. So AWS is asked at most once in ``FRESH``, by one request at a time, and
none waits for it longer than ``PATIENCE_SECONDS``.
"""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor, wait
from datetime import timedelta
from http import HTTPStatus
from typing import TYPE_CHECKING, Final

import urllib3
from botocore.exceptions import ClientError, CredentialRetrievalError, NoCredentialsError

from service.aws.failures import translated
from service.errors import Forbidden, Throttled, Unavailable

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from concurrent.futures import Future
    from datetime import datetime

    from mypy_boto3_sts import STSClient

    from service.aws.key_set import KeySet

    Question = Callable[[], str | None]

FRESH: Final = timedelta(seconds=2)
PATIENCE_SECONDS: Final = 5.0


class Inquiry:
    """``Readiness`` by a question to each dependency, asked side by side.

    A question answers None, or what is wrong and what to do about it.
    """

    def __init__(
        self,
        questions: Mapping[str, Question],
        clock: Callable[[], datetime],
        patience_seconds: float = PATIENCE_SECONDS,
    ) -> None:
        self._questions = questions
        self._clock = clock
        self._patience = patience_seconds
        self._threads = ThreadPoolExecutor(len(questions), thread_name_prefix="readiness")
        self._asked: dict[str, Future[str | None]] = {}
        self._known: tuple[datetime, dict[str, str]] | None = None
        self._lock = threading.Lock()

    def faults(self) -> dict[str, str]:
        """See ``Readiness.faults``; never older than ``FRESH`` and the patience together."""
        known = self._known
        if known is not None and self._clock() - known[0] <= FRESH:
            return known[1]
        # While one request asks, the others have what was known before; only at first they have to wait.
        if known is not None and not self._lock.acquire(blocking=False):
            return known[1]
        if known is None:
            self._lock.acquire()
        try:
            if self._known is None or self._known is known:
                self._known = (self._clock(), self._ask())
            return self._known[1]
        finally:
            self._lock.release()

    def _ask(self) -> dict[str, str]:
        for name, question in self._questions.items():
            # One that still waits for an answer goes on waiting: a frozen dependency costs one thread.
            if name not in self._asked or self._asked[name].done():
                self._asked[name] = self._threads.submit(question)
        wait(self._asked.values(), timeout=self._patience)
        faults = {name: self._fault(asked) for name, asked in self._asked.items()}
        return {name: fault for name, fault in faults.items() if fault}

    def _fault(self, asked: Future[str | None]) -> str | None:
        if asked.done():
            return asked.result()
        return f"has not answered for {self._patience:g} s: see that it is there and reachable from here"


class AwsReadiness(Inquiry):
    """Key set, STS, and S3 by the bucket's own address. KMS is S3's affair: asking it takes a permission."""

    def __init__(
        self,
        key_set: KeySet,
        sts: STSClient,
        bucket_url: str,
        pool: urllib3.PoolManager,
        clock: Callable[[], datetime],
    ) -> None:
        questions = {
            "key_set": key_set_is_there(key_set),
            "sts": sts_knows_us(sts),
            "s3": bucket_is_there(bucket_url, pool),
        }
        super().__init__(questions, clock)


def key_set_is_there(key_set: KeySet) -> Question:
    """Whether tokens can be checked. Keys once fetched stay good through an outage of their provider."""

    def question() -> str | None:
        try:
            key_set.require()
        except Unavailable:
            return (
                "no key set was ever fetched, so no token can be checked: see that SMAS_JWKS_URL is right "
                "and answers"
            )
        return None

    return question


def sts_knows_us(sts: STSClient) -> Question:
    """Whether STS answers, and knows whose credentials this process has; that needs no permission."""

    def question() -> str | None:
        try:
            with translated("STS"):
                sts.get_caller_identity()
        except Throttled:
            return None
        except (ClientError, Forbidden):
            return "STS does not accept this process's own credentials: see which role or profile it has"
        except Unavailable as error:
            if isinstance(error.__cause__, CredentialRetrievalError | NoCredentialsError):
                return "this process finds no AWS credentials: see that it has a role or a profile"
            return (
                "STS cannot be reached or answers with errors: see AWS's status, and the way there from here"
            )
        return None

    return question


def bucket_is_there(url: str, pool: urllib3.PoolManager) -> Question:
    """Whether S3 answers for the bucket at ``url``: to nobody in particular, so a refusal will do."""

    def question() -> str | None:
        try:
            status = pool.request("HEAD", url, redirect=False).status
        except urllib3.exceptions.HTTPError:
            return "S3 cannot be reached: see AWS's status, and the way there from here"
        if status >= HTTPStatus.INTERNAL_SERVER_ERROR:
            return f"S3 answers with {status}: see AWS's status"
        if status == HTTPStatus.NOT_FOUND:
            return "S3 has no such bucket: see SMAS_BUCKET"
        if status == HTTPStatus.MOVED_PERMANENTLY:
            return "the bucket is in another region: see AWS_REGION"
        return None

    return question
