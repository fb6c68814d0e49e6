"""What the named groups of the Dovecot shapes hold: a type and one sentence each."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

import polars as pl

from mailforensics.grammar.shape import Field

# What Dovecot calls a thing, and the word of `mailbox_events.action` for it.
ACTIONS = {
    "save": "saved",
    "copy": "copied",
    "expunge": "expunged",
    "autoexpunge": "expunged",
    "delete": "deleted",
    "undelete": "undeleted",
    "flag_change": "flag_changed",
    "created": "mailbox_created",
    "deleted": "mailbox_deleted",
    "renamed": "mailbox_renamed",
    "Sent": "sent",
    "Failed to send": "failed",
    "Successfully relayed": "sent",
    "Failed to relay": "failed",
}


def _action(word: pl.Expr) -> pl.Expr:
    return word.replace_strict(ACTIONS, default=None, return_dtype=pl.String)


def _address(text: pl.Expr) -> pl.Expr:
    """An IPv4 client of an IPv6 socket under its IPv4 address."""
    return text.str.replace(r"\A::ffff:([0-9.]+)\z", "${1}")


def _milliseconds(text: pl.Expr) -> pl.Expr:
    return (text.cast(pl.Float64, strict=False) / 1000).round(
        9
    )  # the engine divides one value, but multiplies many


_INTEGER, _NUMBER = pl.Int64, pl.Float64

FIELDS: Mapping[str, Field] = MappingProxyType(
    {
        # who and from where
        "username": Field("The user who logs in or whose mail it is.", personal=True),
        "auth_method": Field("The SASL mechanism.", rfc="RFC 4422"),
        "client_ip": Field(
            "The address of the client (`rip`); `local` for a unix socket.", personal=True, convert=_address
        ),
        "client_port": Field("The TCP port of the client.", _INTEGER),
        "local_ip": Field("The address of the server that the client talks to (`lip`).", convert=_address),
        "local_port": Field("The TCP port of the server that the client talks to.", _INTEGER),
        "mail_pid": Field("The process that serves the session after login (`mpid`).", _INTEGER),
        "tls": Field("`TLS`, `secured` (same host or a trusted network), or how TLS failed."),
        "session_id": Field("The session id of Dovecot."),
        "elements": Field("The elements of a `login_log_format_elements` of the site's own, as written."),
        # how a login ended
        "how": Field("What ended: `Disconnected`, `Aborted login`, `Login aborted`."),
        "reason": Field("The reason as written.", personal=True),
        "auth_detail": Field("What had been tried before the end, as written."),
        "auth_failures": Field("How many attempts to log in had failed.", _INTEGER),
        "duration_s": Field("Seconds from the first attempt to the end.", _NUMBER),
        "event_reason": Field("Dovecot's own short name of the reason (since 2.4)."),
        "passdb": Field("The password database that was asked."),
        "code": Field("The numeric code of the error.", _INTEGER),
        # how a session ended
        "close_reason": Field("Why the session ended, as written."),
        "bytes_in": Field("Bytes received from the client.", _INTEGER),
        "bytes_out": Field("Bytes sent to the client.", _INTEGER),
        "deleted": Field("Messages marked as deleted (IMAP) or deleted (POP3).", _INTEGER),
        "expunged": Field("Messages expunged.", _INTEGER),
        "trashed": Field("Messages moved to the trash mailbox.", _INTEGER),
        "autoexpunged": Field("Messages that autoexpunge removed.", _INTEGER),
        "appended": Field("Messages appended by the client.", _INTEGER),
        "counters": Field("The counters of a `..._logout_format` of the site's own, as written."),
        "command": Field("The command of doveadm.", personal=True),
        "header_count": Field("Message headers sent.", _INTEGER),
        "header_bytes": Field("Bytes of message headers sent.", _INTEGER),
        "body_count": Field("Message bodies sent.", _INTEGER),
        "body_bytes": Field("Bytes of message bodies sent.", _INTEGER),
        "top_count": Field("TOP commands answered.", _INTEGER),
        "top_bytes": Field("Bytes sent for TOP.", _INTEGER),
        "retrieved": Field("Messages retrieved with RETR.", _INTEGER),
        "retrieved_bytes": Field("Bytes sent for RETR.", _INTEGER),
        "deleted_of": Field("Behind `del=n/`: messages in the mailbox (2.3), bytes deleted (2.4).", _INTEGER),
        "mailbox_bytes": Field("Size of the mailbox in bytes.", _INTEGER),
        "state": Field("The state of the LMTP dialogue at its end."),
        # what happened to a message
        "action": Field(
            "What happened, in the words of `mailbox_events.action` (proxied: sent, failed).", convert=_action
        ),
        "source": Field("Which part of Dovecot tells it: lda, sieve or mail_log."),
        "message_id": Field(
            "The Message-ID as Dovecot writes it; a long one is cut and ends in `...`.",
            personal=True,
            rfc="RFC 5322 §3.6.4",
        ),
        "mailbox": Field("The mailbox in which the message is, or was.", personal=True),
        "origin_mailbox": Field("The mailbox from which the message was copied.", personal=True),
        "target": Field("Where it went: a mailbox, an address or a program.", personal=True),
        "uid": Field("The IMAP UID of the message in its mailbox.", _INTEGER, rfc="RFC 9051 §2.3.1.1"),
        "size": Field("Size of the message in bytes.", _INTEGER),
        "virtual_size": Field("Size with line ends as CRLF, in bytes.", _INTEGER),
        "flags": Field("Flags and keywords, as written.", rfc="RFC 9051 §2.3.2"),
        "header_from": Field("The From field, as written (cut after 80 bytes).", personal=True),
        "sender": Field("The envelope sender.", personal=True, rfc="RFC 5321 §4.1.1.2"),
        "recipient": Field("The envelope recipient.", personal=True, rfc="RFC 5321 §4.1.1.3"),
        "subject": Field("The Subject field, as written (cut after 80 bytes).", personal=True),
        "virtual_name": Field("The mailbox under the name of its namespace.", personal=True),
        "line": Field("The line of the script.", _INTEGER),
        "count": Field("How many messages.", _INTEGER),
        "driver": Field("The kind of database."),
        "database": Field("The host or name of the database."),
        "log_details": Field(
            "The values of a `deliver_log_format` of the site's own, as written.", personal=True
        ),
        "script": Field("The Sieve script: a path (2.3) or the name in the settings (2.4).", personal=True),
        # where a message was handed to
        "relay_name": Field("The next server."),
        "relay_ip": Field("The address of the next server."),
        "relay_port": Field("The port of the next server.", _INTEGER),
        "response": Field("The reply of the next server.", personal=True),
        "delay_s": Field("Seconds that it took.", _NUMBER, convert=_milliseconds),
        "transaction_id": Field("The id under which the submission service handed the message on."),
        "recipient_count": Field("The number of recipients.", _INTEGER),
        # the server itself
        "version": Field("The version of Dovecot."),
        "protocols": Field("The protocols that it serves."),
        "signal": Field("The number of the signal.", _INTEGER),
        "other_pid": Field("The process that is meant.", _INTEGER),
        "other_service": Field("The service that is meant."),
        "limit": Field("The limit that was reached.", _INTEGER),
        "direction": Field("Which way the clock jumped."),
        "jump_s": Field("Seconds by which the clock jumped; negative = back.", _NUMBER),
        "text": Field("What it says.", personal=True),
        "error": Field("What went wrong, as written.", personal=True),
    }
)
