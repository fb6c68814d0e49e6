"""Strings that must never reach a page, a terminal or a spreadsheet as they are."""

SCRIPT = "<script>alert(1)</script>"
ESCAPE = "\x1b[31mred\x1b[0m"
FORMULA = "=cmd|' /C calc'!A0"
ALL = (SCRIPT, ESCAPE, FORMULA)
