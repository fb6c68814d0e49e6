"""Few distinct values in many rows (programs, hosts): what is known of each value, looked up for every row."""

from __future__ import annotations

import numpy as np
import polars as pl


def places(values: pl.Series, among: pl.Series) -> np.ndarray:
    """For each value its place in ``among`` (distinct, no nulls); ``len(among)`` for null and for what is not there.

    Three times faster than a join. Both categoricals are held until the codes are out: polars forgets the codes of one that
    nobody holds, and gives them to other words.

    >>> places(pl.Series(["b", None, "a", "b"]), pl.Series(["a", "b"])).tolist()
    [1, 2, 0, 1]
    """
    rows, each = values.cast(pl.Categorical), among.cast(pl.Categorical)
    codes = each.to_physical().cast(pl.Int64).to_numpy()
    lookup = np.full(int(codes.max(initial=0)) + 2, len(among), dtype=np.uint32)
    lookup[codes] = np.arange(len(among), dtype=np.uint32)
    wanted = rows.to_physical().cast(pl.Int64).fill_null(len(lookup) - 1).to_numpy()
    found: np.ndarray = lookup[np.minimum(wanted, len(lookup) - 1)]
    return found
