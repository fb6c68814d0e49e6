"""Time as the promises about hostile input need it (S5, S6): processor seconds, the least of several runs.

A busy machine only ever adds to a measurement. So a promise is kept as soon as one of several runs keeps it, and it is
broken when none of them does; what grows faster than it may does so in every run.
"""

from __future__ import annotations

import time
from collections.abc import Callable

TRIES = 12
Run = Callable[[], object]


def seconds(run: Run, *, enough: float = 0.0, tries: int = TRIES) -> float:
    """Processor seconds of the fastest run, of several; no more runs once one took no longer than `enough`."""
    best = float("inf")
    for _ in range(tries):
        begun = time.process_time()
        run()
        best = min(best, time.process_time() - begun)
        if best <= enough:
            break
    return best


def growth(small: Run, large: Run, *, enough: float, floor: float = 1e-6) -> float:
    """How many times as long the large run takes as the small one; measured again while that is more than `enough`."""
    least_small, least_large = seconds(small, tries=3), float("inf")
    for _ in range(TRIES):
        least_small = min(least_small, seconds(small, tries=1))
        least_large = min(least_large, seconds(large, tries=1))
        if least_large <= enough * max(least_small, floor):
            break
    return least_large / max(least_small, floor)
