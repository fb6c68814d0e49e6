"""An SMTP dialogue as a table: who said what, what it means, and which trace it would leave in the message.

Transcripts come in several hands, and are told apart line by line::

    S: 220 mx.example.net ESMTP                    textbooks (RFC 5321 appendix D)
    C: EHLO mail.example.org
    Out: 220 mx.example.net ESMTP Postfix          Postfix's "Transcript of session follows", seen by the server
     In:  EHLO mail.example.org
    <-  220 mx.example.net ESMTP                   swaks: <- server, -> client, <~ ~> inside TLS
     -> EHLO mail.example.org
    < unknown[192.0.2.7]: EHLO mail.example.org    smtpd -v, as the server sees it: < client, > server
    > unknown[192.0.2.7]: 250-mx.example.net
    < 220 mx.example.net ESMTP                     curl -v: < server, > client
      SMTP<< 220 mx.example.net ESMTP              exim -v
    send: 'ehlo mail.example.org\\r\\n'            Python's smtplib

The verbose sendmail marks commands with three ``>`` and replies not at all. A transcript without marks (telnet, openssl s_client) is read by the shape of its lines: three digits are a reply. Commands are those of RFC
5321 §4.1, RFC 2033 (LHLO), RFC 3030 (BDAT), RFC 3207 (STARTTLS) and RFC 4954 (AUTH), replies RFC 5321 §4.2 with the
enhanced codes of RFC 3463. Secrets of AUTH are masked before anything else sees them.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import polars as pl

SCHEMA: dict[str, pl.DataType] = {
    "step": pl.Int32(), "line_number": pl.Int64(), "command": pl.String(), "argument": pl.String(),
    "parameters": pl.List(pl.Struct({"key": pl.String(), "value": pl.String()})), "address": pl.String(),
    "reply_code": pl.Int32(), "enhanced_code": pl.String(), "reply": pl.List(pl.String()), "accepted": pl.Boolean(),
    "meaning": pl.String(), "recipient": pl.String(), "secure": pl.Boolean(), "defects": pl.List(pl.String()),
}  # fmt: skip
"""The columns: one row per command with its reply; LMTP's replies after the data are one row per recipient."""

_MARKS = tuple(
    (re.compile(form), speaker)
    for form, speaker in (
        (r"\s*(?:S|Server|R|Receiver|<-|<~|<\*\*|Out):(?: |$)", "server"),
        (r"\s*(?:C|Client|Sender|->|~>|\*\*>|In):(?: {1,2}|$)", "client"),
        (r"\s*(?:<-|<~|<\*\*|<~\*|<-\*)(?: {1,2}|$)", "server"),
        (r"\s*(?:->|~>|\*\*>|\*~>)(?: |$)", "client"),
        (r"\s*(?:===|\*\*\*|<==|==>)", "note"),
        (r"\s*SMTP<< ?", "server"),
        (r"\s*SMTP>> ?", "client"),
        (r">>> ?", "client"),
        (r"send: b?['\"]", "quoted client"),
        (r"reply: b['\"]", "quoted server"),
        (r"(?:reply: retcode|connect:|data:) ", "note"),
        (r"(?:.*smtpd?\[[0-9]+\]: )?< [^ ]+\[[^\]]*\](?::[0-9]+)?: ?", "peer"),
        (r"(?:.*smtpd?\[[0-9]+\]: )?> [^ ]+\[[^\]]*\](?::[0-9]+)?: ?", "self"),
        (r"< (?=[2-5][0-9]{2}(?:[ -]|$))", "server"),
        (r"> (?=[A-Za-z.*])", "client"),
        (r"(?:\* |[{}] \[)", "note"),
        (r"\s{6,}(?=[2-5][0-9]{2}[ -])", "more"),
    )
)
_REPLY = re.compile(r"(?P<code>[2-5][0-9]{2})(?P<more>[- ]|$)(?P<text>.*)")
_ENHANCED = re.compile(r"(?P<code>[245]\.[0-9]{1,3}\.[0-9]{1,3})(?: |$)")
_COMMAND = re.compile(r"(?P<verb>[A-Za-z]{4,8})(?: +(?P<argument>.*))?$")
_PATH = re.compile(r"(?i)(?:FROM|TO) *: *<?(?P<address>[^<> ]*)>?(?P<rest>.*)")
_PARAMETER = re.compile(r"(?P<key>[A-Za-z0-9-]+)(?:=(?P<value>\S*))?")

