"""Whether a port is free, and who has it if not."""

from __future__ import annotations

import socket

import psutil

from smas_emulator.errors import StackError

LOOPBACK = "127.0.0.1"


def require_free(port: int, purpose: str, remedy: str) -> None:
    """Raise `StackError` unless a server could listen on `port` of this machine.

    `purpose` says who wants it ("the service"), `remedy` how to choose another.
    """
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        # As servers do: a connection still closing on that port is no obstacle, a listening socket is.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((LOOPBACK, port))
        except PermissionError:
            msg = f"Port {port} for {purpose} needs privileges; {remedy}."
            raise StackError(msg) from None
        except OSError:
            owner = listener_on(port)
            taken_by = f" by {owner}" if owner else ""
            msg = f"Port {port}, wanted for {purpose}, is taken{taken_by}; {remedy}."
            raise StackError(msg) from None


def listener_on(port: int) -> str | None:
    """`name (pid n)` of the process listening on `port`, or None where the system does not tell us."""
    try:
        for connection in psutil.net_connections(kind="tcp"):
            if connection.status != psutil.CONN_LISTEN or not connection.laddr:
                continue
            if connection.laddr.port == port and connection.pid is not None:
                return f"{psutil.Process(connection.pid).name()} (pid {connection.pid})"
    except (psutil.AccessDenied, psutil.NoSuchProcess):
        return None  # another user's process, or one that ended while we looked
    return None
