"""A content filter as people run it behind Postfix: takes mail on 127.0.0.1:10025, gives it back on 10026.

It refuses what holds a virus (the string below), drops what its rule says to
drop without a word to anybody, and passes the rest on with a field of its own.
"""

from __future__ import annotations

import socket

from clients import Smtp
from listener import Listener
from machine import enter_network

VIRUS = b"LAB-VIRUS-TEST-STRING"
DROP = b"LAB-DROP-QUIETLY"


class Filter(Listener):
    """The filter of one host."""

    patience = 60

    def __init__(self, network: str) -> None:
        self._count = 0
        super().__init__(network, 10025)

    def talk(self, connection: socket.socket) -> None:
        enter_network(self.network)
        stream = connection.makefile("rwb")

        def answer(text: str) -> None:
            stream.write(text.encode() + b"\r\n")
            stream.flush()

        answer("220 filter.localdomain ESMTP lab filter")
        envelope: list[str] = []
        forward: list[str] = []
        for raw in iter(stream.readline, b""):
            line = raw.decode(errors="replace").strip()
            verb = line.upper()
            if verb.startswith("EHLO"):
                answer(
                    "250-filter.localdomain\r\n250-8BITMIME\r\n250 XFORWARD NAME ADDR PORT PROTO HELO IDENT SOURCE"
                )
            elif verb.startswith("XFORWARD"):
                forward.append(line)
                answer("250 2.0.0 Ok")
            elif verb.startswith("MAIL"):
                envelope = [line.split(" BODY=")[0].split(" SIZE=")[0]]
                answer("250 2.1.0 Ok")
            elif verb.startswith("RCPT"):
                envelope.append(line.split(" ORCPT=")[0])
                answer("250 2.1.5 Ok")
            elif verb == "DATA":
                answer("354 go ahead")
                content = b"".join(iter(stream.readline, b".\r\n"))
                answer(self._judge(forward, envelope, content))
                forward = []
            elif verb == "QUIT":
                answer("221 2.0.0 Bye")
                break
            else:
                answer("250 2.0.0 Ok")
        connection.close()

    def _judge(self, forward: list[str], envelope: list[str], content: bytes) -> str:
        self._count += 1
        number = f"{40000 + self._count * 37}-{self._count:02d}"
        if VIRUS in content:
            return f"554 5.7.0 Reject, id={number} - INFECTED: Lab.Test"
        if DROP in content:
            return f"250 2.7.0 Ok, discarded, id={number}"
        back = Smtp("127.0.0.1", 10026)
        back.say("EHLO filter.localdomain")
        for line in [*forward, *envelope]:
            back.say(line)
        plain = content.replace(b"\r\n..", b"\r\n.")
        reply = back.data(f"X-Lab-Filter: clean, id={number}\r\n".encode() + plain)
        back.quit()
        if reply.startswith("250"):
            return f"250 2.0.0 from MTA(smtp:[127.0.0.1]:10026): {reply}"
        return reply
