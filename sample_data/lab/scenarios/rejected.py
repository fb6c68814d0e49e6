"""Never accepted: every refusal a server gives before a mail is its own."""

import clients
import hostile
from truth import fate
from world import HONEST, NAMELESS, OFFICE_A, PROBER

README = """
A day of refusals on host mail: relaying for strangers, recipients that do not exist, HELO names that are none (among them script, escape and
spreadsheet strings), senders from domains that do not exist, submission with a wrong password, without one, and in somebody else's name, a mail that is too big.
None of these mails was ever accepted, so most have no queue id; `reply` in expected.json is what the client was told.
Two honest mails in between, one of them with a second recipient that was refused, arrive.
"""


def run(lab):
    mail = lab.mail

    def refuse(label, source, helo, sender, recipients, subject="Hello"):
        """One session in which the mail is refused at the latest at its recipients."""
        entry = lab.note(label, "inbound", sender, recipients, subject, None, helo=helo)
        session = clients.Smtp(mail.address, 25, source)
        reply = session.say("EHLO " + helo)
        if reply.startswith("250"):
            reply = session.say(f"MAIL FROM:<{sender}>")
        replies = {}
        if reply.startswith("250"):
            for recipient in recipients:
                reply = replies[recipient] = session.say(f"RCPT TO:<{recipient}>")
        assert not reply.startswith("250"), reply
        entry.reply = reply
        entry.recipients = [fate(recipient, "rejected") for recipient in recipients]
        session.quit()

    refuse("relay-1", PROBER, "dsl-77.pool.example.net", "info@example.edu", ["nina@example.net"])
    refuse("relay-2", PROBER, "dsl-77.pool.example.net", "alex@example.com", ["victim@shop.test"])
    refuse(
        "unknown-1", HONEST, "out.example.edu", "emma@example.edu", ["nobody@example.com"], "Training dates"
    )
    refuse(
        "unknown-2",
        HONEST,
        "out.example.edu",
        "emma@example.edu",
        ["alexander@example.com", "annna@example.com"],
    )
    refuse("helo-short", NAMELESS, "localhost", "info@shop.test", ["alex@example.com"])
    refuse("helo-script", NAMELESS, hostile.SCRIPT, "info@shop.test", ["alex@example.com"])
    refuse("helo-escape", NAMELESS, hostile.ESCAPE, "info@shop.test", ["alex@example.com"])
    refuse("helo-formula", NAMELESS, hostile.FORMULA, "info@shop.test", ["anna@example.com"])
    refuse("sender-domain", NAMELESS, "mail.nodomain.test", "news@nodomain.test", ["anna@example.com"])
    refuse("sender-short", NAMELESS, "mail.nodomain.test", "root@localhost", ["anna@example.com"])
    refuse(
        "sender-script",
        NAMELESS,
        "vps.hosting.test",
        '"<script>alert(1)</script>"@nodomain.test',
        ["anna@example.com"],
    )

    good = lab.receive(
        "good-1", HONEST, "out.example.edu", "emma@example.edu", ["alex@example.com"], "Training dates"
    )
    lab.settle(good, "alex@example.com")

    # one recipient refused, the other accepted, in one transaction
    half = lab.receive(
        "good-2",
        HONEST,
        "out.example.edu",
        "emma@example.edu",
        ["anna@example.com", "former@example.com"],
        "Draft of the report",
    )
    lab.settle(half, "anna@example.com")
    half.recipients[1] = fate("former@example.com", "rejected")

    def submission(label, user, password, sender, recipient, subject):
        entry = lab.note(label, "submission", sender, [recipient], subject, None)
        session = clients.Smtp(mail.address, 587, OFFICE_A)
        session.say("EHLO [192.0.2.101]")
        session.starttls()
        session.say("EHLO [192.0.2.101]")
        reply = session.login(user, password) if user else "235"
        if not reply.startswith("235"):
            entry.more["named_to_server"] = []  # the server never learned whose mail it would have been
        else:
            session.say(f"MAIL FROM:<{sender}>")
            reply = session.say(f"RCPT TO:<{recipient}>")
        assert reply[0] in "45", reply
        entry.reply = reply
        entry.recipients = [fate(recipient, "rejected")]
        session.quit()

    submission(
        "password", "amy@example.com", "summer2025", "amy@example.com", "bob@example.org", "Budget next year"
    )
    submission("no-password", "", "", "amy@example.com", "bob@example.org", "Budget next year")
    submission(
        "other-name", "alex@example.com", clients.PASSWORD, "amy@example.com", "bob@example.org", "Salary"
    )
    # what probes do: noise without a mail
    session = clients.Smtp(mail.address, 25, PROBER)
    session.say("EHLO probe.test")
    session.say("GET / HTTP/1.1")
    session.drop()
    session = clients.Smtp(mail.address, 25, PROBER)
    session.say("HELO probe.test")
    session.say("VRFY root")
    session.quit()
    clients.Smtp(mail.address, 25, NAMELESS).drop()

    # announced too big, and refused before the data
    entry = lab.note(
        "too-big", "inbound", "emma@example.edu", ["paul@example.com"], "Photos from the trip", None
    )
    session = clients.Smtp(mail.address, 25, HONEST)
    session.say("EHLO out.example.edu")
    entry.reply = session.say("MAIL FROM:<emma@example.edu> SIZE=99000000")
    assert entry.reply.startswith("552"), entry.reply
    entry.recipients = [fate("paul@example.com", "rejected")]
    entry.more["named_to_server"] = ["sender"]
    session.quit()
    lab.wait_empty()
