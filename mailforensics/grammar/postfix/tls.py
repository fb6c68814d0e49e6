"""TLS lines of smtpd, smtp, lmtp and tlsproxy. They carry no queue id: the process id binds them to a session or delivery.

    Trusted TLS connection established to mx.example.net[192.0.2.7]:25: TLSv1.3 with cipher TLS_AES_256_GCM_SHA384 (256/256 bits)
        key-exchange X25519MLKEM768 server-signature RSA-PSS (2048 bits) server-digest SHA256

Sources: Postfix ``src/tls/tls_misc.c`` (tls_log_summary), ``tls_client.c``, ``tls_server.c``, ``tls_verify.c``,
``tlsrpt_wrapper.c``. ``reused``, key exchange and signatures since 3.4, raw public keys since 3.9, TLSRPT since 3.10.
"""

from __future__ import annotations

from mailforensics.grammar.postfix.fields import PEER_SAYS, SERVER, SERVER_SAYS
from mailforensics.grammar.shape import Shape

_TLS = ("smtpd", "smtp", "lmtp", "tlsproxy", "posttls-finger", "tlsmgr")
_CIPHER = r"(?P<tls_version>[!-~]+) with cipher (?P<tls_cipher>[!-~]+) \((?P<tls_bits>[0-9/]+) bits\)"


def _signature(side: str) -> str:
    return (
        rf"(?: {side}-signature (?P<{side}_signature>[!-~]+)(?: \((?P<{side}_signature_detail>[^()]*)\))?"
        rf"(?: {side}-digest (?P<{side}_digest>[!-~]+))?)?"
    )


