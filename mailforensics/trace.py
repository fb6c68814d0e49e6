"""Where is my mail? The journeys that match a question, told step by step over all hosts and programs.

    trace = case.trace(to="bob@example.org", since="10:00")
    print(trace)              the answer first, then what to do next, then the steps, each with its line
    trace.to_dict()           the same as data (docs/reference/trace.md)

A question names any of sender, recipient, Message-ID, queue id, subject (parts match) and a time window in local time.
"""

from __future__ import annotations

import datetime as dt
import difflib
import itertools
import re
import zoneinfo
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any

import polars as pl

from mailforensics import coverage
from mailforensics.errors import OptionError
from mailforensics.evidence.names import source_names
from mailforensics.steps import Shown, Step, steps_of

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from mailforensics.case import Case

Frame = pl.DataFrame
QUESTIONS = (
    "to", "sender", "message_id", "queue_id", "subject", "client", "user", "relay", "reply", "since", "until",
)  # fmt: skip


@dataclass(frozen=True)
class Trace:
    """The answer to one question. ``journeys`` are told when they are asked for; ``len()`` is how many match.

    The form in a notebook is HTML, in a terminal text; ``to_dict()`` is the JSON shape of docs/reference/trace.md.
    """

    case: Case = field(repr=False)
    query: Mapping[str, Any]
    found: Frame = field(repr=False)  # rows of `journeys`, newest first

    def __len__(self) -> int:
        return self.found.height

    def retold(self, case: Case, query: Mapping[str, Any]) -> Trace:
        """The same journeys as another form of the case tells them, one with pseudonyms."""
        keys = self.found.select("journey_key")
        found = keys.join(case.polars("journeys"), on="journey_key", how="left", maintain_order="left")
        return Trace(case, query, found)

    def to_dict(self) -> dict[str, Any]:
        """The answer as plain data: query, searched, zone, journeys with outcomes, timeline and steps. Times are ISO 8601, UTC."""
        return self._told

    @cached_property
    def _told(self) -> dict[str, Any]:
        events = coverage.outline(self.case)
        rows = self.found.to_dicts()
        shown = Shown(self.case, rows)
        names = source_names(self.case.polars("sources"))
        told: dict[str, Any] = {
            "query": {key: _plain(value) for key, value in self.query.items()},
            "zone": self.case.zone,
            "searched": searched(self.case, events),
            "journeys": [tell(self.case, row, names, shown) for row in rows],
        }
        if not told["journeys"]:
            told["near"] = near_addresses(self.case, self.query)
        return told

    @property
    def journeys(self) -> list[dict[str, Any]]:
        """The journeys that match, as ``to_dict`` tells them."""
        journeys: list[dict[str, Any]] = self._told["journeys"]
        return journeys

    def plot(self, journey: int = 0, *, ax: Axes | None = None) -> Axes:
        """Draw the steps of one of the journeys, the newest if not said, a lane per host and program.

        Raises OptionError when there is no journey of that number.
        """
        from mailforensics.show import plots

        if not 0 <= journey < len(self):
            raise OptionError(f"There is no journey {journey}: {len(self)} match the question; count from 0.")
        return plots.timeline(self.journeys[journey], zone=self.case.zone, ax=ax)

    def __str__(self) -> str:
        from mailforensics.show import text

        return text.trace(self.to_dict())

    def __repr__(self) -> str:
        return str(self)

    def _repr_html_(self) -> str:
        from mailforensics.show import html

        return html.trace(self.to_dict())


def trace(case: Case, **question: Any) -> Trace:
    """See ``Case.trace``."""
    unknown = [key for key in question if key not in QUESTIONS]
    if unknown:
        raise OptionError(f"There is no question {unknown[0]!r}; one can ask for {', '.join(QUESTIONS)}.")
    asked = {key: value for key, value in question.items() if value is not None and value != ""}
    journeys = case.polars("journeys")
    keep = _matching(case, journeys, asked)
    found = journeys.filter(pl.col("journey_key").is_in(keep.implode())) if keep is not None else journeys
    found = _in_window(case, found, asked)
    return Trace(case, asked, found.sort("first_time", "journey_key", descending=True, nulls_last=True))


# --- Matching ---------------------------------------------------------------------------------------------------------


def _matching(case: Case, journeys: Frame, asked: Mapping[str, Any]) -> pl.Series | None:
    """The keys of the journeys that fit all that was asked but the times (None: nothing but times was asked)."""
    keys: pl.Series | None = None
    finders = {
        "to": _by_recipient, "sender": _by_sender, "message_id": _by_message_id, "queue_id": _by_queue_id,
        "subject": _by_subject, "client": _by_client, "user": _by_user, "relay": _by_relay, "reply": _by_reply,
    }  # fmt: skip
    for name, finder in finders.items():
        if name in asked:
            found = finder(case, journeys, str(asked[name]).strip())
            keys = found if keys is None else keys.filter(keys.is_in(found.implode()))
    return keys


