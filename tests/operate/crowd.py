"""Fifty clients who ask one request after the other, each on a connection that it keeps."""

from __future__ import annotations

import threading
import time
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.client import HTTPException
from typing import TYPE_CHECKING, Final

from service.gunicorn_worker import IDLE_SECONDS
from tests.operate.processes import bearer, read

if TYPE_CHECKING:
    from collections.abc import Iterator
    from http.client import HTTPConnection

    from tests.operate.processes import Service

CLIENTS: Final = 50
# A connection on which less time than this has passed since its last answer is there for the next request.
PROMISED_SECONDS: Final = 0.75 * IDLE_SECONDS


@dataclass
class Crowd:
    """What became of a crowd's requests; ``kept`` were sent on a connection that was there."""

    answered: int = 0
    kept: int = 0
    closed: int = 0
    unexpected: list[str] = field(default_factory=list)
    lock: threading.Lock = field(default_factory=threading.Lock)
    over: threading.Event = field(default_factory=threading.Event)


@contextmanager
def crowd(service: Service, path: str, token: str | None, *, pause: float = 0.0) -> Iterator[Crowd]:
    """Let the clients ask within the block, each again ``pause`` seconds after an answer."""
    counted = Crowd()
    clients = [
        threading.Thread(target=_ask, args=[service, path, token, pause, counted]) for _ in range(CLIENTS)
    ]
    for client in clients:
        client.start()
    try:
        yield counted
    finally:
        counted.over.set()
        for client in clients:
            client.join()


def _ask(service: Service, path: str, token: str | None, pause: float, counted: Crowd) -> None:
    connection = service.connect()
    kept_since: float | None = None
    while not counted.over.wait(pause):
        idle = 0.0 if kept_since is None else time.monotonic() - kept_since
        try:
            stays = _answered(connection, path, token)
        except (OSError, HTTPException) as error:
            stays = False
            with counted.lock:
                if idle < PROMISED_SECONDS:
                    counted.unexpected.append(f"{error!r} after {idle} s idle")
        except AssertionError as error:
            stays = False
            with counted.lock:
                counted.unexpected.append(str(error))
        else:
            with counted.lock:
                counted.answered += 1
                counted.kept += kept_since is not None
                counted.closed += not stays
        if not stays:
            connection.close()
            connection = service.connect()
        kept_since = time.monotonic() if stays else None
    connection.close()


def _answered(connection: HTTPConnection, path: str, token: str | None) -> bool:
    """Whether the connection stays after the answer, which must be 200."""
    connection.request("GET", path, headers=bearer(token))
    response = connection.getresponse()
    stays = not response.will_close
    reply = read(response)
    assert reply.status == 200, f"{reply.status} {reply.content!r}"
    return stays
