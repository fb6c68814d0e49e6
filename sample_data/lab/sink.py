"""The provider that is not ours: a small SMTP server in the outside world, scripted by the scenario."""

from __future__ import annotations

import socket
import ssl
import threading
from collections.abc import Callable

from machine import wait_for
from truth import header
from world import SINK


class Sink:
    """Takes mail at one address of the outside world.

    `refuse` maps a recipient to the reply that it gets, `refuse_others` is the reply to those outside `people`,
    `refuse_clients` the reply to every MAIL. With `tls`, which may change while it runs, STARTTLS is offered.
    """

    def __init__(
        self, address: str = SINK, name: str = "mx.example.net", tls: ssl.SSLContext | None = None
    ) -> None:
        self.name = name
        self.tls = tls
        self.people: set[str] | None = None
        self.refuse_others = "550 5.1.1 User unknown"
        self.refuse_clients = ""
        self.later: Callable[[str], bool] = lambda recipient: False  # who is put off at the first try
        self.refuse: dict[str, str] = {}
        self.refuse_data: dict[str, str] = {}
        self.drop_after_data: set[str] = set()  # recipients whose mail is taken, but not answered, once
        self.taken: list[tuple[str, list[str], bytes]] = []
        self._ids: set[str] = set()
        self._put_off: set[str] = set()
        self._count = 0
        self._closing = False
        # made in the calling thread, whose network is the outside world
        self._server = socket.create_server((address, 25), backlog=128)
        self._server.settimeout(0.5)
        threading.Thread(target=self._accept, daemon=True).start()

    def close(self) -> None:
        self._closing = True
        self._server.close()

    def has(self, message_id: str | None) -> bool:
        return message_id in self._ids

    def _take(self, sender: str, recipients: list[str], content: bytes) -> None:
        self.taken.append((sender, recipients, content))
        self._ids.add(header(content, "Message-ID"))

    def wait(self, message_id: str | None, seconds: float = 60) -> None:
        wait_for(f"{message_id} at {self.name}", lambda: self.has(message_id), seconds)

    def _accept(self) -> None:
        while not self._closing:
            try:
                connection, _ = self._server.accept()
            except TimeoutError:
                continue
            except OSError:
                return
            threading.Thread(target=self._talk, args=(connection,), daemon=True).start()

    def _talk(self, connection: socket.socket) -> None:
        connection.settimeout(60)
        stream = connection.makefile("rwb")

        def answer(text: str) -> None:
            stream.write(text.encode() + b"\r\n")
            stream.flush()

        try:
            answer(f"220 {self.name} ESMTP ready")
            sender, recipients = "", []
            while raw := stream.readline():
                line = raw.decode(errors="replace").strip()
                verb = line.upper()
                if verb.startswith(("EHLO", "HELO")):
                    offer = (
                        "250-STARTTLS\r\n" if self.tls and not isinstance(connection, ssl.SSLSocket) else ""
                    )
                    answer(f"250-{self.name}\r\n250-8BITMIME\r\n{offer}250 SIZE 10000000")
                elif verb == "STARTTLS" and self.tls:
                    answer("220 2.0.0 go ahead")
                    connection = self.tls.wrap_socket(connection, server_side=True)
                    stream = connection.makefile("rwb")
                elif verb.startswith("MAIL FROM:"):
                    sender, recipients = line[10:].split(">")[0].strip(" <"), []
                    answer(self.refuse_clients or "250 2.1.0 sender ok")
                elif verb.startswith("RCPT TO:"):
                    recipient = line[8:].split(">")[0].strip(" <")
                    stranger = self.people is not None and recipient not in self.people
                    usual = self.refuse_others if stranger else "250 2.1.5 recipient ok"
                    if self.later(recipient) and recipient not in self._put_off:
                        self._put_off.add(recipient)
                        usual = "451 4.7.1 Greylisted, please come back"
                    reply = self.refuse.get(recipient, usual)
                    if reply.startswith("2"):
                        recipients.append(recipient)
                    answer(reply)
                elif verb == "DATA":
                    answer("354 go ahead")
                    content = b""
                    for part in iter(stream.readline, b""):
                        if part == b".\r\n":
                            break
                        content += part[1:] if part.startswith(b".") else part
                    if self.drop_after_data & set(recipients):
                        self.drop_after_data -= set(recipients)
                        self._take(sender, recipients, content)
                        break
                    reply = next(
                        (self.refuse_data[address] for address in recipients if address in self.refuse_data),
                        None,
                    )
                    if reply is None:
                        self._count += 1
                        self._take(sender, recipients, content)
                        reply = f"250 2.0.0 OK: queued as {0x5A3C0000 + 7919 * self._count:X}"
                    answer(reply)
                elif verb == "QUIT":
                    answer("221 2.0.0 bye")
                    break
                elif verb in ("RSET", "NOOP"):
                    answer("250 2.0.0 ok")
                else:
                    answer("502 5.5.2 what?")
        except OSError:
            pass
        finally:
            connection.close()
