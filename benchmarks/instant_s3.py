"""S3 that answers at once: in front of the local AWS, it answers every GET after the first from memory.

The local AWS takes some 8 ms of one core for each read, far more than the service does, so behind it the
service is never busy. Everything else (STS above all) is passed on as it is. It runs in a process of its own.
"""

from __future__ import annotations

import asyncio
import multiprocessing
import re
import signal
from contextlib import contextmanager
from typing import TYPE_CHECKING

from benchmarks.stack import free_port, wait_until_listening

if TYPE_CHECKING:
    from collections.abc import Iterator

_LENGTH = re.compile(rb"\r\ncontent-length:\s*(\d+)", re.IGNORECASE)
_CONNECTION = re.compile(rb"\r\nconnection:[^\r]*", re.IGNORECASE)
_END_OF_HEAD = b"\r\n\r\n"


@contextmanager
def instant_s3(aws_port: int) -> Iterator[int]:
    """Run it in front of the AWS at ``aws_port``; gives its own port."""
    port = free_port()
    process = multiprocessing.get_context("spawn").Process(target=_run, args=(port, aws_port), daemon=True)
    process.start()
    try:
        wait_until_listening(port, process.is_alive)
        yield port
    finally:
        process.terminate()
        process.join()


def _run(port: int, aws_port: int) -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for whoever started it
    asyncio.run(_serve(port, aws_port))


async def _serve(port: int, aws_port: int) -> None:
    answers: dict[bytes, bytes] = {}

    async def converse(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while True:
                await answer(reader, writer)
        except (asyncio.IncompleteReadError, ConnectionError):
            writer.close()

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = await reader.readuntil(_END_OF_HEAD)
        length = _LENGTH.search(head)
        body = await reader.readexactly(int(length.group(1))) if length else b""
        wanted = head.partition(b"\r\n")[0]
        known = answers.get(wanted)
        if known is None:
            known = await _pass_on(head, body, aws_port)
            if wanted.startswith(b"GET "):
                answers[wanted] = known
        writer.write(known)
        await writer.drain()

    server = await asyncio.start_server(converse, "127.0.0.1", port)
    await server.serve_forever()


async def _pass_on(head: bytes, body: bytes, aws_port: int) -> bytes:
    """The whole answer of AWS, as it came but for the word that the connection ends."""
    reader, writer = await asyncio.open_connection("127.0.0.1", aws_port)
    ending = _CONNECTION.sub(b"", head).removesuffix(_END_OF_HEAD) + b"\r\nConnection: close" + _END_OF_HEAD
    writer.write(ending + body)
    answer_head, _, answer_body = (await reader.read()).partition(_END_OF_HEAD)
    writer.close()
    return _CONNECTION.sub(b"", answer_head) + _END_OF_HEAD + answer_body
