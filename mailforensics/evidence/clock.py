"""Stamps in, UTC out, each time with its pedigree: what was stated, what was assumed, what was inferred.

    Dec 28 00:00:16                      no year, no zone (RFC 3164)
    2026-11-23 17:57:14                  no zone (Rspamd's and Dovecot's own files)
    2026-03-02T10:02:11.204+01:00        all of it (RFC 3339)

The year of stamps that have none comes from, in this order: the year the user gives; sources of the same case that
state theirs, when they cover the same days; the date in the file's name; the gzip header; the file's modification time. It belongs to the
*newest* stamp; from there the log is walked back, and each step from January to December is a year. A step back of seconds or
hours is a line out of order and no new year. A 29 February in the log is evidence, too: where the year found so has none, the
newest stamp goes back to the last year that gives every such day its leap year. The zone comes from the stamp, else from the user, else from stamps of the same
case that state one, else UTC is assumed; ``sources`` says which.
"""

from __future__ import annotations

import calendar
import datetime as dt
import itertools
import zoneinfo
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

import numpy as np
import polars as pl

from mailforensics.errors import OptionError
from mailforensics.evidence.months import MONTHS

DAY = 24 * 60  # minutes
NEW_YEAR = 90 * DAY  # a step back of more days than that is no line out of order, it is a new year
WINTER = 15 * DAY  # a December stamp among January's is a late line of the old year
LEAP_DAY = 59  # 29 February, counted from 0 in the calendar of a leap year

MOVED_BACK, CONTRADICTED = "+leap_day", "-leap_day"
"""Behind a year_method: a 29 February in the log moved the year back, or contradicts the year, which was kept."""


@dataclass
class Clock:
    """The clock of one source, fed with its pieces in order.

    zone         the zone of stamps that state none
    zone_method  how that zone is known: "given", "neighbour" or "assumed"
    year         the year of the first stamp that has none (None: such stamps have no time)
    """

    zone: str = "UTC"
    zone_given: bool = False
    year: int | None = None
    year_given: bool = False
    _year_now: int | None = field(default=None, init=False)
    _newest: int | None = field(
        default=None, init=False
    )  # the last minute of the year seen, for the next step
    _fold_high: dict[int, int] = field(default_factory=dict, init=False)

    def read(self, framed: pl.DataFrame) -> pl.DataFrame:
        """``time`` (microseconds since 1970, UTC, null when unknown) and ``time_method`` for each framed line.

        The rows must come in the order of the file, piece after piece, since years are counted on the way.
        """
        runs, lengths = _runs(framed)
        minutes, methods = self._minutes(runs)
        times = np.repeat(minutes, lengths)
        known = np.repeat(minutes >= 0, lengths)
        seconds = framed["second_us"].cast(pl.Int64).fill_null(0).to_numpy()
        time = pl.Series("time", times * 60_000_000 + seconds, dtype=pl.Int64)
        time = pl.select(pl.when(pl.Series(known)).then(time).otherwise(None).alias("time")).to_series()
        method = pl.Series("time_method", methods, dtype=pl.String).gather(
            pl.Series(np.repeat(np.arange(len(methods)), lengths), dtype=pl.UInt32)
        )
        return pl.DataFrame({"time": time.cast(pl.Datetime("us", "UTC")), "time_method": method})

    def _minutes(self, runs: pl.DataFrame) -> tuple[np.ndarray, list[str]]:
        """Minutes since 1970 in UTC of each run of equal stamps (-1: unknown), and how each is known."""
        out = np.full(runs.height, -1, dtype=np.int64)
        methods = ["unknown"] * runs.height
        bsd = runs["minute"].str.contains(r"^[A-Z]").fill_null(False).to_numpy()
        dated = runs["minute"].is_not_null().to_numpy() & ~bsd
        stated = dated & runs["offset"].is_not_null().to_numpy()
        local = np.full(runs.height, -1, dtype=np.int64)
        local[dated] = _iso_minutes(runs["minute"].filter(pl.Series(dated)))
        if bsd.any():
            local[bsd] = self._with_years(runs["minute"].filter(pl.Series(bsd)))
        if stated.any():
            offsets = _offset_minutes(runs["offset"].filter(pl.Series(stated)))
            known = local[stated] >= 0
            out[stated] = np.where(known, local[stated] - offsets, -1)
        floating = (dated | bsd) & ~stated & (local >= 0)
        if floating.any():
            out[floating] = self._to_utc(local[floating])
        for i in range(runs.height):
            if out[i] >= 0:
                methods[i] = self._method(bool(bsd[i]), bool(stated[i]))
        return out, methods

    def _method(self, without_year: bool, with_zone: bool) -> str:
        zone_open = not with_zone and not self.zone_given
        year_open = without_year and not self.year_given
        if zone_open and year_open:
            return "both_inferred"
        return "year_inferred" if year_open else "zone_assumed" if zone_open else "stated"

    def _with_years(self, stamps: pl.Series) -> np.ndarray:
        """Local minutes since 1970 of stamps without a year: steps over New Year are counted as they come."""
        of_year = _bsd_minutes(stamps)
        years = np.zeros(len(of_year), dtype=np.int64)
        if self.year is None:
            return np.full(len(of_year), -1, dtype=np.int64)
        year, last = self._year_now or self.year, self._newest
        for i, minute in enumerate(of_year):
            if minute < 0:
                continue
            year += _year_step(last, int(minute))
            last, years[i] = int(minute), year
        self._year_now, self._newest = year, last
        return _minutes_of(years, of_year)

    def _to_utc(self, local: np.ndarray) -> np.ndarray:
        """Local minutes to UTC. In the hour that comes twice in autumn, a step back tells the second pass from the first."""
        if self.zone == "UTC":
            return local
        stamps = pl.Series(local * 60_000_000).cast(pl.Datetime("us"))
        early = _zoned(stamps, self.zone, "earliest")
        late = _zoned(stamps, self.zone, "latest")
        out = np.where(early < 0, _after_gap(stamps, self.zone), early)
        for i in np.flatnonzero((early != late) & (early >= 0)):
            hour = int(local[i]) // 60
            high = self._fold_high.get(hour, -1)
            if high - int(local[i]) % 60 > 20 or high == 99:
                self._fold_high[hour] = 99
                out[i] = late[i]
            else:
                self._fold_high[hour] = max(high, int(local[i]) % 60)
        return out


