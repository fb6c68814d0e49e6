"""Mail goes out of the queue into a filter and comes back on another port: one mail, two queue ids on one host."""

from filter import DROP, VIRUS, Filter
from truth import fate
from world import HONEST

README = """
Host mail hands every mail to a content filter on 127.0.0.1:10025, which gives it back on port 10026: a second queue id for the same mail, linked by
"queued as" in the filter's reply and by orig_queue_id (XFORWARD). Inbound, outbound and internal mail passes; nothing may be counted twice.
The filter refuses one mail with a virus (its sender Amy gets a notification) and quietly drops another: it answers "250 ... Ok, discarded", so Postfix
logs status=sent, and nobody ever sees the mail again.
"""
OPTIONS = {
    "mail": {
        "postfix": {"content_filter": "scan:[127.0.0.1]:10025"},
        "master": """\
scan       unix  - - n - 10 smtp
  -o smtp_send_xforward_command=yes
  -o disable_mime_output_conversion=yes
  -o smtp_tls_security_level=none
127.0.0.1:10026 inet n - n - 10 smtpd
  -o syslog_name=postfix/reinject
  -o content_filter=
  -o receive_override_options=no_unknown_recipient_checks,no_header_body_checks,no_milters
  -o smtpd_helo_restrictions=
  -o smtpd_client_restrictions=
  -o smtpd_sender_restrictions=
  -o smtpd_relay_restrictions=permit_mynetworks,reject
  -o smtpd_authorized_xforward_hosts=127.0.0.0/8
  -o smtpd_tls_security_level=none
""",
    }
}


def run(lab):
    scanner = Filter("mail")
    try:
        inbound = lab.receive(
            "m1", HONEST, "out.example.edu", "emma@example.edu", ["anna@example.com"], "Training dates"
        )
        lab.settle(inbound, "anna@example.com")
        outbound = lab.submit("m2", "alex@example.com", ["bob@example.org"], "Draft of the report")
        lab.settle(outbound, "bob@example.org")
        several = lab.submit(
            "m3",
            "anna@example.com",
            ["amy@example.com", "bella@example.org", "alex@example.com"],
            "Lunch on Friday?",
        )
        for entry in list(several.recipients):
            lab.settle(several, entry["recipient"])
        virus = lab.submit(
            "m4",
            "amy@example.com",
            ["bob@example.org"],
            "Photos from the trip",
            body=f"see attachment\n{VIRUS.decode()}\n",
        )
        lab.wait_report(virus)
        virus.recipients = [fate("bob@example.org", "bounced")]
        quiet = lab.submit(
            "m5", "alex@example.com", ["anna@example.com"], "Holiday plan", body=f"hello\n{DROP.decode()}\n"
        )
        lab.wait_empty()
        quiet.recipients = [fate("anna@example.com", "discarded_by_rule")]
        across = lab.submit("m6", "bob@example.org", ["press@example.com"], "Press release for December")
        lab.settle(across, "press@example.com", "bella@example.org", forwarded_by="alias")
        lab.wait_empty()
    finally:
        scanner.close()
