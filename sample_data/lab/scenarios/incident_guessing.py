"""Incident: strangers at the door, guessing passwords until one fits, trying to relay, sending spam from a whole network."""

import contextlib
import datetime
import threading
from zoneinfo import ZoneInfo

import clients
import messages
from traffic import Background
from truth import fate
from world import MAIL, PASSWORD, TIMEZONE

README = """
Host mail on a Tuesday. In the morning one network tries a password on every account that it can think of, by SMTP, and finds none. Over the day nine networks
try Alex's account by IMAP, four times each, and then somebody from one of them logs in: the password was guessed. One network asks twelve times to relay mail to strangers,
and ten addresses of another send the same spam, all refused. Ordinary mail runs in between. `findings` in expected.json says what must be found.
"""
KEPT_MESSAGES = 6
ZONE = ZoneInfo(TIMEZONE)
BEGIN = datetime.datetime(2026, 3, 10, 8, 0, tzinfo=ZONE)
DOOR = MAIL.addresses[1]
SPRAY = "2001:db8:3a01::/48"
SPRAYERS = [f"2001:db8:3a01::{number:x}" for number in range(1, 25)]
GUESSERS = [f"2001:db8:{number:x}::9" for number in range(0x3B01, 0x3B0A)]
RELAYERS = [f"2001:db8:3c01::{number:x}" for number in (1, 2)]
SNOW = [f"2001:db8:3d01:{number:x}::25" for number in range(1, 11)]
STRANGERS = {
    **dict.fromkeys([*SPRAYERS, *GUESSERS, *RELAYERS]),
    **{address: f"m{number}.hosting.test" for number, address in enumerate(SNOW, 1)},
}
NAMES = [
    "admin",
    "anna",
    "alex",
    "amy",
    "arno",
    "info",
    "sales",
    "paul",
    "test",
    "root",
    "office",
    "agnes",
    "anton",
    "scanner",
    "support",
    "webmaster",
    "backup",
    "contact",
    "news",
    "postmaster",
    "hr",
    "jobs",
    "ceo",
    "fax",
]
OPTIONS = {name: {"rspamd": {"level": "notice"}} for name in ("mail", "mx")}


def prepare(lab):
    lab.start_clock(BEGIN.timestamp() - 60)


def run(lab):
    Door(lab).run()


class Door:
    def __init__(self, lab) -> None:
        self.lab = lab
        self.background = Background(lab)

    def at(self, hour: int, minute: int = 0) -> None:
        self.lab.wait_quiet()
        self.lab.set_clock(BEGIN.replace(hour=hour, minute=minute).timestamp())

    def run(self) -> None:
        lab = self.lab
        self.background.some(4)
        self.at(9, 10)
        together(
            [
                lambda name=name, source=source: self.submission(source, name)
                for name, source in zip(NAMES, SPRAYERS, strict=True)
            ]
        )
        self.background.some(3)
        for hour in (10, 12, 14, 16):
            self.at(hour, 20)
            together(
                [lambda source=source, hour=hour: self.imap(source, f"summer{hour}") for source in GUESSERS]
            )
            self.background.some(2)
        self.at(16, 50)
        session = clients.Imap(DOOR, GUESSERS[4], "alex@example.com", PASSWORD)
        session.select("INBOX")
        session.logout()
        self.at(17, 10)
        for number in range(12):
            self.relay(
                f"relay-{number}", RELAYERS[number % 2], f"victim{number}@{('shop', 'bank')[number % 2]}.test"
            )
        self.at(17, 40)
        for number, source in enumerate(SNOW):
            self.spam(f"snow-{number}", source, f"m{number + 1}.hosting.test")
        self.background.some(3)
        lab.finds(
            "password_guessing",
            SPRAY,
            "notice",
            "one network, one password, 24 accounts",
            accounts=len(NAMES),
        )
        lab.finds(
            "password_guessing",
            "alex@example.com",
            "high",
            "nine networks, 36 tries, then a login",
            networks=9,
            tries=36,
        )
        lab.finds("relay_attempt", "2001:db8:3c01::/48", "notice", "asked twelve times to relay", tries=12)
        lab.finds(
            "snowshoe", "2001:db8:3d01::/48", "notice", "ten addresses of one network send spam", addresses=10
        )

    def submission(self, source: str, name: str) -> None:
        session = clients.Smtp(DOOR, 587, source)
        session.say("EHLO desktop")
        session.starttls()
        session.say("EHLO desktop")
        assert session.login(f"{name}@example.com", "Winter2026!").startswith("535")
        session.quit()

    def imap(self, source: str, password: str) -> None:
        with contextlib.suppress(clients.imaplib.IMAP4.error):
            clients.Imap(DOOR, source, "alex@example.com", password)
            raise AssertionError("the password was not meant to fit")

    def relay(self, label: str, source: str, recipient: str) -> None:
        sender = f"{label}@example.edu"
        mail = self.lab.note(label, "inbound", sender, [recipient], "Hello", None)
        session = clients.Smtp(DOOR, 25, source)
        session.say("EHLO mail.hosting.test")
        session.say(f"MAIL FROM:<{sender}>")
        mail.reply = session.say(f"RCPT TO:<{recipient}>")
        assert "Relay access denied" in mail.reply, mail.reply
        mail.recipients = [fate(recipient, "rejected")]
        session.quit()

    def spam(self, label: str, source: str, helo: str) -> None:
        body = "XJS*C4JDBQADN1.NSBN3*2IDNEN*GTUBE-STANDARD-ANTI-UBE-TEST-EMAIL*C.34X\n"
        recipient = f"{('amy', 'anna', 'arno', 'paul')[len(label) % 4]}@example.com"
        sender = f"offer-{label}@hosting.test"
        mid = messages.message_id(self.lab.scenario, label, "hosting.test")
        message = messages.build(sender, [recipient], "You have won", mid, body=body, stamp=self.lab.now())
        mail = self.lab.note(label, "inbound", sender, [recipient], "You have won", mid)
        mail.reply = clients.send(DOOR, source, helo, sender, [recipient], message).final
        assert mail.reply.startswith("554"), mail.reply
        mail.recipients = [fate(recipient, "rejected")]


def together(tasks: list) -> None:
    """All at once, each in a thread of the outside world; the first error is raised."""
    errors: list[BaseException] = []

    def guarded(task) -> None:
        try:
            task()
        except BaseException as error:
            errors.append(error)

    threads = [threading.Thread(target=guarded, args=(task,)) for task in tasks]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(120)
    if errors:
        raise errors[0]
