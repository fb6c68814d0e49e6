"""Receiver down, then its mailbox server: deferred several times on two hosts, delivered later."""

import time

from machine import wait_for
from truth import fate

README = """
The mail server of example.org is down when Alex writes to Ben and Amy to Bella and Anna. Host mail defers what it cannot hand over and tries again.
After a minute Postfix on mx is up, but its Dovecot is down: the mails move over and wait in the queue of mx, with new queue ids.
Another minute, Dovecot is back, and both are delivered. The delay lies on two hosts and has two reasons; every try is in the logs.
Anna's copy of Amy's mail and a mail from Anton to Anna, sent at the same time, arrive at once: the contrast.
"""


def run(lab):
    lab.mx.stop_postfix()
    first = lab.submit("m1", "alex@example.com", ["ben@example.org"], "Server maintenance on Saturday")
    second = lab.submit("m2", "amy@example.com", ["bella@example.org", "anna@example.com"], "Room change")
    quick = lab.submit("m3", "anton@example.com", ["anna@example.com"], "Holiday plan")
    lab.wait_mailbox("anna@example.com", quick)
    wait_for(
        "deferred mail",
        lambda: (
            len(lab.mail.queue()) == 2
            and all(entry["queue_name"] == "deferred" for entry in lab.mail.queue())
        ),
    )
    time.sleep(50)
    # Dovecot down, Postfix up: the mail reaches mx and waits there
    lab.mx.stop_dovecot()
    lab.mx.start_postfix()
    wait_for(
        "the mail to reach mx", lambda: lab.mail.queue_is_empty() and len(lab.mx.queue()) == 2, seconds=120
    )
    time.sleep(25)
    lab.mx.start_dovecot()
    lab.wait_mailbox("ben@example.org", first, seconds=120)
    lab.wait_mailbox("bella@example.org", second, seconds=120)
    lab.wait_empty()
    first.recipients = [fate("ben@example.org", "delivered")]
    second.recipients = [fate("bella@example.org", "delivered"), fate("anna@example.com", "delivered")]
    quick.recipients = [fate("anna@example.com", "delivered")]
