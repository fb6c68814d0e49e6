"""What went through the mail system: the numbers that ``pflogsumm`` reports, as tables and as its text.

       1980   received
       2096   delivered
         17   forwarded
         22   deferred  (473 deferrals)

A queue entry that a content filter gave back, or that ``postsuper -r`` queued anew, is the same mail: it is counted once,
and ``every_queue`` has the number with each queue entry counted, as pflogsumm counts. A mail that passes two of your
hosts is counted on each; ``mails`` counts journeys, each of which is one mail as its sender meant it.

Source: the report of pflogsumm 1.1.5 (Debian), whose words are kept where the meaning is the same.
"""

from __future__ import annotations

from dataclasses import dataclass

import polars as pl

from mailforensics.headers.domains import organisational_domain

Frame = pl.DataFrame

TOTALS = (
    "received", "delivered", "forwarded", "deferred", "deferrals", "bounced", "rejected", "reject_warnings", "held",
    "discarded", "bytes_received", "bytes_delivered", "senders", "sending_domains", "recipients", "recipient_domains",
)  # fmt: skip
TRAFFIC = ("received", "delivered", "deferred", "bounced", "rejected")
_AGAIN = ("reinjected", "xforward", "filter_log", "requeued_from")
NULL_SENDER = "from=<>"


@dataclass(frozen=True)
class MailSummary:
    """The numbers of a summary.

    totals             what, number, every_queue (with re-injected and requeued entries counted again)
    days, hours        time (the day, or the hour 0 to 23 over all days), and the columns of ``TRAFFIC``
    recipient_domains  domain, sent, bytes, deferrals, delay_mean_s, delay_max_s
    sender_domains     domain, received, bytes
    senders            address, messages, bytes
    recipients         address, messages, bytes
    """

    totals: Frame
    days: Frame
    hours: Frame
    recipient_domains: Frame
    sender_domains: Frame
    senders: Frame
    recipients: Frame

    def total(self, what: str, *, every_queue: bool = False) -> int:
        """One of the totals."""
        row = self.totals.row(by_predicate=pl.col("what") == what, named=True)
        return int(row["every_queue" if every_queue else "number"])


def summarise(
    messages: Frame, deliveries: Frame, journeys: Frame, notices: Frame, zone: str = "UTC"
) -> MailSummary:
    """The summary of what the tables hold.

    notices   time and action of every line in which a check, milter or table acted on a mail (reject, hold, discard ...)
    zone      the zone of days and hours

    >>> from mailforensics import schema
    >>> empty = [schema.empty(name) for name in ("messages", "deliveries", "journeys")]
    >>> summarise(*empty, pl.DataFrame(schema={"time": pl.Datetime("us", "UTC"), "action": pl.String})).total("received")
    0
    """
    again = _again(messages, journeys)
    received = _received(messages).join(
        again.select("to", again=pl.lit(True)), left_on="message_key", right_on="to", how="left"
    )
    tries = _tries(deliveries, messages, again)
    acts = notices.select("time", does=_does())
    once, all_ = (
        (received.filter(pl.col("again").is_null()), tries.filter(~pl.col("hand_over"))),
        (received, tries),
    )
    numbers = [_totals(*pair, acts) for pair in (once, all_)]
    totals = pl.DataFrame(
        {"what": TOTALS, "number": [numbers[0][what] for what in TOTALS], "every_queue": [numbers[1][what] for what in TOTALS]},
        schema={"what": pl.String, "number": pl.Int64, "every_queue": pl.Int64},
    )  # fmt: skip
    mails = journeys.filter(pl.col("message_keys").list.len() > 0).height
    totals = pl.concat([totals, pl.DataFrame({"what": ["mails"], "number": [mails], "every_queue": [mails]})])
    flow = _flow(*once, acts, zone)
    return MailSummary(
        totals, _by(flow, pl.col("time").dt.date()), _by(flow, pl.col("time").dt.hour().cast(pl.Int32)),
        _recipient_domains(once[1]), _grouped(once[0], "domain", "received"), _grouped(once[0], "address", "messages"),
        _grouped(once[1].filter(pl.col("delivered")), "address", "messages"),
    )  # fmt: skip


