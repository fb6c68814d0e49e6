"""Slow connections told apart: what the delivering process said of name service, addresses, greeting and TLS meanwhile.

    postfix/smtp[2546]: connect to mx1.example.net[192.0.2.10]:25: Connection timed out
    postfix/smtp[2546]: 4jYDGq425VzsLq: to=<anna@example.net>, relay=mx2.example.net[192.0.2.11]:25, delay=31, delays=0.1/0/30/0.9, ...

Postfix measures the connection setup as one number (``delays=``, third part: name service, connecting, greeting, EHLO and TLS
together). Which of them took the time is known where the process, or the answer itself, names it in that stretch: an address
that did not answer before the next one was tried, a greeting that did not come, a handshake that failed. Otherwise it is not
in the log, and ``not_logged`` says so. Sources: Postfix ``src/smtp/smtp_connect.c``, ``smtp_proto.c``, ``smtp_trouble.c``.
"""

from __future__ import annotations

import polars as pl

Frame = pl.DataFrame

SIGNS = {
    "name_service": r"Name service error|Host or domain name not found|[Hh]ost .*not found|hostname .*(?:lookup|resol)|no MX host for",
    "address": r"connect to [^ ]+: (?:Connection (?:timed out|refused)|No route|Network is unreachable|Operation timed out)",
    "greeting": r"initial server greeting|performing the (?:EHLO|HELO|LHLO) handshake|refused to talk to me",
    "tls": r"SSL_connect error|TLS library problem|Cannot start TLS|TLS (?:handshake|session|connection).*(?:fail|error|timed out)|STARTTLS",
}
"""What a slow setup is blamed on, and the words that give it away."""

_EDGE_S = 1.0  # whole seconds in many logs


def slow_connections(deliveries: Frame, events: Frame, *, least_s: float = 1.0) -> Frame:
    """Deliveries whose connection took `least_s` seconds or more to set up, the slowest first, and what took the time.

    `events` are the rows of that table (event_id, time, host, program, pid, text). Columns: message_key, recipient, relay_name,
    time, status, delay_connect_s, because (a list of the names of `SIGNS`; ``not_logged`` where nothing in the log tells),
    evidence (the lines that tell, and the delivery's own).

    >>> slow_connections(pl.DataFrame(schema={"delay_connect_s": pl.Float64}), pl.DataFrame()).height
    0
    """
    slow = deliveries.filter(pl.col("delay_connect_s") >= least_s)
    if not slow.height:
        return pl.DataFrame(schema=_SCHEMA)
    tries = slow.with_row_index("try_").with_columns(event_id=pl.col("evidence").list.last())
    own = events.select("event_id", "host", "program", "pid")
    placed = tries.join(own, on="event_id", how="left")
    said = pl.concat([_answers(placed), _said_meanwhile(placed, events)])
    told = said.group_by("try_").agg(
        pl.col("because").unique().sort(), pl.col("line").drop_nulls().unique().sort()
    )
    found = placed.join(told, on="try_", how="left").sort(
        "delay_connect_s", descending=True, maintain_order=True
    )
    lines = pl.concat_list(
        pl.col("line").fill_null(pl.lit([], dtype=pl.List(pl.Int64))), "evidence"
    ).list.unique().list.sort()  # fmt: skip
    return found.select(
        "message_key", "recipient", "relay_name", "time", "status", "delay_connect_s",
        pl.col("because").fill_null(pl.lit(["not_logged"])), lines.alias("evidence"),
    )  # fmt: skip


_SCHEMA: dict[str, pl.DataType | type[pl.DataType]] = {
    "message_key": pl.Int64, "recipient": pl.String, "relay_name": pl.String, "time": pl.Datetime("us", "UTC"), "status": pl.String,
    "delay_connect_s": pl.Float64, "because": pl.List(pl.String), "evidence": pl.List(pl.Int64),
}  # fmt: skip


def _answers(placed: Frame) -> Frame:
    """What the delivery's own response names."""
    return _signs(placed.select("try_", text="response", line=pl.lit(None, pl.Int64)))


def _said_meanwhile(placed: Frame, events: Frame) -> Frame:
    """What the process wrote between the begin of the setup and its end."""
    seconds = pl.duration(microseconds=1)
    end = pl.col("time") - seconds * (pl.col("delay_transmit_s").fill_null(0) * 1e6).cast(pl.Int64)
    begin = end - seconds * (pl.col("delay_connect_s") * 1e6).cast(pl.Int64)
    edge = pl.duration(microseconds=int(_EDGE_S * 1e6))
    windows = placed.drop_nulls("pid").select(
        "try_", "host", "program", "pid", begin=begin - edge, end=end + edge
    )
    lines = events.select("host", "program", "pid", "text", line="event_id", said="time").join(
        windows.select("host", "program", "pid").unique(), on=["host", "program", "pid"], how="semi"
    )
    pairs = windows.join(lines, on=["host", "program", "pid"])
    return _signs(
        pairs.filter(pl.col("said").is_between(pl.col("begin"), pl.col("end"))).select("try_", "text", "line")
    )


def _signs(said: Frame) -> Frame:
    """try_, because, line: one row for each sign that a text gives."""
    parts = [
        said.filter(pl.col("text").str.contains(words).fill_null(False)).select(
            "try_", "line", because=pl.lit(name)
        )
        for name, words in SIGNS.items()
    ]
    return pl.concat(parts).select("try_", "because", "line")
