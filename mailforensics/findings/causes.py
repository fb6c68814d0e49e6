"""Why a reply said no: cause, permanence and who must act, for whole columns of replies at once.

A reply such as ::

    452 4.2.2 <anna@example.com>: Recipient address rejected: Mailbox is over quota

is read by its words first, then by its enhanced status code (RFC 3463), then by its reply code (RFC 5321
section 4.2), because servers use the codes loosely: a 5xx is not a hard bounce by itself, and ``550 5.7.1`` is
said for spam, policy, authentication and relaying alike. The rules are data in ``causes.toml``; the first
rule that fits decides. Rules of the user come before them (see `mailforensics.findings.rulebook`).

Every distinct text is looked at once: it is brought to a plain form, one Aho-Corasick pass finds which words of
which rules stand in it, and only those rules' regular expressions are run.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Any, Literal

import numpy as np
import polars as pl
import pyarrow as pa

from mailforensics.errors import OptionError
from mailforensics.findings import replies
from mailforensics.findings.literals import union
from mailforensics.findings.rulebook import Rule, Rulebook, rulebook

COLUMNS = (
    "cause",
    "cause_family",
    "permanence",
    "who_acts",
    "stage",
    "cause_rule",
    "rule_basis",
    "blocklist",
    "retry_after_s",
    "last_cause",
    "sentence",
)

_INPUT = ("text", "enhanced_code", "reply_code", "stage")

_DONE = ("sent", "deliverable", "delivered", "relayed", "expanded")

Numbers = dict[int, np.ndarray]
_NONE = np.zeros(0, dtype=np.uint32)

_LISTING = (
    "ip_blocklisted",
    "sender_reputation",
    "no_ptr",
    "spam_content",
)  # causes whose texts name a blocklist

_UNANSWERED = ("connect_failed", "connection_lost", "dns_failure", "tls_failure", "expired")
"""Causes that stand without a reply of the other server: then nobody asked to try later."""

_PARTIES = {  # what {sending} and {receiving} become in a sentence, by who spoke
    "them": ("our server", "their server"),
    "us": ("the sending server", "our server"),
}


def classify_replies(data: Any, *, rules: Any = None) -> pa.Table:
    """Explain replies, bounces and rejects: one row out for each row in, in the same order.

    `data` is a list of mappings, a pandas or polars frame or an Arrow table with the columns ``text``,
    ``enhanced_code``, ``reply_code`` and ``stage``; any of them may be missing or null, codes and stage are then
    read out of the text. `rules` is a list of rule mappings or the path of a ``mailforensics.toml`` with
    ``[[causes]]``; they come before the rules of the toolkit.

    Returns the columns cause, cause_family, permanence (``hard``: the same mail to the same address will be
    refused again; ``soft``: it may pass later), who_acts (``sender``, ``recipient``, ``us``, ``remote``,
    ``nobody``), stage, cause_rule (id of the rule), rule_basis (``text``, ``enhanced code``, ``reply code``,
    ``local``), blocklist, retry_after_s (seconds), last_cause (what went wrong on the last try of mail that
    expired) and sentence. An accepted reply (2xx) or an empty row has no cause: null.

    Raises `OptionError` when `data` has none of the columns or a rule is not understood. The taxonomy and its
    sources (RFC 3463, RFC 5321 section 4.2) stand in ``docs/reference/causes.md``.

    >>> table = classify_replies([{"text": "452 4.2.2 <anna@example.com> Mailbox full"}])
    >>> table["cause"][0].as_py(), table["who_acts"][0].as_py()
    ('mailbox_full', 'recipient')
    >>> table["sentence"][0].as_py()
    "The recipient's mailbox is full; the recipient must make room; their server asked to try later"
    """
    return classify_frame(_as_frame(data), rules=rules).to_arrow()


def classify_frame(
    frame: pl.DataFrame, *, rules: Any = None, spoken_by: Literal["them", "us"] = "them"
) -> pl.DataFrame:
    """The same for a polars frame: the columns `COLUMNS`, one row for each row of `frame`.

    Beside the four columns of `classify_replies` it reads, where they are there, ``response`` (in place of
    ``text``), ``dsn`` (in place of a missing ``enhanced_code``) and ``status`` (``sent`` and ``deliverable`` have
    no cause; ``expired`` is the cause expired, with what the text says as last_cause). `spoken_by` says whose
    replies these are: ``them`` for deliveries, ``us`` for what our own server rejected; it turns the sentence
    and who_acts round.

    >>> frame = pl.DataFrame({"text": ["554 5.7.1 <anna@example.com>: Relay access denied"]})
    >>> classify_frame(frame, spoken_by="us")["who_acts"].item()
    'remote'
    """
    if spoken_by not in _PARTIES:
        raise OptionError(f"spoken_by is {spoken_by!r}; use 'them' or 'us'.")
    return answer_with(frame, rulebook(rules), spoken_by)


def answer_with(
    frame: pl.DataFrame, book: Rulebook, spoken_by: Literal["them", "us"] = "them"
) -> pl.DataFrame:
    """What `classify_frame` gives, by a rule book that is there already."""
    given = frame.select(_input_columns(frame))

    def explain(distinct: pl.DataFrame) -> pl.DataFrame:
        skeletons = distinct.with_columns(replies.skeleton(distinct["text"]))
        return _each_once(skeletons, lambda rows: _answer(rows, book, spoken_by))

    return _each_once(given, explain)


def normalise(texts: pl.Series) -> pl.Series:
    r"""The form in which rules read a reply: lower case, single blanks, without what strangers choose.

    Taken away are the codes (also those in front of every line of a long reply), e-mail addresses (``@`` stands
    in their place), names of hosts that only introduce the reply, and phrases that one mail system puts
    around another one's words.

    >>> normalise(pl.Series(["host mx.example.net[192.0.2.1] said: 550-5.7.1 <spam@example.net>\n550 5.7.1 No"])).item()
    'they said @ no'
    """
    return replies.plain_form(replies.skeleton(texts)).str.strip_chars(" ").alias(texts.name)


def _each_once(rows: pl.DataFrame, explain: Callable[[pl.DataFrame], pl.DataFrame]) -> pl.DataFrame:
    """The answers for all rows, asked once for each distinct row."""
    distinct = rows.unique(maintain_order=True)
    answers = explain(distinct)
    if distinct.height == rows.height:
        return answers
    keyed = pl.concat([distinct, answers.select(pl.all().name.prefix("answer_"))], how="horizontal")
    joined = rows.join(keyed, on=rows.columns, how="left", nulls_equal=True, maintain_order="left")
    return joined.select(pl.col(f"answer_{name}").alias(name) for name in answers.columns)


def _as_frame(data: Any) -> pl.DataFrame:
    if isinstance(data, pl.DataFrame):
        return data
    if isinstance(data, pa.Table):
        frame = pl.from_arrow(data)
        return frame if isinstance(frame, pl.DataFrame) else frame.to_frame()
    if hasattr(data, "iloc") and hasattr(data, "columns"):
        converted: pl.DataFrame = pl.from_pandas(data)
        return converted
    if isinstance(data, Iterable) and not isinstance(data, (str, bytes)):
        return _from_rows(list(data))
    raise OptionError(f"replies come as a table or a list of mappings, this is {type(data).__name__}.")


def _from_rows(rows: list[Any]) -> pl.DataFrame:
    if not all(hasattr(row, "get") for row in rows):
        raise OptionError("each reply is a mapping with text, enhanced_code, reply_code or stage.")
    known = [name for name in (*_INPUT, "response", "dsn", "status") if any(name in row for row in rows)]
    columns = {name: [_as_text(row.get(name)) for row in rows] for name in known or _INPUT}
    return pl.DataFrame(columns, schema=dict.fromkeys(columns, pl.String))


def _as_text(value: Any) -> str | None:
    return None if value is None else str(value)


def _input_columns(frame: pl.DataFrame) -> Iterator[pl.Expr]:
    """The columns matching works on, as strings; missing ones as null."""
    columns = frame.columns
    if not any(name in columns for name in (*_INPUT, "response", "dsn")):
        raise OptionError(f"the replies have no column of {', '.join(_INPUT)}; rename yours.")
    text = "text" if "text" in columns else "response"
    for name, source in (
        ("text", text),
        *((n, n) for n in ("enhanced_code", "reply_code", "stage", "dsn", "status")),
    ):
        value = pl.col(source).cast(pl.String) if source in columns else pl.lit(None, pl.String)
        yield value.alias(name)


def _answer(given: pl.DataFrame, book: Rulebook, spoken_by: str) -> pl.DataFrame:
    read = _read(given)
    return _columns(read.with_columns(_first_rules(read, book)), book, spoken_by)


def _read(given: pl.DataFrame) -> pl.DataFrame:
    """The given columns, filled from the text where they are null, with the plain form of the text."""
    hinted = given["text"].str.contains_any(list(replies.STAGE_HINTS)).fill_null(False)
    spoken = _where(hinted, replies.stage_in_text(given["text"].filter(hinted)))
    stated = replies.stage_of("stage")
    at_end = (stated == "data") & (spoken == "end-of-data")
    found = given.with_columns(
        pl.coalesce("enhanced_code", replies.enhanced_code("text"), "dsn").alias("enhanced_code"),
        pl.coalesce(pl.col("reply_code").str.extract("([245][0-9][0-9])"), replies.reply_code("text")).alias(
            "reply_code"
        ),
        pl.when(at_end).then(spoken).otherwise(pl.coalesce(stated, spoken)).alias("stage"),
        replies.plain_form(given["text"]),
    )
    refused = pl.col("reply_code").str.contains("^[45]").fill_null(False)
    done = (
        pl.col("status").is_in(_DONE)
        | replies.accepted("text")
        | (pl.col("enhanced_code").str.starts_with("2.") & ~refused)
    )
    silent = pl.all_horizontal(pl.col("text", "enhanced_code", "reply_code", "status").is_null())
    return found.with_columns((done.fill_null(False) | silent).alias("done"))


def _where(mask: pl.Series, values: pl.Series) -> pl.Series:
    """A column with `values` in the rows of `mask` and null in the others."""
    nothing = pl.repeat(None, mask.len(), dtype=values.dtype, eager=True)
    return nothing.scatter(mask.arg_true(), values) if values.len() else nothing


# ------------------------------------------------------------------ which rule fits first


_KEYS = ["plain", "enhanced_code", "reply_code", "stage"]
_REMEMBERED = (
    20_000  # distinct replies whose rules a rule book remembers; servers say the same things over and over
)


def _first_rules(read: pl.DataFrame, book: Rulebook) -> list[pl.Series]:
    """For each row the number of its first rule, and of the first one that is not ``expired``."""
    rows = read.select(_KEYS)
    known = book.remembered.get("rules", _NOTHING_KNOWN)
    new = rows.unique(maintain_order=True).join(
        known, on=_KEYS, how="anti", nulls_equal=True, maintain_order="left"
    )
    if new.height:
        known = pl.concat([known, new.hstack(_ask(new, book))])
        if known.height <= _REMEMBERED:
            book.remembered["rules"] = known
    joined = rows.join(known, on=_KEYS, how="left", nulls_equal=True, maintain_order="left")
    return [joined["rule"], joined["last_rule"]]


_NOTHING_KNOWN = pl.DataFrame(
    schema={**dict.fromkeys(_KEYS, pl.String), "rule": pl.UInt16, "last_rule": pl.UInt16}
)


def _ask(given: pl.DataFrame, book: Rulebook) -> pl.DataFrame:
    """rule, last_rule of each row: its first rule, and the first one that is not ``expired``."""
    rows = given.with_row_index("row")
    fits = pl.concat([_by_text(rows, book), _by_codes(rows, book)])
    expired = [n for n, rule in enumerate(book.rules) if rule.cause == "expired"]
    first = fits.group_by("row").agg(
        pl.col("rule").min(),
        pl.col("rule").filter(~pl.col("rule").is_in(expired)).min().alias("last_rule"),
    )
    return rows.select("row").join(first, on="row", how="left", maintain_order="left").drop("row")


def _by_text(rows: pl.DataFrame, book: Rulebook) -> pl.DataFrame:
    """row, rule: the rules whose words, pattern and conditions fit."""
    texts = rows.select("plain").drop_nulls().unique(maintain_order=True).with_row_index("number")
    matches = _text_matches(texts["plain"], book)
    fits = rows.join(texts, on="plain").join(matches, on="number")
    checks = [
        (pl.col("rule") == number) & ~condition
        for number, condition in book.conditions.items()
        if book.rules[number].reads_text
    ]
    return fits.filter(~pl.any_horizontal(checks) if checks else True).select("row", "rule")


def _text_matches(texts: pl.Series, book: Rulebook) -> pl.DataFrame:
    """number, rule: which texts each rule's words and patterns fit; a text that is decided is not looked at again."""
    named, asked = _called(texts, book)
    undecided = np.ones(texts.len(), dtype=bool)
    numbers, rules = [_NONE], []
    for number, rule in enumerate(book.rules):
        if not rule.reads_text:
            continue
        everywhere = number in book.everywhere
        candidates = np.arange(texts.len()) if everywhere else asked.get(number, _NONE)
        fitting = _fitting(texts, rule, named.get(number, _NONE), candidates, undecided)
        if fitting.size:
            numbers.append(fitting)
            rules += [number] * fitting.size
            if not rule.has_conditions and rule.cause != "expired":
                undecided[fitting] = False
    return pl.DataFrame(
        {"number": np.concatenate(numbers), "rule": rules}, schema={"number": pl.UInt32, "rule": pl.UInt16}
    )


