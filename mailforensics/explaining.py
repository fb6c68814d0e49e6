"""What the link floor is told of causes: the rule books of the findings floor, with their side of the conversation."""

from __future__ import annotations

from functools import partial

from mailforensics.findings.causes import classify_frame
from mailforensics.findings.restrictions import name_restrictions
from mailforensics.link.build import Explain

EXPLAIN = Explain(
    replies=classify_frame,
    refusals=partial(classify_frame, spoken_by="us"),
    restrictions=name_restrictions,
)
