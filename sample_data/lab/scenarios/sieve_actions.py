"""What a Sieve script can do to a mail: reject, redirect a copy, answer, file, drop what came twice."""

from truth import fate
from world import HONEST

README = """
Six people on mx with six scripts. Ben rejects Alex (an MDN goes back, while every server logged "Saved"); Bella keeps her mail and redirects a copy to Anna;
Bruno is on holiday and answers with a vacation notice, once, though Amy writes twice; Berta files invoices into "Archive"; Bea drops duplicates by Message-ID;
Bob's script marks his mail as seen and keeps it. Vacation notices, the rejection and redirected copies belong to the mail that caused them.
"""
SCRIPTS = {
    "ben": 'require "reject";\nif header :contains "from" "alex" {\n    reject "I do not want mail from you.";\n}\n',
    "bella": 'require "copy";\nredirect :copy "anna@example.com";\n',
    "bruno": 'require "vacation";\nvacation :days 7 :subject "Away" :addresses ["bruno@example.org"] "I am away until Monday.";\n',
    "berta": 'require ["fileinto", "mailbox"];\nif header :contains "subject" "invoice" {\n    fileinto :create "Archive";\n}\n',
    "bea": 'require "duplicate";\nif duplicate {\n    discard;\n}\n',
    "bob": 'require "imap4flags";\nsetflag "\\\\Seen";\nkeep;\n',
}


def prepare(lab):
    for user, script in SCRIPTS.items():
        lab.mx.install_sieve(user, script)


def run(lab):
    refused = lab.submit("reject", "alex@example.com", ["ben@example.org"], "Question about the contract")
    lab.wait_subject(
        "alex@example.com", "Rejected: Question about the contract", "Automatically rejected mail"
    )
    refused.recipients = [fate("ben@example.org", "rejected_by_sieve", notified_by="MDN")]
    other = lab.submit("no-reject", "amy@example.com", ["ben@example.org"], "Lunch on Friday?")
    lab.settle(other, "ben@example.org")

    copied = lab.submit("redirect-copy", "alex@example.com", ["bella@example.org"], "Budget next year")
    lab.settle(copied, "bella@example.org")
    lab.wait_mailbox("anna@example.com", copied)
    copied.recipients.append(
        fate("bella@example.org", "delivered", "anna@example.com", forwarded_by="sieve", copy=True)
    )

    away = lab.submit("vacation-1", "amy@example.com", ["bruno@example.org"], "Room change")
    lab.settle(away, "bruno@example.org", vacation_reply=True)
    lab.wait_subject("amy@example.com", "Away")
    again = lab.submit("vacation-2", "amy@example.com", ["bruno@example.org"], "Re: Room change")
    lab.settle(again, "bruno@example.org", vacation_reply=False)

    filed = lab.submit("fileinto", "anna@example.com", ["berta@example.org"], "Invoice 2026-1107")
    lab.settle(filed, "berta@example.org", boxes=("INBOX", "Archive"))
    assert filed.recipients[0]["mailbox"] == "Archive"
    normal = lab.receive(
        "no-fileinto",
        HONEST,
        "out.example.edu",
        "emma@example.edu",
        ["berta@example.org"],
        "Draft of the report",
    )
    lab.settle(normal, "berta@example.org")

    first = lab.submit("duplicate-1", "agnes@example.com", ["bea@example.org"], "Delivery note 88123")
    lab.settle(first, "bea@example.org")
    second = lab.submit(
        "duplicate-2", "agnes@example.com", ["bea@example.org"], "Delivery note 88123", mid=first.message_id
    )
    lab.wait_empty()
    second.recipients = [fate("bea@example.org", "discarded_by_sieve")]

    seen = lab.submit("flags", "alex@example.com", ["bob@example.org"], "Minutes of the meeting")
    lab.settle(seen, "bob@example.org")
    lab.wait_empty()
