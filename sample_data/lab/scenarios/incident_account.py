"""Incident: a stolen account sends spam in the night, and by the morning our server is on a blocklist."""

import datetime
from zoneinfo import ZoneInfo

import clients
import messages
from traffic import Background
from truth import fate
from world import MAIL, TIMEZONE

README = """
Two ordinary days; then, from one o'clock in the night on, somebody with Anna's password submits mail from eight networks, nine recipients each. Half of
the recipients do not exist, so reports fall into Anna's INBOX. Three providers that had always taken our mail find the address of host mail on a blocklist
before the night is over and refuse everything, the spam and, in the morning, Amy's ordinary mail too. `findings` in expected.json says what must be found.
Rspamd's log is left out on both hosts (level "warning"); only a sample of the messages is kept.
"""
KEPT_MESSAGES = 6
ZONE = ZoneInfo(TIMEZONE)
BEGIN = datetime.datetime(2026, 3, 2, 8, 0, tzinfo=ZONE)
NIGHT = datetime.datetime(2026, 3, 4, 1, 0, tzinfo=ZONE)
THIEVES = [f"2001:db8:{number:x}::{7 * number % 251:x}" for number in range(0x2101, 0x2109)]
PROVIDERS = {"192.0.2.26": "big.test", "192.0.2.27": "freemail.test", "192.0.2.28": "post.test"}
STRANGERS = {
    **dict.fromkeys(THIEVES),
    **{address: f"mx.{domain}" for address, domain in PROVIDERS.items()},
}
DNS = [f"mx-host={domain},mx.{domain},10" for domain in PROVIDERS.values()]
OPTIONS = {
    name: {
        "postfix": {
            "minimal_backoff_time": "300s",
            "maximal_backoff_time": "4000s",
            "queue_run_delay": "300s",
        },
        "rspamd": {"level": "warning"},
    }
    for name in ("mail", "mx")
}
LISTED = (
    "554 5.7.1 Service unavailable; Client host [{}] blocked using lists.test; https://lists.test/query?ip={}"
)


def prepare(lab):
    lab.start_clock(BEGIN.timestamp() - 60)


def run(lab):
    Theft(lab).run()


class Theft:
    def __init__(self, lab) -> None:
        self.lab = lab
        self.background = Background(lab)
        self.providers = {
            domain: lab.provider(address, f"mx.{domain}") for address, domain in PROVIDERS.items()
        }
        for domain, sink in self.providers.items():
            sink.people = {f"{name}@{domain}" for name in ("orders", "kim", "lee", "max", "pat")}

    def at(self, day: int, hour: int, minute: int = 0) -> None:
        self.lab.wait_quiet()
        self.lab.set_clock(
            (BEGIN.replace(hour=hour, minute=minute) + datetime.timedelta(days=day)).timestamp()
        )

    def run(self) -> None:
        lab = self.lab
        for day in (0, 1):
            for hour in (9, 11, 14, 17):
                self.at(day, hour, 5)
                self.background.some(2)
                self.order(f"o{day}{hour}", ("big.test", "freemail.test", "post.test")[hour % 3])
                self.anna(f"a{day}{hour}")
        self.night()
        self.at(2, 8, 30)
        self.background.some(4)
        mail = lab.submit("amy-morning", "amy@example.com", ["orders@big.test"], "Your order 5521")
        lab.wait_report(mail)
        mail.recipients = [fate("orders@big.test", "bounced")]
        self.background.some(3)
        lab.wait_quiet()
        reasons = "eight networks, 144 recipients within an hour of the night, most of them came back"
        lab.finds("compromised_account", "anna@example.com", "high", reasons, networks=len(THIEVES), mails=16)
        lab.finds(
            "blocklisting",
            "mail",
            "high",
            "three providers refuse host mail by its address",
            domains=sorted(self.providers),
        )

    def order(self, label: str, domain: str) -> None:
        mail = self.lab.submit(label, "amy@example.com", [f"orders@{domain}"], "Your order 5521")
        mail.recipients = [fate(f"orders@{domain}", "handed_to_remote")]

    def anna(self, label: str) -> None:
        mail = self.lab.submit(label, "anna@example.com", ["bob@example.org"], "Draft of the report")
        mail.recipients = [fate("bob@example.org", "delivered")]

    def night(self) -> None:
        for number in range(16):
            self.at(2, 1, 2 + 3 * number)
            if number == 8:  # word gets round
                for sink in self.providers.values():
                    sink.refuse_clients = LISTED.format(*[MAIL.addresses[0]] * 2)
            self.spam(f"t{number:02d}", THIEVES[number % len(THIEVES)], listed=number >= 8)

    def spam(self, label: str, source: str, *, listed: bool) -> None:
        """Nine recipients at three providers; four of nine names are known there, the rest made up."""
        names = ("kim", "lee", "max", "pat", "k.lee", "maxi", "patty", "lea", "kimmy")
        domains = sorted(self.providers)
        number = int(label[1:])
        recipients = [f"{names[(number + at) % len(names)]}@{domains[at % 3]}" for at in range(9)]
        subject = "Your parcel could not be delivered"
        mid = messages.message_id(self.lab.scenario, label, "example.com")
        message = messages.build("anna@example.com", recipients[:1], subject, mid, stamp=self.lab.now())
        mail = self.lab.note(label, "submission", "anna@example.com", recipients, subject, mid, stolen=True)
        mail.reply = clients.submit(
            MAIL.addresses[1], source, "anna@example.com", recipients, message, helo="desktop-7h2k9"
        ).final
        assert mail.reply.startswith("250"), mail.reply
        mail.notified = True
        mail.recipients = [
            fate(
                recipient,
                "handed_to_remote"
                if not listed and recipient in self.providers[recipient.split("@")[1]].people
                else "bounced",
            )
            for recipient in recipients
        ]
