"""Received fields of today's servers: Postfix with TLS 1.3 and client certificates, Exim, Sendmail, Amavis, Dovecot LMTP"""

from __future__ import annotations

import json
import re
import shutil
import ssl
import time
from dataclasses import replace

import clients
import messages
import neighbours
import truth
from machine import wait_for
from witness import PORT, Witness
from world import HONEST, MAIL, MX, OFFICE_A, OFFICE_A2, OWN, PASSWORD, TIMEZONE, reverse_name

README = """
Mails through chains of Postfix (mail), Exim (exim), Sendmail (sm) and again Postfix (mx), where Amavis looks at them and Dovecot takes them by LMTP; with TLS 1.3 and 1.2
and client certificates, with passwords and without, over IPv6, from the machine itself, to several recipients. `messages/*.eml` lie as they arrived. `hops.json` holds what is
true of each hop, nearest to the sender first: as each server itself said when it took the mail, by a milter (Postfix, Sendmail), by a line of its configuration (Exim), by
its log (Amavis' mail_id) or in its reply (Dovecot's session), never from a Received field. Logs are those of the hosts; Exim's is its mainlog.
"""
WITNESS = f"inet:127.0.0.1:{PORT}"
CERTIFICATE = {"smtp_tls_cert_file": "/etc/ssl/lab/cert.pem", "smtp_tls_key_file": "/etc/ssl/lab/key.pem"}
COMMON = {
    "smtpd_milters": WITNESS,
    "non_smtpd_milters": WITNESS,
    "smtpd_tls_ask_ccert": "yes",
    "smtpd_tls_CAfile": "/etc/ssl/lab/ca.pem",
    "milter_mail_macros": "i {mail_addr} {client_addr} {client_name} {auth_authen}",
    **CERTIFICATE,
}
AMAVIS_SERVICES = f"""\
amavis     unix  - - n - 2 smtp
  -o smtp_send_xforward_command=yes
  -o smtp_tls_security_level=none
127.0.0.1:10025 inet n - n - 10 smtpd
  -o syslog_name=postfix/reinject
  -o content_filter=
  -o smtpd_milters={WITNESS}
  -o receive_override_options=no_unknown_recipient_checks,no_header_body_checks
  -o smtpd_helo_restrictions=
  -o smtpd_sender_restrictions=
  -o smtpd_relay_restrictions=permit_mynetworks,reject
  -o smtpd_authorized_xforward_hosts=127.0.0.0/8
  -o smtpd_tls_security_level=none
"""
PLANS = [
    replace(MAIL),
    replace(MX, flavour="amavis", virtual={**MX.virtual, "bruno@sub.example.org": "bruno@example.org"}),
]
OPTIONS = {
    "mail": {
        "postfix": {
            **COMMON,
            "transport_maps": "texthash:/etc/postfix/transport",
            "smtpd_sasl_authenticated_header": "yes",
        },
        "rspamd": {"level": "warning"},
    },
    "mx": {
        "postfix": {
            **COMMON,
            "content_filter": "amavis:[127.0.0.1]:10024",
            "virtual_alias_domains": "sub.example.org",
        },
        "master": AMAVIS_SERVICES,
        "rspamd": {"level": "warning"},
    },
}
ADDRESSES = {"exim": "198.51.100.20", "sm": "198.51.100.30"}
SIX = {"exim": "2001:db8:a::20", "sm": "2001:db8:a::30"}
DNS = [
    line
    for name, address in ADDRESSES.items()
    for line in (
        f"host-record={name}.example.com,{address},{SIX[name]}",
        f"ptr-record={reverse_name(address)},{name}.example.com",
        f"ptr-record={reverse_name(SIX[name])},{name}.example.com",
    )
]
TRANSPORT = """\
bob@example.org    smtp:[exim.example.com]
ben@example.org    smtp:[exim.example.com]
bruno@sub.example.org smtp:[sm.example.com]
"""


def prepare(lab):
    lab.mail.machine.write("/etc/postfix/transport", TRANSPORT)
    lab.witnesses = {name: Witness(name) for name in ("mail", "mx")}


