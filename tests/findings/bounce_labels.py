"""The coarse labels of the shared bounce cases and the causes that mean the same; also used by docs/make_causes.py."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from mailforensics.findings.causes import classify_replies
from mailforensics.findings.rulebook import rulebook

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
