"""Which setting of main.cf said no: from the text of a reject line of Postfix to the restriction that writes it.

    NOQUEUE: reject: RCPT from unknown[192.0.2.1]: 450 4.7.1 Client host rejected: cannot find your reverse hostname, [192.0.2.1]; ...

The texts are those that Postfix's smtpd (up to 3.11), postscreen and cleanup write, see smtpd(8), access(5) and
postconf(5) "smtpd_recipient_restrictions". Most of them belong to one restriction; ``Access denied`` and any text
that an administrator wrote can come from several, then ``certain`` is false and the likeliest one is named.
"""

from __future__ import annotations

from dataclasses import dataclass

import polars as pl

from mailforensics.errors import OptionError
from mailforensics.findings import replies

COLUMNS = ("restriction", "setting", "certain", "blocklist")


@dataclass(frozen=True, slots=True)
class Refusal:
    """One text of Postfix and the setting behind it.

    `text` is a regular expression on the lower-case text; `restriction` may hold ``{who}``, filled with the part of
    the transaction that the text names (client, helo, sender, recipient, ...).
    """

    text: str
    restriction: str
    setting: str
    certain: bool = True


# The names that smtpd gives the parts of a transaction in a text, and those that restrictions give them.
_PARTS = {
    "unverified client host": "reverse_client_hostname",
    "client host": "client",
    "client certificate": "ccert",
    "sasl login name": "sasl",
    "helo command": "helo",
    "sender address": "sender",
    "recipient address": "recipient",
    "data command": "data",
    "end-of-data": "end_of_data",
    "etrn command": "etrn",
}

_LISTS = "smtpd_{who}_restrictions"

