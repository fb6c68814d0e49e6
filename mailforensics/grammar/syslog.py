"""Framings: the stamp, host, program and pid in front of the text, in every form a mail log comes in.

    Dec 28 00:00:16 mx postfix/smtpd[22]: connect from ...                      RFC 3164, Postfix's own maillog_file
    2026-03-02T10:02:11.204+01:00 mail postfix/smtpd[22]: ...                   RFC 3339 (rsyslog, journalctl short-iso)
    <22>1 2026-03-02T10:02:11Z mail postfix/smtpd 22 - - connect from ...       RFC 5424
    Nov 23 16:42:24 lmtp(15025): Info: Connect from 127.0.0.1                   Dovecot's own file
    2026-11-23 17:57:14 #256(rspamd_proxy) <95137e>; proxy; ...                 Rspamd's own file
    {"__REALTIME_TIMESTAMP": "1795...", "SYSLOG_IDENTIFIER": ...}               journald, Docker, Rspamd as JSON
    {"@timestamp": "2026-03-02T09:02:11Z", "message": ...}                      what log shippers make of a line
    Mar  2 2026 09:02:11 mail postfix/qmgr[22]: ...                             stamps in words that have a year
    Mar  2 09:02:11 mail mail.info postfix/qmgr[22]: ...                        facility and severity as words (BSD, busybox, AIX)
    Mär 02 09:02:11 mail postfix/qmgr[22]: ...                                  months of other languages (journalctl writes them)

Lines of several framings may stand in one file; each line is read by the first framing that fits. A line that
fits none is kept with ``framing`` null. Sources: RFC 3164 section 4, RFC 5424 section 6, systemd.journal-fields(7).

The two syslog forms, which are nearly all lines there are, are cut by their bytes (``plain.py``); everything else goes
through a regex.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import polars as pl

from mailforensics.evidence.months import MONTH, MONTHS
from mailforensics.evidence.spans import first_four, four
from mailforensics.grammar.plain import DATE, HOST, OFFSET, cut_plain

_CLOCK = r"[0-2][0-9]:[0-5][0-9]:[0-6][0-9]"
_BSD = rf"{MONTH} [ 0-3][0-9] {_CLOCK}"
_ISO = rf"{DATE}T{_CLOCK}(?:[.,][0-9]{{1,9}})?{OFFSET}?"
_TAG = r"[!-;=-Z\\^-~][!-Z\\^-~]*(?:\[[0-9]+\])?"
_ANY_HOST = "(?:(?P<host>[!-~]*[!-9;-~]) )?"

_DOVECOT_SERVICES = (
    "master|anvil|auth-worker|auth|config|director|dict|dict-async|dns_client|doveadm|dsync-local|dsync-server|"
    "fs-auth|health-check|imap-hibernate|imap-login|imap-urlauth|imap|indexer-worker|indexer|ipc|lda|lmtp|log|"
    "managesieve-login|managesieve|old-stats|pop3-login|pop3|quota-status|quota-warning|replicator|aggregator|script|"
    "script-login|ssl-params|stats|submission-login|submission|tcpwrap|dovecot"
)
_DOVECOT = rf"(?:(?:{_DOVECOT_SERVICES})(?:\(|:)|(?:Info|Warning|Error|Fatal|Panic|Debug): [a-z-]+[(:])"

COLUMNS = (
    "framing", "minute", "second_us", "offset", "precision", "time_original",
    "host", "program", "pid", "severity", "repeated", "text",
)  # fmt: skip

Frame = pl.DataFrame


@dataclass(frozen=True, slots=True)
class Framing:
    """One form of line prefix: how to know it, and how to cut it (a frame with ``line`` in, ``COLUMNS`` out).

    One that wraps a whole line frames that line again; its ``cut`` is told how deep it stands.
    """

    name: str
    looks_like: str
    cut: Callable[..., Frame]
    wraps: bool = False


_DEEPEST = 3  # lines in lines in lines: a stranger's line may be wrapped ten thousand times


def frame(lines: Frame, *, depth: int = 0) -> Frame:
    """Cut the prefix off each line of a column ``line``; the other columns come along, in the same order.

    Adds ``COLUMNS``. ``minute`` is the stamp to the minute as written (``Dec 28 00:00`` or ``2026-03-02T10:02``), ``second_us``
    the rest in microseconds, ``offset`` the zone as written; ``clock.py`` makes a time of them. ``repeated`` is N of
    syslogd's ``message repeated N times: [ text ]``.

    >>> out = frame(pl.DataFrame({"line": ["<22>Dec 28 00:00:16 mx postfix/smtpd[22]: connect from a[192.0.2.1]"]}))
    >>> out.select("framing", "minute", "host", "program", "pid", "text").row(0)
    ('rfc3164', 'Dec 28 00:00', 'mx', 'postfix/smtpd', 22, 'connect from a[192.0.2.1]')
    """
    left = lines.with_row_index("row")
    done: list[Frame] = []
    plain = np.zeros(lines.height, dtype=bool)
    for rows, plain_cut in cut_plain(lines["line"]):
        some = left if len(rows) == lines.height else left[rows]
        done.append(_complete(some.hstack(plain_cut), str(plain_cut["framing"][0])))
        plain[rows] = True
    if plain.any():
        left = left.clear() if plain.all() else left.filter(pl.Series(~plain))
    for framing in FRAMINGS:
        if not left.height:
            break
        if framing.wraps and depth >= _DEEPEST:
            continue
        fits = left["line"].str.contains(framing.looks_like)
        if not fits.any():
            continue
        all_fit = bool(fits.all())
        some = left if all_fit else left.filter(fits)
        cut = framing.cut(some, depth + 1) if framing.wraps else framing.cut(some)
        done.append(_complete(cut, framing.name))
        left = left.clear() if all_fit else left.filter(~fits)
    if left.height or not done:
        done.append(_complete(left.with_columns(text=pl.col("line")), None))
    out = done[0] if len(done) == 1 else pl.concat([part.cast(_TYPES) for part in done]).sort("row")  # type: ignore[arg-type]
    return _unfold_repeats(_without_message_id(out.drop("row", "line")))


_TYPES: dict[str, pl.DataType] = {
    "framing": pl.String(), "minute": pl.String(), "second_us": pl.Int32(), "offset": pl.String(), "precision": pl.String(),
    "time_original": pl.String(), "host": pl.String(), "program": pl.String(), "pid": pl.Int32(), "severity": pl.String(),
    "repeated": pl.Int32(), "text": pl.String(),
}  # fmt: skip


_CODED = ("host", "program")  # may be categorical where all lines have one framing


def _complete(cut: Frame, name: str | None) -> Frame:
    """The same columns in the same order whatever the framing was."""
    missing = [pl.lit(None, dtype=kind).alias(key) for key, kind in _TYPES.items() if key not in cut.columns]
    cut = cut.with_columns(*missing).with_columns(framing=pl.lit(name, dtype=pl.String))
    others = [c for c in cut.columns if c not in _TYPES]
    coded = [key for key in _CODED if isinstance(cut[key].dtype, pl.Categorical)]
    return cut.select(
        *others, *[pl.col(key) if key in coded else pl.col(key).cast(kind) for key, kind in _TYPES.items()]
    )


_REPEAT = r"\A(?:message repeated|last message repeated) ([0-9]{1,9}) times?(?:: \[ ?(?s:.*)\])?\z"


def _without_message_id(cut: Frame) -> Frame:
    """Solaris puts ``[ID 197553 mail.info] `` in front of the text."""
    if not (first_four(cut["text"]) == four("[ID ")).any():
        return cut
    return cut.with_columns(pl.col("text").str.replace(r"\A\[ID [0-9]+ [a-z0-9]+\.[a-z]+\] ", ""))


def _unfold_repeats(cut: Frame) -> Frame:
    """``message repeated 3 times: [ text ]`` becomes text with repeated = 3 (counted, not expanded)."""
    text = pl.col("text")
    start = first_four(cut["text"])
    if not ((start == four("message repeated ")) | (start == four("last message repeated "))).any():
        return cut
    folded = cut["text"].str.contains(r"\A(?:last )?message repeated ")
    times = text.str.extract(_REPEAT, 1).cast(pl.Int32, strict=False)
    inner = text.str.extract(r"\Amessage repeated [0-9]{1,9} times?: \[ ?((?s:.*))\]\z", 1)
    return cut.with_columns(
        repeated=pl.when(pl.lit(folded)).then(times).otherwise(None),
        text=pl.when(pl.lit(folded)).then(pl.coalesce(inner, text)).otherwise(text),
    )


# --- Stamps ------------------------------------------------------------------------------------------------------------


def _iso_stamp(stamp: pl.Expr) -> list[pl.Expr]:
    """The columns of an ISO stamp: ``2026-03-02T10:02:11.204+01:00`` (blank in place of T, comma in place of a dot)."""
    seconds = stamp.str.slice(16)
    digits = seconds.str.extract(r"^:[0-9]{2}[.,]([0-9]{1,6})", 1)
    micro = digits.str.pad_end(6, "0").cast(pl.Int32, strict=False).fill_null(0)
    count = digits.str.len_bytes().fill_null(0)
    return [
        stamp.str.slice(0, 16).alias("minute"),
        (seconds.str.slice(1, 2).cast(pl.Int32, strict=False) * 1_000_000 + micro).alias("second_us"),
        pl.when(count > 3)
        .then(pl.lit("us"))
        .when(count > 0)
        .then(pl.lit("ms"))
        .otherwise(pl.lit("s"))
        .alias("precision"),
        seconds.str.extract(rf"({OFFSET})$", 1)
        .fill_null(seconds.str.extract(r"(UTC)$", 1).replace("UTC", "Z"))
        .alias("offset"),
    ]


def _rspamd_file(lines: Frame) -> Frame:
    """``2026-11-23 17:57:14[.76294] #256(worker) ...``: all behind the stamp is text; slices of bytes copy nothing."""
    line = pl.col("line").cast(pl.Binary)
    clock = pl.col("line").str.extract(rf"\A{DATE} ({_CLOCK}(?:\.[0-9]+)?) ", 1)
    out = lines.with_columns(end=len("2026-11-23 ") + clock.str.len_bytes())
    out = out.with_columns(
        time_original=line.bin.head(pl.col("end")).cast(pl.String),
        text=line.bin.slice(pl.col("end") + 1).cast(pl.String),
        program=pl.lit("rspamd"),
    )
    return out.with_columns(*_iso_stamp(pl.col("time_original"))).drop("end")


