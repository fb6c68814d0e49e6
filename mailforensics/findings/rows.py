"""How findings of a case are written down: one row each, in the words of the table ``findings``.

``severity`` rises from "info" (worth knowing) over "notice" and "warning" (look at it today) to "high" (act now).
"""

from __future__ import annotations

import polars as pl

from mailforensics import schema

SEVERITIES = ("info", "notice", "warning", "high")
"""From "worth knowing" to "act now"."""

SAME_WORDS = ("finding", "severity", "certainty", "sentence", "innocent")
"""The columns in which findings are equal that say the same in the same words, and are told once."""

_NO_EVENTS = pl.lit([], dtype=pl.List(pl.Int64))


def finding_rows(
    found: pl.DataFrame,
    *,
    finding: str,
    severity: str | pl.Expr,
    subject: pl.Expr,
    sentence: pl.Expr,
    rule: str,
    certainty: str | pl.Expr = "seen",
    innocent: str | None = None,
    source: str | None = None,
) -> pl.DataFrame:
    """Rows of ``findings`` out of a frame that has one row per answer.

    ``found`` may have the columns evidence, message_keys, host and time, which are taken over; lists are cut to what is
    told once, in order.

    >>> found = pl.DataFrame({"who": ["bob"], "evidence": [[3, 1, 3]]})
    >>> rows = finding_rows(found, finding="x", severity="info", subject=pl.col("who"), sentence=pl.lit("X."), rule="a.x")
    >>> rows["evidence"].to_list()
    [[1, 3]]
    """
    lists = [
        (pl.col(name) if name in found.columns else _NO_EVENTS)
        .list.drop_nulls().list.unique().list.sort().fill_null(_NO_EVENTS).alias(name)
        for name in ("evidence", "message_keys")
    ]  # fmt: skip
    rows = found.select(
        pl.lit(finding).alias("finding"),
        _words(severity).alias("severity"),
        subject.alias("subject"),
        sentence.alias("sentence"),
        _words(certainty).alias("certainty"),
        pl.lit(rule).alias("rule"),
        *lists,
        pl.lit(innocent, pl.String).alias("innocent"),
        pl.lit(source, pl.String).alias("source"),
        _kept(found, "host", pl.String),
        _kept(found, "time", pl.Datetime("us", "UTC")),
    )
    return schema.conform("findings", rows)


def _words(value: str | pl.Expr) -> pl.Expr:
    return pl.lit(value) if isinstance(value, str) else value


def _kept(found: pl.DataFrame, name: str, dtype: pl.DataType | type[pl.DataType]) -> pl.Expr:
    value = pl.col(name) if name in found.columns else pl.lit(None)
    return value.cast(dtype).alias(name)


def few(names: pl.Expr, most: int = 3) -> pl.Expr:
    """A list of texts as words: the first ones by name, the rest as a number.

    >>> pl.DataFrame({"names": [["a", "b", "c", "d"]]}).select(few(pl.col("names"))).item()
    'a, b, c and 1 more'
    """
    more = names.list.len().cast(pl.Int64) - most
    rest = pl.when(more > 0).then(pl.format(" and {} more", more)).otherwise(pl.lit(""))
    return pl.concat_str(names.list.head(most).list.join(", "), rest)


def span(seconds: pl.Expr) -> pl.Expr:
    """Seconds as people say them.

    >>> pl.DataFrame({"s": [30.0, 600.0, 7200.0, 200000.0]}).select(span(pl.col("s")))["s"].to_list()
    ['30 s', '10 min', '2.0 h', '2.3 days']
    """
    return (
        pl.when(seconds < 120).then(pl.format("{} s", seconds.round().cast(pl.Int64)))
        .when(seconds < 7200).then(pl.format("{} min", (seconds / 60).round().cast(pl.Int64)))
        .when(seconds < 172800).then(pl.format("{} h", (seconds / 3600).round(1)))
        .otherwise(pl.format("{} days", (seconds / 86400).round(1))).alias("s")
    )  # fmt: skip


def counted(number: pl.Expr, one: str, many: str) -> pl.Expr:
    """A number with its noun.

    >>> pl.DataFrame({"n": [1, 2]}).select(counted(pl.col("n"), "login", "logins"))["n"].to_list()
    ['1 login', '2 logins']
    """
    noun = pl.when(number == 1).then(pl.lit(one)).otherwise(pl.lit(many))
    return pl.format("{} {}", number, noun).alias("n")
