"""Submitted, relayed, delivered, read: what every mail should live through."""

import contextlib

import clients
from truth import fate
from world import HONEST, OFFICE_A2, OFFICE_B, PHONE

README = """
An ordinary morning. Alex (example.com) writes to Bob (example.org) and Bob answers; Amy writes to Anna in her own house;
Emma from a foreign server (example.edu) writes to Paul; Bella writes to Alex and Amy at once; Anna sends one to a provider that is not ours.
Bob and Alex read by IMAP, Paul fetches his mail by POP3 and leaves it on the server, Anna's phone tries a wrong password once.
Every mail arrives. Host mail writes RFC 3339 stamps and short queue ids, host mx RFC 3164 stamps and long ones.
"""


def run(lab):
    first = lab.submit("m1", "alex@example.com", ["bob@example.org"], "Draft of the report")
    lab.wait_mailbox("bob@example.org", first)
    first.recipients = [fate("bob@example.org", "delivered", seen_by_imap=True)]
    clients.read_all(lab.mx.address, OFFICE_B, "bob@example.org")

    answer = lab.submit(
        "m2",
        "bob@example.org",
        ["alex@example.com"],
        "Re: Draft of the report",
        extra=f"In-Reply-To: {first.message_id}\nReferences: {first.message_id}\n",
    )
    lab.wait_mailbox("alex@example.com", answer)
    answer.recipients = [fate("alex@example.com", "delivered", seen_by_imap=True)]

    inside = lab.submit("m3", "amy@example.com", ["anna@example.com"], "Lunch on Friday?", source=OFFICE_A2)
    inside.recipients = [fate("anna@example.com", "delivered")]

    foreign = lab.receive(
        "m4",
        HONEST,
        "out.example.edu",
        "emma@example.edu",
        ["paul@example.com"],
        "Travel expenses November",
        tls=True,
    )
    foreign.recipients = [fate("paul@example.com", "delivered", retrieved_by_pop=True)]

    both = lab.submit(
        "m5", "bella@example.org", ["alex@example.com", "amy@example.com"], "Größe der Räume", source=PHONE
    )
    both.recipients = [
        fate("alex@example.com", "delivered", seen_by_imap=True),
        fate("amy@example.com", "delivered"),
    ]

    away = lab.submit("m6", "anna@example.com", ["nina@example.net"], "Your order 5521")
    lab.sink.wait(away.message_id)
    away.recipients = [fate("nina@example.net", "handed_to_remote")]

    for mail, address in (
        (inside, "anna@example.com"),
        (foreign, "paul@example.com"),
        (both, "alex@example.com"),
        (both, "amy@example.com"),
    ):
        lab.wait_mailbox(address, mail)
    lab.wait_empty()
    clients.read_all(lab.mail.address, OFFICE_A2, "alex@example.com")
    clients.fetch_by_pop(lab.mail.address, PHONE, "paul@example.com", delete=False)
    with contextlib.suppress(clients.imaplib.IMAP4.error):
        clients.Imap(lab.mail.address, PHONE, "anna@example.com", "wrong")