def _called(texts: pl.Series, book: Rulebook) -> tuple[Numbers, Numbers]:
    """For each rule the texts that hold one of its words, and those that hold a word of its patterns; by one pass."""
    hits = pl.DataFrame({"word": texts.str.extract_many(book.vocabulary, overlapping=True)}).with_row_index(
        "number"
    )
    calls = hits.explode("word").drop_nulls("word").join(book.callers, on="word").drop("word").unique()
    named: dict[int, np.ndarray] = {}
    asked: dict[int, np.ndarray] = {}
    for (rule, enough), part in calls.partition_by("rule", "enough", as_dict=True, include_key=False).items():
        (named if enough else asked)[int(rule)] = part["number"].to_numpy()
    return named, asked


def _fitting(
    texts: pl.Series, rule: Rule, named: np.ndarray, asked: np.ndarray, undecided: np.ndarray
) -> np.ndarray:
    """The numbers of the undecided texts that a rule fits: they are `named` by its words, or one of its patterns matches."""
    by_word = named[undecided[named]]
    open_ = undecided
    if by_word.size and rule.pattern:
        open_ = undecided.copy()
        open_[by_word] = False
    candidates = asked[open_[asked]]
    if rule.pattern:
        candidates = candidates[_matches(texts, candidates, rule.pattern)]
    fitting = np.concatenate((by_word, candidates))
    return fitting[~_matches(texts, fitting, rule.unless)] if rule.unless else fitting


