"""The line that Rspamd writes for each message: who sent it, which rules hit, and what came of it.

    rspamd_task_write_log: id: <d50a@example.com>, qid: <D50A81995E>, ip: 192.0.2.122, user: amy@example.com, from: <amy@example.com>,
    (default: F (no action): [-0.10/15.00] [MIME_GOOD(-0.10){text/plain;},ARC_NA(0.00){}]), len: 1290, time: 1481.519ms, dns req: 6,
    digest: <2bcf62459046d404225681c9dabcf182>, rcpts: <anna@example.com>, mime_rcpts: <anna@example.com>

The default ``log_format`` is the same from 2.x to 4.1; 1.x has two times. Nearly all lines are cut at literals first and read by two
small patterns that decide at every character (``_usual``), which takes a third of the time of the whole pattern; the
whole pattern reads the rest. A format of the site's own is read key by key, in whatever order.

The sender, the options of symbols and the MIME recipients are the sender's words and may imitate the rest of the line.
What stands behind the list of symbols admits no ``>`` inside ``<...>``, so that the last list and the last keys are the real ones.

Source: ``log_format`` in Rspamd's ``logging.inc``, ``src/libserver/task.c``; real logs of 3.4, 3.12.1 and 4.1.5.
"""

from __future__ import annotations

import polars as pl

from mailforensics.grammar.rspamd.symbols import symbols
from mailforensics.grammar.shape import Shape

Frame = pl.DataFrame

START = "rspamd_task_write_log: "
SPAM_ACTIONS = ("reject", "add header", "rewrite subject", "quarantine", "discard")
HAM_ACTIONS = ("no action", "greylist", "soft reject", "accept")

_NUMBER = r"[-+]?(?:[0-9.]+|nan|inf)"
_WHOLE = (
    r"id: (?:<(?:undef)?>|(?P<message_id><[^<>]*>)), (?:qid: <(?P<queue_id>[!-;=?-~]*)>, )?(?:ip: (?P<client_ip>[!-+\--~]+), )?"
    r"(?:user: (?P<user>.*?), )?(?:from: <(?P<sender>(?:\"(?:[^\"\\]|\\.)*\"|[^\"<>])*)>, )?"
    rf"\((?:default: (?P<flag>[A-Z]) )?\((?P<action>[^()]*)\): \[(?P<score>{_NUMBER})/(?P<required_score>{_NUMBER})\] "
    r"\[(?P<symbols>.*)\]\), len: (?P<size>[0-9]+), time: (?P<scan_time_s>[0-9.]+)ms"
    r"(?: real, (?P<virtual_time_s>[0-9.]+)ms virtual)?(?:, dns req: (?P<dns_requests>[0-9]+))?"
    r"(?:, digest: <(?:undef|(?P<digest>[0-9a-f]*))>)?(?:, rcpts: <(?P<recipients>[^<>]*)>)?"
    r"(?:, mime_rcpts: <(?P<mime_recipients>[^<>]*)>)?(?:, file: (?P<file>[^,\"]*))?"
    r"(?:, forced: (?P<forced_action>[^\"]*?) \"(?P<forced_text>.*?)"
    rf"(?:\"(?:; score=(?P<forced_score>{_NUMBER})(?: \(set by (?P<forced_by>[^()]*)\)?)?)?)?)?"
    r"(?:, settings_id: (?P<settings_id>[^, ]*))?"
)
_HEAD = (
    r"\A(?s:rspamd_task_write_log: id: (?P<message_id><[^> ]*>), (?:qid: <(?P<queue_id>[0-9A-Za-z]*)>, )?"
    r"(?:ip: (?P<client_ip>[0-9a-fA-F.:]+), )?(?:user: (?P<user>[^,]*), )?(?:from: <(?P<sender>[^<>\"]*)>, )?"
    r"\(default: (?P<flag>[A-Z]) \((?P<action>[a-z ]+)\): \[(?P<score>[0-9a-z.-]+)/(?P<required_score>[0-9a-z.-]+)\])\z"
)
_TAIL = (
    r"\A(?s:\]\), len: (?P<size>[0-9]+), time: (?P<scan_time_s>[0-9.]+)ms, dns req: (?P<dns_requests>[0-9]+), "
    r"digest: <(?P<digest>[0-9a-z]*)>(?:, )?(?:rcpts: <(?P<recipients>[^<>]*)>(?:, )?)?"
    r"(?:mime_rcpts: <(?P<mime_recipients>[^<>]*)>(?:, )?)?(?:settings_id: (?P<settings_id>[^, ]+))?)\z"
)
_RARE = ("virtual_time_s", "file", "forced_action", "forced_text", "forced_score", "forced_by")


