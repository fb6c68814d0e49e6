"""One row per connection: SMTP sessions by process, IMAP, POP3 and ManageSieve sessions by Dovecot's session id.

    postfix/smtpd[22]: connect from c[192.0.2.7] ... disconnect from c[192.0.2.7] ehlo=1 mail=1 rcpt=1 data=1 quit=1 commands=5
    dovecot: imap-login: Logged in: user=<bob>, method=PLAIN, rip=192.0.2.7, ..., session=<S>   imap(bob)<9><S>: Disconnected: ...

A process of smtpd serves one connection at a time, so everything it writes between connect and disconnect is one session: TLS
lines and commands, which carry no queue id, belong to the messages of that session.
"""

from __future__ import annotations

import polars as pl

from mailforensics.link.lives import in_time
from mailforensics.link.log import QUEUE, Frame, Log, ensure

_TLS = {"tls_version": pl.String, "tls_cipher": pl.String}
_DECIDED: dict[str, pl.DataType | type[pl.DataType]] = {
    "event_id": pl.Int64, "time": pl.Datetime("us", "UTC"), "recipient": pl.String, "sender": pl.String, "helo": pl.String,
    "protocol": pl.String, "action": pl.String,
}  # fmt: skip
BROUGHT: dict[str, pl.DataType | type[pl.DataType]] = {
    "event_id": pl.Int64, "message_key": pl.Int64, "node": pl.UInt64, **_TLS, "broken": pl.Boolean,
    "decided": pl.List(pl.Struct(_DECIDED)),
}  # fmt: skip


def smtp_sessions(log: Log) -> Frame:
    """Sessions of smtpd (submission services included)."""
    mine = log.events.lazy().filter(
        (pl.col("daemon") == "smtpd") & pl.col("pid").is_not_null() & pl.col("kind").is_not_null()
    )
    rows = mine.select("event_id", "time", "host", "instance", "pid", "kind").collect()
    if not rows.height:
        return rows.select(pl.col("event_id").alias("session_key")).clear()
    rows = in_time(rows).with_columns(process=pl.struct("host", "instance", "pid").hash())
    rows = rows.sort("process", maintain_order=True)
    changed = rows["process"] != rows["process"].shift()
    begins = changed | (rows["kind"] == "postfix.smtpd.connect")
    after_end = (rows["kind"].shift() == "postfix.smtpd.disconnect").fill_null(False)
    rows = rows.with_columns((begins | after_end).fill_null(True).cum_sum().set_sorted().alias("part"))
    base = rows.group_by("part", maintain_order=True).agg(
        pl.col("event_id").first().alias("session_key"), pl.col("host").first(), pl.col("instance").first(), pl.col("pid").first(),
        pl.col("time").first().alias("start_time"), pl.col("event_id").alias("evidence"),
        pl.col("time").last().alias("end_time"), (pl.col("kind").last() == "postfix.smtpd.disconnect").alias("ended"),
    ).with_columns(end_time=pl.when("ended").then("end_time")).drop("ended")  # fmt: skip
    log = log.marked(rows["event_id"], part=rows["part"])
    for found in (_connect(log), _disconnect(log), _tls(log), _client(log), _failed(log)):
        base = base.join(found, on="part", how="left")
    return base.with_columns(
        program=pl.col("instance") + "/smtpd",
        protocol=_protocol(),
        auth_outcome=pl.when(pl.col("username").is_not_null())
        .then(pl.lit("ok"))
        .when(pl.col("auth_failures") > 0)
        .then(pl.lit("failed")),
        message_keys=pl.col("message_keys").fill_null(pl.lit([], dtype=pl.List(pl.Int64))),
    ).drop("part")


def brought(log: Log, sessions: Frame, decided: Frame) -> Frame:
    """What sessions say of the messages that they brought (``BROUGHT``); event_id and message_key are the line with client=.

    ``broken``: the client broke it off, and the line that says so names no queue id (before Postfix 3.10); it is about the last
    message of the same process then. ``decided``: the lines (of ``decided_before``) in which an access table discarded
    or held it before it had its queue id.
    """
    if "message_keys" not in sessions.columns:
        return pl.DataFrame(schema=BROUGHT)
    keys = sessions.select(pl.col("message_keys").alias("message_key"), *_TLS)
    keys = keys.explode("message_key", empty_as_null=True).drop_nulls("message_key")
    keys = keys.unique("message_key", keep="first", maintain_order=True)
    process = ["host", "instance", "pid"]
    lost = log.kind("postfix.smtpd.lost", "time", "queue_id", *process)
    lost = lost.filter(pl.col("queue_id").is_null()).select("time", *process).sort("time")
    clients = in_time(log.kind("postfix.smtpd.client", "time", "queue_id", *process)).drop_nulls("queue_id")
    clients = clients.with_columns(message_key=pl.col("event_id"))
    last = lost.join_asof(
        clients.select("time", "message_key", *process), on="time", by=process, strategy="backward", tolerance="1h",
        check_sortedness=False,
    )  # fmt: skip
    nodes = clients.select("event_id", "message_key", pl.col("queue_id").hash(QUEUE).alias("node"))
    broken = pl.col("message_key").is_in(last["message_key"].drop_nulls().implode())
    lines = (
        decided.drop_nulls("message_key").group_by("message_key").agg(pl.struct(*_DECIDED).alias("decided"))
    )
    found = keys.join(nodes, on="message_key").with_columns(broken=broken)
    return found.join(lines, on="message_key", how="left", maintain_order="left").select(*BROUGHT)


