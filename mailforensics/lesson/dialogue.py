"""A mail sent for real between three small servers on this machine, with every word that was said.

    example.com's submission  --ESMTP-->  example.org's mx  --LMTP-->  the store with the mailboxes

Each server adds its Received field on top and hands the mail on; the store adds Return-Path, and answers once for each
recipient, as LMTP asks for (RFC 2033 §4.2), so that one mailbox may be full while the other takes the mail. A line that
begins with a dot travels with two (RFC 5321 §4.5.2). The servers are aiosmtpd's (extra ``lab``), listen on 127.0.0.1 for one
mail, and are gone afterwards; the client is our own, because it has to tell every word.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import format_datetime
from typing import Any

from markupsafe import Markup

from mailforensics.errors import OptionError
from mailforensics.show import escape, html

_SECONDS = 10
_MESSAGE = """From: Alex <alex@example.com>
To: Bob <bob@example.org>, Bella <bella@example.org>
Subject: Offer 4711
Message-ID: <d7979c16f20c@example.com>

Hello Bob, hello Bella,
.dots at the start of a line travel in pairs.
"""
Said = list[tuple[str, str]]  # who ("client" or "server") and the line


@dataclass(frozen=True)
class Dialogue:
    """What was said and what arrived. In a notebook it is HTML, in a terminal text.

    talks       for each connection its two ends and the lines, each with who said it
    delivered   the message as it lies in each mailbox
    """

    talks: tuple[tuple[str, Said], ...]
    delivered: dict[str, str]

    def __str__(self) -> str:
        parts = [f"{ends}\n{_lines(said)}" for ends, said in self.talks]
        parts += [
            f"in the mailbox of {who}\n{escape.terminal(text, keep=_BREAK)}"
            for who, text in self.delivered.items()
        ]
        return "\n\n".join(parts)

    def __repr__(self) -> str:
        return str(self)

    def _repr_html_(self) -> str:
        one = Markup('<h3>{}</h3><pre tabindex="0" role="region" aria-label="{}">{}</pre>')
        told = [(ends, _lines(said)) for ends, said in self.talks]
        told += [(f"In the mailbox of {who}", text) for who, text in self.delivered.items()]
        parts = (
            one.format(escape.html(head), escape.html(head), escape.html(text, keep=_BREAK))
            for head, text in told
        )
        return html.fragment(Markup("").join(parts))


_BREAK = "\n"


def _lines(said: Said) -> str:
    return "\n".join(f"{'C' if who == 'client' else 'S'}: {escape.terminal(line)}" for who, line in said)


@dataclass
class _Server:
    """One server of the lesson: what it is called, how it speaks, and to whom it hands the mail."""

    name: str
    protocol: str
    number: str
    after: _Server | None = None
    full: frozenset[str] = frozenset()
    port: int = 0
    talks: list[tuple[str, Said]] = field(default_factory=list)
    delivered: dict[str, str] = field(default_factory=dict)


def dialogue(
    message: str = _MESSAGE,
    *,
    sender: str = "alex@example.com",
    recipients: Sequence[str] = ("bob@example.org", "bella@example.org"),
    full: Sequence[str] = ("bella@example.org",),
) -> Dialogue:
    """Send a message from server to server on the loopback and return every word of it.

    ``full`` are the mailboxes that take nothing. Raises OptionError for an address with a blank, a bracket or a line
    break in it (it would be a command of its own), and where aiosmtpd is missing.
    """
    for address in (sender, *recipients):
        if not address.isprintable() or set(address) & set("<> "):
            raise OptionError(
                f"{address!r} is no address for this lesson: no blanks, brackets or line breaks."
            )
    with ThreadPoolExecutor(1) as pool:  # a notebook has a loop of its own
        return pool.submit(
            lambda: asyncio.run(_send(message, sender, list(recipients), frozenset(full)))
        ).result()


async def _send(message: str, sender: str, recipients: list[str], full: frozenset[str]) -> Dialogue:
    store = _Server("store.example.org", "LMTP", "c3d4e5", full=full)
    mx = _Server("mx.example.org", "ESMTP", "4jYBcn5tsv", after=store)
    mail = _Server("mail.example.com", "ESMTP", "3F2A1C0B2", after=mx)
    listening = [await _listen(server) for server in (store, mx, mail)]
    try:
        lines = message.replace("\r\n", "\n").rstrip("\n").split("\n")
        await asyncio.wait_for(_hand_over("pc-135.example.com", mail, sender, recipients, lines), _SECONDS)
    finally:
        for server in listening:
            server.close()
    return Dialogue((*mail.talks, *mx.talks, *store.talks), store.delivered)


async def _listen(server: _Server) -> asyncio.Server:
    speaks = _engine()[server.protocol]
    loop = asyncio.get_running_loop()

    def serve() -> Any:
        return speaks(_Desk(server), hostname=server.name, ident="a server of the lesson", loop=loop)

    listening = await loop.create_server(serve, "127.0.0.1", 0)
    server.port = listening.sockets[0].getsockname()[1]
    return listening


def _engine() -> dict[str, Any]:
    try:
        from aiosmtpd.lmtp import LMTP
        from aiosmtpd.smtp import SMTP
    except ImportError as error:
        raise OptionError(
            "The live dialogue needs aiosmtpd: pip install 'mailforensics-notebooks[lab]'."
        ) from error
    return {"ESMTP": SMTP, "LMTP": LMTP}


# --- The client's side ------------------------------------------------------------------------------------------------


async def _hand_over(
    who: str, server: _Server, sender: str, recipients: list[str], lines: list[str]
) -> list[str]:
    """Hand a message to a server; the replies to its end: one by SMTP, one for each recipient by LMTP."""
    said: Said = []
    server.talks.append((f"{who} to {server.name}, {server.protocol}", said))
    reader, writer = await asyncio.open_connection("127.0.0.1", server.port)

    async def ask(command: str) -> str:
        said.append(("client", command))
        writer.write(command.encode() + b"\r\n")
        return await answer()

    async def answer() -> str:
        """One reply, which may have several lines (RFC 5321 §4.2.1): its last line."""
        while True:
            reply = (await reader.readline()).decode("utf-8", "replace").rstrip("\r\n")
            said.append(("server", reply))
            if reply[3:4] != "-":
                return reply

    await answer()
    await ask(f"{'LHLO' if server.protocol == 'LMTP' else 'EHLO'} {who}")
    await ask(f"MAIL FROM:<{sender}>")
    taken = [to for to in recipients if (await ask(f"RCPT TO:<{to}>")).startswith("2")]
    await ask("DATA")
    for line in lines:
        stuffed = f".{line}" if line.startswith(".") else line
        said.append(("client", stuffed))
        writer.write(stuffed.encode() + b"\r\n")
    replies = [await ask(".")]
    replies += [await answer() for _ in taken[1:] if server.protocol == "LMTP"]
    await ask("QUIT")
    writer.close()
    return replies


# --- The server's side ------------------------------------------------------------------------------------------------


@dataclass
class _Desk:
    """What a server of the lesson says to each command that aiosmtpd leaves to it."""

    server: _Server

    async def handle_MAIL(
        self, _smtp: Any, _session: Any, envelope: Any, address: str, _options: list[str]
    ) -> str:
        envelope.mail_from = address
        return "250 2.1.0 Ok"

    async def handle_RCPT(
        self, _smtp: Any, _session: Any, envelope: Any, address: str, _options: list[str]
    ) -> str:
        envelope.rcpt_tos.append(address)
        return "250 2.1.5 Ok"

    async def handle_DATA(self, _smtp: Any, session: Any, envelope: Any) -> str:
        text = envelope.content.decode("utf-8", "replace").removesuffix("\r\n")
        lines = [_received(self.server, session.host_name), *text.split("\r\n")]
        return "\r\n".join(await _take(self.server, envelope.mail_from, envelope.rcpt_tos, lines))


def _received(server: _Server, helo: str) -> str:
    when = format_datetime(datetime.now(UTC).replace(microsecond=0))
    return f"Received: from {helo} ([127.0.0.1]) by {server.name} with {server.protocol} id {server.number}; {when}"


async def _take(server: _Server, sender: str, recipients: list[str], lines: list[str]) -> list[str]:
    """Hand the message on, or deliver it; the replies to the client."""
    if server.after is not None:
        await _hand_over(server.name, server.after, sender, recipients, lines)
        return [f"250 2.0.0 Ok: queued as {server.number}"]
    replies = []
    for to in recipients:
        if to in server.full:
            replies.append(f"552 5.2.2 <{to}> Mailbox is full")
        else:
            server.delivered[to] = "\n".join([f"Return-Path: <{sender}>", *lines])
            replies.append(f"250 2.1.5 <{to}> Saved")
    return replies
