"""Where a header and a log contradict each other: a Received field names a queue id that the log of its host has not.

    Received: from a by mx.example.org (Postfix) with ESMTPS id 4jYBcn5tsv; Mon, 2 Mar 2026 10:02:12 +0100
    mx's log holds that minute, but no queue id 4jYBcn5tsv

The log of a server of ours is evidence that the sender could not write; the field may be anyone's.
"""

from __future__ import annotations

import datetime as dt

import polars as pl

from mailforensics.findings.rows import finding_rows

Frame = pl.DataFrame

TOLERANCE = dt.timedelta(minutes=10)
"""How far the stamp of a field may be from the lines of its queue id."""


def unlogged_hops(hops: Frame, headers: Frame, messages: Frame, covered: Frame, gaps: Frame) -> Frame:
    """Findings about hops that Postfix is said to have written on a host whose log we hold, but without that queue id.

    covered   host, from, to: the stretch for which each host's log is held
    gaps      host, from, to: pauses in it
    """
    named = hops.filter(
        (pl.col("format") == "postfix") & pl.col("id").is_not_null() & pl.col("time").is_not_null()
    )
    named = named.with_columns(host=_label(pl.col("by_name"))).join(
        covered.with_columns(label=_label(pl.col("host"))).rename({"host": "log_of"}), left_on="host", right_on="label"
    )  # fmt: skip
    named = named.filter(
        (pl.col("time") - TOLERANCE >= pl.col("from")) & (pl.col("time") + TOLERANCE <= pl.col("to"))
    )
    lives = messages.select(
        log_of="host",
        id="queue_id",
        first=pl.min_horizontal("received_time", "queued_time"),
        last="removed_time",
    )
    here = named.join(lives, on=["log_of", "id"]).filter(
        (pl.col("time") >= pl.col("first") - TOLERANCE)
        & (pl.col("time") <= pl.max_horizontal("first", "last") + TOLERANCE)
    )
    missing = named.join(here, on=["document_id", "hop"], how="anti").join(
        gaps.select(log_of="host", gap_from="from", gap_to="to"), on="log_of", how="left"
    )
    in_gap = (
        pl.col("time")
        .is_between(pl.col("gap_from") - TOLERANCE, pl.col("gap_to") + TOLERANCE)
        .fill_null(False)
    )
    missing = missing.group_by(
        "document_id", "hop", "ordinal", "log_of", "id", "time", maintain_order=True
    ).agg(gap=in_gap.any())
    lines = headers.select("document_id", "ordinal", evidence=pl.concat_list("event_id"))
    found = missing.filter(~pl.col("gap")).join(lines, on=["document_id", "ordinal"], how="left")
    return finding_rows(
        found.with_columns(host="log_of"), finding="hop_not_in_log", severity="warning",
        subject=pl.format("message {}, hop {}", "document_id", "hop"),
        sentence=pl.format(
            "Hop {} says that {} took the message as {} at {} UTC; the log of {} covers that time and has no such queue id.",
            "hop", "log_of", "id", pl.col("time").dt.strftime("%Y-%m-%d %H:%M:%S"), "log_of",
        ),
        rule="contradiction.hop_not_in_log", certainty="not_seen",
        innocent="Another host of the same name, or lines that are missing from the log.", source="RFC 5321 §4.4",
    )  # fmt: skip


def _label(name: pl.Expr) -> pl.Expr:
    """The first label of a host name in lower case: logs know ``mx``, headers ``mx.example.org``."""
    return name.str.to_lowercase().str.extract(r"^([^.]+)")
