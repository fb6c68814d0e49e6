"""The guard that keeps the tests offline (``conftest.py``) sees what it has to see."""

from __future__ import annotations

import socket
from collections.abc import Callable

import dns.message
import dns.query
import pytest

QUESTION = dns.message.make_query("example.org", "A")
REACHES: dict[str, Callable[[], object]] = {
    "TCP": lambda: socket.create_connection(("192.0.2.1", 25), timeout=1),
    "UDP": lambda: dns.query.udp(QUESTION, "192.0.2.1", timeout=1),
    "a name": lambda: socket.getaddrinfo("example.org", 25),
}


@pytest.mark.parametrize("way", REACHES)
def test_a_way_out_is_refused_and_noted(way: str, attempts: list[str]) -> None:
    with pytest.raises(PermissionError, match="offline"):
        REACHES[way]()
    assert len(attempts) == 1
    attempts.clear()


def test_this_machine_itself_may_be_asked() -> None:
    with socket.socket() as server:
        server.bind(("127.0.0.1", 0))
        server.listen()
        socket.create_connection(server.getsockname(), timeout=5).close()
