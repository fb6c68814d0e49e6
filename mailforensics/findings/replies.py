"""Reading one reply text: its codes, the SMTP stage it came at, what it names, and the plain form rules look at.

The texts are those that mail servers write about a failed delivery ::

    host mx.example.net[192.0.2.1] said: 452 4.2.2 Mailbox full (in reply to RCPT TO command)      Postfix
    SMTP error from remote mail server after RCPT TO:<anna@example.net>: 550 No such user          Exim
    192.0.2.1 does not like recipient. Remote host said: 550 sorry, no mailbox here                qmail

Reply codes follow RFC 5321 section 4.2, enhanced status codes RFC 3463. Everything here works on whole polars
columns and on lower-case text.
"""

from __future__ import annotations

import polars as pl

STAGES = ("connect", "helo", "mail", "rcpt", "data", "end-of-data", "queue", "local")

# What the servers call the stages; the names of Postfix rejects, of "in reply to", and of other systems.
STAGE_NAMES = {
    "connect": "connect",
    "connection": "connect",
    "initial connection": "connect",
    "initial server greeting": "connect",
    "greeting": "connect",
    "greeting failed": "connect",
    "refused to talk to me": "connect",
    "helo": "helo",
    "ehlo": "helo",
    "lhlo": "helo",
    "starttls": "helo",
    "auth": "helo",
    "ehlo handshake": "helo",
    "helo handshake": "helo",
    "lhlo handshake": "helo",
    "my name was rejected": "helo",
    "mail": "mail",
    "mail from": "mail",
    "sender was rejected": "mail",
    "pipelined mail from": "mail",
    "rcpt": "rcpt",
    "rcpt to": "rcpt",
    "pipelined rcpt to": "rcpt",
    "does not like recipient": "rcpt",
    "vrfy": "rcpt",
    "data": "data",
    "data command": "data",
    "pipelined data": "data",
    "failed on data": "data",
    "bdat": "data",
    "data content": "end-of-data",
    "bdat content": "end-of-data",
    "message body": "end-of-data",
    "text": "end-of-data",
    "final data": "end-of-data",
    "failed after i sent the message": "end-of-data",
    "end of data": "end-of-data",
    "pipelined end of data": "end-of-data",
    "end-of-data": "end-of-data",
    "end-of-message": "end-of-data",
    "eom": "end-of-data",
    "queue": "queue",
    "local": "local",
}

_STAGE_IN_TEXT = (
    r"(?:in reply to |after (?:sending )?|did not like our |while (?:sending |performing the |receiving the )|"
    r"server for |but |^|[0-9\]] |i )"
    r"((?:pipelined )?(?:end of data|mail from|rcpt to|data)|initial (?:connection|server greeting)|final data|"
    r"(?:ehlo|helo|lhlo) handshake|ehlo|helo|lhlo|starttls|message body|data command|greeting(?: failed)?|"
    r"sender was rejected|my name was rejected|does not like recipient|failed after i sent the message|"
    r"failed on data|text|refused to talk to me)"
    r"(?: command|:|<| |$|\.|,)"
)

_REPLY_CODE = r"(?:^|[:'\"<>(#,=\]-] ?|said: |\A)([245][0-57][0-9])(?:[ :,;/)-]|$)|(?:^|[^0-9.])([245][0-57][0-9])[ -]#?[245]\.[0-9]"

# Words of texts that may name a stage.
STAGE_HINTS = (
    "in reply to ",
    "talk to me",
    "after ",
    "did not like",
    "while ",
    "server for",
    "but ",
    "does not like",
    "i sent",
    "my name",
)

_ENHANCED_CODE = r"(?:^|[^0-9.])([245]\.[0-9]{1,3}\.[0-9]{1,3})(?:[^0-9.]|\.[^0-9]|\.?$)"

_ACCEPTED = r"^2[0-5][0-9](?:[ -]|$)"