def _again(messages: Frame, journeys: Frame) -> Frame:
    """Pairs of queue entries, from and to, that are the same mail given back by a filter or queued anew."""
    links = journeys.select("links").explode("links", empty_as_null=True).drop_nulls().unnest("links")
    pairs = links.filter(pl.col("method").is_in(_AGAIN)).select("from", "to")
    names = messages.select(to="message_key", next_queue="queue_id")
    return pairs.unique("to", keep="first", maintain_order=True).join(names, on="to", how="left")


def _received(messages: Frame) -> Frame:
    """What came in from outside the queue: by smtpd or pickup, not what Postfix made itself."""
    came = pl.col("client_ip").is_not_null() | pl.col("client_name").is_not_null()
    rows = messages.filter(came | pl.col("origin").is_in(["pickup", "requeue"]))
    sender = pl.col("sender").fill_null("")
    address = pl.when(sender == "").then(pl.lit(NULL_SENDER)).otherwise(_address(sender))
    return rows.select(
        "message_key", time="received_time", size="size", sized=pl.col("size").is_not_null(), address=address,
        domain=_domain_or_client(rows, address, came),
    )  # fmt: skip


def _address(text: pl.Expr) -> pl.Expr:
    """An address with its domain in lower case."""
    domain = text.str.extract(r"(@.*)")
    return pl.when(domain.is_null()).then(text).otherwise(
        pl.concat_str(text.str.extract(r"^([^@]*)@"), domain.str.to_lowercase())
    )  # fmt: skip


def _domain_or_client(rows: Frame, address: pl.Expr, came: pl.Expr) -> pl.Expr:
    """The sender's domain; where it has none the client's, by its organisational domain or its address."""
    names = rows["client_name"].drop_nulls().unique().to_list()
    known = {name: organisational_domain(name.lower()) or name.lower() for name in names if name != "unknown"}
    named = (
        pl.col("client_name").replace_strict(known, default=None, return_dtype=pl.String)
        if known
        else pl.lit(None, pl.String)
    )
    client = pl.when(came).then(pl.coalesce(named, "client_ip"))
    domain = address.str.extract(r"^[^@]+@(.+)\z")
    return pl.coalesce(domain, client, address)


def _tries(deliveries: Frame, messages: Frame, again: Frame) -> Frame:
    """All tries with the size of their message, and whether they handed it to a filter that gave it back."""
    size = messages.select("message_key", "size")
    given = again.select(message_key="from", next_queue="next_queue").unique("message_key", keep="first")
    rows = deliveries.join(size, on="message_key", how="left").join(given, on="message_key", how="left")
    sent = pl.col("status") == "sent"
    forwarded = sent & pl.col("response").str.contains("forwarded as ", literal=True).fill_null(False)
    back = pl.coalesce(pl.col("remote_queue_id") == pl.col("next_queue"), pl.lit(True))
    address = _address(pl.col("recipient").fill_null(""))
    return rows.select(
        "message_key", "time", "status", "delay_s", "size", address=address,
        domain=address.str.replace(r"^[^@]+@", ""), forwarded=forwarded, delivered=sent & ~forwarded,
        hand_over=sent & pl.col("next_queue").is_not_null() & back,
    )  # fmt: skip


def _does() -> pl.Expr:
    """What an action of a check amounts to, in the words of the totals."""
    action = pl.col("action").str.to_lowercase()
    return (
        pl.when(action.str.contains("warn")).then(pl.lit("reject_warnings"))
        .when(action.str.contains("reject")).then(pl.lit("rejected"))
        .when(action.str.contains("hold") | action.str.contains("quarantine")).then(pl.lit("held"))
        .when(action.str.contains("discard")).then(pl.lit("discarded"))
    )  # fmt: skip


