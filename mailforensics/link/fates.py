"""What became of each recipient's copy in one queue life, before links are followed.

    status=sent (250 2.0.0 <bob@example.org> kztSJHp+BGtaAgAAYIgGOA Saved)   + discard action    discarded_by_sieve
    status=sent (250 2.0.0 Ok: queued as 4jYBcn5tsv)                                            handed_to_remote, or on to that life
    status=deferred (...), then postsuper -d                                                    deleted_from_queue

"sent" means that the next server took the message. The mailbox events tell what then happened there.
"""

from __future__ import annotations

import polars as pl

from mailforensics.link.log import Frame, norm_address

MAILBOX_STATE: dict[str, pl.DataType | type[pl.DataType]] = {
    "message_key": pl.Int64, "user": pl.String, "fate": pl.String, "mailbox": pl.String, "fate_certainty": pl.String,
    "fate_events": pl.List(pl.Int64), "redirect_targets": pl.List(pl.String), "fate_by": pl.String,
}  # fmt: skip


def copies(messages: Frame, deliveries: Frame, scans: Frame, mailbox: Frame, rejects: Frame) -> Frame:
    """One row per life and recipient: the last delivery line, and the fate it amounts to.

    Columns: message_key, recipient, original_recipient, addressed (lower case, as it was addressed to this queue), status,
    agent, fate (an outcome word), certainty, mailbox, why (words of the log), events, time, attempts, delivery_event.
    """
    real = deliveries.filter(~pl.col("status").is_in(["deliverable", "undeliverable"]).fill_null(False))
    tries = real.group_by("message_key", "recipient").agg(
        pl.len().alias("attempts"), pl.col("event_id").alias("tries"), pl.col("time").min().alias("first_try")
    )
    last = real.sort("time", "event_id").unique(
        ["message_key", "recipient", "original_recipient"], keep="last", maintain_order=True
    )
    last = last.join(tries, on=["message_key", "recipient"], how="left").select(
        "message_key", "recipient", "original_recipient", "status", "agent", "response", "relay_name", "relay_ip", "dsn",
        "remote_queue_id", "remote_session_id", "next_form", "time", "first_try", "attempts", "tries", pl.col("event_id").alias("delivery_event"),
    )  # fmt: skip
    refused = _refused_here(rejects, last)
    rows = pl.concat(
        [
            last,
            refused,
            _without_delivery(messages, pl.concat([last, refused], how="diagonal_relaxed"), scans),
        ],
        how="diagonal_relaxed",
    )
    state = messages.select(
        "message_key",
        "host",
        pl.col("status").alias("life_status"),
        "marks",
        "mark_events",
        "removed_time",
        "last_time",
        "queued_time",
        "refused",
        "lost",
    )
    rows = rows.join(state, on="message_key", how="left").with_columns(
        addressed=norm_address(pl.coalesce("original_recipient", "recipient")),
        user=norm_address(pl.col("recipient")),
    )
    rows = rows.join(mailbox_state(mailbox), on=["message_key", "user"], how="left", nulls_equal=False)
    also = rows.filter((pl.col("redirect_targets").list.len() > 0) & (pl.col("fate") != "forwarded"))
    rows = pl.concat(
        [rows, also.with_columns(fate=pl.lit("forwarded"), mailbox=pl.lit(None, dtype=pl.String))]
    )
    return (
        rows.with_columns(_fate())
        .with_columns(fate=pl.col("outcome"), certainty=_certainty(), events=_events())
        .drop("outcome")
    )


def _refused_here(rejects: Frame, last: Frame) -> Frame:
    """Recipients that were refused one by one while the message itself was taken for others."""
    mine = rejects.filter(
        pl.col("message_key").is_not_null() & pl.col("recipient").is_not_null() & (pl.col("stage") == "RCPT")
    )
    mine = mine.sort("time").unique(["message_key", "recipient"], keep="last", maintain_order=True)
    mine = mine.join(last, on=["message_key", "recipient"], how="anti")
    said = pl.concat_str(
        [pl.col("reply_code").cast(pl.String), "enhanced_code", "text"], separator=" ", ignore_nulls=True
    )
    return mine.select(
        "message_key", "recipient", pl.lit("refused").alias("status"), said.alias("response"), "time",
        pl.col("evidence").alias("tries"),
        pl.lit(0, dtype=pl.UInt32).alias("attempts"),
    )  # fmt: skip


