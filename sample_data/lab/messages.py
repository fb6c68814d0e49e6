"""Messages that look like mail: one builder for ordinary ones, raw bytes for hostile ones."""

from __future__ import annotations

import hashlib
import random
import time
from email.header import Header
from email.utils import formatdate

from world import FULL_NAMES

TEXTS = [
    "please find below what we discussed on the phone.\nThe figures are final for this quarter.",
    "thank you for your quick answer.\nI will come back to you on Thursday.",
    "could you have a look at this before noon?\nThe customer is waiting for it.",
    "the meeting moves to room 3.12, the time stays the same.",
    "attached you find the minutes. Corrections until Friday, please.",
    "the delivery arrived today. Two boxes are missing, see the list.",
    "I am out of the office next week; Amy has my files.",
]
SUBJECTS = [
    "Minutes of the meeting",
    "Invoice 2026-1107",
    "Question about the contract",
    "Draft of the report",
    "Lunch on Friday?",
    "Delivery note 88123",
    "Holiday plan",
    "Travel expenses November",
    "Re: Offer for the new office",
    "Photos from the trip",
    "Fwd: Training dates",
    "Budget next year",
    "Room change",
    "Server maintenance on Saturday",
    "Your order 5521",
]


def message_id(scenario: str, label: str, domain: str) -> str:
    """An id that looks like a mail program's and is the same in every run."""
    digest = hashlib.sha256(f"{scenario}/{label}".encode()).hexdigest()
    return f"<{digest[:8]}-{digest[8:12]}-{digest[12:24]}@{domain}>"


def person(address: str) -> str:
    """`Name <address>` with the name of the address's owner, encoded where it is not ASCII."""
    local = address.split("@")[0].split("+")[0]
    name = FULL_NAMES.get(local)
    if not name:
        return address
    return f"{name} <{address}>" if name.isascii() else f"{Header(name, 'utf-8').encode()} <{address}>"


def build(
    sender: str,
    recipients: list[str],
    subject: str,
    mid: str | None,
    *,
    seed: str = "",
    extra: str = "",
    body: str | None = None,
    size: int = 0,
    stamp: float | None = None,
) -> bytes:
    """An ordinary message; `extra` is put at the top as it is, `size` pads the body."""
    choice = random.Random(seed or mid or subject)
    if body is None:
        name = recipients[0].split("@")[0].split("+")[0].capitalize()
        body = f"Dear {name},\n\n{choice.choice(TEXTS)}\n\nKind regards\n{FULL_NAMES.get(sender.split('@')[0], sender)}\n"
    if size:
        line = "0123456789 the quick brown fox jumps over the lazy dog\n"
        body += line * (size // len(line))
    encoded = subject if subject.isascii() else Header(subject, "utf-8").encode()
    lines = [
        f"From: {person(sender)}",
        "To: " + ", ".join(person(recipient) for recipient in recipients),
        f"Subject: {encoded}",
        f"Date: {formatdate(stamp if stamp is not None else time.time(), localtime=False)}",
    ]
    if mid is not None:
        lines.append(f"Message-ID: {mid}")
    lines += [
        "MIME-Version: 1.0",
        "Content-Type: text/plain; charset=utf-8",
        "Content-Transfer-Encoding: 8bit",
    ]
    return (extra + "\n".join(lines) + "\n\n" + body).encode()
