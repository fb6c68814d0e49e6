"""The months as logs, mail headers and our own answers shorten them (RFC 3164 section 4.1.2, RFC 5322 section 3.3)."""

from __future__ import annotations

MONTHS = {
    name: number
    for number, name in enumerate(
        ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"), start=1
    )
}
MONTH = f"(?:{'|'.join(MONTHS)})"
"""The same as a regex."""
