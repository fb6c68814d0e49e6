"""Dates of header fields as times, or null with the reason: never a guess that could be wrong.

The form is RFC 5322 §3.3 with the obsolete forms of §4.3 and those that software really writes::

    Mon, 26 Mar 2018 13:35:10.102 +0000 (UTC)       26 Aug 76 14:30 EDT
    4/20/2018 11:01:16 PM -0400 (EDT)               2018-04-22 02:54:17.028704749 +0000 UTC
    Fri Feb 07 10:18:12 2003 -0800

``-0000`` says that the zone is not known (RFC 5322 §3.3): the time is right, ``utc_offset_min`` is null. A date
without any zone is read as UTC, which ``method`` ``zone_assumed`` says.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from mailforensics.evidence.months import MONTH, MONTHS

_MONTHS = {name.lower(): number for name, number in MONTHS.items()}
_DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
# RFC 5322 §4.3, and names that mean one zone only; IST, BST or CST outside America mean several.
_ZONES = {
    "ut": 0, "utc": 0, "gmt": 0, "z": 0, "est": -300, "edt": -240, "cst": -360, "cdt": -300, "mst": -420,
    "mdt": -360, "pst": -480, "pdt": -420, "cet": 60, "cest": 120, "met": 60, "mest": 120, "mez": 60, "mesz": 120,
    "eet": 120, "eest": 180, "wet": 0, "west": 60, "msk": 180, "msd": 240, "jst": 540, "akst": -540, "akdt": -480,
    "hst": -600, "nzst": 720, "nzdt": 780,
}  # fmt: skip

_WEEKDAY = r"(?:(?P<weekday>[A-Za-z]{3,9})\.?,?\s*)?"
_CLOCK = (
    r"(?P<hour>[0-9]{1,2})\s*:\s*(?P<minute>[0-9]{2})(?:\s*:\s*(?P<second>[0-9]{2})(?:[.,](?P<fraction>[0-9]{1,9}))?)?"
    r"(?:\s*(?P<half>[AaPp][Mm])\b)?"
)
_ZONE = (
    r"(?:\s*(?P<zone>(?:GMT|UTC|UT)?\s*[+-](?:[0-9]{1,2}:?[0-9]{2}|[0-9]{1,2})(?![0-9])|[A-Za-z]{1,5}\b))?"
)
_MONTH = rf"(?P<month>{MONTH})[a-z]{{0,6}}\.?"
_FORMS = tuple(
    re.compile(form, re.IGNORECASE)
    for form in (
        rf"{_WEEKDAY}(?P<day>[0-9]{{1,2}})[\s-]+{_MONTH}[\s,-]+(?P<year>[0-9]{{2,4}}),?\s+{_CLOCK}{_ZONE}",
        rf"{_WEEKDAY}{_MONTH}\s+(?P<day>[0-9]{{1,2}}),?\s+{_CLOCK}(?:\s+(?P<zone1>[A-Z]{{1,5}}))?\s+(?P<year>[0-9]{{4}}){_ZONE}",
        rf"{_WEEKDAY}{_MONTH}\s+(?P<day>[0-9]{{1,2}}),?\s+(?P<year>[0-9]{{4}}),?\s+{_CLOCK}{_ZONE}",
        rf"{_WEEKDAY}(?P<year>[0-9]{{4}})[-/](?P<month>[0-9]{{1,2}})[-/](?P<day>[0-9]{{1,2}})[T\s]\s*{_CLOCK}{_ZONE}",
        rf"(?P<us>){_WEEKDAY}(?P<month>[0-9]{{1,2}})[/-](?P<day>[0-9]{{1,2}})[/-](?P<year>[0-9]{{4}}),?\s+{_CLOCK}{_ZONE}",
    )
)
_COMMENT = re.compile(r"\([^()]*\)")
_DATE_AHEAD = re.compile(
    r"(?:(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun)[a-z]{0,6},?\s+)?"
    rf"(?:[0-9]{{1,2}}[\s-]+{MONTH}[a-z]{{0,6}}[\s-]+[0-9]{{2,4}}"
    rf"|{MONTH}[a-z]{{0,6}}\s+[0-9]{{1,2}},?\s+(?:[0-9]{{4}}|[0-9]{{1,2}}:)"
    r"|[0-9]{4}-[0-9]{2}-[0-9]{2}[T\s])"
    r"[\s,]*[0-9]{0,2}",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class HeaderDate:
    """A date as read: ``time`` in UTC or None, its precision and method as in ``events``, what was odd."""

    time: datetime | None
    precision: str = "none"
    method: str = "unknown"
    utc_offset_min: int | None = None
    defects: tuple[str, ...] = ()


def read_date(text: str) -> HeaderDate:
    """The time that a Date field or the stamp of a Received field states.

    ``time`` is None when the text is no date, names a day or hour that does not exist, or a zone that is not
    known; ``defects`` then says which. Nothing is raised.

    >>> read_date("Thu, 18 May 2006 16:08:11 +0400 (MSD)").time.isoformat()
    '2006-05-18T12:08:11+00:00'
    >>> read_date("32 Jan 2020 00:00 GMT").defects
    ('no_such_day',)
    """
    bare, depth = text[:400], 0
    comment = _COMMENT.search(bare)
    while "(" in bare and depth < 5:
        bare, depth = _COMMENT.sub(" ", bare), depth + 1
    bare = bare.strip(" \t\r\n;,")
    for form in _FORMS:
        match = form.match(bare)
        if match:
            return _stated(match, bare[match.end() :].strip(), comment.group()[1:-1] if comment else "")
    return HeaderDate(None, defects=("date_missing",) if not bare else ("date_unreadable",))


def find_date(text: str) -> int | None:
    """Where a date stands inside a text that should have set it off with a semicolon, or None.

    >>> find_date("id EF01F5A6 Mon, 11 Sep 2006 11:41:10 -0500")
    12
    """
    found = None
    for match in _DATE_AHEAD.finditer(text):
        found = match.start()
    return found


def _stated(match: re.Match[str], rest: str, comment: str) -> HeaderDate:
    """The date of a matched form; a zone that stands in a comment only counts where there is no other."""
    part = match.groupdict()
    defects: list[str] = []
    if rest and not re.fullmatch(r"(?i)[a-z]{1,5}|m=[+-][0-9.]+|(?:UTC\s+)?m=[+-][0-9.]+", rest):
        defects.append("text_after_date")
    zone = (
        part.get("zone") or part.get("zone1") or (comment if re.fullmatch("[A-Za-z]{1,5}", comment) else "")
    ).strip()
    offset, known = _offset(zone)
    if not known or (not zone and re.match("[A-Za-z0-9+-]", rest)):
        return HeaderDate(None, defects=("unknown_zone",))
    try:
        local = _local(part, defects)
        time = (local - timedelta(minutes=offset or 0)).replace(tzinfo=UTC)
    except (ValueError, OverflowError) as error:
        reason = str(error) if str(error) in ("no_such_day", "no_such_time") else "no_such_day"
        return HeaderDate(None, defects=(reason,))
    if not zone:
        defects.append("zone_missing")
    if not 1970 <= time.year <= 2100:
        defects.append("implausible_year")
    return HeaderDate(time, _precision(part), "stated" if zone else "zone_assumed", offset, tuple(defects))


def _local(part: dict[str, str | None], defects: list[str]) -> datetime:
    month_text = part["month"] or ""
    month = int(month_text) if month_text.isdigit() else _MONTHS[month_text[:3].lower()]
    day, year = int(part["day"] or 0), _year(part["year"] or "", defects)
    hour, minute, second = int(part["hour"] or 0), int(part["minute"] or 0), int(part["second"] or 0)
    if part.get("half"):
        if not 1 <= hour <= 12:
            raise ValueError("no_such_time")
        hour = hour % 12 + 12 * ((part["half"] or "").lower() == "pm")
    if hour > 23 or minute > 59 or second > 60:
        raise ValueError("no_such_time")
    if part.get("us") is not None and day <= 12 and day != month:
        defects.append("month_before_day_assumed")
    micro = int((part.get("fraction") or "0")[:6].ljust(6, "0"))
    local = datetime(year, month, day, hour, minute, min(second, 59), micro)
    weekday = (part.get("weekday") or "")[:3].lower()
    if weekday in _DAYS and _DAYS[local.weekday()] != weekday:
        defects.append("weekday_differs")
    if second == 60:  # a leap second: RFC 5322 §3.3 allows it, the clock then shows the next minute
        defects.append("leap_second")
        local += timedelta(seconds=1)
    return local


def _year(text: str, defects: list[str]) -> int:
    year = int(text)
    if len(text) == 4:
        return year
    defects.append("short_year")
    return year + (2000 if len(text) == 2 and year < 50 else 1900)  # RFC 5322 §4.3


def _offset(zone: str) -> tuple[int | None, bool]:
    """(minutes east of UTC or None when not said, whether the zone is understood)."""
    if not zone:
        return None, True
    numeric = re.search(r"([+-])([0-9]{1,2})(?::?([0-9]{2}))?$", zone)
    if numeric:
        sign, hours, minutes = numeric[1], numeric[2], numeric[3] or "0"
        if int(minutes) > 59 or int(hours) > 24:
            return None, False
        total = int(hours) * 60 + int(minutes)
        return (None if sign == "-" and total == 0 else total * (-1 if sign == "-" else 1)), True
    if zone.lower() in _ZONES:
        return _ZONES[zone.lower()], True
    return None, len(zone) == 1  # military letters: as -0000 (RFC 5322 §4.3)


def _precision(part: dict[str, str | None]) -> str:
    if part.get("fraction"):
        return "ms" if len(part["fraction"] or "") <= 3 else "us"
    return "s" if part.get("second") else "min"