# --- PRI, RFC 5424, odd tags: one regex each --------------------------------------------------------------------------


def _by_regex(
    pattern: str, stamp: Callable[[pl.Expr], list[pl.Expr]], **constants: str
) -> Callable[[Frame], Frame]:
    """A framing read by named groups: ``stamp`` and any of host, program, pid, text, pri."""

    def cut(lines: Frame) -> Frame:
        groups = lines.select(pl.col("line").str.extract_groups(pattern).alias("g")).unnest("g")
        out = lines.hstack([series for series in groups if series.name not in lines.columns])
        if "pid" in out.columns:
            out = out.with_columns(pl.col("pid").cast(pl.Int32, strict=False))
        out = out.with_columns(pl.lit(value).alias(key) for key, value in constants.items())
        if "pri" in out.columns:
            out = out.with_columns(severity=_severity(pl.col("pri"))).drop("pri")
        if "stamp" in out.columns:
            out = out.with_columns(pl.col("stamp").alias("time_original"), *stamp(pl.col("stamp"))).drop(
                "stamp"
            )
        return out.with_columns(pl.col("text").fill_null(""))

    return cut


_SEVERITIES = ["emerg", "alert", "crit", "error", "warning", "notice", "info", "debug"]


def _severity(priority: pl.Expr) -> pl.Expr:
    """The severity word of a syslog priority (RFC 5424 section 6.2.1); notice and below say nothing of their own."""
    number = priority.cast(pl.Int32, strict=False) % 8
    words = dict(enumerate(_SEVERITIES))
    return number.replace_strict(words, default=None, return_dtype=pl.String)