def _has(column: pl.Expr, part: str) -> pl.Expr:
    """The column holds this text, in whatever case; the null sender is asked for as ``<>``."""
    bare = part.strip("<>").lower() if "@" in part or part == "<>" else part.lower()
    if bare == "":
        return column == ""
    return column.str.to_lowercase().str.contains(bare, literal=True)


def _by_recipient(case: Case, journeys: Frame, part: str) -> pl.Series:
    listed = journeys.select("journey_key", pl.col("recipients").alias("address")).explode(
        "address", empty_as_null=True
    )
    ends = journeys.select("journey_key", "outcomes").explode("outcomes", empty_as_null=True)
    finals = ends.select("journey_key", pl.col("outcomes").struct.field("recipient").alias("address"))
    firsts = ends.select(
        "journey_key", pl.col("outcomes").struct.field("original_recipient").alias("address")
    )
    whole = pl.concat([listed, finals, firsts])
    return whole.filter(_has(pl.col("address"), part).fill_null(False))["journey_key"].unique()


def _by_sender(case: Case, journeys: Frame, part: str) -> pl.Series:
    messages = case.polars("messages").select(
        "journey_key", pl.col("sender").alias("address"), "sasl_username"
    )
    mine = messages.filter(
        _has(pl.col("address"), part).fill_null(False) | _has(pl.col("sasl_username"), part).fill_null(False)
    )
    own = journeys.filter(_has(pl.col("sender"), part).fill_null(False))["journey_key"]
    return pl.concat([mine["journey_key"], own]).unique()


def _by_message_id(case: Case, journeys: Frame, part: str) -> pl.Series:
    bare = part.strip("<> ")
    messages = case.polars("messages")
    return messages.filter(_has(pl.col("message_id"), bare).fill_null(False))["journey_key"].unique()


def _by_queue_id(case: Case, journeys: Frame, part: str) -> pl.Series:
    """A queue id as it is written (long ids tell upper from lower case), or a part of at least four characters."""
    messages = case.polars("messages")
    exact = messages.filter(pl.col("queue_id") == part)["journey_key"].unique()
    if len(exact) or len(part) < 4:
        return exact
    return messages.filter(pl.col("queue_id").str.contains(part, literal=True))["journey_key"].unique()


def _by_client(case: Case, journeys: Frame, part: str) -> pl.Series:
    """The client that brought it: its address or its name; also one that was refused."""
    messages, rejects = case.polars("messages"), case.polars("rejects")
    fits = _has(pl.col("client_ip"), part).fill_null(False) | _has(pl.col("client_name"), part).fill_null(
        False
    )
    refused = rejects.filter(fits).select(pl.col("evidence").list.first().alias("event_id"))
    return pl.concat(
        [messages.filter(fits)["journey_key"], _journeys_of(journeys, refused["event_id"])]
    ).unique()


def _by_user(case: Case, journeys: Frame, part: str) -> pl.Series:
    """The account that logged in to send it."""
    fits = _has(pl.col("sasl_username"), part).fill_null(False)
    refused = case.polars("rejects").filter(fits).select(pl.col("evidence").list.first().alias("event_id"))
    mine = case.polars("messages").filter(fits)["journey_key"]
    return pl.concat([mine, _journeys_of(journeys, refused["event_id"])]).unique()


def _by_relay(case: Case, journeys: Frame, part: str) -> pl.Series:
    """A server that it was handed to, or that did not take it: name or address."""
    fits = _has(pl.col("relay_name"), part).fill_null(False) | _has(pl.col("relay_ip"), part).fill_null(False)
    return _of_messages(case, case.polars("deliveries").filter(fits)["message_key"])


def _by_reply(case: Case, journeys: Frame, part: str) -> pl.Series:
    """Words of a reply, of another server or of ours."""
    told = case.polars("deliveries").filter(_has(pl.col("response"), part).fill_null(False))
    refused = case.polars("rejects").filter(_has(pl.col("text"), part).fill_null(False))
    events = refused.select(pl.col("evidence").list.first().alias("event_id"))["event_id"]
    return pl.concat([_of_messages(case, told["message_key"]), _journeys_of(journeys, events)]).unique()


