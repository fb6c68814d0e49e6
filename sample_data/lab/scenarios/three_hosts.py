"""Out through a relay of its own, whose clock is wrong."""

from dataclasses import replace

from truth import fate
from world import MAIL, MX, HostPlan

README = """
Host mail sends everything for the outside through a third host of the house, gw (gw.example.com, 198.51.100.20): three hosts, three queue ids, one mail.
The clock of gw is 37 seconds fast, so by the stamps mail arrives at gw after it left it; the order of the steps, not of the stamps, tells the story.
mx is down for a while in the middle: two mails wait on gw, not on mail. gw writes RFC 3164 stamps and short queue ids. One mail bounces at mx; gw makes the report.
"""
GW = HostPlan(
    name="gw",
    fqdn="gw.example.com",
    domain="gw.example.com",
    addresses=("198.51.100.20",),
    people=("postmaster",),
    traditional_stamps=True,
)
PLANS = [replace(MAIL), replace(GW), replace(MX)]
OPTIONS = {
    "mail": {"postfix": {"relayhost": "[gw.example.com]"}},
    "gw": {
        "postfix": {
            "mynetworks": "127.0.0.0/8 [::1]/128 198.51.100.10 [2001:db8:a::10]",
            "virtual_mailbox_domains": "",
            "mydestination": "localhost",
            "smtpd_milters": "",
            "non_smtpd_milters": "",
        }
    },
}
FAST_SECONDS = 37


def prepare(lab):
    lab.start_clock_of(lab.hosts["gw"], FAST_SECONDS)


def run(lab):
    first = lab.submit("m1", "alex@example.com", ["bob@example.org"], "Draft of the report")
    lab.settle(first, "bob@example.org")
    answer = lab.submit("m2", "bob@example.org", ["alex@example.com"], "Re: Draft of the report")
    lab.settle(answer, "alex@example.com")
    lab.mx.stop_postfix()
    waiting = lab.submit("m3", "amy@example.com", ["bella@example.org", "ben@example.org"], "Room change")
    also = lab.submit(
        "m4", "anna@example.com", ["bob@example.org", "nina@example.net"], "Photos from the trip"
    )
    lab.sink.wait(also.message_id)
    lab.mx.start_postfix()
    for recipient in ("bella@example.org", "ben@example.org"):
        lab.settle(waiting, recipient)
    lab.settle(also, "bob@example.org")
    also.recipients[1] = fate("nina@example.net", "handed_to_remote")
    wrong = lab.submit("m5", "alex@example.com", ["nobody@example.org"], "Invoice 2026-1107")
    lab.wait_report(wrong)
    wrong.recipients = [fate("nobody@example.org", "bounced")]
    lab.wait_empty()
