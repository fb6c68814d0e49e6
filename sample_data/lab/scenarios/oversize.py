"""Too big: refused when announced, refused at the end, refused one host further on."""

import clients
from truth import fate
from world import HONEST

README = """
Host mail takes mails up to 1 MB, mx only up to 60 kB. Emma's 2 MB are refused at MAIL FROM, because her server announces the size; another client announces nothing and is
refused after DATA ("queue file size limit exceeded": that mail had a queue id, but was never ours). Alex's 200 kB to Bob are taken by host mail and
bounce, because mx announces its limit; Alex is told. Amy's mail to Bob and to Anna with 200 kB arrives at Anna's only.
"""
OPTIONS = {"mx": {"postfix": {"message_size_limit": "60000"}}}


def run(lab):
    announced = lab.note(
        "m1",
        "inbound",
        "emma@example.edu",
        ["anna@example.com"],
        "Photos from the trip",
        None,
        named_to_server=["sender"],
    )
    session = clients.Smtp(lab.mail.address, 25, HONEST)
    session.say("EHLO out.example.edu")
    announced.reply = session.say("MAIL FROM:<emma@example.edu> SIZE=2000000")
    session.quit()
    assert announced.reply.startswith("552"), announced.reply
    announced.recipients = [fate("anna@example.com", "rejected")]

    silent = lab.receive(
        "m2",
        HONEST,
        "out.example.edu",
        "emma@example.edu",
        ["anna@example.com"],
        "More photos from the trip",
        size=1300000,
    )
    assert silent.reply.startswith("552"), silent.reply
    silent.recipients = [fate("anna@example.com", "rejected")]

    bounced = lab.submit("m3", "alex@example.com", ["bob@example.org"], "Draft of the report", size=200000)
    lab.wait_report(bounced)
    bounced.recipients = [fate("bob@example.org", "bounced")]
    half = lab.submit(
        "m4",
        "amy@example.com",
        ["bob@example.org", "anna@example.com"],
        "Minutes of the meeting",
        size=200000,
    )
    lab.wait_report(half)
    lab.settle(half, "anna@example.com")
    half.recipients[0] = fate("bob@example.org", "bounced")
    small = lab.submit("m5", "alex@example.com", ["bob@example.org"], "Room change")
    lab.settle(small, "bob@example.org")
    lab.wait_empty()
