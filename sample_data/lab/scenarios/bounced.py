"""Refused for good by the other side, and the sender is told."""

from truth import fate

README = """
Four mails that cannot be delivered, each for another reason: Alex writes to somebody who does not exist at example.org, Amy to a domain that
is not in the DNS, Anna to a provider that refuses the content after DATA, and Bob to one right and one wrong address at example.com at once.
Each sender gets a delivery status notification from their own server (see messages/); Bob's other recipient has the mail.
"""


def run(lab):
    unknown = lab.submit("m1", "alex@example.com", ["nobody@example.org"], "Invoice 2026-1107")
    lab.wait_report(unknown)
    unknown.recipients = [fate("nobody@example.org", "bounced")]

    nowhere = lab.submit("m2", "amy@example.com", ["hugo@nodomain.test"], "Question about the contract")
    lab.wait_report(nowhere)
    nowhere.recipients = [fate("hugo@nodomain.test", "bounced")]

    lab.sink.refuse_data["erik@example.net"] = (
        "554 5.7.1 Message content rejected, see http://mx.example.net/policy?id=77"
    )
    content = lab.submit("m3", "anna@example.com", ["erik@example.net"], "Photos from the trip")
    lab.wait_report(content)
    content.recipients = [fate("erik@example.net", "bounced")]

    half = lab.submit(
        "m4", "bob@example.org", ["alex@example.com", "alexander@example.com"], "Minutes of the meeting"
    )
    lab.wait_report(half)
    lab.wait_mailbox("alex@example.com", half)
    half.recipients = [fate("alex@example.com", "delivered"), fate("alexander@example.com", "bounced")]
    lab.wait_empty()