_TLS_FROM_THE_START = re.compile(r"SSL handshake has read|SSL connection using|TLS started with cipher")
_VERBS = frozenset(
    ("HELO", "EHLO", "LHLO", "MAIL", "RCPT", "DATA", "BDAT", "RSET", "VRFY", "EXPN", "STARTTLS", "AUTH", "QUIT",
     "NOOP", "HELP", "XCLIENT", "XFORWARD", "ETRN", "TURN", "SEND", "SOML", "SAML")
)  # fmt: skip
_MEANINGS = {
    "HELO": "The client names itself.", "EHLO": "The client names itself and asks for extensions.",
    "LHLO": "The client names itself, for local delivery.", "MAIL": "A message begins; this is its envelope sender.",
    "RCPT": "One more recipient.", "DATA": "The message follows, up to a line with a single dot.",
    "BDAT": "A piece of the message follows, counted in bytes.", "RSET": "The message begun is dropped.",
    "VRFY": "Does this mailbox exist?", "EXPN": "Who is on this list?", "STARTTLS": "From here on encrypted.",
    "AUTH": "The client logs in.", "QUIT": "The client says goodbye.", "NOOP": "Nothing, to keep the line open.",
    "HELP": "What is understood here?", "XCLIENT": "A proxy tells who the real client is.",
    "XFORWARD": "A filter tells who the real client was.", "ETRN": "Please send what waits for me.",
}  # fmt: skip
_CODES = {
    211: "status", 214: "help", 220: "ready", 221: "closing", 235: "logged in", 250: "done", 251: "will forward",
    252: "cannot verify, will try", 334: "go on with the login", 354: "send the message", 421: "service not available",
    432: "password must be changed", 450: "mailbox not available now", 451: "error here, try later", 452: "no room now",
    454: "not possible for now", 455: "parameters not possible now", 500: "command not understood", 501: "argument not understood",
    502: "command not offered", 503: "not in this order", 504: "parameter not offered", 521: "takes no mail",
    523: "message too large", 530: "log in first", 534: "login method too weak", 535: "login refused", 538: "encrypt first",
    550: "refused", 551: "not here", 552: "no room", 553: "mailbox name not allowed", 554: "refused", 555: "parameters not known",
    556: "domain takes no mail",
}  # fmt: skip
_CLASSES = {2: "Done", 3: "Go on", 4: "Not now", 5: "No"}
_WORDS = {"4": "Not now: try again later.", "5": "No, and trying again will not help."}


@dataclass
class _Exchange:
    """What is known while a dialogue is read."""

    rows: list[dict[str, Any]] = field(default_factory=list)
    waiting: list[dict[str, Any]] = field(default_factory=list)
    in_data: bool = False
    login: bool = False
    secure: bool = False
    local: bool = False
    accepted: list[str] = field(default_factory=list)
    per_recipient: list[str] = field(default_factory=list)
    data_lines: int = 0
    partial: list[str] = field(default_factory=list)
    chunk_left: int = 0


def read_dialogue(text: str) -> pl.DataFrame:
    """The commands of a transcript with their replies: one row per command, in order, columns :data:`SCHEMA`.

    The greeting is a row without a command. The message itself is one row ``(message)`` that says how many lines
    it has, dots undone (RFC 5321 §4.5.2); its reply is that of the final dot, in LMTP one row per recipient. Lines
    that are neither are left out; what is out of order stands in ``defects``. Nothing is raised.

    >>> rows = read_dialogue("S: 220 mx\\nC: EHLO a\\nS: 250-mx\\nS: 250 SIZE 1000\\nC: QUIT\\nS: 221 2.0.0 Bye")
    >>> rows.select("command", "argument", "reply_code", "enhanced_code").rows()
    [(None, None, 220, None), ('EHLO', 'a', 250, None), ('QUIT', None, 221, '2.0.0')]
    """
    exchange = _Exchange(
        secure="STARTTLS" not in text.upper() and _TLS_FROM_THE_START.search(text) is not None
    )
    for number, (speaker, line) in _spoken(text):
        if speaker == "server":
            _heard(exchange, number, line)
        else:
            _said(exchange, number, line)
    for row in exchange.waiting:
        row["defects"].append("no_reply")
    for step, row in enumerate(exchange.rows, 1):
        row |= {"step": step, "meaning": _meaning(row)}
    return pl.DataFrame(exchange.rows, schema=SCHEMA, strict=False)


