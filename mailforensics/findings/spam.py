"""What the spam filters thought, symbol by symbol: contributions, flips, hit rates, scores over time and by sender.

    (default: T (add header): [7.10/15.00] [BAYES_SPAM(5.10){99.99%;},R_SPF_SOFTFAIL(1.00){~all;},MISSING_MID(1.00){}]

A verdict is the sum of its symbols' scores held against thresholds: Rspamd's required score (reject) stands in the log,
those of ``add header`` and ``greylist`` in its configuration (6 and 4 unless set otherwise, actions.conf). Forced
actions and skipped mail do not follow from the score and are left out where scores are compared.

All functions take the table ``scans`` (or a part of it) as a polars frame and give a polars frame. The counts of
`symbol_statistics` are those that ``rspamadm logstats`` and ``rspamd_stats`` report (ham, junk and spam by score, and how
many verdicts hang on the symbol), without their defects: mail without symbols, ``nan`` scores and options that
hold brackets are counted, too.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import polars as pl

from mailforensics.errors import OptionError

THRESHOLDS: Mapping[str, float] = {"add header": 6.0, "greylist": 4.0}

_NEGLIGIBLE = 0.1  # logstats leaves out symbols with a smaller score


def symbol_contributions(
    scans: pl.DataFrame, *, thresholds: Mapping[str, float] = THRESHOLDS
) -> pl.DataFrame:
    """One row for each symbol of each scan: what it added, and the verdict without it; the largest first in each scan.

    Columns: scan (the row of `scans`, from 0), time, queue_id, message_key, action, score, symbol, symbol_score, share (of
    the sum of all scores of the same sign), score_without, action_by_score, action_without, flips (the action by
    score would be another one without the symbol). `thresholds` are the lowest scores of the actions other than reject.

    >>> scan = {"action": "add header", "score": 7.0, "required_score": 15.0, "symbols": [{"name": "A", "score": 5.0}, {"name": "B", "score": 2.0}]}
    >>> symbol_contributions(pl.DataFrame([scan])).select("symbol", "share", "action_without").rows()[0]
    ('A', 0.7142857142857143, 'no action')
    """
    _require(scans, "score", "required_score", "symbols", "action")
    rows = _symbols(scans)
    same_sign = pl.col("symbol_score").sum().over("scan", pl.col("symbol_score") >= 0)
    without = pl.col("score") - pl.col("symbol_score")
    judged = rows.with_columns(
        pl.when(same_sign != 0).then(pl.col("symbol_score") / same_sign).alias("share"),
        without.alias("score_without"),
    ).with_columns(
        _action("score", thresholds).alias("action_by_score"),
        _action("score_without", thresholds).alias("action_without"),
    )
    flips = (pl.col("action_by_score") != pl.col("action_without")) & ~pl.col("forced")
    kept = [
        "scan",
        *_known(scans, "time", "queue_id", "message_key"),
        "action",
        "score",
        "symbol",
        "symbol_score",
        "share",
    ]
    told = judged.with_columns(flips.alias("flips")).sort(
        "scan", pl.col("symbol_score").abs(), descending=[False, True], maintain_order=True
    )
    return told.select(*kept, "score_without", "action_by_score", "action_without", "flips")


def symbol_statistics(
    scans: pl.DataFrame,
    *,
    reject_score: float | None = None,
    junk_score: float = 6.0,
    all_symbols: bool = True,
) -> pl.DataFrame:
    """Each symbol with how often it was hit and what hung on it, the most frequent first.

    Columns: symbol, hits, hit_share (of all scans), average_score, ham_hits, junk_hits, spam_hits (by score: below `junk_score`,
    below `reject_score`, above; the score that the scan itself required when that is None), ham_share, junk_share,
    spam_share (of the hits), spam_flips and junk_flips (verdicts that would fall into another class without the symbol),
    p50 and p95 of its score. With ``all_symbols=False`` hits with a score under 0.1 are left out, as logstats does.

    >>> scan = {"action": "reject", "score": 16.0, "required_score": 15.0, "symbols": [{"name": "A", "score": 9.0}, {"name": "B", "score": 0.5}]}
    >>> symbol_statistics(pl.DataFrame([scan])).select("symbol", "spam_hits", "spam_flips").rows()
    [('A', 1, 1), ('B', 1, 0)]
    """
    _require(scans, "score", "required_score", "symbols")
    reject = pl.lit(reject_score) if reject_score is not None else pl.col("required_score")
    rows = _symbols(scans)
    rows = rows if all_symbols else rows.filter(pl.col("symbol_score").abs() >= _NEGLIGIBLE)
    without = pl.col("score") - pl.col("symbol_score")
    spam = pl.col("score") >= reject
    junk = (pl.col("score") >= junk_score) & ~spam
    raised = pl.col("symbol_score") > 0
    lowered = pl.col("symbol_score") < 0
    spam_flip = (raised & spam & (without < reject)) | (lowered & ~spam & (without >= reject))
    junk_flip = (raised & junk & (without < junk_score)) | (lowered & ~junk & (without >= junk_score))
    table = rows.group_by("symbol").agg(
        pl.len().alias("hits"),
        pl.col("symbol_score").mean().alias("average_score"),
        junk.sum().alias("junk_hits"),
        spam.sum().alias("spam_hits"),
        spam_flip.sum().alias("spam_flips"),
        junk_flip.sum().alias("junk_flips"),
        pl.col("symbol_score").quantile(0.5, "linear").alias("p50"),
        pl.col("symbol_score").quantile(0.95, "linear").alias("p95"),
    )
    shares = table.with_columns(
        (pl.col("hits") - pl.col("junk_hits") - pl.col("spam_hits")).alias("ham_hits")
    ).with_columns(
        (pl.col("hits") / max(scans.height, 1)).alias("hit_share"),
        *(
            (pl.col(f"{kind}_hits") / pl.col("hits")).alias(f"{kind}_share")
            for kind in ("ham", "junk", "spam")
        ),
    )
    return shares.sort("hits", "symbol", descending=[True, False]).select(
        "symbol", "hits", "hit_share", "average_score", "ham_hits", "junk_hits", "spam_hits", "ham_share", "junk_share",
        "spam_share", "spam_flips", "junk_flips", "p50", "p95",
    )  # fmt: skip


def action_statistics(scans: pl.DataFrame) -> pl.DataFrame:
    """Each action with its scans, their share, scores and scan times (seconds), the most frequent first.

    Columns: action, scans, share, forced, average_score, scan_time_min_s, scan_time_mean_s, scan_time_p95_s, scan_time_max_s.

    >>> frame = pl.DataFrame({"action": ["reject", "reject", "no action"], "score": [20.0, None, 1.0], "scan_time_s": [1.0, 3.0, 0.1]})
    >>> action_statistics(frame).select("action", "scans", "scan_time_mean_s").row(0)
    ('reject', 2, 2.0)
    """
    _require(scans, "action", "score", "scan_time_s")
    seconds = pl.col("scan_time_s")
    forced = pl.col("forced_action").is_not_null() if "forced_action" in scans.columns else pl.lit(False)
    table = (
        scans.with_columns(forced.alias("is_forced"), pl.col("action").cast(pl.String))
        .group_by("action")
        .agg(
            pl.len().alias("scans"),
            (pl.len() / max(scans.height, 1)).alias("share"),
            pl.col("is_forced").sum().alias("forced"),
            pl.col("score").fill_nan(None).mean().alias("average_score"),
            seconds.min().alias("scan_time_min_s"),
            seconds.mean().alias("scan_time_mean_s"),
            seconds.quantile(0.95, "linear").alias("scan_time_p95_s"),
            seconds.max().alias("scan_time_max_s"),
        )
    )
    return table.sort("scans", "action", descending=[True, False])


def score_histogram(scans: pl.DataFrame, *, width: float = 1.0) -> pl.DataFrame:
    """How many scans fall into each band of scores: from_score, to_score, scans; bands without scans are there with 0.

    >>> score_histogram(pl.DataFrame({"score": [0.2, 0.4, 2.5, None]})).rows()
    [(0.0, 1.0, 2), (1.0, 2.0, 0), (2.0, 3.0, 1)]
    """
    if not width > 0:
        raise OptionError(f"width is {width}; a band of scores is wider than 0.")
    _require(scans, "score")
    known = scans.select(pl.col("score").cast(pl.Float64) / width).filter(pl.col("score").is_finite())
    bands = known.select(pl.col("score").floor().cast(pl.Int64).alias("band")).group_by("band").len("scans")
    lowest, highest = bands["band"].min(), bands["band"].max()
    if not isinstance(lowest, int) or not isinstance(highest, int):
        return pl.DataFrame(schema={"from_score": pl.Float64, "to_score": pl.Float64, "scans": pl.UInt32})
    full = pl.DataFrame({"band": range(lowest, min(highest, lowest + 10_000) + 1)}, schema={"band": pl.Int64})
    counted = full.join(bands, on="band", how="left", maintain_order="left").with_columns(
        pl.col("scans").fill_null(0)
    )
    return counted.select(
        (pl.col("band") * width).alias("from_score"),
        ((pl.col("band") + 1) * width).alias("to_score"),
        "scans",
    )


def verdicts_by(scans: pl.DataFrame, by: Sequence[str]) -> pl.DataFrame:
    """How the scans of each group were judged: one row per group, those with the highest average score first.

    `by` are columns of the table (sender, client_ip, user, host, engine, ...); ``recipient`` stands for each one of recipients,
    ``sender_domain`` for the domain of the sender, ``hour`` and ``day`` for the time. Columns: those of `by`, scans,
    average_score, max_score, spam (is_spam), spam_share. Raises `OptionError` for a column that is not there.

    >>> frame = pl.DataFrame({"sender": ["a@x.test", "b@x.test"], "score": [9.0, 1.0], "is_spam": [True, False]})
    >>> verdicts_by(frame, ["sender_domain"]).row(0)
    ('x.test', 2, 5.0, 9.0, 1, 0.5)
    """
    frame = scans
    if "recipient" in by and "recipients" in frame.columns:
        frame = frame.explode("recipients").rename({"recipients": "recipient"})
    if "sender_domain" in by and "sender" in frame.columns:
        frame = frame.with_columns(
            pl.col("sender").str.extract("@([^@>]*)>?$").str.to_lowercase().alias("sender_domain")
        )
    for name, step in (("hour", "1h"), ("day", "1d")):
        if name in by and "time" in frame.columns:
            frame = frame.with_columns(pl.col("time").dt.truncate(step).alias(name))
    _require(frame, *by, "score", "is_spam")
    score = pl.col("score").fill_nan(None)
    table = frame.group_by(*by, maintain_order=True).agg(
        pl.len().alias("scans"),
        score.mean().alias("average_score"),
        score.max().alias("max_score"),
        pl.col("is_spam").sum().alias("spam"),
        pl.col("is_spam").mean().alias("spam_share"),
    )
    return table.sort("average_score", descending=True, nulls_last=True, maintain_order=True)


def header_against_log(scans: pl.DataFrame) -> pl.DataFrame:
    """Verdicts that a header states beside those that the log holds for the same message, matched by Message-ID.

    Columns: message_id, engine, header_score, log_score, header_action, log_action, agree (the scores differ by less than
    0.05; null when one is unknown). A header that no log row stands against is there with nulls: it was written elsewhere,
    or by somebody else.

    >>> frame = pl.DataFrame({"origin": ["header", "log"], "message_id": ["<1@x>", "<1@x>"], "engine": ["rspamd"] * 2, "score": [3.0, 3.01], "action": [None, "no action"]})
    >>> header_against_log(frame)["agree"].to_list()
    [True]
    """
    _require(scans, "origin", "message_id", "engine", "score", "action")
    rows = scans.with_columns(pl.col("origin", "action").cast(pl.String), pl.col("score").fill_nan(None))

    def verdicts(origin: str, prefix: str) -> pl.DataFrame:
        part = rows.filter((pl.col("origin") == origin) & pl.col("message_id").is_not_null())
        return part.select(
            "message_id",
            "engine",
            pl.col("score").alias(f"{prefix}_score"),
            pl.col("action").alias(f"{prefix}_action"),
        )

    logged = verdicts("log", "log").unique(["message_id", "engine"], keep="last", maintain_order=True)
    pairs = verdicts("header", "header").join(
        logged, on=["message_id", "engine"], how="left", maintain_order="left"
    )
    agree = (pl.col("header_score") - pl.col("log_score")).abs() < 0.05
    return pairs.with_columns(agree.alias("agree")).select(
        "message_id", "engine", "header_score", "log_score", "header_action", "log_action", "agree"
    )


def greylisted(scans: pl.DataFrame) -> pl.DataFrame:
    """What became of mail that was greylisted or softly refused: the next verdict on the same Message-ID, if any came.

    Columns: message_id, time, action, came_back (bool), waited_s (seconds until the next try), next_action.

    >>> from datetime import datetime
    >>> frame = pl.DataFrame({"message_id": ["<1@x>", "<1@x>"], "action": ["greylist", "no action"], "time": [datetime(2026, 3, 2, 10), datetime(2026, 3, 2, 10, 5)]})
    >>> greylisted(frame).select("came_back", "waited_s", "next_action").row(0)
    (True, 300.0, 'no action')
    """
    _require(scans, "message_id", "time", "action")
    tries = (
        scans.drop_nulls("message_id")
        .with_columns(pl.col("action").cast(pl.String))
        .sort("time", maintain_order=True)
    )
    following = tries.with_columns(
        pl.col("action").shift(-1).over("message_id").alias("next_action"),
        ((pl.col("time").shift(-1).over("message_id") - pl.col("time")).dt.total_microseconds() / 1e6).alias(
            "waited_s"
        ),
    ).with_columns(pl.col("next_action").is_not_null().alias("came_back"))
    soft = following.filter(pl.col("action").is_in(["greylist", "soft reject"]))
    return soft.select("message_id", "time", "action", "came_back", "waited_s", "next_action")


def _symbols(scans: pl.DataFrame) -> pl.DataFrame:
    """One row per symbol: scan, the columns of the scan, symbol, symbol_score; a score that is no number is null."""
    forced = pl.lit(False)
    for name in _known(scans, "forced_action"):
        forced = forced | pl.col(name).is_not_null()
    for name in _known(scans, "is_skipped"):
        forced = forced | pl.col(name).fill_null(False)
    rows = scans.with_row_index("scan").with_columns(
        forced.alias("forced"), pl.col("score").cast(pl.Float64).fill_nan(None)
    )
    fields = pl.col("symbols").struct
    single = rows.explode("symbols").filter(pl.col("symbols").is_not_null())
    return single.with_columns(
        fields.field("name").alias("symbol"),
        fields.field("score").cast(pl.Float64).fill_nan(None).fill_null(0.0).alias("symbol_score"),
    ).drop("symbols")


def _action(score: str, thresholds: Mapping[str, float]) -> pl.Expr:
    """The action that follows from a score: reject from the required score on, then those of `thresholds`."""
    choice = pl.when(pl.col(score).is_not_null()).then(pl.lit("no action")).otherwise(pl.lit(None, pl.String))
    for action, least in sorted(thresholds.items(), key=lambda each: each[1]):
        choice = pl.when(pl.col(score) >= least).then(pl.lit(action)).otherwise(choice)
    return pl.when(pl.col(score) >= pl.col("required_score")).then(pl.lit("reject")).otherwise(choice)


def _known(frame: pl.DataFrame, *columns: str) -> list[str]:
    return [name for name in columns if name in frame.columns]


def _require(frame: pl.DataFrame, *columns: str) -> None:
    missing = [name for name in columns if name not in frame.columns]
    if missing:
        raise OptionError(
            f"the table has no column {', '.join(missing)}; give the table scans or a part of it."
        )
