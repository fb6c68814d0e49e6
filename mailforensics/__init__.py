"""mailforensics: mail logs and message headers as Arrow tables, and the story of each message.

import mailforensics as mf
case = mf.open_case("sample_data/lost-in-sieve")
case.trace(to="bob@example.org")
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from mailforensics import lesson, samples, schema, widgets
    from mailforensics.case import Case, open_case
    from mailforensics.errors import (
        CaseError,
        EvidenceError,
        MailforensicsError,
        NoEvidenceError,
        OptionError,
    )
    from mailforensics.findings.causes import classify_replies
    from mailforensics.findings.dsn import read_dsn
    from mailforensics.headers.dialogue import read_dialogue
    from mailforensics.headers.resolver import Resolver
    from mailforensics.headers.verify import verify_message
    from mailforensics.intake import ingest
    from mailforensics.limits import Limits
    from mailforensics.reader import Message, read_headers
    from mailforensics.reading import parse_lines
    from mailforensics.show.explain import Explanation, explain
    from mailforensics.trace import Trace

# Name -> module: nothing is imported before it is asked for, so that `import mailforensics` takes no time.
_PLACES = {
    "Case": "mailforensics.case",
    "CaseError": "mailforensics.errors",
    "EvidenceError": "mailforensics.errors",
    "Limits": "mailforensics.limits",
    "MailforensicsError": "mailforensics.errors",
    "Message": "mailforensics.reader",
    "NoEvidenceError": "mailforensics.errors",
    "OptionError": "mailforensics.errors",
    "Resolver": "mailforensics.headers.resolver",
    "Trace": "mailforensics.trace",
    "Explanation": "mailforensics.show.explain",
    "classify_replies": "mailforensics.findings.causes",
    "explain": "mailforensics.show.explain",
    "ingest": "mailforensics.intake",
    "open_case": "mailforensics.case",
    "parse_lines": "mailforensics.reading",
    "read_dialogue": "mailforensics.headers.dialogue",
    "read_dsn": "mailforensics.findings.dsn",
    "read_headers": "mailforensics.reader",
    "verify_message": "mailforensics.headers.verify",
}
_MODULES = ("lesson", "samples", "schema", "widgets")

__all__ = [
    "Case",
    "CaseError",
    "EvidenceError",
    "Explanation",
    "Limits",
    "MailforensicsError",
    "Message",
    "NoEvidenceError",
    "OptionError",
    "Resolver",
    "Trace",
    "classify_replies",
    "explain",
    "ingest",
    "lesson",
    "open_case",
    "parse_lines",
    "read_dialogue",
    "read_dsn",
    "read_headers",
    "samples",
    "schema",
    "verify_message",
    "widgets",
]


def __getattr__(name: str) -> Any:
    from importlib import import_module

    if name in _PLACES:
        return getattr(import_module(_PLACES[name]), name)
    if name in _MODULES:
        return import_module(f"mailforensics.{name}")
    raise AttributeError(f"module 'mailforensics' has no attribute {name!r}")


def load_ipython_extension(shell: Any) -> None:
    """``%load_ext mailforensics``: the magics %%headers, %trace and %explain."""
    from mailforensics.magics import Magics

    shell.register_magics(Magics(shell))


def __dir__() -> list[str]:
    return sorted([*globals(), *__all__])
