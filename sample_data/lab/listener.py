"""A server of the lab that runs in threads of the driver and lives in a host's network, one thread a connection."""

from __future__ import annotations

import socket
import threading

from machine import enter_network


class Listener:
    """Listens on 127.0.0.1:`port` from when it is made until `close`; what is said is up to `talk`."""

    patience = 300  # seconds that a client may say nothing

    def __init__(self, network: str, port: int) -> None:
        self.network, self.port = network, port
        self._ready = threading.Event()
        self._closing = False
        threading.Thread(target=self._serve, daemon=True).start()
        if not self._ready.wait(10):
            raise TimeoutError(f"{type(self).__name__} did not start")

    def close(self) -> None:
        self._closing = True

    def talk(self, connection: socket.socket) -> None:
        raise NotImplementedError

    def _serve(self) -> None:
        enter_network(self.network)
        server = socket.create_server(("127.0.0.1", self.port), backlog=50)
        server.settimeout(0.5)
        self._ready.set()
        while not self._closing:
            try:
                connection, _ = server.accept()
            except TimeoutError:
                continue
            connection.settimeout(self.patience)
            threading.Thread(target=self.talk, args=(connection,), daemon=True).start()
        server.close()