def _spoken(text: str) -> list[tuple[int, tuple[str, str]]]:
    """(line number, (client or server, what was said)) of the lines that belong to the dialogue."""
    lines = [(number, line.rstrip("\r")) for number, line in enumerate(text[: 1 << 22].split("\n"), 1)]
    marked = list(_with_marks(lines))
    if len(marked) < 2:
        return _unmarked([(number, line) for number, line in lines if line.strip()])
    turned = _turned(marked)
    spoken = [(number, (turned.get(speaker, speaker), said)) for number, (speaker, said) in marked]
    if not any(speaker == "server" for _, (speaker, _) in spoken):  # sendmail -v
        seen = {number for number, _ in marked}
        bare = [
            (number, ("server", line)) for number, line in lines if number not in seen and _REPLY.match(line)
        ]
        spoken = sorted(spoken + bare, key=lambda one: one[0])
    return [one for one in spoken if one[1][0] != "note"]


def _with_marks(lines: list[tuple[int, str]]) -> Iterator[tuple[int, tuple[str, str]]]:
    """The lines that have a mark, without it; a line further in goes on with what the server said before."""
    before = ""
    for number, line in lines:
        found = _marked(line)
        speaker, said = found or ("", "")
        if speaker == "more":
            speaker = before if before == "server" else ""
        before = speaker
        if speaker.startswith("quoted "):
            for one in re.split(r"\\r\\n|\\n", said.rstrip("'\"")):
                if one:
                    yield number, (speaker.removeprefix("quoted "), one)
        elif speaker:
            yield number, (speaker, said)


def _turned(marked: list[tuple[int, tuple[str, str]]]) -> dict[str, str]:
    """Postfix's verbose log marks with arrows from its own point of view: smtpd is the server, smtp the client."""
    peers = [said for _, (speaker, said) in marked if speaker == "peer"]
    replies = sum(bool(_REPLY.match(said)) for said in peers)
    if peers and 2 * replies > len(peers):
        return {"peer": "server", "self": "client"}
    return {"peer": "client", "self": "server"}


def _marked(line: str) -> tuple[str, str] | None:
    for form, speaker in _MARKS:
        match = form.match(line[:2048])
        if match:
            return speaker, line[match.end() :]
    return None


def _unmarked(lines: list[tuple[int, str]]) -> list[tuple[int, tuple[str, str]]]:
    """Lines without marks, by their shape.

    Inside a message all are the client's until the single dot, behind 334 one is, and elsewhere commands: known ones,
    and words that the server then refused. What telnet or openssl say themselves is left out.
    """
    out: list[tuple[int, tuple[str, str]]] = []
    in_message = answering = False
    for place, (number, line) in enumerate(lines):
        said = line.strip()
        if in_message:
            out.append((number, ("client", said)))
            in_message = said != "."
        elif _REPLY.match(said):
            out.append((number, ("server", said)))
            in_message, answering = said.startswith("354"), said.startswith("334")
        elif answering or _is_command(said, lines[place + 1][1] if place + 1 < len(lines) else ""):
            out.append((number, ("client", said)))
            answering = False
    return out


def _is_command(said: str, following: str) -> bool:
    match = _COMMAND.match(said)
    return match is not None and (
        match["verb"].upper() in _VERBS or re.match(r"\s*50[0-4]", following) is not None
    )


# The server speaks.


def _heard(exchange: _Exchange, number: int, line: str) -> None:
    match = _REPLY.match(line.strip())
    if match is None:
        return
    exchange.partial.append(match["text"])
    if match["more"] == "-":
        return
    texts, exchange.partial = exchange.partial, []
    exchange.chunk_left = 0
    if exchange.in_data and not exchange.waiting:  # curl and others do not show the message
        _message_ends(exchange, number)
    if exchange.waiting:
        row = exchange.waiting.pop(0)
    else:
        row = _row(number, None, None)
        exchange.rows.append(row)
    _reply(row, int(match["code"]), texts)
    _after_reply(exchange, row, int(match["code"]))


