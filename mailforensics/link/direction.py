"""Which way a message goes, seen from our servers.

submission   a user of ours handed it in (login, or from this host)
outbound     it leaves for a server that is not ours
inbound      it came from outside and ends here
internal     it began here and ends here
"""

from __future__ import annotations

from collections.abc import Sequence

import polars as pl

from mailforensics.link.log import Frame

_HERE = ["local", "virtual", "lmtp", "pipe"]


def directions(messages: Frame, deliveries: Frame, domains: Sequence[str] = ()) -> Frame:
    """message_key and direction. The agents tell where mail goes; configured domains tell it where no delivery was seen."""
    agents = deliveries.group_by("message_key").agg(
        pl.col("agent").is_in(_HERE).any().alias("ends_here"),
        ((pl.col("agent") == "smtp") & ~pl.col("relay_ip").fill_null("").str.starts_with("127."))
        .any()
        .alias("leaves"),
        pl.col("recipient_domain").is_in(list(domains)).any().alias("to_us"),
    )
    rows = messages.select("message_key", "sasl_username", "client_ip", "origin", "sender_domain").join(
        agents, on="message_key", how="left"
    )
    ends_here = pl.col("ends_here").fill_null(False) | pl.col("to_us").fill_null(False)
    ours = (
        pl.col("client_ip").is_null()
        | pl.col("client_ip").str.starts_with("127.")
        | (pl.col("client_ip") == "::1")
    )
    return rows.select(
        "message_key",
        pl.when(pl.col("sasl_username").is_not_null()).then(pl.lit("submission"))
        .when(pl.col("leaves").fill_null(False) & ~pl.col("ends_here").fill_null(False)).then(pl.lit("outbound"))
        .when(ends_here & ours).then(pl.lit("internal"))
        .when(ends_here).then(pl.lit("inbound"))
        .otherwise(pl.lit("unknown"))
        .alias("direction"),
    )  # fmt: skip