def _bsd_stamp(stamp: pl.Expr) -> list[pl.Expr]:
    stamp = stamp.str.replace(r"\A([A-Z][a-z]{2}) ([1-9]) ", "${1}  ${2} ")
    return [
        stamp.str.slice(0, 12).alias("minute"),
        (stamp.str.slice(13, 2).cast(pl.Int32, strict=False) * 1_000_000).alias("second_us"),
        pl.lit("s").alias("precision"),
    ]


def _any_stamp(stamp: pl.Expr) -> list[pl.Expr]:
    """A stamp that is either: letters first is RFC 3164, digits first is ISO."""
    iso = stamp.str.contains(r"^[0-9]")
    names = ("minute", "second_us", "precision")
    bsd = {e.meta.output_name(): e for e in _bsd_stamp(stamp)}
    other = {e.meta.output_name(): e for e in _iso_stamp(stamp)}
    return [pl.when(iso).then(other[n]).otherwise(bsd[n]).alias(n) for n in names] + [
        pl.when(iso).then(other["offset"]).otherwise(None).alias("offset")
    ]


def _bsd_fraction_stamp(stamp: pl.Expr) -> list[pl.Expr]:
    """RFC 3164 with a fraction behind the second, as rsyslog and BSD can be told to write it."""
    iso = pl.concat_str(pl.lit("2000-01-01T"), stamp.str.slice(7))
    second, precision = (
        expr for expr in _iso_stamp(iso) if expr.meta.output_name() in ("second_us", "precision")
    )
    return [stamp.str.slice(0, 12).alias("minute"), second, precision]


_MONTHS = {word: f"{number:02}" for word, number in MONTHS.items()}


def _dated_stamp(stamp: pl.Expr) -> list[pl.Expr]:
    """A stamp in words that has a year, wherever it stands."""
    return _iso_stamp(
        pl.format(
            "{}-{}-{}T{}",
            stamp.str.extract(r"(?:\A| )([0-9]{4})(?: |\z)", 1),
            stamp.str.extract(rf"({MONTH})", 1).replace_strict(_MONTHS, default=None, return_dtype=pl.String),
            stamp.str.extract(rf"{MONTH} +([0-9]{{1,2}}) ", 1).str.zfill(2),
            stamp.str.extract(rf"({_CLOCK}(?:[.,][0-9]+)?)", 1),
        )
    )


def _unix_stamp(stamp: pl.Expr) -> list[pl.Expr]:
    return _epoch((stamp.cast(pl.Float64, strict=False) * 1e6).round().cast(pl.Int64))


