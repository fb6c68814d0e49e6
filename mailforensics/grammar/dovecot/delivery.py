"""What happens to a message after the hand-over: LMTP and LDA delivery, and the mail_log plugin.

    msgid=<7c7ad0bf@example.org>: saved mail to INBOX                                lda, lmtp without Sieve
    Mailbox INBOX: save: uid=107, msgid=<7c7ad0bf@example.org>, size=1531            mail_log, 2.4
    expunge: box=INBOX, uid=107, msgid=<7c7ad0bf@example.org>, size=1531             mail_log, 2.3

All of these, and what Sieve does (``sieve.py``), are one kind, ``dovecot.mailbox``, with ``action`` in the words of the table
``mailbox_events``; ``source`` says who tells it, for a delivery stands in the log twice (mail_log's ``save`` and Sieve's
``stored mail``). A copy's ``mailbox`` and ``uid`` are those of the new message, ``origin_mailbox`` is where it was copied from.

The Message-ID, From and Subject are the sender's: they may imitate the rest of a line. The kind is decided by what stands
in front of them, and ``msgid=<...>`` reaches as far as the text behind it allows. mail_log cuts them after 80 bytes and Sieve after
200 (``...``: such a Message-ID has no closing bracket), mailbox names after 64.

Source: ``src/lib-lda/mail-deliver.c``, ``src/plugins/mail-log/mail-log-plugin.c``, ``src/lmtp/lmtp-proxy.c``; real logs of
2.3.19, 2.4.1 and 2.4.5.
"""

from __future__ import annotations

from mailforensics.grammar.shape import Shape

KIND = "dovecot.mailbox"
DELIVERY_SERVICES = ("lmtp", "lda", "deliver", "dovecot-lda")

# A well-formed Message-ID ends at its bracket; any other reaches as far as the text behind it allows.
_ID = r"(?P<message_id><[^<> ]*>|<.*>|<[^>]*\.\.\.|[^<].*?)"
MSGID = rf"msgid= *(?:unspecified|<>|{_ID})?"
# `deliver_log_format` may put more values before and behind the Message-ID, with whatever the site has between them.
BEFORE = r"(?:(?P<log_details>[a-z_]+=.*?)[,;:]? )?"
BEHIND = r"(?:[,;]? [a-z_]+=.*)?"

_EVENT = r"(?P<action>save|expunge|autoexpunge|delete|undelete|flag_change|copy)(?: from (?P<origin_mailbox>.+?))?: "
_UID = r"(?:uid=(?:error|(?P<uid>[0-9]+))(?:, |\z))?"
_REST = (
    r"(?:msgid= *(?:<>|(?P<message_id><[^<> ]*>|[^, ].*?))?(?:, |\z))?(?:size=(?:error|(?P<size>[0-9]+))(?:, |\z))?"
    r"(?:vsize=(?:error|(?P<virtual_size>[0-9]+))(?:, |\z))?(?:from=(?P<header_from>.*?)(?:, |\z))?"
    r"(?:subject=(?P<subject>.*?)(?:, |\z))?(?:flags=\((?P<flags>[^()]*)\))?"
)


def told(source: str, action: str = "") -> dict[str, object]:
    """The fields that follow from the shape: who tells it, and what happened."""
    fields: dict[str, object] = {"source": source}
    return fields | {"action": action} if action else fields


def _lda(text: str, action: str, example: str, means: str) -> Shape:
    return Shape(
        kind=KIND,
        programs=DELIVERY_SERVICES,
        holds="msgid=",
        pattern=rf"{BEFORE}{MSGID}{BEHIND}: {text}",
        example=f"msgid=<7c7ad0bf@example.org>: {example}",
        means=means,
        constants=told("lda", action),
    )


