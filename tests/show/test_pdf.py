"""The report as PDF: the same words as the page, the same bytes each time, nothing that acts and nothing that is fetched."""

from __future__ import annotations

import builtins
import re
import shutil
import socket
import subprocess
import zlib
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from markupsafe import Markup

from mailforensics import Case, cli, samples
from mailforensics.errors import OptionError
from mailforensics.show import html, report
from mailforensics.show.pdf import pdf
from mailforensics.show.report import Matter, blocks
from mailforensics.show.report.blocks import Rows, Says
from tests.show.hostile import PAYLOADS

TO_TEXT = shutil.which("pdftotext")
ACTS = (
    b"/JavaScript",
    b"/JS",
    b"/URI",
    b"/Launch",
    b"/SubmitForm",
    b"/GoToR",
    b"/EmbeddedFile",
    b"/RichMedia",
    b"/AcroForm",
    b"/AA",
)


@pytest.fixture(scope="module")
def case() -> Case:
    return samples.load("rejected")  # whose senders, subjects and HELO names are hostile


@pytest.fixture(scope="module")
def written(case: Case, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return case.report(tmp_path_factory.mktemp("pdf") / "report.pdf", traces=[case.trace(to="example")])


def opened(made: bytes) -> bytes:
    """The file with its compressed streams in plain."""
    plain = [made]
    for stream in re.findall(rb"stream\r?\n(.*?)endstream", made, re.DOTALL):
        try:
            plain.append(zlib.decompressobj().decompress(stream))
        except zlib.error:
            continue
    return b"\n".join(plain)


def test_it_is_a_tagged_pdf_in_which_nothing_acts_and_no_time_is_told(written: Path) -> None:
    made = opened(written.read_bytes())
    assert made.startswith(b"%PDF-1.7")
    assert b"/MarkInfo" in made
    assert b"pdfuaid:part" in made
    assert [word for word in ACTS if re.search(re.escape(word) + rb"[^A-Za-z]", made)] == []
    assert b"CreationDate" not in made


@pytest.mark.skipif(TO_TEXT is None, reason="pdftotext is not installed: apt-get install poppler-utils")
def test_it_says_the_words_of_the_page_and_the_folded_lines(case: Case, written: Path) -> None:
    run = subprocess.run(
        [str(TO_TEXT), "-layout", str(written), "-"], capture_output=True, text=True, check=True
    )
    words = " ".join(run.stdout.split())
    for said in report.five_sentences(Matter(case, case.summary())):
        assert " ".join(said.sentence.split()) in words
    assert "NOQUEUE: reject: RCPT from" in words


@pytest.mark.skipif(TO_TEXT is None, reason="pdftotext is not installed: apt-get install poppler-utils")
def test_hostile_texts_stand_in_it_as_text(tmp_path: Path) -> None:
    told = [text for text in PAYLOADS if text.isascii() and text.isprintable()]
    body = blocks.html_of([*map(Says, told), Rows("Hostile", ("a", "b"), [(text, 1) for text in told])])
    made = pdf(html.document("<script>alert(1)</script>", body))
    assert [word for word in ACTS if re.search(re.escape(word) + rb"[^A-Za-z]", opened(made))] == []
    (tmp_path / "page.pdf").write_bytes(made)
    run = subprocess.run(
        [str(TO_TEXT), str(tmp_path / "page.pdf"), "-"], capture_output=True, text=True, check=True
    )
    said = "".join(run.stdout.split())
    assert [text for text in told if "".join(text.split()) not in said] == []


def test_nothing_is_fetched_neither_from_the_net_nor_from_the_disk(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    tried: list[Any] = []
    monkeypatch.setattr(socket.socket, "connect", lambda self, address: tried.append(address))
    (tmp_path / "secret.svg").write_text(
        '<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9"><text>secret</text></svg>'
    )
    sources = [
        "http://evil.test/x.png",
        "https://evil.test/x.png",
        "//evil.test/x",
        "ftp://evil.test/x",
        "font:../secret.ttf",
    ]
    sources += [(tmp_path / "secret.svg").as_uri(), str(tmp_path / "secret.svg")]
    body = Markup("").join(Markup('<img alt="x" src="{}">').format(source) for source in sources)
    links = Markup(
        '<link rel="stylesheet" href="http://evil.test/x.css"><link rel="attachment" href="{}">'
    ).format(sources[-2])
    made = opened(pdf(html.document("Report", links + body)))
    assert tried == []
    assert b"/EmbeddedFile" not in made
    assert b"/Subtype /Image" not in made


def test_what_is_lacking_is_told_with_the_way_to_mend_it(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    really = builtins.__import__

    def refuse(fault: Exception) -> Any:
        def importing(name: str, *rest: Any) -> Any:
            if name.startswith("weasyprint"):
                raise fault
            return really(name, *rest)

        return importing

    monkeypatch.setattr(builtins, "__import__", refuse(ImportError("no")))
    with pytest.raises(OptionError, match=r"pip install 'mailforensics-notebooks\[pdf\]'"):
        pdf("")
    monkeypatch.setattr(builtins, "__import__", refuse(OSError("cannot load library 'libpango-1.0-0'\nmore")))
    with pytest.raises(
        OptionError, match=r"cannot load library 'libpango-1.0-0'\).*apt-get install libpango"
    ):
        pdf("")
    asked = ["report", str(samples.path("hold")), "--section", "summary", "-o", str(tmp_path / "report.pdf")]
    result = CliRunner().invoke(cli.main, asked)
    assert (result.exit_code, "libpango" in result.output, (tmp_path / "report.pdf").exists()) == (
        2,
        True,
        False,
    )


def test_the_command_writes_pdf_by_name_and_by_format(tmp_path: Path) -> None:
    for name, options in (("report.pdf", []), ("report.out", ["--format", "pdf"])):
        asked = [
            "report",
            str(samples.path("hold")),
            "--section",
            "summary",
            *options,
            "-o",
            str(tmp_path / name),
        ]
        assert CliRunner().invoke(cli.main, asked).exit_code == 0
    assert (tmp_path / "report.pdf").read_bytes() == (tmp_path / "report.out").read_bytes()
    assert (tmp_path / "report.pdf").read_bytes().startswith(b"%PDF-")
