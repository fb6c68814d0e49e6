"""postscreen, the gate before smtpd, with its helpers dnsblog and tlsproxy.

    CONNECT from [192.0.2.7]:40212 to [198.51.100.10]:25
    DNSBL rank 3 for [192.0.2.7]:40212
    NOQUEUE: reject: RCPT from [192.0.2.7]:40212: 550 5.7.1 Service unavailable; ...; from=<a@example.com>, to=<b@example.org>, proto=ESMTP, helo=<h>
    PASS NEW [192.0.2.7]:40212

Sources: Postfix ``src/postscreen/*.c`` (2.8; deep protocol tests 2.10; ALLOWLISTED / DENYLISTED for the old words since 3.6),
``src/dnsblog/dnsblog.c``, ``src/tlsproxy/tlsproxy.c``. The envelope here has commas, unlike smtpd's.
"""

from __future__ import annotations

import polars as pl

from mailforensics.grammar.postfix.fields import ENDPOINT
from mailforensics.grammar.shape import Frame, Shape
from mailforensics.grammar.usual import Usual

_POSTSCREEN = ("postscreen",)
_FROM = r"\[(?P<client_ip>[0-9A-Fa-f:][^\]]*)\]:(?P<client_port>[0-9]+)"
_LIMITS = "BARE NEWLINE|COMMAND TIME LIMIT|COMMAND LENGTH LIMIT|COMMAND COUNT LIMIT|DATA without valid RCPT|BDAT without valid RCPT"


def _ambiguous(frame: Frame) -> Frame:
    """Mark what can be cut in two ways: an envelope of the client's making stands inside a value."""
    twice = pl.any_horizontal(
        pl.col(name).str.contains(">, (?:to=<|proto=)") for name in ("sender", "recipient", "helo")
    )
    return frame.with_columns(partial=pl.col("partial") | twice)


