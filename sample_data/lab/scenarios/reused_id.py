"""One queue id, many mails: short ids come back."""

import time

from machine import wait_for
from truth import fate
from world import HONEST

README = """
Through a day, host mail gives the same short queue id to one mail after the other, as happens when a file system gives inode numbers again
(here forced: lab/labclock.c holds the microseconds of Postfix's cleanup still). A delivered mail, one that bounced, one refused at the end of DATA,
one that was deferred for an hour and then delivered, one deleted from the queue, and the last one, still in the queue, share an id or two.
Each is a life of its own: what is said of one must not be told of another.
"""
BEGIN = 1779688800  # 25 May 2026, 8 o'clock in Berlin
GTUBE = "XJS*C4JDBQADN1.NSBN3*2IDNEN*GTUBE-STANDARD-ANTI-UBE-TEST-EMAIL*C.34X\n"


def prepare(lab):
    lab.shift = BEGIN - time.time()
    lab.start_clock_of(lab.mail, lab.shift, microseconds=0x3A2B7)
    lab.start_clock_of(lab.mx, lab.shift)
    lab.small_spool(lab.mail)


def run(lab):
    mail = lab.mail

    def later(minutes):
        """Jump ahead when all is quiet, so that nothing looks like a time-out."""
        time.sleep(1)
        lab.set_clock(lab.now() + minutes * 60)

    first = lab.submit("m1", "alex@example.com", ["bob@example.org"], "Draft of the report")
    lab.settle(first, "bob@example.org")
    lab.wait_empty()
    later(35)
    second = lab.submit("m2", "amy@example.com", ["nobody@example.org"], "Invoice 2026-1107")
    lab.wait_report(second)
    second.recipients = [fate("nobody@example.org", "bounced")]
    lab.wait_empty()
    later(20)
    refused = lab.receive(
        "m3", HONEST, "out.example.edu", "emma@example.edu", ["anna@example.com"], "You have won", body=GTUBE
    )
    assert refused.reply.startswith("554"), refused.reply
    refused.recipients = [fate("anna@example.com", "rejected")]
    later(5)
    inside = lab.receive(
        "m4",
        HONEST,
        "out.example.edu",
        "carla@example.edu",
        ["anna@example.com", "alex@example.com"],
        "Training dates",
    )
    lab.settle(inside, "anna@example.com")
    lab.settle(inside, "alex@example.com")
    lab.wait_empty()
    later(90)
    lab.mx.stop_postfix()
    slow = lab.submit("m5", "anna@example.com", ["bella@example.org"], "Room change")
    wait_for("a deferred mail", lambda: [entry["queue_name"] for entry in mail.queue()] == ["deferred"])
    later(60)
    lab.mx.start_postfix()
    mail.machine.run("postqueue", "-f")
    lab.settle(slow, "bella@example.org")
    lab.wait_empty()
    later(45)
    lab.mx.stop_postfix()
    deleted = lab.submit("m6", "alex@example.com", ["ben@example.org"], "Holiday plan")
    wait_for("a deferred mail", lambda: [entry["queue_name"] for entry in mail.queue()] == ["deferred"])
    mail.machine.run("postsuper", "-d", deleted.queue_id)
    deleted.recipients = [fate("ben@example.org", "deleted_from_queue")]
    later(1)
    again = lab.submit("m7", "alex@example.com", ["anna@example.com"], "Holiday plan")
    lab.settle(again, "anna@example.com")
    lab.wait_empty()
    later(1)
    last = lab.submit("m8", "amy@example.com", ["bob@example.org"], "Lunch on Friday?")
    wait_for("a deferred mail", lambda: [entry["queue_name"] for entry in mail.queue()] == ["deferred"])
    last.recipients = [fate("bob@example.org", "deferred")]
    accepted = [first, second, inside, slow, deleted, again, last]
    ids = [entry.queue_id for entry in accepted]
    assert len(ids) - len(set(ids)) >= 4, f"too few ids came back: {ids}"