def _without_delivery(messages: Frame, last: Frame, scans: Frame) -> Frame:
    """Recipients that no delivery line names: refused, discarded, held or still waiting; from rejects and scans."""
    named = messages.select("message_key", pl.col("recipients").alias("recipient")).explode(
        "recipient", empty_as_null=True
    )
    scanned = scans.filter(pl.col("message_key").is_not_null()).select(
        "message_key", pl.col("recipients").alias("recipient")
    )
    scanned = (
        scanned.explode("recipient", empty_as_null=True)
        if scanned.height
        else scanned.select("message_key", pl.lit(None, dtype=pl.String).alias("recipient"))
    )
    both = pl.concat([named, scanned]).drop_nulls().unique(maintain_order=True)
    both = both.with_columns(norm=norm_address(pl.col("recipient")))
    known = pl.concat([
        last.select("message_key", norm_address(pl.col("recipient")).alias("norm")),
        last.select("message_key", norm_address(pl.col("original_recipient")).alias("norm")),
    ]).drop_nulls().unique()  # fmt: skip
    # aliases are expanded before the first delivery line: with any such line, further recipients of a scan are its other names
    complete = (
        last.join(messages.select("message_key", "recipient_count"), on="message_key")
        .group_by("message_key")
        .agg(
            (pl.col("recipient").n_unique() >= pl.col("recipient_count").first())
            .fill_null(False)
            .alias("all_seen")
        )
    )
    left = both.join(known, on=["message_key", "norm"], how="anti").join(
        complete, on="message_key", how="left"
    )
    left = left.filter(~pl.col("all_seen").fill_null(False)).unique(
        ["message_key", "norm"], keep="first", maintain_order=True
    )
    left = left.select("message_key", "recipient")
    bare = (
        messages.select("message_key")
        .join(last.select("message_key"), on="message_key", how="anti")
        .join(left, on="message_key", how="anti")
    )
    return pl.concat([left, bare.with_columns(recipient=pl.lit(None, dtype=pl.String))]).with_columns(
        attempts=pl.lit(0, dtype=pl.UInt32)
    )


_LOCAL = ["local", "virtual", "lmtp", "pipe"]


def _fate() -> pl.Expr:
    status, agent, response = pl.col("status"), pl.col("agent"), pl.col("response").fill_null("")
    marks = pl.col("marks")
    sent = (
        pl.when(pl.col("fate").is_not_null()).then(pl.col("fate"))
        .when(agent == "discard").then(pl.lit("discarded_by_rule"))
        .when(response.str.starts_with("delivered to command")).then(pl.lit("delivered_to_command"))
        .when(response.str.starts_with("delivered to file")).then(pl.lit("delivered_to_file"))
        .when(response.str.starts_with("forwarded as") | response.str.starts_with("mail forwarded")).then(pl.lit("forwarded"))
        .when(response.str.contains(r"(?i)^(?:250 [0-9.]+ )?(?:ok, ?)?discarded\b")).then(pl.lit("discarded_by_rule"))
        .when(agent == "pipe").then(pl.lit("delivered_to_command"))
        .when(agent.is_in(_LOCAL)).then(pl.lit("delivered"))
        .otherwise(pl.lit("handed_to_remote"))
    )  # fmt: skip
    waiting = (
        pl.when(marks.list.contains("deleted")).then(pl.lit("deleted_from_queue"))
        .when(marks.list.contains("expired")).then(pl.lit("expired"))
        .when(pl.col("life_status") == "held").then(pl.lit("held"))
        .otherwise(pl.lit("deferred"))
    )  # fmt: skip
    silent = (
        pl.when(marks.list.contains("deleted")).then(pl.lit("deleted_from_queue"))
        .when(pl.col("life_status") == "rejected").then(pl.lit("rejected"))
        .when(pl.col("life_status") == "discarded").then(pl.lit("discarded_by_rule"))
        .when(pl.col("life_status") == "held").then(pl.lit("held"))
        .when(marks.list.contains("expired")).then(pl.lit("expired"))
        .otherwise(pl.lit("not_seen"))
    )  # fmt: skip
    return (
        pl.when(status == "sent").then(sent)
        .when(status == "deferred").then(waiting)
        .when(status == "bounced").then(pl.lit("bounced"))
        .when(status == "expired").then(pl.lit("expired"))
        .when(status == "refused").then(pl.lit("rejected"))
        .otherwise(silent).alias("outcome")
    )  # fmt: skip


def _certainty() -> pl.Expr:
    """Seen when a line says it; inferred where only the next server's "taken" is known of a mailbox delivery."""
    return (
        pl.when(pl.col("outcome") == "not_seen").then(pl.lit("not_seen"))
        .when(pl.col("fate_certainty").is_not_null() & (pl.col("status") == "sent")).then(pl.col("fate_certainty"))
        .when((pl.col("outcome") == "delivered") & (pl.col("agent") == "lmtp")).then(pl.lit("inferred"))
        .otherwise(pl.lit("seen"))
    )  # fmt: skip


