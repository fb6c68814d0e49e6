"""What happens to a message after the hand-over: delivery, Sieve, and the mail_log plugin.

    msgid=<7c7ad0bf@example.org>: saved mail to INBOX                                              lda, lmtp without Sieve
    sieve: msgid=<7c7ad0bf@example.org>: fileinto action: stored mail into mailbox 'Junk'          sieve
    Mailbox INBOX: save: uid=107, msgid=<7c7ad0bf@example.org>, size=1531                          mail_log, 2.4
    expunge: box=INBOX, uid=107, msgid=<7c7ad0bf@example.org>, size=1531                           mail_log, 2.3

All of these are one kind, ``dovecot.mailbox``, with ``action`` in the words of the table ``mailbox_events``; ``source`` says who
tells it, because a delivery stands in the log twice (mail_log's ``save`` and Sieve's ``stored mail``).

The Message-ID, From and Subject are the sender's: they may imitate the rest of a line. The kind is decided by what stands
in front of them, and ``msgid=<...>`` reaches as far as the text behind it allows. Dovecot cuts them after 80 bytes (``...``).

Source: ``src/lib-lda/mail-deliver.c``, ``src/plugins/mail-log/mail-log-plugin.c``, Pigeonhole's ``sieve-actions.c`` and the
commands; real logs of 2.3.19 with Pigeonhole 0.5.19, 2.4.1 and 2.4.5.
"""

from __future__ import annotations

from mailforensics.grammar.shape import Shape

KIND = "dovecot.mailbox"
_DELIVERY = ("lmtp", "lda", "deliver", "imap", "dovecot-lda")

_MSGID = r"msgid= *(?:unspecified|<>|(?P<message_id>.+?))?"
_DETAILS = r"(?:, (?P<log_details>.*?))?"
_UID = r"uid=(?:error|(?P<uid>[0-9]+))"
_MAIL_FIELDS = (
    r"(?:, msgid= *(?:<>|(?P<message_id>.+?))?)?(?:, size=(?:error|(?P<size>[0-9]+)))?"
    r"(?:, vsize=(?:error|(?P<virtual_size>[0-9]+)))?(?:, from=(?P<header_from>.*?))?(?:, subject=(?P<subject>.*?))?"
    r"(?:, flags=\((?P<flags>[^()]*)\))?"
)
_EVENT = (
    r"(?P<action>save|expunge|autoexpunge|delete|undelete|flag_change|copy)(?: from (?P<origin_mailbox>.+?))?"
)


def _told(source: str, action: str = "") -> dict[str, object]:
    told: dict[str, object] = {"source": source}
    return told | {"action": action} if action else told


def _sieve(text: str, action: str, example: str, means: str) -> Shape:
    return Shape(
        kind=KIND,
        programs=_DELIVERY,
        starts="sieve: ",
        pattern=rf"sieve: (?:{_MSGID}{_DETAILS}: )?{text}",
        example=f"sieve: msgid=<7c7ad0bf@example.org>: {example}",
        means=means,
        constants=_told("sieve", action),
    )


_MAIL_LOG_SHAPES = (
    Shape(
        kind=KIND,
        programs=("*",),
        starts="Mailbox ",
        pattern=rf"Mailbox (?P<mailbox>.+?): {_EVENT}: (?:box=.*?, )?{_UID}{_MAIL_FIELDS}",
        example="Mailbox INBOX: save: uid=107, msgid=<7c7ad0bf@example.org>, size=1531",
        means="The mail_log plugin notes what happened to a message in a mailbox.",
        since="2.4",
        constants=_told("mail_log"),
    ),
    Shape(
        kind=KIND,
        programs=("*",),
        pattern=rf"{_EVENT}: box=(?P<mailbox>.*?)(?:, {_UID})?{_MAIL_FIELDS}",
        example="save: box=INBOX, uid=1, msgid=<7c7ad0bf@example.org>, size=3078, vsize=3153",
        means="The mail_log plugin notes what happened to a message in a mailbox.",
        constants=_told("mail_log"),
    ),
)

