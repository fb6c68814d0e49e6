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
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any

import polars as pl

from mailforensics import coverage
from mailforensics.errors import OptionError
from mailforensics.evidence.names import source_names
from mailforensics.link.addresses import forms, stands_for
from mailforensics.steps import Shown, Step, steps_of
from mailforensics.subjects import subjects

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
        with self.case.readable():
            return self._tell()

    def _tell(self) -> dict[str, Any]:
        rows = self.found.to_dicts()
        shown = Shown(self.case, rows)
        names = source_names(self.case.polars("sources"))
        told: dict[str, Any] = {
            "query": {key: _plain(value) for key, value in self.query.items()},
            "zone": self.case.zone,
            "searched": searched(self.case),
            "journeys": [tell(self.case, row, names, shown) for row in rows],
        }
        passed = {host for journey in told["journeys"] for host in journey["hosts"]}
        told["searched"]["clocks"] = coverage.clocks(self.case, passed)
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
    with case.readable():
        fits = [_FINDERS[name](case, as_pasted(name, str(asked[name]))) for name in _FINDERS if name in asked]
        found = case.scan("journeys").filter(*fits, *_in_window(case, asked)).collect(engine="streaming")
    return Trace(case, asked, found.sort("first_time", "journey_key", descending=True, nulls_last=True))


_PASTED = {
    "to": r"(?is)\A(?:mailto:|(?:orig_)?to=)?(?:[^<>]*(?=<[^<>]+>))?(?P<it>.*?),?\Z",
    "sender": r"(?is)\A(?:mailto:|from=)?(?:[^<>]*(?=<[^<>]+>))?(?P<it>.*?),?\Z",
    "message_id": r"(?is)\A(?:message-id[:=]\s*)?(?P<it>.*)\Z",
    "queue_id": r"(?s)\A(?P<it>.*?):?\Z",
    "client": r"(?s)\A(?:client=)?[^\[\]]*\[(?P<it>[0-9A-Fa-f:.]+)\](?::[0-9]+)?\Z",
    "relay": r"(?s)\A(?:relay=)?[^\[\]]*\[(?P<it>[0-9A-Fa-f:.]+)\](?::[0-9]+)?,?\Z",
}


def as_pasted(question: str, text: str) -> str:
    """What is meant by a text that was copied out of a mail or a log.

    >>> as_pasted("to", "Bob <bob@example.org>"), as_pasted("queue_id", "3F2A1C0B2:"), as_pasted("client", "mx[192.0.2.7]")
    ('<bob@example.org>', '3F2A1C0B2', '192.0.2.7')
    """
    text = text.strip()
    found = re.match(_PASTED.get(question, r"(?!)"), text)
    return found["it"].strip() or text if found else text


# --- Matching: each question as a condition on the rows of `journeys`, so that of a saved case only those are read --------


def _has(column: pl.Expr, part: str) -> pl.Expr:
    """The column holds this text, in whatever case; the null sender is asked for as ``<>``."""
    bare = part.strip("<>").lower() if "@" in part or part == "<>" else part.lower()
    if bare == "":
        return column == ""
    return column.str.to_lowercase().str.contains(bare, literal=True).fill_null(False)


def _is(case: Case, column: pl.Expr, part: str, *, verp: bool = True) -> pl.Expr:
    """The column holds this address, or a part of it; a whole one also as lists, forwarders and details change it."""
    bare = part.strip("<>")
    if "@" not in bare.strip("@"):
        return _has(column, part)
    pattern = forms(bare, "".join(case.delimiters), verp=verp)
    return column.str.to_lowercase().str.contains(pattern).fill_null(False) | _has(column, part)


def _any_has(part: str, *columns: str) -> pl.Expr:
    return pl.any_horizontal(_has(pl.col(column), part).fill_null(False) for column in columns)


def _by_recipient(case: Case, part: str) -> pl.Expr:
    end = pl.element().struct
    ends = _is(case, end.field("recipient"), part) | _is(case, end.field("original_recipient"), part)
    return (
        pl.col("recipients").list.eval(_is(case, pl.element(), part)).list.any().fill_null(False)
        | pl.col("outcomes").list.eval(ends).list.any().fill_null(False)
    )  # fmt: skip


def _by_sender(case: Case, part: str) -> pl.Expr:
    sender = _is(case, pl.col("sender"), part, verp=False)
    return _of_messages(case, sender | _any_has(part, "sasl_username")) | sender


def _by_message_id(case: Case, part: str) -> pl.Expr:
    return _of_messages(case, _any_has(part.strip("<> "), "message_id"))


def _by_queue_id(case: Case, part: str) -> pl.Expr:
    """A queue id as it is written (long ids tell upper from lower case), or a part of at least four characters."""
    exact = pl.col("queue_id") == part
    known = case.scan("messages").filter(exact).select(pl.len()).collect().item() > 0
    if known or len(part) < 4:
        return _of_messages(case, exact)
    return _of_messages(case, pl.col("queue_id").str.contains(part, literal=True))


