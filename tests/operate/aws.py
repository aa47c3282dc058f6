"""An AWS that is empty, and of which each part can be taken away: key set, STS, S3 and SQS on one port.

Over real HTTP, so that what waits, breaks off and is retried is the service's own code and botocore's.
"""

from __future__ import annotations

import json
import threading
from collections import Counter
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any, Final, Literal, Self
from urllib.parse import parse_qs, urlsplit

if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import TracebackType

Part = Literal["key_set", "sts", "s3", "sqs"]
# What a part does with a request: answer, answer 503, hang up, or keep it waiting until told otherwise.
Conduct = Literal["answers", "fails", "hangs up", "is silent"]

_CREDENTIALS: Final = (
    "<AccessKeyId>ASIAEXAMPLEEXAMPLE01</AccessKeyId><SecretAccessKey>none</SecretAccessKey>"
    "<SessionToken>none</SessionToken>"
)
_NO_KEY: Final = b"<Error><Code>NoSuchKey</Code><Message>none</Message></Error>"
_EMPTY_LIST: Final = (
    b"<ListBucketResult><IsTruncated>false</IsTruncated><KeyCount>0</KeyCount></ListBucketResult>"
)


class Aws:
    """A context manager that serves. ``asked`` counts the requests to each part."""

    def __init__(self, key_set: bytes) -> None:
        self.key_set = key_set
        self.bucket_status = 403  # to whoever shows no credentials
        self.messages: list[str] = []
        self.deleted: list[str] = []
        self.asked: Counter[Part] = Counter()
        self.waiting = 0
        self.changed = threading.Condition()
        self._conduct: dict[Part, Conduct] = {}
        self._server = _Server(("127.0.0.1", 0), _Handler)
        self._server.aws = self
        self.url = f"http://127.0.0.1:{self._server.server_port}"

    def __enter__(self) -> Self:
        threading.Thread(target=self._server.serve_forever, args=[0.05], daemon=True).start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for part in list(self._conduct):
            self.set(part, "answers")
        self._server.shutdown()
        self._server.server_close()

    def set(self, part: Part, conduct: Conduct) -> None:
        """From now on the part does this, with requests that wait, too."""
        with self.changed:
            self._conduct[part] = conduct
            self.changed.notify_all()

    @contextmanager
    def without(self, part: Part, conduct: Conduct) -> Iterator[None]:
        """Within the block, the part does not answer."""
        self.set(part, conduct)
        try:
            yield
        finally:
            self.set(part, "answers")

    def until_waiting(self, count: int) -> None:
        """Return as soon as so many requests are kept waiting."""
        with self.changed:
            assert self.changed.wait_for(lambda: self.waiting >= count, timeout=30), self.waiting

    def until(self, what: Any) -> None:
        """Return as soon as ``what()`` holds, looked at whenever a request came."""
        with self.changed:
            assert self.changed.wait_for(what, timeout=30)

    def conduct(self, part: Part) -> Conduct:
        """What is to be done with a request that has arrived, after it has waited if it has to."""
        with self.changed:
            self.asked[part] += 1
            self.waiting += 1
            self.changed.notify_all()
            self.changed.wait_for(lambda: self._conduct.get(part) != "is silent")
            self.waiting -= 1
            return self._conduct.get(part, "answers")


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128
    aws: Aws

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Nothing: clients give up, as they should."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: _Server

    def log_message(self, *arguments: Any) -> None:
        """Nothing."""

    def do_HEAD(self) -> None:
        """S3's answer to a question for the bucket."""
        self._answer("s3", self.server.aws.bucket_status, b"")

    def do_GET(self) -> None:
        """The key set, a list of the empty bucket, or no object."""
        url = urlsplit(self.path)
        if url.path.endswith("/jwks.json"):
            self._answer("key_set", 200, self.server.aws.key_set)
        elif "list-type" in parse_qs(url.query):
            self._answer("s3", 200, _EMPTY_LIST)
        else:
            self._answer("s3", 404, _NO_KEY)

    def do_PUT(self) -> None:
        """An object, which is forgotten."""
        self._body()
        self._answer("s3", 200, b"")

    def do_POST(self) -> None:
        """A call of STS or of SQS."""
        body, target = self._body(), self.headers.get("X-Amz-Target", "")
        if target.startswith("AmazonSQS."):
            self._answer("sqs", 200, self._sqs(target.removeprefix("AmazonSQS."), json.loads(body)))
        else:
            self._answer("sts", 200, _sts(parse_qs(body.decode())["Action"][0]))

    def _body(self) -> bytes:
        return self.rfile.read(int(self.headers.get("Content-Length", 0)))

    def _sqs(self, action: str, call: dict[str, Any]) -> bytes:
        aws = self.server.aws
        with aws.changed:
            if action == "DeleteMessage":
                aws.deleted.append(call["ReceiptHandle"])
            if action == "ReceiveMessage" and aws.messages:
                body = aws.messages.pop()
                return json.dumps({"Messages": [{"Body": body, "ReceiptHandle": body}]}).encode()
            if action == "ReceiveMessage":
                aws.changed.wait(0.2)  # a long poll, but a short one
        return b"{}"

    def _answer(self, part: Part, status: int, content: bytes) -> None:
        conduct = self.server.aws.conduct(part)
        if conduct == "hangs up":
            self.close_connection = True
            return
        if conduct == "fails":
            status, content = 503, b"<Error><Code>ServiceUnavailable</Code></Error>"
        self.send_response(status)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(content)


def _sts(action: str) -> bytes:
    ends = (datetime.now(UTC) + timedelta(hours=1)).strftime("%Y-%m-%dT%H:%M:%SZ")
    if action == "AssumeRole":
        content = f"<Credentials>{_CREDENTIALS}<Expiration>{ends}</Expiration></Credentials>"
    else:
        content = "<Arn>arn:aws:sts::000000000000:assumed-role/smas-service/x</Arn>"
    return f"<{action}Response><{action}Result>{content}</{action}Result></{action}Response>".encode()
