"""Incident: an afternoon on which the servers themselves fail, one after the other."""

import datetime
import re
import time
from dataclasses import replace
from zoneinfo import ZoneInfo

from traffic import Background
from truth import fate
from world import MAIL, MX, TIMEZONE

README = """
Five small stories. Rspamd on host mail stops answering (it is frozen, as under a lack of memory) and mail passes unseen. Bob's mailbox (40 kB) is full, so
his third big mail bounces. circle@example.com and circle@example.org point at each other. Syslog on host mail is dead for fifty minutes; Alex's mail to Amy in
that time is in no log, the one to Bella only in mx's. At last the clock of mx is set back by eleven minutes, and Dovecot there is restarted. `findings` in expected.json says what must be found.
"""
KEPT_MESSAGES = 6
ZONE = ZoneInfo(TIMEZONE)
BEGIN = datetime.datetime(2026, 3, 19, 13, 0, tzinfo=ZONE)
BACK = 660
PLANS = [
    replace(MAIL, virtual={**MAIL.virtual, "circle@example.com": "circle@example.org"}),
    replace(MX, virtual={**MX.virtual, "circle@example.org": "circle@example.com"}),
]
SHORT = dict.fromkeys(("milter_connect_timeout", "milter_command_timeout", "milter_content_timeout"), "3s")
OPTIONS = {
    "mail": {"postfix": {"hopcount_limit": "7", **SHORT}, "rspamd": {"level": "notice"}},
    "mx": {"postfix": {"hopcount_limit": "7"}, "rspamd": {"level": "warning"}, "dovecot": {"quota": True}},
}
KINDS = {"org_to_com": 4, "inside": 4, "com_to_org": 2, "remote": 1}


def prepare(lab):
    lab.start_clock(BEGIN.timestamp() - 60)


def run(lab):
    background = Background(lab, kinds=KINDS)
    background.some(12)

    lab.mail.freeze_filter()
    frozen = Background(lab, kinds={"inside": 1})
    frozen.count = 100
    frozen.some(6)
    lab.mail.thaw_filter()
    background.some(4)
    lab.finds(
        "filter_silent",
        "inet:127.0.0.1:11332 on mail",
        "high",
        "Rspamd was frozen while six mails came",
        mails=6,
    )

    for number in (1, 2, 3):
        mail = lab.submit(
            f"full-{number}", "alex@example.com", ["bob@example.org"], f"Photos, part {number}", size=15000
        )
        if number < 3:
            lab.settle(mail, "bob@example.org")
        else:
            lab.wait_report(mail)
            mail.recipients = [fate("bob@example.org", "bounced")]
    lab.finds(
        "mailbox_full", "bob@example.org", "notice", "40 kB are full, the third mail is refused at LMTP"
    )

    circle = lab.submit("circle", "amy@example.com", ["circle@example.com"], "Invoice 2026-1107")
    report = lab.wait_report(circle)
    circle.recipients = [fate("circle@example.com", "bounced", forwarded_by="alias")]
    named = re.search(rb"^Final-Recipient: rfc822; *(\S+)", report.content, re.MULTILINE)
    assert named
    lab.finds(
        "loop",
        named[1].decode(),
        "warning",
        "two aliases that point at each other; the address is the report's",
    )
    background.some(12)

    silence(lab)
    background.some(10)

    lab.wait_quiet()
    shift = lab.shift - BACK
    lab.mx.shift_clock(shift)
    # Dovecot starts no LMTP process until its clock has caught up; the postmaster restarts it
    time.sleep(2)
    lab.mx.stop_dovecot()
    lab.mx.start_dovecot()
    late = Background(lab, kinds={"org_to_com": 1, "com_to_org": 1})
    late.count = 300
    late.some(4)
    lab.finds("clock_step", "mx", "warning", "the clock of mx was set back by eleven minutes", seconds=BACK)


def silence(lab) -> None:
    """Fifty minutes without syslog on mail; mx goes on."""
    lab.wait_quiet()
    lab.mail.stop_syslog()
    lost = lab.submit("unlogged-1", "alex@example.com", ["amy@example.com"], "Lunch on Friday?")
    lost.recipients = [fate("amy@example.com", "delivered", visible=False)]
    half = lab.submit("unlogged-2", "alex@example.com", ["bella@example.org"], "Draft of the report")
    half.recipients = [fate("bella@example.org", "delivered")]
    lab.wait_quiet()
    for number in range(7):
        lab.set_clock(lab.now() + 430)
        mail = lab.submit(f"inside-mx-{number}", "bella@example.org", ["bruno@example.org"], "Room change")
        mail.recipients = [fate("bruno@example.org", "delivered")]
        lab.wait_quiet()
    lab.mail.start_syslog()
    lab.finds("log_gap", "mail", "notice", "syslog was dead for fifty minutes", minutes=50)
