"""Two aliases that point at each other."""

from dataclasses import replace

from truth import fate
from world import MAIL, MX

README = """
circle@example.com is an alias for circle@example.org, and that one for circle@example.com. Amy's mail goes round until a server finds it has too many
Received fields, and refuses it; then it bounces and Amy is told. Every round has new queue ids on both hosts, all of one mail. Arno redirects
to Berta by Sieve, and Berta back to Arno: when Alex's mail comes to Arno the second time, Dovecot discards the duplicate forward and keeps the mail in his INBOX.
"""
PLANS = [
    replace(MAIL, virtual={**MAIL.virtual, "circle@example.com": "circle@example.org"}),
    replace(MX, virtual={**MX.virtual, "circle@example.org": "circle@example.com"}),
]
OPTIONS = {name: {"postfix": {"hopcount_limit": "9"}} for name in ("mail", "mx")}


def prepare(lab):
    lab.mail.install_sieve("arno", 'redirect "berta@example.org";\n')
    lab.mx.install_sieve("berta", 'redirect "arno@example.com";\n')


def run(lab):
    round_trip = lab.submit("m1", "amy@example.com", ["circle@example.com"], "Invoice 2026-1107")
    lab.wait_report(round_trip)
    round_trip.recipients = [fate("circle@example.com", "bounced", forwarded_by="alias")]
    sieve = lab.submit("m2", "alex@example.com", ["arno@example.com"], "Holiday plan")
    lab.wait_empty()
    where = lab.where(sieve)
    assert len(where) == 1, where
    address, box = where[0]
    sieve.recipients = [
        fate(
            "arno@example.com",
            "delivered",
            None if address == "arno@example.com" else address,
            box,
            forwarded_by="sieve",
        )
    ]
    straight = lab.submit("m3", "alex@example.com", ["bob@example.org"], "Room change")
    lab.settle(straight, "bob@example.org")
    lab.wait_empty()