def _zoned(stamps: pl.Series, zone: str, which: str) -> np.ndarray:
    zoned = stamps.dt.replace_time_zone(zone, ambiguous=which, non_existent="null")  # type: ignore[arg-type]
    return (zoned.dt.epoch("s") // 60).fill_null(-1).to_numpy().astype(np.int64)


def _after_gap(stamps: pl.Series, zone: str) -> np.ndarray:
    """A stamp inside the hour that spring skips cannot be; it is read with the offset that held before."""
    before = stamps.dt.offset_by("-3h")
    return np.where(_zoned(before, zone, "earliest") < 0, -1, _zoned(before, zone, "earliest") + 180)


def _runs(framed: pl.DataFrame) -> tuple[pl.DataFrame, np.ndarray]:
    """Neighbouring lines with the same minute and offset, taken together: a busy log has few of them."""
    keys = framed.select("minute", "offset")
    if not keys.height:
        return keys, np.zeros(0, dtype=np.int64)
    changes = keys.select(
        pl.col("minute").ne_missing(pl.col("minute").shift())
        | pl.col("offset").ne_missing(pl.col("offset").shift())
    ).to_series()
    starts = changes.arg_true().to_numpy().astype(np.int64)
    if not len(starts) or starts[0] != 0:
        starts = np.insert(starts, 0, 0)
    return keys[starts.tolist()], np.diff(np.append(starts, keys.height))


def _iso_minutes(stamps: pl.Series) -> np.ndarray:
    parsed = stamps.str.replace("T", " ").str.to_datetime("%Y-%m-%d %H:%M", strict=False)
    return (parsed.dt.epoch("s") // 60).fill_null(-1).to_numpy().astype(np.int64)


def _bsd_minutes(stamps: pl.Series) -> np.ndarray:
    """Minutes since 1 January of ``Dec 28 00:00``, in a leap year's calendar (-1: no such day)."""
    parts = pl.DataFrame({"s": stamps}).select(
        pl.concat_str(
            pl.lit("2000-"),
            pl.col("s")
            .str.slice(0, 3)
            .replace_strict(MONTHS, default=None, return_dtype=pl.Int32)
            .cast(pl.String),
            pl.lit("-"),
            pl.col("s").str.slice(4, 2).str.strip_chars(" "),
            pl.col("s").str.slice(6),
        ).str.to_datetime("%Y-%m-%d %H:%M", strict=False)
    )
    minutes = (parts.to_series() - dt.datetime(2000, 1, 1)).dt.total_minutes()
    return minutes.fill_null(-1).to_numpy().astype(np.int64)


def _minutes_of(years: np.ndarray, of_year: np.ndarray) -> np.ndarray:
    """Minutes since 1970 of a minute of a leap-year calendar in a given year (-1 for 29 February of other years)."""
    days = of_year // 1440
    leap = (years % 4 == 0) & ((years % 100 != 0) | (years % 400 == 0))
    shift = np.where(~leap & (days > LEAP_DAY), 1, 0)
    base = (np.clip(years, 1, None) - 1970).astype("datetime64[Y]").astype("datetime64[m]").astype(np.int64)
    out = base + of_year - shift * 1440
    return np.where((of_year < 0) | (~leap & (days == LEAP_DAY)), -1, out)


def _offset_minutes(offsets: pl.Series) -> np.ndarray:
    signs = offsets.str.head(1).replace_strict({"-": -1}, default=1, return_dtype=pl.Int64)
    digits = offsets.str.replace_all(r"[^0-9]", "").str.pad_end(4, "0")
    hours = digits.str.slice(0, 2).cast(pl.Int64, strict=False).fill_null(0)
    return (
        signs * (hours * 60 + digits.str.slice(2, 2).cast(pl.Int64, strict=False).fill_null(0))
    ).to_numpy()


# --- What is known before the first line is read ----------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Survey:
    """What a quick look over a source found of its stamps (all in the source's own local time).

    first, last   the first and the last stamp without a year (None: all stamps have one)
    new_years     steps from December to January between them
    leap_days     for each 29 February among them, how many New Years lie between it and the last stamp
    stated_from, stated_to   first and last stamp with a year, as a local date (None: there is none)
    offset        the zone of the last stamp that states one, as written ("" when none does)
    """

    first: str | None = None
    last: str | None = None
    new_years: int = 0
    leap_days: tuple[int, ...] = ()
    stated_from: dt.date | None = None
    stated_to: dt.date | None = None
    offset: str = ""


def survey(samples: pl.DataFrame) -> Survey:
    """A survey from framed sample lines in file order (columns minute, offset as ``syslog.frame`` gives them).

    >>> survey(pl.DataFrame({"minute": ["Dec 31 23:59", "Jan  1 00:00"], "offset": [None, None]})).new_years
    1
    """
    known = samples.drop_nulls("minute")
    bsd = known.filter(pl.col("minute").str.contains(r"^[A-Z]"))
    dated = known.filter(pl.col("minute").str.contains(r"^[0-9]"))
    days = dated["minute"].str.slice(0, 10).str.to_date("%Y-%m-%d", strict=False).drop_nulls()
    offsets = dated["offset"].drop_nulls()
    of_year = _bsd_minutes(bsd["minute"])
    of_year = of_year[of_year >= 0]
    passed = _new_years(of_year)
    leap = passed[of_year // DAY == LEAP_DAY]
    return Survey(
        first=bsd["minute"][0] if len(of_year) else None,
        last=bsd["minute"][-1] if len(of_year) else None,
        new_years=int(passed[-1]) if len(passed) else 0,
        leap_days=tuple(sorted({int(passed[-1] - one) for one in leap})),
        stated_from=min(days) if len(days) else None,
        stated_to=max(days) if len(days) else None,
        offset=offsets[-1] if len(offsets) else "",
    )


def _new_years(of_year: np.ndarray) -> np.ndarray:
    """New Years passed between the first stamp and each; a line of the old year among new ones does not count."""
    steps = [_year_step(int(one), int(other)) for one, other in itertools.pairwise(of_year)]
    return np.cumsum([0, *steps])[: len(of_year)]


def february_ends(samples: pl.DataFrame) -> list[int]:
    """The rows of framed sample lines behind which a 29 February may lie unseen: the next row's stamp is beyond it.

    >>> february_ends(pl.DataFrame({"minute": ["Feb  3 23:59", "Feb 28 10:00", "Mar  1 00:00"]}))
    [1]
    """
    known = samples.with_row_index("row").filter(pl.col("minute").str.contains(r"^[A-Z]"))
    of_year = _bsd_minutes(known["minute"])
    rows, of_year = known["row"].to_numpy()[of_year >= 0], of_year[of_year >= 0]
    at = _new_years(of_year) * 366 + of_year // DAY - LEAP_DAY  # days from the first year's 29 February
    passed = (at[:-1] % 366 != 0) & (at[1:] % 366 != 0) & (at[:-1] // 366 < at[1:] // 366)
    return [int(row) for row in rows[:-1][passed]]


def fits_leap_days(look: Survey, end: int) -> bool:
    """Whether every 29 February of a log falls into a leap year when its last stamp is of the year ``end``.

    >>> fits_leap_days(Survey(leap_days=(1,)), 2025), fits_leap_days(Survey(leap_days=(1,)), 2026)
    (True, False)
    """
    return all(calendar.isleap(end - back) for back in look.leap_days)


def _year_step(last: int | None, minute: int) -> int:
    """1 where a new year has begun between two stamps, -1 for a late line of the old year, else 0."""
    if last is None:
        return 0
    if last - minute > NEW_YEAR:
        return 1
    return -1 if last < WINTER and minute > 366 * DAY - WINTER else 0


def minute_in_year(stamp: str, year: int) -> dt.datetime | None:
    """A stamp such as ``Dec 28 00:00`` in a given year, as a naive local time (None: no such day in that year)."""
    minutes = int(_minutes_of(np.array([year]), _bsd_minutes(pl.Series([stamp])))[0])
    return dt.datetime(1970, 1, 1) + dt.timedelta(minutes=minutes) if minutes >= 0 else None


def year_not_after(stamp: str, limit: dt.datetime) -> int | None:
    """The latest year in which this stamp is not later than ``limit`` (None: in none of the eight years before).

    >>> year_not_after("Dec 28 00:00", dt.datetime(2026, 3, 1))
    2025
    """
    for year in range(limit.year, limit.year - 9, -1):
        moment = minute_in_year(stamp, year)
        if moment is not None and moment <= limit:
            return year
    return None


def nearest_year(stamp: str, start: dt.date, end: dt.date) -> int | None:
    """The year that puts a stamp into, or closest to, a stretch of days known from other sources."""
    best: tuple[float, int] | None = None
    for year in range(start.year - 1, end.year + 2):
        moment = minute_in_year(stamp, year)
        if moment is None:
            continue
        day = moment.date()
        away = (start - day).days if day < start else (day - end).days if day > end else 0
        if best is None or away < best[0]:
            best = (away, year)
    return best[1] if best else None


def check_zone(name: str) -> str:
    """The name of a time zone, checked.

    Raises OptionError when there is no such zone in the IANA database.

    >>> check_zone("Europe/Berlin")
    'Europe/Berlin'
    """
    try:
        zoneinfo.ZoneInfo(name)
    except (zoneinfo.ZoneInfoNotFoundError, ValueError, OSError) as error:
        near = _similar(name, zoneinfo.available_timezones())
        hint = f" Did you mean {near}?" if near else ' Names look like "Europe/Berlin" or "UTC".'
        raise OptionError(f"There is no time zone {name!r}.{hint}") from error
    return name


def _similar(name: str, known: Iterable[str]) -> str:
    import difflib

    names: Sequence[str] = difflib.get_close_matches(name, list(known), n=1, cutoff=0.6)
    return names[0] if names else ""


def fixed_zone(offset: str) -> str:
    """The zone name that stands for a fixed offset of whole hours (``+01:00`` is ``Etc/GMT-1``), else UTC.

    >>> fixed_zone("+01:00"), fixed_zone("Z")
    ('Etc/GMT-1', 'UTC')
    """
    minutes = int(_offset_minutes(pl.Series([offset or "Z"]))[0])
    if minutes == 0 or minutes % 60:
        return "UTC"
    return f"Etc/GMT{-minutes // 60:+d}"
