"""What contradicts what in the headers of messages, graded, each with its innocent explanation and its source.

A header field is a claim of whoever wrote it. Rules here compare claims with each other and with what servers of
ours observed; they never say "forged" for what a clock, a gateway or a mailing list does as well::

    time_backwards   notice   Hop 3 (mx.example.net) is stamped 7 min before hop 2 (relay.example.org).
                              innocent: the clock of one of the two is wrong.

A :class:`Rule` is data: its words, its source and the function that finds it in the frames of
:class:`mailforensics.headers.message.MessageTables`. Ideas and thresholds follow the rules of SpamAssassin and rspamd
that each rule names, and RFC 5321, 5322, 6376, 8601 and 8617.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import polars as pl
import pyarrow as pa

from mailforensics import schema
from mailforensics.headers.domains import domain_of, organisational_domain
from mailforensics.headers.received import canonical_ip

SEVERITIES = ("info", "notice", "warning")
"""From "worth knowing" to "look at this first"."""


class Frames:
    """The frames of messages with what several rules need; closed vocabularies are plain strings."""

    def __init__(self, frames: Mapping[str, pl.DataFrame | pa.Table]) -> None:
        self._frames = {name: _plain(frame) for name, frame in frames.items()}

    @cached_property
    def documents(self) -> pl.DataFrame:
        """``documents`` with the organisational domains of its addresses."""
        frame = self._frames["documents"]
        out = {
            f"{name}_org": _organisations(frame[name])
            for name in ("from_address", "return_path", "message_id")
        }
        reply_to = (
            frame["reply_to"]
            if "reply_to" in frame.columns
            else pl.Series("reply_to", [None] * frame.height, pl.String)
        )
        return frame.with_columns(
            reply_to.alias("reply_to"), _organisations(reply_to).alias("reply_to_org"), **out
        )

    @cached_property
    def headers(self) -> pl.DataFrame:
        """``headers`` with the name in lower case as ``key``."""
        return self._frames["headers"].with_columns(pl.col("name").str.to_lowercase().alias("key"))

    @cached_property
    def auth_results(self) -> pl.DataFrame:
        """``auth_results`` with the event_id of the field."""
        events = self.headers.select("document_id", "ordinal", "event_id")
        return self._frames["auth_results"].join(events, on=["document_id", "ordinal"], how="left")

    @cached_property
    def hops(self) -> pl.DataFrame:
        """``hops`` with organisational domains, the event_id of the field, and the hop before as ``before_*``."""
        frame = self._frames["hops"]
        names = {f"{name}_org": _organisations(frame[name]) for name in ("from_helo", "from_name", "by_name")}
        frame = frame.with_columns(**names)
        if "event_id" not in frame.columns:
            frame = frame.join(
                self.headers.select("document_id", "ordinal", "event_id"),
                on=["document_id", "ordinal"],
                how="left",
            )
        before = frame.select(
            "document_id", (pl.col("hop") + 1).cast(pl.Int32).alias("hop"),
            *(pl.col(name).alias(f"before_{name}") for name in _BEFORE),
        )  # fmt: skip
        return frame.join(before, on=["document_id", "hop"], how="left").sort("document_id", "hop")

    @cached_property
    def own_names(self) -> pl.DataFrame:
        """The names under which our servers signed the hops that are ours: ``document_id``, ``name``."""
        ours = self.hops.filter(pl.col("trust") == "ours")
        return (
            ours.select("document_id", pl.col("by_name").str.to_lowercase().alias("name"))
            .drop_nulls()
            .unique()
        )


_BEFORE = ("by_name", "by_name_org", "by_ip", "time", "event_id", "trust", "with_protocol")


def _plain(frame: pl.DataFrame | pa.Table) -> pl.DataFrame:
    table = pl.from_arrow(frame) if isinstance(frame, pa.Table) else frame
    assert isinstance(table, pl.DataFrame)  # noqa: S101
    return table.with_columns(pl.col(pl.Categorical, pl.Enum).cast(pl.String))


def _organisations(texts: pl.Series) -> pl.Series:
    """The organisational domain of each name or address; null for addresses in brackets and single words."""
    known: dict[str, str | None] = {}
    for text in texts.drop_nulls().unique().to_list():
        domain = domain_of(text.strip("<>")) or ""
        known[text] = (
            organisational_domain(domain) if "." in domain and canonical_ip(domain) is None else None
        )
    return (
        texts.replace_strict(known, default=None, return_dtype=pl.String) if known else texts.cast(pl.String)
    )


@dataclass(frozen=True, slots=True)
class Rule:
    """One contradiction to look for.

    ``find`` gives the rows where it holds: ``document_id``, ``hop`` (or null), ``evidence`` and ``sentence``. A column
    ``severity`` there, where a rule grades its rows, goes before the rule's own.
    """

    name: str
    severity: str
    innocent: str
    source: str
    find: Callable[[Frames], pl.DataFrame]
    certainty: str = "inferred"


def find_forgery(frames: Mapping[str, pl.DataFrame | pa.Table]) -> pl.DataFrame:
    """All findings in messages, from the frames (or Arrow tables) documents, headers, hops and auth_results.

    Columns are those of ``findings``, and ``document_id`` and ``hop``; ``evidence`` holds event_ids of ``headers``. Hops
    that are not ours are claims: a finding about them says that claims contradict each other, not who lied.

    >>> from mailforensics.headers.message import read_message
    >>> message = read_message(b"From: a@example.org\\nFrom: b@example.org\\nDate: x\\nMessage-ID: <1@example.org>\\n\\n")
    >>> find_forgery(message.frames)["finding"].to_list()
    ['field_repeated', 'no_received', 'date_unreadable']
    """
    shared = Frames(frames)
    found = [_rows(rule, rule.find(shared)) for rule in RULES]
    whole = pl.concat(found, how="diagonal_relaxed").sort("document_id", maintain_order=True)
    return schema.conform("findings", whole)


def _rows(rule: Rule, found: pl.DataFrame) -> pl.DataFrame:
    if "severity" not in found.columns:
        found = found.with_columns(pl.lit(rule.severity).alias("severity"))
    if "hop" not in found.columns:
        found = found.with_columns(pl.lit(None, pl.Int32).alias("hop"))
    place = pl.when(pl.col("hop").is_null()).then(pl.format("message {}", "document_id"))
    return found.select(
        pl.lit(rule.name).alias("finding"), "severity",
        place.otherwise(pl.format("message {}, hop {}", "document_id", "hop")).alias("subject"), "sentence",
        pl.lit(rule.certainty).alias("certainty"), pl.lit(f"forgery.{rule.name}").alias("rule"), "evidence",
        pl.lit(rule.innocent).alias("innocent"), pl.lit(rule.source).alias("source"), "document_id",
        pl.col("hop").cast(pl.Int32),
    )  # fmt: skip


def _said(
    frame: pl.DataFrame, sentence: pl.Expr, *, evidence: tuple[str, ...] = ("event_id",)
) -> pl.DataFrame:
    """The rows of a rule: the sentence, and as evidence the fields whose event_ids stand in the columns named."""
    nothing = pl.lit([], dtype=pl.List(pl.Int64))
    listed = pl.concat_list(list(evidence)).list.drop_nulls() if evidence else nothing
    kept = [name for name in ("document_id", "hop", "severity") if name in frame.columns]
    return frame.select(*kept, sentence.alias("sentence"), listed.alias("evidence"))


def _named(column: str) -> pl.Expr:
    return pl.col(column).fill_null("unnamed")


# Time.


def _time_backwards(frames: Frames) -> pl.DataFrame:
    frame = frames.hops.filter((pl.col("delay_s") < -300) & pl.col("before_time").is_not_null())
    graded = pl.when(pl.col("delay_s") < -86400).then(pl.lit("notice")).otherwise(pl.lit("info"))
    sentence = pl.format(
        "Hop {} ({}) is stamped {} before hop {} ({}), from which it came.",
        "hop", _named("by_name"), _span_words(-pl.col("delay_s")), pl.col("hop") - 1, _named("before_by_name"),
    )  # fmt: skip
    return _said(
        frame.with_columns(graded.alias("severity")), sentence, evidence=("event_id", "before_event_id")
    )


def _span_words(seconds: pl.Expr) -> pl.Expr:
    """Seconds as people say them."""
    minutes, hours, days = (seconds / 60).round(), (seconds / 3600).round(1), (seconds / 86400).round(1)
    return (
        pl.when(seconds < 7200).then(pl.format("{} min", minutes.cast(pl.Int64)))
        .when(seconds < 172800).then(pl.format("{} h", hours))
        .otherwise(pl.format("{} days", days))
    )  # fmt: skip


def _date_shifted(frames: Frames) -> pl.DataFrame:
    """The Date field against the first hop of ours, or where none is ours the first hop that has a time."""
    hops = frames.hops.filter(pl.col("time").is_not_null()).with_columns(
        (pl.col("trust") != "ours").alias("claimed")
    )
    first = hops.sort("document_id", "claimed", "hop").group_by("document_id", maintain_order=True).first()
    frame = frames.documents.select("document_id", "date").drop_nulls().join(first, on="document_id")
    shift = (pl.col("date") - pl.col("time")).dt.total_seconds()
    frame = frame.with_columns(shift.alias("shift")).filter(
        (pl.col("shift") > 3600) | (pl.col("shift") < -86400)
    )
    way = pl.when(pl.col("shift") > 0).then(pl.lit("after")).otherwise(pl.lit("before"))
    sentence = pl.format(
        "The Date field is {} {} {} received it.", _span_words(pl.col("shift").abs()), way, _named("by_name")
    )
    graded = pl.when(pl.col("shift").abs() > 345600).then(pl.lit("notice")).otherwise(pl.lit("info"))
    return _said(frame.with_columns(graded.alias("severity")), sentence)


def _date_unreadable(frames: Frames) -> pl.DataFrame:
    fields = frames.headers.filter(pl.col("key") == "date")
    dates = frames.documents.filter(pl.col("date").is_null()).select("document_id")
    frame = fields.join(dates, on="document_id", how="semi")
    return _said(frame, pl.format("The Date field is no date: {}", pl.col("value").str.slice(0, 60)))


# Names and addresses of one hop.

_LITERAL = r"^\[?(?:IPv6:)?([0-9A-Fa-f:.]+)\]?$"


def _helo_literal(frames: Frames) -> pl.DataFrame:
    frame = frames.hops.with_columns(pl.col("from_helo").str.extract(_LITERAL).alias("literal")).filter(
        pl.col("literal").is_not_null() & pl.col("from_ip").is_not_null()
    )
    known = {text: canonical_ip(text) for text in frame["literal"].unique().to_list()}
    literal = (
        frame["literal"].replace_strict(known, default=None, return_dtype=pl.String)
        if known
        else frame["literal"]
    )
    frame = frame.with_columns(literal.alias("literal")).filter(
        pl.col("literal").is_not_null() & ~_private("literal") & ~_private("from_ip")
    )
    network = r"^[0-9]+\.[0-9]+\."
    frame = frame.filter(
        pl.col("literal").str.extract(f"({network})") != pl.col("from_ip").str.extract(f"({network})")
    )
    sentence = pl.format(
        "Hop {}: the client called itself {} but its address was {}.", "hop", "from_helo", "from_ip"
    )
    return _said(frame, sentence)


def _private(column: str) -> pl.Expr:
    return pl.col(column).str.contains(
        r"^(?:10\.|127\.|192\.168\.|169\.254\.|172\.(?:1[6-9]|2[0-9]|3[01])\.|100\.(?:6[4-9]|[7-9][0-9]|1[01][0-9]|12[0-7])\.|::1$|f[cd]|fe80)"
    )


BRANDS = (
    "google.com", "gmail.com", "outlook.com", "hotmail.com", "microsoft.com", "yahoo.com", "apple.com", "icloud.com",
    "amazon.com", "paypal.com", "facebook.com", "aol.com",
)  # fmt: skip
"""Senders whose own servers always have a reverse name."""


def _helo_brand(frames: Frames) -> pl.DataFrame:
    frame = frames.hops.filter(
        pl.col("from_helo_org").is_in(BRANDS) & pl.col("from_ip").is_not_null() & ~_private("from_ip")
        & (pl.col("from_name_org").is_null() | ~pl.col("from_name_org").is_in(BRANDS))
        & ~pl.col("format").is_in(["exchange", "smtpsvc", "webmail"]).fill_null(False)
    )  # fmt: skip
    sentence = pl.format(
        "Hop {}: the client called itself {}, but {} has {}.", "hop", "from_helo", "from_ip",
        pl.when(pl.col("from_name").is_null()).then(pl.lit("no reverse name")).otherwise(pl.format("the name {}", "from_name")),
    )  # fmt: skip
    return _said(frame, sentence)


def _helo_differs(frames: Frames) -> pl.DataFrame:
    frame = frames.hops.filter(
        pl.col("from_helo_org").is_not_null() & (pl.col("from_helo_org") != pl.col("from_name_org"))
        & ~pl.col("from_helo_org").is_in(BRANDS)
    )  # fmt: skip
    sentence = pl.format(
        "Hop {}: the client called itself {}; its address has the name {}.", "hop", "from_helo", "from_name"
    )
    return _said(frame, sentence)


def _helo_local(frames: Frames) -> pl.DataFrame:
    frame = frames.hops.filter(
        pl.col("from_helo").str.to_lowercase().is_in(["localhost", "localhost.localdomain", "user"])
        & pl.col("from_ip").is_not_null() & ~_private("from_ip")
    )  # fmt: skip
    return _said(frame, pl.format("Hop {}: a client at {} called itself {}.", "hop", "from_ip", "from_helo"))


def _dynamic_name(frames: Frames) -> pl.DataFrame:
    numbers = r"(?i)(?:^|[.-])(?:dyn|dynamic|dial-?up|dsl|adsl|ppp|pool|dhcp|cable|client|cust(?:omer)?)[0-9a-z]*[.-].*[0-9]{1,3}[.-][0-9]{1,3}|[0-9]{1,3}[.-][0-9]{1,3}[.-][0-9]{1,3}[.-][0-9]{1,3}"
    frame = frames.hops.filter(
        pl.col("from_name").str.contains(numbers)
        & pl.col("is_border").fill_null(False)
        & pl.col("auth").is_null()
    )
    return _said(
        frame,
        pl.format(
            "Hop {}: the name {} looks like that of a dialled-up address, which seldom sends mail itself.",
            "hop",
            "from_name",
        ),
    )


def _impossible_address(frames: Frames) -> pl.DataFrame:
    reserved = r"^(?:0\.|2(?:2[4-9]|[3-5][0-9])\.)"
    frame = frames.hops.filter(pl.col("from_ip").str.contains(reserved))
    return _said(frame, pl.format("Hop {}: no host can have the address {}.", "hop", "from_ip"))


# The chain.


def _broken_chain(frames: Frames) -> pl.DataFrame:
    """The host that wrote a field should be the one that the next field saw."""
    seen = pl.coalesce("from_name_org", "from_helo_org")
    gaps = frames.hops.filter(
        seen.is_not_null() & (seen != pl.col("before_by_name_org")) & pl.col("before_event_id").is_not_null()
        & (pl.col("before_by_ip").is_null() | (pl.col("before_by_ip") != pl.col("from_ip")))
    ).with_columns(seen.alias("seen"))  # fmt: skip
    several = gaps.group_by("document_id").len().filter(pl.col("len") > 1)
    frame = gaps.join(several, on="document_id", how="semi")
    sentence = pl.format(
        "Hop {} came from {}, but the field below it was written by {}.",
        "hop",
        "seen",
        _named("before_by_name"),
    )
    return _said(frame, sentence, evidence=("event_id", "before_event_id"))


def _names_our_server(frames: Frames) -> pl.DataFrame:
    claimed = frames.hops.filter(pl.col("trust") == "claimed").with_columns(
        pl.col("by_name").str.to_lowercase().alias("name")
    )
    frame = claimed.join(frames.own_names, on=["document_id", "name"], how="semi")
    return _said(
        frame,
        pl.format("Hop {} says that our {} wrote it, but it stands below our border.", "hop", "by_name"),
    )


def _few_or_many(frames: Frames) -> pl.DataFrame:
    frame = frames.documents.filter(pl.col("hop_count") >= 12).with_columns(
        pl.col("document_id").alias("event_id")
    )
    return _said(frame, pl.format("The message passed {} servers.", "hop_count"), evidence=())


def _no_received(frames: Frames) -> pl.DataFrame:
    frame = frames.documents.filter(pl.col("hop_count") == 0)
    return _said(frame, pl.lit("No server has stamped this message."), evidence=())


def _loop(frames: Frames) -> pl.DataFrame:
    delivered = frames.headers.filter(pl.col("key") == "delivered-to").with_columns(
        pl.col("value").str.strip_chars().alias("place")
    )
    twice = delivered.group_by("document_id", "place", maintain_order=True).agg("event_id", pl.len())
    mailbox = twice.filter(pl.col("len") > 1).select(
        "document_id", pl.format("The message was delivered to {} {} times.", "place", "len").alias("sentence"),
        pl.col("event_id").alias("evidence"),
    )  # fmt: skip
    hosts = frames.hops.filter(pl.col("by_name").is_not_null() & ~pl.col("by_name").is_in(["localhost"]))
    often = (
        hosts.group_by("document_id", "by_name", maintain_order=True)
        .agg("event_id", pl.len())
        .filter(pl.col("len") > 3)
    )
    server = often.select(
        "document_id", pl.format("The message passed {} {} times.", "by_name", "len").alias("sentence"),
        pl.col("event_id").alias("evidence"),
    )  # fmt: skip
    return pl.concat([mailbox, server])


def _stamp_format(frames: Frames) -> pl.DataFrame:
    """Stamps in the name of large senders that are not in the shape which those write."""
    shapes = (
        (r"(?i)\.google\.com$", r"(?i)^(?:gmail|amavis)$"),
        (r"(?i)\.(?:prod|protection)\.outlook\.com$", r"(?i)^(?:exchange|smtpsvc)$"),
    )
    bad = pl.lit(False)
    for host, shape in shapes:
        bad |= pl.col("by_name").str.contains(host) & ~pl.col("format").fill_null("").str.contains(shape)
    frame = frames.hops.filter(bad & (pl.col("trust") == "claimed"))
    return _said(frame, pl.format("Hop {} is not in the form in which {} writes.", "hop", "by_name"))


def _postfix_zone(frames: Frames) -> pl.DataFrame:
    frame = frames.hops.filter(
        (pl.col("format") == "postfix") & pl.col("time_original").is_not_null() & ~pl.col("time_original").str.contains(r"\([A-Za-z0-9 +-]+\)")
        & (pl.col("software").str.starts_with("Postfix"))
    )  # fmt: skip
    return _said(
        frame,
        pl.format("Hop {} calls itself Postfix, which writes the zone in parentheses at the end.", "hop"),
    )


def _bare_shape(frames: Frames) -> pl.DataFrame:
    fields = frames.headers.select("document_id", "ordinal", pl.col("value").alias("text"))
    frame = frames.hops.join(fields, on=["document_id", "ordinal"]).filter(
        pl.col("text").str.contains(r"^\s*from \[[0-9.]+\] by [A-Za-z0-9.-]+ id [A-Za-z0-9]{12};")
        | pl.col("text").str.contains(r"^\s*from localhost by [A-Za-z0-9.-]+;")
    )
    return _said(frame, pl.format("Hop {} has a shape that no known server writes.", "hop"))


def _damaged(frames: Frames) -> pl.DataFrame:
    words = ["control_characters", "unbalanced_comment", "two_by", "two_from"]
    frame = frames.hops.with_columns(pl.col("defects").list.set_intersection(words).alias("odd")).filter(
        pl.col("odd").list.len() > 0
    )
    return _said(
        frame,
        pl.format(
            "Hop {} is damaged: {}.",
            "hop",
            pl.col("odd").list.sort().list.join(", ").str.replace_all("_", " "),
        ),
    )


def _unreadable_hop(frames: Frames) -> pl.DataFrame:
    frame = frames.hops.filter(pl.col("parse_status").is_in(["unparsed", "oversize"]))
    return _said(
        frame,
        pl.format("Hop {} cannot be read: what lies below it is not connected to what lies above.", "hop"),
    )


def _no_tls(frames: Frames) -> pl.DataFrame:
    frame = frames.hops.filter(
        pl.col("is_border").fill_null(False) & (pl.col("trust") == "ours") & pl.col("tls_version").is_null() & pl.col("tls_cipher").is_null()
        & pl.col("with_protocol").is_in(["SMTP", "ESMTP"])
    )  # fmt: skip
    return _said(
        frame, pl.format("Hop {}: {} took the message without encryption.", "hop", _named("by_name"))
    )


# Fields of the message.

_ONCE = [
    "from",
    "sender",
    "reply-to",
    "to",
    "cc",
    "message-id",
    "subject",
    "date",
    "in-reply-to",
    "references",
]


def _repeated(frames: Frames) -> pl.DataFrame:
    fields = frames.headers.filter(pl.col("key").is_in(_ONCE))
    twice = (
        fields.group_by("document_id", "key", maintain_order=True)
        .agg(pl.col("name").first(), "event_id", pl.len())
        .filter(pl.col("len") > 1)
    )
    return twice.select(
        "document_id", pl.format("The field {} stands {} times; readers may show different ones.", "name", "len").alias("sentence"),
        pl.col("event_id").alias("evidence"),
        pl.when(pl.col("key").is_in(["from", "sender", "reply-to"])).then(pl.lit("warning")).otherwise(pl.lit("notice")).alias("severity"),
    )  # fmt: skip


def _from_name_address(frames: Frames) -> pl.DataFrame:
    """A display name that looks like another address than the one behind it."""
    shown = frames.headers.filter(pl.col("key") == "from").with_columns(
        pl.col("value")
        .str.extract(r"^\s*\"?[^<]*?([A-Za-z0-9._%+-]+@[A-Za-z0-9.-]+[A-Za-z0-9])[^<]*<")
        .str.to_lowercase()
        .alias("shown")
    )
    frame = shown.join(frames.documents.select("document_id", "from_address"), on="document_id").filter(
        pl.col("shown").is_not_null() & (pl.col("shown") != pl.col("from_address").str.to_lowercase())
    )
    return _said(
        frame,
        pl.format("From shows the address {} as a name, but the address is {}.", "shown", "from_address"),
    )


def _differing(frames: Frames, column: str, field: str, words: str) -> pl.DataFrame:
    frame = frames.documents.filter(
        pl.col(f"{column}_org").is_not_null()
        & pl.col("from_address_org").is_not_null()
        & (pl.col(f"{column}_org") != pl.col("from_address_org"))
    )
    fields = frames.headers.filter(pl.col("key") == field).unique(
        "document_id", keep="first", maintain_order=True
    )
    frame = frame.join(fields.select("document_id", "event_id"), on="document_id")
    return _said(frame, pl.format(words, column, "from_address"))


def _return_path(frames: Frames) -> pl.DataFrame:
    return _differing(frames, "return_path", "return-path", "Returns go to {}, while From says {}.")


def _reply_to(frames: Frames) -> pl.DataFrame:
    return _differing(frames, "reply_to", "reply-to", "Replies go to {}, while From says {}.")


def _message_id(frames: Frames) -> pl.DataFrame:
    signer = frames.hops.filter(pl.col("hop") == 1).select("document_id", "by_name_org")
    frame = frames.documents.join(signer, on="document_id", how="left").filter(
        (pl.col("message_id_org") != pl.col("from_address_org"))
        & (pl.col("message_id_org") != pl.col("by_name_org").fill_null(""))
    )
    fields = frames.headers.filter(pl.col("key") == "message-id").unique(
        "document_id", keep="first", maintain_order=True
    )
    frame = frame.join(fields.select("document_id", "event_id"), on="document_id")
    return _said(
        frame,
        pl.format(
            "The Message-ID was made by {}, neither the domain in From nor the first server.",
            "message_id_org",
        ),
    )


def _no_message_id(frames: Frames) -> pl.DataFrame:
    frame = frames.documents.filter(pl.col("message_id").is_null())
    return _said(frame, pl.lit("The message has no Message-ID."), evidence=())


def _signers(frames: Frames) -> pl.DataFrame:
    signed = frames.auth_results.filter(
        (pl.col("field") == "DKIM-Signature") & pl.col("header_d").is_not_null()
    )
    by_message = signed.group_by("document_id", maintain_order=True).agg(
        pl.col("aligned").any().alias("any_aligned"),
        pl.col("header_d").unique(maintain_order=True),
        "event_id",
    )
    frame = by_message.filter(~pl.col("any_aligned"))
    return frame.select(
        "document_id", pl.col("event_id").alias("evidence"),
        pl.format("Signed only by {}, which is not the domain in From.", pl.col("header_d").list.join(", ")).alias("sentence"),
    )  # fmt: skip


# Authentication fields.

_AR = pl.col("field") == "Authentication-Results"


def _own_result_below(frames: Frames) -> pl.DataFrame:
    """Right below our border milters of ours may have written; further down it came with the message."""
    copies = frames.auth_results.filter(_AR & (pl.col("authserv_trust") == "foreign")).with_columns(
        pl.col("authserv_id").str.to_lowercase().alias("name")
    )
    claimed = (
        frames.hops.filter(pl.col("trust") == "claimed")
        .group_by("document_id")
        .agg(pl.col("ordinal").min().alias("claims"))
    )
    frame = copies.join(frames.own_names, on=["document_id", "name"], how="semi").join(
        claimed, on="document_id", how="left"
    )
    frame = frame.unique(["document_id", "ordinal"], maintain_order=True).with_columns(
        pl.when(pl.col("ordinal") > pl.col("claims"))
        .then(pl.lit("notice"))
        .otherwise(pl.lit("info"))
        .alias("severity")
    )
    return _said(
        frame,
        pl.format(
            "A result in the name of our {} stands where it may have come with the message; it counts for nothing.",
            "authserv_id",
        ),
    )


def _more_results_than_hops(frames: Frames) -> pl.DataFrame:
    results = frames.auth_results.filter(_AR).unique(["document_id", "ordinal"], maintain_order=True)
    count = results.group_by("document_id", maintain_order=True).agg("event_id", pl.len().alias("results"))
    frame = count.join(frames.documents.select("document_id", "hop_count"), on="document_id").filter(
        pl.col("results") > pl.col("hop_count") + 1
    )
    return frame.select(
        "document_id", pl.col("event_id").alias("evidence"),
        pl.format("{} Authentication-Results, but only {} servers.", "results", "hop_count").alias("sentence"),
    )  # fmt: skip


def _unknown_authserv(frames: Frames) -> pl.DataFrame:
    hosts = frames.hops.select("document_id", pl.col("by_name_org").alias("org")).drop_nulls()
    results = frames.auth_results.filter(_AR & pl.col("authserv_id").is_not_null()).unique(
        ["document_id", "ordinal"], maintain_order=True
    )
    results = results.with_columns(_organisations(results["authserv_id"]).alias("org")).filter(
        pl.col("org").is_not_null()
    )
    frame = results.join(hosts, on=["document_id", "org"], how="anti")
    return _said(frame, pl.format("A result of {}, which stamped no Received field.", "authserv_id"))


def _arc_chain(frames: Frames) -> pl.DataFrame:
    seals = frames.auth_results.filter(pl.col("field") == "ARC-Seal")
    sets = seals.group_by("document_id", maintain_order=True).agg(
        pl.col("arc_instance").sort().alias("instances"), "event_id", pl.len().alias("seals"),
        ((pl.col("arc_instance") == 1) & (pl.col("result") != "none")).any().alias("first_wrong"),
        ((pl.col("arc_instance") > 1) & (pl.col("result") == "none")).any().alias("later_wrong"),
    )  # fmt: skip
    expected = pl.int_ranges(1, pl.col("seals") + 1, dtype=pl.Int32)
    frame = sets.filter(
        (pl.col("instances") != expected)
        | pl.col("first_wrong")
        | pl.col("later_wrong")
        | (pl.col("seals") > 50)
    )
    return frame.select(
        "document_id", pl.col("event_id").alias("evidence"),
        pl.format("The ARC sets do not form a chain: instances {}.", pl.col("instances").cast(pl.List(pl.String)).list.join(", ")).alias("sentence"),
    )  # fmt: skip


def _recomputed(frames: Frames) -> pl.DataFrame:
    """What headers claim and a check of our own contradicts."""
    ours = frames.auth_results.filter((pl.col("field") == "recomputed") & pl.col("result").is_not_null())
    ours = ours.select(
        "document_id", "method", pl.col("header_d").fill_null(""), pl.col("result").alias("checked")
    )
    claims = frames.auth_results.filter(
        (_AR | (pl.col("field") == "Received-SPF")) & pl.col("result").is_not_null()
    )
    claims = claims.with_columns(
        pl.when(pl.col("method") == "dkim")
        .then(pl.col("header_d").fill_null(""))
        .otherwise(pl.lit(""))
        .alias("header_d")
    )
    ours = ours.with_columns(
        pl.when(pl.col("method") == "dkim").then("header_d").otherwise(pl.lit("")).alias("header_d")
    )
    frame = claims.join(ours, on=["document_id", "method", "header_d"]).filter(
        ((pl.col("result") == "pass") != (pl.col("checked") == "pass"))
        & ~pl.col("checked").is_in(["temperror"])
    )
    sentence = pl.format(
        "{} says {}={}, but checking again gives {}.",
        pl.col("authserv_id").fill_null("A header"),
        "method",
        "result",
        "checked",
    )
    graded = pl.when(pl.col("result") == "pass").then(pl.lit("warning")).otherwise(pl.lit("info"))
    return _said(frame.with_columns(graded.alias("severity")), sentence)


_CLOCK = "The clock or time zone of one of the two hosts is wrong."
_LIST = "Mailing lists, newsletters and forwarders send in the name of others."
_NAT = "Address translation, a gateway or a server with several names does this too."

RULES: tuple[Rule, ...] = (
    Rule("field_repeated", "notice", "A broken script or gateway added it again.", "RFC 5322 §3.6", _repeated, "seen"),
    Rule("from_shows_other_address", "warning", "Some lists and ticket systems put the author's address into the name.", "rspamd SPOOF_DISPLAY_NAME", _from_name_address, "seen"),
    Rule("names_our_server_below_border", "warning", "The message went out from us earlier and came back, by a forwarder or a list.", "RFC 5321 §7.2; SpamAssassin TrustPath", _names_our_server),
    Rule("our_result_below_border", "notice", "A milter of ours wrote it, but no field beside it quotes our queue id; name it in authserv= if forged copies are removed.", "RFC 8601 §5, §7.1", _own_result_below),
    Rule("recomputed_differs", "notice", "Keys and records may have changed since the message was received.", "RFC 8601 §7.1", _recomputed),
    Rule("impossible_address", "warning", "A damaged field.", "RFC 6890", _impossible_address, "seen"),
    Rule("stamp_not_in_its_format", "notice", "The operator changed the form of its stamps.", "rspamd FAKE_RECEIVED_*; SpamAssassin HeaderEval", _stamp_format),
    Rule("helo_brand_without_name", "notice", "A test set-up, or a name server that did not answer.", "SpamAssassin RelayEval", _helo_brand),
    Rule("helo_address_differs", "notice", _NAT, "SpamAssassin FORGED_RCVD_IP_HELO", _helo_literal, "seen"),
    Rule("helo_localhost", "notice", "A mail server whose own name was never set.", "rspamd RCVD_HELO_USER, RECEIVED_HELO_LOCALHOST", _helo_local, "seen"),
    Rule("helo_name_differs", "info", _NAT, "RFC 5321 §4.1.4; RFC 1912 §2.1", _helo_differs, "seen"),
    Rule("dynamic_name", "info", "Small offices run servers on such lines.", "SpamAssassin 20_dynrdns", _dynamic_name),
    Rule("chain_broken", "info", "Load balancers and gateways use other names inside than outside.", "SpamAssassin FORGED_RCVD_TRAIL", _broken_chain),
    Rule("no_received", "info", "A draft, a sent copy, or a header from which the trace was cut.", "RFC 5321 §4.4", _no_received, "seen"),
    Rule("many_hops", "info", "Large organisations and lists pass mail through many servers.", "RFC 5321 §6.3", _few_or_many, "seen"),
    Rule("mail_loop", "notice", "A forwarding that comes back once and then ends.", "RFC 9228; RFC 5321 §6.3", _loop, "seen"),
    Rule("time_backwards", "info", _CLOCK, "RFC 5321 §4.4", _time_backwards, "seen"),
    Rule("date_shifted", "info", "A wrong clock at the sender, or a message that was written earlier and sent later.", "SpamAssassin DATE_IN_PAST, DATE_IN_FUTURE", _date_shifted, "seen"),
    Rule("date_unreadable", "info", "A program that writes dates in its own language.", "RFC 5322 §3.3", _date_unreadable, "seen"),
    Rule("postfix_without_zone", "notice", "A relay rewrote the field, or Postfix was patched.", "rspamd INVALID_POSTFIX_RECEIVED", _postfix_zone),
    Rule("shape_unknown", "notice", "A rare or home-made mail server.", "rspamd FORGED_GENERIC_RECEIVED", _bare_shape),
    Rule("received_damaged", "info", "A gateway that folds or cuts long fields.", "RFC 5322 §2.2.3", _damaged, "seen"),
    Rule("received_unreadable", "info", "A rare or home-made mail server.", "SpamAssassin UNPARSEABLE_RELAY", _unreadable_hop, "seen"),
    Rule("border_without_tls", "info", "Encryption between servers is optional.", "rspamd RCVD_NO_TLS_LAST; RFC 3207", _no_tls, "seen"),
    Rule("return_path_differs", "info", _LIST, "RFC 5321 §4.4", _return_path, "seen"),
    Rule("reply_to_differs", "info", _LIST, "rspamd REPLYTO_DOM_NEQ_FROM_DOM", _reply_to, "seen"),
    Rule("message_id_domain", "info", "Mail programs and services name themselves in it.", "RFC 5322 §3.6.4", _message_id, "seen"),
    Rule("no_message_id", "info", "Scripts often leave it out.", "RFC 5322 §3.6.4", _no_message_id, "seen"),
    Rule("signed_by_others_only", "info", _LIST, "RFC 9989 §4.4", _signers, "seen"),
    Rule("more_results_than_hops", "info", "Several filters of one server each write their own.", "RFC 8601 §5", _more_results_than_hops, "seen"),
    Rule("result_of_unknown_server", "info", "The authserv-id need not be a host name.", "RFC 8601 §2.5", _unknown_authserv, "seen"),
    Rule("arc_chain_broken", "notice", "A gateway dropped or added a field of a set.", "RFC 8617 §5.2", _arc_chain, "seen"),
)  # fmt: skip
"""All rules; within a message the ones that matter most stand first."""


def describe(name: str) -> dict[str, Any]:
    """The words of a rule: name, severity, innocent explanation and source.

    >>> describe("time_backwards")["innocent"]
    'The clock or time zone of one of the two hosts is wrong.'
    """
    rule = next(rule for rule in RULES if rule.name == name)
    return {"name": rule.name, "severity": rule.severity, "innocent": rule.innocent, "source": rule.source}
