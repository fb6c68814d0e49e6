"""Held by a rule and by hand; released, deleted, forgotten."""

from machine import wait_for
from truth import fate

README = """
A header check on host mail holds mail with "Confidential" in the subject. Of four such mails the postmaster releases Alex's (`postsuper -H`, delivered),
deletes Amy's (`postsuper -d`), and two are still on hold when the log ends (postqueue-j.json). Anna's mail to Bob was deferred and then
put on hold by hand (`postsuper -h`). Another rule discards mail with "Lottery" in the subject: Emma was told 250, and it is gone.
"""


def prepare(lab):
    lab.mail.machine.write(
        "/etc/postfix/header_checks",
        "/^Subject:.*Confidential/ HOLD confidential\n/^Subject:.*Lottery/ DISCARD no lotteries\n"
        "/^Subject:.*Forbidden/ REJECT not from here\n",
    )


OPTIONS = {"mail": {"postfix": {"header_checks": "regexp:/etc/postfix/header_checks"}}}


def run(lab):
    released = lab.submit("m1", "alex@example.com", ["bob@example.org"], "Confidential: plans")
    deleted = lab.submit("m2", "amy@example.com", ["bella@example.org"], "Confidential: salaries")
    kept = lab.submit("m3", "anna@example.com", ["amy@example.com"], "Confidential: surprise party")
    also = lab.receive(
        "m4",
        "192.0.2.40",
        "out.example.edu",
        "emma@example.edu",
        ["anna@example.com"],
        "Confidential: results",
    )
    wait_for("four held mails", lambda: [entry["queue_name"] for entry in lab.mail.queue()] == ["hold"] * 4)
    lab.mail.machine.run("postsuper", "-d", deleted.queue_id)
    deleted.recipients = [fate("bella@example.org", "deleted_from_queue")]
    lab.mail.machine.run("postsuper", "-H", released.queue_id)
    lab.settle(released, "bob@example.org")
    kept.recipients = [fate("amy@example.com", "held")]
    also.recipients = [fate("anna@example.com", "held")]

    lottery = lab.receive(
        "m5", "192.0.2.40", "out.example.edu", "emma@example.edu", ["alex@example.com"], "Lottery numbers"
    )
    assert lottery.reply.startswith("250"), lottery.reply
    lottery.recipients = [fate("alex@example.com", "discarded_by_rule")]
    forbidden = lab.receive(
        "m6", "192.0.2.40", "out.example.edu", "emma@example.edu", ["alex@example.com"], "Forbidden fruit"
    )
    assert forbidden.reply.startswith("550"), forbidden.reply
    forbidden.recipients = [fate("alex@example.com", "rejected")]

    lab.mx.stop_postfix()
    manual = lab.submit("m7", "anna@example.com", ["bob@example.org"], "Delivery note 88123")
    wait_for("a deferred mail", lambda: any(entry["queue_name"] == "deferred" for entry in lab.mail.queue()))
    lab.mail.machine.run("postsuper", "-h", manual.queue_id)
    lab.mx.start_postfix()
    manual.recipients = [fate("bob@example.org", "held")]
    clean = lab.submit("m8", "alex@example.com", ["bob@example.org"], "Lunch on Friday?")
    lab.settle(clean, "bob@example.org")
