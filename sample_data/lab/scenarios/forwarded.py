"""Sent here, read there: aliases and Sieve redirects to the other domain."""

from truth import fate
from world import HONEST

README = """
partner@example.com is a virtual alias for bob@example.org, press@example.com a local alias for bella@example.org ("forwarded as"), sales@example.com stays in the house.
Anton forwards his mail with a Sieve redirect to ben@example.org, so a copy with a new queue id and the old Message-ID leaves through pickup.
Arno does the same, but the address he forwards to is gone: his mail bounces, and Alex, who never wrote to that address, gets the notification.
Emma's forwarded mail fails SPF at mx, as forwarded mail does; it arrives all the same.
"""


def prepare(lab):
    lab.mail.install_sieve("anton", 'redirect "ben@example.org";\n')
    lab.mail.install_sieve("arno", 'redirect "left-company@example.org";\n')


def run(lab):
    virtual = lab.receive(
        "m1", HONEST, "out.example.edu", "emma@example.edu", ["partner@example.com"], "Training dates"
    )
    lab.settle(virtual, "partner@example.com", "bob@example.org", forwarded_by="alias")

    local = lab.submit("m2", "amy@example.com", ["press@example.com"], "Press release for December")
    lab.settle(local, "press@example.com", "bella@example.org", forwarded_by="alias")

    sieve = lab.submit("m3", "alex@example.com", ["anton@example.com"], "Budget next year")
    lab.settle(sieve, "anton@example.com", "ben@example.org", forwarded_by="sieve")

    inside = lab.submit("m4", "bob@example.org", ["sales@example.com"], "Offer for the new office")
    lab.settle(inside, "sales@example.com", "anna@example.com")

    gone = lab.submit("m5", "alex@example.com", ["arno@example.com"], "Holiday plan")
    lab.wait_report(gone)
    gone.recipients = [fate("arno@example.com", "bounced", "left-company@example.org", forwarded_by="sieve")]
    lab.wait_empty()
