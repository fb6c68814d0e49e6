# ---
# jupyter:
#   jupytext:
#     formats: ipynb,py:percent
#     text_representation:
#       extension: .py
#       format_name: percent
#       format_version: '1.3'
#       jupytext_version: 1.19.6
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# %% [markdown]
# # An incident: from a folder of evidence to a report
#
# Bella has a mail from her bank that asks for her password. You get a folder: the logs of two hosts and some messages.
# What happened, to whom else, and what can be said for certain?

# %%
import polars as pl

import mailforensics as mf
from mailforensics.findings.forgery import find_forgery
from mailforensics.show import plots

# %% [markdown]
# ## Load, and look at what you hold
#
# Before the first question: what does the evidence cover, what was not understood, where are gaps? "Not seen" is worth as
# much as the time that was looked at.

# %%
case = mf.samples.load("phish")
case

# %%
axes = case.plot("coverage")
plots.alt_text(axes)

# %% [markdown]
# Each source with its fingerprint, so that another can check that it is the same evidence:

# %%
case.frame("sources")[["path", "sha256", "lines", "unparsed", "timezone"]]

# %% [markdown]
# ## What contradicts itself in the messages?
#
# Findings come with a rule and a certainty. They say *what contradicts what*, not who lied.

# %%
tables = {name: case.polars(name) for name in ("documents", "headers", "hops", "auth_results")}
findings = find_forgery(tables)
findings.group_by("severity", "finding").len("messages").sort("severity", "messages", descending=True)

# %%
by_weight = findings.sort(pl.col("severity").cast(pl.Enum(["warning", "notice", "info"])))
for sentence in by_weight["sentence"].unique(maintain_order=True).head(8):
    print("*", sentence)

# %% [markdown]
# ## The message itself

# %%
message = mf.read_headers(
    mf.samples.path("phish") / "messages" / "bella@example.org-Junk-1.eml", own=["mx.example.org"]
)
axes = message.plot()

# %% [markdown]
# ## One picture: who else?
#
# The address that our server *saw* is the fact to go on with. What else came from there?

# %%
seen = message.frames["hops"].filter(pl.col("trust") == "ours")["from_ip"].drop_nulls().unique().to_list()
same = case.polars("messages").filter(pl.col("client_ip").is_in(seen))
same.select("received_time", "host", "queue_id", "client_ip", "helo", "sender", "recipients", "status")

# %%
trace = case.trace(client=seen[0])
axes = trace.plot()

# %%
trace

# %% [markdown]
# ## The finding, and what would disprove it
#
# *Mail in the name of bank.test came from an address that does not belong to it, with history added by its sender.* **Seen**:
# the address and the time, in our own log and our own Received field. **Inferred**: that the fields below are invented. It
# would be disproved by a log of bank.test that holds the queue ids that they name.
#
# ## The report
#
# One HTML file, self-contained; nothing is fetched when it is opened.

# %%
report = case.report("incident.html", traces=[trace])
f"{report.name}: {report.stat().st_size:,} bytes"

# %% [markdown]
# ## Your turn
#
# * Anna got one too. What did it try to do to the screen of whoever reads it?
# * Hand on the report without the names: see `mailforensics --help` for pseudonyms.