def _totals(received: Frame, tries: Frame, acts: Frame) -> dict[str, int]:
    delivered = tries.filter(pl.col("delivered"))
    deferred = tries.filter(pl.col("status") == "deferred")
    sized = received.filter(pl.col("sized"))
    done = {
        word: acts.filter(pl.col("does") == word).height
        for word in ("rejected", "reject_warnings", "held", "discarded")
    }
    return done | {
        "received": received.height, "delivered": delivered.height, "forwarded": tries.filter(pl.col("forwarded")).height,
        "deferred": deferred["message_key"].n_unique(), "deferrals": deferred.height,
        "bounced": tries.filter(pl.col("status") == "bounced").height, "bytes_received": int(received["size"].sum()),
        "bytes_delivered": int(delivered["size"].sum()), "senders": sized["address"].n_unique(),
        "sending_domains": sized["domain"].n_unique(), "recipients": delivered["address"].n_unique(),
        "recipient_domains": delivered["domain"].n_unique(),
    }  # fmt: skip


def _flow(received: Frame, tries: Frame, acts: Frame, zone: str) -> Frame:
    """One row per thing that is counted by day and hour: time in the zone, what."""
    status = (
        pl.when(pl.col("delivered")).then(pl.lit("delivered")).when(pl.col("status") != "sent").then("status")
    )
    parts = [
        received.select("time", what=pl.lit("received")),
        tries.select("time", what=status),
        acts.select("time", what=pl.when(pl.col("does").is_not_null()).then(pl.lit("rejected"))),
    ]
    return (
        pl.concat(parts)
        .filter(pl.col("what").is_in(TRAFFIC))
        .with_columns(pl.col("time").dt.convert_time_zone(zone))
    )


def _by(flow: Frame, time: pl.Expr) -> Frame:
    counts = [(pl.col("what") == word).sum().cast(pl.Int64).alias(word) for word in TRAFFIC]
    return flow.drop_nulls("time").group_by(time.alias("time")).agg(counts).sort("time")


def _recipient_domains(tries: Frame) -> Frame:
    sent, deferred = pl.col("delivered"), pl.col("status") == "deferred"
    rows = tries.filter(sent | deferred).group_by("domain").agg(
        sent.sum().cast(pl.Int64).alias("sent"),
        pl.col("size").filter(sent).sum().alias("bytes"),
        deferred.sum().cast(pl.Int64).alias("deferrals"),
        pl.col("delay_s").filter(sent).mean().alias("delay_mean_s"),
        pl.col("delay_s").max().alias("delay_max_s"),
    )  # fmt: skip
    return rows.sort("sent", "bytes", "domain", descending=[True, True, False])


def _grouped(rows: Frame, by: str, count: str) -> Frame:
    sized = rows.filter(pl.col("sized")) if "sized" in rows.columns else rows
    counts = sized.group_by(by).agg(pl.len().cast(pl.Int64).alias(count), pl.col("size").sum().alias("bytes"))
    return counts.sort(count, "bytes", by, descending=[True, True, False])


# --- As text ----------------------------------------------------------------------------------------------------------


def as_text(summary: MailSummary, top: int | None = None) -> str:
    """The report in the words and order of pflogsumm; ``top`` limits the lists of addresses and domains."""
    parts = [
        _grand_totals(summary), _days(summary), _hours(summary), _delivery(summary.recipient_domains.head(top or _ALL)),
        _incoming(summary.sender_domains.head(top or _ALL)),
        _list("Senders by message count", summary.senders, "messages", top),
        _list("Recipients by message count", summary.recipients, "messages", top),
        _list("Senders by message size", summary.senders, "bytes", top),
        _list("Recipients by message size", summary.recipients, "bytes", top),
    ]  # fmt: skip
    return "\n\n".join(parts)


_ALL = 2**31
_HEADING = "    {:14}received  delivered   deferred    bounced     rejected\n    " + "-" * 68


def _units(value: float) -> str:
    """A number with pflogsumm's units: k from 512 k, m from 512 m."""
    for limit, unit, divisor in ((2**29, "m", 2**20), (2**19, "k", 2**10)):
        if value > limit:
            return f"{int(value / divisor):6d}{unit}"
    return f"{int(value):6d} "


