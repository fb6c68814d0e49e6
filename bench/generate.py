"""A mail log of any length with a known truth: one host with Postfix, messages interleaved as they are in real life.

``python bench/generate.py LOG --lines 1000000`` writes LOG and LOG.truth.json. The same arguments give the same bytes.
Ids are of the short kind and come back after a while, as on a busy server; some mail is deferred and tried again.
"""

from __future__ import annotations

import argparse
import heapq
import json
import random
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

BEGIN = datetime(2026, 3, 2, tzinfo=UTC)
PEOPLE = ("alex", "amy", "anna", "bella", "ben", "bob", "emma", "paul", "sales", "info")
DOMAINS = tuple(
    f"{word}{number}.test" for word in ("alder", "birch", "cedar", "elm", "larch") for number in range(40)
)
Event = tuple[float, str]
HOST = "mail"


class Mailer:
    """Makes the lines of one message after the other and counts what it made."""

    def __init__(self, seed: int) -> None:
        self.chance = random.Random(seed)  # noqa: S311  reproducible, no secret
        self.truth: Counter[str] = Counter()
        self.described: list[dict[str, Any]] = []  # one message in a hundred, whole
        self.inodes = [self.chance.randrange(0x10000, 0xFFFFF) for _ in range(500)]

    def message(self, at: float) -> list[Event]:
        """The lines of one message that arrives at that second."""
        kind = self.chance.choices(("sent", "deferred", "bounced", "rejected"), (80, 6, 4, 10))[0]
        return self.rejected(at) if kind == "rejected" else self.queued(at, kind)

    def rejected(self, at: float) -> list[Event]:
        """A connection whose recipient is refused."""
        client, pid = self.client(), self.pid()
        self.truth["rejects"] += 1
        text = (
            f"NOQUEUE: reject: RCPT from {client}: 554 5.7.1 <{self.address()}>: Relay access denied; "
            f"from=<{self.address()}> to=<{self.address()}> proto=ESMTP helo=<{self.domain()}>"
        )
        return [
            (at, f"postfix/smtpd[{pid}]: connect from {client}"),
            (at + 0.1, f"postfix/smtpd[{pid}]: {text}"),
            (
                at + 0.2,
                f"postfix/smtpd[{pid}]: disconnect from {client} ehlo=1 mail=1 rcpt=0/1 quit=1 commands=3/4",
            ),
        ]

    def queued(self, at: float, kind: str) -> list[Event]:
        """A message that enters the queue, is tried once or more often, and leaves it."""
        client, pid, queue_id = (
            self.client(),
            self.pid(),
            f"{int(at % 1 * 1e6):05X}{self.chance.choice(self.inodes):05X}",
        )
        sender, recipient = self.address(), self.address()
        size = self.chance.randrange(900, 90_000)
        self.truth["messages"] += 1
        if self.truth["messages"] % 100 == 1:
            message_id = f"<{at:.6f}.{queue_id}@{sender.split('@')[1]}>"
            told = {"queue_id": queue_id, "message_id": message_id, "sender": sender, "size": size}
            self.described.append(
                {**told, "recipient": recipient, "status": "bounced" if kind == "bounced" else "sent"}
            )
        lines = [
            (at, f"postfix/smtpd[{pid}]: connect from {client}"),
            (at + 0.05, f"postfix/smtpd[{pid}]: {queue_id}: client={client}"),
            (
                at + 0.06,
                f"postfix/cleanup[{pid + 1}]: {queue_id}: message-id=<{at:.6f}.{queue_id}@{sender.split('@')[1]}>",
            ),
            (
                at + 0.1,
                f"postfix/qmgr[812]: {queue_id}: from=<{sender}>, size={size}, nrcpt=1 (queue active)",
            ),
            (
                at + 0.12,
                f"postfix/smtpd[{pid}]: disconnect from {client} ehlo=1 mail=1 rcpt=1 data=1 quit=1 commands=5",
            ),
        ]
        now = at + 0.4
        for _ in range(self.chance.randrange(1, 4) if kind == "deferred" else 0):
            lines.append(
                (
                    now,
                    self.attempt(queue_id, recipient, now - at, "deferred", "4.4.1", "Connection timed out"),
                )
            )
            now += self.chance.uniform(300, 900)
            lines.append(
                (now, f"postfix/qmgr[812]: {queue_id}: from=<{sender}>, size={size}, nrcpt=1 (queue active)")
            )
        if kind == "bounced":
            said = (
                "host mx.example.net[203.0.113.25] said: 550 5.1.1 User unknown (in reply to RCPT TO command)"
            )
            lines.append((now, self.attempt(queue_id, recipient, now - at, "bounced", "5.1.1", said)))
        else:
            said = f"250 2.0.0 Ok: queued as {self.chance.getrandbits(40):010X}"
            lines.append((now, self.attempt(queue_id, recipient, now - at, "sent", "2.0.0", said)))
        return [*lines, (now + 0.01, f"postfix/qmgr[812]: {queue_id}: removed")]

    def attempt(self, queue_id: str, recipient: str, delay: float, status: str, dsn: str, said: str) -> str:
        """The line of one delivery attempt."""
        self.truth[status] += 1
        relay = "none" if status == "deferred" else f"mx.{recipient.split('@')[1]}[203.0.113.25]:25"
        return (
            f"postfix/smtp[{self.pid()}]: {queue_id}: to=<{recipient}>, relay={relay}, delay={delay:.2f}, "
            f"delays=0.12/{max(delay - 0.4, 0):.2f}/0.08/0.2, dsn={dsn}, status={status} ({said})"
        )

    def client(self) -> str:
        """A client as Postfix names it: name and address."""
        return f"out.{self.domain()}[192.0.2.{self.chance.randrange(1, 255)}]"

    def address(self) -> str:
        """An address of somebody."""
        return f"{self.chance.choice(PEOPLE)}{self.chance.randrange(100)}@{self.domain()}"

    def domain(self) -> str:
        """A domain of somebody."""
        return self.chance.choice(DOMAINS)

    def pid(self) -> int:
        """A process of the server."""
        return self.chance.randrange(1000, 1200)


