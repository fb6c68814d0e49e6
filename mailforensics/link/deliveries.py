"""One row per recipient and attempt, from the delivery lines of all agents; causes for what was not sent."""

from __future__ import annotations

from collections.abc import Mapping

import polars as pl

from mailforensics.link.lives import in_time
from mailforensics.link.log import Frame, Log, domain_of, ensure

_FIELDS: dict[str, type[pl.DataType]] = {
    "recipient": pl.String, "original_recipient": pl.String, "relay_name": pl.String, "relay_ip": pl.String,
    "relay_port": pl.Int64, "relay_socket": pl.String, "connection_reuse": pl.Int64, "delay_s": pl.Float64,
    "delay_before_queue_s": pl.Float64, "delay_in_queue_s": pl.Float64, "delay_connect_s": pl.Float64,
    "delay_transmit_s": pl.Float64, "tls": pl.String, "dsn": pl.String, "status": pl.String, "response": pl.String,
    "reply_code": pl.Int64, "enhanced_code": pl.String, "stage": pl.String, "remote_queue_id": pl.String,
    "remote_session_id": pl.String, "next_queue_id": pl.String, "next_form": pl.String,
}  # fmt: skip


def deliveries(log: Log, same: Mapping[str, str]) -> Frame:
    """The deliveries table without causes (``findings`` adds those), in time order. `same`: other names of hosts."""
    columns = ("time", "daemon", "pid", "message_key", "host", "queue_id")
    table = ensure(log.kind("postfix.delivery", *columns), **_FIELDS).drop_nulls("message_key")
    table = in_time(table).with_columns(
        host=pl.col("host").replace(same) if same else pl.col("host"),
        agent=pl.col("daemon"),
        recipient_domain=domain_of(pl.col("recipient")),
        tls_level=pl.col("tls").str.extract(r"\A!?([a-z-]+)", 1),
        status=pl.col("status").str.to_lowercase().replace({"softbounce": "deferred"}),
    )
    attempt = pl.int_range(1, pl.len() + 1, dtype=pl.Int32).over("message_key", "recipient")
    known = ["sent", "deferred", "bounced", "expired", "undeliverable", "deliverable"]
    return table.with_columns(
        attempt.alias("attempt"),
        evidence=pl.concat_list("event_id"),
        status=pl.when(pl.col("status").is_in(known)).then("status").otherwise(None),
    )
