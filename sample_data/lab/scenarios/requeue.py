"""`postsuper -r`: the same mail under a new queue id."""

from machine import wait_for

README = """
mx is down, two mails from Alex and Amy wait on host mail. The postmaster has changed something and requeues all with `postsuper -r ALL`: both mails
get new queue ids (pickup with orig_id). They are deferred again, and delivered when mx is back. On mx, Dovecot was down for one more mail,
which was requeued there too. One life of a mail, two or three queue ids on one host: never two mails.
"""


def run(lab):
    lab.mx.stop_postfix()
    first = lab.submit("m1", "alex@example.com", ["bob@example.org"], "Draft of the report")
    second = lab.submit("m2", "amy@example.com", ["bella@example.org", "ben@example.org"], "Room change")
    wait_for(
        "two deferred mails", lambda: [entry["queue_name"] for entry in lab.mail.queue()] == ["deferred"] * 2
    )
    lab.mail.machine.run("postsuper", "-r", "ALL")
    wait_for(
        "two deferred mails again",
        lambda: [entry["queue_name"] for entry in lab.mail.queue()] == ["deferred"] * 2,
        90,
    )
    lab.mx.stop_dovecot()
    lab.mx.start_postfix()
    wait_for(
        "mail on mx",
        lambda: (
            lab.mail.queue_is_empty()
            and [entry["queue_name"] for entry in lab.mx.queue()] == ["deferred"] * 2
        ),
        120,
    )
    moved = next(entry["queue_id"] for entry in lab.mx.queue() if len(entry["recipients"]) == 1)
    lab.mx.machine.run("postsuper", "-r", moved)
    lab.mx.start_dovecot()
    lab.mx.machine.run("postqueue", "-f")
    lab.settle(first, "bob@example.org")
    for recipient in ("bella@example.org", "ben@example.org"):
        lab.settle(second, recipient)
    lab.wait_empty()
