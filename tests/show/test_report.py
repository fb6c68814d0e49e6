"""The report: sections that one can choose, the same words as HTML and Markdown, tables as XLSX, the same bytes each time."""

from __future__ import annotations

import json
from pathlib import Path

import polars as pl
import pytest

import mailforensics as mf
from mailforensics import Case, plugins, samples, schema
from mailforensics.errors import EvidenceError, OptionError
from mailforensics.show import export, report
from mailforensics.show.report import Matter, Section, blocks
from mailforensics.show.report.blocks import Says
from tests.show.hostile import PAYLOADS

MESSAGE = samples.path("phish") / "messages" / "bella@example.org-Junk-1.eml"


@pytest.fixture(scope="module")
def case() -> Case:
    return samples.load("bounced")


def test_managers_get_five_sentences_that_stand_on_lines(case: Case) -> None:
    said = [*report.five_sentences(Matter(case, case.summary()))]
    assert [len(it.lines) > 0 for it in said] == [True, True, True, True, False]
    assert [it.sentence for it in said][1:] == [
        "4 mails for 5 recipients: 1 (20 %) arrived or were taken over by the next server and 4 (80 %) did not arrive (bounced).",
        "6 times a mail was refused, returned or put off, most often because the recipient's address does not exist (4 times);"
        " all are for the sender to mend.",
        "Half of the 6 deliveries took at most 0.05 s and the longest 0.19 s, to example.com.",
        "The spam filters called 0 of 5 mails spam (0 %); nothing else deserves a look.",
    ]
    assert "status=bounced" in said[1].lines[0]


def test_the_numbers_of_the_sentences_are_those_that_the_week_is_known_by() -> None:
    week = samples.load("week")
    said = " ".join(it.sentence for it in report.five_sentences(Matter(week, week.summary())))
    known = json.loads((samples.path("week") / "expected.json").read_text())
    copies = sum(len(mail["recipients"]) for mail in known["mails"])
    assert f"{len(known['mails']):,} mails for {copies:,} recipients" in said


def test_what_waits_and_what_nobody_saw_is_told_apart_from_what_is_lost() -> None:
    held = samples.load("hold")
    said = [*report.five_sentences(Matter(held, held.summary()))]
    assert (
        "1 deleted from queue, 1 discarded by rule and 1 rejected) and 3 were still waiting"
        in said[1].sentence
    )


def test_an_empty_case_gets_five_sentences_too() -> None:
    class Empty(Case):
        def polars(self, name: str) -> pl.DataFrame:
            return schema.empty(name)

    said = [*report.five_sentences(Matter(Empty(), {}))]
    assert len(said) == 5
    assert all(it.sentence.endswith(".") for it in said)


def test_equal_findings_are_one_row_and_no_kind_fills_the_table() -> None:
    text = report.markdown(samples.load("lost-in-sieve"), sections=["incidents"])
    rows = [line for line in text.splitlines() if line.startswith("| discarded by sieve")]
    assert len(rows) == 1
    assert "| seen | 2 |" in rows[0]


def test_a_finding_about_a_message_shows_the_field_it_stands_on() -> None:
    page = report.render(samples.load("phish"), sections=["incidents"], pictures=False)
    assert "messages/bella@example.org-Junk-1.eml:" in page
    assert "Received: from mail.bank.test" in page


def test_a_very_long_line_is_cut_and_says_so(case: Case) -> None:
    matter = Matter(case, case.summary())
    long = matter.polars("events").sort(pl.col("text").str.len_chars(), descending=True).row(0, named=True)
    (shown,) = matter.lines([long["event_id"]])
    assert shown.endswith(f"… ({len(long['text']) - 600:,} more characters)")


def test_every_section_is_there_where_the_case_has_something_for_it(case: Case) -> None:
    page = report.render(
        case,
        traces=[case.trace(to="nobody@example.org")],
        messages=[export.message_answer(mf.read_headers(MESSAGE))],
    )
    lost = report.render(samples.load("lost-in-sieve"), pictures=False)
    assert "a Sieve script of bob@example.org then discarded it" in lost
    for section in report.SECTIONS.values():
        assert f'<section id="{section.name}">' in (lost if section.name == "incidents" else page)
    assert 'alt="nobody@example.org: bounced.' in page
    assert "status=bounced (host mx.example.org" in page
    assert page.count("<details>") == page.count("as evidence</summary>") + 2  # the lines; the sources, twice


def test_only_the_sections_that_were_chosen_are_there_in_that_order(case: Case) -> None:
    page = report.markdown(case, sections=["method", "summary"])
    heads = [line for line in page.splitlines() if line.startswith("#")]
    assert heads == ["# Mail report", "## Method and version", "## In five sentences"]


def test_an_unknown_section_or_format_is_told(case: Case, tmp_path: Path) -> None:
    with pytest.raises(OptionError, match="no section 'weather'; the sections are summary"):
        case.report(tmp_path / "a.html", sections=["weather"])
    with pytest.raises(OptionError, match="no report as 'doc'"):
        case.report(tmp_path / "a.html", format="doc")
    with pytest.raises(EvidenceError, match="Cannot write the report"):
        case.report(tmp_path / "none" / "a.html")


@pytest.mark.parametrize("name", ["report.html", "report.md", "report.pdf", "report.xlsx"])
def test_two_runs_over_the_same_evidence_give_equal_bytes(name: str, tmp_path: Path) -> None:
    for folder in ("one", "two"):
        (tmp_path / folder).mkdir()
        case = samples.load("bounced")
        case.report(tmp_path / folder / name, traces=[case.trace(to="nobody")], messages=[MESSAGE])
    assert (tmp_path / "one" / name).read_bytes() == (tmp_path / "two" / name).read_bytes()


def test_a_section_of_an_installed_package_is_one_of_the_report(
    case: Case, monkeypatch: pytest.MonkeyPatch
) -> None:
    night = Section(
        "night", "Mail at night", lambda matter: [Says(f"{matter.polars('messages').height} mails")]
    )
    really = plugins.load
    mine = {plugins.REPORT_SECTIONS: {"night": night}}
    monkeypatch.setattr(plugins, "load", lambda group: mine.get(group) or really(group))
    assert "## Mail at night\n\n9 mails" in report.markdown(case)


@pytest.mark.parametrize("payload", PAYLOADS)
def test_a_hostile_text_is_no_markup_in_markdown(payload: str) -> None:
    written = blocks.markdown_of([Says(payload), blocks.Rows(payload, ("a",), [(payload,)])])
    plain = written.replace("\\\\", "")
    for mark in "<>[]|`*_":
        bare = plain.replace(f"\\{mark}", "")
        assert mark not in bare.replace("| a |", "").replace("| --- |", "").replace("\n| ", "").replace(
            " |", ""
        )
    assert "://" not in written