def _usual(bodies: pl.Series) -> Frame:
    """The groups of `_WHOLE` for lines in the default format with no forced action; null for others."""
    text = pl.col("body")
    bytes_ = text.cast(pl.Binary)
    cut = bodies.to_frame("body").with_columns(
        begin=text.str.find("] [", literal=True).cast(pl.Int64),
        end=text.str.find("]), len: ", literal=True).cast(pl.Int64),
    )
    begin, end = pl.col("begin"), pl.when(pl.col("end") >= pl.col("begin") + len("] [")).then("end")
    parts = cut.select(
        head=bytes_.bin.head(begin + len("]")).cast(pl.String),
        symbols=bytes_.bin.slice(begin + len("] ["), end - begin - len("] [")).cast(pl.String),
        tail=bytes_.bin.slice(end).cast(pl.String),
    )
    head = parts.select(pl.col("head").str.extract_groups(_HEAD)).unnest("head")
    tail = parts.select(pl.col("tail").str.extract_groups(_TAIL)).unnest("tail")
    found = head.hstack(tail).with_columns(
        parts["symbols"], *[pl.lit(None, pl.String).alias(name) for name in _RARE]
    )
    found = found.with_columns(
        pl.col("message_id").replace({"<undef>": None, "<>": None}), pl.col("digest").replace({"undef": None})
    )
    whole = head["action"].is_not_null() & tail["size"].is_not_null()
    return found if whole.all() else found.select(pl.when(whole).then(pl.all()))


def _finish(fields: Frame) -> Frame:
    """The lists as lists, and what follows from flag and action."""
    lists = ("recipients", "mime_recipients")
    ends = [pl.col(name).str.ends_with("...") for name in lists]
    return fields.with_columns(
        recipients=_addresses("recipients"),
        mime_recipients=_addresses("mime_recipients"),
        recipients_cut=pl.max_horizontal(ends),
        symbols=symbols(fields["symbols"]),
        is_skipped=pl.col("flag") == "S",
        is_spam=_is_spam(),
    )


def _addresses(name: str) -> pl.Expr:
    """The addresses of a list; ``...`` at its end says that Rspamd cut it."""
    text = pl.col(name).str.strip_suffix("...").str.strip_suffix(",")
    return pl.when(text != "").then(text).str.split(",")


def _is_spam() -> pl.Expr:
    """By the action; an action of the site's own counts by the flag."""
    by_action = pl.col("action").replace_strict(
        {**dict.fromkeys(SPAM_ACTIONS, True), **dict.fromkeys(HAM_ACTIONS, False)},
        default=None,
        return_dtype=pl.Boolean,
    )
    by_flag = pl.when(pl.col("flag").is_in(["T", "F"])).then(pl.col("flag") == "T")
    return by_action.fill_null(by_flag)


# A format of the site's own: each value by its key, in any order. What stands in `[...]` behind the scores is cut out first.
_LIST = r"\[(?P<list>(?s:.*))\]\)?(?:,? +(?:\(|(?:len|time|dns req|digest|rcpts|mime_rcpts|file|forced|settings_id|id|qid|ip|user|from):)|\z)"
_BY_KEY = {
    "message_id": r"(?:\A|[ ,])id: ?(<[^<> ]+>)",
    "queue_id": r"(?:\A|[ ,])qid: ?<?([!-+\--;=?-~]+)>?",
    "client_ip": r"(?:\A|[ ,])ip: ?\[?([0-9A-Fa-f.:]*[0-9A-Fa-f])",
    "user": r"(?:\A|[ ,])user: ?<?([^,<>]+)",
    "sender": r"(?:\A|[ ,])from: ?<([^<>]*)>",
    "flag": r"default: ([A-Z])\b",
    "action": r"(?:[( ]\(|\A\(|action: ?)([a-z][a-z ]*[a-z])(?:\)|,|\z)",
    "score": rf"(?:\[|scores?: ?)({_NUMBER})/{_NUMBER}",
    "required_score": rf"(?:\[|scores?: ?){_NUMBER}/({_NUMBER})",
    "size": r"(?:\A|[ ,])len: ?([0-9]+)",
    "scan_time_s": r"(?:\A|[ ,])time: ?([0-9.]+) ?ms",
    "dns_requests": r"(?:\A|[ ,])dns req: ?([0-9]+)",
    "digest": r"(?:\A|[ ,])(?:digest|checksum): ?<?([0-9a-f]{16,})",
    "recipients": r"(?:\A|[ ,])rcpts?: ?<([^<>]*)>",
    "mime_recipients": r"(?:\A|[ ,])mime_rcpts?: ?<([^<>]*)>",
    "file": r"(?:\A|[ ,])file: ?([^, ]+)",
    "forced_action": r"(?:\A|[ ,])forced: ?([^\"]*?) \"",
    "forced_text": r"(?:\A|[ ,])forced: ?[^\"]*\"([^\"]*)",
    "forced_score": rf"; score=({_NUMBER})",
    "forced_by": r"\(set by ([^()]*)\)",
    "settings_id": r"(?:\A|[ ,])settings_id: ?([^, ]+)",
    "subject": r"(?:\A|[ ,])subject: ?[\"<]([^\"<>]*)",
}
_TYPES: dict[str, pl.DataType] = {
    "score": pl.Float64(), "required_score": pl.Float64(), "forced_score": pl.Float64(), "scan_time_s": pl.Float64(),
    "size": pl.Int64(), "dns_requests": pl.Int64(),
}  # fmt: skip