def _title(text: str) -> str:
    return f"{text}\n{'-' * len(text)}"


def _grand_totals(summary: MailSummary) -> str:
    number = dict(summary.totals.select("what", "number").rows())
    whole = number["delivered"] + number["rejected"] + number["discarded"]
    share = {word: int(100 * number[word] / whole) if whole else 0 for word in ("rejected", "discarded")}
    behind = {"deferred": f"  ({number['deferrals']} deferrals)" if number["deferrals"] else ""}
    behind |= {word: f" ({share[word]}%)" for word in share}
    said = {"sending_domains": "sending hosts/domains", "recipient_domains": "recipient hosts/domains"}
    lines = [
        f" {_units(number[word])}  {said.get(word, word.replace('_', ' '))}{behind.get(word, '')}"
        for word in TOTALS
        if word != "deferrals"
    ]
    more = summary.totals.filter(
        (pl.col("number") != pl.col("every_queue")) & ~pl.col("what").is_in(["mails"])
    )
    lines.insert(9, "")
    notes = [f" {_units(number['mails'])}  mails as their senders mean them, over all queues and hosts"]
    if more.height:
        told = ", ".join(f"{row['every_queue']} {row['what'].replace('_', ' ')}" for row in more.to_dicts())
        notes.append(
            f"\nMail that a filter gave back, or that was queued anew, is counted once; with each queue entry: {told}."
        )
    return "\n".join([_title("Grand Totals"), "messages", "", *lines, "", *notes])


def _days(summary: MailSummary) -> str:
    rows = [
        f"    {row['time']:%b %e %Y}" + "".join(f"    {_units(row[word])}" for word in TRAFFIC)
        for row in summary.days.to_dicts()
    ]
    return "\n".join([_title("Per-Day Traffic Summary"), _HEADING.format("date"), *rows])


def _hours(summary: MailSummary) -> str:
    days = max(1, summary.days.height)
    title = "Per-Hour Traffic Daily Average" if days > 1 else "Per-Hour Traffic Summary"
    by_hour = {row["time"]: row for row in summary.hours.to_dicts()}
    rows = []
    for hour in range(24):
        counts = [by_hour.get(hour, {}).get(word, 0) for word in TRAFFIC]
        cells = "".join(f"    {_units(int(count / days + 0.5))}" for count in counts)
        rows.append(f"    {hour:02d}00-{hour + 1:02d}00  {cells}")
    return "\n".join([_title(title), _HEADING.format("time"), *rows])


def _delivery(domains: Frame) -> str:
    head = " sent cnt  bytes   defers   avg dly max dly host/domain\n -------- -------  -------  ------- ------- -----------"
    rows = [
        f" {_units(row['sent'])}  {_units(row['bytes'])}  {_units(row['deferrals'])}  {_delay(row['delay_mean_s'])}"
        f"  {_delay(row['delay_max_s'])}  {row['domain']}"
        for row in domains.to_dicts()
    ]
    return "\n".join([_title("Host/Domain Summary: Message Delivery"), head, *rows])


def _delay(seconds: float | None) -> str:
    for limit, unit in ((3600, "h"), (60, "m")):
        if seconds and seconds > limit:
            return f"{seconds / limit:5.1f} {unit}"
    return f"{seconds or 0:5.1f} s"


def _incoming(domains: Frame) -> str:
    head = " msg cnt   bytes   host/domain\n -------- -------  -----------"
    rows = [
        f" {_units(row['received'])}  {_units(row['bytes'])}  {row['domain']}" for row in domains.to_dicts()
    ]
    return "\n".join([_title("Host/Domain Summary: Messages Received"), head, *rows])


def _list(title: str, rows: Frame, number: str, top: int | None) -> str:
    rows = rows.sort(number, "address", descending=[True, False]).head(top or _ALL)
    title = f"top {top} {title}" if top else title
    lines = [f" {_units(row[number])}  {row['address']}" for row in rows.to_dicts()]
    return "\n".join([_title(title), *lines])
