"""Whole columns of Received fields at once: the same answer as :func:`.received.read_stamp`, many times faster.

Most fields have one of a few shapes, each a regular expression whose groups follow each other without a gap, so
that the length of each group gives the place of the next::

    from mail.example.org (mail.example.org [192.0.2.7]) by mx.example.net (Postfix) with ESMTPS id 4F3D21 for <b@c>; date
    |s0 ||  from_helo   |s1|    from_name   |s2|from_ip|s3 | by ...

Fields of no such shape, with bytes outside printable ASCII or with a date out of the ordinary go through the
reader for single fields. The expressions are for Rust's engine: linear in time on any input.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import polars as pl
import pyarrow as pa

from mailforensics.evidence.months import MONTHS
from mailforensics.headers.received import FORMATS, Stamp, canonical_ip, mask_all, read_stamp, tls_version

COLUMNS: dict[str, pl.DataType] = {
    "from_domain": pl.String(), "from_helo": pl.String(), "from_name": pl.String(), "from_ip": pl.String(),
    "from_port": pl.Int32(), "ident": pl.String(), "by_name": pl.String(), "by_ip": pl.String(),
    "with_protocol": pl.String(), "with_clause": pl.String(), "via": pl.String(), "id": pl.String(),
    "for_address": pl.String(), "envelope_from": pl.String(), "tls_version": pl.String(), "tls_cipher": pl.String(),
    "tls_bits": pl.Int32(), "auth": pl.String(), "auth_user": pl.String(), "software": pl.String(),
    "comment": pl.String(), "time": pl.Datetime("us", "UTC"), "time_original": pl.String(),
    "time_precision": pl.String(), "time_method": pl.String(), "utc_offset_min": pl.Int32(), "format": pl.String(),
    "parse_status": pl.String(), "defects": pl.List(pl.String()),
}  # fmt: skip
"""The columns of :class:`.received.Stamp`, in the types of ``hops``."""

_SPAN = pl.Struct({"field": pl.String(), "start": pl.Int32(), "end": pl.Int32()})
SPANS = pl.List(_SPAN)

# Pieces of shapes. Names of groups are columns; s0, s1 ... are what stands between them.
_HELO = r"(?P<from_helo>[!#-&'*+./0-9:=?@A-Z^_`a-z{|}~-]+|\[[0-9A-Za-z.:]+\])"
_NAME = r"(?P<from_name>[0-9A-Za-z_.-]*)"
_IP = r"(?P<from_ip>[0-9A-Fa-f:.]+)"
_HOST = r"(?P<by_name>[0-9A-Za-z_.:-]+)"
_SOFT = r"(?:(?P<SEP> +\()(?P<software>[^()\[\]@;=,]*[G-Zg-z/][^()\[\];=]*)(?P<SEP>\)))?"
_WITH = r"(?P<SEP> +with +)(?P<with_protocol>(?:UTF8)?E?SMTPS?A?|LMTPS?A?|esmtps?a?|smtps?)"
_ID = r"(?P<SEP> +id +)(?P<id>[0-9A-Za-z_.@+/-]+)"
_FOR = r"(?:(?P<SEP> +for +<)(?P<for_address>[^ <>();,\[\]\"]+)(?P<SEP>>))?"
_FOR_BARE = r"(?:(?P<SEP> +for +)(?P<for_address>[^ <>();,\[\]\"]+))?"
_TIME = (
    r"(?P<SEP> *; *)(?P<time>(?:[A-Z][a-z]{2}, +)?[0-9]{1,2} +[A-Z][a-z]{2} +[0-9]{4} [0-9:]{8} [+-][0-9]{4})"
)
_END = r"(?P<zone> +\([A-Z]{1,5}\))?(?P<SEP> *)$"
_BY = r"(?P<SEP> +by +)" + _HOST
_TLS_USING = (
    r"(?:(?P<SEP> +\(using +)(?P<tls_version>TLSv1(?:\.[0-9])?|SSLv3)(?P<SEP> +with +cipher +)"
    r"(?P<tls_cipher>[A-Za-z0-9_-]+)(?P<SEP> +\()(?P<tls_bits>[0-9]{1,4})"
    r"(?P<SEP>/[0-9]+ +bits\)(?: +key-exchange +[^();\[\]]*(?:\([^();\[\]]*\)[^();\[\]]*)*)?\)))?"
)
_CERTIFICATE = r"(?:(?P<SEP> +\()(?P<comment>No +client +certificate +requested|Client +did +not +present +a +certificate)(?P<SEP>\)))?"
_SENDER = r"(?:(?P<SEP> +\(Authenticated +sender: +)(?P<auth_user>[^ ();\[\]=]+)(?P<SEP>\)))?"
_TLS_VERSION = (
    r"(?:(?P<SEP> +\(version=)(?P<tls_version>[A-Za-z0-9_./\\]+)(?P<SEP>,? +cipher=)(?P<tls_cipher>[A-Za-z0-9_-]+)"
    r"(?:(?P<SEP>,? +bits=)(?P<tls_bits>[0-9]{1,4})(?P<SEP>/[0-9]+)?)?(?P<SEP>(?: +verify=[A-Z]+)?\)))?"
)
_TLS_EXIM = (
    r"(?:(?P<SEP> +\()(?P<tls_version>TLS-?v?1(?:\.[0-9])?)(?:(?P<SEP>:)(?P<tls_cipher>[A-Za-z0-9_-]+)"
    r"(?:(?P<SEP>:)(?P<tls_bits>[0-9]{1,4}))?)?(?P<SEP>\))(?:(?P<SEP> +tls +)(?P<tls_cipher2>[A-Z0-9_-]+))?)?"
)
_ENVELOPE = r"(?:(?P<SEP> +\(envelope-from +<)(?P<envelope_from>[^<> ();\"]*)(?P<SEP>>\)))?"


@dataclass(frozen=True, slots=True)
class _Shape:
    """One shape: what a field must contain to be tried, the expression, and how its ``from`` is meant."""

    name: str
    marks: tuple[str, ...]
    form: str
    source: str  # claim: HELO then name; name: the word is the reverse name; exim; none


def _joined(*parts: str) -> str:
    pieces = "".join(parts).split("SEP")
    return "^" + "".join(f"{piece}s{number}" for number, piece in enumerate(pieces[:-1])) + pieces[-1]


_PEER = r"(?P<SEP> +\()" + _NAME + r"(?P<SEP> *\[(?:IPv6:)?)" + _IP + r"(?P<SEP>\]"
_SHAPES = (
    _Shape("postfix", ("(Postfix)",), _joined(
        r"(?P<SEP>from +)", _HELO, _PEER, r"\))", _TLS_USING, _CERTIFICATE, _SENDER, _BY,
        r"(?P<SEP> +\()(?P<software>Postfix)(?P<SEP>\))", _WITH, _ID, _FOR, _TIME, _END), "claim"),
    _Shape("exim", ("(Exim ",), _joined(
        r"(?P<SEP>from +)(?P<from_domain>[0-9A-Za-z_.-]+)(?P<SEP> +\(\[)", _IP, r"(?P<SEP>\])",
        r"(?:(?P<SEP>:)(?P<from_port>[0-9]{1,4}))?(?:(?P<SEP> +helo=)(?P<from_helo>[0-9A-Za-z_.-]+|\[[0-9A-Fa-f.:]+\]))?(?P<SEP>\))",
        _BY, r"(?P<SEP> +with +)(?P<with_protocol>(?:UTF8)?E?SMTPS?A?|(?:utf8)?e?smtps?a?|asmtp)", _TLS_EXIM,
        r"(?P<SEP> +\()(?P<software>Exim [^()]*(?:\([^()]*\))?)(?P<SEP>\))", _ENVELOPE, _ID, _FOR_BARE, _TIME, _END), "exim"),
    _Shape("exchange", ("Microsoft SMTP Server",), _joined(
        r"(?P<SEP>from +)", _HELO, r"(?P<SEP> +\(\[?)", _IP, r"(?P<SEP>(?:%[0-9]+)?\]?\) +by +)", _HOST,
        r"(?P<SEP> +\(\[?)(?P<by_ip>[0-9A-Fa-f:.]+)(?P<SEP>(?:%[0-9]+)?\]?\) +with +)(?P<with_words>Microsoft +)(?P<with_protocol>SMTP)(?P<with_rest> +Server)",
        r"(?:(?P<SEP> +\(version=)(?P<tls_version>[A-Za-z0-9_.]+)(?P<SEP>,? +cipher=)(?P<tls_cipher>[A-Za-z0-9_-]+)(?P<SEP>\)))?",
        _ID, r"(?:(?P<SEP> +via +)(?P<via>(?:Frontend|Mailbox|Hub) +Transport))?", _TIME, _END), "helo"),
    _Shape("qmail", ("(HELO ",), _joined(
        r"(?P<SEP>from +)(?P<from_domain>[0-9A-Za-z_.-]+)(?P<SEP> +\(HELO +)(?P<from_helo>[0-9A-Za-z_.-]+|\[[0-9A-Fa-f.:]+\])",
        r"(?P<SEP>\) +\()", _IP, r"(?P<SEP>\))", _BY, _WITH, _TIME, _END), "name"),
    _Shape("local", ("by ",), _joined(
        r"(?P<SEP>by +)", _HOST, r"(?:(?P<SEP> +\()(?P<software>Postfix(?:, +from +userid +[0-9]+)?)(?P<SEP>\)))?",
        r"(?:" + _WITH + r")?", _ID, _FOR, _TIME, _END), "none"),
    _Shape("amavis", ("(amavis",), _joined(
        r"(?P<SEP>from +)", _HELO, r"(?P<SEP> +\(\[)", _IP, r"(?P<SEP>\]\))", _BY,
        r"(?P<SEP> +\([0-9A-Za-z_.-]+ +\[)(?P<by_ip>[0-9A-Fa-f:.]+)(?P<SEP>\]\) +\()(?P<software>amavis[^()]*)(?P<SEP>\))",
        _WITH, _ID, _FOR, _TIME, _END), "helo"),
    _Shape("lmtp", (" with LMTP",), _joined(
        r"(?P<SEP>from +)", _HELO, r"(?P<SEP> +\(\[)", _IP, r"(?P<SEP>\]\))", _BY, r"(?P<SEP> +with +)(?P<with_protocol>LMTPS?A?)",
        _ID, _ENVELOPE, _FOR, _TIME, _END), "helo"),
    _Shape("dovecot", (" with LMTP",), _joined(
        r"(?P<SEP>from +)(?P<from_helo>[0-9A-Za-z_-]+\.[0-9A-Za-z_.-]+)", _BY, r"(?P<SEP> +with +)(?P<with_protocol>LMTPS?A?)",
        _ID, _ENVELOPE, _FOR, _TIME, _END), "alone"),
    _Shape("plain", ("from ", "]"), _joined(
        r"(?P<SEP>from +)", _HELO, _PEER, r")(?P<forged> +\(may +be +forged\))?(?P<SEP>\))",
        r"(?:(?P<SEP> +\(authenticated +)(?P<auth>bits=[0-9]+)(?P<SEP>\)))?", _BY, _SOFT, _WITH, _ID,
        _TLS_VERSION.replace("tls_version", "tls_version2").replace("tls_cipher", "tls_cipher3").replace("tls_bits", "tls_bits2"),
        _FOR, _TLS_VERSION, r"(?:(?P<SEP> +\()(?P<comment>Google +Transport +Security)(?P<SEP>\)))?", _TIME, _END), "claim"),
)  # fmt: skip

_OCTET = r"(?:25[0-5]|2[0-4][0-9]|1[0-9]{2}|[1-9]?[0-9])"
_IPV4 = rf"^(?:{_OCTET}\.){{3}}{_OCTET}$"
_NAMED_ADDRESS = r"^ *[^ ]+ +(?:[0-9]+\.[0-9]+\.[0-9]+\.[0-9]+|[0-9A-Fa-f]*:[0-9A-Fa-f:.]*) *$"
_KEYWORD = r"^(?i:from|by|via|with|id|for|envelope-from|envelope-sender)$"
_ASIDE = r"(?i) $|^ *(?:envelope-|authenticated|using |version=|TLS|AUTH|No client|Client |HELO |EHLO |via )"
_WEEKDAYS = {"Mon": 1, "Tue": 2, "Wed": 3, "Thu": 4, "Fri": 5, "Sat": 6, "Sun": 7}
_LOGGED_IN = r"^(?:(?:UTF8)?E?SMTPS?A|LMTPS?A|ASMTP)$"


def read_stamps(
    values: Sequence[bytes], *, value_starts: Sequence[int] | None = None, singly: bool = False
) -> pl.DataFrame:
    """The clauses of many Received fields, given as raw values: one row per field, in order.

    Columns are :data:`COLUMNS` and ``spans``, places in bytes of the raw value, or of the whole field where
    ``value_starts`` tells how many bytes stand before each value. ``singly`` reads one field after another,
    which is quicker for a few and gives the same answer. Fields that come again are read once: copies of one
    message in many mailboxes share most of theirs. Nothing is raised.

    >>> read_stamps([b"from a.example (b.example [192.0.2.1]) by c.example with ESMTP id 7; 1 Jan 2026 00:00:00 +0000"])[
    ...     "from_helo", "from_name", "from_ip", "by_name", "id"].row(0)
    ('a.example', 'b.example', '192.0.2.1', 'c.example', '7')
    """
    starts = [0] * len(values) if value_starts is None else list(value_starts)
    if len(set(values)) == len(values):
        return _read(values, starts, singly)
    distinct = dict.fromkeys(zip(values, starts, strict=True))
    numbers = {one: number for number, one in enumerate(distinct)}
    frame = _read([value for value, _ in distinct], [start for _, start in distinct], singly)
    return frame[[numbers[one] for one in zip(values, starts, strict=True)]]


def _read(values: Sequence[bytes], starts: Sequence[int], singly: bool) -> pl.DataFrame:
    shift = np.array(starts, np.int32)
    if singly:
        return _read_singly(values, range(len(values)), shift).drop("row")
    return _read_columns(values, shift)


def _read_columns(values: Sequence[bytes], shift: npt.NDArray[np.int32]) -> pl.DataFrame:
    """Each shape takes the fields that fit; the rest is read one by one."""
    columns = {"text": mask_all(values), "shift": shift}
    texts = pl.DataFrame(columns, schema={"text": pl.String(), "shift": pl.Int32()}).with_row_index("row")
    done: list[pl.DataFrame] = []
    left = texts.filter(~pl.col("text").str.contains("[\x7f\\\\]") & (pl.col("text").str.len_bytes() < 4096))
    for shape in _SHAPES:
        if left.height == 0:
            break
        read = _read_shape(shape, left)
        done.append(read)
        left = left.join(read.select("row"), on="row", how="anti")
    known = pl.concat([frame["row"] for frame in done]) if done else pl.Series("row", [], pl.UInt32)
    odd = texts.join(known.to_frame(), on="row", how="anti")["row"].to_list()
    done.append(_read_singly(values, odd, shift))
    return pl.concat(done).sort("row").drop("row")


def _read_singly(values: Sequence[bytes], rows: Sequence[int], shift: npt.NDArray[np.int32]) -> pl.DataFrame:
    stamps = [read_stamp(values[row]) for row in rows]
    frame = pl.DataFrame(
        {name: [getattr(stamp, name) for stamp in stamps] for name in COLUMNS}, schema=COLUMNS
    )
    number = pl.Series("row", rows, pl.UInt32)
    return frame.select(number, pl.all()).with_columns(_listed_spans(stamps, shift[list(rows)].tolist()))


def _listed_spans(stamps: Sequence[Stamp], shifts: Sequence[int]) -> pl.Series:
    flat = [
        (name, start + at, end + at)
        for stamp, at in zip(stamps, shifts, strict=True)
        for name, start, end in stamp.spans
    ]
    names, starts, ends = zip(*flat, strict=True) if flat else ((), (), ())
    counts = np.array([0, *(len(stamp.spans) for stamp in stamps)])
    return _span_series(
        _arrow(names, pl.String), np.array(starts, np.int32), np.array(ends, np.int32), counts
    )


def _read_shape(shape: _Shape, texts: pl.DataFrame) -> pl.DataFrame:
    """The rows of one shape, all columns filled; rows of other shapes are left out."""
    tried = texts.filter(
        pl.all_horizontal(pl.col("text").str.contains(mark, literal=True) for mark in shape.marks)
    )
    groups = tried.select(
        "row", "text", "shift", pl.col("text").str.extract_groups(shape.form).alias("groups")
    ).unnest("groups")
    groups = groups.filter(pl.col("time").is_not_null())
    groups = _dated(groups).filter(pl.col("stamp").is_not_null())
    groups = _addressed(groups)
    groups = groups.filter(_certain(shape, groups.columns))
    places = dict(_places(groups))
    values = _interpreted(shape, groups)
    spans = _spans(shape, groups, values, places)
    missing = [
        pl.lit(None, dtype=kind).alias(name) for name, kind in COLUMNS.items() if name not in values.columns
    ]
    return values.with_columns(missing).with_columns(spans).select("row", *COLUMNS, "spans")


def _places(groups: pl.DataFrame) -> Iterator[tuple[str, npt.NDArray[np.int32]]]:
    """Where each group begins: the groups follow each other without a gap."""
    place = np.zeros(groups.height, np.int32)
    for name in groups.columns[3:]:
        if name in ("stamp", "offset", "address", "by_address"):
            break
        yield name, place
        place = place + groups[name].str.len_bytes().fill_null(0).to_numpy().astype(np.int32)


def _dated(groups: pl.DataFrame) -> pl.DataFrame:
    """Adds ``stamp`` (UTC), ``offset`` (minutes) and ``odd_weekday``; stamp is null where no such moment exists."""
    form = (
        r"^(?:(?P<weekday>[A-Z][a-z]{2}), +)?(?P<day>[0-9]{1,2}) +(?P<month>[A-Z][a-z]{2}) +(?P<year>[0-9]{4}) "
        r"(?P<hour>[01][0-9]|2[0-3]):(?P<minute>[0-5][0-9]):(?P<second>[0-5][0-9]) (?P<sign>[+-])(?P<zh>[01][0-9])(?P<zm>[0-5][0-9])$"
    )
    part = groups["time"].str.extract_groups(form).struct.unnest()
    number = {
        name: pl.col(name).cast(pl.Int32) for name in ("day", "year", "hour", "minute", "second", "zh", "zm")
    }
    part = part.with_columns(
        pl.col("month").replace_strict(MONTHS, default=None, return_dtype=pl.Int32), **number
    )
    local = _moment(part)
    offset = (pl.col("zh") * 60 + pl.col("zm")) * pl.when(pl.col("sign") == "-").then(-1).otherwise(1)
    part = part.with_columns(local, offset.alias("offset")).with_columns(
        pl.when(pl.col("weekday").is_in(list(_WEEKDAYS)) | pl.col("weekday").is_null())
        .then(pl.col("local") - pl.duration(minutes=pl.col("offset")))
        .dt.replace_time_zone("UTC")
        .alias("stamp"),
        (
            pl.col("weekday").replace_strict(_WEEKDAYS, default=None, return_dtype=pl.Int8)
            != pl.col("local").dt.weekday()
        )
        .fill_null(False)
        .alias("odd_weekday"),
        pl.when((pl.col("offset") != 0) | (pl.col("sign") == "+")).then(pl.col("offset")).alias("offset"),
    )
    plausible = pl.col("stamp").dt.year().is_between(1970, 2100)
    part = part.with_columns(pl.when(plausible).then("stamp").alias("stamp"))
    return groups.with_columns(part.select("stamp", "offset", "odd_weekday"))


def _moment(part: pl.DataFrame) -> pl.Series:
    """The local time of the numbers; null where the day does not exist in its month."""
    february = (
        pl.when((pl.col("year") % 4 == 0) & ((pl.col("year") % 100 != 0) | (pl.col("year") % 400 == 0)))
        .then(29)
        .otherwise(28)
    )
    last = (
        pl.when(pl.col("month") == 2)
        .then(february)
        .when(pl.col("month").is_in([4, 6, 9, 11]))
        .then(30)
        .otherwise(31)
    )
    exists = (
        pl.col("day").is_between(1, last)
        & pl.col("year").is_between(1900, 2200)
        & pl.col("month").is_not_null()
    )
    kept = part.select(
        exists.fill_null(False).alias("exists"),
        *(pl.when(exists).then(pl.col(name)).otherwise(start).alias(name)
          for name, start in (("year", 2000), ("month", 1), ("day", 1), ("hour", 0), ("minute", 0), ("second", 0))),
    )  # fmt: skip
    moment = pl.datetime("year", "month", "day", "hour", "minute", "second", time_unit="us")
    return kept.select(pl.when("exists").then(moment).alias("local"))["local"]


def _addressed(groups: pl.DataFrame) -> pl.DataFrame:
    """Adds ``address`` and ``by_address``, canonical; IPv4 by pattern, others once for each distinct text."""
    out = [_canonical(groups["from_ip"], "address")] if "from_ip" in groups.columns else []
    by = groups.select(
        pl.coalesce(*(name for name in ("by_ip", "by_name") if name in groups.columns)).alias("by_address")
    )["by_address"]
    return groups.with_columns(*out, _canonical(by, "by_address"))


def _canonical(texts: pl.Series, name: str) -> pl.Series:
    frame = texts.rename("text").to_frame()
    looks = pl.col("text").str.contains(r"^[0-9A-Fa-f:.]+$")
    plain = pl.col("text").str.contains(_IPV4)
    other = frame.filter(looks & ~plain)["text"].unique().to_list()
    known = {text: canonical_ip(text) for text in other}
    lookup = (
        pl.col("text").replace_strict(known, default=None, return_dtype=pl.String)
        if known
        else pl.lit(None, pl.String)
    )
    return frame.select(pl.when(plain).then("text").otherwise(lookup).alias(name))[name]


def _certain(shape: _Shape, columns: Sequence[str]) -> pl.Expr:
    """Rows whose meaning the shape decides; the others are read one by one."""
    said = {"exim": "helo=", "qmail": "(HELO "}.get(shape.name)
    claims = pl.col("text").str.count_matches(r"(?i)\b(?:hell?o|ehlo|lhlo)[ =)]")
    if said is None:
        certain = claims == 0
    else:
        told = pl.col("text").str.contains(said, literal=True) & pl.col("from_helo").is_not_null()
        certain = claims == told.cast(pl.UInt32)
    envelopes = pl.col("text").str.count_matches("nvelope", literal=True)
    written = pl.col("envelope_from").is_not_null().cast(pl.UInt32) if "envelope_from" in columns else 0
    certain &= envelopes == written
    logins = pl.sum_horizontal(
        pl.lit(0, pl.UInt32),
        *(pl.col(name).is_not_null().cast(pl.UInt32) for name in ("auth", "auth_user") if name in columns),
    )
    certain &= pl.col("text").str.count_matches("(?i)authenticated") == logins
    if "from_ip" in columns:
        certain &= pl.col("address").is_not_null() & ~pl.col("text").str.contains("[IPv6:[", literal=True)
    if "by_ip" in columns:
        certain &= pl.col("by_address").is_not_null() & ~pl.col("by_name").str.contains(r"^[0-9A-Fa-f:.]+$")
    if "software" in columns:
        certain &= ~pl.col("software").fill_null("").str.contains(_ASIDE)
        certain &= ~pl.col("software").fill_null("").str.contains(_NAMED_ADDRESS)
    for name in ("from_helo", "from_domain", "by_name", "id", "for_address"):
        if name in columns:
            certain &= ~pl.col(name).fill_null("").str.contains(_KEYWORD)
    return certain & ~pl.col("text").str.contains(
        r"(?i)mail pickup service|\.outlook\.com +with +HTTP|encrypted"
    )


def _interpreted(shape: _Shape, groups: pl.DataFrame) -> pl.DataFrame:
    """The columns of hops from the groups of a shape."""
    have = set(groups.columns)
    text = {
        name: pl.col(name).str.replace_all(" +", " ").str.strip_chars()
        if name in ("software", "via")
        else pl.col(name)
        for name in ("by_name", "id", "for_address", "software", "via", "auth_user", "envelope_from")
        if name in have
    }
    return groups.select(
        "row",
        **text,
        **_from_columns(shape),
        **_with_columns(have),
        **_tls_columns(have),
        by_ip=pl.col("by_address"),
        comment=_comment(have),
        time=pl.col("stamp"),
        time_original=_time_original(),
        time_precision=pl.lit("s"),
        time_method=pl.lit("stated"),
        utc_offset_min=pl.col("offset"),
        format=_format(groups["text"], _LIKELY.get(shape.name)),
        parse_status=pl.lit("ok"),
        defects=_defects(groups),
    )


def _defects(groups: pl.DataFrame) -> pl.Expr:
    none = pl.lit([], dtype=pl.List(pl.String))
    doubted = pl.col("forged").is_not_null() if "forged" in groups.columns else pl.lit(False)
    if not groups.select((pl.col("odd_weekday") | doubted).any()).item():
        return none
    weekday = pl.when("odd_weekday").then(pl.lit("weekday_differs"))
    name = pl.when(doubted).then(pl.lit("name_not_confirmed"))
    listed = pl.concat_list(weekday, name).list.drop_nulls()
    return pl.when(pl.col("odd_weekday") | doubted).then(listed).otherwise(none)


def _comment(have: set[str]) -> pl.Expr:
    return pl.col("comment").str.replace_all(" +", " ") if "comment" in have else pl.lit(None, pl.String)


def _time_original() -> pl.Expr:
    zone = pl.col("zone").fill_null("").str.strip_chars()
    whole = pl.when(zone == "").then(pl.col("time")).otherwise(pl.col("time") + " " + zone)
    return whole.str.replace_all(" +", " ")


_NO_NAMES = (
    "",
    "unknown",
    "softdnserr",
    "unverified",
    "no-dns",
    "may",
    "nodnsquery",
    "hidden",
    "verified",
    "misconfigured",
)


def _real_name(column: str) -> pl.Expr:
    """The reverse name, or null for the words that stand for none and for addresses."""
    name = pl.col(column).str.strip_chars_end(".")
    return pl.when(
        ~name.str.to_lowercase().is_in(list(_NO_NAMES)) & ~pl.col(column).str.contains(r"^[0-9.]+$")
    ).then(name)


def _from_columns(shape: _Shape) -> dict[str, pl.Expr]:
    if shape.source == "none":
        return {}
    if shape.source == "alone":
        return {"from_domain": pl.col("from_helo"), "from_helo": pl.col("from_helo")}
    if shape.source in ("claim", "helo"):
        name = _real_name("from_name") if shape.source == "claim" else pl.lit(None, pl.String)
        return {
            "from_domain": pl.col("from_helo"),
            "from_helo": pl.col("from_helo"),
            "from_name": name,
            "from_ip": pl.col("address"),
        }
    name = _real_name("from_domain")
    helo = pl.coalesce("from_helo", "from_domain") if shape.source == "exim" else pl.col("from_helo")
    out = {
        "from_domain": pl.col("from_domain"),
        "from_helo": helo,
        "from_name": name,
        "from_ip": pl.col("address"),
    }
    return out | ({"from_port": pl.col("from_port").cast(pl.Int32)} if shape.source == "exim" else {})


def _with_columns(have: set[str]) -> dict[str, pl.Expr]:
    if "with_words" in have:
        phrase = pl.lit("Microsoft SMTP Server")
        return {"with_clause": phrase, "with_protocol": pl.lit("SMTP"), "software": phrase}
    protocol = pl.col("with_protocol").str.to_uppercase()
    auth: pl.Expr = pl.when(protocol.str.contains(_LOGGED_IN)).then(protocol)
    if "auth" in have:
        auth = pl.coalesce("auth", auth)
    if "auth_user" in have:
        auth = pl.when(pl.col("auth_user").is_not_null()).then(pl.lit("authenticated")).otherwise(auth)
    return {"with_clause": pl.col("with_protocol"), "with_protocol": protocol, "auth": auth}


def _tls_columns(have: set[str]) -> dict[str, pl.Expr]:
    if "tls_version" not in have:
        return {}

    def first(*names: str) -> pl.Expr:
        return pl.coalesce(*(pl.col(name) for name in names if name in have))

    version = first("tls_version2", "tls_version").map_batches(_versions, return_dtype=pl.String)
    cipher = first("tls_cipher3", "tls_cipher", "tls_cipher2")
    cipher = pl.when(~cipher.str.to_uppercase().is_in(["OTHER", "NONE"])).then(cipher)
    bits = first("tls_bits2", "tls_bits").cast(pl.Int32) if "tls_bits" in have else pl.lit(None, pl.Int32)
    return {"tls_version": version, "tls_cipher": cipher, "tls_bits": bits}


def _versions(texts: pl.Series) -> pl.Series:
    known = {text: tls_version(text) for text in texts.unique().drop_nulls().to_list()}
    return texts.replace_strict(known, default=None, return_dtype=pl.String)


# The family that fields of a shape have nearly always, and all that would go before it as one expression.
_LIKELY = {
    "postfix": "postfix", "exim": "exim", "exchange": "exchange", "qmail": "qmail", "amavis": "amavis", "lmtp": "dovecot",
}  # fmt: skip
_PLACE = {name: place for place, (name, _) in enumerate(FORMATS)}


def _any_before(place: int) -> str:
    nothing = r"[^\x00-\x{10FFFF}]"  # goes before the first
    return "|".join(f"(?:{form})" for _, form in FORMATS[:place]) or nothing


_BEFORE = {name: _any_before(_PLACE[name]) for name in _LIKELY.values()}
_ANY = _any_before(len(FORMATS))


def _format(texts: pl.Series, likely: str | None) -> pl.Series:
    """The family of each field: the first of :data:`.received.FORMATS` that fits.

    The usual outcome is looked for first, with two expressions; what is left is asked family by family.
    """
    left = texts.rename("text").to_frame().with_row_index("place")
    found: list[pl.DataFrame] = []
    text = pl.col("text")
    if likely is None:
        usual = ~text.str.contains(_ANY)
    else:
        usual = text.str.contains(FORMATS[_PLACE[likely]][1]) & ~text.str.contains(_BEFORE[likely])
    sure = left.select(usual).to_series()
    found.append(left.filter(sure).select("place", pl.lit(likely, pl.String).alias("format")))
    left = left.filter(~sure)
    for name, form in FORMATS:
        if left.height == 0:
            break
        fits = left["text"].str.contains(form)
        if fits.any():
            found.append(left.filter(fits).select("place", pl.lit(name).alias("format")))
            left = left.filter(~fits)
    found.append(left.select("place", pl.lit(None, pl.String).alias("format")))
    return pl.concat(found).sort("place")["format"]


# The order in which columns stand in a field; groups that fill a column under another name.
_GROUP_OF = {
    "tls_cipher2": "tls_cipher",
    "tls_cipher3": "tls_cipher",
    "tls_version2": "tls_version",
    "tls_bits2": "tls_bits",
}


def _spans(
    shape: _Shape, groups: pl.DataFrame, values: pl.DataFrame, places: dict[str, npt.NDArray[np.int32]]
) -> pl.Series:
    """The places of all values as one list per row, built from flat arrays."""
    starts, ends, present, names = [], [], [], []
    for group, start in places.items():
        column = _GROUP_OF.get(group, group)
        for name in _columns_of(shape, column):
            end = start + _lengths(name, groups, group)
            shown = end > start
            if name == "from_helo" and group == "from_domain":  # only where no other claim is told
                shown &= groups["from_helo"].is_null().to_numpy()
            if name in values.columns and name != "time":
                shown &= values[name].is_not_null().to_numpy()
            starts.append(start)
            ends.append(end)
            present.append(shown)
            names.append(name)
    shift = groups["shift"].to_numpy()
    starts, ends = [start + shift for start in starts], [end + shift for end in ends]
    return _span_lists(np.array(starts), np.array(ends), np.array(present), names)


def _columns_of(shape: _Shape, group: str) -> tuple[str, ...]:
    """The columns that a group of a shape fills with its text."""
    if group == "from_domain":
        return ("from_helo", "from_name") if shape.source == "exim" else ("from_name",)
    if group == "with_words":
        return ("software",)
    if group in ("auth", "comment", "zone", "with_rest", "forged") or (
        group[0] == "s" and group[1:].isdigit()
    ):
        return ()
    return (group,)


def _lengths(name: str, groups: pl.DataFrame, group: str) -> npt.NDArray[np.int32]:
    """How long the text of a column is that begins where the group does."""
    if name == "from_name":
        lengths = [groups[group].str.strip_chars_end(".").str.len_bytes()]
    else:
        more = {
            "time": ("zone",),
            "software": ("with_protocol", "with_rest") if group == "with_words" else (),
        }
        lengths = [groups[part].str.len_bytes() for part in (group, *more.get(name, ()))]
    total: npt.NDArray[np.int32] = sum(length.fill_null(0).to_numpy().astype(np.int32) for length in lengths)  # type: ignore[assignment]
    return total


def _span_lists(
    starts: npt.NDArray[np.int32],
    ends: npt.NDArray[np.int32],
    present: npt.NDArray[np.bool_],
    names: list[str],
) -> pl.Series:
    rows, columns = np.nonzero(present.T)
    words = _arrow(names, pl.String).take(_arrow(columns, pl.Int64))
    counts = np.concatenate(([0], present.sum(axis=0)))
    return _span_series(words, starts[columns, rows], ends[columns, rows], counts)


def _arrow(values: Sequence[str] | npt.NDArray[np.integer], dtype: type[pl.DataType]) -> pa.Array:
    """Values as an Arrow array. By way of polars: ``pa.array`` loads pandas to see whether they are its own."""
    return pl.Series(values, dtype=dtype).to_arrow()


def _span_series(
    names: pa.Array, starts: npt.NDArray[np.int32], ends: npt.NDArray[np.int32], counts: npt.NDArray[np.int64]
) -> pl.Series:
    """Flat arrays as one list of spans per row; ``counts`` begins with 0."""
    flat = pa.StructArray.from_arrays(
        [names, _arrow(starts, pl.Int32), _arrow(ends, pl.Int32)], names=["field", "start", "end"]
    )
    series = pl.from_arrow(pa.ListArray.from_arrays(_arrow(np.cumsum(counts), pl.Int32), flat))
    assert isinstance(series, pl.Series)  # noqa: S101
    return series.cast(SPANS).alias("spans")
