"""The report: sections that one can choose, the same words as HTML and Markdown, tables as XLSX, the same bytes each time."""

from __future__ import annotations

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


def test_managers_get_five_sentences(case: Case) -> None:
    said = [*report.five_sentences(Matter(case, case.summary()))]
    assert len(said) == 5
    assert "4 mails had 5 recipient copies: 1 arrived" in said[1]
    assert "user unknown (4 times; the sender can mend it)" in said[2]


def test_an_empty_case_gets_five_sentences_too() -> None:
    class Empty(Case):
        def polars(self, name: str) -> pl.DataFrame:
            return schema.empty(name)

    assert len([*report.five_sentences(Matter(Empty(), {}))]) == 5


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


@pytest.mark.parametrize("name", ["report.html", "report.md", "report.xlsx"])
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
    monkeypatch.setattr(plugins, "load", lambda group: {"night": night})
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
