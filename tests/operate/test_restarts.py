"""Workers come and go under fifty clients that keep their connections, and no request is lost.

The promise, precisely: a request on a new connection is always answered, and one on a kept connection is
answered if it is sent within two seconds of the answer before. After that a stopping worker may close the
connection just while the request is on its way, as every HTTP server may (RFC 9112, section 9.5).
"""

from __future__ import annotations

import signal
from typing import TYPE_CHECKING

import pytest

from tests.operate.crowd import crowd
from tests.operate.processes import Service

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.operate.aws import Aws
    from tests.operate.crowd import Crowd

WHOAMI, LIST = "/v1/whoami", "/v1/models"


def serving(service: Service) -> set[int]:
    """The workers that there are."""
    return {child.pid for child in service.children()}


def until_others_serve(service: Service, counted: Crowd, before: set[int], count: int = 2) -> None:
    """Return as soon as none of the workers ``before`` is left, and others have answered."""
    service.until(lambda: len(serving(service)) == count and not serving(service) & before)
    answered = counted.answered
    service.until(lambda: counted.answered > answered + 100)


def hang_up(service: Service, counted: Crowd) -> None:
    """SIGHUP replaces all workers."""
    before = serving(service)
    service.popen.send_signal(signal.SIGHUP)
    until_others_serve(service, counted, before)


def hang_up_twice(service: Service, counted: Crowd) -> None:
    """The second SIGHUP comes while the first is worked on."""
    before = serving(service)
    service.popen.send_signal(signal.SIGHUP)
    service.until(lambda: bool(serving(service) - before))
    service.popen.send_signal(signal.SIGHUP)
    until_others_serve(service, counted, before)


def terminate_each(service: Service, counted: Crowd) -> None:
    """Workers are stopped one by one, as by somebody who saw one misbehave."""
    for child in service.children():
        before = serving(service)
        child.terminate()
        service.until(lambda before=before: len(serving(service)) == 2 and serving(service) != before)  # type: ignore[misc]
    assert counted


def terminate_all(service: Service, counted: Crowd) -> None:
    """All workers stop at once, so that for a while there is none."""
    before = serving(service)
    for child in service.children():
        child.terminate()
    until_others_serve(service, counted, before)


def roll(service: Service, counted: Crowd) -> None:
    """A third worker is added and the oldest removed, again and again, until all are others."""
    first = serving(service)
    while serving(service) & first:
        before = serving(service)
        service.popen.send_signal(signal.SIGTTIN)
        service.until(lambda: len(serving(service)) == 3)
        service.popen.send_signal(signal.SIGTTOU)
        service.until(lambda before=before: len(serving(service)) == 2 and serving(service) != before)  # type: ignore[misc]
    assert counted


@pytest.mark.parametrize(
    ("disturb", "path", "pause"),
    [
        (hang_up, WHOAMI, 0.0),
        (hang_up, LIST, 0.05),
        (hang_up_twice, LIST, 0.0),
        (terminate_each, LIST, 0.05),
        (terminate_all, WHOAMI, 0.05),
        (roll, LIST, 0.0),
    ],
)
def test_no_request_is_lost_while_workers_restart(
    aws: Aws, token: str, disturb: Callable[[Service, Crowd], None], path: str, pause: float
) -> None:
    """No connection breaks and every answer is 200, however workers are replaced; then all end with 0."""
    with Service(aws) as service:
        with crowd(service, path, token, pause=pause) as counted:
            service.until(lambda: counted.kept > 100)
            disturb(service, counted)
        assert counted.unexpected == []
        assert counted.closed  # clients of a stopping worker were told to go elsewhere
        assert service.stopped() == 0
        exits = [line for line in service.lines() if "exited with code" in line["message"]]
        assert exits == []
