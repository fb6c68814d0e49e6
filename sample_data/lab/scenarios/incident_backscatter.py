"""Incident: bounces about mail that nobody here sent, coming in and going out."""

import datetime
from zoneinfo import ZoneInfo

import clients
import messages
from traffic import Background
from truth import fate
from world import MAIL, SPAMMER, TIMEZONE

README = """
A spammer uses Amy's address: within two hours, twenty-four servers of eight networks send her reports about mails that she never wrote. At the same time
mx, where somebody had switched off the check of recipients (smtpd_reject_unlisted_recipient = no), takes twenty-two mails for people who do not exist, and when Dovecot
refuses them, it sends reports to the forged senders, strangers at example.net. mx has no spam filter. `findings` in expected.json says what must be found.
"""
KEPT_MESSAGES = 8
ZONE = ZoneInfo(TIMEZONE)
BEGIN = datetime.datetime(2026, 3, 12, 9, 0, tzinfo=ZONE)
REPORTERS = [f"2001:db8:{number:x}::25" for number in range(0x4A01, 0x4A09)]
STRANGERS = {address: f"mx{number}.reports.test" for number, address in enumerate(REPORTERS, 1)}
OPTIONS = {
    "mail": {"rspamd": {"level": "warning"}},
    "mx": {
        "postfix": {"smtpd_reject_unlisted_recipient": "no", "smtpd_milters": "", "non_smtpd_milters": ""}
    },
}
REPORT = """\
This is the mail system at host {host}.

Your message could not be delivered to <{victim}>: user unknown.

Final-Recipient: rfc822; {victim}
Action: failed
Status: 5.1.1
"""


def prepare(lab):
    lab.start_clock(BEGIN.timestamp() - 60)


def run(lab):
    background = Background(lab)
    for round_ in range(4):
        lab.wait_quiet()
        lab.set_clock((BEGIN + datetime.timedelta(minutes=30 * round_ + 1)).timestamp())
        background.some(4)
        for number in range(6 * round_, 6 * round_ + 6):
            report(lab, number)
        for number in range(6 * round_, min(22, 6 * round_ + 6)):
            forged(lab, number)
    lab.wait_empty()
    lab.finds(
        "backscatter",
        "amy@example.com",
        "notice",
        "24 reports from eight networks about mail she never sent",
        reports=24,
    )
    lab.finds(
        "backscatter",
        "mx",
        "warning",
        "22 mails taken and then refused, reports to forged senders",
        reports=22,
    )


def report(lab, number: int) -> None:
    source = REPORTERS[number % len(REPORTERS)]
    host = STRANGERS[source]
    label = f"report-{number:02d}"
    mid = messages.message_id(lab.scenario, label, host)
    body = REPORT.format(host=host, victim=f"person{number}@reports.test")
    subject = "Undelivered Mail Returned to Sender"
    message = messages.build(
        f"MAILER-DAEMON@{host}", ["amy@example.com"], subject, mid, body=body, stamp=lab.now()
    )
    mail = lab.note(label, "inbound", "", ["amy@example.com"], subject, mid)
    mail.reply = clients.send(MAIL.addresses[1], source, host, "", ["amy@example.com"], message).final
    assert mail.reply.startswith("250"), mail.reply
    mail.recipients = [fate("amy@example.com", "delivered")]


def forged(lab, number: int) -> None:
    recipient = f"{('info', 'office', 'hr', 'jobs')[number % 4]}{number}@example.org"
    mail = lab.receive(
        f"forged-{number:02d}",
        SPAMMER,
        "vps66.hosting.test",
        f"stranger{number}@example.net",
        [recipient],
        "Invoice attached",
    )
    assert mail.reply.startswith("250"), mail.reply
    mail.recipients = [fate(recipient, "bounced")]