def _of_messages(case: Case, keys: pl.Series) -> pl.Series:
    messages = case.polars("messages")
    return messages.filter(pl.col("message_key").is_in(keys.unique().implode()))["journey_key"].unique()


def _journeys_of(journeys: Frame, events: pl.Series) -> pl.Series:
    """The journeys whose outcomes stand on these events."""
    ends = journeys.select("journey_key", "outcomes").explode("outcomes", empty_as_null=True)
    shown = ends.select("journey_key", pl.col("outcomes").struct.field("evidence").alias("event_id"))
    shown = shown.explode("event_id", empty_as_null=True)
    return shown.filter(pl.col("event_id").is_in(events.implode()))["journey_key"].unique()


def _by_subject(case: Case, journeys: Frame, part: str) -> pl.Series:
    table = subjects(case)
    return table.filter(_has(pl.col("subject"), part).fill_null(False))["journey_key"].unique()


def subjects(case: Case) -> Frame:
    """Subjects by journey and Message-ID, from mailbox events, scans and message files (Postfix alone does not log them)."""
    keys = case.polars("messages").select("message_key", "journey_key", "message_id")
    parts: list[Frame] = []
    if "dovecot.mailbox" in case.kinds:
        lines = case.kind("dovecot.mailbox")
        events = case.polars("mailbox_events").select(
            "message_key", pl.col("evidence").list.first().alias("event_id")
        )
        if "subject" in lines.columns:
            shown = events.join(lines.select("event_id", "subject"), on="event_id")
            parts.append(shown.join(keys, on="message_key"))
    parts.append(case.polars("scans").select("message_key", "subject").join(keys, on="message_key"))
    parts.append(
        case.polars("documents").select("message_id", "subject").drop_nulls().join(keys, on="message_id")
    )
    whole = pl.concat([part.select("journey_key", "message_id", "subject") for part in parts])
    return whole.drop_nulls(["journey_key", "subject"]).unique(maintain_order=True)


_TIME = re.compile(r"\A(?P<hour>[0-2]?[0-9]):(?P<minute>[0-5][0-9])(?::(?P<second>[0-5][0-9]))?\Z")


def moment(value: Any, zone: str, newest: dt.datetime | None) -> dt.datetime:
    """A time as people say it, in UTC: "10:00" (on the newest day of the evidence), "2026-03-01", "2026-03-01 10:00", ISO 8601.

    Raises OptionError for what cannot be read as a time.
    """
    local = zoneinfo.ZoneInfo(zone)
    if isinstance(value, dt.datetime):
        return (value if value.tzinfo else value.replace(tzinfo=local)).astimezone(dt.UTC)
    text = str(value).strip()
    clock = _TIME.match(text)
    if clock:
        day = (newest or dt.datetime.now(dt.UTC)).astimezone(local)
        at = day.replace(
            hour=int(clock["hour"]),
            minute=int(clock["minute"]),
            second=int(clock["second"] or 0),
            microsecond=0,
        )
        return at.astimezone(dt.UTC)
    try:
        parsed = dt.datetime.fromisoformat(text)
    except ValueError as error:
        raise OptionError(
            f'The time {text!r} cannot be read: write "2026-03-01 10:00", "2026-03-01" or "10:00".'
        ) from error
    return (parsed if parsed.tzinfo else parsed.replace(tzinfo=local)).astimezone(dt.UTC)


def _in_window(case: Case, journeys: Frame, asked: Mapping[str, Any]) -> Frame:
    newest = journeys["last_time"].max() if journeys.height else None
    newest = newest if isinstance(newest, dt.datetime) else None
    if "since" in asked:
        since = moment(asked["since"], case.zone, newest)
        journeys = journeys.filter(pl.col("last_time") >= since)
    if "until" in asked:
        until = moment(asked["until"], case.zone, newest)
        if isinstance(asked["until"], str) and re.fullmatch(
            r"[0-9]{4}-[0-9]{2}-[0-9]{2}", asked["until"].strip()
        ):
            until += dt.timedelta(days=1)
        journeys = journeys.filter(pl.col("first_time") <= until)
    return journeys


def near_addresses(case: Case, asked: Mapping[str, Any]) -> list[str]:
    """Addresses in the evidence that differ by a letter or two from one that was asked for and not found."""
    near: list[str] = []
    journeys = case.polars("journeys")
    pools = {"to": journeys["recipients"].explode(empty_as_null=True), "sender": journeys["sender"]}
    for name, pool in pools.items():
        if name in asked:
            known = pool.drop_nulls().unique().sort().to_list()
            near += difflib.get_close_matches(str(asked[name]).strip("<> ").lower(), known, n=3, cutoff=0.8)
    return near