_FRACTION = rf"{_BSD}[.,][0-9]{{1,9}}"
_DATED = (
    rf"(?:{MONTH} [ 0-3]?[0-9] [0-9]{{4}} {_CLOCK}|[0-9]{{4}} {MONTH} [ 0-3]?[0-9] {_CLOCK}"
    rf"|(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun) {MONTH} [ 0-3]?[0-9] {_CLOCK} [0-9]{{4}})(?:[.,][0-9]{{1,9}})?"
)
_ONE_DIGIT_DAY = rf"{MONTH} [1-9] {_CLOCK}"  # some write `Sep 8` for `Sep  8`
_LOOSE_STAMP = rf"(?P<stamp>{_BSD}|{_ONE_DIGIT_DAY}|{_ISO}|{DATE} {_CLOCK}(?:[.,][0-9]+)?(?: ?{OFFSET})?)"
_RFC5424_BARE = (  # some write it without the version
    rf"\A(?:<(?P<pri>[0-9]{{1,3}})>)?(?P<stamp>{_ISO}|{_BSD}) (?P<host>[!-~]+) (?P<program>[!-Z\\^-~]+) (?:(?P<pid>[0-9]+)|-) "
    r"[!-Z\\^-~]+ (?:-|(?:\[[!-~]+(?: [!-~]+=\"(?:[^\"\\]|\\.)*\")*\])+)(?: (?:\x{feff})?(?P<text>(?s:.*)))?\z"
)
_RFC5424 = (
    rf"\A(?:<(?P<pri>[0-9]{{1,3}})>)?1 (?P<stamp>{_ISO}) (?P<host>[!-~]+) (?P<program>[!-~]+) (?:(?P<pid>[0-9]+)|[!-~]+) "
    r"[!-~]+ (?:-|(?:\[(?:[^\]\"]|\"(?:[^\"\\]|\\.)*\")*\])+)(?: (?:\x{feff})?(?P<text>(?s:.*)))?\z"
)
_SYSLOG = (
    rf"\A(?:<(?P<pri>[0-9]{{1,3}})>)?(?P<stamp>{_BSD}|{_ONE_DIGIT_DAY}|{_ISO}) {_ANY_HOST}(?P<program>[!-Z\\^-~]+?)(?:\[(?P<pid>[0-9]+)\])?:"
    r"(?: (?P<text>(?s:.*)))?\z"
)
_WORDED = (
    rf"\A(?:<(?P<pri>[0-9]{{1,3}})>)?(?P<stamp>{_FRACTION}|{_DATED}):? {_ANY_HOST}(?P<program>[!-Z\\^-~]+?)"
    r"(?:\[(?P<pid>[0-9]+)\])?:(?: (?P<text>(?s:.*)))?\z"
)
_PID_ONLY = (  # journalctl --output=short and friends keep a blank or extra words before the colon
    rf"\A(?:<(?P<pri>[0-9]{{1,3}})>)?{_LOOSE_STAMP} (?P<host>[!-~]+) (?P<program>[!-Z\\^-~]+)\[(?P<pid>[0-9]+)\]:?(?: (?P<text>(?s:.*)))?\z"
)
_REPEATED = rf"\A(?:<(?P<pri>[0-9]{{1,3}})>)?(?P<stamp>{_BSD}|{_ISO}) (?P<host>[!-~]+) (?P<text>last message repeated [0-9]+ times?)\z"
_JOURNALCTL = (  # journalctl -o short-full; `log show` of macOS has two blanks in place of weekday and zone
    rf"\A(?:[^ ]{{1,12}} )?(?P<stamp>{DATE} {_CLOCK}(?:\.[0-9]+)?{OFFSET}?(?: UTC)?) (?:[A-Z]{{1,5}} | )?(?P<host>[!-~]+) (?P<program>[!-Z\\^-~]+?)"
    r"(?:\[(?P<pid>[0-9]+)\])?:(?: (?P<text>(?s:.*)))?\z"
)
_JOURNALCTL_UNIX = r"\A(?P<stamp>[0-9]+\.[0-9]{6}) (?P<host>[!-~]+) (?P<program>[!-Z\\^-~]+?)(?:\[(?P<pid>[0-9]+)\])?:(?: (?P<text>(?s:.*)))?\z"
_DOVECOT_FILE = rf"\A{_LOOSE_STAMP} (?P<text>{_DOVECOT}(?s:.*))\z"
_DOVECOT_BARE = r"\A(?P<text>(?s:.*))\z"
_RSPAMD = r"(?P<text>#[0-9]+\([a-z_A-Z0-9 -]+\) (?:<[!-~]*>; )?(?s:.*))"
_RSPAMD_BARE = rf"\A{_RSPAMD}\z"


# --- Prefixes that hold more: labels, foreign months, a relay's own prefix; without it the line is framed again ---------