SHAPES: tuple[Shape, ...] = (
    Shape(
        kind="postfix.postscreen.connect",
        programs=_POSTSCREEN,
        severity="info",
        pattern=rf"CONNECT from {ENDPOINT}(?: to \[(?P<local_ip>[^\]]*)\]:(?P<local_port>[0-9]+))?",
        example="CONNECT from [192.0.2.7]:40212 to [198.51.100.10]:25",
        means="A client knocked; postscreen looks at it before an smtpd process does.",
        since="2.8",
    ),
    Shape(
        kind="postfix.postscreen.pass",
        programs=_POSTSCREEN,
        severity="info",
        pattern=rf"PASS (?P<reason>OLD|NEW) {_FROM}",
        example="PASS NEW [192.0.2.7]:40212",
        means="The client passed: OLD was known from an earlier test, NEW passed all tests now.",
        since="2.8",
    ),
    Shape(
        kind="postfix.postscreen.list",
        programs=_POSTSCREEN,
        severity="info",
        pattern=rf"(?P<reason>ALLOWLISTED|WHITELISTED|DENYLISTED|BLACKLISTED) {_FROM}",
        example="DENYLISTED [192.0.2.7]:40212",
        means="The client is on our own list (postscreen_access_list) and passes, or is refused, untested.",
        since="2.8",
    ),
    Shape(
        kind="postfix.postscreen.veto",
        programs=_POSTSCREEN,
        severity="info",
        pattern=rf"(?P<reason>ALLOWLIST VETO|WHITELIST VETO) {_FROM}",
        example="ALLOWLIST VETO [192.0.2.7]:40212",
        means="The client came to a secondary address first, as spam software does, and gets no pass.",
        since="2.8",
    ),
    Shape(
        kind="postfix.postscreen.dnsbl",
        programs=_POSTSCREEN,
        severity="info",
        pattern=rf"DNSBL rank (?P<rank>-?[0-9]+) for {_FROM}",
        example="DNSBL rank 3 for [192.0.2.7]:40212",
        means="The DNS lists together give the client this score, above the limit.",
        since="2.8",
    ),
    Shape(
        kind="postfix.postscreen.disconnect",
        programs=_POSTSCREEN,
        severity="info",
        pattern=rf"DISCONNECT {_FROM}",
        example="DISCONNECT [192.0.2.7]:40212",
        means="postscreen ended the connection; no smtpd process saw this client.",
        since="2.8",
    ),
    Shape(
        kind="postfix.postscreen.reject",
        programs=_POSTSCREEN,
        severity="info",
        pattern=rf"(?P<action>reject): (?P<stage>RCPT) from {_FROM}: (?:(?P<reply_code>[2-5][0-9][0-9]) )?"
        r"(?:(?P<enhanced_code>[245]\.[0-9]+\.[0-9]+) )?(?P<text>.*?); from=<(?P<sender>.*?)>, to=<(?P<recipient>.*?)>, "
        r"proto=(?P<protocol>[A-Z]+), helo=<(?P<helo>.*)>",
        starts="reject: RCPT from [",
        reader=Usual(
            rf"(?P<action>reject): (?P<stage>RCPT) from {_FROM}: (?P<reply_code>[2-5][0-9][0-9]) "
            r"(?P<enhanced_code>[245]\.[0-9]+\.[0-9]+) (?P<text>[^;]*; client [^;]*); from=<(?P<sender>[^>]*)>, to=<(?P<recipient>[^>]*)>, "
            r"proto=(?P<protocol>[A-Z]+), helo=<(?P<helo>[^>]*)>"
        ),
        finish=_ambiguous,
        example="reject: RCPT from [192.0.2.7]:40212: 550 5.7.1 Service unavailable; client [192.0.2.7] blocked using "
        "dnsbl.example.org; from=<alex@example.com>, to=<bob@example.org>, proto=ESMTP, helo=<mx.example.net>",
        means="postscreen refused the recipient, for one of its tests or because a client's first visit is never let in.",
        since="2.8",
    ),
    Shape(
        kind="postfix.postscreen.reject",
        programs=_POSTSCREEN,
        severity="info",
        pattern=rf"(?P<action>reject): (?P<stage>CONNECT|connect) from {_FROM}: (?P<text>.*)",
        starts="reject: ",
        example="reject: CONNECT from [192.0.2.7]:40212: too many connections",
        means="postscreen had no room for the client.",
        since="2.8",
    ),
    Shape(
        kind="postfix.postscreen.pregreet",
        programs=_POSTSCREEN,
        severity="info",
        pattern=rf"PREGREET (?P<bytes>[0-9]+) after (?P<seconds>[0-9.]+) from {_FROM}: (?P<data>.*)",
        example=r"PREGREET 14 after 0.22 from [192.0.2.7]:40212: EHLO ylmf-pc\r\n",
        means="The client spoke before the greeting, as spam software does.",
        since="2.8",
    ),
    Shape(
        kind="postfix.postscreen.hangup",
        programs=_POSTSCREEN,
        severity="info",
        pattern=rf"HANGUP after (?P<seconds>[0-9.]+) from {_FROM} in (?P<text>.*)",
        example="HANGUP after 0.63 from [192.0.2.7]:40212 in tests before SMTP handshake",
        means="The client went away during the tests.",
        since="2.8",
    ),
    Shape(
        kind="postfix.postscreen.violation",
        programs=_POSTSCREEN,
        severity="info",
        pattern=rf"(?P<reason>{_LIMITS}) from {_FROM}(?: after (?P<command>.*))?",
        example="COMMAND TIME LIMIT from [192.0.2.7]:40212 after CONNECT",
        means="The client broke a rule of SMTP or a limit: a bare line feed, too slow, too long, too many commands.",
        since="2.10",
    ),
    Shape(
        kind="postfix.postscreen.violation",
        programs=_POSTSCREEN,
        severity="info",
        pattern=rf"(?P<reason>NON-SMTP COMMAND|COMMAND PIPELINING) from {_FROM} after (?P<command>[^:]*): (?P<data>.*)",
        example="COMMAND PIPELINING from [192.0.2.7]:40212 after EHLO: MAIL FROM:<spam@example.com>",
        means="The client sent what is no SMTP command, or did not wait for the answer.",
        since="2.9",
    ),
    Shape(
        kind="postfix.postscreen.ehlo_discarded",
        programs=_POSTSCREEN,
        severity="info",
        pattern=r"\[(?P<client_ip>[0-9A-Fa-f:][^\]]*)\]:?(?P<client_port>[0-9]+): discarding EHLO keywords: (?P<text>.*)",
        example="[192.0.2.7]40212: discarding EHLO keywords: STARTTLS",
        means="Some features were kept out of this session by a setting.",
        since="2.8",
    ),
    Shape(
        kind="postfix.postscreen.stress",
        programs=_POSTSCREEN,
        severity="info",
        pattern=r"(?P<action>entering|leaving) STRESS mode with (?P<connections>[0-9]+) connections",
        example="entering STRESS mode with 80 connections",
        means="So many clients at once that postscreen shortens its tests (or that this is over).",
        since="2.8",
    ),
    Shape(
        kind="postfix.dnsblog.listed",
        programs=("dnsblog",),
        severity="info",
        pattern=r"addr (?P<client_ip>[!-~]+) listed by domain (?P<list>[!-~]+) as (?P<answer>.*)",
        example="addr 192.0.2.7 listed by domain zen.spamhaus.example as 127.0.0.4",
        means="A DNS list knows the client; the answer says as what.",
        since="2.8",
    ),
    Shape(
        kind="postfix.tlsproxy.connect",
        programs=("tlsproxy",),
        severity="info",
        pattern=rf"CONNECT (?P<direction>from|to) {_FROM}",
        example="CONNECT from [192.0.2.7]:51637",
        means="The TLS proxy took a connection over for postscreen, or opened one for smtp.",
        since="2.8",
    ),
    Shape(
        kind="postfix.tlsproxy.disconnect",
        programs=("tlsproxy",),
        severity="info",
        pattern=rf"DISCONNECT {_FROM}",
        example="DISCONNECT [192.0.2.7]:51637",
        means="The TLS proxy's connection ended.",
        since="2.8",
    ),
    Shape(
        kind="postfix.tlsproxy.failed",
        programs=("tlsproxy",),
        severity="info",
        pattern=r"TLS handshake failed for service=(?P<service>.*) peer=(?P<server>.*)",
        example="TLS handshake failed for service=smtpd peer=[192.0.2.7]:51637",
        means="The TLS handshake that the proxy did for another daemon failed.",
        since="3.4",
    ),
)