def run(lab):
    lab.chains = []
    exim = lab.neighbour("exim", [ADDRESSES["exim"], SIX["exim"]], "exim")
    sendmail = lab.neighbour("sm", [ADDRESSES["sm"], SIX["sm"]], "sendmail")
    lab.machines = {"exim": exim, "sm": sendmail}
    lab.witnesses["sm"] = Witness("sm")
    neighbours.start_exim(lab, exim, lab.certificate("exim.example.com"))
    neighbours.start_sendmail(lab, sendmail, lab.certificate("sm.example.com"))
    neighbours.start_amavis(lab, lab.mx.machine)
    Chains(lab).run()


class Chains:
    """Sends one mail a chain and notes which servers it must pass."""

    def __init__(self, lab) -> None:
        self.lab = lab

    def note(self, label: str, sender: str, recipients: list[str], path: list[str]) -> tuple[str, bytes]:
        mid = messages.message_id(self.lab.scenario, label, "example.com")
        content = messages.build(sender, recipients, f"Chain {label}", mid, stamp=self.lab.now())
        self.lab.chains.append({"label": label, "message_id": mid, "recipients": recipients, "path": path})
        return mid, content

    def submit(self, label: str, recipients: list[str], path: list[str], source: str = OFFICE_A) -> None:
        _, content = self.note(label, "alex@example.com", recipients, path)
        reply = clients.submit(
            self.lab.mail.address, source, "alex@example.com", recipients, content, helo=f"[{source}]"
        )
        assert reply.accepted, reply

    def send(
        self,
        label: str,
        server: str,
        recipients: list[str],
        path: list[str],
        *,
        source: str = HONEST,
        sender: str = "emma@example.edu",
        helo: str = "out.example.edu",
        tls: ssl.TLSVersion | None = None,
        login: bool = False,
    ) -> None:
        _, content = self.note(label, sender or "emma@example.edu", recipients, path)
        session = clients.Smtp(server, 25, source)
        session.say(f"EHLO {helo}")
        if tls:
            context = ssl.create_default_context()
            context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
            context.maximum_version = tls
            assert session.starttls(context).startswith("220")
            session.say(f"EHLO {helo}")
        if login:
            assert session.login("alex@example.com", PASSWORD).startswith("235")
        replies = clients.deliver(session, sender, recipients, content)
        assert replies.accepted, replies
        session.quit()

    def local(
        self, label: str, machine, command: list[str], sender: str, recipient: str, path: list[str]
    ) -> None:
        """A program on the machine itself hands a mail to `sendmail`."""
        _, content = self.note(label, sender, [recipient], path)
        machine.run(*command, "-f", sender, recipient, input=content)

    def run(self) -> None:
        new, old = ssl.TLSVersion.TLSv1_3, ssl.TLSVersion.TLSv1_2
        end = ["mx", "amavis", "reinject", "lmtp"]
        exim, sm = ADDRESSES["exim"], ADDRESSES["sm"]
        self.submit("long", ["bob@example.org"], ["mail", "exim", "sm", *end])
        self.submit("exim", ["ben@example.org"], ["mail", "exim", *end], OFFICE_A2)
        self.submit("other-way", ["bruno@sub.example.org"], ["mail", "sm", "exim", *end])
        self.submit("short", ["bella@example.org"], ["mail", *end])
        self.submit("several", ["bella@example.org", "berta@example.org"], ["mail", *end])
        self.send("old-tls", self.lab.mx.address, ["bea@example.org"], end, tls=old)
        self.send("new-tls", self.lab.mx.address, ["bea@example.org"], end, tls=new)
        self.send("plain", self.lab.mx.address, ["bea@example.org"], end)
        self.send("six", MX.addresses[1], ["bea@example.org"], end, source="2001:db8:c::40", tls=new)
        self.send("report", self.lab.mx.address, ["bea@example.org"], end, sender="")
        self.send("exim-login", exim, ["ben@example.org"], ["exim", *end], source=OFFICE_A, helo="[192.0.2.101]",
                  sender="alex@example.com", tls=new, login=True)  # fmt: skip
        self.send("exim-plain", exim, ["ben@example.org"], ["exim", *end], helo="relay.nodomain.test")
        self.send("exim-old-tls", exim, ["bob@example.org"], ["exim", "sm", *end], tls=old)
        self.send("sm-new-tls", sm, ["bea@example.org"], ["sm", *end], tls=new)
        self.send("sm-old-tls", sm, ["bea@example.org"], ["sm", *end], tls=old)
        self.send("sm-plain", sm, ["bea@example.org"], ["sm", *end], source="192.0.2.67", helo="nameless")
        self.local("pickup", self.lab.mail.machine, ["sendmail"], "root@example.com", "bob@example.org",
                   ["pickup", "exim", "sm", *end])  # fmt: skip
        self.local("exim-local", self.lab.machines["exim"], ["exim4"], "root@exim.example.com", "ben@example.org",
                   ["exim-local", *end])  # fmt: skip
        self.local("sm-local", self.lab.machines["sm"], ["sendmail-msp", "-Ac"], "root@sm.example.com", "bea@example.org",
                   ["sm-submit", "sm", *end])  # fmt: skip
        for chain in self.lab.chains:
            chain["copy"] = wait_for(
                f"{chain['label']} in a mailbox", lambda chain=chain: self.arrived(chain), 90
            )

    def arrived(self, chain: dict) -> truth.Copy | None:
        return next(
            (copy for copy in truth.copies([self.lab.mx]) if copy.message_id == chain["message_id"]), None
        )