REFUSALS = (
    Refusal(
        "cannot find your reverse hostname",
        "reject_unknown_reverse_client_hostname",
        "smtpd_client_restrictions",
    ),
    Refusal("cannot find your hostname", "reject_unknown_client_hostname", "smtpd_client_restrictions"),
    Refusal("session encryption is required", "reject_plaintext_session", "smtpd_client_restrictions"),
    Refusal("must issue a starttls command first", "smtpd_tls_security_level", "smtpd_tls_security_level"),
    Refusal("encryption required for requested", "smtpd_tls_auth_only", "smtpd_tls_auth_only"),
    # HELO
    Refusal("rejected: invalid ip address", "reject_invalid_helo_hostname", "smtpd_helo_restrictions"),
    Refusal("helo command rejected: invalid name", "reject_invalid_helo_hostname", "smtpd_helo_restrictions"),
    Refusal("need fully-qualified hostname", "reject_non_fqdn_helo_hostname", "smtpd_helo_restrictions"),
    Refusal(
        "helo command rejected: (?:host not found|malformed dns server reply)",
        "reject_unknown_helo_hostname",
        "smtpd_helo_restrictions",
    ),
    Refusal(
        "(?:send|need) (?:helo|ehlo|helo/ehlo) first|polite people say",
        "smtpd_helo_required",
        "smtpd_helo_required",
    ),
    # sender and recipient
    Refusal("need fully-qualified address", "reject_non_fqdn_{who}", _LISTS),
    Refusal(
        "rejected: (?:domain not found|malformed dns server reply|domain .* does not accept mail)",
        "reject_unknown_{who}_domain",
        _LISTS,
    ),
    Refusal("rejected: (?:undeliverable|unverified) address", "reject_unverified_{who}", _LISTS),
    Refusal("address verification (?:in progress|problem)", "reject_unverified_{who}", _LISTS),
    Refusal(
        "sender address rejected: not owned by user",
        "reject_sender_login_mismatch",
        "smtpd_sender_login_maps",
    ),
    Refusal(
        "sender address rejected: not logged in",
        "reject_unauthenticated_sender_login_mismatch",
        "smtpd_sender_login_maps",
        certain=False,
    ),
    Refusal("user unknown in local recipient table", "reject_unlisted_{who}", "local_recipient_maps"),
    Refusal("user unknown in virtual mailbox table", "reject_unlisted_{who}", "virtual_mailbox_maps"),
    Refusal("user unknown in virtual alias table", "reject_unlisted_{who}", "virtual_alias_maps"),
    Refusal("user unknown in relay recipient table", "reject_unlisted_{who}", "relay_recipient_maps"),
    Refusal("address rejected: user unknown", "reject_unlisted_{who}", "local_recipient_maps", certain=False),
    Refusal("^4[0-9]{2} .*relay access denied", "defer_unauth_destination", "smtpd_relay_restrictions"),
    Refusal("relay access denied", "reject_unauth_destination", "smtpd_relay_restrictions"),
    Refusal("bad sender address syntax", "strict_rfc821_envelopes", "strict_rfc821_envelopes", certain=False),
    Refusal(
        "bad recipient address syntax", "strict_rfc821_envelopes", "strict_rfc821_envelopes", certain=False
    ),
    # blocklists
    Refusal(
        "service unavailable; client \\[.*blocked using", "postscreen_dnsbl_sites", "postscreen_dnsbl_action"
    ),
    Refusal(
        r"unverified client host \[[^]]*\] blocked using",
        "reject_rhsbl_reverse_client",
        "smtpd_client_restrictions",
    ),
    Refusal(r"client host \[[0-9a-f.:]+\] blocked using", "reject_rbl_client", "smtpd_client_restrictions"),
    Refusal(r"client host \[[^]]*\] blocked using", "reject_rhsbl_client", "smtpd_client_restrictions"),
    Refusal(
        r"(?:helo command|sender address|recipient address) \[.* blocked using", "reject_rhsbl_{who}", _LISTS
    ),
    Refusal("blocked using", "reject_rbl_client", "smtpd_client_restrictions", certain=False),
    # DATA and the message
    Refusal("multi-recipient bounce", "reject_multi_recipient_bounce", "smtpd_data_restrictions"),
    Refusal("improper use of smtp command pipelining", "reject_unauth_pipelining", "smtpd_data_restrictions"),
    Refusal(
        "smtp protocol synchronization", "smtpd_forbid_unauth_pipelining", "smtpd_forbid_unauth_pipelining"
    ),
    Refusal(
        "bare <> received|bare lf received|bare newline",
        "smtpd_forbid_bare_newline",
        "smtpd_forbid_bare_newline",
    ),
    Refusal(
        "message size exceeds fixed limit|message too big|message file too big",
        "message_size_limit",
        "message_size_limit",
    ),
    Refusal("insufficient system storage", "queue_minfree", "queue_minfree"),
    Refusal(
        "message content rejected|message contents? violat", "header_checks", "header_checks", certain=False
    ),
    Refusal("must declare smtputf8|smtputf8", "smtputf8_enable", "smtputf8_enable", certain=False),
    # how much at once
    Refusal(
        "too many connections",
        "smtpd_client_connection_count_limit",
        "smtpd_client_connection_rate_limit",
        certain=False,
    ),
    Refusal("too much mail from", "smtpd_client_message_rate_limit", "smtpd_client_message_rate_limit"),
    Refusal(
        "too many recipients from", "smtpd_client_recipient_rate_limit", "smtpd_client_recipient_rate_limit"
    ),
    Refusal("too many recipients", "smtpd_recipient_limit", "smtpd_recipient_limit"),
    Refusal(
        "too many new tls sessions",
        "smtpd_client_new_tls_session_rate_limit",
        "smtpd_client_new_tls_session_rate_limit",
    ),
    Refusal("too many auth commands", "smtpd_client_auth_rate_limit", "smtpd_client_auth_rate_limit"),
    Refusal("too many errors", "smtpd_hard_error_limit", "smtpd_hard_error_limit"),
    # postscreen
    Refusal("all server ports are busy", "postscreen_pre_queue_limit", "postscreen_pre_queue_limit"),
    Refusal("service currently unavailable", "postscreen", "postscreen_greet_action", certain=False),
    Refusal("5\\.5\\.1 protocol error", "postscreen_greet_action", "postscreen_greet_action", certain=False),
    # trouble of our own
    Refusal("temporary lookup failure", "lookup table failure", "the tables of the restrictions"),
    Refusal("server configuration problem", "check_policy_service", _LISTS),
    Refusal("server configuration error", "configuration error", "the restriction lists"),
    Refusal("server local data error|queue file write error", "queue file", "the mail queue"),
    Refusal(
        "authentication failed|authentication not enabled", "smtpd_sasl_auth_enable", "smtpd_sasl_auth_enable"
    ),
    # what a policy server, a milter or a table wrote
    Refusal("gr[ea]ylist|policy rejection", "check_policy_service", _LISTS, certain=False),
    Refusal(
        "service unavailable - try again later|^[0-9. ]*command rejected",
        "smtpd_milters",
        "smtpd_milters",
        certain=False,
    ),
    Refusal("rejected: try again later", "defer", _LISTS),
    Refusal("rejected: access denied", "check_{who}_access", _LISTS, certain=False),
    Refusal("service unavailable", "reject_rbl_client", "smtpd_client_restrictions", certain=False),
    Refusal("(?:" + "|".join(_PARTS) + ") rejected: ", "check_{who}_access", _LISTS, certain=False),
)

# Actions of the line that name the setting whatever the text says.
_ACTIONS = {
    "milter-reject": ("smtpd_milters", "smtpd_milters"),
    "milter-hold": ("smtpd_milters", "smtpd_milters"),
    "milter-discard": ("smtpd_milters", "smtpd_milters"),
    "proxy-reject": ("smtpd_proxy_filter", "smtpd_proxy_filter"),
}

# What cleanup looked at when it refused, whatever text the rule gave; mime_header_checks and nested_header_checks say "header", too.
_STAGES = {
    "header": ("header_checks", "header_checks", False),
    "body": ("body_checks", "body_checks", True),
    "mime-error": ("strict_mime_encoding_domain", "strict_mime_encoding_domain", False),
}