def _matches(texts: pl.Series, numbers: np.ndarray, patterns: tuple[str, ...]) -> np.ndarray:
    """Which of the texts with these numbers one of the patterns matches."""
    if not numbers.size:
        return np.zeros(0, dtype=bool)
    return texts.gather(numbers).str.contains(union(patterns)).to_numpy()


def _by_codes(rows: pl.DataFrame, book: Rulebook) -> pl.DataFrame:
    """row, rule: the rules that look at codes and stage only."""
    keys = ["enhanced_code", "reply_code", "stage"]
    combinations = rows.select(keys).unique().with_row_index("combination")
    fits = combinations.select(
        pl.col("combination").filter(condition).implode().alias(str(number))
        for number, condition in book.conditions.items()
        if not book.rules[number].reads_text
    )
    rules = [
        fits.select(
            pl.col(name).explode(empty_as_null=False).alias("combination"),
            pl.lit(int(name), pl.UInt16).alias("rule"),
        )
        for name in fits.columns
        if len(fits[name].item())
    ]
    if not rules:
        return pl.DataFrame(schema={"row": pl.UInt32, "rule": pl.UInt16})
    of_rows = rows.select("row", *keys).join(combinations, on=keys, nulls_equal=True)
    return of_rows.join(pl.concat(rules), on="combination").select("row", "rule")


