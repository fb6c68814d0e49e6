"""expected.json: what happened to every recipient's copy, from what the driver did, checked against the mailboxes.

A scenario says what it brought about; before anything is written, `verify`
looks for each copy in the mailboxes and queues.  A statement that the servers
do not bear out ends the run.  No log line is read here.
"""

from __future__ import annotations

import datetime
import email
import email.policy
import re
from dataclasses import dataclass, field
from pathlib import Path

from host import MailHost

HERE_NOW = {"delivered": "INBOX", "filed_by_sieve": "Junk"}


class TruthError(AssertionError):
    """The servers did something else than the scenario claims."""


@dataclass
class Copy:
    """One message file in a mailbox at the time of looking."""

    address: str
    mailbox: str
    path: Path
    message_id: str
    key: str
    content: bytes


@dataclass
class Mail:
    """One mail as its sender meant it."""

    label: str
    kind: str
    message_id: str | None
    sender: str
    subject: str
    recipients: list[dict]
    sent_at: str = ""
    reply: str | None = None
    notified: bool = False
    more: dict = field(default_factory=dict)
    check: bool = True

    @property
    def queue_id(self) -> str:
        """The id that the first server gave it, as its reply says."""
        found = re.search(r"queued as (\w+)", self.reply or "")
        if not found:
            raise TruthError(f"{self.label}: no queue id in {self.reply!r}")
        return found[1]

    def to_json(self) -> dict:
        return {
            "label": self.label,
            "kind": self.kind,
            "message_id": self.message_id,
            "sender": self.sender,
            "subject": self.subject,
            "sent_at": self.sent_at,
            "reply": self.reply,
            "notified": self.notified,
            **self.more,
            "recipients": self.recipients,
        }


def utc(stamp: float) -> str:
    """A Unix time as ISO 8601 in UTC."""
    return (
        datetime.datetime.fromtimestamp(stamp, datetime.UTC)
        .isoformat(timespec="milliseconds")
        .replace("+00:00", "Z")
    )


def fate(
    recipient: str,
    outcome: str,
    final: str | None = None,
    mailbox: str | None = None,
    attempts: int | None = None,
    **more: object,
) -> dict:
    """One recipient's entry of expected.json."""
    if mailbox is None:
        mailbox = HERE_NOW.get(outcome)
    return {
        "recipient": recipient,
        "outcome": outcome,
        "final_recipient": final,
        "mailbox": mailbox,
        "attempts": attempts,
        **more,
    }


def copies(hosts: list[MailHost]) -> list[Copy]:
    """Every message in every mailbox, in the order of arrival in its mailbox."""
    found = []
    for host in hosts:
        for user in host.plan.people:
            maildir = host.maildir(user)
            if not maildir.is_dir():
                continue
            boxes = {"INBOX": maildir} | {
                path.name[1:]: path for path in sorted(maildir.glob(".[A-Z]*")) if path.is_dir()
            }
            for mailbox, folder in boxes.items():
                files = [*folder.glob("new/*"), *folder.glob("cur/*")]
                for path in sorted(files, key=lambda path: _arrival(path.name)):
                    content = path.read_bytes()
                    key = f"{user}@{host.plan.domain}/{mailbox}/{path.name.split(':')[0].split(',')[0]}"
                    found.append(
                        Copy(
                            f"{user}@{host.plan.domain}",
                            mailbox,
                            path,
                            header(content, "Message-ID"),
                            key,
                            content,
                        )
                    )
    return found


def _arrival(name: str) -> tuple[int, int]:
    """`1795456771.M754655P641.mail,S=..` sorted by second and microsecond."""
    seconds, rest = name.split(".")[:2]
    digits = rest[1:].split("P")[0] if rest.startswith("M") else "0"
    return int(seconds), int(digits)


def header(content: bytes, name: str) -> str:
    """One header field unfolded, "" when it is missing."""
    message = email.message_from_bytes(content, policy=email.policy.compat32)
    value = message.get(name)
    return "" if value is None else "".join(str(value).splitlines()).strip()


def is_report_about(content: bytes, message_id: str) -> bool:
    """Whether a message is a delivery status notification that returns the mail with this id."""
    return b"report-type=delivery-status" in content and message_id.encode() in content


def verify(mails: list[Mail], hosts: list[MailHost]) -> None:
    """Raise TruthError unless mailboxes and queues agree with every statement.

    Mails with one Message-ID are looked at together: nothing else tells their copies apart.
    """
    present = copies(hosts)
    queued = {
        recipient["address"] for host in hosts for entry in host.queue() for recipient in entry["recipients"]
    }
    told = Told([copy for copy in present if b"report-type=delivery-status" in copy.content])
    boxes: dict[str, list[tuple[str, str]]] = {}
    for copy in present:
        boxes.setdefault(copy.message_id, []).append((copy.address, copy.mailbox))
    groups: dict[str, list[Mail]] = {}
    for mail in mails:
        if mail.check and mail.message_id:
            groups.setdefault(mail.message_id, []).append(mail)
    problems: list[str] = []
    for group in groups.values():
        problems += _check(group, boxes, told, queued)
    if problems:
        raise TruthError("\n".join(problems))


class Told:
    """Who has a report about which mail, for many mails at once."""

    def __init__(self, reports: list[Copy]) -> None:
        self._reports = reports
        self._about: dict[str, set[str]] = {}
        for report in reports:
            for found in re.findall(rb"<[!-;=?-~]+>", report.content):
                self._about.setdefault(found.decode(), set()).add(report.address)

    def about(self, message_id: str) -> set[str]:
        if re.fullmatch("<[!-;=?-~]+>", message_id):
            return self._about.get(message_id, set())
        return {report.address for report in self._reports if is_report_about(report.content, message_id)}


def _check(
    group: list[Mail], boxes: dict[str, list[tuple[str, str]]], reports: Told, queued: set[str]
) -> list[str]:
    problems = []
    label, message_id = group[0].label, group[0].message_id or ""
    expected: list[tuple[str, str]] = []
    for recipient in (recipient for mail in group for recipient in mail.recipients):
        address = (recipient["final_recipient"] or recipient["recipient"]).lower()
        if recipient["mailbox"]:
            expected.append((address.replace(_detail(address), ""), recipient["mailbox"]))
        if recipient["outcome"] in ("deferred", "held") and address not in queued:
            problems.append(f"{label}: {address} should be in the queue and is not")
        if (
            recipient["outcome"] == "not_seen"
            and "acceptable" not in recipient
            and not recipient.get("never_handed_over")
        ):
            problems.append(f"{label}: nothing was stated about {address}")
    there = sorted(boxes.get(message_id, []))
    if there != sorted(expected):
        problems.append(f"{label} {message_id}: copies in {there}, expected in {sorted(expected)}")
    told = reports.about(message_id)
    for mail in group:
        if mail.notified != (mail.sender in told):
            problems.append(f"{mail.label}: notified={mail.notified}, but reports in {sorted(told)}")
    return problems


def _detail(address: str) -> str:
    """`+detail` of an address, which the mailbox's name lacks; something that never occurs when there is none."""
    local = address.split("@")[0]
    return local[local.index("+") :] if "+" in local else "\0"
