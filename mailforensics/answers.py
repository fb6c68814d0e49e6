"""The answers of a case put together: all findings, and why one message went as it went.

    case.findings("warning")      one row per answer worth a sentence, the worst first
    case.why(message_key)         the causes of one message, in sentences

The rules live in ``mailforensics.findings``; here they get the tables of the case.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import polars as pl
import pyarrow as pa

from mailforensics import coverage, plugins, schema
from mailforensics.errors import OptionError
from mailforensics.evidence.names import source_names
from mailforensics.findings.clocks import clock_findings
from mailforensics.findings.contradictions import unlogged_hops
from mailforensics.findings.countries import account_countries
from mailforensics.findings.forgery import find_forgery
from mailforensics.findings.incidents import Material, find_incidents
from mailforensics.findings.lost import lost_mail
from mailforensics.findings.rows import SEVERITIES, finding_rows
from mailforensics.findings.summary import MailSummary, summarise
from mailforensics.subjects import subjects

if TYPE_CHECKING:
    from mailforensics.case import Case

Frame = pl.DataFrame

_STRETCH: dict[str, pl.DataType | type[pl.DataType]] = {
    "host": pl.String,
    "from": pl.Datetime("us", "UTC"),
    "to": pl.Datetime("us", "UTC"),
}
_DOCUMENT_TABLES = ("documents", "headers", "hops", "auth_results")


def findings(
    case: Case, severity: str | None = None, *, geo: str | os.PathLike[str] | None = None
) -> pa.Table:
    """All findings of a case as ``findings`` table, the worst first; ``severity`` is the least that is told.

    ``geo`` is the path of a country database. Raises OptionError for a severity that there is not, or a database that
    cannot be read.
    """
    if severity is not None and severity not in SEVERITIES:
        raise OptionError(f"There is no severity {severity!r}. There are {', '.join(SEVERITIES)}.")
    told = SEVERITIES[SEVERITIES.index(severity) :] if severity else SEVERITIES
    found = all_findings(case, geo)
    order = pl.col("severity").replace_strict({word: at for at, word in enumerate(SEVERITIES)})
    kept = found.filter(pl.col("severity").is_in(told)).sort(order, descending=True, maintain_order=True)
    return schema.to_table("findings", kept)


_LINES_NAMED = 3  # lines that a statement names; the rest is in its evidence


def findings_told(
    case: Case, severity: str | None = None, *, geo: str | os.PathLike[str] | None = None
) -> list[dict[str, Any]]:
    """The findings as plain data for people: beside the columns of ``findings`` the lines and the mails behind each.

    ``lines`` names the first lines as source:line, ``mails`` holds sender, recipients, message_id and subject of the
    mails that ``message_keys`` name, each mail once.
    """
    rows: list[dict[str, Any]] = findings(case, severity, geo=geo).to_pylist()
    names = source_names(case.polars("sources"))
    wanted = {event for row in rows for event in (row["evidence"] or [])[:_LINES_NAMED]}
    events = case.scan("events").filter(pl.col("event_id").is_in(sorted(wanted)))
    places = {
        event: f"{names.get(source, '?')}:{line}"
        for event, source, line in events.select("event_id", "source_id", "line_number").collect().iter_rows()
    }
    mails = _mails(case, {key for row in rows for key in row["message_keys"] or []})
    for row in rows:
        row["lines"] = [places[e] for e in (row["evidence"] or [])[:_LINES_NAMED] if e in places]
        about = {mail["journey_key"]: mail for key in row["message_keys"] or [] if (mail := mails.get(key))}
        row["mails"] = list(about.values())
    return rows


def _mails(case: Case, keys: set[int]) -> dict[int, dict[str, Any]]:
    """Each message's mail, as people know it."""
    messages = case.polars("messages").filter(pl.col("message_key").is_in(sorted(keys)))
    journeys = case.polars("journeys").filter(pl.col("journey_key").is_in(messages["journey_key"].implode()))
    named = subjects(case).unique(["journey_key", "message_id"], keep="first", maintain_order=True)
    mails = journeys.select("journey_key", "sender", "recipients", "message_id").join(
        named, on=["journey_key", "message_id"], how="left", maintain_order="left"
    )
    by_journey = {mail["journey_key"]: mail for mail in mails.to_dicts()}
    return {
        key: by_journey[journey]
        for key, journey in messages.select("message_key", "journey_key").iter_rows()
        if journey in by_journey
    }


def all_findings(case: Case, geo: str | os.PathLike[str] | None = None) -> Frame:
    """The findings of every rule, as a polars frame with the columns of ``findings``."""
    covered, gaps = stretches(case)
    parts = [
        find_forgery(_headers(case)),
        find_incidents(material(case)),
        *([account_countries(case.polars("sessions"), geo)] if geo is not None else []),
        _lost(case, covered, gaps),
        unlogged_hops(case.polars("hops"), case.polars("headers"), case.polars("messages"), covered, gaps),
        _clocks(case),
        _gaps(gaps),
        _limits(case.polars("sources")),
        *_installed(case),
    ]
    names = schema.TABLES["findings"].names
    return pl.concat([schema.conform("findings", part).select(names) for part in parts])


