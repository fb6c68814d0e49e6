"""Parts of a buffer at its edges."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest

from mailforensics.evidence.spans import Buffer

DATA = b"from mx.example.net"


@pytest.mark.parametrize("start", [0, len(DATA) - 1, len(DATA), len(DATA) + 1, len(DATA) + 5])
def test_an_empty_text_may_start_anywhere_even_behind_the_end(start: int) -> None:
    texts = Buffer(pa.py_buffer(DATA)).texts(np.array([0, start]), np.array([4, 0]))
    assert texts.to_list() == ["from", ""]


@pytest.mark.parametrize("length", range(len(DATA) + 1))
def test_a_text_of_any_length_ends_with_the_buffer(length: int) -> None:
    start = len(DATA) - length
    texts = Buffer(pa.py_buffer(DATA)).texts(np.array([start]), np.array([length]))
    assert texts.to_list() == [DATA[start:].decode()]
