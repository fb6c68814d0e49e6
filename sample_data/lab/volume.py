"""Many mails at once with every usual outcome, and the truth about each: what the scenarios `volume` and `busy` share."""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass

import clients
import messages
import truth
from machine import wait_for
from truth import Mail, fate
from world import HONEST, OFFICE_A, OFFICE_A2, PASSWORD

COM = [f"{name}@example.com" for name in ("alex", "amy", "anna", "agnes", "arno", "anton")]
ORG = [f"{name}@example.org" for name in ("bob", "bella", "bruno", "berta")]
DISCARDS = "ben@example.org"  # his Sieve script throws offers away
KINDS = {"inbound": 36, "across": 32, "bounced": 8, "refused": 8, "discarded": 6, "late": 6, "several": 4}
MAILS_PER_SESSION = 20
OPTIONS = {
    name: {
        "postfix": {
            "smtpd_milters": "",
            "non_smtpd_milters": "",
            "default_destination_concurrency_limit": "10",
        },
        "rspamd": {"level": "warning"},
    }
    for name in ("mail", "mx")
}


def prepare(lab) -> None:
    lab.mx.install_sieve("ben", 'if header :contains "subject" ["offer"] {\n    discard;\n}\n')


@dataclass
class Plan:
    """One mail to send: who, to whom, and what must become of each recipient's copy."""

    label: str
    kind: str
    sender: str
    recipients: list[str]
    subject: str
    outcomes: list[str]
    notified: bool = False


def plans(number: int, seed: int) -> Iterator[Plan]:
    """The mails in the order of sending."""
    choice = random.Random(seed)
    kinds, weights = list(KINDS), list(KINDS.values())
    for count in range(number):
        kind = choice.choices(kinds, weights)[0]
        sender, subject = choice.choice(COM), choice.choice(messages.SUBJECTS)
        label = f"v{count:05d}"
        if kind == "inbound":
            yield Plan(label, kind, "emma@example.edu", [choice.choice(COM)], subject, ["delivered"])
        elif kind == "across":
            yield Plan(label, kind, sender, [choice.choice(ORG)], subject, ["delivered"])
        elif kind == "bounced":
            yield Plan(label, kind, sender, [f"former{count % 97}@example.org"], subject, ["bounced"], True)
        elif kind == "refused":
            # a mailing list's sender, new for each mail: a log does not tell two refused mails of one sender and session from one
            sender = f"list-bounces+{count}@example.edu"
            yield Plan(label, kind, sender, [f"former{count % 89}@example.com"], subject, ["rejected"])
        elif kind == "discarded":
            yield Plan(label, kind, sender, [DISCARDS], f"Offer {4000 + count}", ["discarded_by_sieve"])
        elif kind == "late":
            yield Plan(label, kind, sender, [f"late{count}@slow.example.net"], subject, ["handed_to_remote"])
        else:
            inside = choice.choice([name for name in COM if name != sender])
            recipients = [inside, choice.choice(ORG), f"gone{count}@example.org", f"nina{count}@example.net"]
            outcomes = ["delivered", "delivered", "bounced", "handed_to_remote"]
            yield Plan(label, kind, sender, recipients, subject, outcomes, True)


class Volume:
    """Sends the plans with several clients at once and waits until nothing is left in a queue."""

    def __init__(self, lab, number: int, clients_at_once: int = 8, seed: int = 4) -> None:
        self.lab = lab
        self.number, self.at_once, self.seed = number, clients_at_once, seed
        self.lock = threading.Lock()
        self.errors: list[BaseException] = []

    def run(self) -> None:
        begun = time.monotonic()
        self.lab.sink.later = lambda recipient: recipient.endswith("@slow.example.net")
        batches = self.batches()
        threads = [threading.Thread(target=self.work, args=(batches,)) for _ in range(self.at_once)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        if self.errors:
            raise self.errors[0]
        print(f"  {self.number} mails sent in {time.monotonic() - begun:.0f} s", flush=True)
        self.lab.wait_empty(1800)
        print(f"  queues empty after {time.monotonic() - begun:.0f} s", flush=True)
        self.settle()

    def batches(self) -> Iterator[list[Plan]]:
        """Mails of one client's session; a session goes to port 25 or to submission, never both."""
        waiting: dict[str, list[Plan]] = {}
        for plan in plans(self.number, self.seed):
            group = "" if plan.kind in ("inbound", "refused") else plan.sender
            waiting.setdefault(group, []).append(plan)
            if len(waiting[group]) == MAILS_PER_SESSION:
                yield waiting.pop(group)
        yield from waiting.values()

    def work(self, batches: Iterator[list[Plan]]) -> None:
        try:
            while not self.errors:
                with self.lock:
                    batch = next(batches, None)
                if batch is None:
                    return
                self.session(batch)
        except BaseException as error:
            self.errors.append(error)

    def session(self, batch: list[Plan]) -> None:
        user = batch[0].sender if batch[0].sender.endswith("@example.com") else ""
        source = HONEST if not user else OFFICE_A if len(user) % 2 else OFFICE_A2
        session = clients.Smtp(self.lab.mail.address, 587 if user else 25, source)
        helo = f"[{source}]" if user else "out.example.edu"
        session.say(f"EHLO {helo}")
        if user:
            session.starttls()
            session.say(f"EHLO {helo}")
            assert session.login(user, PASSWORD).startswith("235")
        for plan in batch:
            self.one(session, plan)
        session.quit()

    def one(self, session: clients.Smtp, plan: Plan) -> None:
        lab = self.lab
        mid = messages.message_id(lab.scenario, plan.label, plan.sender.split("@")[1])
        content = messages.build(plan.sender, plan.recipients, plan.subject, mid, stamp=lab.now())
        replies = clients.deliver(session, plan.sender, plan.recipients, content)
        refused = plan.outcomes == ["rejected"]
        assert replies.final.startswith("550" if refused else "250"), (plan, replies)
        mail = Mail(
            plan.label,
            "inbound" if plan.sender.endswith(".edu") else "submission",
            None if refused else mid,
            plan.sender,
            plan.subject,
            [fate(who, what) for who, what in zip(plan.recipients, plan.outcomes, strict=True)],
            sent_at=truth.utc(lab.now()),
            reply=replies.final,
            notified=plan.notified,
        )
        with self.lock:
            lab.mails.append(mail)

    def settle(self) -> None:
        """What went to the provider is there; everything else is looked up in the mailboxes when the run is saved."""
        gone = [
            mail.message_id
            for mail in self.lab.mails
            if any(end["outcome"] == "handed_to_remote" for end in mail.recipients)
        ]
        wait_for("the provider to have it all", lambda: all(self.lab.sink.has(mid) for mid in gone), 60, 1)
        self.lab.mails.sort(key=lambda mail: mail.label)