DELIVERY_SHAPES = (
    *_MAIL_LOG_SHAPES,
    _sieve(
        r"fileinto action: stored mail into mailbox '(?P<mailbox>.*)'",
        "sieve_filed",
        "fileinto action: stored mail into mailbox 'Junk'",
        "A Sieve script filed the message into a mailbox.",
    ),
    _sieve(
        r"(?:keep action: )?stored mail into mailbox '(?P<mailbox>INBOX)'",
        "saved",
        "stored mail into mailbox 'INBOX'",
        "The message is in the inbox (Sieve's keep).",
    ),
    _sieve(
        r"(?:[a-z_]+ action: )?stored mail into mailbox '(?P<mailbox>.*)'",
        "sieve_filed",
        "stored mail into mailbox 'Junk'",
        "A Sieve script filed the message into a mailbox.",
    ),
    _sieve(
        r"(?:[a-z_]+ action: )?forwarded to <(?P<target>.*)>",
        "sieve_redirected",
        "redirect action: forwarded to <bea@example.net>",
        "A Sieve script sent the message on to another address.",
    ),
    _sieve(
        r"(?:[a-z_]+ action: )?Marked message to be discarded if not explicitly delivered \(discard action\)",
        "sieve_discarded",
        "discard action: Marked message to be discarded if not explicitly delivered (discard action)",
        "A Sieve script threw the message away; the sender was told that it is saved.",
    ),
    _sieve(
        r"(?:[a-z_]+ action: )?rejected message from <(?P<sender>.*)> \((?P<reason>.*)\)",
        "sieve_rejected",
        "reject action: rejected message from <alex@example.com> (reject)",
        "A Sieve script refused the message after it was accepted; the sender gets a notice.",
    ),
    _sieve(
        r"(?:[a-z_]+ action: )?sent vacation response to <(?P<target>.*)>",
        "vacation_sent",
        "vacation action: sent vacation response to <alex@example.com>",
        "A Sieve script answered the sender.",
    ),
    _sieve(
        r"(?:[a-z_]+ action: )?failed to store into mailbox '(?P<mailbox>.*)': (?P<reason>Quota exceeded.*)",
        "quota_exceeded",
        "failed to store into mailbox 'INBOX': Quota exceeded (mailbox for user is full)",
        "The mailbox is full; the message was not stored.",
    ),
    _sieve(
        r"(?:[a-z_]+ action: )?failed to store into mailbox '(?P<mailbox>.*)': (?P<reason>.*)",
        "save_failed",
        "failed to store into mailbox 'Archive': Mailbox does not exist",
        "The message was not stored.",
    ),
    Shape(
        kind=KIND,
        programs=_DELIVERY,
        starts="msgid=",
        pattern=rf"{_MSGID}{_DETAILS}: saved mail to (?P<mailbox>.*)",
        example="msgid=<7c7ad0bf@example.org>: saved mail to INBOX",
        means="The message is in the mailbox.",
        constants=_told("lda", "saved"),
    ),
    Shape(
        kind=KIND,
        programs=_DELIVERY,
        starts="msgid=",
        pattern=rf"{_MSGID}{_DETAILS}: save failed to (?:open mailbox )?(?P<mailbox>.*?): (?P<reason>Quota exceeded.*)",
        example="msgid=<7c7ad0bf@example.org>: save failed to INBOX: Quota exceeded (mailbox for user is full)",
        means="The mailbox is full; the message was not stored.",
        constants=_told("lda", "quota_exceeded"),
    ),
    Shape(
        kind=KIND,
        programs=_DELIVERY,
        starts="msgid=",
        pattern=rf"{_MSGID}{_DETAILS}: save failed to (?:open mailbox )?(?P<mailbox>.*?): (?P<reason>.*)",
        example="msgid=<7c7ad0bf@example.org>: save failed to open mailbox Archive: Mailbox doesn't exist: Archive",
        means="The message was not stored.",
        constants=_told("lda", "save_failed"),
    ),
    Shape(
        kind=KIND,
        programs=("*",),
        starts="Mailbox ",
        pattern=r"Mailbox (?P<action>created|deleted): (?P<mailbox>.*)",
        example="Mailbox created: Junk",
        means="A mailbox was created or deleted.",
        constants=_told("mail_log"),
    ),
    Shape(
        kind=KIND,
        programs=("*",),
        starts="Mailbox ",
        pattern=r"Mailbox (?P<action>renamed): (?P<mailbox>.*) -> (?P<target>.*)",
        example="Mailbox renamed: Old -> Archive/Old",
        means="A mailbox was given another name.",
        constants=_told("mail_log"),
    ),
    Shape(
        kind=KIND,
        programs=("*",),
        starts="Mailbox ",
        pattern=r"Mailbox (?P<mailbox>.*): Mailbox (?P<action>created|deleted)",
        example="Mailbox Junk: Mailbox created",
        means="A mailbox was created or deleted.",
        since="2.4",
        constants=_told("mail_log"),
    ),
)
