"""Processes of one person at work at the same time, with a user pool on a real socket."""

from __future__ import annotations

import subprocess
import sys
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING

import pytest
from smas.identity.credentials import CredentialsFile, SignIn

from tests.web.conftest import PEOPLE, PUBLIC_URL

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.client.site.user_pool import UserPool

WORKER = """
import sys
from pathlib import Path
from smas.http import HttpClient
from smas.identity.credentials import CredentialsFile
from smas.identity.tokens import PersonsTokens
from smas.retries import RetryPolicy, Stop
from smas.transport import Urllib3Transport
http = HttpClient(Urllib3Transport(), RetryPolicy(), Stop())
tokens = PersonsTokens(CredentialsFile(Path(sys.argv[1])), sys.argv[2], http)
print("ready", flush=True)
sys.stdin.read()
print(tokens.token())
"""


@pytest.fixture
def pool_url(people: UserPool) -> Iterator[str]:
    """The pool, listening on this machine."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            answer = people.answer(dict(self.headers.items()), body)
            content = answer.content()
            self.send_response(answer.status)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_address[1]}/"
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.mark.enable_socket
def test_processes_share_a_renewal(people: UserPool, pool_url: str, folders: Path) -> None:
    """Four processes whose token has expired renew it once: a rotating pool would end the sign-in else."""
    people.rotates = True
    expired = people.pool.sign(people.pool.claims("ds-fraud", exp=int(time.time()) - 10))
    credentials = CredentialsFile(folders / "config" / "credentials.json")
    credentials.keep(
        PUBLIC_URL, SignIn(expired, people.refresh_token("ds-fraud"), pool_url, PEOPLE, "ds-fraud")
    )
    workers = [
        subprocess.Popen(
            [sys.executable, "-c", WORKER, str(credentials.path), PUBLIC_URL],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        for _ in range(4)
    ]
    for worker in workers:
        assert worker.stdout
        assert worker.stdout.readline() == "ready\n"
    for worker in workers:
        assert worker.stdin
        worker.stdin.close()
    given = []
    for worker in workers:
        assert worker.stdout
        given.append(worker.stdout.read().strip())
        worker.stdout.close()
        assert worker.wait() == 0
    held = credentials.find(PUBLIC_URL)
    assert held is not None
    assert set(given) == {held.access_token}
    assert held.access_token != expired
    assert people.asked == ["InitiateAuth REFRESH_TOKEN_AUTH"]
    assert held.refresh_token in people.refresh_tokens
