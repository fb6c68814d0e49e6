"""Plain syslog cut by its bytes: the same as the general patterns say, wherever a line is cut off and whatever stands in it."""

from __future__ import annotations

import random

import polars as pl
import pytest

from mailforensics.evidence.lines import Piece, line_frame
from mailforensics.grammar import plain, syslog

LINES = (
    "Dec 28 00:00:16 mx1 postfix/smtpd[221463]: connect from mx.example.net[192.0.2.7]",
    "Dec  8 23:59:60 mx1 postfix/qmgr[1]: 3F2A1C0B2: removed",
    "Dec 28 00:00:16 mx1 kernel: eth0: link up and running",
    "Dec 28 00:00:16 mx1 postfix/smtpd[2214630]: x",
    "Dec 28 00:00:16 mx1 postfix/smtpd[22146301]: a pid of eight digits",
    "Dec 28 00:00:16 mx1 postfix/smtpd[x]: no pid",
    "Dec 28 00:00:16 mx1 postfix/smtpd[7]: ",
    "Dec 28 00:00:16 mx1: no program here: none at all",
    "Dec 38 00:00:16 mx1 postfix/smtpd[7]: no such stamp",
    "2026-03-02T10:02:11.204123+01:00 mail postfix/smtpd[22]: connect from a[192.0.2.1]",
    "2026-03-02T10:02:11.2041+0100 mail postfix/smtpd[22]: connect from a[192.0.2.1]",
    "2026-03-02T10:02:11,20412345Z mail dovecot: auth: something else to read",
    "2026-03-02T10:02:11.204123456Z mail dovecot: nine digits of a second",
    "2026-03-02T10:02:11 mail dovecot: imap(bob): no zone in the stamp",
    "2026-03-02T10:02:11.Z mail dovecot: imap(bob): an empty fraction",
    "2026-03-02T10:02:1 mail dovecot: imap(bob): a stamp cut off",
    "2026-03-02T10:02:11+01:00  mail dovecot: imap(bob): two blanks",
    "Dec 28 00:00:16 mx1 postfix/smtpd[7]: m\u00fcller and \u00e9t\u00e9",
    "m\u00fcller Dec 28 00:00:16 mx1 postfix/smtpd[7]: not at the beginning",
    "2026-11-23 17:57:14 #256(rspamd_proxy) <95137e>; proxy; a line of a file of its own",
    "", "x", "<22>Dec 28 00:00:16 mx1 postfix/smtpd[7]: with a priority",
)  # fmt: skip


def both(lines: list[str], monkeypatch: pytest.MonkeyPatch) -> tuple[pl.DataFrame, pl.DataFrame]:
    """The lines framed with and without the fast way."""
    frame = line_frame(Piece("\n".join(lines).encode("utf-8", "surrogateescape"), 0, 1))
    fast = syslog.frame(frame)
    monkeypatch.setattr(syslog, "cut_plain", lambda _: iter(()))
    return fast, syslog.frame(frame)


def test_every_line_is_cut_as_the_patterns_cut_it(monkeypatch: pytest.MonkeyPatch) -> None:
    fast, slow = both(list(LINES), monkeypatch)
    assert fast.equals(slow)
    assert sum(len(rows) for rows, _ in plain.cut_plain(pl.Series(list(LINES)))) >= 8


def test_a_line_cut_off_anywhere_is_cut_as_the_patterns_cut_it(monkeypatch: pytest.MonkeyPatch) -> None:
    lines = [line[:end] for line in LINES for end in range(len(line) + 1)]
    random.Random(3).shuffle(lines)
    fast, slow = both(lines, monkeypatch)
    assert fast.equals(slow)


@pytest.mark.parametrize("last", range(len(LINES)))
def test_nothing_is_read_behind_the_last_line(last: int, monkeypatch: pytest.MonkeyPatch) -> None:
    for end in range(len(LINES[last]) + 1):
        with monkeypatch.context() as patch:
            fast, slow = both([LINES[0], LINES[last][:end]], patch)
        assert fast.equals(slow)


def test_bytes_changed_at_random_are_cut_as_the_patterns_cut_them(monkeypatch: pytest.MonkeyPatch) -> None:
    chance = random.Random(7)
    lines = []
    for _ in range(3000):
        line = list(chance.choice(LINES[:16]))
        for _ in range(chance.randint(1, 3)):
            line[chance.randrange(min(len(line), 60))] = chance.choice(" :[]0129TZ+-.,abA\u00e9\x00")
        lines.append("".join(line))
    fast, slow = both(lines, monkeypatch)
    assert fast.equals(slow)
