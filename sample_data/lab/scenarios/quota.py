"""The mailbox is full, and LMTP says so at the last step."""

from truth import fate
from world import HONEST

README = """
Mailboxes on mx hold 40 kB. Alex sends Bob three mails of 15 kB: two fit, the third is refused by Dovecot at LMTP ("552 5.2.2 ... Quota exceeded"), mx bounces it,
and Alex gets the notification, though host mail had logged status=sent. Emma's mail to Bob and Bella at once arrives at Bella's and bounces for Bob;
the report for Emma goes out to her provider, which does not answer, and waits on mx (postqueue-j.json).
Small mails to Bob still fit.
"""
OPTIONS = {"mx": {"dovecot": {"quota": True}}}


def run(lab):
    for number in (1, 2):
        mail = lab.submit(
            f"m{number}",
            "alex@example.com",
            ["bob@example.org"],
            f"Photos from the trip, part {number}",
            size=15000,
        )
        lab.settle(mail, "bob@example.org")
    third = lab.submit(
        "m3", "alex@example.com", ["bob@example.org"], "Photos from the trip, part 3", size=15000
    )
    lab.wait_report(third)
    third.recipients = [fate("bob@example.org", "bounced")]
    both = lab.receive(
        "m4",
        HONEST,
        "out.example.edu",
        "emma@example.edu",
        ["bob@example.org", "bella@example.org"],
        "Training dates",
        size=15000,
    )
    lab.settle(both, "bella@example.org")
    both.recipients[0] = fate("bob@example.org", "bounced")
    small = lab.submit("m5", "amy@example.com", ["bob@example.org"], "Room change")
    lab.settle(small, "bob@example.org")
