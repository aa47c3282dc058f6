"""gunicorn's threaded worker, made to lose no request that it can keep.

What gunicorn's own does differently, and why that is not enough here:

* A stopping worker keeps its listening socket until its last request is done. When all stop, who connects
  meanwhile waits and is reset in the end. This one takes what is already connected, and closes it at once:
  who comes later is refused, or served by a worker that stays.
* An answer under way at the stop says that the connection stays. Here it says that it ends, so that nothing
  more is sent on it.
* A connection is given a thread when it is made, and has it for up to 5 s without having sent a byte. Here it
  waits beside the idle ones until there is something to read.
* A request may be sent for ever. Here it has ``REQUEST_SECONDS``, and ``SEND_SECONDS`` to take the answer.
* The thread that accepts waits for each client to close its side of an ended connection. Here they are waited
  for together.
* What is refused before the service sees it is answered as HTML. Here it is a problem like any other.
"""

# gunicorn has no types, so what derives from it derives from Any.
# mypy: disable-error-code="import-untyped,misc"

from __future__ import annotations

import errno
import selectors
import signal
import socket
import struct
import time
from collections import deque
from functools import partial
from typing import TYPE_CHECKING, Any, Final

from gunicorn import util
from gunicorn.http.unreader import SocketUnreader
from gunicorn.workers.gthread import STOP_KEEPALIVE_LINGER, TConn, ThreadWorker

from service.gunicorn_errors import RequestTooSlow, answer_to, with_readable_body

if TYPE_CHECKING:
    from collections.abc import Iterable
    from wsgiref.types import WSGIApplication, WSGIEnvironment

# For the next request on an idle connection, when a worker stops.
IDLE_SECONDS: Final[float] = STOP_KEEPALIVE_LINGER
# For a whole request to arrive, from its first byte; API Gateway waits no longer for an answer to it.
REQUEST_SECONDS: Final = 30.0
# For a client to take any of the answer.
SEND_SECONDS: Final = 30
# For a client to close its side of an ended connection, so that it has read the answer.
CLOSING_SECONDS: Final = 2.0
_NOTHING_TO_ACCEPT: Final = (errno.EAGAIN, errno.EWOULDBLOCK, errno.ECONNABORTED)


class Connection(TConn):
    """A client's connection: its requests arrive in time, and it ends when the client has its answer."""

    def __init__(self, worker: Worker, client: socket.socket, address: Any, server: Any) -> None:
        super().__init__(worker.cfg, client, address, server)
        self._worker = worker
        self.deadline = 0.0

    def init(self) -> None:
        """Called before the first request is read."""
        if not self.initialized:
            super().init()
            self.parser.unreader = _PunctualReader(self)

    def close(self, graceful: bool = False) -> None:  # noqa: FBT001, FBT002 - gunicorn's signature
        """End it: at once, or when the client has closed its side, too."""
        if graceful:
            self._worker.linger(self)
        else:
            super().close()


class _PunctualReader(SocketUnreader):
    """What the client sends; raises ``RequestTooSlow`` after the connection's deadline."""

    def __init__(self, connection: Connection) -> None:
        super().__init__(connection.sock)
        self._connection = connection

    def chunk(self, size_hint: int | None = None) -> bytes:
        """The next bytes."""
        if self.sock.gettimeout() is not None:  # gunicorn has set a time of its own
            return bytes(super().chunk(size_hint))
        left = self._connection.deadline - time.monotonic()
        if left <= 0:
            raise RequestTooSlow
        self.sock.settimeout(left)
        try:
            return bytes(super().chunk(size_hint))
        except TimeoutError as error:
            raise RequestTooSlow from error
        finally:
            self.sock.settimeout(None)


