"""One host's log is not there."""

from truth import fate
from world import HONEST

README = """
Only the logs of host mail were saved; those of mx are missing. What Alex and Amy sent to example.org left host mail with status=sent and the queue id that mx gave:
more the evidence does not say (`acceptable` in expected.json), although Bob has his mail and Ben's script discarded his. Bob's mail to a wrong name at example.com is seen as a refusal only.
What came from mx to host mail begins there with a client mx.example.org. Mail within example.com is complete.
"""


def prepare(lab):
    lab.mx.install_sieve("ben", "discard;\n")


def run(lab):
    seen = ["handed_to_remote", "not_seen"]
    first = lab.submit("m1", "alex@example.com", ["bob@example.org"], "Draft of the report")
    lab.settle(first, "bob@example.org", acceptable=["delivered", *seen])
    second = lab.submit("m2", "amy@example.com", ["ben@example.org", "anna@example.com"], "Room change")
    lab.settle(second, "anna@example.com")
    lab.wait_empty()
    second.recipients[0] = fate("ben@example.org", "discarded_by_sieve", acceptable=seen)
    answer = lab.submit("m3", "bob@example.org", ["alex@example.com"], "Re: Draft of the report")
    lab.settle(answer, "alex@example.com")
    inside = lab.submit("m4", "alex@example.com", ["anna@example.com"], "Lunch on Friday?")
    lab.settle(inside, "anna@example.com")
    unseen = lab.receive(
        "m5", HONEST, "out.example.edu", "emma@example.edu", ["bella@example.org"], "Training dates"
    )
    lab.settle(unseen, "bella@example.org", acceptable=["not_seen"], visible=False)
    wrong = lab.submit("m6", "bob@example.org", ["alexa@example.com"], "Minutes of the meeting")
    lab.wait_report(wrong)
    wrong.recipients = [fate("alexa@example.com", "bounced", acceptable=["rejected", "bounced"])]
    lab.wait_empty()
    lab.cuts = {"mx/mail.log": None, "mx/rspamd.log": None}