def hops_of(lab, chain: dict) -> list[dict]:
    """What each server of the path said when it took the mail, nearest to the sender first."""
    return [_HOPS[server](lab, chain, server) for server in chain["path"]]


def _witnessed(lab, chain: dict, server: str) -> dict:
    """A hop of Postfix or Sendmail; on mx the second mail with the id is the one that Amavis gave back."""
    host = "mx" if server == "reinject" else server
    seen = [row for row in lab.witnesses[host].seen if row["message_id"] == chain["message_id"]]
    row = seen[1] if server == "reinject" else seen[0]
    macros = row["macros"]
    name = macros.get("client_name", row["client"])
    tls = macros.get("tls_version") or None
    auth = macros.get("auth_authen") or None
    derived = "ESMTP" + ("S" if tls else "") + ("A" if auth else "")
    postfix = host != "sm"
    return {
        "software": "postfix" if postfix else "sendmail",
        "by_name": {"mail": MAIL.fqdn, "mx": MX.fqdn, "sm": "sm.example.com"}[host],
        "from_helo": row["helo"],
        "from_ip": row["address"].removeprefix("IPv6:"),
        "from_name": None if name in ("unknown", "") or name.startswith("[") else name,
        "with_protocol": derived if postfix else macros["r"],
        "id": macros["i"],
        "tls_version": tls,
        "tls_cipher": macros.get("cipher") or None,
        "auth_user": auth,
        "client_certificate": macros.get("cert_subject") or None,
        "envelope_from": row["sender"],
        "recipients": row["recipients"],
    }


def _exim(lab, chain: dict, server: str) -> dict:
    row = next(
        r for r in neighbours.taken_by_exim(lab.machines["exim"]) if r["message_id"] == chain["message_id"]
    )
    return {
        "software": "exim",
        "by_name": "exim.example.com",
        "from_helo": row["helo"] or None,
        "from_ip": row["address"] or None,
        "from_name": row["client"] or None,
        "with_protocol": row["protocol"],
        "id": row["id"],
        "tls_version": row["tls_version"] or None,
        "tls_cipher": row["cipher"] or None,
        "auth_user": row["auth"] or None,
        "envelope_from": row["sender"],
        "recipients": row["recipients"].split(", "),
    }


def _pickup(lab, chain: dict, server: str) -> dict:
    """Postfix took it from a program of its own machine; the milter is asked all the same and told the id."""
    row = next(row for row in lab.witnesses["mail"].seen if row["message_id"] == chain["message_id"])
    return {
        "software": "postfix-pickup",
        "by_name": MAIL.fqdn,
        "id": row["macros"]["i"],
        "uid": 0,
        "recipients": chain["recipients"],
    }


def _submit(lab, chain: dict, server: str) -> dict:
    """Sendmail's program for local mail has a queue of its own; its id stands in its own log line."""
    log = lab.machines["sm"].path("/var/log/mail.log").read_text("utf-8", "replace")
    found = re.search(
        r"(?:sendmail|sm-msp\S*)\[\d+\]: (\w+): from=.*msgid=" + re.escape(chain["message_id"]), log
    )
    assert found, "Sendmail's local program did not log the mail"
    return {
        "software": "sendmail-submit",
        "by_name": "sm.example.com",
        "id": found[1],
        "user": "root",
        "recipients": chain["recipients"],
    }


