"""A policy server as Postfix asks it (SMTPD_POLICY_README): refuses what its rules name, says DUNNO to the rest."""

from __future__ import annotations

import socket
from collections.abc import Callable

from listener import Listener


class Policy(Listener):
    """Policy on a port of a host's network; `decide` gets the attributes of one request and gives the action."""

    def __init__(self, network: str, port: int, decide: Callable[[dict[str, str]], str]) -> None:
        self._decide = decide
        super().__init__(network, port)

    def talk(self, connection: socket.socket) -> None:
        request: dict[str, str] = {}
        try:
            with connection, connection.makefile("rb") as lines:
                for raw in lines:
                    name, equals, value = raw.decode("utf-8", "replace").rstrip("\n").partition("=")
                    if equals:
                        request[name] = value
                        continue
                    connection.sendall(f"action={self._decide(request)}\n\n".encode())
                    request = {}
        except OSError:
            pass
