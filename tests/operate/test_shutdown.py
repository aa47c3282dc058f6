"""An orderly end: what is under way is finished, whoever comes is refused, and the exit code is 0."""

from __future__ import annotations

import json
import os
import signal
import socket
import time
from concurrent.futures import ThreadPoolExecutor
from http.client import HTTPException
from typing import TYPE_CHECKING

import psutil
import pytest

from tests.operate.processes import WORKER, Process, Service, bearer, environment, read, read_raw

if TYPE_CHECKING:
    from tests.operate.aws import Aws

LIST = "/v1/models"
HEALTH = b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n"


def to_first(service: Service) -> None:
    """As `docker stop` does."""
    service.popen.terminate()


def interrupt_first(service: Service) -> None:
    """As somebody does who knows the process."""
    service.popen.send_signal(signal.SIGINT)


def interrupt_all(service: Service) -> None:
    """As Ctrl-C in a terminal does: every process of the group has it."""
    os.killpg(service.popen.pid, signal.SIGINT)


def refuses(service: Service) -> bool:
    """Whether a connection is refused."""
    try:
        socket.create_connection(("127.0.0.1", service.port), timeout=5).close()
    except ConnectionRefusedError:
        return True
    return False


@pytest.mark.parametrize("stop", [to_first, interrupt_first, interrupt_all])
def test_requests_in_flight_are_finished(aws: Aws, token: str, stop: object) -> None:
    """While they are, nobody else is left waiting: new connections are refused. Then it ends with 0."""
    assert callable(stop)
    with Service(aws) as service, ThreadPoolExecutor(8) as clients:
        with aws.without("s3", "is silent"):
            asked = [clients.submit(service.get, LIST, token) for _ in range(8)]
            aws.until_waiting(8)
            stop(service)
            service.until(lambda: refuses(service), 10)
            assert not any(reply.done() for reply in asked)
        replies = [reply.result() for reply in asked]
        assert {reply.status for reply in replies} == {200}
        assert {reply.headers["Connection"] for reply in replies} == {"close"}
        assert service.ended() == 0
        assert {line["level"] for line in service.lines()} == {"INFO"}


def test_what_was_begun_before_the_end_is_answered(aws: Aws) -> None:
    """A request half sent, a connection just made, and one that is kept: each gets its answer."""
    with Service(aws, workers=1) as service, service.raw(3) as (kept, half, fresh):
        kept.sendall(HEALTH)
        assert read_raw(kept).headers["Connection"] == "keep-alive"
        half.sendall(HEALTH[:20])
        service.popen.terminate()
        service.until(lambda: refuses(service), 10)
        fresh.sendall(HEALTH)
        half.sendall(HEALTH[20:])
        kept.sendall(HEALTH)
        for connection in (fresh, half, kept):
            reply = read_raw(connection)
            assert (reply.status, reply.headers["Connection"]) == (200, "close")
            assert connection.recv(1) == b""
        assert service.ended() == 0


def test_idle_connections_do_not_hold_up_the_end(aws: Aws) -> None:
    """They are closed after two seconds, without a word and without a reset."""
    with Service(aws, workers=1) as service, service.raw(20) as idle:
        for connection in idle[:10]:
            connection.sendall(HEALTH)
            assert read_raw(connection).status == 200
        began = time.monotonic()
        assert service.stopped() == 0
        assert time.monotonic() - began < 10
        assert {connection.recv(1) for connection in idle} == {b""}


def test_a_worker_that_stops_finishes_while_another_serves(aws: Aws, token: str) -> None:
    """As gunicorn does when it replaces one: its requests end well, others never notice."""
    with Service(aws, workers=1) as service, ThreadPoolExecutor(4) as clients:
        with aws.without("s3", "is silent"):
            asked = [clients.submit(service.get, LIST, token) for _ in range(4)]
            aws.until_waiting(4)
            (old,) = service.children()
            service.popen.send_signal(signal.SIGHUP)
            service.until(lambda: len(service.children()) == 2)
            assert service.get("/healthz").status == 200
            assert old.is_running()
        assert {reply.result().status for reply in asked} == {200}
        service.until(lambda: old not in service.children())
        assert service.stopped() == 0


def test_the_end_does_not_wait_for_ever(aws: Aws, token: str) -> None:
    """A request that outlasts the grace is cut off; the code is 0 all the same."""
    with Service(aws, workers=1, GUNICORN_CMD_ARGS="--graceful-timeout 1") as service:
        connection = service.connect()
        with aws.without("s3", "is silent"):
            connection.request("GET", LIST, headers=bearer(token))
            aws.until_waiting(1)
            began = time.monotonic()
            assert service.stopped() == 0
            assert time.monotonic() - began < 10
        with pytest.raises((HTTPException, OSError)):
            connection.getresponse()
        connection.close()


def test_a_second_interrupt_ends_at_once(aws: Aws, token: str) -> None:
    """Whoever presses Ctrl-C again does not want to wait."""
    with Service(aws, workers=1) as service:
        connection = service.connect()
        with aws.without("s3", "is silent"):
            connection.request("GET", LIST, headers=bearer(token))
            aws.until_waiting(1)
            interrupt_all(service)
            service.until(lambda: refuses(service), 10)
            interrupt_all(service)
            began = time.monotonic()
            assert service.ended() == 0
            assert time.monotonic() - began < 10
        connection.close()


def test_workers_end_with_the_process_that_started_them(aws: Aws, token: str) -> None:
    """Killed, it leaves nobody who keeps the address; what was in flight is finished all the same."""
    with Service(aws) as service:
        workers, connection = service.children(), service.connect()
        with aws.without("s3", "is silent"):
            connection.request("GET", LIST, headers=bearer(token))
            aws.until_waiting(1)
            service.popen.kill()
            service.popen.wait()
            deadline = time.monotonic() + 60
            while not refuses(service):
                assert time.monotonic() < deadline
        assert read(connection.getresponse()).status == 200
        connection.close()
        _, left = psutil.wait_procs(workers, timeout=20)
        assert left == []


def message(key: str) -> str:
    """S3's notification of one new object."""
    return json.dumps({"Records": [{"s3": {"object": {"key": key, "versionId": "1"}}}]})


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_the_worker_finishes_its_message(aws: Aws, number: signal.Signals) -> None:
    """What it has taken is settled and deleted before it ends; it takes nothing more."""
    first, second = message("protected/fraud/a/production.json"), message("protected/fraud/b/production.json")
    with Process(WORKER, {**environment(aws.url), "SMAS_WORKER_THREADS": "1"}) as worker:
        worker.until_said("verifier ready")
        aws.until(lambda: aws.asked["s3"] > 0)  # the sweep, out of the way
        with aws.without("s3", "is silent"):
            aws.messages.append(first)
            worker.until(lambda: not aws.messages)
            aws.until_waiting(1)
            worker.popen.send_signal(number)
            aws.messages.append(second)
        assert worker.ended() == 0
        assert aws.deleted == [first]
        assert aws.messages == [second]
        said = [line["message"] for line in worker.lines()]
        assert said[-1] == "verifier stopped"


def test_a_message_that_cannot_be_settled_is_left_to_the_queue(aws: Aws) -> None:
    """Also at the end: a message is deleted when it is settled, and never otherwise."""
    with Process(WORKER, {**environment(aws.url), "SMAS_WORKER_THREADS": "1"}) as worker:
        worker.until_said("verifier ready")
        with aws.without("s3", "fails"):
            aws.messages.append(message("protected/fraud/a/production.json"))
            worker.until_said("not settled yet")
            assert worker.stopped() == 0
        assert aws.deleted == []
