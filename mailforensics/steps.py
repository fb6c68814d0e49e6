"""The steps of a journey: each line that moved the mail on, in words, with its place in the evidence.

10:02:11.20  mail  submission  accepted from alex@example.com, 192.0.2.135, TLS 1.3        mail.log:1042
10:02:11.31  mail  rspamd      no action, 0.4 of 15, DKIM signed                           rspamd.log:88
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import polars as pl

from mailforensics import reading

if TYPE_CHECKING:
    from mailforensics.case import Case

Frame = pl.DataFrame
Row = Mapping[str, Any]


@dataclass(frozen=True)
class Step:
    """One line of a journey in words."""

    time: dt.datetime | None
    host: str | None
    program: str
    queue_id: str | None
    what: str
    source_id: int
    line: int
    events: tuple[int, ...]
    fine: bool = True  # the stamp has fractions of a second
    handed: bool = False  # the next server took it


class Shown:
    """The lines of some journeys, read at once: their events and what their shapes captured."""

    def __init__(self, case: Case, journeys: Iterable[Row]) -> None:
        self.owners = {
            row["journey_key"]: _owners(case, row, list(row.get("message_keys") or [])) for row in journeys
        }
        wanted = sorted({event for owners in self.owners.values() for event in owners})
        rows = case.scan("events").filter(pl.col("event_id").is_in(wanted)).collect()
        self.rows = {row["event_id"]: row for row in rows.iter_rows(named=True)}
        self.fields = reading.fields_by_event(rows)


def steps_of(case: Case, journey: Row, shown: Shown | None = None) -> list[Step]:
    """All steps of a journey, in the order in which they happened as far as the evidence tells."""
    shown = shown or Shown(case, [journey])
    owners = shown.owners[journey["journey_key"]]
    extra = _Extra(case, list(journey.get("message_keys") or []))
    order = _Order(journey)
    placed: list[tuple[Any, Step]] = []
    for event, owner in owners.items():
        row = shown.rows.get(event)
        step = _step(row, shown.fields.get(event, {}), extra) if row is not None else None
        if row is not None and step is not None:
            placed.append((order.place(row, step, owner), step))
    return _without_echo(order.sort(placed))


def _owners(case: Case, journey: Row, keys: list[int]) -> dict[int, int | None]:
    """The events of a journey, each with the queue life it belongs to."""
    owners: dict[int, int | None] = {}
    for outcome in journey.get("outcomes") or []:
        owners.update(dict.fromkeys(outcome["evidence"] or []))
    for name in ("messages", "scans", "mailbox_events", "rejects"):
        table = case.polars(name)
        if keys and table.height:
            mine = table.filter(pl.col("message_key").is_in(keys)).select("message_key", "evidence")
            for key, event in mine.explode("evidence", empty_as_null=True).drop_nulls().iter_rows():
                owners[event] = key
    return owners


_PHASES = {
    "postfix.smtpd.client": 0, "postfix.pickup": 0, "rspamd.task": 1, "postfix.cleanup.milter": 2, "postfix.qmgr.active": 3,
    "dovecot.mailbox": 4, "postfix.delivery": 5, "postfix.bounce.notification": 6, "postfix.removed": 7,
}  # fmt: skip
_CHILD, _HANDED = 1, 2


class _Order:
    """Orders steps whose stamps are too coarse to tell.

    A stamp of whole seconds says only in which second a thing happened. Within such a second the course of a
    mail decides: what a server does with a message comes after it was accepted and before the sending server
    notes that it was taken.
    """

    def __init__(self, journey: Row) -> None:
        parents = {link["to"]: link["from"] for link in reversed(journey.get("links") or [])}
        self._paths = {key: self._path(key, parents) for key in journey.get("message_keys") or []}

    @staticmethod
    def _path(key: int, parents: Mapping[int, int]) -> tuple[int, ...]:
        chain = [key]
        while chain[-1] in parents and parents[chain[-1]] not in chain:
            chain.append(parents[chain[-1]])
        return (_CHILD,) * (len(chain) - 1)

    def place(self, row: Row, step: Step, owner: int | None) -> tuple[Any, ...]:
        phase = _PHASES.get(str(row["kind"]), 4)
        path = self._paths.get(owner or 0, ())
        tail = (_HANDED, phase) if row["kind"] == "postfix.delivery" and step.handed else (0, phase)
        return (*path, *tail), row["time_precision"] in ("us", "ms")

    def sort(self, placed: list[tuple[Any, Step]]) -> list[Step]:
        coarse = {_second(step) for (_, fine), step in placed if not fine}

        def key(item: tuple[Any, Step]) -> tuple[Any, ...]:
            (path, _), step = item
            second = _second(step)
            return (second, path if second in coarse else (), step.time or _LAST, step.events[0])

        return [step for _, step in sorted(placed, key=key)]


_LAST = dt.datetime.max.replace(tzinfo=dt.UTC)


def _second(step: Step) -> dt.datetime:
    return (step.time or _LAST).replace(microsecond=0)


class _Extra:
    """What stands on other lines: TLS of the session that brought a message."""

    def __init__(self, case: Case, keys: list[int]) -> None:
        self.tls: dict[str, str] = {}
        if keys:
            rows = case.polars("messages").filter(
                pl.col("message_key").is_in(keys) & pl.col("tls_version").is_not_null()
            )
            self.tls = dict(rows.select("queue_id", "tls_version").rows())


Words = Callable[[Row, Row, "_Extra"], tuple[str, str] | None]


def _step(row: Row, fields: Row, extra: _Extra) -> Step | None:
    tell = _WORDS.get(str(row["kind"]))
    told = tell(row, fields, extra) if tell else None
    if told is None:
        return None
    program, what = told
    return Step(
        time=row["time"], host=row["host"], program=program, queue_id=row["queue_id"], what=what,
        source_id=row["source_id"], line=row["line_number"], events=(row["event_id"],),
        fine=row["time_precision"] in ("us", "ms"), handed=bool(fields.get("remote_queue_id")),
    )  # fmt: skip


def _service(row: Row) -> str:
    """The service word of a smtpd line: submission, submissions or smtpd."""
    last = str(row["instance"] or "").rsplit("/", 1)[-1]
    return last if last in ("submission", "submissions", "smtps") else "smtpd"


def _client(row: Row, fields: Row, extra: _Extra) -> tuple[str, str]:
    who = fields.get("sasl_username") or fields.get("client_name") or "an unnamed client"
    parts = [f"accepted from {who}"]
    if fields.get("client_ip"):
        parts.append(str(fields["client_ip"]))
    tls = extra.tls.get(str(row["queue_id"]))
    if tls:
        parts.append(tls.replace("TLSv", "TLS "))
    return _service(row), ", ".join(parts)


def _pickup(row: Row, fields: Row, extra: _Extra) -> tuple[str, str]:
    if fields.get("orig_id"):
        return "pickup", f"put back into the queue; it was {fields['orig_id']}"
    return "pickup", f"handed in on this host by user id {fields.get('uid')}"


def _active(row: Row, fields: Row, extra: _Extra) -> tuple[str, str]:
    count = fields.get("recipient_count")
    people = "1 recipient" if count == 1 else f"{count} recipients"
    return "queue", f"{row['queue_id']}, {_number(fields.get('size'))} bytes, {people}"


def _number(value: Any) -> str:
    return f"{value:,}" if isinstance(value, int) else "?"


def _delivery(row: Row, fields: Row, extra: _Extra) -> tuple[str, str]:
    agent, status = str(row["daemon"]), fields.get("status")
    relay, response = fields.get("relay_name") or agent, fields.get("response") or ""
    whom = fields.get("recipient")
    if status == "sent" and fields.get("remote_session_id"):
        return agent, f"Dovecot answered {response.split(' ', 1)[0]} Saved for {whom}"
    if status == "sent" and fields.get("remote_queue_id"):
        return agent, f"handed to {relay} as {fields['remote_queue_id']} for {whom}{_delays(fields)}"
    if status == "sent":
        return agent, f"sent to {relay} for {whom}: {response}"
    at = f" at {relay}" if fields.get("relay_name") not in (None, "none") else ""
    return agent, f"{status} for {whom}{at}: {response}"


def _delays(fields: Row) -> str:
    names = (
        ("before", "delay_before_queue_s"),
        ("queue", "delay_in_queue_s"),
        ("connect", "delay_connect_s"),
        ("send", "delay_transmit_s"),
    )
    said = [f"{word} {fields[name]:g} s" for word, name in names if fields.get(name)]
    return f" ({', '.join(said)})" if said else ""


def _rspamd(row: Row, fields: Row, extra: _Extra) -> tuple[str, str]:
    score, required = fields.get("score"), fields.get("required_score")
    parts = [str(fields.get("action"))]
    if score is not None and required is not None:
        parts.append(f"{score:g} of {required:g}")
    names = {symbol["name"] for symbol in fields.get("symbols") or []}
    passed = [
        word
        for word, symbol in (
            ("SPF", "R_SPF_ALLOW"),
            ("DKIM", "R_DKIM_ALLOW"),
            ("DMARC", "DMARC_POLICY_ALLOW"),
        )
        if symbol in names
    ]
    if passed:
        parts.append(f"{' '.join(passed)} pass")
    if "DKIM_SIGNED" in names:
        parts.append("DKIM signed")
    if fields.get("forced_action"):
        parts.append(f"forced: {fields['forced_action']}")
    return "rspamd", ", ".join(parts)


_SIEVE = {
    "sieve_discarded": "discard", "sieve_filed": "filed into {mailbox}", "sieve_redirected": "redirected to {target}",
    "sieve_rejected": "rejected: {reason}", "vacation_sent": "vacation reply to {target}", "saved": "saved in {mailbox}",
    "duplicate_dropped": "dropped as a duplicate", "save_failed": "not saved in {mailbox}: {reason}",
    "copied": "copied into {mailbox}", "expunged": "removed from {mailbox}", "deleted": "marked deleted in {mailbox}",
    "undeleted": "no longer marked deleted in {mailbox}", "moved": "moved into {target}", "quota_exceeded": "over quota",
    "flag_changed": "flags of {mailbox} changed",
}  # fmt: skip


def _mailbox(row: Row, fields: Row, extra: _Extra) -> tuple[str, str] | None:
    action = str(fields.get("action"))
    words = _SIEVE.get(action)
    if words is None:
        return None
    values = {
        "mailbox": fields.get("mailbox") or fields.get("target") or "INBOX",
        "target": fields.get("target") or "?",
        "reason": fields.get("reason") or "",
    }
    program = "sieve" if fields.get("source") == "sieve" else str(row["daemon"] or "dovecot")
    who = f" ({fields['username']})" if fields.get("username") and program not in ("lmtp",) else ""
    return program, words.format(**values) + who


def _reject(row: Row, fields: Row, extra: _Extra) -> tuple[str, str]:
    code = " ".join(str(fields[name]) for name in ("reply_code", "enhanced_code") if fields.get(name))
    stage = f" at {fields['stage']}" if fields.get("stage") else ""
    whom = f" for {fields['recipient']}" if fields.get("recipient") else ""
    said = " ".join(part for part in (code, fields.get("text") or "") if part)
    return str(row["daemon"]), f"{fields.get('action') or 'reject'}{stage}{whom}: {said}"


def _postsuper(row: Row, fields: Row, extra: _Extra) -> tuple[str, str]:
    return "postsuper", str(fields.get("action"))


def _check(row: Row, fields: Row, extra: _Extra) -> tuple[str, str]:
    return (
        "cleanup",
        f"{fields.get('action')}: {fields.get('where') or 'rule'} {fields.get('content') or ''}".strip(),
    )


_NOTICES = {
    "non_delivery": "non-delivery notification to the sender", "delay": "delay notification to the sender",
    "success": "delivery notification to the sender",
}  # fmt: skip


def _notification(row: Row, fields: Row, extra: _Extra) -> tuple[str, str]:
    kind = str(fields.get("notification"))
    return "bounce", f"{_NOTICES.get(kind, kind.replace('_', ' '))}: {fields.get('next_queue_id')}"


def _constant(program: str, what: str) -> Words:
    return lambda row, fields, extra: (program, what)


def _removed(row: Row, fields: Row, extra: _Extra) -> tuple[str, str] | None:
    word = fields.get("removal")
    return ("queue", f"removed ({word})") if word in ("canceled", "discarded") else None


_WORDS: dict[str, Words] = {
    "postfix.smtpd.client": _client,
    "postfix.pickup": _pickup,
    "postfix.qmgr.active": _active,
    "postfix.qmgr.expired": _constant("queue", "given up: too long in the queue, returned to the sender"),
    "postfix.delivery": _delivery,
    "postfix.removed": _removed,
    "postfix.smtpd.reject": _reject,
    "postfix.postscreen.reject": _reject,
    "postfix.smtpd.proxy": _reject,
    "postfix.cleanup.milter": _reject,
    "postfix.cleanup.check": _check,
    "postfix.postsuper": _postsuper,
    "postfix.bounce.notification": _notification,
    "rspamd.task": _rspamd,
    "dovecot.mailbox": _mailbox,
}


def _without_echo(steps: list[Step]) -> list[Step]:
    """Dovecot tells a save twice (mail_log and Sieve); the second telling adds nothing."""
    out: list[Step] = []
    for step in steps:
        echo = any(
            step.host == other.host and step.what.split(" (")[0] == other.what.split(" (")[0] and step.time and other.time
            and abs((step.time - other.time).total_seconds()) < 2 and {step.program, other.program} <= {"sieve", "lmtp", "lda"}
            for other in out[-4:]
        )  # fmt: skip
        if not echo:
            out.append(step)
    return out
