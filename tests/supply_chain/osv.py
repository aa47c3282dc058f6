"""An advisory service on this machine that speaks OSV's JSON (https://google.github.io/osv.dev/post-v1-query/)."""

from __future__ import annotations

import json
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

Known = dict[tuple[str, str], list[dict[str, Any]]]

# The audit asks about it first, to see whether a service knows anything at all.
WELL_KNOWN: Final = ("jinja2", "2.4.1")


def advisory(name: str, identifier: str, *, alias: str = "", fixed: str = "") -> dict[str, Any]:
    """One advisory about every version of a distribution, as the service's answer holds it."""
    events = [{"introduced": "0"}, *([{"fixed": fixed}] if fixed else [])]
    return {
        "id": identifier,
        "aliases": [alias] if alias else [],
        "summary": f"{name} can be talked into it",
        "affected": [
            {
                "package": {"name": name, "ecosystem": "PyPI"},
                "ranges": [{"type": "ECOSYSTEM", "events": events}],
            }
        ],
    }


BASICS: Final[Known] = {WELL_KNOWN: [advisory("jinja2", "PYSEC-2019-217")]}


class Service:
    """What it knows, which versions it was asked about, and what it answers instead of knowing."""

    def __init__(self, known: Mapping[tuple[str, str], list[dict[str, Any]]]) -> None:
        self.known = known
        self.asked: list[tuple[str, str]] = []
        self.status = 200
        self.instead: bytes | None = None
        self.address = ""


@contextmanager
def serving(known: Known) -> Iterator[Service]:
    """A service for the time of the context."""
    service = Service(known)

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            query = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            asked = (query["package"]["name"], query["version"])
            service.asked.append(asked)
            found = service.known.get(asked, [])
            body = service.instead or json.dumps({"vulns": found} if found else {}).encode()
            self.send_response(service.status)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002  # the base class names it so
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    service.address = f"http://127.0.0.1:{server.server_port}/v1/query"
    thread = Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield service
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
