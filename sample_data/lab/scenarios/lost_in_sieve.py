"""`status=sent`, and yet not in the mailbox: the recipient's own Sieve script threw it away."""

import clients
from truth import fate
from world import OFFICE_B

README = """
Alex (example.com) sends "Offer 4711" to Bob (example.org) and asks on the phone where it is: Bob never saw it.
Both servers say status=sent. Bob's Sieve script discards mail with "offer" in the subject since a wave of advertising.
A second mail from Alex, "Meeting on Thursday", arrives; the same day a third offer, from Emma, is lost in the same way.
Bob reads his mailbox by IMAP afterwards and finds only the one.
"""
SCRIPT = """\
# no more advertising
if header :contains "subject" ["offer", "discount"] {
    discard;
    stop;
}
"""


def prepare(lab):
    lab.mx.install_sieve("bob", SCRIPT)


def run(lab):
    lost = lab.submit(
        "offer",
        "alex@example.com",
        ["bob@example.org"],
        "Offer 4711",
        body="Dear Bob,\n\nhere is our offer 4711 as agreed: 12 desks, delivery in three weeks.\n\nKind regards\nAlex Ackermann\n",
    )
    lab.wait_empty()
    kept = lab.submit("meeting", "alex@example.com", ["bob@example.org"], "Meeting on Thursday")
    lab.wait_mailbox("bob@example.org", kept)
    also = lab.receive(
        "other-offer",
        "192.0.2.40",
        "out.example.edu",
        "emma@example.edu",
        ["bob@example.org"],
        "Special offer for schools",
    )
    lab.wait_empty()
    lost.recipients = [fate("bob@example.org", "discarded_by_sieve")]
    kept.recipients = [fate("bob@example.org", "delivered", seen_by_imap=True)]
    also.recipients = [fate("bob@example.org", "discarded_by_sieve")]
    clients.read_all(lab.mx.address, OFFICE_B, "bob@example.org")
