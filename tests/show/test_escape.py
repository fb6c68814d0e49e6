from __future__ import annotations

import sys
import unicodedata

import pytest

from mailforensics.show import escape
from tests.show.hostile import FORMULAS, PAYLOADS

NUMBER_SIGNS = {
    *range(0x600, 0x606),
    0x6DD,
    0x70F,
    0x890,
    0x891,
    0x8E2,
    0x110BD,
    0x110CD,
    *range(0x13430, 0x13440),
}


def is_seen(character: str) -> bool:
    return unicodedata.category(character) not in ("Cc", "Cf", "Cs", "Zl", "Zp")


def test_every_control_and_format_character_is_spelt_out() -> None:
    silent = [
        hex(code)
        for code in range(sys.maxunicode + 1)
        if not is_seen(chr(code)) and code not in NUMBER_SIGNS and escape.visible(chr(code)) == chr(code)
    ]
    assert silent == []


def test_letters_marks_and_signs_of_all_scripts_stay() -> None:
    text = "Grüße, Ελλάδα, Привет, 你好, العربية, 👍, ∅ ✓▸ ↩"
    assert escape.terminal(text) == text


@pytest.mark.parametrize("payload", PAYLOADS)
def test_what_goes_to_the_terminal_can_be_encoded_and_holds_no_control_byte(payload: str) -> None:
    shown = escape.terminal(payload)
    shown.encode("utf-8")
    assert all(is_seen(character) for character in shown)


@pytest.mark.parametrize("payload", PAYLOADS)
def test_html_is_escaped_once(payload: str) -> None:
    shown = escape.html(payload)
    assert not set("<>\"'") & set(shown)
    assert escape.html(shown) == shown


@pytest.mark.parametrize("formula", FORMULAS)
def test_a_formula_begins_with_an_apostrophe_in_csv(formula: str) -> None:
    assert escape.csv_cell(formula).startswith("'")


@pytest.mark.parametrize("value", [0, -1, 1.5, -1.5, True, None])
def test_numbers_stay_numbers_in_csv_and_excel(value: object) -> None:
    assert escape.csv_cell(value) is value
    assert escape.excel_cell(value) is value


def test_an_excel_cell_holds_no_character_that_xml_forbids() -> None:
    assert escape.excel_cell("a\x00b\ufffe") == "a\\x00b[U+FFFE]"