def decided_before(log: Log, noticed: Frame) -> Frame:
    """The notices of access tables that discard or hold a mail which has no queue id yet, each with the ``message_key`` of that mail.

    NOQUEUE: discard: RCPT from c[192.0.2.7]: <x>: Recipient address triggers DISCARD action; ...
    3F2A1C0B2: client=c[192.0.2.7]                          the first that this process takes from this client then
    """
    mine = noticed.filter(
        pl.col("message_key").is_null()
        & pl.col("queue_id").is_null()
        & pl.col("action").is_in(["discard", "hold"])
    )
    if not mine.height:
        return mine
    client = ["host", "instance", "pid", "client_ip"]
    taken = ensure(
        log.kind("postfix.smtpd.client", "time", "queue_id", "host", "instance", "pid"), client_ip=pl.String
    )
    taken = (
        in_time(taken).drop_nulls("queue_id").select("time", *client, pl.col("event_id").alias("message_key"))
    )
    return mine.drop("message_key").drop_nulls("time").sort("time").join_asof(
        taken, on="time", by=client, strategy="forward", tolerance="5m", check_sortedness=False
    )  # fmt: skip


def decisions(brought: Frame) -> Frame:
    """The decisions on what sessions brought, as notices of their messages."""
    rows = (
        brought.select("message_key", "decided").explode("decided", empty_as_null=True).drop_nulls("decided")
    )
    rows = rows.unnest("decided")
    return rows.with_columns(kind=pl.lit("postfix.smtpd.reject"), evidence=pl.concat_list("event_id"))


def _protocol() -> pl.Expr:
    instance = pl.col("instance").str.to_lowercase()
    return (
        pl.when(instance.str.contains("smtps|submissions")).then(pl.lit("submissions"))
        .when(instance.str.contains("submission")).then(pl.lit("submission"))
        .otherwise(pl.lit("smtp"))
    )  # fmt: skip


def _of(log: Log, kind: str, **columns: type[pl.DataType]) -> Frame:
    return ensure(log.kind(kind, "part", "queue_id"), **columns).drop_nulls("part")


def _connect(log: Log) -> Frame:
    table = _of(
        log, "postfix.smtpd.connect", client_name=pl.String, client_ip=pl.String, client_port=pl.Int64
    )
    return table.unique("part", keep="first").select("part", "client_name", "client_ip", "client_port")


def _disconnect(log: Log) -> Frame:
    table = _of(log, "postfix.smtpd.disconnect")
    if "commands" not in table.columns:
        kind = pl.List(pl.Struct({"command": pl.String, "accepted": pl.Int64, "tried": pl.Int64}))
        table = table.with_columns(commands=pl.lit(None, dtype=kind))
    return table.unique("part", keep="last").select(
        "part", "commands", pl.lit("disconnect").alias("close_reason")
    )


def _tls(log: Log) -> Frame:
    table = _of(log, "postfix.tls.established", **_TLS)
    return table.unique("part", keep="first").select("part", *_TLS)


def _client(log: Log) -> Frame:
    table = _of(log, "postfix.smtpd.client", sasl_method=pl.String, sasl_username=pl.String)
    # a line with client= is the first of its life, and so its key
    key = pl.when(pl.col("queue_id").is_not_null()).then("event_id")
    return table.group_by("part").agg(
        key.drop_nulls().alias("message_keys"),
        pl.col("sasl_username").drop_nulls().first().alias("username"),
        pl.col("sasl_method").drop_nulls().first().alias("auth_method"),
    )


def _failed(log: Log) -> Frame:
    table = _of(log, "postfix.smtpd.auth_failed")
    return table.group_by("part").agg(pl.len().cast(pl.Int32).alias("auth_failures"))


def dovecot_sessions(log: Log) -> Frame:
    """Sessions of IMAP, POP3, ManageSieve and submission users, by Dovecot's session id."""
    good = log.kind("dovecot.login", "time", "host", "daemon", "pid", "session_id")
    bad = log.kind("dovecot.login_failed", "time", "host", "daemon", "pid", "session_id")
    logins = pl.concat(
        [good.with_columns(auth_outcome=pl.lit("ok")), bad.with_columns(auth_outcome=pl.lit("failed"))],
        how="diagonal_relaxed",
    )
    if not logins.height:
        return pl.DataFrame(schema={"session_key": pl.Int64})
    logins = ensure(
        logins,
        username=pl.String,
        auth_method=pl.String,
        client_ip=pl.String,
        local_ip=pl.String,
        tls=pl.String,
        auth_failures=pl.Int64,
        reason=pl.String,
    )
    ends = ensure(
        log.kind("dovecot.session_end", "time", "session_id", "host"),
        bytes_in=pl.Int64,
        bytes_out=pl.Int64,
        close_reason=pl.String,
    )
    ends = (
        ends.filter(pl.col("session_id").is_not_null())
        .unique(["host", "session_id"], keep="last")
        .select(
            "host",
            "session_id",
            pl.col("time").alias("end_time"),
            "bytes_in",
            "bytes_out",
            pl.col("close_reason"),
            pl.col("event_id").alias("end_event"),
        )
    )
    both = logins.join(ends, on=["host", "session_id"], how="left", nulls_equal=False)
    service = pl.col("daemon").str.strip_suffix("-login")
    known = ["imap", "pop3", "managesieve", "submission"]
    return both.select(
        pl.col("event_id").alias("session_key"), "host", pl.col("daemon").alias("program"), "pid", "session_id",
        pl.when(service.is_in(known)).then(service).otherwise(None).alias("protocol"),
        pl.col("time").alias("start_time"), "end_time", "client_ip", "local_ip", "auth_method", "username", "auth_outcome",
        pl.col("auth_failures").cast(pl.Int32, strict=False), "bytes_in", "bytes_out",
        pl.coalesce("close_reason", "reason").alias("close_reason"),
        pl.concat_list("event_id", "end_event").list.drop_nulls().alias("evidence"),
    )  # fmt: skip