def _reply(row: dict[str, Any], code: int, texts: list[str]) -> None:
    enhanced = _ENHANCED.match(texts[0])
    row |= {
        "reply_code": code, "enhanced_code": enhanced["code"] if enhanced else None, "reply": texts,
        "accepted": code < 400,
    }  # fmt: skip
    if enhanced and enhanced["code"][0] != str(code)[0] and code >= 400:
        row["defects"].append("codes_disagree")


def _after_reply(exchange: _Exchange, row: dict[str, Any], code: int) -> None:
    command = row["command"]
    if command == "RCPT" and code < 300:
        exchange.accepted.append(row["address"] or "")
    elif command == "DATA" and code == 354:
        exchange.in_data, exchange.data_lines = True, 0
    elif command == "STARTTLS" and code == 220:
        exchange.secure = True
    elif command in ("RSET", "MAIL") and code < 300:
        exchange.accepted = []
    exchange.login = code == 334
    if exchange.login:
        exchange.waiting.insert(0, row)


# The client speaks.


def _said(exchange: _Exchange, number: int, line: str) -> None:
    if exchange.in_data:
        _message_line(exchange, number, line)
    elif exchange.login:
        exchange.login = False  # an answer to a challenge: a secret, never kept
    elif exchange.chunk_left > 0 and not _NO_CHUNK.match(line):
        exchange.chunk_left -= len(line.encode("utf-8", "replace")) + 2
    elif exchange.waiting and exchange.waiting[-1]["command"] == "AUTH" and not _known(line):
        return  # sent before the challenge was seen: a secret as well
    elif line.strip():
        _command(exchange, number, line.strip())


def _message_line(exchange: _Exchange, number: int, line: str) -> None:
    if line.rstrip() != ".":
        exchange.data_lines += 1
        return
    _message_ends(exchange, number)


def _message_ends(exchange: _Exchange, number: int) -> None:
    exchange.in_data = False
    receivers = exchange.accepted if exchange.local else [None]
    for receiver in receivers:
        row = _row(number, "(message)", f"{exchange.data_lines} lines")
        row |= {"recipient": receiver, "secure": exchange.secure}
        exchange.rows.append(row)
        exchange.waiting.append(row)


def _command(exchange: _Exchange, number: int, line: str) -> None:
    match = _COMMAND.match(line)
    verb = match["verb"].upper() if match else None
    if verb not in _VERBS and _ENCODED.fullmatch(line):
        match, verb, line = None, None, "********"  # an answer to a challenge that was cut away
    row = _row(
        number, verb, (match["argument"] or "").strip() or None if match else _SECRET.sub(r"\1********", line)
    )
    row["secure"] = exchange.secure
    if verb not in _VERBS:
        row["defects"].append("unknown_command")
    if verb == "AUTH":
        row["argument"] = _masked(row["argument"])
    elif verb in ("MAIL", "RCPT"):
        _path(row)
    exchange.local = exchange.local or verb == "LHLO"
    if verb == "DATA" and not exchange.accepted and not exchange.waiting:
        row["defects"].append("no_recipient")
    receivers: list[str | None] = [None]
    if verb == "BDAT":
        words = (row["argument"] or "").split()
        if words and words[0].isdigit() and len(words[0]) < 12:
            exchange.chunk_left = int(words[0])
        else:
            row["defects"].append("size_missing")
        if exchange.local and "LAST" in (row["argument"] or "").upper():
            receivers = [*exchange.accepted] or receivers
    for receiver in receivers:
        answered = row | {"recipient": receiver, "defects": [*row["defects"]]}
        exchange.rows.append(answered)
        exchange.waiting.append(answered)


_ENCODED = re.compile(r"(?=.{8})(?:[A-Za-z0-9+/]{4})+(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?")
_NO_CHUNK = re.compile(r"\s*(?:BDAT [0-9]+(?: LAST)?|QUIT|RSET)\s*$", re.I)
_SECRET = re.compile(r"(?i)(\bAUTH\s+[A-Z0-9-]+\s+)[^\s'\"*=]\S*")


def _known(line: str) -> bool:
    match = _COMMAND.match(line.strip())
    return match is not None and match["verb"].upper() in _VERBS


