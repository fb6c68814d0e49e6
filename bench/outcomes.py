"""What became of every recipient's copy: a scenario of the lab against what the toolkit says. ``python bench/outcomes.py FOLDER...``

``FOLDER/expected.json`` is written by the lab's driver from what it did and from what lay in the mailboxes, never by our
parser. Prints counts and each disagreement; exit code 1 when there is one. The tests of the sample data ask the same.
"""

from __future__ import annotations

import json
import sys
import time
from collections import Counter, defaultdict
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import mailforensics as mf

# What a log cannot say: a client that is turned away before RCPT has named no recipient, one whose login fails no sender.
NO_RECIPIENT = "552"  # refused at MAIL for its announced size
NO_TRANSACTION = "535"  # the login failed
MANY = "reject_multi_recipient_bounce"  # refused at DATA: Postfix logs a recipient only if there is just one

Fate = tuple[str | None, str, str | None]


@dataclass
class Comparison:
    """Mails that the toolkit tells otherwise (label, what is true, what it says), journeys that nobody sent, and counts of both."""

    wrong: list[tuple[str, list[Fate], list[list[Fate]]]] = field(default_factory=list)
    left: list[tuple[str | None, str | None, list[Fate]]] = field(default_factory=list)
    true: Counter[str] = field(default_factory=Counter)
    told: Counter[str] = field(default_factory=Counter)


def compare(case: mf.Case, truth: dict[str, Any]) -> Comparison:
    """Each mail of the truth finds the one journey that tells of its recipients what happened."""
    journeys = case.table("journeys").to_pylist()
    by_id: dict[str | None, list[dict[str, Any]]] = defaultdict(list)
    by_sender: dict[str | None, list[dict[str, Any]]] = defaultdict(list)
    for journey in journeys:
        by_id[journey["message_id"]].append(journey)
        if journey["message_id"] is None:
            by_sender[journey["sender"]].append(journey)
    result, used = Comparison(), set()
    result.told.update(outcome for journey in journeys for _, outcome, _ in fates(journey))
    for mail in truth["mails"]:
        if str(mail["reply"] or "").startswith(NO_TRANSACTION) or not visible(mail):
            continue
        result.true.update(outcome for _, outcome, _ in wanted(mail))
        named = candidates(mail, by_id, by_sender)
        fitting = [j for j in named if j["journey_key"] not in used and agrees(j, mail)]
        if fitting:
            used.add(fitting[0]["journey_key"])
        else:
            result.wrong.append((mail["label"], wanted(mail), [fates(j) for j in named]))
    result.left = [(j["message_id"], j["sender"], fates(j)) for j in journeys if j["journey_key"] not in used]
    return result


def fates(journey: dict[str, Any]) -> list[Fate]:
    """(recipient as it was addressed, outcome, mailbox) of each copy."""
    return sorted(
        (
            (end["original_recipient"] or end["recipient"], end["outcome"], end["mailbox"])
            for end in journey["outcomes"]
        ),
        key=str,
    )


def wanted(mail: dict[str, Any]) -> list[Fate]:
    """The same of a mail of the truth."""
    if mail.get("restriction") == MANY:
        return [(None, "rejected", None)]
    unnamed = str(mail["reply"] or "").startswith(NO_RECIPIENT)
    unnamed = unnamed or any(r.get("never_handed_over") for r in mail["recipients"])
    rows = [(None if unnamed else r["recipient"], r["outcome"], r["mailbox"]) for r in mail["recipients"]]
    return sorted(rows, key=str)


def agrees(journey: dict[str, Any], mail: dict[str, Any]) -> bool:
    """The journey tells of each recipient what happened, or what an honest reader of cut or missing logs may say."""
    told, truth = fates(journey), wanted(mail)
    allowed = {(r["recipient"], word) for r in mail["recipients"] for word in r.get("acceptable", ())}
    if len(told) != len(truth):
        return False
    return all(
        (who, outcome, box) in truth
        or ((who, outcome) in allowed and box in (None, *(b for w, _, b in truth if w == who)))
        for who, outcome, box in told
    )


def visible(mail: dict[str, Any]) -> bool:
    """Whether the logs that were kept can show it at all."""
    return any(r.get("visible", True) for r in mail["recipients"])


def candidates(
    mail: dict[str, Any],
    by_id: dict[str | None, list[dict[str, Any]]],
    by_sender: dict[str | None, list[dict[str, Any]]],
) -> list[dict[str, Any]]:
    """The journeys that may be this mail's."""
    named = by_id.get(mail["message_id"], []) if mail["message_id"] else []
    # broken off before the log saw who and whom, if it was never handed over
    unknown = any(r.get("never_handed_over") for r in mail["recipients"])
    # a message that is refused or discarded for its header may never have shown its Message-ID to the log
    return named or by_sender.get(None if unknown else mail["sender"], [])


def main(folders: list[str]) -> int:
    """Compare each folder and print what differs."""
    bad = 0
    for folder in map(Path, folders):
        truth = json.loads((folder / "expected.json").read_text(encoding="utf-8"))
        begun = time.perf_counter()
        case = mf.open_case(folder, own=truth["own"])
        result = compare(case, truth)
        print(f"{folder}: {len(truth['mails']):,} mails, {case.polars('events').height:,} events, "
              f"{time.perf_counter() - begun:.1f} s")  # fmt: skip
        for outcome in sorted(set(result.true) | set(result.told)):
            print(f"  {outcome:24} true {result.true[outcome]:8,}  told {result.told[outcome]:8,}")
        for label, true, told in result.wrong[:20]:
            print(f"  {label}: true {true}, told {told}")
        for journey in result.left[:20]:
            print(f"  nobody sent {journey}")
        print(f"  {len(result.wrong)} mails told otherwise, {len(result.left)} journeys that nobody sent")
        bad += len(result.wrong) + len(result.left)
    return int(bad > 0)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
