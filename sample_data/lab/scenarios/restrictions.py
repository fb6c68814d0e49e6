"""Thirty restrictions say no: each refusal of smtpd, postscreen and cleanup with the setting that wrote it."""

import clients
import messages
from policy import Policy
from truth import fate
from world import HONEST, NAMELESS, OFFICE_A, PASSWORD, PROBER, SPAMMER, reverse_name

README = """
Host mail listens on some thirty ports, each with one restriction of main.cf or master.cf and nothing else, and each is provoked once, by the sender that its
label in expected.json names; `restriction` says which setting refused, as it stands in the configuration. `also` names restrictions that write the very
same words, so that no reader of the log can tell them apart. The RBL and RHSBL zones lists.test and names.test are the lab's own, the policy server is the driver's.
Two honest mails in between arrive.
"""
ZONE, NAMES = "lists.test", "names.test"
STRANGERS = {"192.0.2.68": "relay.listed.test", "192.0.2.69": "mail.shop.test"}
DNS = [
    f"host-record={'.'.join(reversed(SPAMMER.split('.')))}.{ZONE},127.0.0.2",
    f'txt-record={".".join(reversed(SPAMMER.split(".")))}.{ZONE},"Spam source, see https://{ZONE}/q?ip={SPAMMER}"',
    *(
        f"host-record={name}.{NAMES},127.0.0.2"
        for name in ("listed.test", "relay.listed.test", "helo.listed.test", "rcpt.listed.test")
    ),
    "mx-host=listed.test,relay.listed.test,10",
    "host-record=helo.listed.test,192.0.2.68",
    "mx-host=rcpt.listed.test,relay.listed.test,10",
    # a name that points at an address without the way back
    f"ptr-record={reverse_name('192.0.2.69')},mail.shop.test",
]
PORTS = {
    2501: "smtpd_client_restrictions=reject_unknown_client_hostname",
    2502: "smtpd_client_restrictions=reject_unknown_reverse_client_hostname",
    2503: "smtpd_helo_restrictions=reject_invalid_helo_hostname",
    2504: "smtpd_helo_restrictions=reject_non_fqdn_helo_hostname",
    2505: "smtpd_helo_restrictions=reject_unknown_helo_hostname",
    2506: "smtpd_sender_restrictions=reject_non_fqdn_sender",
    2507: "smtpd_sender_restrictions=reject_unknown_sender_domain",
    2508: "smtpd_sender_restrictions=reject_sender_login_mismatch",
    2509: "smtpd_sender_restrictions=reject_unlisted_sender",
    2510: "smtpd_recipient_restrictions=reject_non_fqdn_recipient",
    2511: "smtpd_recipient_restrictions=reject_unknown_recipient_domain",
    2512: "smtpd_relay_restrictions=reject_unauth_destination",
    2513: "smtpd_relay_restrictions=defer_unauth_destination",
    2514: "smtpd_recipient_restrictions=reject_unverified_recipient",
    2515: "smtpd_sender_restrictions=reject_unverified_sender",
    2516: f"smtpd_client_restrictions=reject_rbl_client,{ZONE}",
    2517: f"smtpd_client_restrictions=reject_rhsbl_client,{NAMES}",
    2518: f"smtpd_sender_restrictions=reject_rhsbl_sender,{NAMES}",
    2519: f"smtpd_helo_restrictions=reject_rhsbl_helo,{NAMES}",
    2520: f"smtpd_recipient_restrictions=reject_rhsbl_recipient,{NAMES}",
    2521: "smtpd_client_restrictions=check_client_access,texthash:/etc/postfix/access",
    2522: "smtpd_helo_restrictions=check_helo_access,texthash:/etc/postfix/access",
    2523: "smtpd_sender_restrictions=check_sender_access,texthash:/etc/postfix/access",
    2524: "smtpd_recipient_restrictions=check_recipient_access,texthash:/etc/postfix/access",
    2525: "smtpd_data_restrictions=reject_unauth_pipelining",
    2526: "smtpd_client_restrictions=reject_plaintext_session",
    2527: "smtpd_data_restrictions=reject_multi_recipient_bounce",
    2528: "smtpd_recipient_restrictions=check_policy_service,inet:127.0.0.1:10031",
    2529: "smtpd_recipient_restrictions=check_policy_service,inet:127.0.0.1:10039",
    2530: f"smtpd_client_restrictions=reject_rhsbl_reverse_client,{NAMES}",
    2531: "smtpd_sender_restrictions=reject_unauthenticated_sender_login_mismatch",
    2532: "cleanup_service_name=checks",
}