def _installed(case: Case) -> Iterator[Frame]:
    """What the rules of installed packages find: each is a function from a case to rows of ``findings``.

    A row needs finding, severity and sentence; what is seen by a line should name it in ``evidence``. Raises OptionError,
    naming the package's rule, for a rule that fails and for rows that are none.
    """
    for name, find in plugins.load(plugins.FINDINGS).items():
        try:
            rows = find(case)
            frame = (
                rows
                if isinstance(rows, Frame)
                else Frame([dict(row) for row in rows], infer_schema_length=None)
            )
            if not frame.height:
                continue
            needed = frame.select(
                "finding", pl.col("severity").cast(pl.Enum(SEVERITIES)).cast(pl.String), "sentence"
            )
            told = schema.conform("findings", frame.with_columns(needed))
        except Exception as error:  # whatever a stranger's rule raises
            raise OptionError(
                f"The installed rule {name!r} of findings failed ({type(error).__name__}: {error}): mend or uninstall its package."
            ) from error
        nothing = pl.lit([], dtype=pl.List(pl.Int64))
        yield told.with_columns(
            pl.col("certainty").fill_null("seen"),
            pl.col("rule").fill_null(f"{name}.own"),
            pl.col("evidence", "message_keys").fill_null(nothing),
        )


def stretches(case: Case) -> tuple[Frame, Frame]:
    """The stretch of time for which each host's log is held, and the gaps in it: host, from, to."""
    hosts = coverage.hosts(case)
    covered = [{name: row[name] for name in _STRETCH} for row in hosts]
    gaps = [{"host": row["host"], **gap} for row in hosts for gap in row["gaps"]]
    return pl.DataFrame(covered, schema=_STRETCH), pl.DataFrame(gaps, schema=_STRETCH)


_FAILURES: dict[str, pl.DataType | type[pl.DataType]] = {
    "event_id": pl.Int64, "client_ip": pl.String, "username": pl.String, "failures": pl.Int64,
}  # fmt: skip
_TROUBLE = ("postfix.milter.problem", "postfix.tls.problem", "postfix.tls.verification_failed", "postfix.tls.failed",
            "postfix.smtpd.hostname", "postfix.dns.problem", "dovecot.tls_error")  # fmt: skip


def material(case: Case) -> Material:
    """What the rules of incidents look at."""
    tables = {
        name: case.polars(name)
        for name in ("messages", "deliveries", "rejects", "sessions", "mailbox_events")
    }
    lines = case.scan("events").filter(pl.col("kind").is_in(_TROUBLE))
    troubles = lines.select("event_id", "time", "host", "kind", "text").collect()
    return Material(**tables, failures=_failures(case), troubles=troubles, tls=_tls(case), zone=case.zone)


def _kind(case: Case, kind: str, **columns: pl.Expr) -> Frame:
    """Columns of the lines of one kind with event_id, time and host; no rows where there is no such line."""
    if kind not in case.kinds:
        return pl.DataFrame(schema={"event_id": pl.Int64})
    places = case.scan("events").filter(pl.col("kind") == kind).select("event_id", "time", "host").collect()
    return case.kind(kind).select("event_id", **columns).join(places, on="event_id")


def _failures(case: Case) -> Frame:
    """Failed logins of smtpd and of Dovecot's login services."""
    tries = {
        "postfix.smtpd.auth_failed": {"username": pl.col("sasl_username"), "failures": pl.lit(1)},
        "dovecot.login_failed": {"username": pl.col("username"), "failures": pl.col("auth_failures")},
    }
    parts = [_kind(case, kind, client_ip=pl.col("client_ip"), **columns) for kind, columns in tries.items()]
    empty = pl.DataFrame(schema=_FAILURES | {"time": pl.Datetime("us", "UTC"), "host": pl.String})
    return pl.concat([empty, *parts], how="diagonal_relaxed").filter(pl.col("failures") > 0)


def _tls(case: Case) -> Frame:
    """TLS sessions that were opened to other servers."""
    found = _kind(
        case, "postfix.tls.established", remote_name=pl.col("remote_name"), direction=pl.col("direction")
    )
    empty = pl.DataFrame(schema=_STRETCH | {"event_id": pl.Int64}).select(
        "host", "event_id", time="from", remote_name="host", direction="host"
    )
    return pl.concat([empty, found], how="diagonal_relaxed").filter(pl.col("direction") == "to")


