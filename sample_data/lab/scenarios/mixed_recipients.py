"""One mail, six recipients, six fates."""

from machine import wait_for
from truth import fate

README = """
Alex writes one mail to six people. Anna has it, Bob has it on mx, "nobody" does not exist at example.org, Nina's provider took it, Erik's refused him by name,
and the orders department's server at slow.example.net says "later" each time, so that copy is still in the queue when the log ends (postqueue-j.json).
Alex has two notifications' worth of trouble in one or two reports. The hosts speak IPv6 with each other here, and Emma's server (2001:db8:c::40) with both. Bella sends a second mail to four people, of whom one name is wrong at submission already.
Rspamd on mx logs through syslog here: its lines stand in mx/mail.log.
"""
_six = {"smtp_address_preference": "ipv6"}
OPTIONS = {"mail": {"postfix": _six}, "mx": {"postfix": _six, "rspamd": {"to_syslog": True}}}


def run(lab):
    lab.sink.refuse.update(
        {
            "erik@example.net": "550 5.1.1 no such user erik",
            "orders@slow.example.net": "451 4.3.2 System not accepting network messages",
        }
    )
    people = [
        "anna@example.com",
        "bob@example.org",
        "nobody@example.org",
        "nina@example.net",
        "erik@example.net",
        "orders@slow.example.net",
    ]
    mail = lab.submit("m1", "alex@example.com", people, "Minutes of the meeting")
    lab.wait_report(mail)
    lab.settle(mail, "anna@example.com")
    lab.settle(mail, "bob@example.org")
    lab.sink.wait(mail.message_id)
    outcomes = {
        "nobody@example.org": "bounced",
        "nina@example.net": "handed_to_remote",
        "erik@example.net": "bounced",
        "orders@slow.example.net": "deferred",
    }
    mail.recipients = [
        fate(entry["recipient"], outcomes[entry["recipient"]]) if entry["recipient"] in outcomes else entry
        for entry in mail.recipients
    ]

    second = lab.submit(
        "m2",
        "bella@example.org",
        ["ben@example.org", "benny@example.org", "amy@example.com", "anna@example.com"],
        "Lunch on Friday?",
    )
    for recipient in ("ben@example.org", "amy@example.com", "anna@example.com"):
        lab.settle(second, recipient)
    second.recipients[1] = fate("benny@example.org", "rejected")
    wait_for(
        "the one deferred copy",
        lambda: (
            [[r["address"] for r in entry["recipients"]] for entry in lab.mail.queue()]
            == [["orders@slow.example.net"]]
        ),
    )
    for label, recipient in (("m3", "bob@example.org"), ("m4", "anna@example.com")):
        six = lab.receive(
            label,
            "2001:db8:c::40",
            "out.example.edu",
            "emma@example.edu",
            [recipient],
            "Training dates",
            tls=True,
        )
        lab.settle(six, recipient)