def _amavis(lab, chain: dict, server: str) -> dict:
    log = lab.mx.machine.path("/var/log/mail.log").read_text("utf-8", "replace")
    return {
        "software": "amavis",
        "by_name": "localhost",
        "from_helo": MX.fqdn,
        "from_ip": "127.0.0.1",
        "with_protocol": "ESMTP",
        "id": neighbours.passed_by_amavis(log)[chain["message_id"]],
        "recipients": _witnessed(lab, chain, "reinject")["recipients"],
    }


def _lmtp(lab, chain: dict, server: str) -> dict:
    """Dovecot names its session in the reply, which mx's Postfix wrote down beside the queue id."""
    log = lab.mx.machine.path("/var/log/mail.log").read_text("utf-8", "replace")
    queue_id = _witnessed(lab, chain, "reinject")["id"]
    copy = chain["copy"]
    found = re.search(rf"{queue_id}: to=<{re.escape(copy.address)}>.* (\S+) Saved\)", log)
    assert found, f"no reply of Dovecot for {queue_id}"
    return {
        "software": "dovecot",
        "by_name": MX.fqdn,
        "from_helo": MX.fqdn,
        "with_protocol": "LMTP",
        "id": found[1].split(":")[0],
        "envelope_from": _witnessed(lab, chain, "reinject")["envelope_from"],
        "recipients": _witnessed(lab, chain, "reinject")["recipients"],
    }


_HOPS = {
    "mail": _witnessed, "sm": _witnessed, "mx": _witnessed, "reinject": _witnessed, "exim": _exim, "exim-local": _exim,
    "pickup": _pickup, "sm-submit": _submit, "amavis": _amavis, "lmtp": _lmtp,
}  # fmt: skip


def save(lab, target) -> None:
    """Messages, logs and hops.json."""
    time.sleep(1)
    fresh = target.with_name(target.name + ".new")
    shutil.rmtree(fresh, ignore_errors=True)
    (fresh / "messages").mkdir(parents=True)
    mails = []
    for chain in lab.chains:
        name = f"{chain['label']}.eml"
        (fresh / "messages" / name).write_bytes(chain["copy"].content)
        mails.append(
            {"file": f"messages/{name}", "message_id": chain["message_id"], "hops": hops_of(lab, chain)}
        )
    logs = {host.name: ("mail.log", host.machine.path("/var/log/mail.log")) for host in lab.hosts.values()}
    logs["exim"] = ("mainlog", lab.machines["exim"].path("/var/log/exim4/mainlog"))
    logs["sm"] = ("mail.log", lab.machines["sm"].path("/var/log/mail.log"))
    for host, (name, path) in logs.items():
        (fresh / host).mkdir()
        (fresh / host / name).write_bytes(path.read_bytes())
    versions = {**lab.versions, **{name: version(machine, package) for name, machine, package in (
        ("exim", lab.machines["exim"], "exim4-daemon-heavy"), ("sendmail", lab.machines["sm"], "sendmail-bin"),
        ("amavis", lab.mx.machine, "amavisd-new"))}}  # fmt: skip
    facts = {
        "scenario": lab.scenario,
        "suite": lab.suite,
        "versions": versions,
        "timezone": TIMEZONE,
        "own": OWN,
    }
    (fresh / "hops.json").write_text(json.dumps({**facts, "mails": mails}, indent=1) + "\n")
    told = ", ".join(
        f"{name} {versions[name]}" for name in ("postfix", "exim", "sendmail", "amavis", "dovecot")
    )
    (fresh / "README.md").write_text(
        f"# {target.name}\n\n{README.strip()}\n\nSuite {lab.suite}: {told}. Time zone {TIMEZONE}.\n"
    )
    for witness in lab.witnesses.values():
        witness.close()
    shutil.rmtree(target, ignore_errors=True)
    fresh.rename(target)


def version(machine, package: str) -> str:
    return machine.run("dpkg-query", "-W", "-f", "${Version}", package).stdout.decode()
