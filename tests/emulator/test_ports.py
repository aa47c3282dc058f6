"""Taken ports."""

from __future__ import annotations

import os
import socket

import pytest
from smas_emulator.errors import StackError
from smas_emulator.ports import require_free

pytestmark = pytest.mark.enable_socket


def test_a_taken_port_is_named_with_its_owner_and_the_remedy() -> None:
    """One sentence says which port, who has it, and how to choose another."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]

        with pytest.raises(StackError) as caught:
            require_free(port, "the service", "choose another with --port")

    message = str(caught.value)
    assert f"Port {port}, wanted for the service, is taken by " in message
    assert f"(pid {os.getpid()})" in message
    assert message.endswith("; choose another with --port.")


def test_a_port_taken_on_all_interfaces_is_taken() -> None:
    """A server on 0.0.0.0 stands in the way of ours on 127.0.0.1."""
    with socket.create_server(("", 0)) as server, pytest.raises(StackError):
        require_free(server.getsockname()[1], "the service", "choose another")


def test_a_free_port_is_free() -> None:
    """A port whose server has just gone can be had at once."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        with socket.create_connection(("127.0.0.1", port)) as client:
            accepted, _ = server.accept()
            accepted.close()
            assert client.recv(1) == b""

    require_free(port, "the service", "choose another")
