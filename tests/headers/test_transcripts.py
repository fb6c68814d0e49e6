"""Transcripts of many tools: each command with its reply, and no secret of a login left."""

from __future__ import annotations

import pytest

from mailforensics.headers.dialogue import read_dialogue, traces

# Base64 of user names, passwords and tokens that stand in the transcripts below.
SECRETS = ("c2VjcmV0", "BzZWNyZXQ", "Ym9i", "dXNlcj1i", "YWJjZGVm")

Steps = list[tuple[str, int | None]]
TOOLS: dict[str, tuple[str, Steps]] = {
    "swaks over TLS": (
        """\
=== Trying mx.example.net:25...
=== Connected to mx.example.net.
<-  220 mx.example.net ESMTP
 -> EHLO mail.example.org
<-  250-mx.example.net
<-  250-STARTTLS
<-  250 AUTH PLAIN LOGIN
 -> STARTTLS
<-  220 2.0.0 Ready to start TLS
=== TLS started with cipher TLSv1.3:TLS_AES_256_GCM_SHA384:256
=== TLS peer DN="/CN=mx.example.net"
 ~> EHLO mail.example.org
<~  250-mx.example.net
<~  250 AUTH PLAIN LOGIN
 ~> AUTH LOGIN
<~  334 VXNlcm5hbWU6
 ~> Ym9i
<~  334 UGFzc3dvcmQ6
 ~> c2VjcmV0
<~  235 2.7.0 Authentication successful
 ~> MAIL FROM:<a@example.org>
<~  250 2.1.0 Ok
 ~> RCPT TO:<b@example.net>
<~  250 2.1.5 Ok
 ~> RCPT TO:<c@example.net>
<~* 550 5.1.1 <c@example.net>: Recipient address rejected: User unknown
 ~> DATA
<~  354 End data with <CR><LF>.<CR><LF>
 ~> Subject: test
 ~>
 ~> 250 this is not a reply
 ~> ..dot
 ~> .
<~  250 2.0.0 Ok: queued as 4jYJf54GKLz3t
 ~> QUIT
<~  221 2.0.0 Bye
=== Connection closed with remote host.
""",
        [
            ("EHLO", 250),
            ("STARTTLS", 220),
            ("EHLO", 250),
            ("AUTH", 235),
            ("MAIL", 250),
            ("RCPT", 250),
            ("RCPT", 550),
            ("DATA", 354),
            ("(message)", 250),
            ("QUIT", 221),
        ],
    ),
    "swaks refused": (
        """\
<-  220 mx ESMTP
 -> EHLO a
<-  250 mx
 -> AUTH PLAIN AGJvYgBzZWNyZXQ=
<** 535 5.7.8 Error: authentication failed
*** No authentication type succeeded
 -> QUIT
<-  221 2.0.0 Bye
""",
        [("EHLO", 250), ("AUTH", 535), ("QUIT", 221)],
    ),
    "curl": (
        """\
*   Trying 192.0.2.7:25...
* Connected to mx.example.net (192.0.2.7) port 25
< 220 mx.example.net ESMTP
> EHLO mail.example.org
< 250-mx.example.net
< 250-SIZE 10240000
< 250 AUTH PLAIN XOAUTH2
> AUTH XOAUTH2 dXNlcj1ib2IBYXV0aD1CZWFyZXIgc2VjcmV0AQE=
< 235 2.7.0 Accepted
> MAIL FROM:<a@example.org> SIZE=120
< 250 2.1.0 Ok
> RCPT TO:<b@example.net>
< 250 2.1.5 Ok
> DATA
< 354 go
} [120 bytes data]
* upload completely sent off: 120 bytes
< 250 2.0.0 Ok: queued as 4F3D21
> QUIT
< 221 2.0.0 Bye
* Closing connection 0
""",
        [
            ("EHLO", 250),
            ("AUTH", 235),
            ("MAIL", 250),
            ("RCPT", 250),
            ("DATA", 354),
            ("(message)", 250),
            ("QUIT", 221),
        ],
    ),
    "openssl s_client": (
        """\
CONNECTED(00000003)
depth=0 CN = mx.example.net
verify return:1
---
Certificate chain
 0 s:CN = mx.example.net
---
SSL handshake has read 1000 bytes and written 400 bytes
New, TLSv1.3, Cipher is TLS_AES_256_GCM_SHA384
---
250 CHUNKING
EHLO mail.example.org
250-mx.example.net
250 AUTH CRAM-MD5
AUTH CRAM-MD5
334 PDE4OTYuNjk3MTcwOTUyQG14PiA=
Ym9iIGI5MTNhNjAyYzdlZGE3YTQ5NWI0ZTZlNzMzNGQzODkw
235 2.7.0 ok
MAIL FROM:<a@example.org>
250 2.1.0 Ok
QUIT
DONE
221 2.0.0 Bye
""",
        [("EHLO", 250), ("AUTH", 235), ("MAIL", 250), ("QUIT", 221)],
    ),
    "telnet": (
        """\
Trying 192.0.2.7...
Connected to mx.example.net.
Escape character is '^]'.
220 mx.example.net ESMTP Postfix
helo pc
250 mx.example.net
mail from: <a@example.org>
250 2.1.0 Ok
rcpt to: b@example.net
550 5.7.1 <b@example.net>: Relay access denied
quit
221 2.0.0 Bye
Connection closed by foreign host.
""",
        [("HELO", 250), ("MAIL", 250), ("RCPT", 550), ("QUIT", 221)],
    ),
    "smtpd -v": (
        """\
Mar  2 10:02:11 mx postfix/smtpd[123]: connect from mail.example.org[192.0.2.7]
Mar  2 10:02:11 mx postfix/smtpd[123]: > mail.example.org[192.0.2.7]: 220 mx.example.net ESMTP Postfix
Mar  2 10:02:11 mx postfix/smtpd[123]: < mail.example.org[192.0.2.7]: EHLO mail.example.org
Mar  2 10:02:11 mx postfix/smtpd[123]: > mail.example.org[192.0.2.7]: 250-mx.example.net
Mar  2 10:02:11 mx postfix/smtpd[123]: > mail.example.org[192.0.2.7]: 250 AUTH PLAIN
Mar  2 10:02:11 mx postfix/smtpd[123]: watchdog_pat: 0x55
Mar  2 10:02:11 mx postfix/smtpd[123]: < mail.example.org[192.0.2.7]: AUTH PLAIN
Mar  2 10:02:11 mx postfix/smtpd[123]: > mail.example.org[192.0.2.7]: 334
Mar  2 10:02:11 mx postfix/smtpd[123]: < mail.example.org[192.0.2.7]: AGJvYgBzZWNyZXQ=
Mar  2 10:02:11 mx postfix/smtpd[123]: > mail.example.org[192.0.2.7]: 535 5.7.8 Error
Mar  2 10:02:11 mx postfix/smtpd[123]: < mail.example.org[192.0.2.7]: QUIT
Mar  2 10:02:11 mx postfix/smtpd[123]: > mail.example.org[192.0.2.7]: 221 2.0.0 Bye
""",
        [("EHLO", 250), ("AUTH", 535), ("QUIT", 221)],
    ),
    "smtp -v": (
        """\
Mar  2 10:02:11 mx postfix/smtp[123]: < mx.example.net[192.0.2.7]:25: 220 mx.example.net ESMTP
Mar  2 10:02:11 mx postfix/smtp[123]: > mx.example.net[192.0.2.7]:25: EHLO mail.example.org
Mar  2 10:02:11 mx postfix/smtp[123]: < mx.example.net[192.0.2.7]:25: 250 mx.example.net
Mar  2 10:02:11 mx postfix/smtp[123]: > mx.example.net[192.0.2.7]:25: MAIL FROM:<a@example.org>
Mar  2 10:02:11 mx postfix/smtp[123]: < mx.example.net[192.0.2.7]:25: 250 2.1.0 Ok
""",
        [("EHLO", 250), ("MAIL", 250)],
    ),
    "pipelined LMTP": (
        """\
S: 220 mail LMTP
C: LHLO mx
S: 250-mail
S: 250 8BITMIME
C: MAIL FROM:<a@example.org>
C: RCPT TO:<b@example.net>
C: RCPT TO:<c@example.net>
C: RCPT TO:<d@example.net>
C: DATA
S: 250 2.1.0 OK
S: 250 2.1.5 OK
S: 550 5.1.1 unknown
S: 250 2.1.5 OK
S: 354 OK
C: text
C: .
S: 250 2.0.0 <b@example.net> Saved
S: 452 4.2.2 <d@example.net> Mailbox full
C: QUIT
S: 221 2.0.0 Bye
""",
        [
            ("LHLO", 250),
            ("MAIL", 250),
            ("RCPT", 250),
            ("RCPT", 550),
            ("RCPT", 250),
            ("DATA", 354),
            ("(message)", 250),
            ("(message)", 452),
            ("QUIT", 221),
        ],
    ),
    "BDAT": (
        """\
S: 220 mx
C: EHLO a
S: 250-mx
S: 250 CHUNKING
C: MAIL FROM:<> BODY=BINARYMIME SMTPUTF8
S: 250 ok
C: RCPT TO:<b@example.net> NOTIFY=FAILURE ORCPT=rfc822;b@example.net
S: 250 ok
C: BDAT 12
C: Subject: x
C:
S: 250 2.0.0 12 bytes
C: BDAT 5 LAST
C: 250 x
S: 250 2.0.0 Ok: queued as ABCDEF
C: QUIT
S: 221 bye
""",
        [("EHLO", 250), ("MAIL", 250), ("RCPT", 250), ("BDAT", 250), ("BDAT", 250), ("QUIT", 221)],
    ),
    "Postfix's transcript": (
        """\
Transcript of session follows.

 Out: 220 mx.example.net ESMTP Postfix
 In:  EHLO mail.example.org
 Out: 250-mx.example.net
 Out: 250 SMTPUTF8
 In:  AUTH PLAIN AGJvYgBzZWNyZXQ=
 Out: 235 2.7.0 ok
 In:  MAIL FROM:<a@example.org>
 Out: 250 2.1.0 Ok
 In:  RCPT TO:<b@example.net>
 Out: 451 4.3.0 <b@example.net>: Temporary lookup failure
 In:  QUIT
 Out: 221 2.0.0 Bye

For other details, see the local mail logfile
""",
        [("EHLO", 250), ("AUTH", 235), ("MAIL", 250), ("RCPT", 451), ("QUIT", 221)],
    ),
    "smtplib": (
        """\
send: 'ehlo pc.example.org\\r\\n'
reply: b'250-mx.example.net\\r\\n'
reply: b'250 AUTH PLAIN\\r\\n'
reply: retcode (250); Msg: b'mx.example.net\\nAUTH PLAIN'
send: 'AUTH PLAIN AGJvYgBzZWNyZXQ=\\r\\n'
reply: b'235 2.7.0 ok\\r\\n'
reply: retcode (235); Msg: b'2.7.0 ok'
send: 'mail FROM:<a@example.org> size=10\\r\\n'
reply: b'250 2.1.0 Ok\\r\\n'
reply: retcode (250); Msg: b'2.1.0 Ok'
""",
        [("EHLO", 250), ("AUTH", 235), ("MAIL", 250)],
    ),
    "exim -v": (
        """\
Connecting to mx.example.net [192.0.2.7]:25 ... connected
  SMTP<< 220 mx.example.net ESMTP
  SMTP>> EHLO mail.example.org
  SMTP<< 250-mx.example.net
         250 AUTH PLAIN
  SMTP>> AUTH PLAIN ****************
  SMTP<< 235 2.7.0 ok
  SMTP>> MAIL FROM:<a@example.org>
  SMTP<< 250 2.1.0 Ok
  SMTP>> QUIT
""",
        [("EHLO", 250), ("AUTH", 235), ("MAIL", 250), ("QUIT", None)],
    ),
    "logins": (
        """\
S: 220 mx
C: EHLO a
S: 250 AUTH CRAM-MD5 DIGEST-MD5
C: AUTH CRAM-MD5
S: 334 PDEyMz4=
C: Ym9iIGFiY2RlZg==
S: 235 ok
C: AUTH LOGIN Ym9i
S: 334 UGFzc3dvcmQ6
C: c2VjcmV0
S: 535 5.7.8 no
C: AUTH LOGIN
S: 334 VXNlcm5hbWU6
C: *
S: 501 5.7.0 cancelled
C: QUIT
S: 221 bye
""",
        [("EHLO", 250), ("AUTH", 235), ("AUTH", 535), ("AUTH", 501), ("QUIT", 221)],
    ),
    "sendmail -v": (
        """\
bob@example.net... Connecting to mx.example.net. via esmtp...
220 mx.example.net ESMTP
>>> EHLO mail.example.org
250-mx.example.net
250 AUTH PLAIN
>>> MAIL From:<a@example.org> SIZE=12
250 2.1.0 Ok
>>> RCPT To:<bob@example.net>
250 2.1.5 Ok
>>> DATA
354 go
>>> .
250 2.0.0 Ok: queued as 1A2B3C
bob@example.net... Sent (ok)
Closing connection to mx.example.net.
>>> QUIT
221 2.0.0 Bye
""",
        [("EHLO", 250), ("MAIL", 250), ("RCPT", 250), ("DATA", 354), ("(message)", 250), ("QUIT", 221)],
    ),
}


