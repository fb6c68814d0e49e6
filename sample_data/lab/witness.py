"""A milter that changes nothing and writes down what its server says about each mail: the truth about a hop, from the server itself.

Speaks version 6 of the milter protocol, as Postfix and Sendmail do; the macros are those that the server's configuration sends.
"""

from __future__ import annotations

import contextlib
import socket
import struct
from email import message_from_bytes

from listener import Listener

PORT = 10035
NO_BODY = 0x10


class Witness(Listener):
    """`seen` holds a row per mail that reached the end of its data on this host."""

    def __init__(self, network: str) -> None:
        self.seen: list[dict] = []
        super().__init__(network, PORT)

    def talk(self, connection: socket.socket) -> None:
        session = _Session()
        with contextlib.suppress(OSError, struct.error), connection, connection.makefile("rb") as stream:
            while head := stream.read(4):
                packet = stream.read(struct.unpack(">I", head)[0])
                command, data = packet[:1], packet[1:]
                if command == b"Q":
                    return
                answer = session.hear(command, data)
                if session.done:
                    self.seen.append(session.done)
                    session.done = None
                if answer:
                    connection.sendall(struct.pack(">I", len(answer)) + answer)


class _Session:
    """What one connection of the server told."""

    def __init__(self) -> None:
        self.connection: dict = {}
        self.mail: dict = {}
        self.headers = b""
        self.done: dict | None = None

    def hear(self, command: bytes, data: bytes) -> bytes:
        """Note what a packet says; the answer to it, empty when none is due."""
        words = [word.decode("utf-8", "replace") for word in data.split(b"\0")]
        if command == b"O":
            return b"O" + struct.pack(">III", 6, 0, NO_BODY)
        if command == b"D":
            self._macros(data[:1], words)
            return b""
        if command in b"AK":
            self.mail, self.headers = {}, b""
            return b""
        if command == b"C":
            # a name, its end, the family, two bytes of port, the address
            name, _, rest = data.partition(b"\0")
            self.connection |= {"client": name.decode(), "address": rest[3:].rstrip(b"\0").decode()}
        elif command == b"H":
            self.connection["helo"] = words[0]
        elif command == b"M":
            self.mail["sender"] = words[0].strip("<>")
        elif command == b"R":
            self.mail.setdefault("recipients", []).append(words[0].strip("<>"))
        elif command == b"L":
            self.headers += f"{words[0]}: {words[1]}\n".encode()
        elif command == b"E":
            self._end()
        return b"c"

    def _macros(self, stage: bytes, words: list[str]) -> None:
        words[0] = words[0][1:]
        pairs = dict(zip(words[::2], words[1::2], strict=False))
        target = self.mail if stage in (b"M", b"R", b"T", b"E", b"N", b"L") else self.connection
        target.setdefault("macros", {}).update({name.strip("{}"): value for name, value in pairs.items()})

    def _end(self) -> None:
        macros = {**self.connection.get("macros", {}), **self.mail.get("macros", {})}
        named = message_from_bytes(self.headers).get("Message-ID", "")
        self.done = {**self.connection, **self.mail, "macros": macros, "message_id": str(named).strip()}
        self.mail, self.headers = {}, b""
