"""The steps of a journey: each line that moved the mail on, in words, with its place in the evidence.

10:02:11.20  mail  submission  accepted from alex@example.com, 192.0.2.135, TLS 1.3        mail.log:1042
10:02:11.31  mail  rspamd      no action, 0.4 of 15, DKIM signed                           rspamd.log:88
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import polars as pl

from mailforensics import reading
from mailforensics.link.hosts import ahead
from mailforensics.subjects import subjects

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
    ahead_s: float = 0.0  # by how much the clock of its host is ahead of those of the others

    @property
    def at(self) -> dt.datetime | None:
        """The time by a clock that all hosts share, as far as hand-overs tell it."""
        return self.time - dt.timedelta(seconds=self.ahead_s) if self.time else None


class Shown:
    """What is told of some journeys, read at once: their lines with what their shapes captured, messages and subjects."""

    def __init__(self, case: Case, journeys: Sequence[Row]) -> None:
        keys = sorted({key for row in journeys for key in row.get("message_keys") or []})
        self._messages = {
            row["message_key"]: row for row in case.rows("messages", "message_key", keys).to_dicts()
        }
        self._subjects = _subjects(case, keys)
        self.ahead = {host: seconds for host, (seconds, _) in ahead(case.clocks).items()}
        self.tls = {
            row["queue_id"]: row["tls_version"]
            for row in self._messages.values()
            if row["tls_version"] is not None
        }
        told = self._evidence(case, keys)
        self.owners = {row["journey_key"]: _owners(row, told) for row in journeys}
        wanted = {event for owners in self.owners.values() for event in owners}
        rows = case.rows("events", "event_id", wanted)
        self.rows = {row["event_id"]: row for row in rows.iter_rows(named=True)}
        self.fields = reading.fields_by_event(rows)

    def messages_of(self, journey: Row) -> list[dict[str, Any]]:
        """The rows of ``messages`` of a journey, in order of time."""
        mine = [self._messages[key] for key in journey.get("message_keys") or [] if key in self._messages]
        return sorted(mine, key=lambda row: (row["received_time"] is not None, row["received_time"] or 0))

    def subject_of(self, journey: Row) -> str | None:
        """The subject of the mail itself: notifications about it belong to its journey, but have a Message-ID of their own."""
        known = self._subjects.get(journey["journey_key"], [])
        fits = [
            subject for name, subject in known if not journey["message_id"] or name == journey["message_id"]
        ]
        return fits[0] if fits else None

    def _evidence(self, case: Case, keys: Sequence[int]) -> dict[int, list[int]]:
        """The events of each message, from all tables that name it."""
        told: dict[int, list[int]] = {key: list(row["evidence"] or []) for key, row in self._messages.items()}
        for name in ("scans", "mailbox_events", "rejects"):
            rows = case.rows(name, "message_key", keys, "message_key", "evidence")
            for key, events in rows.iter_rows():
                told.setdefault(key, []).extend(events or [])
        return told


def _subjects(case: Case, keys: Sequence[int]) -> dict[int, list[tuple[str | None, str]]]:
    known: dict[int, list[tuple[str | None, str]]] = {}
    for journey, message_id, subject in subjects(case, pl.Series(keys, dtype=pl.Int64)).iter_rows():
        known.setdefault(journey, []).append((message_id, subject))
    return known


def steps_of(journey: Row, shown: Shown) -> list[Step]:
    """All steps of a journey, in the order in which they happened as far as the evidence tells."""
    order = _Order(journey)
    placed: list[tuple[Any, Step]] = []
    for event, owner in shown.owners[journey["journey_key"]].items():
        row = shown.rows.get(event)
        step = _step(row, shown.fields.get(event, {}), shown.tls) if row is not None else None
        if row is not None and step is not None:
            step = replace(step, ahead_s=shown.ahead.get(str(step.host), 0.0))
            placed.append((order.place(row, step, owner), step))
    return _without_echo(order.sort(placed))


def _owners(journey: Row, told: Mapping[int, list[int]]) -> dict[int, int | None]:
    """The events of a journey, each with the queue life it belongs to."""
    owners: dict[int, int | None] = {}
    for outcome in journey.get("outcomes") or []:
        owners.update(dict.fromkeys(outcome["evidence"] or []))
    for key in journey.get("message_keys") or []:
        owners.update(dict.fromkeys(told.get(key, []), key))
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
            return (second, path if second in coarse else (), step.at or _LAST, step.events[0])

        return [step for _, step in sorted(placed, key=key)]


_LAST = dt.datetime.max.replace(tzinfo=dt.UTC)


def _second(step: Step) -> dt.datetime:
    return (step.at or _LAST).replace(microsecond=0)


Tls = Mapping[str, str]  # by queue id, of the session that brought the message
Words = Callable[[Row, Row, Tls], tuple[str, str] | None]


def _step(row: Row, fields: Row, tls: Tls) -> Step | None:
    tell = _WORDS.get(str(row["kind"]))
    told = tell(row, fields, tls) if tell else None
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


def _client(row: Row, fields: Row, tls: Tls) -> tuple[str, str]:
    who = fields.get("sasl_username") or fields.get("client_name") or "an unnamed client"
    parts = [f"accepted from {who}"]
    if fields.get("client_ip"):
        parts.append(str(fields["client_ip"]))
    version = tls.get(str(row["queue_id"]))
    if version:
        parts.append(version.replace("TLSv", "TLS "))
    return _service(row), ", ".join(parts)


def _pickup(row: Row, fields: Row, tls: Tls) -> tuple[str, str]:
    if fields.get("orig_id"):
        return "pickup", f"put back into the queue; it was {fields['orig_id']}"
    return "pickup", f"handed in on this host by user id {fields.get('uid')}"


def _active(row: Row, fields: Row, tls: Tls) -> tuple[str, str]:
    count = fields.get("recipient_count")
    people = "1 recipient" if count == 1 else f"{count} recipients"
    return "queue", f"{row['queue_id']}, {_number(fields.get('size'))} bytes, {people}"


def _number(value: Any) -> str:
    return f"{value:,}" if isinstance(value, int) else "?"


def _delivery(row: Row, fields: Row, tls: Tls) -> tuple[str, str]:
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


def _rspamd(row: Row, fields: Row, tls: Tls) -> tuple[str, str]:
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


def _mailbox(row: Row, fields: Row, tls: Tls) -> tuple[str, str] | None:
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


def _reject(row: Row, fields: Row, tls: Tls) -> tuple[str, str]:
    code = " ".join(str(fields[name]) for name in ("reply_code", "enhanced_code") if fields.get(name))
    stage = f" at {fields['stage']}" if fields.get("stage") else ""
    whom = f" for {fields['recipient']}" if fields.get("recipient") else ""
    said = " ".join(part for part in (code, fields.get("text") or "") if part)
    return str(row["daemon"]), f"{fields.get('action') or 'reject'}{stage}{whom}: {said}"


def _postsuper(row: Row, fields: Row, tls: Tls) -> tuple[str, str]:
    return "postsuper", str(fields.get("action"))


def _check(row: Row, fields: Row, tls: Tls) -> tuple[str, str]:
    return (
        "cleanup",
        f"{fields.get('action')}: {fields.get('where') or 'rule'} {fields.get('content') or ''}".strip(),
    )


_NOTICES = {
    "non_delivery": "non-delivery notification to the sender", "delay": "delay notification to the sender",
    "success": "delivery notification to the sender",
}  # fmt: skip


def _notification(row: Row, fields: Row, tls: Tls) -> tuple[str, str]:
    kind = str(fields.get("notification"))
    return "bounce", f"{_NOTICES.get(kind, kind.replace('_', ' '))}: {fields.get('next_queue_id')}"


def _constant(program: str, what: str) -> Words:
    return lambda row, fields, tls: (program, what)


def _removed(row: Row, fields: Row, tls: Tls) -> tuple[str, str] | None:
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