# --- Telling ----------------------------------------------------------------------------------------------------------


def searched(case: Case, events: Frame) -> dict[str, Any]:
    """Over which hosts and times the question was asked, and how many lines were not understood."""
    sources = case.polars("sources")
    return {
        "hosts": [
            {"host": row["host"], "from": _plain(row["from"]), "to": _plain(row["to"]),
             "gaps": [{key: _plain(value) for key, value in gap.items()} for gap in row["gaps"]]}
            for row in coverage.hosts(events)
        ],
        "lines": int(sources["lines"].sum() or 0),
        "not_understood": int(sources["unparsed"].sum() or 0),
        "silent": coverage.silent(sources, events),
    }  # fmt: skip


def tell(
    case: Case, row: Mapping[str, Any], names: Mapping[int, str], shown: Shown | None = None
) -> dict[str, Any]:
    """One journey as data: who, what, the fate of each recipient, the steps with their lines."""
    steps = steps_of(case, row, shown)
    timeline = [_entry(step, before, names) for step, before in zip(steps, [None, *steps], strict=False)]
    messages = _messages_of(case, row)
    lines = {event for step in steps for event in step.events}
    subject = _subject_of(case, row)
    return {
        "journey_key": row["journey_key"],
        "message_id": row["message_id"],
        "subject": subject,
        "sender": row["sender"],
        "recipients": row["recipients"] or [],
        "first_time": _plain(row["first_time"]),
        "last_time": _plain(row["last_time"]),
        "hosts": _once(message["host"] for message in messages) or _once(step.host for step in steps),
        "queue_ids": _once(message["queue_id"] for message in messages),
        "lines": len(lines),
        "links": row.get("links") or [],
        "outcomes": [_outcome(case, outcome, names, row) for outcome in row["outcomes"] or []],
        "timeline": timeline,
        "steps": _spans(steps),
    }


def _messages_of(case: Case, row: Mapping[str, Any]) -> list[dict[str, Any]]:
    keys = row.get("message_keys") or []
    if not keys:
        return []
    return (
        case.polars("messages")
        .filter(pl.col("message_key").is_in(list(keys)))
        .sort("received_time")
        .to_dicts()
    )


def _subject_of(case: Case, row: Mapping[str, Any]) -> str | None:
    """The subject of the mail itself: notifications about it belong to its journey, but have a Message-ID of their own."""
    table = subjects(case).filter(pl.col("journey_key") == row["journey_key"])
    if row["message_id"]:
        table = table.filter(pl.col("message_id") == row["message_id"])
    return str(table["subject"][0]) if table.height else None


def _entry(step: Step, before: Step | None, names: Mapping[int, str]) -> dict[str, Any]:
    wait = (step.time - before.time).total_seconds() if before and step.time and before.time else None
    if wait is not None and before and not (step.fine and before.fine) and abs(wait) < 1:
        wait = None  # a stamp of whole seconds cannot tell
    return {
        "time": _plain(step.time),
        "host": step.host,
        "program": step.program,
        "queue_id": step.queue_id,
        "what": step.what,
        "source": names.get(step.source_id, str(step.source_id)),
        "line": step.line,
        "wait_s": wait,
    }


def _spans(steps: Sequence[Step]) -> list[dict[str, Any]]:
    """The time from each step to the next."""
    return [
        {"from": one.what, "to": other.what, "seconds": (other.time - one.time).total_seconds()}
        for one, other in itertools.pairwise(steps)
        if one.time and other.time
    ]


def _outcome(
    case: Case, outcome: Mapping[str, Any], names: Mapping[int, str], row: Mapping[str, Any]
) -> dict[str, Any]:
    told = dict(outcome)
    told["evidence"] = [
        {"source": names.get(e >> 40, str(e >> 40)), "line": e & ((1 << 40) - 1)}
        for e in outcome["evidence"] or []
    ]
    told["next"] = NEXT.get(str(outcome["outcome"]), "")
    if outcome["outcome"] in ("not_seen", "deferred"):
        more = [_in_queue(case, row, outcome), _next_try(case, outcome), _where_it_ends(case, row)]
        told["sentence"] = " ".join(part for part in [told["sentence"], *more] if part)
    return told


def _local(case: Case, moment: dt.datetime) -> str:
    return f"{moment.astimezone(zoneinfo.ZoneInfo(case.zone)):%Y-%m-%d %H:%M %z}"


