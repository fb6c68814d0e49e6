"""How answers speak: one fixed word and one sign per outcome, times and durations as people say them.

Times come as ISO 8601 in UTC (``2026-03-02T09:02:11.200000Z``) or as datetimes and are shown in the zone that
the user works in, with the offset. Colour is never the only sign of anything.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, tzinfo
from typing import Any, Literal
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from mailforensics.evidence.months import MONTHS

Tone = Literal["good", "moved", "waiting", "lost", "unknown"]


@dataclass(frozen=True, slots=True)
class OutcomeWord:
    """The sign, the word and the tone (a quiet colour) of one outcome."""

    sign: str
    word: str
    tone: Tone


OUTCOME_WORDS: dict[str, OutcomeWord] = {
    "delivered": OutcomeWord("✓", "DELIVERED", "good"),
    "filed_by_sieve": OutcomeWord("✓▸", "FILED BY SIEVE", "good"),
    "discarded_by_sieve": OutcomeWord("∅", "DISCARDED BY SIEVE", "lost"),
    "rejected_by_sieve": OutcomeWord("✗", "REJECTED BY SIEVE", "lost"),
    "forwarded": OutcomeWord("→", "FORWARDED", "moved"),
    "handed_to_remote": OutcomeWord("⇢", "HANDED OVER", "moved"),
    "delivered_to_command": OutcomeWord("✓▸", "DELIVERED TO A COMMAND", "good"),
    "delivered_to_file": OutcomeWord("✓▸", "DELIVERED TO A FILE", "good"),
    "discarded_by_rule": OutcomeWord("∅", "DISCARDED BY A RULE", "lost"),
    "rejected": OutcomeWord("✗", "REJECTED", "lost"),
    "bounced": OutcomeWord("↩", "BOUNCED", "lost"),
    "expired": OutcomeWord("⌛", "EXPIRED", "lost"),
    "deferred": OutcomeWord("…", "DEFERRED", "waiting"),
    "held": OutcomeWord("‖", "HELD", "waiting"),
    "deleted_from_queue": OutcomeWord("⌫", "DELETED FROM THE QUEUE", "lost"),
    "expunged": OutcomeWord("⌫", "EXPUNGED", "moved"),
    "retrieved_and_deleted": OutcomeWord("⌫", "RETRIEVED AND DELETED", "moved"),
    "not_seen": OutcomeWord("?", "NOT SEEN", "unknown"),
}

_UNKNOWN = OutcomeWord("?", "NOT SEEN", "unknown")
_DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
_MONTHS = tuple(MONTHS)


def outcome_word(outcome: Any) -> OutcomeWord:
    """The fixed word of an outcome; NOT SEEN for none.

    >>> outcome_word("bounced").sign, outcome_word(None).word
    ('↩', 'NOT SEEN')
    """
    return OUTCOME_WORDS.get(str(outcome), _UNKNOWN)


def outcome_sign(outcome: Any, mailbox: Any = None) -> str:
    """The sign of an outcome, with the mailbox where it was filed.

    >>> outcome_sign("filed_by_sieve", "Junk")
    '✓▸Junk'
    """
    sign = outcome_word(outcome).sign
    return f"{sign}{mailbox or ''}" if sign.endswith("▸") else sign


def zone_of(name: Any) -> tzinfo:
    """The time zone of that IANA name; UTC when it is not known."""
    try:
        return ZoneInfo(str(name)) if name else UTC
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return UTC


def zone_words(zone: tzinfo) -> str:
    """How a zone is called: by its place, or by its offset where it is only that (``Etc/GMT-1`` is east of Greenwich).

    >>> zone_words(ZoneInfo("Europe/Berlin")), zone_words(ZoneInfo("Etc/GMT-1"))
    ('Europe/Berlin', '+01:00')
    """
    name = str(zone)
    return offset(datetime(2000, 1, 1, tzinfo=zone)) if name.startswith("Etc/GMT") else name


def moment(value: Any, zone: tzinfo = UTC) -> datetime | None:
    """A time, ISO 8601 or datetime (UTC where it names no zone), in that zone; None for what is no time.

    >>> moment("2026-03-02T09:02:11Z").hour
    9
    """
    if isinstance(value, str):
        try:
            value = datetime.fromisoformat(value)
        except ValueError:
            return None
    if not isinstance(value, datetime):
        return None
    try:
        return (value if value.tzinfo else value.replace(tzinfo=UTC)).astimezone(zone)
    except OverflowError:
        return None


def clock(value: Any, zone: tzinfo = UTC) -> str:
    """The time of day, with hundredths where the stamp has fractions.

    >>> clock("2026-03-02T09:02:11.204Z"), clock("2026-03-02T09:02:11Z")
    ('09:02:11.20', '09:02:11')
    """
    when = moment(value, zone)
    if when is None:
        return "--:--:--"
    fraction = f".{when.microsecond // 10_000:02d}" if when.microsecond else ""
    return f"{when:%H:%M:%S}{fraction}"


def day(value: Any, zone: tzinfo = UTC) -> str:
    """The day in words.

    >>> day("2026-03-02T09:02:11Z")
    'Mon 2 Mar 2026'
    """
    when = moment(value, zone)
    if when is None:
        return "day unknown"
    return f"{_DAYS[when.weekday()]} {when.day} {_MONTHS[when.month - 1]} {when.year}"


def full(value: Any, zone: tzinfo = UTC) -> str:
    """Day, time and offset.

    >>> full("2026-03-02T09:02:11Z", zone_of("Europe/Berlin"))
    'Mon 2 Mar 2026 10:02:11 +01:00'
    """
    when = moment(value, zone)
    if when is None:
        return "time unknown"
    return f"{day(when, zone)} {when:%H:%M:%S} {offset(when)}"


def short(value: Any, zone: tzinfo = UTC, *, year: bool = False) -> str:
    """Day, month and minute, as ranges are told, with the year where it is asked for.

    >>> short("2026-02-28T00:00:00Z"), short("2026-02-28T00:00:00Z", year=True)
    ('28 Feb 00:00', '28 Feb 2026 00:00')
    """
    when = moment(value, zone)
    if when is None:
        return "unknown"
    return f"{when.day} {_MONTHS[when.month - 1]}{f' {when.year}' if year else ''} {when:%H:%M}"


def offset(when: datetime) -> str:
    """The offset from UTC of a time with a zone, as +01:00."""
    text = when.strftime("%z") or "+0000"
    return f"{text[:3]}:{text[3:5]}"


def duration(seconds: Any) -> str:
    """Seconds as people say them, signed; empty for none.

    >>> [duration(s) for s in (0.0042, 0.41, 12, 180, 7800, 200_000, -4, None)]
    ['4 ms', '0.41 s', '12 s', '3 min', '2 h 10 min', '2 d 8 h', '-4 s', '']
    """
    if not isinstance(seconds, int | float) or not math.isfinite(seconds):
        return ""
    sign, rest = ("-", -seconds) if seconds < 0 else ("", seconds)
    return sign + _magnitude(rest)


def _magnitude(seconds: float) -> str:
    if seconds < 0.0005:
        return "0 s"
    if seconds < 0.01:
        return f"{seconds * 1000:.0f} ms"
    if seconds < 9.995:
        return f"{seconds:.2f}".rstrip("0").rstrip(".") + " s"
    if round(seconds) < 60:
        return f"{seconds:.0f} s"
    minutes = round(seconds / 60)
    if seconds < 600 and round(seconds) % 60:
        return f"{int(seconds) // 60} min {int(seconds) % 60} s"
    if minutes < 60:
        return f"{minutes} min"
    if minutes < 1440:
        return _two(minutes // 60, "h", minutes % 60, "min")
    hours = round(seconds / 3600)
    return _two(hours // 24, "d", hours % 24, "h")


def _two(large: int, large_unit: str, small: int, small_unit: str) -> str:
    return f"{large:,} {large_unit}" + (f" {small} {small_unit}" if small else "")


def number(value: Any) -> str:
    """A count with thousands apart.

    >>> number(48210)
    '48,210'
    """
    return f"{value:,}" if isinstance(value, int) else "?"


def counted(value: Any, one: str, many: str | None = None) -> str:
    """A count with its noun; lists are counted.

    >>> counted(1, "host"), counted(["a", "b"], "queue id"), counted(0, "reply", "replies")
    ('1 host', '2 queue ids', '0 replies')
    """
    if isinstance(value, list | tuple | set):
        value = len(value)
    return f"{number(value)} {one if value == 1 else many or one + 's'}"


def share(part: int, whole: int) -> str:
    """A share in per cent, as exact as its size asks for.

    >>> share(12, 48210), share(1, 3), share(0, 0)
    ('0.025 %', '33 %', '0 %')
    """
    if not part or not whole:
        return "0 %"
    percent = 100 * part / whole
    return f"{percent:.0f} %" if percent >= 10 else f"{percent:.2g} %"


def listed(words: Iterable[str]) -> str:
    """Words in a row, the last joined by "and".

    >>> listed(["mail", "mx"]), listed(["a", "b", "c"])
    ('mail and mx', 'a, b and c')
    """
    *first, last = [*words] or [""]
    return f"{', '.join(first)} and {last}" if first else last
