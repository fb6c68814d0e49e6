"""Message files beside logs: the queue ids in their Received fields are the log's own names for the same message.

    Received: from mail.example.com (...) by mx.example.org (Postfix) with ESMTPS id 4jYJ2p35Tlz4G ...      the life 4jYJ2p35Tlz4G on mx

Anybody can write a Received field, so an id alone joins nothing: the life must have begun when the field says, and its
Message-ID must be that of the file (or be unknown).
"""

from __future__ import annotations

import polars as pl

from mailforensics.link.log import Frame

NEAR_S = (
    120  # a Received field is stamped when the message comes in, to the second, by the clock of the same host
)


def documents_in_log(documents: Frame, hops: Frame, messages: Frame) -> Frame:
    """Which queue life each Received field of a file is about: document_id, hop, message_key."""
    named = hops.filter(pl.col("id").is_not_null() & pl.col("time").is_not_null()).select(
        "document_id", "hop", "time", pl.col("id").alias("queue_id")
    )
    ids = documents.select("document_id", pl.col("message_id").alias("file_id"))
    lives = messages.select("message_key", "queue_id", "message_id", "received_time")
    both = named.join(lives, on="queue_id").join(ids, on="document_id", how="left")
    near = (pl.col("time") - pl.col("received_time")).abs() <= pl.duration(seconds=NEAR_S)
    same = (_bare("message_id") == _bare("file_id")).fill_null(True)
    best = both.filter(near & same).sort(
        "document_id", "hop", (pl.col("time") - pl.col("received_time")).abs()
    )
    return best.unique(["document_id", "hop"], keep="first", maintain_order=True).select(
        "document_id", "hop", "message_key"
    )


def _bare(name: str) -> pl.Expr:
    return pl.col(name).str.strip_chars("<> ")


def header_links(documents: Frame, hops: Frame, messages: Frame) -> Frame:
    """Lives that stand one above the other in the Received fields of one file: one was made from the other.

    Fields between them that are in no log (a filter's, another server's) do not break the chain.
    """
    found = documents_in_log(documents, hops, messages).sort("document_id", "hop")
    pairs = found.with_columns(from_key=pl.col("message_key").shift().over("document_id")).drop_nulls(
        "from_key"
    )
    pairs = pairs.filter(pl.col("from_key") != pl.col("message_key"))
    return pairs.select(
        "from_key", pl.col("message_key").alias("to_key"), pl.lit("header_id").alias("method"), pl.lit(0.95).alias("confidence"),
        pl.col("message_key").alias("event_id"),
    ).unique(["from_key", "to_key"], maintain_order=True)  # fmt: skip
