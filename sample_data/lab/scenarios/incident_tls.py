"""Incident: a provider loses its TLS, another's certificate runs out, and then ours."""

import ssl

import clients
from machine import wait_for
from traffic import Background
from truth import fate
from world import HONEST

README = """
Three stories about TLS on one afternoon. mx.example.net offers STARTTLS at first and then no longer, while all others still do. big.test, to which host mail
sends only with a verified certificate (smtp_tls_policy_maps), comes with one that expired; mail for it waits in the queue (postqueue-j.json) until the end of the log.
Then the renewal on mx puts an old certificate back: careful clients outside, and a mail program, say that it has expired. `findings` in expected.json says what must be found.
"""
KEPT_MESSAGES = 6
STRANGERS = {"192.0.2.26": "mx.big.test"}
DNS = ["mx-host=big.test,mx.big.test,10"]
OPTIONS = {
    "mail": {
        "postfix": {
            "smtp_tls_policy_maps": "texthash:/etc/postfix/tls_policy",
            "maximal_backoff_time": "20s",
        },
        "rspamd": {"level": "warning"},
    },
    "mx": {"rspamd": {"level": "warning"}},
}
SHORT = 200  # days from January 2024 on


def prepare(lab):
    lab.mail.machine.write("/etc/postfix/tls_policy", "big.test secure\n")


def run(lab):
    context = served(lab, "mx.example.net", 3000)
    lab.sink.tls = context
    big = lab.provider("192.0.2.26", "mx.big.test", served(lab, "mx.big.test", 3000))
    background = Background(lab)
    background.some(3)
    remote = Background(lab, kinds={"remote": 1})
    remote.count = 100
    remote.some(8)
    first = lab.submit("big-1", "amy@example.com", ["orders@big.test"], "Your order 5521")
    big.wait(first.message_id)
    first.recipients = [fate("orders@big.test", "handed_to_remote")]

    lab.sink.tls = None
    offered = len(lab.sink.taken)
    remote.some(7)
    background.some(4)

    big.tls = served(lab, "mx.big.test", SHORT)
    for number in (2, 3):
        late = lab.submit(f"big-{number}", "amy@example.com", ["orders@big.test"], "Your order 5521")
        late.recipients = [fate("orders@big.test", "deferred")]
    wait_for("two deferred mails", lambda: [e["queue_name"] for e in lab.mail.queue()] == ["deferred"] * 2)

    old = lab.certificate(lab.mx.plan.fqdn, SHORT)
    for name, content in old.items():
        lab.mx.machine.write(f"/etc/ssl/lab/{name}", content)
    lab.mx.machine.run("postfix", "reload")
    lab.mx.machine.run("doveadm", "reload")
    background.some(2)
    careful = trusting(old["ca.pem"])
    for number in range(4):
        refused(lab, f"careful-{number}", careful)
    background.some(4)
    lab.finds(
        "tls_missing",
        "mx.example.net",
        "warning",
        "no STARTTLS any more",
        before=offered,
        mails=len(lab.sink.taken) - offered,
    )
    lab.finds("certificate_expired", "mx.big.test", "warning", "its certificate ran out in July 2024")
    lab.finds(
        "certificate_expired",
        "mx",
        "high",
        "the renewal put an old certificate back; four clients said so",
        clients=4,
    )


def served(lab, name: str, days: int) -> ssl.SSLContext:
    """What a server of that name shows: a certificate of the lab's authority, valid for so many days."""
    folder = lab.certificate_files(name, days)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(folder / "cert.pem", folder / "key.pem")
    return context


def trusting(authority: bytes) -> ssl.SSLContext:
    return ssl.create_default_context(cadata=authority.decode())


def refused(lab, label: str, careful: ssl.SSLContext) -> None:
    """A server outside that looks at certificates, says so in a TLS alert, and then hands its mail over without TLS."""
    session = clients.Smtp(lab.mx.address, 25, HONEST)
    session.say("EHLO out.example.edu")
    try:
        session.starttls(careful, lab.mx.plan.fqdn)
        raise AssertionError("the client took a certificate that has expired")
    except ssl.SSLCertVerificationError:
        session.drop()
    mail = lab.receive(
        label, HONEST, "out.example.edu", "emma@example.edu", ["bella@example.org"], "Training dates"
    )
    mail.recipients = [fate("bella@example.org", "delivered")]