_STAMP = (
    rf"(?:{_FRACTION}|{_BSD}|{_ONE_DIGIT_DAY}|{_ISO}|{_DATED}|{DATE} {_CLOCK}(?:[.,][0-9]+)?(?: ?{OFFSET})?)"
)
_LEVEL = "(?:emerg|panic|alert|crit|err|error|warn|warning|notice|info|debug)"
_FACILITY = "(?:kern|user|mail|daemon|auth|authpriv|security|syslog|lpr|news|uucp|cron|ftp|ntp|audit|console|local[0-7])"
_ANGLED = r"<(?:[a-z0-9]+\.[a-z0-9]+|[0-9]{1,3})>"
_WORDS = rf"{_FACILITY}[.:]{_LEVEL}(?:<[0-9]{{1,3}}>)?"
_LABELLED = (
    rf"\A(?P<a>)(?P<label>{_ANGLED}|{_WORDS}):? +(?P<b>)(?P<rest>{_STAMP}:? {HOST} {_TAG}:(?: (?s:.*))?)\z",
    rf"\A(?P<a>(?:<[0-9]{{1,3}}>)?{_STAMP}:? )(?P<label>{_ANGLED}|{_WORDS}) (?P<b>{HOST} )?(?P<rest>{_TAG}:(?: (?s:.*))?)\z",
    rf"\A(?P<a>(?:<[0-9]{{1,3}}>)?{_STAMP}:? )(?P<b>{HOST} )(?P<label>{_ANGLED} ?|\[?(?:{_WORDS}|{_LEVEL})\]? )(?P<rest>{_TAG}:(?: (?s:.*))?)\z",
    rf"\A(?P<a>(?:<[0-9]{{1,3}}>)?{_STAMP}:? )(?P<b>{HOST} {_TAG}) <(?P<label>(?i:{_LEVEL}))>(?P<rest>:(?: (?s:.*))?)\z",
)
"""Where ``mail.info`` or ``<22>`` may stand: in front, behind the stamp (syslogd -v of BSD), behind the host (busybox, AIX), behind the tag (macOS)."""


def _without_label(pattern: str) -> Callable[[Frame, int], Frame]:
    def cut(lines: Frame, depth: int) -> Frame:
        groups = lines["line"].str.extract_groups(pattern).struct.unnest()
        plain = groups.select(line=pl.concat_str(pl.col("a", "b", "rest").fill_null("")))
        out = lines.hstack(frame(plain, depth=depth).drop("framing"))
        return out.with_columns(severity=pl.coalesce(_level(groups["label"]), "severity"))

    return cut


_LEVELS = {"panic": "emerg", "err": "error", "warn": "warning"} | {word: word for word in _SEVERITIES}


def _level(label: pl.Series) -> pl.Series:
    """The severity of ``mail.info``, ``<2.6>``, ``<22>`` or ``Error``."""
    word = label.str.to_lowercase().str.extract(rf"(?:\A|[.:\[])({_LEVEL})\b", 1)
    number = label.str.extract(r"([0-9]{1,3})>", 1)
    frame = pl.DataFrame({"word": word, "number": number})
    return frame.select(
        pl.coalesce(
            pl.col("word").replace_strict(_LEVELS, default=None, return_dtype=pl.String),
            _severity(pl.col("number")),
        )
    ).to_series()


_ABROAD = """
Jan jän ene gen janv gener ian oca sty led янв січ 1월 1月
Feb fév févr febr fev şub lut úno фев лют 2월 2月
Mar mär mrz mars març mrt márc bře мар бер 3월 3月
Apr avr avril abr nis kwi dub ápr huhti апр кві 4월 4月
May mai maj mei mag maig máj kvě touko мая май тра 5월 5月
Jun juin juny juni giu haz cze čen jún iun kesä июн чер 6월 6月
Jul juil juli lug tem lip čec čvc júl iul heinä июл лип 7월 7月
Aug août ago ağu sie srp avg elo авг сер 8월 8月
Sep sept set eyl wrz zář szept syys сен вер 9월 9月
Oct okt out ott eki paź říj loka окт жов 10월 10月
Nov kas lis marras ноя лис 11월 11月
Dec dez déc dic des ara gru pro joulu дек гру 12월 12月
"""
"""How the C libraries of other languages shorten the months; of each language only words that mean no other month elsewhere."""


def _months_abroad() -> dict[str, str]:
    """Each word in lower case without its dot, and as text that was not UTF-8 is written (``m\\xe4r``)."""
    found: dict[str, str] = {}
    for row in _ABROAD.strip().splitlines():
        english, *others = row.split()
        for word in (english.lower(), *others):
            found[word] = english
            if all(ord(letter) < 256 for letter in word):
                found[word.encode("latin-1").decode("utf-8", "backslashreplace")] = english
    return found


_MONTHS_ABROAD = _months_abroad()
_MONTH_ABROAD = "|".join(sorted((re.escape(word) for word in _MONTHS_ABROAD), key=len, reverse=True))
_TRANSLATED = (
    rf"\A(?P<pri>(?:<[0-9]{{1,3}}>)?) ?(?P<month>(?i:{_MONTH_ABROAD}))(?P<gap>\.? +)(?P<day>[0-3]?[0-9])"
    rf"(?P<rest> {_CLOCK}(?:[.,][0-9]{{1,9}})? {HOST} {_TAG}:(?: (?s:.*))?)\z"
)


