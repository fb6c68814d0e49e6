"""Addresses that change on the way: lists, nested aliases, +detail, capitals."""

from dataclasses import replace

from truth import fate
from world import HONEST, MAIL, MX

README = """
team@example.com is an alias for Anna, Amy and office@example.com, which is an alias for Agnes and Bob at example.org: one mail to it becomes four copies.
old@example.com leads to nobody any more (its target at example.org is gone) and bounces to the sender. Mail to alex+offers@example.com lands with Alex,
mail to ANNA@Example.COM with Anna. expected.json lists one entry for each copy, with the address that the sender wrote and the final one.
"""
PLANS = [
    replace(
        MAIL,
        virtual={
            **MAIL.virtual,
            "team@example.com": "anna@example.com, amy@example.com, office@example.com",
            "office@example.com": "agnes@example.com, bob@example.org",
            "old@example.com": "gone@example.org",
        },
    ),
    MX,
]


def run(lab):
    mail = lab.submit("m1", "alex@example.com", ["team@example.com"], "Budget next year")
    mail.recipients = []
    for final in ("anna@example.com", "amy@example.com", "agnes@example.com", "bob@example.org"):
        lab.wait_mailbox(final, mail)
        more = {"forwarded_by": "alias"} if final.endswith("org") else {}
        mail.recipients.append(fate("team@example.com", "delivered", final, **more))

    # one person is reached by two ways, and Postfix delivers once
    twice = lab.receive(
        "m2",
        HONEST,
        "out.example.edu",
        "emma@example.edu",
        ["team@example.com", "anna@example.com"],
        "Training dates",
    )
    twice.recipients = []
    for final in ("anna@example.com", "amy@example.com", "agnes@example.com", "bob@example.org"):
        lab.wait_mailbox(final, twice)
        more = {"forwarded_by": "alias"} if final.endswith("org") else {}
        twice.recipients.append(
            fate(
                "anna@example.com" if final.startswith("anna") else "team@example.com",
                "delivered",
                final,
                **more,
            )
        )

    gone = lab.submit("m3", "amy@example.com", ["old@example.com"], "Invoice 2026-1107")
    lab.wait_report(gone)
    gone.recipients = [fate("old@example.com", "bounced", "gone@example.org", forwarded_by="alias")]

    detail = lab.submit("m4", "bob@example.org", ["alex+offers@example.com"], "Room change")
    lab.settle(detail, "alex+offers@example.com")
    capitals = lab.receive(
        "m5", HONEST, "out.example.edu", "Emma@Example.EDU", ["ANNA@Example.COM"], "Draft of the report"
    )
    lab.wait_mailbox("anna@example.com", capitals)
    capitals.recipients = [fate("ANNA@Example.COM", "delivered")]
    lab.wait_empty()