# ------------------------------------------------------------------ what follows from the rule


def _columns(read: pl.DataFrame, book: Rulebook, spoken_by: str) -> pl.DataFrame:
    soft_code = pl.coalesce(
        pl.col("enhanced_code").str.starts_with("4."), pl.col("reply_code").str.starts_with("4")
    ).fill_null(False)
    chosen = _chosen(read, book, spoken_by).with_columns(soft_code.alias("soft_code"))
    fixed = pl.col("fixed_permanence") | (pl.col("cause") == "expired")
    ours = pl.col("cause_family") == "our_server"
    full = chosen.with_columns(
        pl.when(~fixed & pl.col("soft_code"))
        .then(pl.lit("soft"))
        .otherwise("default_permanence")
        .alias("permanence"),
        pl.when(ours).then(pl.coalesce("stage", pl.lit("local"))).otherwise("stage").alias("stage"),
        _named(chosen, chosen["cause"].is_in(_LISTING), replies.blocklist("text")).alias("blocklist"),
        _named(chosen, chosen["soft_code"], replies.retry_after("text")).alias("retry_after_s"),
    ).with_columns(_sentence(spoken_by).alias("sentence"))
    said = [pl.when("done").then(None).otherwise(name).alias(name) for name in COLUMNS if name != "stage"]
    return full.with_columns(said).select(COLUMNS)