def _in_english(lines: Frame, depth: int) -> Frame:
    """``Mär 02 09:02:11 mail ...``: the month is taken for its English name, and the stamp kept as it was written."""
    groups = lines["line"].str.extract_groups(_TRANSLATED).struct.unnest()
    english = (
        pl.col("month")
        .str.to_lowercase()
        .replace_strict(_MONTHS_ABROAD, default=None, return_dtype=pl.String)
    )
    plain = groups.select(
        line=pl.format("{}{} {}{}", "pri", english, pl.col("day").str.pad_start(2, " "), "rest")
    )
    stamp = pl.format("{}{}{}{}", "month", "gap", "day", pl.col("rest").str.extract(r"\A( [^ ]+)", 1))
    written = groups.select(time_original=stamp).to_series()
    return lines.hstack(frame(plain, depth=depth).drop("framing").with_columns(written))


_RELAYED = rf"\A(?:<[0-9]{{1,3}}>)?{_STAMP}:? [!-'*-9;-~]+ (?P<rest>(?:<[0-9]{{1,3}}>)?{_STAMP} {HOST} {_TAG}:(?: (?s:.*))?)\z"


def _without_relay(lines: Frame, depth: int) -> Frame:
    """A log server that could not read the stamp of what it took put its own in front: that of the mail server counts."""
    plain = lines["line"].str.extract_groups(_RELAYED).struct.field("rest").alias("line").to_frame()
    return lines.hstack(frame(plain, depth=depth).drop("framing"))


# --- JSON: journald, Docker, Rspamd ------------------------------------------------------------------------------------


def _json(lines: Frame, **paths: str) -> Frame:
    """Some members of the JSON object on each line, as text columns."""
    line = pl.col("line")
    return lines.with_columns(line.str.json_path_match(path).alias(name) for name, path in paths.items())


def _epoch(microseconds: pl.Expr) -> list[pl.Expr]:
    """Stamp columns from microseconds since 1970."""
    stamp = pl.from_epoch(microseconds, time_unit="us").dt.strftime("%Y-%m-%dT%H:%M:%S%.6f")
    return [
        stamp.str.slice(0, 16).alias("minute"),
        (microseconds % 60_000_000).cast(pl.Int32).alias("second_us"),
        pl.lit("us").alias("precision"),
        pl.lit("Z").alias("offset"),
    ]


def _journald(lines: Frame) -> Frame:
    out = _json(
        lines,
        time_original="$.__REALTIME_TIMESTAMP",
        source_time="$._SOURCE_REALTIME_TIMESTAMP",
        host="$._HOSTNAME",
        program="$.SYSLOG_IDENTIFIER",
        comm="$._COMM",
        pid="$.SYSLOG_PID",
        real_pid="$._PID",
        pri="$.PRIORITY",
        text="$.MESSAGE",
    )
    micro = pl.col("time_original").cast(pl.Int64, strict=False)
    return out.with_columns(
        *_epoch(micro),
        program=pl.coalesce("program", "comm"),
        pid=pl.coalesce("pid", "real_pid").cast(pl.Int32, strict=False),
        severity=_severity(pl.col("pri")),
        text=_journal_text(pl.col("text")),
    ).drop("source_time", "comm", "real_pid", "pri")


def _journal_text(message: pl.Expr) -> pl.Expr:
    """journald writes a message that is not UTF-8 as a list of bytes; others as a string."""
    as_bytes = message.str.contains(r"^\[[0-9]{1,3}(?:,[0-9]{1,3})*\]$")
    return pl.when(as_bytes).then(message.map_batches(_bytes_text, return_dtype=pl.String)).otherwise(message)


def _bytes_text(column: pl.Series) -> pl.Series:
    def decode(value: str | None) -> str | None:
        if value is None or not value.startswith("[") or not value[1:-1].replace(",", "").isdigit():
            return value
        numbers = [int(part) for part in value[1:-1].split(",")]
        return bytes(n for n in numbers if n < 256).decode("utf-8", "backslashreplace")

    return pl.Series([decode(value) for value in column], dtype=pl.String)


def _docker(lines: Frame, depth: int) -> Frame:
    """Docker wraps whatever line the container wrote as JSON."""
    return _unwrapped(_json(lines, inner="$.log", stamp="$.time"), depth)


# How log shippers call what a line is made of; the first that is there counts.
_SHIPPED = {
    "stamp": ("['@timestamp']", "timestamp", "time", "ts"),
    "inner": ("message", "msg", "log", "MESSAGE"),
    "host": ("host.hostname", "host.name", "hostname", "HOST", "source", "host"),
    "program": (
        "process.name",
        "programname",
        "program",
        "PROGRAM",
        "appname",
        "app_name",
        "ident",
        "syslog_identifier",
    ),
    "pid": ("process.pid", "procid", "pid", "PID"),
}


