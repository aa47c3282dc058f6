"""Serves an account's trail over HTTP, as much of it as `aws cloudtrail validate-logs` asks for."""

from __future__ import annotations

import base64
import json
import threading
from contextlib import contextmanager
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, unquote, urlsplit
from xml.sax.saxutils import escape

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from tests.emulator.cloudtrail.account import Account


@contextmanager
def serving(account: Account) -> Iterator[str]:
    """The endpoint of CloudTrail and S3, for as long as they are served."""

    class Handler(BaseHTTPRequestHandler):
        def log_message(self, *_arguments: object) -> None:
            pass

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            operation = self.headers["X-Amz-Target"].rpartition(".")[2]
            request = {name: _sent(name, value) for name, value in json.loads(body).items()}
            answer = json.dumps(account.call(operation, **request), default=_written)
            self.answer(200, answer.encode(), {"Content-Type": "application/x-amz-json-1.1"})

        def do_GET(self) -> None:
            url = urlsplit(self.path)
            query = parse_qs(url.query, keep_blank_values=True)
            bucket, _, key = unquote(url.path).lstrip("/").partition("/")
            if "location" in query:
                self.answer(200, b"<LocationConstraint/>")
            elif not key:
                self.answer(200, _listing(account, bucket, query))
            elif (bucket, key) in account.buckets.files:
                metadata = account.buckets.metadata[bucket, key]
                headers = {f"x-amz-meta-{name}": value for name, value in metadata.items()}
                self.answer(200, account.buckets.files[bucket, key], headers)
            else:
                self.answer(404, b"<Error><Code>NoSuchKey</Code><Message>no</Message></Error>")

        def answer(self, status: int, body: bytes, headers: Mapping[str, str] | None = None) -> None:
            self.send_response(status)
            for name, value in {**(headers or {}), "Content-Length": str(len(body))}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(body)

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}"
        finally:
            server.shutdown()
            thread.join()


def _listing(account: Account, bucket: str, query: Mapping[str, list[str]]) -> bytes:
    """The answer to ListObjects (the first version), in one page."""
    marker, prefix = query.get("marker", [""])[0], query.get("prefix", [""])[0]
    keys = sorted(key for name, key in account.buckets.files if name == bucket)
    listed = (
        f"<Contents><Key>{escape(key)}</Key></Contents>"
        for key in keys
        if key > marker and key.startswith(prefix)
    )
    return f"<ListBucketResult><IsTruncated>false</IsTruncated>{''.join(listed)}</ListBucketResult>".encode()


def _sent(name: str, value: Any) -> Any:
    return datetime.fromtimestamp(value, UTC) if name in {"StartTime", "EndTime"} else value


def _written(value: object) -> object:
    if isinstance(value, datetime):
        return value.timestamp()
    assert isinstance(value, bytes)
    return base64.b64encode(value).decode()
