"""The grammar of Rspamd, 1.9 to 4: the verdict on each message, milter connections, maps, learning, and the rest by module.

    2026-11-23 17:57:14 #256(rspamd_proxy) <95137e>; proxy; rspamd_task_write_log: id: <...>, qid: <D50A81995E>, ip: 192.0.2.122, ...

``prefix.py`` cuts process, worker, tag and module off; ``task.py`` reads the verdicts, ``symbols.py`` their lists of rules,
``lines.py`` everything else; ``history.py`` reads what Rspamd's web interface and Redis keep.
"""

from __future__ import annotations

from mailforensics.grammar.rspamd.fields import FIELDS
from mailforensics.grammar.rspamd.lines import MODULE_SHAPES, TASK_LIFE
from mailforensics.grammar.rspamd.prefix import PROGRAMS, split
from mailforensics.grammar.rspamd.task import TASK_SHAPES
from mailforensics.grammar.shape import Grammar

__all__ = ["GRAMMAR", "split"]

GRAMMAR = Grammar(
    system="rspamd",
    programs=PROGRAMS,
    split=split,
    shapes=(*TASK_SHAPES, *TASK_LIFE, *MODULE_SHAPES),
    fields=FIELDS,
    carries=("tag",),
)