def _shipped(lines: Frame, depth: int) -> Frame:
    """A log shipper's JSON: the message is either a whole line of a log or only its text, with the rest in members of their own."""
    out = lines
    for name, members in _SHIPPED.items():
        paths = {f"{name}_{n}": f"${'' if one[0] == '[' else '.'}{one}" for n, one in enumerate(members)}
        found = _json(out, **paths).with_columns(
            pl.when(~pl.col(path).str.starts_with("{")).then(pl.col(path)) for path in paths
        )
        out = found.with_columns(pl.coalesce(*paths).alias(f"told_{name}")).drop(*paths)
    cut = _unwrapped(out.rename({"told_inner": "inner", "told_stamp": "stamp"}), depth)
    whole = pl.col("host").is_not_null()
    return cut.with_columns(
        host=pl.coalesce("host", "told_host"),
        program=pl.when(whole).then("program").otherwise(pl.coalesce("told_program", "program")),
        pid=pl.coalesce("pid", pl.col("told_pid").cast(pl.Int32, strict=False)),
    ).drop("told_host", "told_program", "told_pid")


_CRI = rf"\A(?P<stamp>{_ISO}) std(?:out|err) [FP] (?P<inner>(?s:.*))\z"


def _cri(lines: Frame, depth: int) -> Frame:
    """Kubernetes puts time, stream and a letter in front of it (the log format of its container runtime interface)."""
    return _unwrapped(lines.hstack(lines["line"].str.extract_groups(_CRI).struct.unnest()), depth)


def _unwrapped(outer: Frame, depth: int) -> Frame:
    """The line in ``inner`` is cut once more; where it has no stamp of its own, that of its wrapping in ``stamp`` counts."""
    inner = outer.with_columns(line=pl.col("inner").str.strip_chars_end("\r\n").fill_null("")).drop("inner")
    cut = frame(inner.select("line"), depth=depth).drop("framing")
    stamped = inner.with_columns(
        pl.col("stamp").alias("outer_stamp"),
        *[e.alias("outer_" + e.meta.output_name()) for e in _iso_stamp(pl.col("stamp"))],
    )
    out = pl.concat([stamped, cut], how="horizontal")
    own = pl.col("minute").is_not_null()
    pick = {"minute": "outer_minute", "second_us": "outer_second_us", "offset": "outer_offset",
            "precision": "outer_precision", "time_original": "outer_stamp"}  # fmt: skip
    out = out.with_columns(
        pl.when(own).then(pl.col(name)).otherwise(pl.col(outer)).alias(name) for name, outer in pick.items()
    )
    out = out.with_columns(_bare_program(pl.col("text"), pl.col("program")))
    return out.drop([c for c in out.columns if c.startswith("outer_")] + ["stamp"])


_COMPOSE = r"\A[a-z0-9][a-z0-9_.-]* +\| "


def _compose(lines: Frame, depth: int) -> Frame:
    """``docker compose logs`` puts the service's name and a bar in front of whatever line it wrote."""
    inner = lines.with_columns(line=pl.col("line").str.replace(_COMPOSE, ""))
    cut = frame(inner.select("line"), depth=depth).drop("framing")
    out = pl.concat([lines, cut], how="horizontal")
    return out.with_columns(_bare_program(pl.col("text"), pl.col("program")))


def _bare_program(text: pl.Expr, program: pl.Expr) -> pl.Expr:
    """A container's line may have no stamp of its own: Dovecot's and Rspamd's own forms are still known by their look."""
    return (
        pl.when(program.is_not_null()).then(program)
        .when(text.str.contains(rf"^{_DOVECOT}")).then(pl.lit("dovecot"))
        .when(text.str.contains(r"^#[0-9]+\([a-z_]+\) ")).then(pl.lit("rspamd"))
        .otherwise(None).alias("program")
    )  # fmt: skip


def _rspamd_json(lines: Frame) -> Frame:
    """Rspamd's ``log_json``: the text is put together again as Rspamd's own file has it."""
    out = _json(
        lines, time_original="$.ts", pid="$.pid", severity="$.severity", worker="$.worker_type", tag="$.id",
        module="$.module", function="$.function", message="$.message",
    )  # fmt: skip
    micro = (pl.col("time_original").cast(pl.Float64, strict=False) * 1e6).round().cast(pl.Int64)
    text = pl.format(
        "#{}({}) <{}>; {}; {}: {}",
        *[pl.col(c).fill_null("") for c in ("pid", "worker", "tag", "module", "function", "message")],
    )
    return out.with_columns(
        *_epoch(micro), text=text, program=pl.lit("rspamd"), pid=pl.col("pid").cast(pl.Int32, strict=False)
    ).drop("worker", "tag", "module", "function", "message")


