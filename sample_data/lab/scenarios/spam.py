"""What Rspamd does with mail: reject, mark and file into Junk, greylist, let through."""

import time

import hostile
from truth import fate
from world import NAMELESS, NEWS, SPAMMER

README = """
Rspamd rejects a mail with the GTUBE test string at the end of DATA (it had a queue id, but was never ours). Mails with pills, watches and bonuses in the
subject are marked with X-Spam: Yes, and Sieve files them into Junk; three of their subjects carry script, escape and spreadsheet strings.
A shop's newsletter is greylisted: refused with 451 first, accepted when its server tries again with the same Message-ID after eight seconds.
A second newsletter is never tried again, and so never arrives. Two clean mails go to INBOX.
"""
GTUBE = "XJS*C4JDBQADN1.NSBN3*2IDNEN*GTUBE-STANDARD-ANTI-UBE-TEST-EMAIL*C.34X\n"


def run(lab):
    for number, address in enumerate(("anna@example.com", "bella@example.org"), 1):
        gtube = lab.receive(
            f"gtube-{number}",
            SPAMMER,
            "vps66.hosting.test",
            "offers@hosting.test",
            [address],
            "You have won",
            body=GTUBE,
        )
        assert gtube.reply.startswith("554"), gtube.reply
        gtube.recipients = [fate(address, "rejected")]

    for number, (address, subject) in enumerate(
        (
            ("bob@example.org", "Cheap pills for you"),
            ("alex@example.com", "Replica watches, only today"),
            ("bob@example.org", f"{hostile.SCRIPT} cheap pills"),
            ("bob@example.org", f"casino bonus {hostile.ESCAPE}"),
            ("bob@example.org", f"{hostile.FORMULA} replica watches"),
            ("bella@example.org", "Casino bonus 500 %"),
        ),
        1,
    ):
        marked = lab.receive(
            f"junk-{number}", NAMELESS, "vps67.hosting.test", "deals@hosting.test", [address], subject
        )
        assert marked.reply.startswith("250"), marked.reply
        lab.settle(marked, address)
        assert marked.recipients[0]["outcome"] == "filed_by_sieve", marked.recipients

    subject = "Newsletter special offer in November"
    first = lab.receive(
        "newsletter-1", NEWS, "news.shop.test", "news@shop.test", ["amy@example.com"], subject
    )
    assert first.reply.startswith("451"), first.reply
    lost = lab.receive("newsletter-2", NEWS, "news.shop.test", "news@shop.test", ["ben@example.org"], subject)
    assert lost.reply.startswith("451"), lost.reply
    lost.recipients = [fate("ben@example.org", "rejected")]
    time.sleep(8)
    lab.retry(first, NEWS, "news.shop.test")
    assert first.reply.startswith("250"), first.reply
    lab.settle(first, "amy@example.com")

    clean = lab.receive(
        "clean-1",
        "192.0.2.40",
        "out.example.edu",
        "emma@example.edu",
        ["ben@example.org"],
        "Minutes of the meeting",
    )
    lab.settle(clean, "ben@example.org")
    other = lab.submit("clean-2", "ben@example.org", ["amy@example.com"], "Re: Minutes of the meeting")
    lab.settle(other, "amy@example.com")
    lab.wait_empty()
