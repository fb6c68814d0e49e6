"""The errors of the toolkit. Bad data is a row in a table; only bad *use* is one of these.

    MailforensicsError
      EvidenceError        evidence could not be read: missing, not a file, unreadable, damaged
        NoEvidenceError    nothing in what was given is mail evidence
      OptionError          an option does not fit: unknown time zone, table, question
      CaseError            a saved case is damaged, unfinished or of another version

Every message is a sentence that says what happened, where, and what to do.
"""

from __future__ import annotations


class MailforensicsError(Exception):
    """Any error of this toolkit; catch this one to catch them all."""


class EvidenceError(MailforensicsError):
    """Evidence could not be read: the path is missing, unreadable or damaged."""


class NoEvidenceError(EvidenceError):
    """Nothing in what was given is mail evidence."""


class OptionError(MailforensicsError, ValueError):
    """An option does not fit: an unknown time zone, table name, field or question."""


class CaseError(MailforensicsError):
    """A saved case is damaged, unfinished or written by another version."""