SHAPES: tuple[Shape, ...] = (
    Shape(
        kind="postfix.tls.established",
        programs=_TLS,
        severity="info",
        pattern=rf"(?P<trust>[A-Z][a-z]+) TLS connection (?P<tls_use>[a-z]+) (?P<direction>[a-z]+) {PEER_SAYS} {_CIPHER} "
        r"key-exchange (?P<key_exchange>[!-~]+) (?:\((?P<key_exchange_detail>[^()]*)\) )?"
        r"server-signature (?P<server_signature>[!-~]+) (?:\((?P<server_signature_detail>[^()]*)\) )?"
        r"server-digest (?P<server_digest>[!-~]+)",
        example="Anonymous TLS connection established from mx.example.net[192.0.2.7]: TLSv1.3 with cipher TLS_AES_256_GCM_SHA384 "
        "(256/256 bits) key-exchange X25519 server-signature RSA-PSS (2048 bits) server-digest SHA256",
        means="TLS is up; the first word says how far the other side's certificate is trusted.",
        since="3.4",
    ),
    Shape(
        kind="postfix.tls.established",
        programs=_TLS,
        severity="info",
        pattern=rf"(?P<trust>[A-Z][a-z]+) TLS connection (?P<tls_use>[a-z]+) (?P<direction>[a-z]+) {PEER_SAYS} {_CIPHER}",
        example="Untrusted TLS connection established to mx.example.net[192.0.2.7]:25: TLSv1.2 with cipher "
        "ECDHE-RSA-AES256-GCM-SHA384 (256/256 bits)",
        means="TLS is up; before TLS 1.3 the cipher suite names the key exchange too.",
        since="2.2",
    ),
    Shape(
        kind="postfix.tls.established",
        programs=_TLS,
        severity="info",
        pattern=r"(?:(?P<trust>[A-Z][a-z]+) )?TLS connection (?P<tls_use>established|reused) (?P<direction>from|to) "
        rf"{SERVER}(?: to (?P<sni>[!-9;-~]+))?: {_CIPHER}"
        rf"(?: key-exchange (?P<key_exchange>[!-~]+)(?: \((?P<key_exchange_detail>[^()]*)\))?)?{_signature('server')}{_signature('client')}",
        holds="TLS connection ",
        example="Trusted TLS connection established to mx.example.net[192.0.2.7]:25: TLSv1.3 with cipher TLS_AES_256_GCM_SHA384 "
        "(256/256 bits) key-exchange x25519",
        means="TLS is up: without signatures when a session was resumed or before TLS 1.3, with a certificate of the client, or for a name (SNI).",
        since="2.2",
    ),
    Shape(
        kind="postfix.tls.start",
        programs=_TLS,
        severity="info",
        pattern=r"setting up TLS connection (?P<direction>from|to) (?P<remote_name>[^\[ :]*)(?:\[(?P<remote_ip>[^\]]*)\])?"
        r"(?::(?P<remote_port>[0-9]+))?",
        example="setting up TLS connection to mx.example.net[192.0.2.7]:25",
        means="A TLS handshake begins.",
        since="2.2",
    ),
    Shape(
        kind="postfix.tls.failed",
        programs=_TLS,
        severity="info",
        pattern=rf"SSL_(?:accept|connect|set_fd) error (?P<direction>from|to) {SERVER_SAYS} (?P<error>.*)",
        example="SSL_accept error from host.example.net[192.0.2.8]: lost connection",
        means="The TLS handshake failed.",
        since="2.2",
    ),
    Shape(
        kind="postfix.tls.failed",
        programs=_TLS,
        severity="info",
        pattern=rf"SSL_set_fd error (?P<direction>from|to) {SERVER}",
        example="SSL_set_fd error to mx.example.net[192.0.2.7]:25",
        means="TLS could not be put on the connection.",
        since="2.8",
    ),
    Shape(
        kind="postfix.tls.verification_failed",
        programs=_TLS,
        severity="info",
        pattern=rf"(?:[^ ]+ )?certificate verification failed for {SERVER_SAYS} (?P<error>.*)",
        example="server certificate verification failed for mx.example.net[192.0.2.7]:25: num=62:hostname mismatch",
        means="The other side's certificate is not good enough for our policy.",
        since="2.5",
        holds="certificate verification failed for ",
    ),
    Shape(
        kind="postfix.tls.report",
        programs=_TLS,
        severity="info",
        pattern=r"TLSRPT: status=(?P<status>success|failure), domain=(?P<policy_domain>[^,]*), "
        r"receiving_mx=(?P<remote_name>[^\[,]*)\[(?P<remote_ip>[^\]]*)\](?:, failure_type=(?P<failure_type>[a-z0-9_-]+))?"
        r"(?:, failure_reason=(?P<error>.*))?",
        example="TLSRPT: status=failure, domain=example.net, receiving_mx=mx.example.net[192.0.2.7], "
        "failure_type=starttls_not_supported",
        means="The result of a TLS handshake was noted for the daily report to that domain.",
        since="3.10",
    ),
    Shape(
        kind="postfix.tls.starttls_offered",
        programs=("smtp", "lmtp"),
        severity="info",
        pattern=r"Host offered STARTTLS: \[(?P<remote_name>[^\]]*)\]",
        example="Host offered STARTTLS: [mx.example.net]",
        means="The next server offers TLS, but our settings do not use it (smtp_tls_note_starttls_offer).",
        since="2.2",
    ),
    Shape(
        kind="postfix.tls.peer",
        programs=_TLS,
        severity="info",
        pattern=r"(?:(?P<remote_name>[^\[ :]*)(?:\[(?P<remote_ip>[^\]]*)\])?(?::(?P<remote_port>[0-9]+))?: |(?P<trust>[A-Z][a-z]+): )?"
        r"subject_CN=(?P<subject_cn>.*), issuer=(?P<issuer>.*?)(?:, (?:cert )?fingerprint=(?P<fingerprint>[0-9A-Fa-f:]+))?"
        r"(?:, pkey[_ ]fingerprint=[0-9A-Fa-f:]+)?",
        holds="subject_CN=",
        example="mx.example.net[192.0.2.7]:25: subject_CN=mx.example.net, issuer=Example CA, fingerprint=AB:CD:EF, pkey_fingerprint=01:23:45",
        means="The other side's certificate (smtp_tls_loglevel or smtpd_tls_loglevel of 1 or more).",
        since="2.3",
    ),
)