FRAMINGS: tuple[Framing, ...] = (
    Framing("rfc3164", rf"\A{_BSD} {HOST} {_TAG}: ", _by_regex(_SYSLOG, _any_stamp)),
    Framing("rfc3339", rf"\A{_ISO} {HOST} {_TAG}: ", _by_regex(_SYSLOG, _any_stamp)),
    Framing("dovecot", rf"\A(?:{_BSD}|{DATE} {_CLOCK}(?:[.,][0-9]+)?(?: ?{OFFSET})?|{_ISO}) {_DOVECOT}",
            _by_regex(_DOVECOT_FILE, _any_stamp, program="dovecot")),
    Framing("rspamd", rf"\A{DATE} {_CLOCK}(?:\.[0-9]+)? (?:\[[a-z]+\] )?#[0-9]+\(", _rspamd_file),
    Framing("rspamd-json", r'\A\{"ts": ?[0-9.]+, ?"pid": ?[0-9]+, ?"severity": ?"', _rspamd_json),
    Framing("journald", r'\A\{.*"__REALTIME_TIMESTAMP" ?: ?"', _journald),
    Framing("docker", r'\A\{"log": ?".*"time": ?"[0-9T:.Z+-]+"', _docker, wraps=True),
    Framing("shipper", r'\A\{.*"(?:@timestamp|timestamp|time)" ?: ?"[0-9]{4}-[0-9]{2}-[0-9]{2}[T ].*\}\s*\z', _shipped, wraps=True),
    Framing("cri", rf"\A{_ISO} std(?:out|err) [FP] ", _cri, wraps=True),
    Framing("compose", _COMPOSE, _compose, wraps=True),
    *[Framing("labelled", pattern, _without_label(pattern), wraps=True) for pattern in _LABELLED],
    Framing("rfc3164", rf"\A(?:<[0-9]{{1,3}}>)?{_FRACTION} (?:[!-~]+ )?{_TAG}:(?: |\z)", _by_regex(_WORDED, _bsd_fraction_stamp)),
    Framing("worded", rf"\A(?:<[0-9]{{1,3}}>)?{_DATED}:? (?:[!-~]+ )?{_TAG}:(?: |\z)", _by_regex(_WORDED, _dated_stamp)),
    Framing("rfc5424", rf"\A(?:<[0-9]{{1,3}}>)?1 {_ISO} [!-~]+ [!-~]+ [!-~]+ [!-~]+ [-\[]", _by_regex(_RFC5424, _iso_stamp)),
    Framing("rfc5424", rf"\A(?:<[0-9]{{1,3}}>)?(?:{_ISO}|{_BSD}) [!-~]+ [!-Z\\^-~]+ (?:[0-9]+|-) [!-Z\\^-~]+ (?:- |\[[!-~]+[ \]])",
            _by_regex(_RFC5424_BARE, _any_stamp)),
    Framing("repeat", rf"\A(?:<[0-9]{{1,3}}>)?(?:{_BSD}|{_ISO}) [!-~]+ last message repeated [0-9]+ times?\z",
            _by_regex(_REPEATED, _any_stamp)),
    Framing("rfc3164", rf"\A(?:<[0-9]{{1,3}}>)?(?:{_BSD}|{_ONE_DIGIT_DAY}) (?:[!-~]+ )?{_TAG}:(?: |\z)", _by_regex(_SYSLOG, _any_stamp)),
    Framing("rfc3339", rf"\A(?:<[0-9]{{1,3}}>)?{_ISO} (?:[!-~]+ )?{_TAG}:(?: |\z)", _by_regex(_SYSLOG, _any_stamp)),
    Framing("syslog", rf"\A(?:<[0-9]{{1,3}}>)?(?:{_BSD}|{_ISO}|{DATE} {_CLOCK}(?:[.,][0-9]+)?(?: ?{OFFSET})?) [!-~]+ [!-Z\\^-~]+\[[0-9]+\]",
            _by_regex(_PID_ONLY, _any_stamp)),
    Framing("translated", _TRANSLATED, _in_english, wraps=True),
    Framing("journalctl", rf"\A(?:[^ ]{{1,12}} )?{DATE} {_CLOCK}(?:\.[0-9]+)?{OFFSET}? (?:[A-Z]{{1,5}} | ){HOST} {_TAG}:(?: |\z)",
            _by_regex(_JOURNALCTL, _iso_stamp)),
    Framing("journalctl", rf"\A[0-9]{{9,11}}\.[0-9]{{6}} {HOST} {_TAG}:(?: |\z)", _by_regex(_JOURNALCTL_UNIX, _unix_stamp)),
    Framing("relayed", _RELAYED, _without_relay, wraps=True),
    Framing("dovecot-bare", rf"\A(?:{_DOVECOT_SERVICES})\([^()]*\)(?:<[^<>]*>)*: ", _by_regex(_DOVECOT_BARE, _iso_stamp, program="dovecot")),
    Framing("rspamd-bare", r"\A#[0-9]+\([a-z_A-Z0-9 -]+\) <", _by_regex(_RSPAMD_BARE, _iso_stamp, program="rspamd")),
)  # fmt: skip
"""The framings in the order in which they are tried; the plain syslog forms come early since they are nearly all."""
