"""Incident: the name server dies at noon, nothing can leave, and the queue grows."""

import datetime
from zoneinfo import ZoneInfo

import clients
import messages
from machine import wait_for
from traffic import Background
from truth import fate
from world import OFFICE_A2, TIMEZONE

README = """
At 12:05 the name server that host mail asks goes silent. Agnes just then sends a mailing of 102 mails, one customer each, at eight domains: none can be looked up,
all wait, and so does the ordinary mail to the outside; mail inside the house still arrives. At 12:50 the name server is back, the queue is flushed, and everything is delivered.
Only mail's resolver is concerned; host mail has no spam filter here. `findings` in expected.json says what must be found.
"""
KEPT_MESSAGES = 4
ZONE = ZoneInfo(TIMEZONE)
BEGIN = datetime.datetime(2026, 3, 17, 8, 0, tzinfo=ZONE)
DOMAINS = [f"{name}.test" for name in ("alder", "birch", "cedar", "elm", "hazel", "linden", "maple", "rowan")]
DNS = [f"mx-host={domain},mx.example.net,10" for domain in DOMAINS]
CUSTOMERS = 102
OPTIONS = {
    "mail": {
        "postfix": {
            "smtpd_milters": "",
            "non_smtpd_milters": "",
            "minimal_backoff_time": "600s",
            "maximal_backoff_time": "4000s",
            "queue_run_delay": "300s",
        }
    },
    "mx": {"rspamd": {"level": "warning"}},
}


def prepare(lab):
    lab.start_clock(BEGIN.timestamp() - 60)


def run(lab):
    def at(hour: int, minute: int) -> None:
        lab.wait_quiet()
        lab.set_clock(BEGIN.replace(hour=hour, minute=minute).timestamp())

    background = Background(lab)
    for hour in (8, 9, 10, 11):
        at(hour, 20)
        background.some(2)
    at(12, 5)
    lab.stop_name_server()
    outside = Background(lab, kinds={"remote": 1})
    outside.count = 100
    outside.some(2)
    inside = Background(lab, kinds={"inside": 1})
    inside.count = 200
    inside.some(2)
    mails = mailing(lab)
    wait_for("a long queue", lambda: len(lab.mail.queue()) >= CUSTOMERS + 2)
    lab.wait_quiet()
    at(12, 50)
    lab.start_name_server()
    lab.mail.machine.run("postqueue", "-f")
    for mail in mails:
        lab.sink.wait(mail.message_id, 120)
    lab.wait_empty()
    at(14, 10)
    background.some(3)
    lab.finds(
        "dns_trouble", "mail", "high", "the name server was dead for 45 minutes", domains=len(DOMAINS) + 1
    )
    lab.finds("queue_growth", "mail", "warning", "all mail for the outside waited", waiting=CUSTOMERS + 2)


def mailing(lab) -> list:
    """A mailing as a program sends it: one login, one mail a customer."""
    mails = []
    session = clients.Smtp(lab.mail.address, 587, OFFICE_A2)
    session.say("EHLO [192.0.2.102]")
    session.starttls()
    session.say("EHLO [192.0.2.102]")
    assert session.login("agnes@example.com").startswith("235")
    for number in range(CUSTOMERS):
        recipient = f"customer{number:03d}@{DOMAINS[number % len(DOMAINS)]}"
        mid = messages.message_id(lab.scenario, f"c{number:03d}", "example.com")
        subject = "Our prices from April on"
        message = messages.build("agnes@example.com", [recipient], subject, mid, stamp=lab.now())
        mail = lab.note(f"c{number:03d}", "submission", "agnes@example.com", [recipient], subject, mid)
        mail.reply = clients.deliver(session, "agnes@example.com", [recipient], message).final
        assert mail.reply.startswith("250"), mail.reply
        mail.recipients = [fate(recipient, "handed_to_remote")]
        mails.append(mail)
    session.quit()
    return mails
