"""The real service or worker, killed with SIGKILL just before its n-th request to AWS.

``python -m tests.e2e.dying service|worker N [PORT]``; N = 0 never dies. Nothing of ``service`` knows: the
requests are counted where botocore sends them.
"""

from __future__ import annotations

import itertools
import os
import signal
import sys
import threading
from typing import Any

from botocore.httpsession import URLLib3Session
from werkzeug.serving import make_server

from service.bootstrap import build_service, build_worker
from service.settings import service_settings, worker_settings


def die_before(call: int) -> None:
    """Arrange for this process to be killed before its ``call``-th request (from 1; 0: never)."""
    numbers = itertools.count(1)
    send = URLLib3Session.send

    def counted(self: URLLib3Session, request: Any) -> Any:
        if next(numbers) == call:
            os.kill(os.getpid(), signal.SIGKILL)
        return send(self, request)

    URLLib3Session.send = counted  # type: ignore[method-assign]


def serve(port: int, call: int) -> None:
    """The service in this one process, dying only once it serves."""
    server = make_server("127.0.0.1", port, build_service(service_settings(os.environ)), threaded=True)
    die_before(call)
    print("ready", flush=True)
    server.serve_forever()


def work(call: int) -> None:
    """The worker: one loop over messages and one that sweeps."""
    consumer = build_worker(worker_settings(os.environ))
    die_before(call)
    print("ready", flush=True)
    threading.Thread(target=consumer.sweep, args=[1]).start()
    consumer.consume()


if __name__ == "__main__":
    if sys.argv[1] == "service":
        serve(int(sys.argv[3]), int(sys.argv[2]))
    else:
        work(int(sys.argv[2]))
