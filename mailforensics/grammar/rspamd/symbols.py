"""Rspamd's list of symbols: the rules that hit, each with its score and what it found.

    R_SPF_ALLOW(-0.20){+ip4:192.0.2.0/24;},ASN(0.00){asn:64500, ipnet:192.0.2.0/24, country:DE;},ARC_NA(0.00){}

Options quote the message, so they may hold commas, brackets and braces (``SUBJ_TAG(1.00){[EXT] {urgent}, really;}``): a symbol
ends where ``},`` is followed by the next name, score and brace. Rspamd cuts long lists of options and ends them with an
option ``...``. Scores may be ``nan``; a ``log_format`` of the site's own may leave scores or options out.

Source: ``rspamd_task_log_metric_res`` in ``src/libserver/task.c``.
"""

from __future__ import annotations

import numpy as np
import polars as pl

SYMBOL = pl.Struct({"name": pl.String, "score": pl.Float64, "options": pl.List(pl.String)})
SYMBOLS = pl.List(SYMBOL)

_NAME = r"[^(){}\[\],; ]+"
_SCORE = r"\((?P<score>[-+]?(?:[0-9.]+|nan|inf))\)"
_PIECE = rf"\A(?P<name>{_NAME})(?:{_SCORE})?(?:\{{(?P<options>(?:(?s:.*);)?)\}}?)?\z"
_ODD_PIECE = rf"\A(?P<name>{_NAME})(?:{_SCORE})?\{{(?P<options>(?s:.*?))\}}?\z"
_BORDER = r"\},(" + _NAME + _SCORE.replace("?P<score>", "?:") + r"\{)"
_CUT = "\x00"  # Rspamd writes control characters as \xNN, so none can stand in a line


def symbols(column: pl.Series) -> pl.Series:
    """The lists of symbols of many lines: text in, ``list<struct<name, score, options>>`` out; null stays null.

    >>> symbols(pl.Series(["R_SPF_ALLOW(-0.20){+mx;a;},ARC_NA(0.00){}"])).to_list()
    [[{'name': 'R_SPF_ALLOW', 'score': -0.2, 'options': ['+mx', 'a']}, {'name': 'ARC_NA', 'score': 0.0, 'options': []}]]
    """
    read, odd = _read(_pieces(column), _PIECE)
    return _again(column, read) if odd else read


def _pieces(column: pl.Series) -> pl.Series:
    """Each text cut where a symbol may end; `[]` where there is no symbol."""
    text = pl.col("text")
    cut = text.str.split("},")
    named_only = ~column.str.contains("{", literal=True)
    if named_only.any():
        some = pl.when(pl.lit(named_only) & (text != "")).then(text).str.split(",")
        none = pl.when(text == "").then(pl.lit([], dtype=pl.List(pl.String)))
        cut = pl.coalesce(none, some, cut)
    return column.to_frame("text").select(cut).to_series()


def _read(lists: pl.Series, pattern: str) -> tuple[pl.Series, bool]:
    """The pieces as structs, and whether there was a piece that is no symbol (its name is null)."""
    odd: list[bool] = []

    def structs(pieces: pl.Series) -> pl.Series:
        if pieces.is_empty():
            return pl.Series([], dtype=SYMBOL)
        found = _distinct(pieces, pattern)
        odd.append(bool(found[0].struct.field("name").has_nulls()))
        return found[0].gather(found[1])

    element = pl.element().map_batches(structs, return_dtype=SYMBOL, is_elementwise=True)
    return lists.to_frame("p").select(pl.col("p").list.eval(element)).to_series(), any(odd)


def _distinct(pieces: pl.Series, pattern: str) -> tuple[pl.Series, np.ndarray]:
    """Each distinct piece as a struct, and for each piece the number of its struct: the same symbols come again and again."""
    codes = pieces.cast(pl.Categorical(pl.Categories.random())).to_physical().to_numpy()
    first = np.zeros(int(codes.max()) + 1, dtype=np.int64)
    first[codes[::-1]] = np.arange(len(codes) - 1, -1, -1)
    distinct = pieces.gather(first).to_frame("piece")
    groups = distinct.select(pl.col("piece").str.extract_groups(pattern).struct.unnest())
    options = pl.col("options").str.strip_suffix(";").str.split(";")
    table = groups.select(
        "name",
        score=pl.col("score").cast(pl.Float64, strict=False),
        options=pl.when(pl.col("options") == "")
        .then(pl.lit([], dtype=SYMBOL.fields[2].dtype))
        .otherwise(options),
    )
    return table.to_struct("symbol"), codes


def _again(column: pl.Series, read: pl.Series) -> pl.Series:
    """Read the rows with odd pieces once more, cut only where a whole symbol begins."""
    names = read.list.eval(pl.element().struct.field("name").is_null())
    odd = names.list.any().fill_null(False)
    text = column.filter(odd).str.replace_all(_BORDER, f"{_CUT}${{1}}")
    fixed, _ = _read(text.str.split(_CUT), _ODD_PIECE)
    place = np.arange(len(read))
    place[odd.to_numpy()] = len(read) + np.arange(len(fixed))
    return pl.concat([read, fixed]).gather(place)
