"""Clients that drive the servers: SMTP with every reply kept, IMAP and POP3 from an address of one's choice."""

from __future__ import annotations

import base64
import contextlib
import imaplib
import poplib
import socket
import ssl
from dataclasses import dataclass, field

from world import PASSWORD

SECONDS = 60


def _tls() -> ssl.SSLContext:
    """The lab's certificates are its own; clients do not look at them."""
    context = ssl.create_default_context()
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context


class Smtp:
    """One SMTP session, byte for byte as the scenario wants it; smtplib would forbid what an attacker does."""

    def __init__(self, server: str, port: int = 25, source: str | None = None) -> None:
        address = (source, 0) if source else None
        self._socket = socket.create_connection((server, port), SECONDS, source_address=address)
        self._file = self._socket.makefile("rb")
        self.replies: list[str] = []
        self.greeting = self._reply()

    def _reply(self) -> str:
        lines = []
        while True:
            line = self._file.readline()
            if not line:
                raise ConnectionError("server closed the connection after " + repr(self.replies[-1:]))
            lines.append(line.decode("utf-8", "backslashreplace").rstrip("\r\n"))
            if line[3:4] != b"-":
                break
        reply = "\n".join(lines)
        self.replies.append(reply)
        return reply

    def say(self, line: str | bytes) -> str:
        """Send one line and return the reply."""
        self._socket.sendall((line.encode() if isinstance(line, str) else line) + b"\r\n")
        return self._reply()

    def starttls(self, context: ssl.SSLContext | None = None, name: str | None = None) -> str:
        reply = self.say("STARTTLS")
        if reply.startswith("220"):
            self._socket = (context or _tls()).wrap_socket(self._socket, server_hostname=name)
            self._file = self._socket.makefile("rb")
        return reply

    def login(self, user: str, password: str = PASSWORD) -> str:
        token = base64.b64encode(f"\0{user}\0{password}".encode()).decode()
        return self.say("AUTH PLAIN " + token)

    def data(self, message: bytes) -> str:
        """DATA, the message with dots stuffed, and the reply to its end (or to DATA, if refused)."""
        reply = self.say("DATA")
        if not reply.startswith("354"):
            return reply
        lines = message.replace(b"\r\n", b"\n").split(b"\n")
        if lines and not lines[-1]:
            lines.pop()
        stuffed = b"\r\n".join(b"." + line if line.startswith(b".") else line for line in lines)
        self._socket.sendall(stuffed + b"\r\n.\r\n")
        return self._reply()

    def send_raw(self, data: bytes) -> None:
        self._socket.sendall(data)

    def quit(self) -> None:
        with contextlib.suppress(OSError):
            self.say("QUIT")
        self.drop()

    def drop(self) -> None:
        """Hang up without a word."""
        self._file.close()
        self._socket.close()


@dataclass
class Replies:
    """What the server said to one mail: to each recipient, and the last word on the whole."""

    final: str
    recipients: dict[str, str] = field(default_factory=dict)

    @property
    def accepted(self) -> bool:
        return self.final.startswith("250")


def deliver(session: Smtp, sender: str, recipients: list[str], message: bytes) -> Replies:
    """One mail transaction in an open session."""
    reply = session.say(f"MAIL FROM:<{sender}>")
    replies = Replies(reply)
    if not reply.startswith("250"):
        return replies
    for recipient in recipients:
        reply = session.say(f"RCPT TO:<{recipient}>")
        replies.recipients[recipient] = reply
    if not any(text.startswith("250") for text in replies.recipients.values()):
        replies.final = reply
        session.say("RSET")
        return replies
    replies.final = session.data(message)
    return replies


def submit(
    server: str,
    source: str,
    user: str,
    recipients: list[str],
    message: bytes,
    helo: str = "[192.0.2.101]",
    sender: str | None = None,
) -> Replies:
    """Submission on port 587 with STARTTLS and a password, as a mail program does it."""
    session = Smtp(server, 587, source)
    session.say(f"EHLO {helo}")
    session.starttls()
    session.say(f"EHLO {helo}")
    reply = session.login(user)
    if not reply.startswith("235"):
        session.quit()
        return Replies(reply)
    replies = deliver(session, sender or user, recipients, message)
    session.quit()
    return replies


