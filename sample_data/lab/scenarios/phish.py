"""Forged header fields below the real ones: whom can one believe?"""

import hostile
import messages
from truth import fate
from world import HONEST, NAMELESS, PHONE

README = """
In Bella's Junk folder lies a mail from her bank, it seems. It came from 192.0.2.67, a rented server without a reverse name; SPF does not cover it, there is no signature, and
DMARC of bank.test fails. Below the real header fields the sender wrote Received and Authentication-Results fields that claim the contrary,
one of them in the name of mx.example.org itself, with a queue id that mx never gave (host mail removes such fields, mx is set to keep them). Anna gets another one with strings meant for her analyst's screen.
An honest mail from example.edu with a passing SPF stands beside it, and a colleague's name misused from outside.
"""

# On mx Rspamd leaves the sender's Authentication-Results where they are; on mail it removes them, as it does by default.
OPTIONS = {"mx": {"rspamd": {"keep_foreign_results": True}}}
FORGED = """\
Received: from mail.bank.test (mail.bank.test [192.0.2.200])
	(using TLSv1.3 with cipher TLS_AES_256_GCM_SHA384 (256/256 bits))
	by mx.example.org (Postfix) with ESMTPS id 4jXQ7z0BcDz5R
	for <bella@example.org>; Mon, 23 Nov 2026 08:15:02 +0100 (CET)
Authentication-Results: mx.example.org;
	dkim=pass header.d=bank.test header.s=s1 header.b=Q2hlY2sh;
	spf=pass (mx.example.org: domain of security@bank.test designates 192.0.2.200 as permitted sender) smtp.mailfrom=security@bank.test;
	dmarc=pass (policy=quarantine) header.from=bank.test
Received: from core.bank.test (core.bank.test [10.20.30.40])
	by mail.bank.test with ESMTP id 7D2A91
	for <bella@example.org>; Mon, 23 Nov 2026 08:15:00 +0100
"""


def run(lab):
    mid = messages.message_id("phish", "m1", "bank.test")
    message = messages.build(
        "security@bank.test",
        ["bella@example.org"],
        "Your account will be closed",
        mid,
        extra=FORGED,
        body="Dear customer,\n\nplease confirm your password at http://bank-login.test/ within 24 hours.\n\nYour bank\n",
    )
    first = lab.receive(
        "m1",
        NAMELESS,
        "mail.bank.test",
        "bounce@hosting.test",
        ["bella@example.org"],
        "Your account will be closed",
        message=message,
        mid=mid,
    )
    assert first.reply.startswith("250"), first.reply
    lab.settle(first, "bella@example.org")

    subject = f"{hostile.SCRIPT} {hostile.FORMULA}"
    mid = messages.message_id("phish", "m2", "bank.test")
    forged = f"X-Mailer: {hostile.SCRIPT}\nReceived: from {hostile.SCRIPT} ({hostile.FORMULA} [192.0.2.200]) by {hostile.ESCAPE} with SMTP; never\n"
    message = messages.build("security@bank.test", ["anna@example.com"], subject, mid, extra=forged)
    second = lab.receive(
        "m2",
        NAMELESS,
        "vps67.hosting.test",
        "bounce@hosting.test",
        ["anna@example.com"],
        subject,
        message=message,
        mid=mid,
    )
    assert second.reply.startswith("250"), second.reply
    lab.settle(second, "anna@example.com")

    honest = lab.receive(
        "m3", HONEST, "out.example.edu", "emma@example.edu", ["bella@example.org"], "Training dates", tls=True
    )
    lab.settle(honest, "bella@example.org")

    # From: a colleague, sent from outside without SPF or DKIM of example.com
    mid = messages.message_id("phish", "m4", "example.com")
    message = messages.build("alex@example.com", ["bob@example.org"], "Urgent payment", mid)
    boss = lab.receive(
        "m4",
        NAMELESS,
        "phone.example.net",
        "alex@example.com",
        ["bob@example.org"],
        "Urgent payment",
        message=message,
        mid=mid,
    )
    if boss.reply.startswith("250"):
        lab.settle(boss, "bob@example.org")
    else:
        boss.recipients = [fate("bob@example.org", "rejected")]
    real = lab.submit("m5", "alex@example.com", ["bob@example.org"], "Not urgent", source=PHONE)
    lab.settle(real, "bob@example.org")
    lab.wait_empty()