def _events() -> pl.Expr:
    empty = pl.lit([], dtype=pl.List(pl.Int64))
    ended = pl.col("outcome").is_in(["deleted_from_queue", "held", "expired", "discarded_by_rule"])
    marks = pl.when(ended).then(pl.col("mark_events").fill_null(empty)).otherwise(empty)
    return pl.concat_list(pl.col("tries").fill_null(empty), marks, pl.col("fate_events").fill_null(empty))


def mailbox_state(mailbox: Frame) -> Frame:
    """For each message and user the state after the last mailbox event: where it lies, or how it went.

    The plain cases (saved, filed, discarded, redirected at delivery, nothing later) are read off whole columns; only what users
    did afterwards is walked event by event.
    """
    if not mailbox.height:
        return pl.DataFrame(schema=MAILBOX_STATE)
    mine = mailbox.filter(pl.col("message_key").is_not_null()).with_columns(
        user=norm_address(pl.coalesce("delivery_recipient", "username"))
    )
    mine = pl.concat([mine, _with_their_mailbox(mine, mailbox)], how="diagonal_relaxed").sort(
        "time", "event_id"
    )
    groups = mine.group_by("message_key", "user", maintain_order=True).agg(
        "action", "mailbox", "target", "uid", "event_id", "daemon", "username",
    )  # fmt: skip
    rows = [_walk(row) for row in groups.iter_rows(named=True)]
    return pl.DataFrame(rows, schema=MAILBOX_STATE, orient="row")


def _with_their_mailbox(mine: Frame, mailbox: Frame) -> Frame:
    """A mailbox that is deleted or renamed takes its messages along: one row per message that had been put there."""
    whole = mailbox.filter(pl.col("action").is_in(["mailbox_deleted", "mailbox_renamed"])).select(
        "username", "mailbox", "target", "action", "time", "event_id", "daemon"
    )
    copies = mine.select("message_key", "user", "username", pl.col("time").alias("put")).unique(
        ["message_key", "user", "username"]
    )
    return copies.join(whole, on="username").filter(pl.col("put") <= pl.col("time")).drop("put")


def _walk(row: dict[str, list[object]]) -> tuple[object, ...]:
    """Follow one copy through its events."""
    places: dict[str, str] = {}  # mailbox -> how it came there
    ended: str | None = None
    by: str | None = None
    redirects: list[str] = []
    for action, mailbox, target, daemon in zip(
        row["action"], row["mailbox"], row["target"], row["daemon"], strict=True
    ):
        box = str(mailbox or target or "INBOX")
        if action == "saved":
            places.setdefault(box, "saved")
        elif action == "sieve_filed":
            places[str(mailbox or target or "INBOX")] = "filed"
        elif action in ("copied", "moved"):
            places[box] = "user"
        elif action == "mailbox_renamed" and box in places:
            places[str(target)] = places.pop(box)
        elif action == "mailbox_deleted" and places.pop(box, "") and not places:
            ended, by = "expunged", str(daemon)
        elif action in ("sieve_discarded", "sieve_rejected"):
            ended = str(action)
        elif action == "sieve_redirected":
            redirects.append(str(target or ""))
        elif action == "expunged":
            places.pop(box, None)
            if not places:
                ended, by = "expunged", str(daemon)
        elif action == "save_failed" and not places:
            ended = "save_failed"
        elif action == "duplicate_dropped" and not places:
            ended = "duplicate"
    fate, mailbox_name = _ending(places, ended, by, redirects)
    return (
        row["message_key"],
        row["user"],
        fate,
        mailbox_name,
        "seen" if fate else None,
        row["event_id"],
        redirects,
        by,
    )


def _ending(
    places: dict[str, str], ended: str | None, by: str | None, redirects: list[str]
) -> tuple[str | None, str | None]:
    if places:
        box, how = list(places.items())[-1]
        filed = how == "filed" or (how == "saved" and box.upper() != "INBOX")
        return ("filed_by_sieve" if filed and box.upper() != "INBOX" else "delivered"), box
    if ended == "expunged":
        return ("retrieved_and_deleted" if by == "pop3" else "expunged"), None
    words = {
        "sieve_discarded": "discarded_by_sieve",
        "sieve_rejected": "rejected_by_sieve",
        "duplicate": "discarded_by_sieve",
    }
    if ended in words and not redirects:
        return words[ended], None
    if redirects:
        return "forwarded", None
    return None, None
