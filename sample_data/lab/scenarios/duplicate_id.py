"""The same Message-ID more than once: a double click, a copy to another person, an outsider who imitates an id."""

import messages
from truth import fate
from world import HONEST, SPAMMER

README = """
Alex clicks twice: the same mail with the same Message-ID goes to Bob two times, and Bob has two copies. Amy sends one mail to Bella, then, with the same id,
to an address that does not exist: one copy delivered, one bounced. A stranger uses the id of Anna's mail to Ben for a mail of his own, which Ben's Sieve
script discards: Anna's mail is in the mailbox all the same. Each is a mail of its own with a fate of its own.
"""


def prepare(lab):
    lab.mx.install_sieve("ben", 'if header :contains "subject" "prize" {\n    discard;\n}\n')


def run(lab):
    first = lab.submit("m1", "alex@example.com", ["bob@example.org"], "Draft of the report")
    again = lab.submit(
        "m1-again", "alex@example.com", ["bob@example.org"], "Draft of the report", mid=first.message_id
    )
    lab.wait_empty()
    for mail in (first, again):
        mail.recipients = [fate("bob@example.org", "delivered")]

    good = lab.submit("m2", "amy@example.com", ["bella@example.org"], "Delivery note 88123")
    lab.settle(good, "bella@example.org")
    wrong = lab.submit(
        "m2-again", "amy@example.com", ["belinda@example.org"], "Delivery note 88123", mid=good.message_id
    )
    lab.wait_report(wrong)
    good.check = wrong.check = (
        False  # one id, one sender: only the driver knows which of the two the report is about
    )
    assert lab.where(good) == [("bella@example.org", "INBOX")], lab.where(good)
    wrong.recipients = [fate("belinda@example.org", "bounced")]

    real = lab.submit("m3", "anna@example.com", ["ben@example.org"], "Training dates")
    lab.settle(real, "ben@example.org")
    message = messages.build(
        "win@hosting.test", ["ben@example.org"], "Your prize", real.message_id, stamp=lab.now()
    )
    false = lab.receive(
        "m3-imitated",
        SPAMMER,
        "vps66.hosting.test",
        "win@hosting.test",
        ["ben@example.org"],
        "Your prize",
        message=message,
        mid=real.message_id,
    )
    assert false.reply.startswith("250"), false.reply
    lab.wait_empty()
    false.recipients = [fate("ben@example.org", "discarded_by_sieve")]

    other = lab.receive(
        "m4", HONEST, "out.example.edu", "emma@example.edu", ["anna@example.com"], "Photos from the trip"
    )
    more = lab.receive(
        "m4-again",
        HONEST,
        "out.example.edu",
        "emma@example.edu",
        ["amy@example.com"],
        "Photos from the trip",
        mid=other.message_id,
    )
    lab.wait_empty()
    other.recipients = [fate("anna@example.com", "delivered")]
    more.recipients = [fate("amy@example.com", "delivered")]
