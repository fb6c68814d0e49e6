"""Questions as people write them in one line: ``to=bob@example.org subject="Offer 4711" since=10:00``."""

from __future__ import annotations

import shlex

from mailforensics.errors import OptionError


def questions(line: str) -> dict[str, str]:
    """The questions of a line of key=value words, quoted as in a shell, as arguments of ``Case.trace``.

    Raises :class:`OptionError` for a word that is no question.

    >>> questions('to=bob@example.org subject="Offer 4711"')
    {'to': 'bob@example.org', 'subject': 'Offer 4711'}
    """
    try:
        asked = [word.partition("=") for word in shlex.split(line)]
    except ValueError as error:
        raise OptionError(f"The question cannot be read: {error}. Close each quotation mark.") from error
    for key, sign, _ in asked:
        if not (key and sign):
            raise OptionError(
                f'{key!r} is no question: write to=bob@example.org, subject="two words", since=10:00.'
            )
    return {key: value for key, _, value in asked}