# Markup around a reply: what shows that some is there, tags, and what stands for a character.
_MARKED = (
    "<br",
    "</",
    "<p>",
    "&lt;",
    "&gt;",
    "&quot;",
    "&amp;",
    "&nbsp;",
    "&#",
    "%20",
    "%3a",
    "%3c",
    "\\n",
    "\\r",
    "=20",
    "’",
    "´",
)
_TAG = (
    r"</?(?:br|p|b|i|u|a|hr|tt|td|th|tr|li|ul|ol|em|div|pre|span|font|body|html|head|code|table|strong|small|h[1-6])"
    r"(?: [^<>]*)?/?>"
)
_PLUSES = r"^[^+ ]*\+[^+ ]+\+[^+ ]+\+"  # words joined as web forms send them
_ESCAPED = {
    "&lt;": "<",
    "&gt;": ">",
    "&quot;": '"',
    "&amp;": "&",
    "&nbsp;": " ",
    "&#13;": " ",
    "&#10;": " ",
    "&#39;": "'",
    "&#x27;": "'",
    "%20": " ",
    "%0d": " ",
    "%0a": " ",
    "%22": '"',
    "%27": "'",
    "%2c": ",",
    "%2f": "/",
    "%3a": ":",
    "%3b": ";",
    "%3c": "<",
    "%3e": ">",
    "%40": "@",
    "=20": " ",
    "\\r": " ",
    "\\n": " ",
    "’": "'",
    "´": "'",
}

# Short forms of "not": what shows that there may be some, and their long forms.
_SHORT_NOT = ("n't", "can not", " dont ", " doesnt ", " didnt ", " isnt ", " cant ", " couldnt ")
_LONG_NOT = (
    (r"\b(do|does|did|is|are|was|were|has|have|had|could|would|should)n'?t\b", "$1 not"),
    (r"\b(?:can'?t|can not)\b", "cannot"),
    (r"\bwon't\b", "will not"),
)

# What differs from one reply to the next and decides nothing: each pattern and what takes its place.
_SKELETON = (
    (r"<[^<>@]*@[^<> ]*>|[^ <>()\[\]\"',;:]+@[a-z0-9.-]+", "@"),
    (
        r"[0-9]{1,3}\.[0-9]{1,3}\.[0-9]{1,3}\.[0-9]{1,3}|[0-9a-f]{1,4}:[0-9a-f:]{4,40}:[0-9a-f]{1,4}",
        "0.0.0.0",  # noqa: S104 - a word, not an address to bind to
    ),
    (r"[a-z0-9_.+/-]*[0-9][a-z_.+/-]{1,9}[0-9][a-z0-9_+/-]*[a-z][a-z0-9_+/-]*|[0-9]{5,}", "0"),
)

# What Postfix writes before the reason of any rule that it looks up at RCPT TO: one word, as it says nothing of the recipient.
_AT_RCPT = "rcpt_rejected"

# Words of texts that the next patterns are for.
_WRAPPED = (
    "said: ",
    "talk to me",
    "returned",
    "was: ",
    "smtp error",
    "did not like",
    "in reply to",
    "address error '",
    "system problem '",
    "giving up",
    "diagnostic",
    "address rejected: ",
    "connect to",
    "with ",
)

# What mail systems put around another system's words: qmail, Gmail, Exchange, Postfix, DragonFly, Exim.
_WRAPPERS = (
    (
        r"^.*(?:remote host said: |other server returned was: |remote server returned '|"
        r"response (?:from the remote server )?was: |(?:unknown address error|other mail system problem) '\b)",
        "they said: ",
    ),
    (r"^.*diagnostic[ -]code: ?(?:smtp|x-[a-z]+); ?([245#])", "they said: $1"),
    (r"host [^ ]+\[private/[^ ]+ said: ", "socket said: "),
    (
        r"host [^ ]+ (?:said|refused to talk to me): |^(?:[^ ]+ \[[^ ]+\] )?did not like our [a-z ]+: ?",
        "they said: ",
    ),
    (
        r"(?:host [^ ]+ \[[^ ]+\]:? )?(?:delay reason: )?smtp error from remote (?:mail )?(?:server|mailer) "
        r"(?:after|for) [^:]*:(?:<[^>]*>[^:]*:| @[^:]*:|@[^:]*:)?(?: host [^ ]+ \[[^ ]+\]:)? ?",
        "they said: ",
    ),
    (r" ?\(in reply to [a-z ]+ command\)|giving up on [0-9.]+\.?", " "),
    (r"recipient address rejected: ([^ ])", f"{_AT_RCPT} $1"),
    (r"(connect to|lost connection with|conversation with) [^ ]+\[([^\] ]*)\][^ ]*", "$1 $2"),
)

