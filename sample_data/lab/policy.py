"""A policy server as Postfix asks it (SMTPD_POLICY_README): refuses what its rules name, says DUNNO to the rest."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable

from machine import enter_network


class Policy:
    """Answers on 127.0.0.1:`port` of a host's network; `decide` gets the attributes of one request and gives the action."""

    def __init__(self, network: str, port: int, decide: Callable[[dict[str, str]], str]) -> None:
        self._network, self._port, self._decide = network, port, decide
        self._ready = threading.Event()
        self._closing = False
        threading.Thread(target=self._serve, daemon=True).start()
        if not self._ready.wait(10):
            raise TimeoutError("the policy server did not start")

    def close(self) -> None:
        self._closing = True

    def _serve(self) -> None:
        enter_network(self._network)
        server = socket.create_server(("127.0.0.1", self._port))
        server.settimeout(0.5)
        self._ready.set()
        while not self._closing:
            try:
                connection, _ = server.accept()
            except TimeoutError:
                continue
            connection.settimeout(300)
            threading.Thread(target=self._talk, args=(connection,), daemon=True).start()
        server.close()

    def _talk(self, connection: socket.socket) -> None:
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
