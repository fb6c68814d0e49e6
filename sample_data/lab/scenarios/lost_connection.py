"""The line goes dead in the middle."""

import clients
import messages
from machine import wait_for
from truth import fate, header
from world import HONEST, PHONE

README = """
Emma's server loses the connection in the middle of DATA: host mail drops what it had (a queue id with client=, and no more). It tries again with the same Message-ID and gets through.
Carla's server hangs up after the recipient and never comes back. Anna's phone goes into a tunnel while it submits: Postfix throws the half mail away.
In the other direction: the provider example.net takes Amy's mail and hangs up before its reply. Host mail cannot know that, defers, and sends it again:
Nina has it twice, and the log shows one deferred and one sent try.
"""


def run(lab):
    mail = lab.mail

    def cut(label, sender, recipient, subject, source, after):
        """Begin a mail and hang up, after RCPT or in the middle of the text."""
        mid = messages.message_id(lab.scenario, label, sender.split("@")[1])
        text = messages.build(sender, [recipient], subject, mid, stamp=lab.now())
        entry = lab.note(label, "inbound", sender, [recipient], subject, mid)
        session = clients.Smtp(mail.address, 25, source)
        session.say("EHLO out.example.edu")
        session.say(f"MAIL FROM:<{sender}>")
        reply = session.say(f"RCPT TO:<{recipient}>")
        if after == "DATA":
            reply = session.say("DATA")
            session.send_raw(text[: len(text) - 60].replace(b"\n", b"\r\n"))
        session.drop()
        entry.reply = reply
        entry.recipients = [fate(recipient, "not_seen", never_handed_over=True)]
        return entry

    first = cut("m1", "emma@example.edu", "anna@example.com", "Training dates", HONEST, "DATA")
    cut("m2", "carla@example.edu", "alex@example.com", "Question about the contract", HONEST, "RCPT")
    lab.retry(first, HONEST, "out.example.edu")
    lab.settle(first, "anna@example.com")

    mid = messages.message_id(lab.scenario, "m3", "example.com")
    entry = lab.note("m3", "submission", "anna@example.com", ["bob@example.org"], "Room change", mid)
    session = clients.Smtp(mail.address, 587, PHONE)
    session.say("EHLO phone")
    session.starttls()
    session.say("EHLO phone")
    session.login("anna@example.com")
    session.say("MAIL FROM:<anna@example.com>")
    session.say("RCPT TO:<bob@example.org>")
    entry.reply = session.say("DATA")
    session.send_raw(
        messages.build("anna@example.com", ["bob@example.org"], "Room change", mid)[:200].replace(
            b"\n", b"\r\n"
        )
    )
    session.drop()
    entry.recipients = [fate("bob@example.org", "not_seen", never_handed_over=True)]

    lab.sink.drop_after_data.add("nina@example.net")
    twice = lab.submit("m4", "amy@example.com", ["nina@example.net"], "Draft of the report")
    wait_for(
        "the second copy",
        lambda: (
            sum(header(content, "Message-ID") == twice.message_id for _, _, content in lab.sink.taken) == 2
        ),
        90,
    )
    twice.recipients = [fate("nina@example.net", "handed_to_remote", copies=2, attempts=2)]
    good = lab.submit("m5", "anna@example.com", ["bob@example.org"], "Room change, again")
    lab.settle(good, "bob@example.org")
    lab.wait_empty()
