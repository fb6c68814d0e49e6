"""Why two totals of pflogsumm and of `mailforensics summary` differ on large logs: shown by the lines that make the difference.

    python bench/two_counts.py mail.log

*senders*: pflogsumm never forgets a queue id. Postfix gives short ids again, and the sender of the second mail under an id
is passed over; whose mail came under such ids only is missing from its count.
*sending_domains*: mail without a sender's domain (bounces) is counted under its client. pflogsumm cuts the host name to
two labels only before a top level of three letters, or of the shape "co.uk" (``mail.example.de`` stays whole, and
``mx2.example.com`` becomes ``example.com``); we take the organisational domain by the Public Suffix List.

`counted` does what either program does, line by line and without its code, so that each count can be had with one rule changed.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path

from mailforensics.headers.domains import organisational_domain

_LINE = re.compile(r" postfix[^ ]*/([a-z]+)\[[0-9]+\]: ([0-9A-F]{6,}|[0-9B-Zb-z]{10,}): (.*)$")
_SENDER = re.compile(r"from=<([^>]*)>, size=([0-9]+)")
_CLIENT = re.compile(r"client=([^\[]*)\[([^\]]*)\]")
_THREE_LETTERS = re.compile(r"^(.*)\.([^.]+)\.([^.]{3}|[^.]{2,3}\.[^.]{2})$")
_DOMAIN = re.compile(r"^[^@]+@(.+)$")


@dataclass
class Counts:
    """What was counted, and the lines (from 1) whose sender was passed over because its queue id had been seen before."""

    senders: set[str] = field(default_factory=set)
    domains: set[str] = field(default_factory=set)
    passed_over: dict[int, str] = field(default_factory=dict)


def three_letters(host: str) -> str:
    """A host name as pflogsumm cuts it.

    >>> three_letters("mx.mail.example.com"), three_letters("mail.example.de")
    ('example.com', 'mail.example.de')
    """
    return _THREE_LETTERS.sub(lambda found: f"{found[2].lower()}.{found[3]}", host)


def organisation(host: str) -> str:
    """A host name as we cut it.

    >>> organisation("mail.example.de")
    'example.de'
    """
    return organisational_domain(host.lower()) or host.lower()


def counted(lines: Iterable[str], *, forget: bool, cut: Callable[[str], str]) -> Counts:
    """Senders and sending domains; `forget` lets a queue id be new after its mail was removed, `cut` shortens host names."""
    counts, seen, came = Counts(), set(), {}
    for number, line in enumerate(lines, 1):
        found = _LINE.search(line)
        if not found:
            continue
        program, queue_id, words = found.groups()
        if program == "smtpd" and (client := _CLIENT.match(words)):
            came[queue_id] = client[2] if client[1] in ("", "unknown") else cut(client[1])
        elif program == "pickup" and words.startswith("uid="):
            came[queue_id] = ""
        elif words.rstrip() == "removed" and forget:
            seen.discard(queue_id)
        elif program == "qmgr" and (sender := _SENDER.match(words)):
            address = _address(sender[1])
            if queue_id in seen:
                counts.passed_over[number] = address
                continue
            seen.add(queue_id)
            if queue_id in came:
                client_domain = came.pop(queue_id)
                domain = _DOMAIN.match(address)
                counts.senders.add(address)
                counts.domains.add(domain[1] if domain else client_domain or address)
    return counts


def _address(sender: str) -> str:
    local, at, domain = sender.partition("@")
    return f"{local}{at}{domain.lower()}" or "from=<>"


def main(log: Path) -> None:
    """Both ways of counting, and what stands between them."""
    with log.open(encoding="utf-8", errors="replace") as lines:
        theirs = counted(lines, forget=False, cut=three_letters)
    with log.open(encoding="utf-8", errors="replace") as lines:
        ours = counted(lines, forget=True, cut=organisation)
    only = ours.senders - theirs.senders
    where = [number for number, address in theirs.passed_over.items() if address in only]
    print(
        f"senders: {len(theirs.senders)} as pflogsumm counts, {len(ours.senders)} as we count; lines {where}"
    )
    print(f"sending_domains: {len(theirs.domains)} as pflogsumm counts, {len(ours.domains)} as we count")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