def lines(mailer: Mailer, count: int, per_second: float) -> Iterator[bytes]:
    """So many lines in order of time; the truth counts the messages whose every line is among them."""
    ahead: list[tuple[float, int, str]] = []
    at, number, written = 0.0, 0, 0
    while written + len(ahead) < count:
        at += mailer.chance.expovariate(per_second)
        while ahead and ahead[0][0] <= at:
            yield stamped(heapq.heappop(ahead))
            written += 1
        for when, text in mailer.message(at):
            number += 1
            heapq.heappush(ahead, (when, number, text))
    while ahead:
        yield stamped(heapq.heappop(ahead))


def stamped(event: tuple[float, int, str]) -> bytes:
    """A line with its stamp, as rsyslog writes it."""
    when = BEGIN + timedelta(seconds=event[0])
    return f"{when.isoformat(timespec='microseconds')} {HOST} {event[2]}\n".encode()


def write(path: Path, count: int, *, seed: int = 4711, per_second: float = 2.0) -> dict[str, Any]:
    """Write the log and its truth; returns the truth. A few lines more than ``count`` end the last messages."""
    mailer = Mailer(seed)
    with path.open("wb") as out:
        total = sum(1 for line in lines(mailer, count, per_second) if out.write(line))
    truth = {**mailer.truth, "lines": total, "described": mailer.described}
    path.with_suffix(path.suffix + ".truth.json").write_text(json.dumps(truth), encoding="utf-8")
    return truth


SYMBOLS = (
    "R_SPF_ALLOW(-0.20){+mx;}", "R_DKIM_ALLOW(-0.20){example.com:s=mail;}", "DMARC_POLICY_ALLOW(-0.50){example.com;none;}",
    "MIME_GOOD(-0.10){text/plain;}", "BAYES_HAM(-2.99){99.95%;}", "BAYES_SPAM(5.09){99.99%;}", "RCVD_COUNT_TWO(0.00){2;}",
    "ARC_NA(0.00){}", "FROM_HAS_DN(0.00){}", "TO_DN_SOME(0.00){}", "MIME_TRACE(0.00){0:+;1:+;2:~;}", "ASN(0.00){asn:64500, ipnet:192.0.2.0/24, country:ZZ;}",
    "FORGED_SENDER(0.30){a@example.test;b@example.test;}", "HFILTER_HOSTNAME_UNKNOWN(2.50){}", "RCPT_COUNT_ONE(0.00){1;}",
)  # fmt: skip


def write_rspamd(path: Path, count: int, *, seed: int = 4711) -> int:
    """Task lines of Rspamd's own log, with symbols and options of all shapes; returns how many."""
    chance = random.Random(seed)  # noqa: S311  reproducible, no secret
    with path.open("w", encoding="utf-8") as out:
        for number in range(count):
            moment = BEGIN + timedelta(seconds=number / 3)
            symbols = ",".join(chance.sample(SYMBOLS, chance.randrange(6, len(SYMBOLS))))
            score = chance.uniform(-4, 18)
            action = (
                "reject"
                if score >= 15
                else "add header"
                if score >= 6
                else "greylist"
                if score >= 4
                else "no action"
            )
            flag = "T" if action in ("reject", "add header") else "F"
            out.write(
                f"{moment:%Y-%m-%d %H:%M:%S} #{chance.randrange(200, 210)}(rspamd_proxy) <{chance.randrange(16**6):06x}>; proxy; "
                f"rspamd_task_write_log: id: <{number}.{chance.randrange(16**8):08x}@{chance.choice(DOMAINS)}>, "
                f"qid: <{chance.randrange(16**10):010X}>, ip: 192.0.2.{chance.randrange(256)}, "
                f"from: <{chance.choice(PEOPLE)}@{chance.choice(DOMAINS)}>, (default: {flag} ({action}): [{score:.2f}/15.00] [{symbols}]), "
                f"len: {chance.randrange(400, 90000)}, time: {chance.uniform(1, 900):.3f}ms, dns req: {chance.randrange(40)}, "
                f"digest: <{chance.randrange(16**32):032x}>, rcpts: <{chance.choice(PEOPLE)}@example.com>, "
                f"mime_rcpts: <{chance.choice(PEOPLE)}@example.com>\n"
            )
    return count


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("log", type=Path)
    parser.add_argument("--lines", type=int, default=1_000_000)
    parser.add_argument("--seed", type=int, default=4711)
    given = parser.parse_args()
    print(json.dumps(write(given.log, given.lines, seed=given.seed)))
