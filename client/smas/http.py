"""One request and its whole answer, tried again where that may help: for everything but model bytes."""

from __future__ import annotations

import logging
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from smas.errors import Unavailable
from smas.retries import PASSING
from smas.transport import READ_SECONDS, Dropped

if TYPE_CHECKING:
    from collections.abc import Mapping

    from smas.retries import RetryPolicy, Stop
    from smas.transport import Transport

log: Final = logging.getLogger("smas")


@dataclass(frozen=True, slots=True)
class Reply:
    """An answer, read to its end; ``repeated`` says that an earlier try of the same request got none."""

    status: int
    headers: Mapping[str, str]
    content: bytes
    repeated: bool


@dataclass(frozen=True, slots=True)
class HttpClient:
    """Requests over one transport, by one policy, until ``stop`` is set."""

    transport: Transport
    retries: RetryPolicy
    stop: Stop

    def ask(
        self,
        method: str,
        url: str,
        headers: Mapping[str, str],
        content: bytes | None = None,
        *,
        read_seconds: float = READ_SECONDS,
        attempts: int | None = None,
    ) -> Reply:
        """The first answer that another try would not cure, or the last of all tries.

        ``attempts`` overrides the policy's. Raises ``Unavailable`` if the last try brought no answer.
        """
        tries = attempts or self.retries.attempts
        for attempt in range(1, tries + 1):
            answered: Mapping[str, str] | None = None
            begun = time.monotonic()
            try:
                answer = self.transport.send(method, url, headers, content, read_seconds=read_seconds)
                try:
                    reply = Reply(answer.status, answer.headers, answer.content(), attempt > 1)
                finally:
                    answer.close()
            except Dropped as dropped:
                _log(method, url, "no whole answer", headers, begun)
                if attempt == tries:
                    raise Unavailable(str(dropped), request_id=headers.get("X-Request-Id")) from dropped
            else:
                _log(method, url, str(reply.status), headers, begun)
                if reply.status not in PASSING or attempt == tries:
                    return reply
                answered = reply.headers
            self.stop.pause(self.retries.pause_seconds(attempt, answered))
        raise AssertionError


def _log(method: str, url: str, outcome: str, headers: Mapping[str, str], begun: float) -> None:
    """One line a try; never a query, a header but the request's id, or a body: they may be secret."""
    milliseconds = (time.monotonic() - begun) * 1000
    request_id = headers.get("X-Request-Id", "none")
    where = url.partition("?")[0]
    log.debug("%s %s: %s after %.0f ms, request id %s", method, where, outcome, milliseconds, request_id)
