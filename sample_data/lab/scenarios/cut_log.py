"""The logs that were kept begin and end in the middle of mails."""

import time

from machine import wait_for
from truth import fate

README = """
Somebody saved the logs of both hosts from one moment to another. Alex's mail to Bob had been deferred before the log begins, so its client and Message-ID are not in
the log of host mail, only its last try (mx has the Message-ID). Amy's mail to Bella was handed to mx after the log of host mail was cut, but before that of mx was. Anna's mail to Nina was deferred
when both logs end, and delivered later: nobody can know that from these logs. `acceptable` in expected.json names what an honest reader may say where the logs are silent.
One ordinary mail in the middle is complete.
"""


def run(lab):
    mail, mx = lab.mail, lab.mx
    mx.stop_postfix()
    early = lab.submit("m1", "alex@example.com", ["bob@example.org"], "Draft of the report")
    wait_for("a deferred mail", lambda: [entry["queue_name"] for entry in mail.queue()] == ["deferred"])
    begin = {
        "mail/mail.log": lab.log_size(mail),
        "mail/rspamd.log": lab.log_size(mail, "rspamd.log"),
        "mx/mail.log": lab.log_size(mx),
    }
    mx.start_postfix()
    lab.settle(early, "bob@example.org")
    lab.wait_empty()
    middle = lab.submit("m2", "anna@example.com", ["ben@example.org"], "Room change")
    lab.settle(middle, "ben@example.org")
    lab.wait_empty()

    lab.sink.refuse["nina@example.net"] = "451 4.3.2 try again later"
    later = lab.submit("m3", "anna@example.com", ["nina@example.net"], "Photos from the trip")
    mx.stop_postfix()
    across = lab.submit("m4", "amy@example.com", ["bella@example.org"], "Delivery note 88123")
    wait_for(
        "two deferred mails", lambda: [entry["queue_name"] for entry in mail.queue()] == ["deferred"] * 2
    )
    end_mail = lab.log_size(mail)
    mx.start_postfix()
    lab.settle(across, "bella@example.org", acceptable=["delivered"])
    end_mx = lab.log_size(mx)
    lab.sink.refuse.clear()
    lab.sink.wait(later.message_id, 90)
    later.recipients = [fate("nina@example.net", "handed_to_remote", acceptable=["deferred", "not_seen"])]
    time.sleep(1)
    lab.wait_empty()
    after = lab.submit("m5", "alex@example.com", ["amy@example.com"], "Lunch on Friday?")
    lab.settle(after, "amy@example.com", acceptable=["not_seen"], visible=False)
    lab.cuts = {
        "mail/mail.log": (begin["mail/mail.log"], end_mail),
        "mail/rspamd.log": (begin["mail/rspamd.log"], None),
        "mx/mail.log": (begin["mx/mail.log"], end_mx),
    }
