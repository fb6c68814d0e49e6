"""Never delivered, never refused: after the queue lifetime the server gives up."""

from machine import wait_for
from truth import fate

README = """
Host mail keeps undeliverable mail for 45 seconds only (so that the lab need not wait five days). kurt@old.shop.test is at a host that answers nothing but "connection refused",
orders@slow.example.net at one that says 451 each time: Alex's and Amy's mails are tried several times and then returned (status=expired).
Anna's mail to the same place is younger: it is still deferred when the log ends. Alex's mail to two people reached one of them at once.
After ten seconds Alex also had a "delayed" warning about each of his (delay_warning_time).
"""
OPTIONS = {
    "mail": {
        "postfix": {
            "maximal_queue_lifetime": "45s",
            "bounce_queue_lifetime": "45s",
            "delay_warning_time": "10s",
            "minimal_backoff_time": "8s",
            "maximal_backoff_time": "15s",
        }
    }
}


def run(lab):
    lab.sink.refuse["orders@slow.example.net"] = "451 4.3.2 System not accepting network messages"
    first = lab.submit("m1", "alex@example.com", ["kurt@old.shop.test"], "Delivery note 88123")
    second = lab.submit("m2", "amy@example.com", ["orders@slow.example.net"], "Your order 5521")
    half = lab.submit("m3", "alex@example.com", ["bob@example.org", "kurt@old.shop.test"], "Room change")
    lab.settle(half, "bob@example.org")
    wait_for("empty queues", lab.mail.queue_is_empty, 150)
    for mail in (first, second, half):
        lab.wait_report(mail)
    first.recipients = [fate("kurt@old.shop.test", "expired", delay_warning=True)]
    second.recipients = [fate("orders@slow.example.net", "expired", delay_warning=True)]
    half.recipients[1] = fate("kurt@old.shop.test", "expired", delay_warning=True)
    third = lab.submit("m4", "anna@example.com", ["kurt@old.shop.test"], "Question about the contract")
    wait_for("a deferred mail", lambda: [entry["queue_name"] for entry in lab.mail.queue()] == ["deferred"])
    third.recipients = [fate("kurt@old.shop.test", "deferred")]
