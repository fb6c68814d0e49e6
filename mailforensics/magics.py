"""The habits of notebook people: three magics, each a thin skin over a function.

    %load_ext mailforensics
    %trace to=bob@example.org since="10:00"        case.trace(to=..., since=...) of the variable `case`
    %explain Mar  2 10:02:11 mail postfix/qmgr[7]: 3F2A1C0B2: removed
    %%headers --own mx.example.org
    Received: from ...                             mf.read_headers(cell, own=[...])

What stands behind a magic is data: it is never evaluated, and ``$x`` or ``{x}`` in a pasted header stay what they are.
"""

from __future__ import annotations

from typing import Any

from IPython.core.magic import Magics as _Magics
from IPython.core.magic import cell_magic, line_magic, magics_class, no_var_expand

from mailforensics.errors import OptionError
from mailforensics.reader import read_headers
from mailforensics.show.explain import Explanation
from mailforensics.show.explain import explain as explained
from mailforensics.show.questions import questions


@magics_class
class Magics(_Magics):
    """%trace, %explain and %%headers."""

    @no_var_expand
    @line_magic
    def trace(self, line: str) -> Any:
        """Where is my mail? ``%trace to=bob@example.org since="10:00"`` asks the case in the variable ``case``.

        ``%trace in=other to=...`` asks the case in the variable ``other``.
        """
        asked = questions(line)
        name = asked.pop("in", "case")
        case = (self.shell.user_ns if self.shell else {}).get(name)
        if case is None or not hasattr(case, "trace"):
            raise OptionError(
                f'There is no case in the variable {name!r}: first write {name} = mf.open_case("...").'
            )
        return case.trace(**asked)

    @no_var_expand
    @line_magic
    def explain(self, line: str) -> Explanation:
        """Each part of a log line, named and explained: ``%explain Mar  2 10:02:11 mail postfix/qmgr[7]: ...``."""
        return explained(line)

    @no_var_expand
    @cell_magic
    def headers(self, line: str, cell: str) -> Any:
        """Read the raw header pasted into the cell; ``%%headers --own mx.example.org,192.0.2.0/24`` names what is yours."""
        return read_headers(cell + "\n", own=_own(line))


def _own(line: str) -> list[str]:
    return line.replace("--own", " ").replace("=", " ").replace(",", " ").split()