def send(
    server: str, source: str, helo: str, sender: str, recipients: list[str], message: bytes, tls: bool = False
) -> Replies:
    """Another server hands a mail to port 25."""
    session = Smtp(server, 25, source)
    session.say(f"EHLO {helo}")
    if tls:
        session.starttls()
        session.say(f"EHLO {helo}")
    replies = deliver(session, sender, recipients, message)
    session.quit()
    return replies


class Imap(imaplib.IMAP4):
    """IMAP over TLS from a chosen address."""

    def __init__(self, server: str, source: str, user: str, password: str = PASSWORD) -> None:
        self._source = source
        super().__init__(server, 993, timeout=SECONDS)
        self.login(user, password)

    def _create_socket(self, timeout: float | None) -> socket.socket:
        plain = socket.create_connection((self.host, self.port), timeout, source_address=(self._source, 0))
        return _tls().wrap_socket(plain)

    def find(self, mailbox: str, message_id: str) -> bytes:
        """The UID of a message, searched by Message-ID, with the mailbox selected."""
        self.select(mailbox)
        _, found = self.uid("SEARCH", f'HEADER Message-ID "{message_id}"')
        if not found[0]:
            raise LookupError(f"{message_id} is not in {mailbox}")
        return found[0].split()[-1]


def read_all(server: str, source: str, user: str, mailbox: str = "INBOX") -> list[bytes]:
    """Open a mailbox, fetch every message and so mark it as seen; the messages come back."""
    session = Imap(server, source, user)
    session.select(mailbox)
    _, found = session.uid("SEARCH", "ALL")
    messages = []
    for uid in found[0].split():
        _, parts = session.uid("FETCH", uid.decode(), "(RFC822)")
        messages.append(parts[0][1])
    session.close()
    session.logout()
    return messages


def read_new(server: str, source: str, user: str) -> int:
    """Fetch what has not been seen yet, and say how many there were."""
    session = Imap(server, source, user)
    session.select("INBOX")
    _, found = session.uid("SEARCH", "UNSEEN")
    uids = found[0].split()
    if uids:
        session.uid("FETCH", b",".join(uids).decode(), "(RFC822)")
    session.logout()
    return len(uids)


def expunge(server: str, source: str, user: str, message_id: str, mailbox: str = "INBOX") -> None:
    session = Imap(server, source, user)
    uid = session.find(mailbox, message_id)
    session.uid("STORE", uid.decode(), "+FLAGS", r"(\Deleted)")
    session.expunge()
    session.logout()


def move(server: str, source: str, user: str, message_id: str, target: str, mailbox: str = "INBOX") -> None:
    """MOVE as modern mail programs do it (RFC 6851)."""
    session = Imap(server, source, user)
    uid = session.find(mailbox, message_id)
    imaplib.Commands.setdefault("MOVE", ("SELECTED",))
    session.create(target)
    session.uid("MOVE", uid.decode(), target)
    session.logout()


class Pop(poplib.POP3):
    """POP3 over TLS from a chosen address."""

    def __init__(self, server: str, source: str, user: str, password: str = PASSWORD) -> None:
        self._source = source
        super().__init__(server, 995, timeout=SECONDS)
        self.user(user)
        self.pass_(password)

    def _create_socket(self, timeout: float) -> socket.socket:
        plain = socket.create_connection((self.host, self.port), timeout, source_address=(self._source, 0))
        return _tls().wrap_socket(plain)


def fetch_by_pop(server: str, source: str, user: str, delete: bool) -> list[bytes]:
    """Retrieve everything, and delete it when asked to."""
    session = Pop(server, source, user)
    count = len(session.list()[1])
    messages = []
    for number in range(1, count + 1):
        messages.append(b"\r\n".join(session.retr(number)[1]) + b"\r\n")
        if delete:
            session.dele(number)
    session.quit()
    return messages