def _by_client(case: Case, part: str) -> pl.Expr:
    """The client that brought it: its address or its name; also one that was refused."""
    fits = _any_has(part, "client_ip", "client_name")
    return _of_messages(case, fits) | _of_rejects(case, fits)


def _by_user(case: Case, part: str) -> pl.Expr:
    """The account that logged in to send it."""
    fits = _any_has(part, "sasl_username")
    return _of_messages(case, fits) | _of_rejects(case, fits)


def _by_relay(case: Case, part: str) -> pl.Expr:
    """A server that it was handed to, or that did not take it: name or address."""
    return _of_deliveries(case, _any_has(part, "relay_name", "relay_ip"))


def _by_reply(case: Case, part: str) -> pl.Expr:
    """Words of a reply, of another server or of ours."""
    return _of_deliveries(case, _any_has(part, "response")) | _of_rejects(case, _any_has(part, "text"))


def _by_subject(case: Case, part: str) -> pl.Expr:
    known = subjects(case).filter(_has(pl.col("subject"), part))
    return pl.col("journey_key").is_in(known["journey_key"].unique().implode())


def _of_messages(case: Case, fits: pl.Expr) -> pl.Expr:
    """The journeys of the messages that fit."""
    keys = case.scan("messages").filter(fits).select("journey_key").collect(engine="streaming")
    return pl.col("journey_key").is_in(keys["journey_key"].unique().implode())


def _of_deliveries(case: Case, fits: pl.Expr) -> pl.Expr:
    keys = case.scan("deliveries").filter(fits).select("message_key").collect(engine="streaming")
    return _of_messages(case, pl.col("message_key").is_in(keys["message_key"].unique().implode()))


def _of_rejects(case: Case, fits: pl.Expr) -> pl.Expr:
    """The journeys whose outcomes stand on the refusals that fit."""
    first = pl.col("evidence").list.first().alias("event_id")
    events = case.scan("rejects").filter(fits).select(first).collect(engine="streaming")["event_id"]
    shown = (
        pl.element().struct.field("evidence").list.set_intersection(events.unique().implode()).list.len() > 0
    )
    return pl.col("outcomes").list.eval(shown).list.any().fill_null(False) if len(events) else pl.lit(False)


_FINDERS: Mapping[str, Callable[[Case, str], pl.Expr]] = {
    "to": _by_recipient, "sender": _by_sender, "message_id": _by_message_id, "queue_id": _by_queue_id,
    "subject": _by_subject, "client": _by_client, "user": _by_user, "relay": _by_relay, "reply": _by_reply,
}  # fmt: skip


_TIME = re.compile(r"\A(?P<hour>[01]?[0-9]|2[0-3]):(?P<minute>[0-5][0-9])(?::(?P<second>[0-5][0-9]))?\Z")


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


def _in_window(case: Case, asked: Mapping[str, Any]) -> list[pl.Expr]:
    if not {"since", "until"} & asked.keys():
        return []
    newest = case.scan("journeys").select(pl.col("last_time").max()).collect().item()
    fits: list[pl.Expr] = []
    since = moment(asked["since"], case.zone, newest) if "since" in asked else None
    if since is not None:
        fits.append(pl.col("last_time") >= since)
    if "until" in asked:
        until = moment(asked["until"], case.zone, newest)
        day = isinstance(asked["until"], str) and re.fullmatch(
            r"[0-9]{4}-[0-9]{2}-[0-9]{2}", asked["until"].strip()
        )
        until = until + dt.timedelta(days=1) if day else until
        if since is not None and since > until:
            raise OptionError(
                f"{asked['since']} (since) is later than {asked['until']} (until): no mail can lie between."
            )
        fits.append(pl.col("first_time") <= until)
    return fits


# How much of two addresses must be the same (difflib's ratio), so that one may be meant for the other: four fifths.
_ALIKE, _OF = 4, 5


def near_addresses(case: Case, asked: Mapping[str, Any]) -> list[str]:
    """Addresses in the evidence that differ by a letter or two from one that was asked for and not found."""
    near: list[str] = []
    pools = {"to": pl.col("recipients").list.explode(), "sender": pl.col("sender")}
    for name, pool in pools.items():
        if name in asked:
            wanted = str(asked[name]).strip("<> ").lower()
            told = case.scan("journeys").select(pool.alias("address")).filter(_may_be_near(wanted))
            known = told.unique().collect()["address"].sort().to_list()
            near += difflib.get_close_matches(wanted, known, n=3, cutoff=_ALIKE / _OF)
    return near


def _may_be_near(wanted: str) -> pl.Expr:
    """Whether an address has enough letters in common with this one, in whatever order: only such are compared letter by letter."""
    address = pl.col("address")
    common = pl.sum_horizontal(
        pl.min_horizontal(address.str.count_matches(letter, literal=True), pl.lit(number))
        for letter, number in Counter(wanted).items()
    )
    return common * 2 * _OF >= (address.str.len_chars() + len(wanted)) * _ALIKE


