"""Every public table: its columns, their Arrow types, and for each column a sentence, an example, its origin.

This is the one place that defines the tables; notebooks, exports, checks and the reference page follow it::

    schema.TABLES["deliveries"].columns      the columns with their words
    schema.arrow_schema("deliveries")        what case.table("deliveries").schema is
    schema.to_table("deliveries", frame)     a polars frame of a parser becomes the public table

Conventions: times are ``timestamp[us, UTC]``; durations are float64 seconds, signed, with the suffix ``_s``;
null means "not said". Closed vocabularies are dictionary-encoded with one fixed dictionary, so that tables of
two cases can be put together; inside polars frames they are plain strings. Open text is ``string``.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from types import MappingProxyType
from typing import Any, Literal

import polars as pl
import pyarrow as pa

from mailforensics.errors import OptionError

Origin = Literal["log", "header", "derived"]


@dataclass(frozen=True, slots=True)
class Column:
    """One column of a table: its name, Arrow type and the words that explain it.

    ``personal`` marks what can name or trace a person: pseudonyms replace it when a case leaves the house.
    ``members`` holds the closed vocabularies of fields inside a list of structs.
    """

    name: str
    type: pa.DataType
    sentence: str
    example: Any
    origin: Origin = "log"
    rfc: str | None = None
    personal: bool = False
    vocabulary: tuple[str, ...] | None = None
    members: Mapping[str, tuple[str, ...]] = field(default_factory=lambda: MappingProxyType({}))

    @property
    def field(self) -> pa.Field:
        """The Arrow field, with sentence, origin and personal mark as metadata."""
        words = {"sentence": self.sentence, "origin": self.origin, "personal": str(self.personal).lower()}
        return pa.field(self.name, self.type, metadata=words | ({"rfc": self.rfc} if self.rfc else {}))


@dataclass(frozen=True, slots=True)
class Table:
    """One table: its name, what one row is, and its columns in order."""

    name: str
    sentence: str
    columns: tuple[Column, ...]
    order: tuple[str, ...] = ()  # what the rows are sorted by; of a list its first entry counts

    @property
    def names(self) -> tuple[str, ...]:
        """The column names in order."""
        return tuple(column.name for column in self.columns)

    def column(self, name: str) -> Column:
        """The column of that name.

        >>> TABLES["messages"].column("size").sentence
        'Size of the message in bytes, as the queue manager counts it.'
        """
        for column in self.columns:
            if column.name == name:
                return column
        raise OptionError(f"Table {self.name!r} has no column {name!r}; it has {', '.join(self.names)}.")


def table(name: str) -> Table:
    """The table of that name; :class:`OptionError` names the ones there are.

    >>> table("hops").names[:3]
    ('document_id', 'hop', 'ordinal')
    """
    if name not in TABLES:
        raise OptionError(f"There is no table {name!r}; the tables are {', '.join(TABLES)}.")
    return TABLES[name]


def arrow_schema(name: str) -> pa.Schema:
    """The Arrow schema of a table; sentence, origin and personal mark stand in the metadata of each field.

    >>> arrow_schema("deliveries").field("delay_s").type
    DataType(double)
    """
    described = table(name)
    words = {"table": described.name, "sentence": described.sentence}
    return pa.schema([column.field for column in described.columns], metadata=words)


def polars_schema(name: str) -> pl.Schema:
    """The schema that parsers work with in polars: closed vocabularies are plain strings there.

    >>> polars_schema("deliveries")["status"]
    String
    """
    return pl.Schema({column.name: _polars_type(column.type) for column in table(name).columns})


def empty(name: str) -> pl.DataFrame:
    """The table without rows, for working with in polars.

    >>> empty("scans").height
    0
    """
    return pl.DataFrame(schema=polars_schema(name))


def conform(name: str, frame: pl.DataFrame) -> pl.DataFrame:
    """The frame with all columns of the table in order, missing ones null, extra ones at the end.

    Raises :class:`OptionError` where a value does not fit the column's type or closed vocabulary.

    >>> conform("sources", pl.DataFrame({"path": ["mail.log"]})).columns[:3]
    ['source_id', 'path', 'member']
    """
    wanted = polars_schema(name)
    if frame.width == 0:
        return empty(name)
    missing = [
        pl.lit(None, dtype=wanted[column]).alias(column) for column in wanted if column not in frame.columns
    ]
    extra = [column for column in frame.columns if column not in wanted]
    whole = frame.with_columns(missing).select(*wanted, *extra)
    whole = whole.with_columns(_cast(name, whole[column], kind) for column, kind in wanted.items())
    for column in table(name).columns:
        _check_words(name, column, whole[column.name])
    return whole


def ordered(name: str, frame: pl.DataFrame) -> pl.DataFrame:
    """The rows in the order of the table, whatever the order in which they were made.

    >>> ordered("messages", pl.DataFrame({"message_key": [2, 1], "received_time": [None, None]}))["message_key"].to_list()
    [1, 2]
    """
    kinds = frame.schema
    keys = [
        pl.col(key).list.first() if isinstance(kinds[key], pl.List) else pl.col(key)
        for key in TABLES[name].order
    ]
    return frame.sort(keys, nulls_last=True, maintain_order=True) if keys else frame


def to_table(name: str, frame: pl.DataFrame) -> pa.Table:
    """The public Arrow table made from a frame: columns as :func:`conform` orders them, in the Arrow types.

    Raises :class:`OptionError` where a value does not fit the column's type or closed vocabulary.

    >>> to_table("deliveries", pl.DataFrame({"status": ["sent", "bounced"]}))["status"].type
    DictionaryType(dictionary<values=string, indices=int8, ordered=0>)
    """
    whole = conform(name, frame)
    described = arrow_schema(name)
    columns: list[pa.ChunkedArray | pa.Array] = []
    fields: list[pa.Field] = []
    for series in whole:
        if series.name in TABLES[name].names:
            arrow_field = described.field(series.name)
        else:
            arrow_field = pa.field(series.name, _public_type(series.to_arrow().type))
        fields.append(arrow_field)
        columns.append(_to_arrow(series, arrow_field.type, TABLES[name]))
    return pa.Table.from_arrays(columns, schema=pa.schema(fields, metadata=described.metadata))


def _to_arrow(series: pl.Series, kind: pa.DataType, described: Table) -> pa.Array | pa.ChunkedArray:
    if not pa.types.is_dictionary(kind):
        return series.to_arrow().cast(kind)
    words = described.column(series.name).vocabulary or ()
    codes = series.cast(pl.Enum(words)).to_physical().cast(pl.Int8).to_arrow()
    known = pl.Series(words, dtype=pl.String).to_arrow().cast(pa.string())  # pa.array would load pandas
    return pa.DictionaryArray.from_arrays(codes, known)


def _cast(name: str, series: pl.Series, kind: pl.DataType) -> pl.Series:
    if series.dtype == kind:
        return series
    reason = ""
    try:
        cast = series.cast(kind)
        if cast.dtype == kind:
            return cast
    except pl.exceptions.PolarsError as error:
        reason = f": {error}"
    place = f"Column {series.name!r} of table {name!r}"
    raise OptionError(f"{place} must be {kind}, not {series.dtype}{reason}.")


def _check_words(name: str, column: Column, series: pl.Series) -> None:
    if column.vocabulary:
        _check_vocabulary(f"{name}.{column.name}", series, column.vocabulary)
    for member, words in column.members.items():
        inner = series.explode(empty_as_null=True).struct.field(member)
        _check_vocabulary(f"{name}.{column.name}.{member}", inner, words)


def _check_vocabulary(place: str, series: pl.Series, words: tuple[str, ...]) -> None:
    seen = series.unique().drop_nulls()
    unknown = sorted(set(seen.to_list()) - set(words))
    if unknown:
        raise OptionError(f"{unknown[0]!r} is no word of {place}; the words are {', '.join(words)}.")


def _polars_type(kind: pa.DataType) -> pl.DataType:
    if pa.types.is_dictionary(kind):
        return pl.String()
    if pa.types.is_list(kind):
        return pl.List(_polars_type(kind.value_type))
    if pa.types.is_struct(kind):
        return pl.Struct({inner.name: _polars_type(inner.type) for inner in kind})
    if pa.types.is_timestamp(kind):
        return pl.Datetime("us", "UTC")
    return _PLAIN[kind]


def _public_type(kind: pa.DataType) -> pa.DataType:
    """The type that an extra column gets: the 32-bit forms that the tables use throughout."""
    if pa.types.is_large_string(kind):
        return pa.string()
    if pa.types.is_large_binary(kind):
        return pa.binary()
    if pa.types.is_large_list(kind):
        return pa.list_(_public_type(kind.value_type))
    if pa.types.is_struct(kind):
        return pa.struct([(inner.name, _public_type(inner.type)) for inner in kind])
    return kind


_PLAIN: dict[pa.DataType, pl.DataType] = {
    pa.string(): pl.String(),
    pa.binary(): pl.Binary(),
    pa.bool_(): pl.Boolean(),
    pa.int32(): pl.Int32(),
    pa.int64(): pl.Int64(),
    pa.float64(): pl.Float64(),
}

# Closed vocabularies. Their order is the order of the fixed dictionaries: new words are added at the end.

TIME_PRECISIONS = ("us", "ms", "s", "min", "day", "none")
TIME_METHODS = ("stated", "zone_assumed", "year_inferred", "both_inferred", "unknown")
SYSTEMS = (
    "postfix", "dovecot", "rspamd", "opendkim", "opendmarc", "policyd-spf", "amavis", "spamd", "postgrey",
    "other",
)  # fmt: skip
PARSE_STATUSES = ("ok", "partial", "unparsed", "continuation", "oversize")
DIRECTIONS = ("inbound", "outbound", "internal", "submission", "unknown")
ORIGINS = ("smtpd", "pickup", "bounce", "forward", "requeue", "reinjected", "unknown")
MESSAGE_STATUSES = (
    "delivered", "partial", "deferred", "bounced", "rejected", "held", "discarded", "expired", "deleted",
    "queued", "unknown",
)  # fmt: skip
DELIVERY_STATUSES = ("sent", "deferred", "bounced", "expired", "undeliverable", "deliverable")
SESSION_PROTOCOLS = ("smtp", "submission", "submissions", "lmtp", "imap", "pop3", "managesieve")
SCAN_ORIGINS = ("log", "history", "header")
MAILBOX_ACTIONS = (
    "saved", "save_failed", "sieve_filed", "sieve_discarded", "sieve_redirected", "sieve_rejected",
    "vacation_sent", "duplicate_dropped", "quota_exceeded", "copied", "moved", "flag_changed", "deleted",
    "expunged", "undeleted", "retrieved", "mailbox_created", "mailbox_deleted", "mailbox_renamed",
)  # fmt: skip
LINK_METHODS = (
    "queued_as", "forwarded_as", "bounce_of", "requeued_from", "reinjected", "xforward", "message_id",
    "header_id", "filter_log",
)  # fmt: skip
OUTCOMES = (
    "delivered", "filed_by_sieve", "discarded_by_sieve", "rejected_by_sieve", "forwarded",
    "handed_to_remote", "delivered_to_command", "delivered_to_file", "discarded_by_rule", "rejected",
    "bounced", "expired", "deferred", "held", "deleted_from_queue", "expunged", "retrieved_and_deleted",
    "not_seen",
)  # fmt: skip
CERTAINTIES = ("seen", "inferred", "not_seen")
TRUSTS = ("ours", "trusted", "claimed")
AUTHSERV_TRUSTS = ("ours", "foreign", "missing")
AUTH_FIELDS = (
    "Authentication-Results", "ARC-Authentication-Results", "Received-SPF", "DKIM-Signature", "ARC-Seal",
    "log", "recomputed",
)  # fmt: skip

# Arrow types, and the columns that several tables share.

_STRING, _INT32, _INT64, _FLOAT, _BOOL = pa.string(), pa.int32(), pa.int64(), pa.float64(), pa.bool_()
_TIME = pa.timestamp("us", "UTC")
_STRINGS, _INT64S = pa.list_(pa.string()), pa.list_(pa.int64())
_WORD = pa.dictionary(pa.int8(), pa.string())
_PAIRS = pa.list_(pa.struct([("key", _STRING), ("value", _STRING)]))
_C = Column


def _time(hour: int, minute: int, second: int, microsecond: int = 0) -> datetime:
    return datetime(2026, 3, 2, hour, minute, second, microsecond, tzinfo=UTC)


def _word(
    name: str,
    words: tuple[str, ...],
    sentence: str,
    example: str,
    origin: Origin = "log",
    rfc: str | None = None,
) -> Column:
    return Column(name, _WORD, sentence, example, origin, rfc, vocabulary=words)


_EVIDENCE = _C(
    "evidence", _INT64S, "The event_id of each log line that this row stands on.", [1001, 1007], "derived"
)
_MESSAGE_KEY = _C(
    "message_key", _INT64, "The queue entry of `messages` that this row belongs to.", 42, "derived"
)
_HOST = _C("host", _STRING, "The host that wrote the line.", "mail.example.com")
_DOCUMENT_ID = _C(
    "document_id", _INT64, "The message file of `documents` that this row was read from.", 7, "derived"
)
_CAUSES = (
    _C(
        "cause",
        _STRING,
        "Why the mail was refused or waits, in one word of the taxonomy.",
        "user_unknown",
        "derived",
    ),
    _C("cause_family", _STRING, "The family that the cause belongs to.", "recipient", "derived"),
    _C("permanence", _STRING, "hard when trying again cannot help, else soft.", "hard", "derived"),
    _C("who_acts", _STRING, "Who can mend it: sender, recipient, us, remote or nobody.", "sender", "derived"),
    _C("cause_rule", _STRING, "The rule that named the cause.", "text.user_unknown.1", "derived"),
    _C(
        "cause_sentence",
        _STRING,
        "The cause as a sentence for people.",
        "The mailbox does not exist.",
        "derived",
    ),
)


def _client() -> tuple[Column, ...]:
    return (
        _C(
            "client_name",
            _STRING,
            "The verified reverse name of the client.",
            "out.example.net",
            personal=True,
        ),
        _C("client_ip", _STRING, "The address of the client.", "192.0.2.135", rfc="RFC 5952", personal=True),
    )


def _tls() -> tuple[Column, ...]:
    return (
        _C("tls_version", _STRING, "The TLS version that was agreed.", "TLSv1.3", rfc="RFC 8446"),
        _C(
            "tls_cipher",
            _STRING,
            "The cipher suite that was agreed.",
            "TLS_AES_256_GCM_SHA384",
            rfc="RFC 8446",
        ),
    )


_SOURCES = Table(
    "sources",
    "One row per file, archive member or stream that was read as evidence.",
    (
        _C("source_id", _INT32, "The number of the source within its case.", 1, "derived"),
        _C(
            "path",
            _STRING,
            "The path as the user gave it or as a folder was walked.",
            "logs/mail.log",
            "derived",
        ),
        _C(
            "member",
            _STRING,
            "The member inside an archive; null for a plain file.",
            "var/log/mail.log",
            "derived",
        ),
        _C(
            "sha256",
            _STRING,
            "SHA-256 of the file before it was read, in hexadecimal.",
            "9f86d081",
            "derived",
        ),
        _C("size", _INT64, "Size of the file in bytes.", 81234, "derived"),
        _C("decompressed_size", _INT64, "Size in bytes after decompression.", 901234, "derived"),
        _C("compression", _STRING, "The compression that was undone; null for none.", "gzip", "derived"),
        _C("format", _STRING, "What kind of evidence it is.", "syslog", "derived"),
        _C("host", _STRING, "The host that wrote it, where it is one host.", "mail.example.com"),
        _C("timezone", _STRING, "The zone that stamps without one were read in.", "Europe/Berlin", "derived"),
        _C("timezone_method", _STRING, "How the zone was known.", "given", "derived"),
        _C(
            "year_method",
            _STRING,
            "How the year was known where the stamps have none; `+leap_day` behind it: a 29 February in the log moved it back, "
            "`-leap_day`: it has no 29 February, though the log does.",
            "file_time",
            "derived",
        ),
        _C("time_min", _TIME, "The earliest time that was read.", _time(9, 0, 0), "derived"),
        _C("time_max", _TIME, "The latest time that was read.", _time(23, 59, 59), "derived"),
        _C("lines", _INT64, "How many physical lines it has.", 48210, "derived"),
        _C("events", _INT64, "How many rows of `events` came from it.", 48210, "derived"),
        _C("unparsed", _INT64, "How many of these were not understood.", 12, "derived"),
        _C(
            "limits_hit",
            _STRINGS,
            "The bounds that were reached while reading it.",
            ["line_bytes"],
            "derived",
        ),
        _C(
            "written_at",
            _TIME,
            "When a log was last written: by its gzip header, else by the archive or the file system.",
            _time(23, 59, 59),
            "derived",
        ),
        _C("opened_at", _TIME, "When it was opened.", _time(12, 0, 0), "derived"),
        _C("tool_version", _STRING, "The version of mailforensics that read it.", "0.1.0", "derived"),
    ),
)

_EVENTS = Table(
    "events",
    "One row per log record, those that were not understood included.",
    (
        _C("event_id", _INT64, "Stable number of the record; sorts in reading order within a source.", 1001,
           "derived"),
        _C("source_id", _INT32, "The source that it was read from.", 1, "derived"),
        _C("line_number", _INT64, "The line in the decompressed source, from 1.", 1042, "derived"),
        _C("byte_offset", _INT64, "Where the record begins in the decompressed source.", 190044, "derived"),
        _C("byte_length", _INT32, "How many bytes the record has, without its line end.", 143, "derived"),
        _C("time", _TIME, "When it was written, in UTC.", _time(9, 2, 11, 310000)),
        _C("time_original", _STRING, "The stamp in the words of the source.", "Mar  2 10:02:11",
           rfc="RFC 3164"),
        _word("time_precision", TIME_PRECISIONS, "The finest unit that the stamp states.", "us", "derived"),
        _word("time_method", TIME_METHODS, "How zone and year were known.", "year_inferred", "derived"),
        _HOST,
        _C("program", _STRING, "The program as the line names it.", "postfix/submission/smtpd"),
        _C("instance", _STRING, "The program without its daemon: the server instance.", "postfix/submission"),
        _C("daemon", _STRING, "The daemon: the last part of the program.", "smtpd"),
        _word("system", SYSTEMS, "The mail system that the program belongs to.", "postfix", "derived"),
        _C("pid", _INT64, "The process that wrote it.", 2315),
        _C("severity", _STRING, "The level word of the line, in lower case.", "warning"),
        _C("queue_id", _STRING, "The queue id that the line names.", "3F2A1C0B2"),
        _C("session_id", _STRING, "The session id that the line names.", "kztSJHp+BGtaAgAAYIgGOA"),
        _C("message_id", _STRING, "The Message-ID that the line names.", "<d7979c16f20c@example.com>",
           rfc="RFC 5322 §3.6.4", personal=True),
        _C("kind", _STRING, "The shape of the line; null where none fits.", "postfix.delivery", "derived"),
        _word("parse_status", PARSE_STATUSES, "How far the line was understood.", "ok", "derived"),
        _C("text", _STRING, "The message behind the prefix.", "3F2A1C0B2: removed", personal=True),
        _C("extra", _PAIRS, "Key=value pairs that no column holds.", [{"key": "notes", "value": "bare_lf"}],
           personal=True),
    ),
)  # fmt: skip

_MESSAGES = Table(
    "messages",
    "One row per queue entry on one host, from the line that opens it to the one that ends it.",
    (
        _C("message_key", _INT64, "The number of the queue entry within the case.", 42, "derived"),
        _C("journey_key", _INT64, "The journey of `journeys` that it is a part of.", 7, "derived"),
        _HOST,
        _C("instance", _STRING, "The server instance that holds the queue.", "postfix"),
        _C("queue_id", _STRING, "The name of the entry in the queue; short ones are used again.",
           "3F2A1C0B2"),
        _C("message_id", _STRING, "The Message-ID header: a claim of the sender, not unique.",
           "<d7979c16f20c@example.com>", rfc="RFC 5322 §3.6.4", personal=True),
        _word("direction", DIRECTIONS, "Which way it goes, seen from our servers.", "inbound", "derived"),
        _C("sender", _STRING, "The envelope sender; empty for notifications.", "alex@example.com",
           rfc="RFC 5321 §4.1.1.2", personal=True),
        _C("sender_domain", _STRING, "The domain of the sender in lower case.", "example.com", "derived"),
        _C("recipients", _STRINGS, "The envelope recipients that the log names.", ["bob@example.org"],
           rfc="RFC 5321 §4.1.1.3", personal=True),
        _C("subject", _STRING, "The subject, where a line tells it.", "Offer 4711", rfc="RFC 5322 §3.6.5",
           personal=True),
        _C("size", _INT64, "Size of the message in bytes, as the queue manager counts it.", 2387),
        _C("recipient_count", _INT32, "How many recipients the queue manager counts.", 1),
        *_client(),
        _C("helo", _STRING, "What the client called itself in HELO or EHLO.", "out.example.net",
           rfc="RFC 5321 §4.1.1.1", personal=True),
        _C("protocol", _STRING, "The protocol that it came in by.", "ESMTP", rfc="RFC 5321 §4.4"),
        _C("sasl_method", _STRING, "The SASL mechanism of the login.", "PLAIN", rfc="RFC 4954"),
        _C("sasl_username", _STRING, "The account that logged in.", "alex@example.com", rfc="RFC 4954",
           personal=True),
        *_tls(),
        _C("received_time", _TIME, "When the first line of the entry was written.", _time(9, 2, 11, 200000)),
        _C("queued_time", _TIME, "When the queue manager took it.", _time(9, 2, 11, 520000)),
        _C("removed_time", _TIME, "When it left the queue; null while it is not seen to have left.", _time(9,
           2, 11, 960000)),
        _word("origin", ORIGINS, "How it came into the queue.", "smtpd", "derived"),
        _C("previous_queue_id", _STRING, "The queue entry that it was made from.", "1B4C2D0A1", "derived"),
        _C("next_queue_ids", _STRINGS, "The queue entries that were made from it.", ["4jYBcn5tsv"],
           "derived"),
        _word("status", MESSAGE_STATUSES, "The state of the entry after its last line.", "delivered",
              "derived"),
        _C("complete", _BOOL, "Whether both its beginning and its end are in the evidence.", True, "derived"),
        _EVIDENCE,
    ),
    order=("received_time", "message_key"),
)  # fmt: skip

_DELIVERIES = Table(
    "deliveries",
    "One row per recipient and attempt.",
    (
        _MESSAGE_KEY,
        _C("time", _TIME, "When the attempt ended.", _time(9, 2, 11, 950000)),
        _C("attempt", _INT32, "The number of the attempt for this recipient, from 1.", 1, "derived"),
        _C("recipient", _STRING, "The envelope recipient of the attempt.", "bob@example.org",
           rfc="RFC 5321 §4.1.1.3", personal=True),
        _C("original_recipient", _STRING, "The recipient before aliases were applied.", "sales@example.org",
           personal=True),
        _C("recipient_domain", _STRING, "The domain of the recipient in lower case.", "example.org",
           "derived"),
        _C("agent", _STRING,
           "The delivery agent: smtp, lmtp, local, virtual, pipe, error, discard and so on.", "smtp"),
        _C("relay_name", _STRING, "The server or service that it was handed to.", "mx.example.org"),
        _C("relay_ip", _STRING, "The address of that server.", "203.0.113.10", rfc="RFC 5952"),
        _C("relay_port", _INT32, "The port of that server.", 25),
        _word("status", DELIVERY_STATUSES, "What the attempt came to, in the word of the log.", "sent"),
        _C("dsn", _STRING, "The delivery status code that Postfix logs.", "2.0.0", rfc="RFC 3463"),
        _C("reply_code", _INT32, "The reply code of the other server.", 250, rfc="RFC 5321 §4.2"),
        _C("enhanced_code", _STRING, "The enhanced code in that reply.", "2.0.0", rfc="RFC 3463"),
        _C("stage", _STRING, "The command that was answered: connect, helo, mail, rcpt, data, end-of-data.",
           "rcpt"),
        _C("response", _STRING, "The reply or reason in the words of the log.",
           "250 2.0.0 Ok: queued as 4jYBcn5tsv", personal=True),
        _C("remote_queue_id", _STRING, "The queue id that the other server named.", "4jYBcn5tsv"),
        _C("remote_session_id", _STRING, "The LMTP session id that Dovecot named.", "kztSJHp+BGtaAgAAYIgGOA"),
        _C("connection_reuse", _INT32, "How many deliveries the connection had carried with this one.", 2),
        _C("delay_s", _FLOAT, "Seconds from arrival in the queue to the end of the attempt.", 0.41),
        _C("delay_before_queue_s", _FLOAT, "Part of it before the queue manager: receiving and filtering.",
           0.17),
        _C("delay_in_queue_s", _FLOAT, "Part of it in the queue.", 0.01),
        _C("delay_connect_s", _FLOAT, "Part of it for connecting: DNS, TCP, greeting, TLS.", 0.08),
        _C("delay_transmit_s", _FLOAT, "Part of it for sending the message.", 0.16),
        _C("tls_level", _STRING, "The TLS security level that was asked for.", "may"),
        *_CAUSES,
        _EVIDENCE,
        _C("tls", _STRING, "The tls= word of Postfix 3.11 and later, as written.", "may:none"),
        _HOST,
        _C("queue_id", _STRING, "The queue entry that the attempt belongs to.", "3F2A1C0B2"),
    ),
    order=("time", "evidence"),
)  # fmt: skip

_REJECTS = Table(
    "rejects",
    "One row per refusal before the mail was ours: NOQUEUE, milter, postscreen, proxy.",
    (
        _C("time", _TIME, "When it was refused.", _time(9, 2, 11)),
        _HOST,
        _C("instance", _STRING, "The server instance that refused.", "postfix"),
        _C("queue_id", _STRING, "The queue id, where one existed already.", "3F2A1C0B2"),
        _C("stage", _STRING, "The command that was refused, or header, body, mime-error: the part of a message that a check refused.",
           "RCPT", rfc="RFC 5321 §4.1"),
        _C("action", _STRING, "What was done: reject, milter-reject and so on.", "reject"),
        *_client(),
        _C("client_port", _INT32, "The port of the client.", 50112),
        _C("helo", _STRING, "What the client called itself in HELO or EHLO.", "out.example.net",
           rfc="RFC 5321 §4.1.1.1", personal=True),
        _C("protocol", _STRING, "The protocol that it came in by.", "ESMTP", rfc="RFC 5321 §4.4"),
        _C("sender", _STRING, "The envelope sender.", "pia@example.net", rfc="RFC 5321 §4.1.1.2",
           personal=True),
        _C("recipient", _STRING, "The envelope recipient.", "ghost@example.com", rfc="RFC 5321 §4.1.1.3",
           personal=True),
        _C("sasl_username", _STRING, "The account that had logged in.", "alex@example.com", rfc="RFC 4954",
           personal=True),
        _C("reply_code", _INT32, "The reply code that the client got.", 554, rfc="RFC 5321 §4.2"),
        _C("enhanced_code", _STRING, "The enhanced code in that reply.", "5.7.1", rfc="RFC 3463"),
        _C("text", _STRING, "The text of the reply.", "Relay access denied", personal=True),
        *_CAUSES,
        _C("restriction", _STRING, "The setting of the server that says such a no.",
           "reject_unauth_destination", "derived"),
        _EVIDENCE,
        _MESSAGE_KEY,
        _C("recipient_domain", _STRING, "The domain of the recipient in lower case.", "example.com",
           "derived"),
    ),
    order=("time", "evidence"),
)  # fmt: skip

_COMMANDS = pa.list_(pa.struct([("command", _STRING), ("accepted", _INT32), ("tried", _INT32)]))

_SESSIONS = Table(
    "sessions",
    "One row per connection of a client.",
    (
        _C("session_key", _INT64, "The number of the session within the case.", 3, "derived"),
        _word("protocol", SESSION_PROTOCOLS, "The service that was spoken to.", "submission", "derived"),
        _HOST,
        _C("program", _STRING, "The program that served it.", "postfix/submission/smtpd"),
        _C("pid", _INT64, "The process that served it.", 2315),
        _C("session_id", _STRING, "The session id of Dovecot.", "NqdpXfVgsubAAAJk"),
        _C("start_time", _TIME, "When it began.", _time(9, 2, 10)),
        _C("end_time", _TIME, "When it ended.", _time(9, 2, 12)),
        _C("client_ip", _STRING, "The address of the client.", "192.0.2.135", rfc="RFC 5952", personal=True),
        _C("client_port", _INT32, "The port of the client.", 50112),
        _C("client_name", _STRING, "The verified reverse name of the client.", "out.example.net",
           personal=True),
        _C("local_ip", _STRING, "The address that the client connected to.", "198.51.100.10", rfc="RFC 5952"),
        _C("helo", _STRING, "What the client called itself in HELO or EHLO.", "out.example.net",
           rfc="RFC 5321 §4.1.1.1", personal=True),
        *_tls(),
        _C("auth_method", _STRING, "The SASL mechanism of the login.", "PLAIN", rfc="RFC 4954"),
        _C("username", _STRING, "The account that was logged in to, or tried.", "anna@example.com",
           personal=True),
        _C("auth_outcome", _STRING, "What the login came to.", "ok", "derived"),
        _C("auth_failures", _INT32, "How many logins failed in the session.", 0, "derived"),
        _C("message_keys", _INT64S, "The queue entries of `messages` that came in by it.", [42], "derived"),
        _C("commands", _COMMANDS, "Each command with how often it was accepted and tried.",
           [{"command": "rcpt", "accepted": 1, "tried": 2}]),
        _C("bytes_in", _INT64, "Bytes from the client.", 1832),
        _C("bytes_out", _INT64, "Bytes to the client.", 20177),
        _C("close_reason", _STRING, "Why it ended, in the words of the log.", "Logged out"),
        _EVIDENCE,
    ),
    order=("start_time", "session_key"),
)  # fmt: skip

_SYMBOLS = pa.list_(pa.struct([("name", _STRING), ("score", _FLOAT), ("options", _STRINGS)]))

_SCANS = Table(
    "scans",
    "One row per verdict of a spam filter.",
    (
        _C("time", _TIME, "When the verdict was given.", _time(9, 2, 11, 310000)),
        _C("engine", _STRING, "The filter: rspamd, spamassassin, amavis and so on.", "rspamd"),
        _word("origin", SCAN_ORIGINS, "Where the verdict was read.", "log", "derived"),
        _HOST,
        _C("queue_id", _STRING, "The queue id that the filter was given.", "3F2A1C0B2"),
        _C("message_id", _STRING, "The Message-ID as the filter writes it.", "<d7979c16f20c@example.com>",
           rfc="RFC 5322 §3.6.4", personal=True),
        _MESSAGE_KEY,
        _C("client_ip", _STRING, "The address of the client.", "192.0.2.135", rfc="RFC 5952", personal=True),
        _C("user", _STRING, "The account that had logged in.", "alex@example.com", personal=True),
        _C("sender", _STRING, "The envelope sender.", "alex@example.com", rfc="RFC 5321 §4.1.1.2",
           personal=True),
        _C("recipients", _STRINGS, "The envelope recipients.", ["bob@example.org"], rfc="RFC 5321 §4.1.1.3",
           personal=True),
        _C("action", _STRING, "What the filter asked for.", "add header"),
        _C("score", _FLOAT, "The score; NaN where the filter wrote nan.", 6.4),
        _C("required_score", _FLOAT, "The score that the strongest action needs.", 15.0),
        _C("is_spam", _BOOL, "Whether the filter calls it spam.", False, "derived"),
        _C("is_skipped", _BOOL, "Whether the filter did not look.", False, "derived"),
        _C("forced_action", _STRING, "The action that a rule forced, whatever the score.", "reject"),
        _C("symbols", _SYMBOLS, "The rules that hit, with score and options.", [{"name": "DMARC_POLICY_ALLOW",
           "score": -0.5, "options": ["example.com", "reject"]}], personal=True),
        _C("size", _INT64, "Size of the message in bytes.", 2387),
        _C("scan_time_s", _FLOAT, "Seconds that the scan took, waits for DNS included.", 0.183),
        _C("dns_requests", _INT32, "How many DNS questions the scan asked.", 12),
        _C("settings_id", _STRING, "The settings that applied.", "outbound"),
        _C("subject", _STRING, "The subject, where the filter tells it.", "Offer 4711", rfc="RFC 5322 §3.6.5",
           personal=True),
        _EVIDENCE,
        _C("module", _STRING, "The worker or module that wrote the verdict.", "proxy"),
    ),
    order=("evidence",),
)  # fmt: skip

_MAILBOX_EVENTS = Table(
    "mailbox_events",
    "One row per thing that happened in a mailbox after the hand-over: LMTP, LDA, Sieve, IMAP, POP3.",
    (
        _C("time", _TIME, "When it happened.", _time(9, 2, 12, 10000)),
        _HOST,
        _C("username", _STRING, "The user whose mailbox it is.", "bob@example.org", personal=True),
        _C("session_id", _STRING, "The session id of Dovecot.", "kztSJHp+BGtaAgAAYIgGOA"),
        _C("message_id", _STRING, "The Message-ID as Dovecot writes it.", "<d7979c16f20c@example.com>",
           rfc="RFC 5322 §3.6.4", personal=True),
        _MESSAGE_KEY,
        _word("action", MAILBOX_ACTIONS, "What happened.", "sieve_discarded", "derived"),
        _C("mailbox", _STRING, "The mailbox that it happened in.", "INBOX", personal=True),
        _C("target", _STRING, "Where it went: a mailbox or an address.", "Junk", personal=True),
        _C("uid", _INT64, "The IMAP UID of the message.", 107, rfc="RFC 9051 §2.3.1.1"),
        _C("size", _INT64, "Size of the message in bytes.", 1531),
        _C("flags", _STRING, "The flags as written.", "\\Seen", rfc="RFC 9051 §2.3.2"),
        _C("reason", _STRING, "The reason as written.", "Quota exceeded", personal=True),
        _EVIDENCE,
    ),
    order=("time", "evidence"),
)  # fmt: skip

_LINKS = pa.list_(pa.struct([("from", _INT64), ("to", _INT64), ("method", _STRING), ("confidence", _FLOAT)]))
_OUTCOME_LIST = pa.list_(
    pa.struct(
        [
            ("recipient", _STRING),
            ("original_recipient", _STRING),
            ("outcome", _STRING),
            ("mailbox", _STRING),
            ("sentence", _STRING),
            ("certainty", _STRING),
            ("evidence", _INT64S),
        ]
    )
)

_JOURNEYS = Table(
    "journeys",
    "One row per mail as its sender means it, over all queues and hosts.",
    (
        _C("journey_key", _INT64, "The number of the journey within the case.", 7, "derived"),
        _C("message_id", _STRING, "The Message-ID of the mail.", "<d7979c16f20c@example.com>",
           rfc="RFC 5322 §3.6.4", personal=True),
        _C("sender", _STRING, "The envelope sender of the first queue entry.", "alex@example.com",
           rfc="RFC 5321 §4.1.1.2", personal=True),
        _C("recipients", _STRINGS, "The recipients as the sender named them.", ["bob@example.org"],
           rfc="RFC 5321 §4.1.1.3", personal=True),
        _C("first_time", _TIME, "When it is first seen.", _time(9, 2, 11, 200000), "derived"),
        _C("last_time", _TIME, "When it is last seen.", _time(9, 2, 12, 10000), "derived"),
        _C("message_keys", _INT64S, "Its queue entries in `messages`.", [42, 43], "derived"),
        Column("links", _LINKS, "What ties the queue entries together, and how surely.", [{"from": 42,
               "to": 43, "method": "queued_as", "confidence": 1.0}], "derived",
               members=MappingProxyType({"method": LINK_METHODS})),
        Column("outcomes", _OUTCOME_LIST, "The last known fate of each recipient's copy.",
               [{"recipient": "bob@example.org", "original_recipient": "bob@example.org",
               "outcome": "discarded_by_sieve", "mailbox": None,
               "sentence": "Bob's Sieve script discarded it.", "certainty": "seen", "evidence": [1007]}],
               "derived", personal=True, members=MappingProxyType({"outcome": OUTCOMES,
               "certainty": CERTAINTIES})),
    ),
    order=("first_time", "journey_key"),
)  # fmt: skip

_DOCUMENTS = Table(
    "documents",
    "One row per message file.",
    (
        _C("document_id", _INT64, "The number of the message within the case.", 7, "derived"),
        _C("source_id", _INT32, "The source that it was read from.", 2, "derived"),
        _C("sha256", _STRING, "SHA-256 of the message's bytes, in hexadecimal.", "9f86d081", "derived"),
        _C("message_id", _STRING, "The Message-ID field.", "<d7979c16f20c@example.com>", "header",
           rfc="RFC 5322 §3.6.4", personal=True),
        _C("subject", _STRING, "The Subject field, decoded.", "Offer 4711", "header", rfc="RFC 5322 §3.6.5",
           personal=True),
        _C("from_address", _STRING, "The address in the From field.", "alex@example.com", "header",
           rfc="RFC 5322 §3.6.2", personal=True),
        _C("date", _TIME, "The Date field: what the sender's clock said.", _time(9, 2, 11), "header",
           rfc="RFC 5322 §3.6.1"),
        _C("return_path", _STRING, "The Return-Path field: the envelope sender.", "alex@example.com",
           "header", rfc="RFC 5321 §4.4", personal=True),
        _C("size", _INT64, "Size of the message in bytes.", 3127, "derived"),
        _C("hop_count", _INT32, "How many Received fields it has.", 3, "derived"),
        _C("defects", _STRINGS, "What is wrong with it, in short words.", ["no_date"], "derived"),
    ),
)  # fmt: skip

_HEADERS = Table(
    "headers",
    "One row per header field, from the top.",
    (
        _DOCUMENT_ID,
        _C("ordinal", _INT32, "The place of the field, 0 at the top.", 0, "derived"),
        _C("name", _STRING, "The name of the field as written.", "Received", "header", rfc="RFC 5322 §2.2"),
        _C("raw", pa.binary(), "The bytes of the field as they came.", b"Subject: Offer 4711\r\n", "header",
           personal=True),
        _C("value", _STRING, "The value, unfolded and decoded.", "Offer 4711", "header",
           rfc="RFC 5322 §2.2.3", personal=True),
        _C("line_number", _INT64, "The line of the message that it begins on, from 1.", 1, "derived"),
        _C("byte_offset", _INT64, "Where it begins in the message.", 0, "derived"),
        _C("byte_length", _INT32, "How many bytes it has.", 21, "derived"),
        _C("defects", _STRINGS, "What is wrong with it, in short words.", ["not_ascii"], "derived"),
        _C("event_id", _INT64, "The number that `evidence` of derived rows names it by.", 5001, "derived"),
    ),
)  # fmt: skip

_SPANS = pa.list_(pa.struct([("field", _STRING), ("start", _INT32), ("end", _INT32)]))
_TRACE_RFC = "RFC 5321 §4.4"

_HOPS = Table(
    "hops",
    "One row per Received field; hop 1 is nearest to the sender.",
    (
        _DOCUMENT_ID,
        _C("hop", _INT32, "The number of the hop, 1 nearest to the sender.", 1, "derived", rfc=_TRACE_RFC),
        _C("ordinal", _INT32, "The place of its field in `headers`.", 4, "derived"),
        _C("from_helo", _STRING, "What the client called itself: its claim.", "out.example.net", "header",
           rfc=_TRACE_RFC, personal=True),
        _C("from_name", _STRING, "The reverse name that the server found for it.", "out.example.net",
           "header", rfc=_TRACE_RFC, personal=True),
        _C("from_ip", _STRING, "The address that the server saw.", "192.0.2.135", "header", rfc=_TRACE_RFC,
           personal=True),
        _C("from_port", _INT32, "The port that the server saw.", 50112, "header"),
        _C("ident", _STRING, "The ident answer: worthless as proof.", "www-data", "header", rfc="RFC 1413",
           personal=True),
        _C("by_name", _STRING, "The server that wrote the field.", "mail.example.com", "header",
           rfc=_TRACE_RFC),
        _C("by_ip", _STRING, "The address of that server, where it tells it.", "198.51.100.10", "header"),
        _C("with_protocol", _STRING, "The protocol: ESMTP with S for TLS and A for a login.", "ESMTPSA",
           "header", rfc="RFC 3848"),
        _C("via", _STRING, "The link, where it is named.", "TCP", "header", rfc=_TRACE_RFC),
        _C("id", _STRING, "The queue id on that server: the key to its log.", "3F2A1C0B2", "header",
           rfc=_TRACE_RFC),
        _C("for_address", _STRING, "The recipient, where there was only one.", "bob@example.org", "header",
           rfc=_TRACE_RFC, personal=True),
        _C("envelope_from", _STRING, "The envelope sender, where the server adds it.", "alex@example.com",
           "header", personal=True),
        _C("tls_version", _STRING, "The TLS version that was agreed.", "TLSv1.3", "header",
           rfc="RFC 8314 §4.3"),
        _C("tls_cipher", _STRING, "The cipher suite that was agreed.", "TLS_AES_256_GCM_SHA384", "header",
           rfc="RFC 8314 §4.3"),
        _C("tls_bits", _INT32, "The strength of the cipher in bits.", 256, "header"),
        _C("auth_user", _STRING, "The account that had logged in.", "alex@example.com", "header",
           rfc="RFC 4954", personal=True),
        _C("software", _STRING, "The server software that the field names.", "Postfix", "header"),
        _C("comment", _STRING, "Comments that no column holds.", "may be forged", "header",
           rfc="RFC 5322 §3.2.2"),
        _C("time", _TIME, "When that server took it, by its own clock.", _time(9, 2, 11), "header",
           rfc="RFC 5322 §3.3"),
        _C("time_original", _STRING, "The stamp as written.", "Mon, 2 Mar 2026 10:02:11 +0100", "header"),
        _C("utc_offset_min", _INT32, "The zone of the stamp in minutes east of UTC; null for -0000.", 60,
           "header", rfc="RFC 5322 §3.3"),
        _C("delay_s", _FLOAT, "Seconds since the hop before, signed.", 0.5, "derived"),
        _C("clock_suspect", _BOOL, "Whether the clock of this hop contradicts its neighbours.", False,
           "derived"),
        _word("trust", TRUSTS, "Whether the field was written by a server of ours.", "ours", "derived"),
        _C("format", _STRING, "The family of server software whose shape it has.", "postfix", "derived"),
        _word("parse_status", PARSE_STATUSES, "How far the field was understood.", "ok", "derived"),
        _C("defects", _STRINGS, "What is wrong with it, in short words.", ["no_zone"], "derived"),
        _C("spans", _SPANS, "Where in the raw field each value stands.", [{"field": "from_ip", "start": 31,
           "end": 42}], "derived"),
        _C("role", _STRING, "What the hop is: submission, relay, delivery and so on.", "submission",
           "derived"),
    ),
)  # fmt: skip

_PROPERTIES = pa.list_(pa.struct([("ptype", _STRING), ("property", _STRING), ("value", _STRING)]))
_AR_RFC = "RFC 8601 §2.2"

_AUTH_RESULTS = Table(
    "auth_results",
    "One row per method that an authentication field reports.",
    (
        _DOCUMENT_ID,
        _C("ordinal", _INT32, "The place of its field in `headers`.", 2, "derived"),
        _word("field", AUTH_FIELDS, "The field or source that says it.", "Authentication-Results", "header"),
        _C("authserv_id", _STRING, "Who says it.", "mail.example.com", "header", rfc="RFC 8601 §2.5"),
        _word("authserv_trust", AUTHSERV_TRUSTS, "Whether that is a server of ours above the border.", "ours",
              "derived", rfc="RFC 8601 §1.2"),
        _C("method", _STRING, "What was checked.", "spf", "header", rfc="RFC 8601 §2.7"),
        _C("result", _STRING, "What it came to.", "pass", "header", rfc="RFC 8601 §2.7"),
        _C("reason", _STRING, "The reason or comment that is given.", "2048-bit key", "header", rfc=_AR_RFC),
        _C("smtp_mailfrom", _STRING, "The envelope sender that was checked.", "alex@example.com", "header",
           rfc="RFC 8601 §2.7.2", personal=True),
        _C("smtp_helo", _STRING, "The HELO name that was checked.", "out.example.net", "header",
           rfc="RFC 8601 §2.7.2", personal=True),
        _C("smtp_auth", _STRING, "The account that had logged in.", "alex@example.com", "header",
           rfc="RFC 8601 §2.7.4", personal=True),
        _C("smtp_remote_ip", _STRING, "The address of the client.", "192.0.2.135", "header", rfc="RFC 8617",
           personal=True),
        _C("header_from", _STRING, "The domain of the From field.", "example.com", "header", rfc="RFC 9989",
           personal=True),
        _C("header_d", _STRING, "The domain that signed (d=).", "example.com", "header", rfc="RFC 6376 §3.5"),
        _C("header_i", _STRING, "The identity that signed (i=).", "@example.com", "header",
           rfc="RFC 6376 §3.5", personal=True),
        _C("header_s", _STRING, "The selector of the key (s=).", "mail2026", "header", rfc="RFC 6376 §3.5"),
        _C("header_a", _STRING, "The algorithm (a=).", "rsa-sha256", "header", rfc="RFC 6376 §3.5"),
        _C("header_b", _STRING, "The first characters of the signature (b=).", "dGVzdA", "header",
           rfc="RFC 6008"),
        _C("policy", _STRING, "The policy that the domain asks for.", "reject", "header", rfc="RFC 9989"),
        _C("arc_instance", _INT32, "The ARC instance (i=).", 1, "header", rfc="RFC 8617 §4.2.1"),
        _C("aligned", _BOOL, "Whether the checked domain is the one in From.", True, "derived",
           rfc="RFC 9989"),
        _C("properties", _PROPERTIES, "All properties as written.", [{"ptype": "smtp", "property": "mailfrom",
           "value": "alex@example.com"}], "header", rfc="RFC 8601 §2.3", personal=True),
        _word("parse_status", PARSE_STATUSES, "How far the field was understood.", "ok", "derived"),
    ),
)  # fmt: skip

_FINDINGS = Table(
    "findings",
    "One row per answer worth a sentence.",
    (
        _C("finding", _STRING, "The name of the finding.", "discarded_by_sieve", "derived"),
        _C("severity", _STRING, "How much it matters.", "warning", "derived"),
        _C("subject", _STRING, "Which message, hop or host it is about.", "message 42", "derived",
           personal=True),
        _C("sentence", _STRING, "The answer as a sentence for people.",
           "Bob's Sieve script discarded the message.", "derived", personal=True),
        _word("certainty", CERTAINTIES, "Whether it is seen, inferred or not seen.", "seen", "derived"),
        _C("rule", _STRING, "The rule that found it.", "lost.sieve_discard", "derived"),
        _EVIDENCE,
        _C("innocent", _STRING, "The innocent explanation, where there is one.",
           "The clock of that host is wrong.", "derived", personal=True),
        _C("source", _STRING, "The publication that the rule follows.", "RFC 8601 §5", "derived"),
        _C("host", _STRING, "The host that it is about.", "mail.example.com", "derived"),
        _C("time", _TIME, "When it happened.", _time(9, 2, 12), "derived"),
        _C("message_keys", _INT64S, "The queue entries of `messages` that it is about.", [42], "derived"),
    ),
)  # fmt: skip

_DNS_RECORDS = Table(
    "dns_records",
    "One row per DNS question that the user allowed to be asked.",
    (
        _C("time", _TIME, "When it was asked.", _time(12, 0, 0), "derived"),
        _C("question", _STRING, "The name that was asked for.", "example.com", "derived", personal=True),
        _C("type", _STRING, "The record type that was asked for.", "TXT", "derived", rfc="RFC 1035 §3.2.2"),
        _C("answer", _STRINGS, "The records that came back.", ["v=spf1 -all"], "derived", personal=True),
        _C("status", _STRING, "The response code or error.", "NOERROR", "derived", rfc="RFC 1035 §4.1.1"),
        _C("resolver", _STRING, "The resolver that answered.", "192.0.2.53", "derived"),
        _C("ttl_s", _FLOAT, "Seconds that the answer may be kept.", 300.0, "derived", rfc="RFC 1035 §3.2.1"),
    ),
)  # fmt: skip

_QUEUE_ENTRIES = Table(
    "queue_entries",
    "One row per recipient that a saved `postqueue -j` shows waiting.",
    (
        _C("source_id", _INT32, "The source that it was read from.", 1, "derived"),
        _C("line_number", _INT64, "The line in that source, from 1.", 3, "derived"),
        _C("time", _TIME, "When the queue was looked at: the time of the file.", _time(9, 40, 0), "derived"),
        _C("queue_name", _STRING, "The queue that it waits in: active, deferred, hold, incoming.", "deferred"),
        _C("queue_id", _STRING, "The name of the entry in the queue.", "3F2A1C0B2"),
        _C("arrival_time", _TIME, "When it came into the queue.", _time(9, 2, 11)),
        _C("size", _INT64, "Size of the message in bytes.", 2387),
        _C("sender", _STRING, "The envelope sender.", "alex@example.com", rfc="RFC 5321 §4.1.1.2", personal=True),
        _C("recipient", _STRING, "The recipient that waits.", "bob@example.org", rfc="RFC 5321 §4.1.1.3",
           personal=True),
        _C("reason", _STRING, "Why it waits, in the words of the queue.", "connect to mx.example.org: Connection refused",
           personal=True),
        _word("parse_status", PARSE_STATUSES, "How far the line was understood.", "ok", "derived"),
    ),
)  # fmt: skip

#: All tables by name, in the order in which the data climbs.
DSN_ACTIONS = ("failed", "delayed", "delivered", "relayed", "expanded")
DSN_FORMATS = ("rfc3464", "text", "feedback")
DSN_METHODS = ("queue_id", "remote_queue_id", "message_id", "recipient")

_DSNS = Table(
    "dsns",
    "One row per recipient that a bounce, delay notice or complaint among the messages tells of, with the delivery that it is about.",
    (
        _C("document_id", _INT64, "The message that says it.", 7, "derived"),
        _word("format", DSN_FORMATS, "How it says it: as RFC 3464, in words, or as a complaint of RFC 5965.", "rfc3464", "header"),
        _C("final_recipient", _STRING, "The recipient that it tells of.", "nobody@example.org", "header", rfc="RFC 3464 §2.3.2", personal=True),
        _C("original_recipient", _STRING, "The recipient as the sender named it.", "nobody@example.org", "header", rfc="RFC 3464 §2.3.1",
           personal=True),
        _word("action", DSN_ACTIONS, "What was done with the mail for it.", "failed", "header", rfc="RFC 3464 §2.3.3"),
        _C("status", _STRING, "The enhanced status code.", "5.1.1", "header", rfc="RFC 3463"),
        _C("diagnostic", _STRING, "The reason, in the words of the server that refused.", "550 5.1.1 User unknown", "header",
           rfc="RFC 3464 §2.3.6", personal=True),
        _C("remote_mta", _STRING, "The server that refused.", "mx.example.org", "header", rfc="RFC 3464 §2.3.5", personal=True),
        _C("reporting_mta", _STRING, "The server that reports.", "mail.example.com", "header", rfc="RFC 3464 §2.2.2", personal=True),
        _C("arrival_date", _TIME, "When that server had taken the mail.", _time(9, 2, 11), "header", rfc="RFC 3464 §2.2.5"),
        _C("last_attempt_date", _TIME, "When it tried last.", _time(9, 2, 12), "header", rfc="RFC 3464 §2.3.7"),
        _C("notified", _TIME, "The Date field of the notification.", _time(9, 2, 13), "header"),
        _C("queue_id", _STRING, "The queue id of the mail on the server that reports.", "88357C9", "header"),
        _C("original_message_id", _STRING, "The Message-ID of the mail that it is about.", "<d7979c16f20c@example.com>", "header",
           personal=True),
        _C("original_envelope_id", _STRING, "The envelope id that the sender gave the mail.", "QQ314159", "header", rfc="RFC 3464 §2.2.1",
           personal=True),
        _C("cause", _STRING, "What the reason means.", "user_unknown", "derived"),
        _C("cause_family", _STRING, "The family of the cause.", "recipient", "derived"),
        _C("permanence", _STRING, "Whether trying again helps.", "hard", "derived"),
        _C("who_acts", _STRING, "Who can mend it.", "sender", "derived"),
        _C("stage", _STRING, "The stage of the SMTP dialogue at which it was said.", "RCPT", "derived"),
        _C("cause_rule", _STRING, "The rule that knew the cause.", "user_unknown", "derived"),
        _C("rule_basis", _STRING, "What the rule looked at.", "text", "derived"),
        _C("blocklist", _STRING, "The blocklist that the reason names.", "dnsbl.example.net", "derived"),
        _C("retry_after_s", _FLOAT, "After how long to try again, in seconds.", 300.0, "derived"),
        _C("last_cause", _STRING, "Of mail that was given up: the cause of the last try.", "connect_failed", "derived"),
        _C("sentence", _STRING, "The cause in words.", "The recipient's address does not exist; the sender must correct the address.",
           "derived", personal=True),
        _C("defects", _STRINGS, "What is wrong with the notification, in short words.", ["mime_too_deep"], "derived"),
        _C("message_key", _INT64, "The message whose delivery it is about; null where the log does not hold it.", 2199023255558, "derived"),
        _C("journey_key", _INT64, "The journey of that message.", 2199023255558, "derived"),
        _C("delivery_time", _TIME, "The try that it reports, in the log.", _time(9, 2, 12), "derived"),
        _word("delivery_status", DELIVERY_STATUSES, "How that try ended in the log.", "bounced", "derived"),
        _word("matched_by", DSN_METHODS, "By what the delivery was recognised, the surest first.", "queue_id", "derived"),
        _word("match_certainty", CERTAINTIES, "Inferred where only the recipient fits.", "seen", "derived"),
    ),
    order=("document_id",),
)  # fmt: skip

TABLES: Mapping[str, Table] = MappingProxyType(
    {
        described.name: described
        for described in (
            _SOURCES, _EVENTS, _MESSAGES, _DELIVERIES, _REJECTS, _SESSIONS, _SCANS, _MAILBOX_EVENTS,
            _JOURNEYS, _DOCUMENTS, _HEADERS, _HOPS, _AUTH_RESULTS, _FINDINGS, _DNS_RECORDS, _QUEUE_ENTRIES, _DSNS,
        )
    }
)  # fmt: skip
