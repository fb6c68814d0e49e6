"""The coarse labels of the shared bounce cases and the causes that mean the same; also used by docs/make_causes.py."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

import polars as pl

from mailforensics.findings.causes import answer_with, classify_replies, normalise
from mailforensics.findings.rulebook import Rule, Rulebook, _assemble, rulebook

CASES = Path(__file__).parents[3] / "shared" / "cases" / "bounces.jsonl"

MEANING: dict[str, set[str | None]] = {
    "complaint": {"complaint"},
    "content_error": {"content_malformed"},
    "delivered": {None},
    "domain_not_found": {"domain_not_found"},
    "expired": {"expired"},
    "ip_blocked": {"ip_blocklisted"},
    "local_delivery": {"local_delivery_failed"},
    "mailbox_disabled": {"mailbox_disabled"},
    "mailbox_full": {"mailbox_full"},
    "mailbox_moved": {"mailbox_moved"},
    "message_too_big": {"message_too_large"},
    "network_error": {"connect_failed", "connection_lost", "dns_failure", "routing_loop"},
    "no_ptr": {"no_ptr"},
    "not_accepting": {"remote_not_accepting", "null_mx"},
    "policy": {"policy_refused"},
    "protocol_error": {"protocol_error", "address_syntax"},
    "rate_limited": {"rate_limited", "too_many_recipients"},
    "recipient_refused": {"recipient_refused"},
    "relay_denied": {"relay_denied"},
    "reputation": {"sender_reputation"},
    "security": {"policy_refused", "smtp_auth_required", "tls_failure"},
    "sender_auth": {"sender_auth_failed"},
    "sender_rejected": {"sender_rejected"},
    "server_error": {"remote_system_error", "local_config", "local_mailbox_store"},
    "server_full": {"remote_system_full"},
    "spam_content": {"spam_content"},
    "suppressed": {"suppressed"},
    "unclassified": {"unclassified"},
    "user_unknown": {"user_unknown"},
    "virus": {"malware"},
}


def answers(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """What the toolkit says about each case, given its text, codes and stage."""
    replies = [
        {
            "text": row["text"],
            "enhanced_code": row["dsn"],
            "reply_code": row["smtp_code"],
            "stage": (row.get("ctx") or {}).get("smtpcommand") or None,
        }
        for row in rows
    ]
    return classify_replies(replies).to_pylist()


def judged(rows: list[dict[str, Any]]) -> list[tuple[dict[str, Any], dict[str, Any], bool, bool]]:
    """case, answer, cause agrees, family agrees: for the cases that carry a coarse label."""
    families = {name: cause.family for name, cause in rulebook().taxonomy.items()}
    result = []
    for row, answer in zip(rows, answers(rows), strict=True):
        meant = MEANING.get(row.get("expect_cause") or "")
        if meant is not None:
            family = {families[each] if each else None for each in meant}
            result.append((row, answer, answer["cause"] in meant, answer["cause_family"] in family))
    return result


def shares(rows: list[dict[str, Any]]) -> dict[str, float]:
    """How many cases are labelled, and the shares with the same cause, the same family, and no cause at all."""
    all_judged = judged(rows)
    count = len(all_judged)
    return {
        "labelled": count,
        "cause": sum(cause for _, _, cause, _ in all_judged) / count,
        "family": sum(family for _, _, _, family in all_judged) / count,
        "unclassified": sum(answer["cause"] == "unclassified" for _, answer, _, _ in all_judged) / count,
    }


def shares_without_own_words(rows: list[dict[str, Any]]) -> dict[str, float]:
    """The same shares when each case is judged without the words and patterns that fit no other case.

    A rule that was made for one text falls away where that text is judged: a lower bound of what to expect on texts that nobody
    has seen, as words that are right and merely rare fall away, too.
    """
    book = rulebook()
    families = {name: cause.family for name, cause in book.taxonomy.items()}
    cases = [row for row, *_ in judged(rows)]
    plain = [f" {text} " for text in normalise(pl.Series([row["text"] for row in cases])).fill_null("")]
    alone = _alone(book.rules, plain)
    same = near = none = 0
    for number, row in enumerate(cases):
        meant = MEANING[row["expect_cause"]]
        rules = tuple(_without(rule, alone.get((number, at), set())) for at, rule in enumerate(book.rules))
        kept = tuple(rule for rule in rules if rule is not None)
        answer = (
            classify_with(_assemble(book.taxonomy, kept), row) if kept != book.rules else answers([row])[0]
        )
        same += answer["cause"] in meant
        near += answer["cause_family"] in {families[each] if each else None for each in meant}
        none += answer["cause"] == "unclassified"
    return {
        name: count / len(cases)
        for name, count in (("cause", same), ("family", near), ("unclassified", none))
    }


def classify_with(book: Rulebook, row: dict[str, Any]) -> dict[str, Any]:
    """What a rule book says about one case."""
    stage = (row.get("ctx") or {}).get("smtpcommand") or None
    code = str(row["smtp_code"]) if row["smtp_code"] else None
    given = {"text": row["text"], "enhanced_code": row["dsn"], "reply_code": code, "stage": stage}
    frame = pl.DataFrame(
        {name: [value] for name, value in given.items()}, schema=dict.fromkeys(given, pl.String)
    )
    answer: dict[str, Any] = answer_with(frame, book).to_dicts()[0]
    return answer


def _alone(rules: tuple[Rule, ...], plain: list[str]) -> dict[tuple[int, int], set[str]]:
    """(case, rule) -> the words and patterns of the rule that fit the text of this case and no other."""
    texts = pl.Series(plain)
    found: dict[tuple[int, int], set[str]] = {}
    for at, rule in enumerate(rules):
        for each, literal in [
            *((word, True) for word in rule.words),
            *((one, False) for one in rule.pattern),
        ]:
            hits = texts.str.contains(each, literal=literal).arg_true().to_list()
            if len({plain[hit] for hit in hits}) == 1:
                for hit in hits:
                    found.setdefault((hit, at), set()).add(each)
    return found


def _without(rule: Rule, words: set[str]) -> Rule | None:
    """A rule without some of its words; None when nothing is left of it."""
    if not words:
        return rule
    left = (
        tuple(each for each in rule.words if each not in words),
        tuple(each for each in rule.pattern if each not in words),
    )
    return dataclasses.replace(rule, words=left[0], pattern=left[1]) if any(left) else None
