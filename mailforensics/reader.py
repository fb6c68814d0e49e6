"""A message as one meets it in a notebook: its tables, and the header reader as its form.

    mf.read_headers("mail.eml", own=["mx.example.org"])       the reader: raw header, hops, authentication
    mf.read_headers("mail.eml").plot()                        the path as a picture
    mf.read_headers("Received: from ...").hops                the tables, as pyarrow

The tables are made by :mod:`mailforensics.headers.message`; here they get their form for eyes.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Literal

from mailforensics.errors import OptionError
from mailforensics.headers import message
from mailforensics.limits import DEFAULT, Limits

if TYPE_CHECKING:
    import pyarrow as pa
    from matplotlib.axes import Axes


class Message(message.MessageTables):
    """One message: documents, headers, hops, auth_results and scans as tables; HTML in a notebook, text in a terminal."""

    def to_dict(self, zone: str | None = None) -> dict[str, Any]:
        """The message as plain data: document, headers, hops, auth_results, scans; times are shown in ``zone``."""
        from mailforensics.show import export

        return export.message_answer(self, zone)

    def plot(self, name: Literal["path", "delays"] = "path", *, ax: Axes | None = None) -> Axes:
        """Draw the way it came (``path``) or the wait before each hop (``delays``); raises OptionError for another name."""
        from mailforensics.show import plots

        pictures = {"path": plots.hop_path, "delays": plots.hop_delays}
        if name not in pictures:
            raise OptionError(
                f"There is no picture {name!r} of a message; there are {' and '.join(pictures)}."
            )
        return pictures[name](self.frames["hops"], ax=ax)

    def second_opinion(self) -> pa.Table:
        """Where mail-parser cuts the clauses of Received fields in another way: one row per clause that differs.

        Columns document_id, ordinal, hop, clause (from, by, with, id, for), ours, theirs, sentence, event_id.
        """
        from mailforensics.headers.second_opinion import second_opinion

        return second_opinion(self.frames).to_arrow()

    def __str__(self) -> str:
        from mailforensics.show import text

        return text.message(self.to_dict())

    def __repr__(self) -> str:
        return str(self)

    def _repr_html_(self) -> str:
        from mailforensics.show import html

        return html.message(self.to_dict())


def read_headers(
    source: bytes | str | os.PathLike[str],
    *,
    own: Sequence[str] = (),
    authserv: Sequence[str] = (),
    limits: Limits = DEFAULT,
) -> Message:
    """A message from its bytes, from pasted header text, or from a file.

    Text with a line break or that begins like a field (``Received: ...``) is read as pasted text: quoting,
    shared indentation and lost folding are undone. Any other text is a path. ``own`` names the networks and
    hosts that are yours: without it every hop is ``claimed``. ``authserv`` names authserv-ids whose forged copies
    your border removes: their results then count right below it, where milters write.

    Raises EvidenceError when the file cannot be read and OptionError when ``own`` does not fit.

    >>> print(str(read_headers("Subject: Offer 4711")).splitlines()[0])
    subject   Offer 4711
    """
    tables = message.read_headers(source, own=own, authserv=authserv, limits=limits)
    return Message(tables.frames, tables.data)
