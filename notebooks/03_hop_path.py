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
# # Which way did it go, and where did it wait?
#
# A mail took a minute too long, and one of the servers seems to have sent it on before it got it. The case
# `three-hosts` was recorded from three servers of one house; this notebook finds the wait and the wrong clock.

# %%
import polars as pl

import mailforensics as mf
from mailforensics.show import plots

# %% [markdown]
# ## Load
#
# Each Received field is a row of `hops`; hop 1 is nearest to the sender.

# %%
case = mf.samples.load("three-hosts")
hops = case.polars("hops")
documents = case.polars("documents").select("document_id", "subject", "message_id")
backwards = hops.filter(pl.col("delay_s") < 0).join(documents, on="document_id").sort("hop", descending=True)
backwards.select("subject", "hop", "by_name", "from_name", "delay_s", "clock_suspect")

# %% [markdown]
# ## One picture
#
# The way of one of these mails. Waits are signed: a hop that took the mail before the one before it gave it away is drawn
# to the left.

# %%
one = hops.filter(pl.col("document_id") == backwards["document_id"][0])
axes = plots.hop_path(one)

# %%
axes = plots.hop_delays(one)
plots.alt_text(axes)

# %% [markdown]
# ## The finding
#
# If one server's clock is wrong by the same amount in every mail, the waits before and behind it are wrong by that amount
# with opposite signs, and their sum is right. So compare the server's steps over all mails:

# %%
steps = hops.filter(pl.col("delay_s").is_not_null()).with_columns(
    step=pl.concat_str(pl.col("from_name").fill_null("itself"), pl.lit(" to "), "by_name")
)
steps.group_by("step").agg(
    pl.len().alias("mails"), pl.col("delay_s").min().alias("least_s"), pl.col("delay_s").max().alias("most_s")
).sort("step")

# %% [markdown]
# Every step into gw.example.com takes about as much too long as the fastest step out of it takes too little: **its clock is
# fast by that much.** The mail did not travel in time, and it did not wait there either.
#
# ## What would disprove it
#
# The logs of the other hosts. They stamp with their own clocks; if *they* saw the mail leave as late as gw says, the wait
# is real. The trace puts the steps in the order in which they must have happened, whatever the stamps say:

# %%
message_id = backwards["message_id"][0].strip("<>")
trace = case.trace(message_id=message_id)
trace

# %% [markdown]
# ## Your turn
#
# * Which mails really waited on gw (`case.plot("retries")`)? Their waits are longer than the clock is wrong.
# * Take a header of your own: `mf.read_headers("mail.eml", own=["..."]).plot("delays")`.

# %%
axes = case.plot("retries")