def _service(port: int, restriction: str) -> str:
    """One smtpd whose only check is this one; what is not its subject is let through."""
    name, _, value = restriction.partition("=")
    plain = dict.fromkeys(("client", "helo", "sender", "recipient", "data"), "") | {
        "relay": "check_client_access,static:OK,reject_unauth_destination"
    }
    lines = [f"{port} inet n - n - - smtpd"]
    for part, text in plain.items():
        setting = f"smtpd_{part}_restrictions"
        if setting != name:
            lines.append(f"  -o {setting}={text}")
    lines.append(f"  -o {name}={value}")
    if "unlisted" not in value:
        lines.append("  -o smtpd_reject_unlisted_recipient=no")
    return "\n".join(
        [
            *lines,
            "  -o smtpd_milters=",
            "  -o smtpd_sasl_auth_enable=yes",
            "  -o smtpd_sender_login_maps=texthash:/etc/postfix/logins",
            "  -o smtpd_forbid_unauth_pipelining=no",
            "",
        ]
    )


MASTER = (
    "".join(_service(port, text) for port, text in PORTS.items())
    + """\
checks     unix  n - n - 0 cleanup
  -o header_checks=regexp:/etc/postfix/header_checks
  -o body_checks=regexp:/etc/postfix/body_checks
2540       inet  n - n - 1 postscreen
smtpd      pass  - - n - - smtpd
dnsblog    unix  - - n - 0 dnsblog
"""
)
OPTIONS = {
    "mail": {
        "postfix": {
            "postscreen_dnsbl_sites": ZONE,
            "postscreen_dnsbl_action": "enforce",
            "postscreen_greet_wait": "2s",
            "postscreen_greet_action": "enforce",
            "postscreen_cache_map": "",
            "address_verify_map": "",
            "address_verify_poll_count": "3",
            "address_verify_poll_delay": "2s",
            "unverified_recipient_reject_reason": "",
        },
        "master": MASTER,
    }
}
FILES = {
    "/etc/postfix/access": "192.0.2.77 REJECT\nhelo.blocked.test REJECT\nblocked@example.edu REJECT\nclosed@example.com REJECT\n",
    "/etc/postfix/header_checks": "/^Subject: .*replica watches/ REJECT\n",
    "/etc/postfix/body_checks": "/LAB-FORBIDDEN-WORDS/ REJECT\n",
}
HELO = "out.example.edu"


def prepare(lab):
    for path, text in FILES.items():
        lab.mail.machine.write(path, text)


def run(lab):
    policy = Policy("mail", 10031, lambda request: "REJECT Policy rejection: too much mail for today")
    try:
        Play(lab).run()
    finally:
        policy.close()


