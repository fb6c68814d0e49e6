"""Eight days around New Year: a few thousand mails of every kind, rotated logs, two time formats.

The hosts live in the winter of 2025/26 (labclock.c), so the servers write the
stamps.  The driver jumps from one quarter of an hour to a later one, plays a
handful of mails in real time, and jumps on; the clock only moves forward.
"""

from __future__ import annotations

import datetime
import random
import time
from zoneinfo import ZoneInfo

import clients
import messages
import truth
from truth import fate
from world import HONEST, NAMELESS, NEWS, OFFICE_A, OFFICE_A2, OFFICE_B, PHONE, PROBER, SPAMMER, TIMEZONE

README = """
From 28 December 2025 to 4 January 2026, example.com and example.org do what they always do: about 2,500 mails in and out and across, newsletters
(greylisted first), spam for the Junk folders, probes, typing errors, aliases, redirects, Ben's overeager Sieve rule, an expunge here and a POP3 client there.
On the night to 31 December mx was down for six hours and example.com's mail to it waited. A supplier's server (slow.example.net) took mail only from 2 January on, too late for some;
the host old.shop.test never answers, so mail to it expired after two days and the newest is still in the queue when the log ends. One mail that waited for mx was deleted with postsuper.
Logs are rotated at midnight (mail.log, mail.log.1, mail.log.2.gz ...). The servers wrote the stamps themselves under a preloaded clock (lab/labclock.c);
the clock jumps ahead between the mails, which Dovecot's master notes now and then ("Time moved forward"). Only a sample of the messages is kept.
"""

SECONDS = 3000
ZONE = ZoneInfo(TIMEZONE)
BEGIN = datetime.datetime(2025, 12, 28, 0, 20, tzinfo=ZONE)
END = datetime.datetime(2026, 1, 4, 22, 30, tzinfo=ZONE)
DOWN = datetime.datetime(2025, 12, 30, 23, 30, tzinfo=ZONE)
UP = datetime.datetime(2025, 12, 31, 5, 45, tzinfo=ZONE)
SLOW_UNTIL = datetime.datetime(2026, 1, 2, 9, 0, tzinfo=ZONE)
MAILS = 2400
KEPT_MESSAGES = 80

_queue = {
    "minimal_backoff_time": "300s",
    "maximal_backoff_time": "4000s",
    "queue_run_delay": "300s",
    "maximal_queue_lifetime": "2d",
    "bounce_queue_lifetime": "1d",
}
OPTIONS = {
    name: {"postfix": _queue, "rspamd": {"level": "notice", "greylist": "5min"}} for name in ("mail", "mx")
}

COM = ["alex", "amy", "anna", "agnes"]
ORG = ["bob", "bella", "bruno", "berta"]
KINDS = {  # how often each kind of mail occurs
    "com_to_org": 24,
    "org_to_com": 20,
    "inside_com": 12,
    "inside_org": 7,
    "foreign": 12,
    "remote": 6,
    "several": 6,
    "newsletter": 3,
    "junk": 5,
    "gtube": 2,
    "relay": 2,
    "unknown": 2,
    "bad_helo": 1,
    "user_unknown": 2,
    "no_domain": 1,
    "alias": 2,
    "local_alias": 1,
    "redirect": 1,
    "lost": 1,
    "pop": 1,
    "supplier": 0.8,
    "expunged": 1,
}


def prepare(lab):
    lab.start_clock(BEGIN.timestamp() - 60)
    lab.mx.install_sieve("ben", 'if header :contains "subject" ["offer", "sale"] {\n    discard;\n}\n')
    lab.mail.install_sieve("anton", 'redirect "bea@example.org";\n')


def run(lab):
    week = Week(lab)
    week.play()
    week.settle()