def _named(rows: pl.DataFrame, mask: pl.Series, value: pl.Expr) -> pl.Series:
    return _where(mask, rows.filter(mask).select(value).to_series())


def _chosen(read: pl.DataFrame, book: Rulebook, spoken_by: str) -> pl.DataFrame:
    """The rows with what their rule says; mail that expired with the cause of its last try."""
    answers = book.answers.with_columns(_voiced(name, spoken_by) for name in ("what", "act", "who_acts"))
    last = answers.select(pl.col("rule").alias("last_rule"), pl.col("cause").alias("last_cause"))
    by_status = (pl.col("status") == "expired").fill_null(False)
    number = (
        pl.when(by_status)
        .then(pl.lit(book.expired, pl.UInt16))
        .otherwise(pl.col("rule").fill_null(book.unclassified))
    )
    joined = read.with_columns(number.alias("rule")).join(
        answers, on="rule", how="left", maintain_order="left"
    )
    joined = joined.join(last, on="last_rule", how="left", maintain_order="left")
    gone = pl.col("cause") == "expired"
    return joined.with_columns(pl.when(gone).then("last_cause").alias("last_cause"))


def _voiced(column: str, spoken_by: str) -> pl.Expr:
    """The words of an answer with the parties named as they stand to us."""
    if column == "who_acts":
        return (
            pl.col(column).replace({"us": "remote", "remote": "us"}) if spoken_by == "us" else pl.col(column)
        )
    words = pl.col(column)
    for marker, party in zip(("sending", "receiving"), _PARTIES[spoken_by], strict=True):
        words = words.str.replace_all(f"{{{marker}}}", party, literal=True)
        words = words.str.replace_all(
            f"{{{marker.capitalize()}}}", party[0].upper() + party[1:], literal=True
        )
    return words


def _sentence(spoken_by: str) -> pl.Expr:
    asker = "their server" if spoken_by == "them" else "our server"
    listed = _if_said("blocklist", pl.format(" (listed by {})", "blocklist"))
    last = _if_said(
        "last_cause", pl.format(" (last try: {})", pl.col("last_cause").str.replace_all("_", " "))
    )
    minutes = pl.format(" in {} minutes", (pl.col("retry_after_s") / 60).ceil().cast(pl.Int64))
    seconds = pl.format(" in {} seconds", pl.col("retry_after_s").cast(pl.Int64))
    wait = pl.when(pl.col("retry_after_s") > 60).then(minutes).when(pl.col("retry_after_s") > 0).then(seconds)
    asked = pl.concat_str(pl.lit(f"; {asker} asked to try"), wait.otherwise(pl.lit(" later")))
    answered = pl.col("reply_code").is_not_null() | ~pl.col("cause").is_in(_UNANSWERED)
    remote = pl.col("soft_code") & answered & (pl.col("rule_basis") != "local").fill_null(True)
    later = pl.when(remote).then(asked).otherwise(pl.lit(""))
    return pl.concat_str("what", listed, last, pl.lit("; "), "act", later)


def _if_said(column: str, words: pl.Expr) -> pl.Expr:
    return pl.when(pl.col(column).is_not_null()).then(words).otherwise(pl.lit(""))