def _masked(argument: str | None) -> str | None:
    """The mechanism of AUTH; what stands behind it is a secret."""
    if not argument:
        return argument
    mechanism, _, secret = argument.partition(" ")
    return f"{mechanism} ********" if secret.strip() else mechanism


def _path(row: dict[str, Any]) -> None:
    match = _PATH.match(row["argument"] or "")
    if match is None:
        row["defects"].append("address_missing")
        return
    row["address"] = match["address"]
    row["parameters"] = [
        {"key": one["key"].upper(), "value": one["value"]} for one in _PARAMETER.finditer(match["rest"])
    ]


def _row(number: int, command: str | None, argument: str | None) -> dict[str, Any]:
    row: dict[str, Any] = dict.fromkeys(SCHEMA)
    return row | {
        "line_number": number,
        "command": command,
        "argument": argument,
        "parameters": [],
        "reply": [],
        "defects": [],
    }


def _meaning(row: dict[str, Any]) -> str:
    """The row as a sentence or two."""
    code, command = row["reply_code"], row["command"]
    words = {None: "The server greets.", "(message)": "The message ends with a single dot."}
    said = words.get(command) or _MEANINGS.get(str(command), "A command that is not known.")
    if code is None:
        return said
    answer = f"{_CLASSES.get(code // 100, 'Answer')} ({code}: {_CODES.get(code, 'no standard meaning')})."
    return f"{said} {answer}"


@dataclass(frozen=True, slots=True)
class Traces:
    """The fields that a dialogue would leave in the message, as the receiving server writes them."""

    received: str
    return_path: str | None


def traces(
    dialogue: pl.DataFrame, *, by: str = "mx.example.net", client: str = "unknown [192.0.2.7]"
) -> Traces:
    """Which Received and Return-Path fields an accepted message of this dialogue would get (RFC 5321 §4.4).

    ``by`` names the receiving server and ``client`` what it saw of the client; the dialogue itself tells neither.
    Return-Path is None when no message was accepted.

    >>> rows = read_dialogue("S: 220 mx\\nC: HELO a\\nS: 250 mx\\nC: MAIL FROM:<x@example.org>\\nS: 250 ok\\n"
    ...     "C: RCPT TO:<y@example.net>\\nS: 250 ok\\nC: DATA\\nS: 354 go\\nC: .\\nS: 250 queued as 4F3D")
    >>> traces(rows).received
    'from a (unknown [192.0.2.7]) by mx.example.net with SMTP id 4F3D for <y@example.net>'
    """
    done = dialogue.filter(pl.col("accepted").fill_null(False))
    greeting = done.filter(pl.col("command").is_in(["HELO", "EHLO", "LHLO"]))
    name = greeting["argument"][-1] if greeting.height else "unknown"
    recipients = done.filter(pl.col("command") == "RCPT")["address"].to_list()
    sender = done.filter(pl.col("command") == "MAIL")["address"].to_list()
    last = (pl.col("command") == "BDAT") & pl.col("argument").str.to_uppercase().str.ends_with("LAST")
    message = done.filter((pl.col("command") == "(message)") | last)
    queued = re.search(
        r"(?i)queued as ([A-Za-z0-9]+)|\bid=([A-Za-z0-9-]+)",
        " ".join(message["reply"].explode().drop_nulls()),
    )
    number = f" id {queued[1] or queued[2]}" if queued else ""
    receiver = f" for <{recipients[0]}>" if len(recipients) == 1 else ""
    received = f"from {name} ({client}) by {by} with {_protocol(done, greeting)}{number}{receiver}"
    return Traces(received, f"<{sender[-1]}>" if sender and message.height else None)


def _protocol(done: pl.DataFrame, greeting: pl.DataFrame) -> str:
    """The WITH word of RFC 3848."""
    verb = greeting["command"][-1] if greeting.height else "HELO"
    base = {"EHLO": "ESMTP", "LHLO": "LMTP"}.get(verb, "SMTP")
    secure = done["secure"].fill_null(False).any()
    login = done.filter((pl.col("command") == "AUTH") & (pl.col("reply_code") == 235)).height > 0
    return base if base == "SMTP" else base + "S" * bool(secure) + "A" * login