MAIL_LOG_SHAPES = (
    Shape(
        kind=KIND,
        programs=("*",),
        starts="Mailbox ",
        pattern=rf"Mailbox (?P<mailbox>.+?): {_EVENT}(?:box=.*?(?:, |\z))?{_UID}{_REST}",
        example="Mailbox INBOX: save: uid=107, msgid=<7c7ad0bf@example.org>, size=1531",
        means="The mail_log plugin notes what happened to a message in a mailbox.",
        since="2.4",
        constants=told("mail_log"),
    ),
    Shape(
        kind=KIND,
        programs=("*",),
        pattern=rf"{_EVENT}(?:box=(?P<mailbox>.*?)(?:, |\z))?{_UID}{_REST}",
        example="save: box=INBOX, uid=1, msgid=<7c7ad0bf@example.org>, size=3078, vsize=3153",
        means="The mail_log plugin notes what happened to a message in a mailbox (the name is there only if `box` is a field).",
        constants=told("mail_log"),
    ),
    Shape(
        kind=KIND,
        programs=("*",),
        starts="Mailbox ",
        pattern=r"Mailbox (?P<action>created|deleted): (?P<mailbox>.*)",
        example="Mailbox created: Junk",
        means="A mailbox was created or deleted.",
        constants=told("mail_log"),
    ),
    Shape(
        kind=KIND,
        programs=("*",),
        starts="Mailbox ",
        pattern=r"Mailbox (?P<action>renamed): (?P<mailbox>.*) -> (?P<target>.*)",
        example="Mailbox renamed: Old -> Archive/Old",
        means="A mailbox was given another name.",
        constants=told("mail_log"),
    ),
    Shape(
        kind=KIND,
        programs=("*",),
        starts="Mailbox ",
        pattern=r"Mailbox (?P<mailbox>.*): Mailbox (?P<action>created|deleted)",
        example="Mailbox Junk: Mailbox created",
        means="A mailbox was created or deleted.",
        since="2.4",
        constants=told("mail_log"),
    ),
    Shape(
        kind=KIND,
        programs=("*",),
        starts="Mailbox ",
        pattern=r"Mailbox (?P<mailbox>.*): Mailbox (?P<action>renamed)(?: to| ->|:) ?(?:.* -> )?(?P<target>.*)",
        example="Mailbox Old: Mailbox renamed: Old -> Archive/Old",
        means="A mailbox was given another name.",
        since="2.4",
        constants=told("mail_log"),
    ),
)  # fmt: skip

LDA_SHAPES = (
    _lda(
        r"saved mail to (?P<mailbox>.*)", "saved",
        "saved mail to INBOX", "The message is in the mailbox.",
    ),
    _lda(
        r"save failed to (?:open mailbox )?(?P<mailbox>.*?): (?P<reason>Quota exceeded.*|.*[Mm]ailbox.* full.*)", "quota_exceeded",
        "save failed to INBOX: Quota exceeded (mailbox for user is full)", "The mailbox is full; the message was not stored.",
    ),
    _lda(
        r"save failed to (?:open mailbox )?(?P<mailbox>.*?): (?P<reason>.*)", "save_failed",
        "save failed to open mailbox Archive: Mailbox doesn't exist: Archive", "The message was not stored.",
    ),
    _lda(
        r"rejected: (?P<reason>.*)", "sieve_rejected",
        "rejected: Quota exceeded (mailbox for user is full)", "The message was refused; the sender gets a notice.",
    ),
    _lda(
        r"(?P<reason>Return-Path missing, rejection reason: .*)", "sieve_rejected",
        "Return-Path missing, rejection reason: Quota exceeded", "The message was refused, and there is no sender to be told.",
    ),
    _lda(
        r"forwarded to <(?P<target>.*)>", "sieve_redirected",
        "forwarded to <bea@example.net>", "The message was sent on to another address.",
    ),
)  # fmt: skip

PROXY_SHAPES = (
    Shape(
        kind="dovecot.lmtp.proxied",
        programs=("lmtp",),
        holds="essage to <",
        pattern=(
            r"(?:conn [!-~]+(?: \[[0-9]+\])?: )?(?:(?P<session_id>[0-9A-Za-z+/=:]+): )?(?:rcpt [!-~]+: )?(?:proxy: )?"
            r"(?P<action>Sent|Failed to send) message to <(?P<recipient>(?:\"(?:[^\"\\]|\\.)*\"|[^\"<>])*)> at (?P<relay_name>[!-~]+?)"
            r"(?::(?P<relay_port>[0-9]+))?: (?P<response>.*?)(?: \([0-9]+/[0-9]+ at (?P<delay_s>[0-9]+) ms\))?"
        ),
        example="v2M4MPBsBGuxOgAAg+zDdQ: Sent message to <anna@example.com> at 192.0.2.20:24: 250 2.0.0 "
        "<anna@example.com> KGjvNPBsBGuxOgAAg+zDdQ Saved (1/1 at 23 ms)",
        means="The LMTP proxy handed the message to another server; that server's own session id stands in its reply.",
    ),
    Shape(
        kind="dovecot.submission.relayed",
        programs=("submission",),
        holds=" relay",
        pattern=(
            r"(?P<action>Successfully relayed|Failed to relay) message: from=<(?P<sender>.*?)>, size=(?P<size>[0-9]+)"
            r"(?:, id=(?P<transaction_id>[^ ,]*))?, nrcpt=(?P<recipient_count>[0-9]+), reply=[`'](?P<response>.*)'"
        ),
        example="Successfully relayed message: from=<anna@example.com>, size=1531, id=c0LqKGHzBGsXAgAAYIgGOA, nrcpt=1, "
        "reply=`250 2.0.0 Ok: queued as 4jYBcn5tsv'",
        means="The submission service handed the user's message to the mail server, whose queue id stands in the reply.",
        since="2.3",
    ),
)  # fmt: skip
