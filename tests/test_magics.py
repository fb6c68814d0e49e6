"""Magics: a thin skin over the functions, and pasted text is never evaluated."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from IPython.core.interactiveshell import InteractiveShell

import mailforensics as mf


@pytest.fixture
def shell() -> Iterator[InteractiveShell]:
    made = InteractiveShell()
    made.run_line_magic("load_ext", "mailforensics")
    yield made
    made.history_manager.end_session()


def test_trace_asks_the_case_in_the_variable(shell: InteractiveShell) -> None:
    shell.user_ns["case"] = mf.samples.load("lost-in-sieve")
    found = shell.run_line_magic("trace", "to=bob@example.org sender='alex@example.com'")
    assert len(found) == len(shell.user_ns["case"].trace(to="bob@example.org", sender="alex@example.com")) > 0
    shell.user_ns["other"] = mf.samples.load("slow")
    assert len(shell.run_line_magic("trace", "in=other to=nobody@example.org")) == 0


def test_trace_without_a_case_says_what_to_do(shell: InteractiveShell) -> None:
    with pytest.raises(mf.OptionError, match=r"mf\.open_case"):
        shell.run_line_magic("trace", "to=bob@example.org")


@pytest.mark.parametrize("line", ["bob@example.org", '"', "=x"])
def test_words_that_are_no_question_are_refused(shell: InteractiveShell, line: str) -> None:
    shell.user_ns["case"] = mf.samples.load("lost-in-sieve")
    with pytest.raises(mf.OptionError):
        shell.run_line_magic("trace", line)


def test_explain_explains(shell: InteractiveShell) -> None:
    told = shell.run_line_magic("explain", "Mar  2 10:02:11 mail postfix/qmgr[7]: 3F2A1C0B2: removed")
    assert told.kind == "postfix.removed"


def test_a_pasted_header_is_read_and_not_evaluated(shell: InteractiveShell) -> None:
    shell.user_ns["word"] = "evaluated"
    cell = "Received: from a by mx.example.org; 1 Jan 2026 00:00 +0000\nSubject: $word {word}"
    read = shell.run_cell_magic("headers", "--own mx.example.org", cell)
    assert read.hops["trust"].to_pylist() == ["ours"]
    assert read.documents["subject"].to_pylist() == ["$word {word}"]