def _by_key(fields: Frame) -> Frame:
    """The values of a format of the site's own; a line in which neither id nor action nor score is found is partial."""
    written = pl.col("written")
    cut = fields.with_columns(
        symbols=written.str.extract(_LIST.replace("?P<list>", "")).str.replace(
            rf"\A{_NUMBER}/{_NUMBER}\] \[", ""
        )
    )
    begin = written.str.find(pl.col("symbols"), literal=True).cast(pl.Int64)
    rest = pl.concat_str(
        _bytes(written).bin.head(begin).cast(pl.String),
        _bytes(written).bin.slice(begin + _bytes(pl.col("symbols")).bin.size()).cast(pl.String),
    )
    cut = cut.with_columns(
        rest=pl.when(pl.col("symbols") != "").then(rest).otherwise(written).fill_null(written)
    )
    found = [
        pl.col("rest").str.extract(pattern).cast(_TYPES.get(name, pl.String()), strict=False).alias(name)
        for name, pattern in _BY_KEY.items()
    ]
    cut = cut.with_columns(found).with_columns(
        (pl.col("scan_time_s") / 1000).round(9),
        pl.col("message_id").replace({"<undef>": None}),
        symbols=_only_lists(pl.col("symbols")),
    )
    nothing = pl.all_horizontal(pl.col("message_id", "queue_id", "action", "score").is_null())
    return _finish(cut.drop("rest").with_columns(partial=pl.col("partial") | nothing))


def _bytes(text: pl.Expr) -> pl.Expr:
    return text.cast(pl.Binary)


def _only_lists(text: pl.Expr) -> pl.Expr:
    """Scores alone (`[1.0/15.0]`) are no list of symbols."""
    return pl.when(~text.str.contains(rf"\A{_NUMBER}/{_NUMBER}\z")).then(text)


TASK_SHAPES = (
    Shape(
        kind="rspamd.task",
        programs=("*",),
        starts=f"{START}id: <",
        pattern=f"{START}{_WHOLE}",
        reader=_usual,
        finish=_finish,
        adds=("recipients_cut", "is_skipped", "is_spam"),
        example=(
            "rspamd_task_write_log: id: <d50a@example.com>, qid: <D50A81995E>, ip: 192.0.2.122, user: amy@example.com, "
            "from: <amy@example.com>, (default: F (no action): [-0.10/15.00] [MIME_GOOD(-0.10){text/plain;},ARC_NA(0.00){}]), "
            "len: 1290, time: 1481.519ms, dns req: 6, digest: <2bcf62459046d404225681c9dabcf182>, rcpts: <anna@example.com>, "
            "mime_rcpts: <anna@example.com>"
        ),
        means="Rspamd has given its verdict on a message.",
    ),
    Shape(
        kind="rspamd.task",
        programs=("*",),
        pattern=f"{START}(?P<written>.*)",
        finish=_by_key,
        adds=(*_BY_KEY, "symbols", "recipients_cut", "is_skipped", "is_spam"),
        example=(
            "rspamd_task_write_log: qid: <D50A81995E>, id: <d50a@example.com>, action: add header, [7.40/15.00] "
            "[MISSING_MID(2.50){}], from: <amy@example.com>, ip: 192.0.2.122, time: 12.1ms"
        ),
        means="Rspamd has given its verdict on a message; the site writes it in a format of its own.",
    ),
)