# --- Telling ----------------------------------------------------------------------------------------------------------


def searched(case: Case) -> dict[str, Any]:
    """Over which hosts and times the question was asked, and how many lines were not understood."""
    sources = case.polars("sources")
    return {
        "hosts": [
            {"host": row["host"], "from": _plain(row["from"]), "to": _plain(row["to"]),
             "gaps": [{key: _plain(value) for key, value in gap.items()} for gap in row["gaps"]]}
            for row in coverage.hosts(case)
        ],
        "lines": int(sources["lines"].sum() or 0),
        "not_understood": int(sources["unparsed"].sum() or 0),
        "silent": coverage.silent(case),
    }  # fmt: skip


def tell(case: Case, row: Mapping[str, Any], names: Mapping[int, str], shown: Shown) -> dict[str, Any]:
    """One journey as data: who, what, the fate of each recipient, the steps with their lines."""
    steps = steps_of(row, shown)
    timeline = [_entry(step, before, names) for step, before in zip(steps, [None, *steps], strict=False)]
    messages = shown.messages_of(row)
    lines = {event for step in steps for event in step.events}
    return {
        "journey_key": row["journey_key"],
        "message_id": row["message_id"],
        "subject": shown.subject_of(row),
        "sender": row["sender"],
        "sender_stands_for": stands_for(row["sender"] or ""),
        "recipients": row["recipients"] or [],
        "first_time": _plain(row["first_time"]),
        "last_time": _plain(row["last_time"]),
        "hosts": _once(message["host"] for message in messages) or _once(step.host for step in steps),
        "queue_ids": _once(message["queue_id"] for message in messages),
        "lines": len(lines),
        "links": row.get("links") or [],
        "outcomes": [_outcome(case, outcome, names, row, shown) for outcome in row["outcomes"] or []],
        "timeline": timeline,
        "steps": _spans(steps),
    }


def _entry(step: Step, before: Step | None, names: Mapping[int, str]) -> dict[str, Any]:
    wait = (step.at - before.at).total_seconds() if before and step.at and before.at else None
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
        {"from": one.what, "to": other.what, "seconds": (other.at - one.at).total_seconds()}
        for one, other in itertools.pairwise(steps)
        if one.at and other.at
    ]


def _outcome(
    case: Case, outcome: Mapping[str, Any], names: Mapping[int, str], row: Mapping[str, Any], shown: Shown
) -> dict[str, Any]:
    told = dict(outcome)
    told["evidence"] = [
        {"source": names.get(e >> 40, str(e >> 40)), "line": e & ((1 << 40) - 1)}
        for e in outcome["evidence"] or []
    ]
    told["next"] = NEXT.get(str(outcome["outcome"]), "")
    if outcome["outcome"] in ("not_seen", "deferred"):
        messages = shown.messages_of(row)
        more = [
            _in_queue(case, messages, outcome),
            _next_try(case, outcome, messages),
            _where_it_ends(case, messages),
        ]
        told["sentence"] = " ".join(part for part in [told["sentence"], *more] if part)
    return told


def _local(case: Case, moment: dt.datetime) -> str:
    return f"{moment.astimezone(zoneinfo.ZoneInfo(case.zone)):%Y-%m-%d %H:%M %z}"


Rows = Sequence[Mapping[str, Any]]


def _in_queue(case: Case, messages: Rows, outcome: Mapping[str, Any]) -> str:
    """What a saved queue listing says of this recipient's copy."""
    queue = case.polars("queue_entries")
    ids = [message["queue_id"] for message in messages]
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


def _next_try(case: Case, outcome: Mapping[str, Any], messages: Rows) -> str:
    """When Postfix is likely to try again: after as long as the message is old, within its shortest and longest wait.

    Source: qmgr(8), minimal_backoff_time and maximal_backoff_time of postconf(5).
    """
    if outcome["outcome"] != "deferred":
        return ""
    keys = {message["message_key"]: message for message in messages}
    tries = case.rows("deliveries", "message_key", keys).filter(
        pl.col("evidence").list.first().is_in(list(outcome["evidence"] or []))
        & (pl.col("status") == "deferred")
    )
    if not tries.height:
        return ""
    last = tries.sort("time").row(-1, named=True)
    if last["time"] is None:
        return ""
    low, high, known = _backoff(case, keys[last["message_key"]]["host"])
    wait = min(max(last["delay_s"] or 0.0, low), high)
    return f"By {known}, the next try is likely soon after {_local(case, last['time'] + dt.timedelta(seconds=wait))}."


def _where_it_ends(case: Case, messages: Rows) -> str:
    """The end of the evidence for the host that had the mail last."""
    if not messages:
        return ""
    host = messages[-1]["host"]
    last = next((row["to"] for row in coverage.hosts(case) if row["host"] == host), None)
    if last is None:
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