# The codes in front of the words, and in front of each line of a long reply; hosts in angle brackets; punctuation.
_MARKS = r"[\]\[:;,!\"?(){}<>*#|=«»“”„。、，：！]+ ?"
_BLANKS = (r"  +", " ")
_BARE = (
    (
        r"(?:^|[ :'\"])(?:smtp; ?)?[245][0-57][0-9](?:[ -]+#?[245]\.[0-9]{1,3}\.[0-9]{1,3}\b[ :-]?|-| (?:[245][0-5][0-9] )?)"
        r"|<[^<> ]*\[[^<> ]*\]>:? ?",
        " ",
    ),
    (_MARKS + r"|\.+ |\.+$| '|'[ \"]|^'|'$| - ", " "),
    _BLANKS,
)

_RETRY = (
    r"(?:try|retry|come back|again|wait|delayed|greylisted|deferred|blocked|later)[a-z ,.:()<>-]{0,60}?"
    r"([0-9]{1,6}) ?(s\b|sec|m\b|min|h\b|hour)"
)
_RETRY_CLOCK = (
    r"(?:try|retry|again|wait|greylisted|deferred)[a-z ,.:()-]{0,60}([0-9]{2}):([0-9]{2}):([0-9]{2})"
)

_ZONE = (
    r"(?:blocked (?:using|by)|listed (?:at|in|on|by)|(?:in|on) (?:the )?(?:rbl|dnsbl|blacklist|blocklist)|"
    r"dnsbl:|rejected by (?:the )?|black ?list(?:ed)? (?:at|in|on|by)?|using|database|block ?list(?:ed)? (?:at|in|on|by))"
    r" ?((?:[a-z0-9_-]+\.)+[a-z]{2,})"
)

_OPERATORS = {
    "spamhaus": "Spamhaus",
    "spamcop": "SpamCop",
    "sorbs": "SORBS",
    "barracuda": "Barracuda",
    "uceprotect": "UCEPROTECT",
    "abuseat": "CBL",
    "hostkarma": "HostKarma",
    "junkemailfilter": "HostKarma",
    "cloudmark": "Cloudmark",
    "mimecast": "Mimecast",
    "proofpoint": "Proofpoint",
    "invaluement": "Invaluement",
    "mailspike": "Mailspike",
    "spamrats": "SpamRATS",
    "trendmicro": "Trend Micro",
    "mail-abuse": "Trend Micro",
    "senderscore": "SenderScore",
    "cobion": "Cobion",
    "senderbase": "Talos",
    "talosintelligence": "Talos",
    "symantec": "Symantec",
    "brightmail": "Symantec",
    "abusix": "Abusix",
    "backscatterer": "Backscatterer",
    "psbl": "PSBL",
    "njabl": "NJABL",
    "nixspam": "NiX Spam",
    "manitu": "NiX Spam",
    "spfbl": "SPFBL",
    "wpbl": "WPBL",
    "kisarbl": "KISA-RBL",
    "office.com": "Microsoft",
    "messaging.microsoft": "Microsoft",
    "(s3": "Microsoft",
    "att.net": "AT&T",
    "attrbl": "AT&T",
}


def skeleton(texts: pl.Series) -> pl.Series:
    """The texts in lower case without what differs from one to the next: addresses, IPs (``0.0.0.0``) and ids (``0``)."""
    plain = unmarked(mended(texts).str.to_lowercase()).str.replace_all("...", " ", literal=True)
    plain = plain.str.replace_all(r"[\t\r\n] *| {2,}", " ")
    return _replaced(plain, _SKELETON)


def unmarked(texts: pl.Series) -> pl.Series:
    """Lower-case texts without the marks of HTML, URL encoding and escaped line ends in which some reports carry replies."""
    marked = texts.str.contains_any(list(_MARKED)).fill_null(False)
    if marked.any():
        clear = texts.filter(marked).str.replace_all(_TAG, " ").str.replace_many(_ESCAPED)
        texts = texts.scatter(marked.arg_true(), clear)
    joined = (~texts.str.contains(" ", literal=True) & texts.str.contains(_PLUSES)).fill_null(False)
    if joined.any():
        texts = texts.scatter(joined.arg_true(), texts.filter(joined).str.replace_all("+", " ", literal=True))
    return texts


