"""A WSGI application that does whatever may come out as something else than a record; harm by its path.

With ``HARM=import`` in the environment it does not even load. As a program it is the worker, with harm done
to its threads.
"""

from __future__ import annotations

import logging
import os
import sys
import threading
import traceback
import warnings
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from wsgiref.types import StartResponse, WSGIEnvironment


class Unraisable:
    """Fails when it is given up, where nobody can handle it."""

    def __del__(self) -> None:
        raise ValueError("harm while given up")


def fail() -> None:
    """Raise."""
    raise ValueError("harm\nin two lines")


def warn() -> None:
    """In more than one line."""
    warnings.warn("harm\nin two lines", UserWarning, stacklevel=1)


def fail_in_a_thread() -> None:
    """Where nobody looks."""
    thread = threading.Thread(target=fail, name="harmed")
    thread.start()
    thread.join()


def print_lines() -> None:
    """On both streams, and without an end."""
    print("harm", "printed", sep="\n")
    print("harm on stderr", file=sys.stderr, flush=True)
    sys.stdout.write("harm without an end")
    sys.stdout.flush()


def print_a_traceback() -> None:
    """As careless libraries do."""
    try:
        fail()
    except ValueError:
        traceback.print_exc()


HARMS: dict[str, Callable[[], object]] = {
    "warning": warn,
    "thread": fail_in_a_thread,
    "print": print_lines,
    "traceback": print_a_traceback,
    "unraisable": Unraisable,
    "log-call": lambda: logging.getLogger("harmful").error("%d", "no number"),
    "secret": lambda: print("Authorization: Bearer opaque-0123456789"),
    "exception": fail,
    "exit": lambda: sys.exit("harm on the way out"),
}


def harm(kind: str) -> None:
    """Do it, if it is one."""
    HARMS.get(kind, lambda: None)()


def app(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
    """Do the harm that the path names, then answer."""
    harm(environ["PATH_INFO"].removeprefix("/"))
    start_response("200 OK", [("Content-Length", "0")])
    return []


def work() -> None:
    """The worker, each of whose threads fails and whose main thread fails in the end."""
    from service import worker  # noqa: PLC0415

    class Harmed:
        def consume(self) -> None:
            harm("exception")

        def sweep(self, _seconds: float) -> None:
            harm("print")

        def run(self, _seconds: float) -> None:
            harm("warning")

        def stop(self) -> None:
            """Nothing."""

    for name in ("build_worker", "build_watch"):
        setattr(worker, name, lambda _settings: Harmed())
    worker.main()
    harm(os.environ["HARM"])


if os.environ.get("HARM") == "import":
    warnings.warn("harm at import", UserWarning, stacklevel=1)
    harm("exception")

if __name__ == "__main__":
    work()
