"""Sample cases by name, from the source tree or an installed wheel: nothing to set up, nothing to download.

Each was recorded from real servers (``sample_data/lab``) and tells one story: ``lost-in-sieve``, ``slow``,
``bounced`` and so on. Beside the logs lies ``expected.json``: what truly happened to each recipient, the zone of the
hosts and the networks and names that are ours, written by the driver of the servers and not by this toolkit.
"""

from __future__ import annotations

import difflib
import json
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from mailforensics.errors import OptionError

if TYPE_CHECKING:
    from mailforensics.case import Case

_PACKAGE = Path(__file__).resolve().parent
_TRUTH = "expected.json"
_QUEUED = "queued as"
_ROUGHLY = timedelta(seconds=80)  # cut to the minute: from 20 to 80 seconds later


def names() -> list[str]:
    """The names of the sample cases.

    >>> "lost-in-sieve" in names()
    True
    """
    root = folder("sample_data")
    return sorted(truth.parent.relative_to(root).as_posix() for truth in root.glob(f"**/{_TRUTH}"))


def path(name: str) -> Path:
    """The folder of a sample case; :class:`OptionError` names the ones there are.

    >>> path("lost-in-sieve").name
    'lost-in-sieve'
    """
    known = names()
    if name not in known:
        near = difflib.get_close_matches(name, known, 1)
        hint = f" Did you mean {near[0]}?" if near else ""
        raise OptionError(f"There is no sample case {name!r}.{hint} The sample cases are {', '.join(known)}.")
    return folder("sample_data") / name


def load(name: str, **options: Any) -> Case:
    """Open a sample case with the zone and the own hosts that it was recorded with.

    ``options`` are those of :func:`mailforensics.open_case` and win over the recorded ones.
    """
    import mailforensics

    known = truth(name)
    recorded = {key: known[key] for key in ("own", "timezone") if known.get(key)}
    return mailforensics.open_case(path(name), **(recorded | options))


def story(name: str) -> str:
    """What happened in a sample case, as its README tells it, without the heading.

    >>> "Offer 4711" in story("lost-in-sieve")
    True
    """
    readme = (path(name) / "README.md").read_text(encoding="utf-8")
    return "\n".join(line for line in readme.splitlines() if not line.startswith("#")).strip()


def truth(name: str) -> dict[str, Any]:
    """What truly happened: the content of ``expected.json``.

    >>> truth("lost-in-sieve")["mails"][0]["recipients"][0]["outcome"]
    'discarded_by_sieve'
    """
    known: dict[str, Any] = json.loads((path(name) / _TRUTH).read_text(encoding="utf-8"))
    return known


def question(name: str) -> dict[str, str]:
    """A question worth asking of a sample case, as arguments of ``Case.trace``: the first mail that was taken and went astray.

    It holds what people know who miss a mail: sender, recipient and a rough time, in the zone of the hosts; and the
    Message-ID where the same two people wrote more than once.

    >>> list(question("lost-in-sieve"))
    ['to', 'sender', 'since', 'until', 'message_id']
    """
    known = truth(name)
    astray = [
        mail for mail in known["mails"] if any(it["outcome"] != "delivered" for it in mail["recipients"])
    ]
    # one that was broken off or refused early may never have told the log its sender and recipient
    taken = [mail for mail in astray if _QUEUED in str(mail["reply"])]
    mail = (taken or astray or known["mails"])[0]
    sent = datetime.fromisoformat(mail["sent_at"]).astimezone(ZoneInfo(known["timezone"]))
    asked = {
        "to": mail["recipients"][0]["recipient"],
        "sender": mail["sender"],
        "since": f"{sent:%Y-%m-%d %H:%M}",
        "until": f"{sent + _ROUGHLY:%Y-%m-%d %H:%M}",
    }
    twins = [it for it in known["mails"] if it["sender"] == mail["sender"] and it is not mail]
    if mail.get("message_id") and any(
        asked["to"] == to["recipient"] for it in twins for to in it["recipients"]
    ):
        asked["message_id"] = mail["message_id"].strip("<>")
    return {key: value for key, value in asked.items() if value}


def folder(kind: str) -> Path:
    """Where ``sample_data`` or ``notebooks`` lie: inside an installed package, or beside it in the source tree."""
    inside = _PACKAGE / f"_{kind}"
    beside = _PACKAGE.parent / kind
    for place in (inside, beside):
        if place.is_dir():
            return place
    raise OptionError(
        f"This installation holds no {kind}. Install the package again, or work in a clone of the source."
    )