@pytest.mark.parametrize("tool", TOOLS)
def test_each_command_has_its_reply(tool: str) -> None:
    text, steps = TOOLS[tool]
    rows = read_dialogue(text).to_dicts()
    assert [(row["command"], row["reply_code"]) for row in rows if row["command"]] == steps
    assert sum(row["command"] is None for row in rows) <= 1  # the greeting
    assert not [row for row in rows if "unknown_command" in row["defects"]]


@pytest.mark.parametrize("tool", TOOLS)
@pytest.mark.parametrize("cut", [1, 3, 4])
def test_no_secret_of_a_login_is_left(tool: str, cut: int) -> None:
    """Not in part of a transcript either, nor with its marks damaged."""
    lines = TOOLS[tool][0].splitlines()
    for text in (
        "\n".join(lines),
        "\n".join(lines[: len(lines) * cut // 4]),
        "\n".join(lines[len(lines) // cut :]),
    ):
        for damaged in (text, text.replace(" AUTH", "  auth"), "x" + text):
            shown = str(read_dialogue(damaged).to_dicts())
            assert not [secret for secret in SECRETS if secret in shown]


def test_each_recipient_of_a_last_chunk_has_a_reply_in_lmtp() -> None:
    text = (
        "S: 220 mail\nC: LHLO mx\nS: 250 CHUNKING\nC: MAIL FROM:<a@example.org>\nS: 250 ok\nC: RCPT TO:<b@example.net>\nS: 250 ok\n"
        "C: RCPT TO:<c@example.net>\nS: 250 ok\nC: BDAT 6 LAST\nC: text\nS: 250 2.0.0 <b@example.net> Saved\n"
        "S: 552 5.2.2 <c@example.net> full\n"
    )
    rows = read_dialogue(text).to_dicts()
    assert [(row["recipient"], row["reply_code"]) for row in rows if row["command"] == "BDAT"] == [
        ("b@example.net", 250), ("c@example.net", 552),
    ]  # fmt: skip


def test_what_tools_say_of_tls_counts() -> None:
    assert traces(read_dialogue(TOOLS["openssl s_client"][0])).received.endswith("with ESMTPSA")
    assert traces(read_dialogue(TOOLS["telnet"][0])).received.endswith("with SMTP")
    assert traces(read_dialogue(TOOLS["BDAT"][0])).return_path == "<>"


def test_a_word_that_the_server_refused_was_a_command() -> None:
    rows = read_dialogue("220 mx\nFOOBAR now\n500 5.5.2 what?\nQUIT\n221 bye\n").to_dicts()
    assert [(row["command"], row["reply_code"]) for row in rows] == [
        (None, 220),
        ("FOOBAR", 500),
        ("QUIT", 221),
    ]