class Week:
    """The plan of the week and what became of it."""

    def __init__(self, lab) -> None:
        self.lab = lab
        self.random = random.Random(20251228)
        self.count = 0
        self.later: list[tuple[float, object]] = []  # (time, action) for things to do at a later slot
        self.mx_down = False
        self.remote_mails: list = []
        lab.sink.refuse.update(
            {
                f"{name}@slow.example.net": "451 4.3.2 System not accepting network messages, try later"
                for name in ("orders", "service")
            }
        )

    # -- the clock -------------------------------------------------------

    def slots(self):
        """Times with mail: dense on working days, thin at night and on the holidays; each with a number of mails."""
        weights = []
        moment = BEGIN
        while moment < END:
            local = moment.astimezone(ZONE)
            working = local.weekday() < 5 and (local.month, local.day) not in ((1, 1),)
            busy = 1.0 if 8 <= local.hour < 18 else 0.25 if 6 <= local.hour < 22 else 0.08
            weights.append((moment, busy * (1.0 if working else 0.35)))
            moment += datetime.timedelta(minutes=15)
        total = sum(weight for _, weight in weights)
        carried = 0.0
        for moment, weight in weights:
            carried += MAILS * weight / total
            number = int(carried)
            carried -= number
            if number or moment in (DOWN, UP) or moment.hour == 0:
                yield moment + datetime.timedelta(seconds=self.random.uniform(0, 500)), number

    def play(self) -> None:
        day = BEGIN.date()
        for moment, number in self.slots():
            if moment.timestamp() < self.lab.now() + 1:
                continue
            self.lab.set_clock(moment.timestamp())
            if moment.date() != day:
                day = moment.date()
                for host in self.lab.hosts.values():
                    host.rotate(self.lab.now())
                self.morning()
            self.weather(moment)
            self.pause()
            due = [action for when, action in self.later if when <= self.lab.now()]
            self.later = [entry for entry in self.later if entry[0] > self.lab.now()]
            for action in due:
                action()
            for _ in range(number):
                self.one()
            self.pause()

    def weather(self, moment: datetime.datetime) -> None:
        """The outage of mx and the supplier's slow server."""
        if DOWN <= moment < UP and not self.mx_down:
            self.lab.mx.stop_postfix()
            self.mx_down = True
        elif moment >= UP and self.mx_down:
            self.delete_one()
            self.lab.mx.start_postfix()
            self.mx_down = False
        if moment >= SLOW_UNTIL:
            self.lab.sink.refuse.clear()

    def delete_one(self) -> None:
        """The postmaster deletes one of the mails that waited for mx in the night."""
        waiting = {
            entry["queue_id"]
            for entry in self.lab.mail.queue()
            if len(entry["recipients"]) == 1 and entry["recipients"][0]["address"].endswith("@example.org")
        }
        for mail in self.lab.mails:
            if (
                len(mail.recipients) == 1
                and (mail.reply or "").startswith("250")
                and mail.queue_id in waiting
            ):
                self.lab.mail.machine.run("postsuper", "-d", mail.queue_id)
                mail.recipients = [fate(mail.recipients[0]["recipient"], "deleted_from_queue")]
                return

    def pause(self) -> None:
        """Let what was sent in this slot arrive before the clock jumps on."""
        self.lab.wait_quiet()

    @staticmethod
    def stuck(address: str) -> bool:
        return address.endswith(("@slow.example.net", "@old.shop.test"))

    def morning(self) -> None:
        """People read their mail; Paul's program fetches by POP3 and deletes."""
        lab = self.lab
        for person, source in (("alex", OFFICE_A), ("anna", OFFICE_A2)):
            clients.read_new(lab.mail.address, source, f"{person}@example.com")
        clients.read_new(lab.mx.address, OFFICE_B, "bob@example.org")
        arrived = [
            copy.message_id
            for copy in truth.copies([lab.mail])
            if copy.address == "paul@example.com" and copy.mailbox == "INBOX"
        ]
        lab.remember_of("paul@example.com", 3)
        clients.fetch_by_pop(lab.mail.address, PHONE, "paul@example.com", delete=True)
        for mail in lab.mails:
            if mail.message_id in arrived:
                mail.recipients = [
                    fate("paul@example.com", "retrieved_and_deleted", deleted_from="INBOX")
                    if entry["recipient"] == "paul@example.com"
                    else entry
                    for entry in mail.recipients
                ]

    # -- one mail --------------------------------------------------------

    def one(self) -> None:
        kinds = list(KINDS)
        kind = self.random.choices(kinds, [KINDS[name] for name in kinds])[0]
        if self.mx_down and kind in ("org_to_com", "inside_org", "several"):
            kind = "com_to_org"  # nobody can submit on mx
        self.count += 1
        getattr(self, kind)(f"w{self.count:04d}")

    def subject(self) -> str:
        subject = self.random.choice(messages.SUBJECTS)
        return subject if self.random.random() < 0.7 else f"Re: {subject}"

    def com(self) -> str:
        return self.random.choice(COM) + "@example.com"

    def org(self) -> str:
        return self.random.choice(ORG) + "@example.org"

    def size(self) -> int:
        return int(self.random.lognormvariate(7, 1.2)) if self.random.random() < 0.3 else 0

    def submit(self, label, sender, recipients, subject=None, **more):
        return self.lab.submit(label, sender, recipients, subject or self.subject(), size=self.size(), **more)

    def com_to_org(self, label) -> None:
        mail = self.submit(label, self.com(), [self.org()])
        mail.recipients = [fate(mail.recipients[0]["recipient"], "delivered")]

    def org_to_com(self, label) -> None:
        mail = self.submit(label, self.org(), [self.com()])
        mail.recipients = [fate(mail.recipients[0]["recipient"], "delivered")]

    def inside_com(self, label) -> None:
        sender = self.com()
        recipient = self.random.choice([name for name in COM if name not in sender]) + "@example.com"
        self.submit(label, sender, [recipient], source=OFFICE_A2).recipients = [fate(recipient, "delivered")]

    def inside_org(self, label) -> None:
        sender = self.org()
        recipient = self.random.choice([name for name in ORG if name not in sender]) + "@example.org"
        self.submit(label, sender, [recipient]).recipients = [fate(recipient, "delivered")]

    def foreign(self, label) -> None:
        recipient = self.com() if self.mx_down or self.random.random() < 0.5 else self.org()
        sender = self.random.choice(["emma", "carla", "chris"]) + "@example.edu"
        mail = self.lab.receive(
            label,
            HONEST,
            "out.example.edu",
            sender,
            [recipient],
            self.subject(),
            tls=self.random.random() < 0.8,
        )
        mail.recipients = [fate(recipient, "delivered")]

    def remote(self, label) -> None:
        self.to_remote(label, self.random.choice(["nina", "erik"]) + "@example.net")

    def to_remote(self, label, recipient) -> None:
        mail = self.submit(label, self.com(), [recipient])
        mail.recipients = [fate(recipient, "handed_to_remote")]
        self.remote_mails.append(mail)

    def several(self, label) -> None:
        recipients = self.random.sample([f"{name}@example.com" for name in COM], 2) + self.random.sample(
            [f"{name}@example.org" for name in ORG], 2
        )
        sender = self.com() if self.random.random() < 0.5 else self.org()
        self.submit(label, sender, recipients).recipients = [
            fate(recipient, "delivered") for recipient in recipients
        ]

    def newsletter(self, label) -> None:
        recipient = self.com() if self.mx_down else self.random.choice([self.com(), self.org()])
        mail = self.lab.receive(
            label, NEWS, "news.shop.test", "news@shop.test", [recipient], f"Newsletter special offer {label}"
        )
        if mail.reply.startswith(
            "250"
        ):  # the list of waiting triplets knows sender and recipient from an earlier issue
            mail.recipients = [fate(recipient, "delivered")]
        elif self.random.random() < 0.25:
            mail.recipients = [fate(recipient, "rejected")]
        else:
            self.later.append((self.lab.now() + 1200, lambda: self.again(mail, recipient)))

    def again(self, mail, recipient) -> None:
        if self.mx_down and recipient.endswith("example.org"):
            self.later.append((self.lab.now() + 1200, lambda: self.again(mail, recipient)))
            return
        self.lab.retry(mail, NEWS, "news.shop.test")
        if mail.reply.startswith("250"):
            mail.recipients = [fate(recipient, "delivered")]
        else:
            self.later.append((self.lab.now() + 1200, lambda: self.again(mail, recipient)))

    def junk(self, label) -> None:
        recipient = self.com() if self.mx_down else self.random.choice([self.com(), self.org()])
        subject = (
            self.random.choice(["Cheap pills", "Replica watches", "Casino bonus"])
            + f" {self.random.randint(10, 99)} %"
        )
        mail = self.lab.receive(
            label, NAMELESS, "vps67.hosting.test", "deals@hosting.test", [recipient], subject
        )
        mail.recipients = [fate(recipient, "filed_by_sieve" if mail.reply.startswith("250") else "rejected")]

    def gtube(self, label) -> None:
        recipient = self.com()
        body = "XJS*C4JDBQADN1.NSBN3*2IDNEN*GTUBE-STANDARD-ANTI-UBE-TEST-EMAIL*C.34X\n"
        mail = self.lab.receive(
            label,
            SPAMMER,
            "vps66.hosting.test",
            "offers@hosting.test",
            [recipient],
            "You have won",
            body=body,
        )
        assert mail.reply.startswith("554"), mail.reply
        mail.recipients = [fate(recipient, "rejected")]

    def refused(self, label, source, helo, sender, recipient) -> None:
        """Refused at RCPT; the client gives up."""
        mail = self.lab.note(label, "inbound", sender, [recipient], self.subject(), None, helo=helo)
        session = clients.Smtp(self.lab.mail.address, 25, source)
        session.say("EHLO " + helo)
        session.say(f"MAIL FROM:<{sender}>")
        mail.reply = session.say(f"RCPT TO:<{recipient}>")
        assert mail.reply[0] in "45", mail.reply
        session.quit()
        mail.recipients = [fate(recipient, "rejected")]

    def relay(self, label) -> None:
        self.refused(
            label, PROBER, "dsl-77.pool.example.net", "info@example.edu", f"victim{self.count}@example.net"
        )

    def unknown(self, label) -> None:
        self.refused(
            label,
            HONEST,
            "out.example.edu",
            "emma@example.edu",
            self.random.choice(["allex", "ana", "info2", "hans"]) + "@example.com",
        )

    def bad_helo(self, label) -> None:
        self.refused(
            label,
            NAMELESS,
            self.random.choice(["localhost", "WIN-5F2", "user-pc"]),
            "info@shop.test",
            self.com(),
        )

    def user_unknown(self, label) -> None:
        recipient = self.random.choice(["bobby", "bela", "benn", "old.staff"]) + "@example.org"
        mail = self.submit(label, self.com(), [recipient])
        mail.recipients, mail.notified = [fate(recipient, "bounced")], True

    def no_domain(self, label) -> None:
        recipient = "hugo@nodomain.test"
        mail = self.submit(label, self.com(), [recipient])
        mail.recipients, mail.notified = [fate(recipient, "bounced")], True

    def alias(self, label) -> None:
        if self.random.random() < 0.5 or self.mx_down:
            mail = self.lab.receive(
                label, HONEST, "out.example.edu", "emma@example.edu", ["partner@example.com"], self.subject()
            )
            mail.recipients = [
                fate("partner@example.com", "delivered", "bob@example.org", forwarded_by="alias")
            ]
        else:
            mail = self.submit(label, self.org(), ["sales@example.com"])
            mail.recipients = [fate("sales@example.com", "delivered", "anna@example.com")]

    def local_alias(self, label) -> None:
        mail = self.submit(label, self.com(), ["press@example.com"])
        mail.recipients = [fate("press@example.com", "delivered", "bella@example.org", forwarded_by="alias")]

    def redirect(self, label) -> None:
        mail = self.submit(label, self.com(), ["anton@example.com"])
        mail.recipients = [fate("anton@example.com", "delivered", "bea@example.org", forwarded_by="sieve")]

    def lost(self, label) -> None:
        keep = self.random.random() < 0.3
        mail = self.submit(
            label, self.com(), ["ben@example.org"], "Minutes" if keep else f"Offer {4000 + self.count}"
        )
        mail.recipients = [fate("ben@example.org", "delivered" if keep else "discarded_by_sieve")]

    def pop(self, label) -> None:
        self.submit(label, self.com(), ["paul@example.com"]).recipients = [
            fate("paul@example.com", "delivered")
        ]

    def supplier(self, label) -> None:
        """Mail to servers with troubles: one gets well, the other does not."""
        if self.random.random() < 0.5:
            self.to_remote(label, self.random.choice(["orders", "service"]) + "@slow.example.net")
            return
        recipient = "kurt@old.shop.test"
        mail = self.submit(label, self.com(), [recipient])
        mail.recipients = [fate(recipient, "deferred")]  # settle() finds out whether it expired
        mail.more["unreachable"] = True

    def expunged(self, label) -> None:
        recipient = "arno@example.com"
        mail = self.submit(label, self.com(), [recipient])
        mail.recipients = [fate(recipient, "delivered")]

        def delete() -> None:
            if self.lab.in_mailbox(recipient, mail.message_id):
                clients.expunge(self.lab.mail.address, PHONE, recipient, mail.message_id)
                mail.recipients = [fate(recipient, "expunged", deleted_from="INBOX")]

        self.later.append((self.lab.now() + 3600 * self.random.uniform(1, 12), delete))

    # -- the end ---------------------------------------------------------

    def settle(self) -> None:
        lab = self.lab
        lab.wait_empty_but(self.stuck, 60)
        time.sleep(2)
        reports = [
            copy.content
            for copy in truth.copies([lab.mail])
            if b"report-type=delivery-status" in copy.content
        ]

        def expired(mail) -> bool:
            return any(mail.message_id.encode() in report for report in reports)

        for mail in lab.mails:
            unreachable = mail.more.pop("unreachable", False)
            if (unreachable or (mail in self.remote_mails and not lab.sink.has(mail.message_id))) and expired(
                mail
            ):
                mail.recipients[0]["outcome"], mail.notified = "expired", True
        lost = [
            mail.label
            for mail in self.remote_mails
            if not lab.sink.has(mail.message_id) and not mail.notified
        ]
        assert not lost, f"{lost} neither reached the provider nor came back"