class Worker(ThreadWorker):
    """See the module. Everything but ``handle`` and ``handle_error`` runs in the thread that accepts."""

    alive: bool
    wsgi: WSGIApplication
    sockets: list[socket.socket]

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._closing: deque[Connection] = deque()

    def init_signals(self) -> None:
        """SIGINT, which a terminal sends to every process, ends a worker as SIGTERM does."""
        super().init_signals()
        signal.signal(signal.SIGINT, self.handle_exit)
        signal.siginterrupt(signal.SIGINT, False)  # noqa: FBT003 - its only form

    def is_parent_alive(self) -> bool:
        """Whether the first process is there; a worker without it stops as if it had been told to."""
        there = bool(super().is_parent_alive())
        self.alive = self.alive and there
        return there

    def load_wsgi(self) -> None:
        """Load the service, to which a body that is none is a bad request."""
        super().load_wsgi()
        service = with_readable_body(self.wsgi)

        def serve(environ: WSGIEnvironment, start_response: Any) -> Iterable[bytes]:
            answer = service(environ, start_response)
            if not self.alive:
                # It ends while the request was under way, and nothing of the answer is sent yet.
                start_response.__self__.force_close()
            return answer

        self.wsgi = serve

    def set_accept_enabled(self, enabled: bool) -> None:  # noqa: FBT001 - gunicorn's signature
        """Begin or cease to accept; a stopping worker ceases for good."""
        super().set_accept_enabled(enabled)
        if not enabled and not self.alive:
            self._stop_listening()

    def _stop_listening(self) -> None:
        for listener in self.sockets:
            listener.settimeout(0)
            while self.accept(listener):
                pass
            listener.close()
        self.sockets = []
        latest = time.monotonic() + IDLE_SECONDS
        for connection in self.pending_conns:
            connection.timeout = min(connection.timeout, latest)

    def accept(self, listener: socket.socket) -> bool:
        """Take a connection and wait for its first byte; whether there was one to take."""
        try:
            client, address = listener.accept()
        except OSError as error:
            if error.errno in _NOTHING_TO_ACCEPT:
                return False
            raise
        # Kept by the kernel, because a blocking socket has no other time-out for sending alone.
        client.setsockopt(socket.SOL_SOCKET, socket.SO_SNDTIMEO, struct.pack("@ll", SEND_SECONDS, 0))
        connection = Connection(self, client, address, listener.getsockname())
        connection.set_timeout()
        self.nr_conns += 1
        self.pending_conns.append(connection)
        self._watch(connection, self.on_pending_socket_readable)
        return True

    def handle(self, conn: Connection) -> Any:
        """Serve the request that has begun to arrive; runs in a thread of the pool."""
        conn.deadline = time.monotonic() + REQUEST_SECONDS
        try:
            return super().handle(conn)
        except SystemExit as error:  # of a thread; in the one that accepts it would end all requests
            self.handle_error(None, conn.sock, conn.client, error)
            return False

    def handle_error(self, req: Any, client: socket.socket, addr: Any, exc: BaseException) -> None:  # noqa: ARG002
        """Answer what is no request, or failed outside the service; the connection then ends."""
        try:
            util.write_nonblock(client, answer_to(exc, addr))
        except OSError as error:
            self.log.debug("no answer sent: %s", error)

    def linger(self, connection: Connection) -> None:
        """Say that nothing more follows, and close when the client has done so.

        It may still be sending, and closing at once would take the answer from it (RFC 9112, section 9.6).
        """
        try:
            connection.sock.settimeout(0)
            connection.sock.shutdown(socket.SHUT_WR)
        except OSError:
            connection.close()
            return
        self.nr_conns += 1
        connection.timeout = time.monotonic() + CLOSING_SECONDS
        self._closing.append(connection)
        self._watch(connection, self._throw_away)

    def _throw_away(self, connection: Connection, client: socket.socket) -> None:
        try:
            sent = client.recv(1 << 16)
        except BlockingIOError:
            return
        except OSError:
            sent = b""
        if not sent:
            self._closing.remove(connection)
            self._end(connection)

    def murder_keepalived(self, force: bool = False) -> None:  # noqa: FBT001, FBT002 - gunicorn's signature
        """Close connections that were idle for too long; one whose next request is here is not."""
        self._end_expired(self.keepalived_conns, force=force)

    def murder_pending(self) -> None:
        """Close connections on which nothing was ever sent, and ended ones that clients leave open."""
        self._end_expired(self.pending_conns)
        self._end_expired(self._closing, force=False, whatever_is_sent=True)

    def _end_expired(
        self, connections: deque[Connection], *, force: bool = False, whatever_is_sent: bool = False
    ) -> None:
        now = time.monotonic()
        busy = []
        while connections and (force or connections[0].timeout <= now):
            connection = connections.popleft()
            if force or whatever_is_sent or not _has_sent(connection.sock):
                self._end(connection)
            else:  # it came since the poller was asked, which will tell of it next
                busy.append(connection)
        connections.extendleft(reversed(busy))

    def _watch(self, connection: Connection, callback: Any) -> None:
        self.poller.register(connection.sock, selectors.EVENT_READ, partial(callback, connection))

    def _end(self, connection: Connection) -> None:
        self.poller.unregister(connection.sock)
        self.nr_conns -= 1
        connection.close()


def _has_sent(client: socket.socket) -> bool:
    """Whether bytes of a non-blocking socket wait to be read."""
    try:
        return bool(client.recv(1, socket.MSG_PEEK))
    except OSError:
        return False
