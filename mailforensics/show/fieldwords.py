"""What each value of a header is, who wrote it and whether it can be forged: the words of the header reader.

    Received: from mail.example.com (...) by mx.example.org (Postfix) with ESMTPS id 4jYBcn5tsv ...
              by_name: The server that wrote the field (RFC 5321 §4.4). Claimed by others: whoever sent it could have written it.

The sentences of hop values are those of the table ``hops``; those of fields name the RFC that defines the field.
"""

from __future__ import annotations

from mailforensics import schema

_BY_US = "Written by a server of ours."
_CLAIMED = "Claimed by others: whoever sent it could have written it."
_TOLD_TO_US = "Our server wrote down what the client said; the client may say what it likes."
_SAID_BY_CLIENT = frozenset({"from_helo", "ident", "envelope_from"})

_FIELDS = {
    "return-path": "The envelope sender, put on top at the final delivery: bounces go there (RFC 5321 §4.4).",
    "delivered-to": "The mailbox that a delivery agent delivered to; it stops loops.",
    "x-original-to": "The recipient as Postfix got it, before aliases.",
    "received": "One hop: each server puts its own on top (RFC 5321 §4.4).",
    "authentication-results": "What a server found of SPF, DKIM and DMARC; it counts only when a server of yours wrote it (RFC 8601).",
    "arc-authentication-results": "What a forwarder found before it passed the mail on (RFC 8617).",
    "arc-message-signature": "A forwarder's signature of the message as it passed it on (RFC 8617).",
    "arc-seal": "A forwarder's signature of the chain so far (RFC 8617).",
    "received-spf": "What a server found of SPF alone (RFC 7208 §9.1).",
    "dkim-signature": "A signature by the domain in d=; it proves nothing until it is checked (RFC 6376).",
    "from": "The author, as the sender writes it: free text (RFC 5322 §3.6.2).",
    "sender": "Who sent it for the author, as the sender writes it (RFC 5322 §3.6.2).",
    "reply-to": "Where answers are to go, as the sender writes it (RFC 5322 §3.6.2).",
    "to": "The recipients as the sender writes them; the envelope decides, not this (RFC 5322 §3.6.3).",
    "cc": "Further recipients as the sender writes them (RFC 5322 §3.6.3).",
    "subject": "The subject: free text (RFC 5322 §3.6.5).",
    "date": "When it was written, by the sender's clock (RFC 5322 §3.6.1).",
    "message-id": "The number that the sender's program gave it; anyone can use it twice (RFC 5322 §3.6.4).",
    "in-reply-to": "The Message-ID that it answers (RFC 5322 §3.6.4).",
    "references": "The Message-IDs of its thread (RFC 5322 §3.6.4).",
    "list-id": "The mailing list (RFC 2919).",
    "list-unsubscribe": "Where to leave the list; do not follow it from a mail that you doubt (RFC 2369).",
    "mime-version": "The message has parts and types (RFC 2045 §4).",
    "content-type": "What sort of content follows (RFC 2045 §5).",
    "content-transfer-encoding": "How the content is encoded (RFC 2045 §6).",
    "auto-submitted": "Whether a machine sent it (RFC 3834 §5).",
    "precedence": "An old hint that it is bulk mail.",
    "user-agent": "The program that the sender says to have used.",
    "x-mailer": "The program that the sender says to have used.",
    "x-spam-status": "The verdict of a spam filter; whose, the place in the header tells.",
    "x-spamd-result": "Rspamd's verdict with its symbols; whose, the place in the header tells.",
}


def field(name: str) -> str:
    """What a header field is; empty for one that is not known here.

    >>> field("Date")
    "When it was written, by the sender's clock (RFC 5322 §3.6.1)."
    """
    return _FIELDS.get(name.strip().lower(), "")


def hop_value(column: str, *, claimed: bool) -> str:
    """What a value of a Received field is, and whether it can be forged.

    >>> hop_value("by_name", claimed=False)
    'The server that wrote the field (RFC 5321 §4.4). Written by a server of ours.'
    """
    words = {it.name: it for it in schema.table("hops").columns}
    known = words.get(column)
    sentence = known.sentence.rstrip(".") if known else column
    rfc = f" ({known.rfc})" if known and known.rfc else ""
    who = _CLAIMED if claimed else _TOLD_TO_US if column in _SAID_BY_CLIENT else _BY_US
    return f"{sentence}{rfc}. {who}"
