"""A house's own line shape, cause, finding, section of the report and export for mailforensics."""

import polars as pl

from mailforensics.grammar.milters.prefix import splitter
from mailforensics.grammar.shape import Field, Grammar, Shape
from mailforensics.show.report import Section
from mailforensics.show.report.blocks import Says

# Mar  2 10:02:11 mx gatekeeper[7]: let in bob@example.org from 192.0.2.7
GRAMMAR = Grammar(
    system="other",
    programs="gatekeeper",
    split=splitter("gatekeeper"),
    shapes=(
        Shape(
            kind="gatekeeper.let_in",
            programs=("gatekeeper",),
            pattern=r"let in (?P<recipient>[^ ]+) from (?P<client_ip>[0-9a-fA-F.:]+)",
            example="let in bob@example.org from 192.0.2.7",
            means="The gatekeeper let a client deliver to a recipient.",
        ),
    ),
    fields={
        "recipient": Field("Who it is for.", personal=True),
        "client_ip": Field("The client that was let in.", personal=True),
    },
)

CAUSES = [{"id": "house.gateway", "cause": "policy_refused", "words": ["gateway rule"]}]


def large_mails(case):
    """Who sends mails of more than two thousand bytes: a rule of this house."""
    large = case.polars("messages").filter(pl.col("size") > 2000)
    for sender, size, evidence in large.select("sender", "size", "evidence").iter_rows():
        yield {
            "finding": "large_mail",
            "severity": "notice",
            "subject": sender,
            "sentence": f"{sender} sent a mail of {size:,} bytes.",
            "rule": "house.large_mail",
            "evidence": evidence,
            "innocent": "The house allows it to the press office.",
        }


def _night(matter):
    mails = matter.polars("messages").filter(pl.col("received_time").dt.hour() < 6).height
    yield Says(f"{mails} mails came between midnight and six, UTC.")


NIGHT = Section("night", "Mail at night", _night)


def senders(case, out):
    """One sender a line."""
    found = case.polars("messages")["sender"].drop_nulls().unique().sort()
    out.write("".join(f"{sender}\n" for sender in found).encode())
    return found.len()