def mended(texts: pl.Series) -> pl.Series:
    """UTF-8 that was read as Latin-1 (in bounces of old mail systems), read as UTF-8 again; all else as it is."""
    foreign = (texts.str.len_bytes() != texts.str.len_chars()).fill_null(False).arg_true()
    broken = foreign.filter(texts.gather(foreign).str.contains("[\u00c2-\u00f4][\u0080-\u00bf]"))
    if not broken.len():
        return texts
    again = [each.encode("latin-1", "ignore").decode("utf-8", "ignore") for each in texts.gather(broken)]
    return texts.scatter(broken, pl.Series(again, dtype=pl.String))


def plain_form(skeletons: pl.Series) -> pl.Series:
    """The form in which rules read a reply, made from `skeleton`: one blank before and after each word."""
    wrapped = skeletons.str.contains_any(list(_WRAPPED)).fill_null(False)
    bare = skeletons
    if wrapped.any():
        bare = skeletons.scatter(wrapped.arg_true(), _replaced(skeletons.filter(wrapped), _WRAPPERS))
    plain = long_not(_replaced(bare, _BARE)).str.strip_chars(" ")
    return (" " + plain + " ").alias("plain")


def long_not(texts: pl.Series) -> pl.Series:
    """The texts with ``does not`` for ``doesn't``, and so on."""
    short = texts.str.contains_any(list(_SHORT_NOT)).fill_null(False)
    return (
        texts.scatter(short.arg_true(), _replaced(texts.filter(short), _LONG_NOT)) if short.any() else texts
    )


def plain_words(words: pl.Series) -> pl.Series:
    """The words of a rule in that form; blanks at their ends are kept, they mark whole words."""
    rejected = (r"recipient address rejected:? ([^ ])", f"{_AT_RCPT} $1")
    return long_not(_replaced(words.str.to_lowercase(), (rejected, (_MARKS, " "), _BLANKS)))


def _replaced(texts: pl.Series, patterns: tuple[tuple[str, str], ...]) -> pl.Series:
    for pattern, replacement in patterns:
        texts = texts.str.replace_all(pattern, replacement)
    return texts


def reply_code(column: str) -> pl.Expr:
    """The three-digit reply code in a lower-case text (RFC 5321 section 4.2), or null."""
    groups = pl.col(column).str.extract_groups(_REPLY_CODE).struct
    return pl.coalesce(groups[0], groups[1])


def enhanced_code(column: str) -> pl.Expr:
    """The enhanced status code in a text (RFC 3463), or null."""
    return pl.col(column).str.extract(_ENHANCED_CODE)


def stage_in_text(texts: pl.Series) -> pl.Series:
    """The SMTP stage that each lower-case text names, as one of `STAGES`, or null."""
    return texts.to_frame("text").select(_stage(pl.col("text").str.extract(_STAGE_IN_TEXT))).to_series()


def stage_of(column: str) -> pl.Expr:
    """One of `STAGES` for what other programs call it (``RCPT TO``, ``END-OF-MESSAGE``, ...), or null."""
    words = pl.col(column).str.to_lowercase().str.strip_chars().str.strip_suffix(" command")
    return _stage(words)


def accepted(column: str) -> pl.Expr:
    """Whether a text begins with a 2xx reply: nothing was refused."""
    return pl.col(column).str.contains(_ACCEPTED)


def retry_after(column: str) -> pl.Expr:
    """The seconds after which a text asks to be tried again, or null."""
    spoken = pl.col(column).str.extract_groups(_RETRY).struct
    unit = (
        spoken[1]
        .str.head(1)
        .replace_strict({"s": 1.0, "m": 60.0, "h": 3600.0}, default=None, return_dtype=pl.Float64)
    )
    clock = pl.col(column).str.extract_groups(_RETRY_CLOCK).struct
    hours, minutes, seconds = (clock[n].cast(pl.Float64) for n in range(3))
    return pl.coalesce(hours * 3600 + minutes * 60 + seconds, spoken[0].cast(pl.Float64) * unit)


def blocklist(column: str) -> pl.Expr:
    """The DNS zone or the operator of the blocklist that a text names, or null."""
    operator = pl.col(column).str.extract("(" + "|".join(map(_literal, _OPERATORS)) + ")")
    return pl.coalesce(
        pl.col(column).str.extract(_ZONE),
        operator.replace_strict(_OPERATORS, default=None, return_dtype=pl.String),
    )


def _stage(words: pl.Expr) -> pl.Expr:
    return words.replace_strict(STAGE_NAMES, default=None, return_dtype=pl.String)


def _literal(word: str) -> str:
    return word.replace(".", r"\.").replace("(", r"\(")