def _in_queue(case: Case, row: Mapping[str, Any], outcome: Mapping[str, Any]) -> str:
    """What a saved queue listing says of this recipient's copy."""
    queue = case.polars("queue_entries")
    ids = [message["queue_id"] for message in _messages_of(case, row)]
    if not queue.height or not ids:
        return ""
    waiting = queue.filter(pl.col("queue_id").is_in(ids) & (pl.col("recipient") == outcome["recipient"]))
    if not waiting.height:
        return "The saved queue listing does not show it."
    entry = waiting.row(0, named=True)
    when = f" at {_local(case, entry['time'])}" if entry["time"] else ""
    reason = f': "{entry["reason"]}"' if entry["reason"] else ""
    return f"The saved queue listing shows it in the {entry['queue_name']} queue{when}{reason}."


_DEFAULT_BACKOFF = (300.0, 4000.0, "Postfix's defaults")


def _backoff(case: Case, host: str | None) -> tuple[float, float, str]:
    """The shortest and the longest wait between two tries, and where they are known from."""
    for config in case.configs:
        if config.system == "postfix" and (
            host is None or host in str(config.hostname) or len(case.configs) <= 2
        ):
            return (
                config.duration("minimal_backoff_time"),
                config.duration("maximal_backoff_time"),
                config.path,
            )
    return _DEFAULT_BACKOFF


def _next_try(case: Case, outcome: Mapping[str, Any]) -> str:
    """When Postfix is likely to try again: after as long as the message is old, within its shortest and longest wait.

    Source: qmgr(8), minimal_backoff_time and maximal_backoff_time of postconf(5).
    """
    events = list(outcome["evidence"] or [])
    tries = case.polars("deliveries").filter(
        pl.col("evidence").list.first().is_in(events) & (pl.col("status") == "deferred")
    )
    if outcome["outcome"] != "deferred" or not tries.height:
        return ""
    last = tries.sort("time").row(-1, named=True)
    if last["time"] is None:
        return ""
    message = case.polars("messages").filter(pl.col("message_key") == last["message_key"])
    low, high, known = _backoff(case, message["host"][0] if message.height else None)
    wait = min(max(last["delay_s"] or 0.0, low), high)
    return f"By {known}, the next try is likely soon after {_local(case, last['time'] + dt.timedelta(seconds=wait))}."


def _where_it_ends(case: Case, row: Mapping[str, Any]) -> str:
    """The end of the evidence for the host that had the mail last."""
    messages = _messages_of(case, row)
    if not messages:
        return ""
    host = messages[-1]["host"]
    last = case.scan("events").filter(pl.col("host") == host).select(pl.col("time").max()).collect().item()
    if not isinstance(last, dt.datetime):
        return ""
    local = last.astimezone(zoneinfo.ZoneInfo(case.zone))
    return f"The log of {host} ends at {local:%Y-%m-%d %H:%M:%S %z}."


NEXT = {
    "delivered": "Look into that mailbox, in all folders; nothing on the way is wrong.",
    "filed_by_sieve": "Look into that folder; if the mail belongs into INBOX, change the Sieve script or train the filter.",
    "discarded_by_sieve": "Look at the recipient's active Sieve script; nothing on the sender's side is wrong.",
    "rejected_by_sieve": "Look at the recipient's active Sieve script; the sender has a message that says so.",
    "forwarded": "Ask where the copy was forwarded to: the log of that server tells more.",
    "handed_to_remote": "Ask the postmaster of that server, with the time and the id in its reply.",
    "delivered_to_command": "Look at what that program did with it.",
    "delivered_to_file": "Look into that file.",
    "discarded_by_rule": "Look for the rule (header_checks, access table, milter) that the line names.",
    "rejected": "The sender's server was told at once; what it was told says what to change.",
    "bounced": "The sender was told by a notification; the reply says what to change.",
    "expired": "The sender was told; find out why the destination did not take mail for so long.",
    "deferred": "Postfix tries again by itself; the reply says what it waits for.",
    "held": "Release it with postsuper -H, or find the rule that holds it.",
    "deleted_from_queue": "Ask who deleted it; the sender was not told.",
    "expunged": "Ask the owner of the mailbox, or restore it from a backup.",
    "retrieved_and_deleted": "Look at the device that fetches this mailbox by POP3.",
    "not_seen": "Add the log of the host that had it last, or one that goes on longer.",
}


def _plain(value: Any) -> Any:
    """A value fit for JSON: times as ISO 8601 in UTC."""
    if isinstance(value, dt.datetime):
        return (
            value.astimezone(dt.UTC).isoformat().replace("+00:00", "Z") if value.tzinfo else value.isoformat()
        )
    return value


def _once(values: Iterable[Any]) -> list[Any]:
    return [value for value in dict.fromkeys(values) if value is not None]