def _clocks(case: Case) -> Frame:
    steps = _kind(case, "dovecot.server.clock", jump_s=pl.col("jump_s"))
    empty = pl.DataFrame(
        schema={
            "event_id": pl.Int64,
            "time": pl.Datetime("us", "UTC"),
            "host": pl.String,
            "jump_s": pl.Float64,
        }
    )
    events = case.scan("events").select("event_id", "source_id", "host", "time").collect()
    undated = case.scan("events").filter(pl.col("time").is_null() & pl.col("time_original").is_not_null())
    undated_lines = undated.select("event_id", "source_id", "time_original").collect()
    steps = pl.concat([empty, steps], how="diagonal_relaxed")
    return clock_findings(case.polars("sources"), events, steps, undated_lines)


def _lost(case: Case, covered: Frame, gaps: Frame) -> Frame:
    """Lost mail; that other people's servers took a mail over is the usual end of outgoing mail, and no finding."""
    found = lost_mail(
        case.polars("journeys"), case.polars("messages"), case.polars("deliveries"), case.polars("mailbox_events"),
        case.polars("sessions"), covered, gaps, rules=discards(case), notified=notified(case),
    )  # fmt: skip
    return found.filter(pl.col("finding") != "handed_over_not_followed")


def notified(case: Case) -> pl.Series:
    """The journeys of whose failure a notification among the messages of the case tells."""
    told = case.scan("dsns").filter((pl.col("action") == "failed") & pl.col("journey_key").is_not_null())
    return told.select("journey_key").unique().collect()["journey_key"]


def discards(case: Case) -> Frame:
    """The lines behind mail that a rule of ours discarded, or wrote to a file or program: event_id, host, kind, text."""
    ends = (
        case.polars("journeys").select("outcomes").explode("outcomes", empty_as_null=True).unnest("outcomes")
    )
    words = ["discarded_by_rule", "delivered_to_file", "delivered_to_command"]
    asked = ends.filter(pl.col("outcome").is_in(words))["evidence"].explode(empty_as_null=True).drop_nulls()
    lines = case.scan("events").filter(pl.col("event_id").is_in(asked.implode()))
    return lines.select("event_id", "host", "kind", "text").collect()


def _headers(case: Case) -> dict[str, Frame]:
    """The tables of messages; what a saved case does not keep of a hop is told again by what it keeps."""
    tables = {name: case.polars(name) for name in _DOCUMENT_TABLES}
    hops = tables["hops"]
    if "is_border" not in hops.columns:
        border = pl.col("hop").filter(pl.col("trust") != "claimed").min().over("document_id") == pl.col("hop")
        login = pl.col("with_protocol").str.contains(r"^[A-Z0-9]*SMTPS?A")
        tables["hops"] = hops.with_columns(
            border.fill_null(False).alias("is_border"),
            pl.coalesce("auth_user", pl.when(login).then("with_protocol")).alias("auth"),
        )
    return tables


def _gaps(gaps: Frame) -> Frame:
    stamp = "%Y-%m-%d %H:%M:%S"
    return finding_rows(
        gaps.with_columns(time=pl.col("from")), finding="log_gap", severity="notice", subject=pl.col("host"),
        sentence=pl.format(
            "The log of {} is silent from {} to {} UTC: what happened then is not in the evidence.",
            "host", pl.col("from").dt.strftime(stamp), pl.col("to").dt.strftime(stamp),
        ),
        rule="coverage.gap", certainty="not_seen", innocent="Nothing happened: a quiet night, or the machine was off.",
    )  # fmt: skip


def _limits(sources: Frame) -> Frame:
    hit = sources.explode("limits_hit", empty_as_null=True).filter(pl.col("limits_hit").is_not_null())
    return finding_rows(
        hit.with_columns(time=pl.col("time_min")), finding="limit_hit", severity="notice", subject=pl.col("path"),
        sentence=pl.format("{} was not read to the end: {}.", "path", pl.col("limits_hit").str.strip_chars_end(".")),
        rule="coverage.limit",
    )  # fmt: skip


# --- Traffic ----------------------------------------------------------------------------------------------------------


_ACTING = (
    "postfix.smtpd.reject", "postfix.smtpd.proxy", "postfix.postscreen.reject", "postfix.cleanup.check",
    "postfix.cleanup.milter",
)  # fmt: skip


def traffic(case: Case) -> MailSummary:
    """The numbers that pflogsumm reports, for all hosts of the case together, days and hours in the case's zone."""
    messages, deliveries, journeys = map(case.polars, ("messages", "deliveries", "journeys"))
    return summarise(messages, deliveries, journeys, _notices(case), case.zone)


