r"""The one door for hostile text: what strangers wrote becomes fit for HTML, a terminal, CSV and Excel.

Subjects, HELO names, symbol options and file names are written by attackers. Everything that is shown goes
through here, once. A sample of what comes in: ``Subject: <script>alert(1)</script>\x1b]0;owned\x07`` with a
U+202E that turns the rest of the line around. Rules: S1, S3 and S4 of SECURITY.md; the first characters that
begin a formula are those of OWASP's page on CSV injection; control and format characters are those of the
Unicode categories Cc and Cf, with the fillers that show nothing though they count as letters.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import datetime
from typing import TYPE_CHECKING, Any

from markupsafe import Markup
from markupsafe import escape as _markup_escape

if TYPE_CHECKING:
    import polars as pl

EXCEL_CELL_CHARACTERS = 32_767  # the most that a cell of a worksheet holds

# Arabic and other number signs of category Cf are left alone: they are seen.
_INVISIBLE = re.compile(
    "["
    "\x00-\x1f\x7f-\x9f"  # control characters
    "\xad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f"  # soft hyphen, joiners, fillers
    "\u200b-\u200f\u2028-\u202e\u2060-\u206f"  # zero-width, line separators, bidirectional controls
    "\u2800\u3164\uffa0\ufe00-\ufe0d\ufeff\ufff0-\uffff"  # blanks, variation selectors, non-characters
    "\U0001bca0-\U0001bca3\U0001d173-\U0001d17a\U000e0000-\U000e0fff"  # shorthand, music, tags
    "\ud800-\udfff"  # halves of surrogate pairs
    "]"
)
_SHORT = {"\t": "\\t", "\n": "\\n", "\r": "\\r"}
_INVISIBLE_RUST = _INVISIBLE.pattern.replace(
    "\ud800-\udfff", ""
)  # no column can hold halves of surrogate pairs
_FORMULA = re.compile(r"[ \t\r\n\xa0]*[=+\-@\t\r\n\uff1d\uff0b\uff0d\uff20]")
_FORMULA_RUST = rf"\A{_FORMULA.pattern}"


def visible(text: str, *, keep: str = "") -> str:
    r"""The text with every character that shows nothing, or moves others, spelt out; those in ``keep`` stay.

    >>> visible("a\x1b[31mb\u202ec\nd")
    'a\\x1b[31mb[U+202E]c\\nd'
    >>> visible("two\nlines", keep="\n")
    'two\nlines'
    """
    return _INVISIBLE.sub(lambda hit: hit[0] if hit[0] in keep else _spell(hit[0]), text)


def terminal(value: Any, *, keep: str = "") -> str:
    r"""A value as text that cannot steer a terminal: no control, bidirectional or zero-width character.

    >>> terminal("\x1b]0;owned\x07")
    '\\x1b]0;owned\\x07'
    >>> terminal(None)
    ''
    """
    return "" if value is None else visible(str(value), keep=keep)


def html(value: Any, *, keep: str = "") -> Markup:
    r"""A value as HTML text, fit for elements and quoted attributes. What is Markup already passes through.

    >>> html("<b>\x00")
    Markup('&lt;b&gt;\\x00')
    """
    if isinstance(value, Markup):
        return value
    return _markup_escape(terminal(value, keep=keep))


_MARKDOWN = re.compile(r"([\\`*_{}\[\]<>()#+|~&!$^-])")


def markdown(value: Any) -> str:
    r"""A value as Markdown text on one line: no markup, no HTML, no link, no cell of a table begins in it.

    >>> markdown("<b>*a*|b")
    '\\<b\\>\\*a\\*\\|b'
    """
    said = _MARKDOWN.sub(r"\\\1", terminal(value))
    said = said.replace("://", ":\\//").replace("www.", "www\\.")
    return re.sub(r"\A([0-9]+)\.(?=\s|\Z)", r"\1\\.", said)


def csv_cell(value: Any) -> Any:
    """A value as a cell of a CSV file: text that a spreadsheet would run as a formula gets a ``'`` in front.

    Numbers, truth values and null stay what they are; times become ISO 8601.

    >>> csv_cell("=1+1"), csv_cell(-1.5), csv_cell("-1.5")
    ("'=1+1", -1.5, "'-1.5")
    """
    if value is None or isinstance(value, bool | int | float):
        return value
    if isinstance(value, datetime):
        return value.isoformat()
    text = str(value)
    return ("'" if is_formula(text) else "") + visible(text)


def excel_cell(value: Any) -> Any:
    """A value for a worksheet: text longer than a cell is cut and says so; it must be written as text, not as a formula.

    >>> excel_cell("=1+1"), len(excel_cell("x" * 40_000)), excel_cell("x" * 40_000)[-27:]
    ('=1+1', 32767, 'xx [cut: 40,000 characters]')
    """
    if value is None or isinstance(value, bool | int | float | datetime):
        return value
    text = visible(str(value))
    if _utf16(text) <= EXCEL_CELL_CHARACTERS:
        return text
    said = f" [cut: {len(text):,} characters]"
    kept = text[: EXCEL_CELL_CHARACTERS - len(said)]
    while _utf16(kept) > EXCEL_CELL_CHARACTERS - len(said):  # Excel counts what is beyond U+FFFF twice
        kept = kept[: len(kept) - (_utf16(kept) - EXCEL_CELL_CHARACTERS + len(said) + 1) // 2]
    return kept + said


def _utf16(text: str) -> int:
    return len(text.encode("utf-16-le", "surrogatepass")) // 2


def csv_column(texts: pl.Series) -> pl.Series:
    """A column of texts as cells of a CSV file; only the distinct ones that change go through :func:`csv_cell`."""
    return _some(texts, f"{_FORMULA_RUST}|{_INVISIBLE_RUST}", csv_cell)


def excel_column(texts: pl.Series) -> tuple[pl.Series, int]:
    """A column of texts as cells of a worksheet, as :func:`excel_cell` makes them, and how many had to be cut."""
    short = _some(texts, _INVISIBLE_RUST, visible)
    long = short.str.len_bytes() > EXCEL_CELL_CHARACTERS
    cut = {text: cell for text in short.filter(long).unique() if (cell := excel_cell(text)) != text}
    return (short.replace(cut), int(short.is_in(list(cut)).sum())) if cut else (short, 0)


def formula_column(texts: pl.Series) -> pl.Series:
    """Which texts of a column :func:`is_formula` holds for."""
    return texts.str.contains(_FORMULA_RUST)


def xml_column(texts: pl.Series) -> pl.Series:
    """A column of visible texts as the content of XML elements of a worksheet.

    A spreadsheet reads ``_x0041_`` as a spelt character, so its underscore is spelt itself.
    """
    plain = texts.str.replace_all("&", "&amp;", literal=True).str.replace_all("<", "&lt;", literal=True)
    plain = plain.str.replace_all(">", "&gt;", literal=True)
    return plain.str.replace_all("_(x[0-9a-fA-F]{4}_)", "_x005F_$1")


def _some(texts: pl.Series, pattern: str, change: Callable[[str], Any]) -> pl.Series:
    odd = texts.filter(texts.str.contains(pattern)).unique()
    changed = {text: change(text) for text in odd}
    return texts.replace(changed) if changed else texts


def is_formula(text: str) -> bool:
    """Whether a spreadsheet could take the text for a formula, leading blanks and full-width signs included.

    >>> is_formula(" =cmd|' /C calc'!A0"), is_formula("Offer 4711")
    (True, False)
    """
    return _FORMULA.match(text) is not None


def _spell(character: str) -> str:
    if character in _SHORT:
        return _SHORT[character]
    code = ord(character)
    return f"\\x{code:02x}" if code < 0x100 else f"[U+{code:04X}]"