class Play:
    def __init__(self, lab) -> None:
        self.lab = lab

    def refuse(
        self,
        restriction: str,
        port: int,
        *,
        sender: str = "",
        recipients: list[str] | None = None,
        source: str = HONEST,
        helo: str = HELO,
        also: list[str] | None = None,
        login: str = "",
        announce: str = "",
        data: bytes = b"",
    ) -> None:
        """One session that ends with a refusal."""
        sender = sender or f"p{port}@example.edu"
        if sender == "<>":
            sender = ""
        recipients = recipients or ["alex@example.com"]
        entry = self.lab.note(
            f"{restriction} on {port}", "inbound", sender, recipients, "Hello", None, restriction=restriction
        )
        if also:
            entry.more["also"] = also
        if announce:  # refused before anybody named a recipient
            entry.more["named_to_server"] = ["sender"]
        if (
            restriction == "reject_multi_recipient_bounce"
        ):  # Postfix logs a recipient at DATA only if there is just one
            entry.more["named_to_server"] = ["sender"]
        session = clients.Smtp(self.lab.mail.address, port, source)
        session.say(f"EHLO {helo}")
        if login:
            session.login(login, PASSWORD)
        reply = session.say(f"MAIL FROM:<{sender}>{announce}")
        for recipient in recipients:
            if reply.startswith("250"):
                reply = session.say(f"RCPT TO:<{recipient}>")
        if reply.startswith("250"):
            reply = session.data(data) if data else session.say("DATA")
        assert reply[0] in "45", (restriction, reply)
        entry.reply = reply
        entry.recipients = [fate(recipient, "rejected") for recipient in recipients]
        session.quit()

    def run(self) -> None:
        refuse = self.refuse
        lab = self.lab
        good = lab.receive("good-1", HONEST, HELO, "emma@example.edu", ["alex@example.com"], "Training dates")
        lab.settle(good, "alex@example.com")

        refuse("reject_unknown_client_hostname", 2501, source=NAMELESS)
        refuse("reject_unknown_reverse_client_hostname", 2502, source=NAMELESS)
        refuse("reject_invalid_helo_hostname", 2503, helo="-mail-.example.edu")
        refuse("reject_non_fqdn_helo_hostname", 2504, helo="mailserver")
        refuse("reject_unknown_helo_hostname", 2505, helo="mail.nodomain.test")
        refuse("reject_non_fqdn_sender", 2506, sender="p2506@mailserver")
        refuse("reject_unknown_sender_domain", 2507, sender="p2507@nodomain.test")
        refuse(
            "reject_sender_login_mismatch",
            2508,
            sender="amy@example.com",
            source=OFFICE_A,
            login="alex@example.com",
            also=["reject_authenticated_sender_login_mismatch"],
        )
        refuse("reject_unlisted_sender", 2509, sender="former@example.com")
        refuse("reject_unlisted_recipient", 25, sender="p25@example.edu", recipients=["former@example.com"])
        refuse("reject_non_fqdn_recipient", 2510, recipients=["alex@mailserver"])
        refuse("reject_unknown_recipient_domain", 2511, recipients=["info@nodomain.test"])
        refuse("reject_unauth_destination", 2512, recipients=["nina@example.net"])
        refuse("defer_unauth_destination", 2513, recipients=["nina@example.net"])
        refuse("reject_unverified_recipient", 2514, recipients=["former@example.org"])
        refuse("reject_unverified_sender", 2515, sender="former@example.org")
        refuse("reject_rbl_client", 2516, source=SPAMMER)
        refuse("reject_rhsbl_client", 2517, source="192.0.2.68")
        refuse("reject_rhsbl_sender", 2518, sender="p2518@listed.test")
        refuse("reject_rhsbl_helo", 2519, helo="helo.listed.test")
        refuse("reject_rhsbl_recipient", 2520, recipients=["info@rcpt.listed.test"])
        refuse("check_client_access", 2521, source=PROBER)
        refuse("check_helo_access", 2522, helo="helo.blocked.test")
        refuse("check_sender_access", 2523, sender="blocked@example.edu")
        refuse("check_recipient_access", 2524, recipients=["closed@example.com"])
        refuse("reject_plaintext_session", 2526)
        refuse(
            "reject_multi_recipient_bounce",
            2527,
            sender="<>",
            recipients=["alex@example.com", "amy@example.com"],
        )
        refuse("check_policy_service", 2528)
        refuse("check_policy_service", 2529)  # nobody answers on its port
        refuse("reject_rhsbl_reverse_client", 2530, source="192.0.2.68")
        refuse("reject_unauthenticated_sender_login_mismatch", 2531, sender="anna@example.com")
        for label, more in (
            ("header_checks", {"subject": "Cheap replica watches"}),
            ("body_checks", {"body": "hello\nLAB-FORBIDDEN-WORDS\n"}),
        ):
            sender = f"{label.replace('_', '-')}@example.edu"
            content = messages.build(
                sender, ["alex@example.com"], more.pop("subject", "Hello"), None, seed=label, **more
            )
            refuse(label, 2532, sender=sender, data=content)
        refuse("message_size_limit", 2512, sender="big@example.edu", announce=" SIZE=99000000")
        refuse("smtpd_milters", 25, sender="gtube@example.edu", data=self.gtube())
        self.pipelined()
        refuse("postscreen_dnsbl_sites", 2540, source=SPAMMER, helo="vps66.hosting.test")

        last = lab.receive(
            "good-2", HONEST, HELO, "emma@example.edu", ["anna@example.com"], "Draft of the report"
        )
        lab.settle(last, "anna@example.com")
        lab.wait_empty()

    def gtube(self) -> bytes:
        body = "XJS*C4JDBQADN1.NSBN3*2IDNEN*GTUBE-STANDARD-ANTI-UBE-TEST-EMAIL*C.34X\n"
        return messages.build("gtube@example.edu", ["alex@example.com"], "You have won", None, body=body)

    def pipelined(self) -> None:
        """DATA, and the message with it before anybody said that it may come."""
        sender, recipient = "p2525@example.edu", "alex@example.com"
        entry = self.lab.note(
            "reject_unauth_pipelining on 2525",
            "inbound",
            sender,
            [recipient],
            "Hello",
            None,
            restriction="reject_unauth_pipelining",
        )
        session = clients.Smtp(self.lab.mail.address, 2525, HONEST)
        session.say(f"EHLO {HELO}")
        session.say(f"MAIL FROM:<{sender}>")
        session.say(f"RCPT TO:<{recipient}>")
        session.send_raw(b"DATA\r\nSubject: Hello\r\n\r\nhello\r\n.\r\nQUIT\r\n")
        entry.reply = session._reply()
        assert entry.reply.startswith("503"), entry.reply
        entry.recipients = [fate(recipient, "rejected")]
        session.drop()
