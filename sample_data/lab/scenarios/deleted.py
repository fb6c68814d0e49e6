"""Mail that people took away: from the queue by the postmaster, from the mailbox by its owner."""

import clients
from machine import wait_for
from truth import fate
from world import OFFICE_A2, PHONE

README = """
mx is down. Alex's mail to Bob waits in the queue of host mail; Alex asks the postmaster to stop it, and `postsuper -d` deletes it. Nobody is notified.
Amy's mail to Bella, which waited beside it, is delivered once mx is back. Anna reads a mail from Alex and deletes it by IMAP (expunge).
Paul's mail program fetches a mail from Emma by POP3 and deletes it on the server. The messages folder holds copies made before they went.
"""


def run(lab):
    lab.mx.stop_postfix()
    stopped = lab.submit("m1", "alex@example.com", ["bob@example.org"], "Salary list, do not open")
    waiting = lab.submit("m2", "amy@example.com", ["bella@example.org"], "Delivery note 88123")
    wait_for(
        "both in the deferred queue",
        lambda: [entry["queue_name"] for entry in lab.mail.queue()] == ["deferred"] * 2,
    )
    lab.mail.machine.run("postsuper", "-d", stopped.queue_id)
    stopped.recipients = [fate("bob@example.org", "deleted_from_queue")]

    read = lab.submit("m3", "alex@example.com", ["anna@example.com"], "Lunch on Friday?")
    other = lab.submit("m4", "agnes@example.com", ["anna@example.com"], "Room change")
    lab.wait_mailbox("anna@example.com", read)
    lab.wait_mailbox("anna@example.com", other)
    lab.remember()
    clients.expunge(lab.mail.address, OFFICE_A2, "anna@example.com", read.message_id)
    read.recipients = [fate("anna@example.com", "expunged", deleted_from="INBOX")]
    other.recipients = [fate("anna@example.com", "delivered")]

    fetched = lab.receive(
        "m5", "192.0.2.40", "out.example.edu", "emma@example.edu", ["paul@example.com"], "Your order 5521"
    )
    lab.wait_mailbox("paul@example.com", fetched)
    lab.remember()
    clients.fetch_by_pop(lab.mail.address, PHONE, "paul@example.com", delete=True)
    fetched.recipients = [fate("paul@example.com", "retrieved_and_deleted", deleted_from="INBOX")]

    lab.mx.start_postfix()
    lab.wait_mailbox("bella@example.org", waiting, seconds=90)
    waiting.recipients = [fate("bella@example.org", "delivered")]
    lab.wait_empty()