def name_restrictions(frame: pl.DataFrame) -> pl.DataFrame:
    """The restriction of each reject: restriction, setting, certain, blocklist; one row for each row of `frame`.

    `frame` has the column ``text`` (with or without the reply code), and where known ``action`` (``reject``,
    ``milter-reject``, ``proxy-reject``, ...), ``reply_code`` and ``stage`` (``header`` or ``body`` where cleanup refused). Returns restriction (as written in main.cf),
    setting (the parameter where it stands), certain (false when other restrictions write that text, too)
    and blocklist (the DNS zone of an RBL reject). A text that Postfix does not write gives null.

    Raises `OptionError` when the column ``text`` is missing. Source: smtpd(8), postscreen(8), postconf(5).

    >>> frame = pl.DataFrame({"text": ["554 5.7.1 <anna@example.com>: Relay access denied"]})
    >>> name_restrictions(frame).row(0)
    ('reject_unauth_destination', 'smtpd_relay_restrictions', True, None)
    """
    if "text" not in frame.columns:
        raise OptionError("rejects need the column text; rename yours.")
    given = frame.select(_column(frame, name) for name in ("text", "action", "reply_code", "stage"))
    low = pl.concat_str("reply_code", pl.lit(" "), "text").fill_null(pl.col("text")).str.to_lowercase()
    plain = given.select(
        "action", _stage(), low.str.replace_all("<[^>]*>", "<>").alias("low")
    )  # no stranger's words
    distinct = plain.unique(maintain_order=True)
    answers = distinct.with_columns(_answers(distinct["low"])).with_columns(_by_action())
    return plain.join(answers, on=plain.columns, how="left", nulls_equal=True, maintain_order="left").select(
        COLUMNS
    )


def _column(frame: pl.DataFrame, name: str) -> pl.Expr:
    value = pl.col(name).cast(pl.String) if name in frame.columns else pl.lit(None, pl.String)
    return value.alias(name)


def _answers(low: pl.Series) -> list[pl.Expr]:
    """Which refusal fits first, as columns; asked of the texts without their addresses and numbers."""
    number = _first_refusal(low)
    table = pl.DataFrame(
        {
            "number": range(len(REFUSALS)),
            "restriction": [each.restriction for each in REFUSALS],
            "setting": [each.setting for each in REFUSALS],
            "certain": [each.certain for each in REFUSALS],
        },
        schema_overrides={"number": pl.Int64},
    )
    found = number.to_frame("number").join(table, on="number", how="left", maintain_order="left")
    part = low.to_frame("low").select(_part("low")).to_series()
    named = found.with_columns(part.alias("who")).with_columns(
        _filled("restriction").str.replace("^check_(?:data|end_of_data)_access$", "reject"),
        _filled("setting").str.replace("smtpd_(?:reverse_client_hostname|ccert|sasl)_", "smtpd_client_"),
    )
    zone = low.to_frame("low").select(replies.blocklist("low")).to_series()
    blocked = named["restriction"].str.contains("rbl|rhsbl|dnsbl").fill_null(False)
    return [
        pl.lit(named["restriction"]).alias("restriction"),
        pl.lit(named["setting"]).alias("setting"),
        pl.lit(named["certain"]).alias("certain"),
        pl.when(pl.lit(blocked)).then(pl.lit(zone)).alias("blocklist"),
    ]


def _first_refusal(low: pl.Series) -> pl.Series:
    """For each text the number of the first of `REFUSALS` that fits, or null."""
    choice = pl.lit(None, pl.Int64)
    for number in range(len(REFUSALS) - 1, -1, -1):
        choice = (
            pl.when(pl.col("low").str.contains(REFUSALS[number].text))
            .then(pl.lit(number, pl.Int64))
            .otherwise(choice)
        )
    return low.to_frame("low").select(choice).to_series()


def _part(column: str) -> pl.Expr:
    """Which part of the transaction a text names, in the words of the restrictions; recipient when it names none."""
    said = pl.col(column).str.extract("(" + "|".join(_PARTS) + r") (?:rejected|\[)")
    return said.replace_strict(_PARTS, default="recipient", return_dtype=pl.String)


def _filled(column: str) -> pl.Expr:
    """The name with {who} filled in."""
    return (
        pl.when(pl.col(column).str.contains("{who}", literal=True))
        .then(pl.col(column).str.replace("{who}", pl.col("who"), literal=True))
        .otherwise(column)
        .alias(column)
    )


def _stage() -> pl.Expr:
    """The stage where it alone names the setting, else null; an RCPT is no news to the texts."""
    return pl.when(pl.col("stage").is_in(list(_STAGES))).then("stage").alias("stage")


def _by_action() -> list[pl.Expr]:
    """The setting that the action or the stage of the line names, before what the text says."""
    actions = {action: (*named, True) for action, named in _ACTIONS.items()}

    def told(at: int, dtype: pl.DataType | type[pl.DataType]) -> pl.Expr:
        return pl.coalesce(
            pl.col(column).replace_strict(
                {word: named[at] for word, named in words.items()}, default=None, return_dtype=dtype
            )
            for column, words in (("action", actions), ("stage", _STAGES))
        )

    return [
        pl.coalesce(told(0, pl.String), "restriction").alias("restriction"),
        pl.coalesce(told(1, pl.String), "setting").alias("setting"),
        pl.coalesce(told(2, pl.Boolean), "certain").alias("certain"),
    ]