def _notices(case: Case) -> Frame:
    """Time and action of every line in which a check, milter or table acted on a mail."""
    kinds = [case.kind(kind).select("event_id", "action") for kind in _ACTING if kind in case.kinds]
    acted = pl.concat(kinds) if kinds else pl.DataFrame(schema={"event_id": pl.Int64, "action": pl.String})
    times = case.scan("events").filter(pl.col("kind").is_in(_ACTING)).select("event_id", "time").collect()
    return acted.join(times, on="event_id").select("time", "action")


# --- Why --------------------------------------------------------------------------------------------------------------


def why(case: Case, message_key: int) -> list[dict[str, Any]]:
    """What slowed or stopped one message, in sentences, in the order of time.

    Each row: time, recipient, status (deferred, bounced, rejected, discarded_by_sieve and so on), cause, sentence,
    evidence (event_ids). The mail's other queue entries are told, too. Raises OptionError when there is no such message.
    """
    messages = case.polars("messages")
    journey = messages.filter(pl.col("message_key") == message_key)["journey_key"]
    if not len(journey):
        raise OptionError(
            f"There is no message {message_key} in this case. The column message_key of `messages` and `trace` name them."
        )
    keys = messages.filter(pl.col("journey_key") == journey.item())["message_key"]
    answers = pl.concat([_tries(case, keys), _refusals(case, keys)])
    ends = _ends(case, journey.item()).join(answers, on=["recipient", "status"], how="anti", nulls_equal=True)
    return (
        pl.concat([answers, ends, _verdicts(case, keys)])
        .sort("time", maintain_order=True, nulls_last=True)
        .to_dicts()
    )


def _tries(case: Case, keys: pl.Series) -> Frame:
    """Equal answers to one recipient are told once, with their number."""
    bad = case.polars("deliveries").filter(
        pl.col("message_key").is_in(keys.implode()) & pl.col("cause").is_not_null()
    )
    said = bad.group_by("recipient", "status", "cause", "cause_rule", "response", maintain_order=True).agg(
        pl.col("time").min(), pl.len().alias("tries"), pl.col("evidence").explode(), pl.col("cause_sentence").first(),
    )  # fmt: skip
    times = pl.when(pl.col("tries") > 1).then(pl.format(" ({} tries)", "tries")).otherwise(pl.lit(""))
    sentence = pl.format("{}: {}{}. The answer was: \"{}\"", "recipient", pl.col("cause_sentence").fill_null(""), times,
                         pl.col("response").fill_null(""))  # fmt: skip
    return said.select("time", "recipient", "status", "cause", sentence.alias("sentence"), "evidence")


def _refusals(case: Case, keys: pl.Series) -> Frame:
    mine = case.polars("rejects").filter(pl.col("message_key").is_in(keys.implode()))
    asked = (
        pl.when(pl.col("restriction").is_not_null())
        .then(pl.format(" ({})", "restriction"))
        .otherwise(pl.lit(""))
    )
    sentence = pl.format(
        "Our server said no at {}{}: \"{}\". {}", pl.col("stage").fill_null("an unknown stage"), asked,
        pl.col("text").fill_null(""), pl.col("cause_sentence").fill_null(""),
    ).str.strip_chars(" ")  # fmt: skip
    status = pl.lit("rejected").alias("status")
    return mine.select("time", "recipient", status, "cause", sentence.alias("sentence"), "evidence")


def _ends(case: Case, journey_key: int) -> Frame:
    journey = case.polars("journeys").filter(pl.col("journey_key") == journey_key)
    ends = journey.select("last_time", "outcomes").explode("outcomes", empty_as_null=True).unnest("outcomes")
    return ends.filter(pl.col("outcome").is_not_null()).select(
        pl.col("last_time").alias("time"), "recipient", pl.col("outcome").alias("status"),
        pl.lit(None, pl.String).alias("cause"), "sentence", "evidence",
    )  # fmt: skip


def _verdicts(case: Case, keys: pl.Series) -> Frame:
    """What a filter did to it, where it did anything."""
    quiet = ["no action", "accept", "pass"]
    scans = case.polars("scans").filter(
        pl.col("message_key").is_in(keys.implode()) & ~pl.col("action").fill_null("no action").is_in(quiet)
    )
    best = pl.col("symbols").list.eval(
        pl.element().sort_by(pl.element().struct.field("score"), descending=True, nulls_last=True).head(3)
    ).list.eval(pl.element().struct.field("name")).list.join(", ")  # fmt: skip
    sentence = pl.format(
        "{} said \"{}\" with {} of {} points; most came from {}.", "engine", "action",
        pl.col("score").round(2).cast(pl.String).fill_null("?"),
        pl.col("required_score").round(2).cast(pl.String).fill_null("?"), best.fill_null("?"),
    )  # fmt: skip
    return scans.select(
        "time", pl.lit(None, pl.String).alias("recipient"), pl.col("action").alias("status"),
        pl.lit("spam_verdict").alias("cause"), sentence.alias("sentence"), "evidence",
    )  # fmt: skip
