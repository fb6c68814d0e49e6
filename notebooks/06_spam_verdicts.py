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
# # What did the filter think, and why?
#
# "The newsletter is in Junk." A score is a sum, and each part of the sum has a name. This notebook takes verdicts apart.

# %%
import polars as pl

import mailforensics as mf
from mailforensics.findings import spam
from mailforensics.show import plots

# %% [markdown]
# ## Load
#
# `scans` holds a row for each verdict, from the filter's log and from the fields that it wrote into the mail.

# %%
case = mf.samples.load("spam")
scans = case.polars("scans").filter(pl.col("origin") == "log")
spam.action_statistics(scans)

# %% [markdown]
# ## One picture
#
# All scores against the threshold of the strongest action. A crowd just below a threshold is worth a look: small changes decide
# there.

# %%
axes = plots.scores(scans)
plots.alt_text(axes)

# %% [markdown]
# ## The finding
#
# One verdict taken apart: the highest score that the filter made of several parts.

# %%
made_of_parts = scans.filter(pl.col("symbols").list.len() > 1)
worst = made_of_parts.sort("score", descending=True).head(1)
axes = plots.symbols(worst)
plots.alt_text(axes)

# %% [markdown]
# Which symbols decide? `flips` says that without this one symbol the action by score would have been another.

# %%
spam.symbol_contributions(scans).filter(pl.col("flips")).select(
    "action", "score", "symbol", "symbol_score", "score_without", "action_without"
)

# %%
spam.symbol_statistics(scans, all_symbols=False).head(8)

# %% [markdown]
# ## What would disprove it
#
# A verdict with a *forced* action has not followed its score at all: a rule, a list or a test string decided. And a score in
# a header can be another one than in the log, when a second filter wrote it.

# %%
scans.filter(pl.col("forced_action").is_not_null()).select("time", "action", "score", "forced_action")

# %%
spam.header_against_log(case.polars("scans")).head()

# %% [markdown]
# Did the mail end where the verdict says? The trace follows it into the mailbox:

# %%
trace = case.trace(**mf.samples.question("spam"))
trace

# %% [markdown]
# ## Your turn
#
# * Who sends what the filter dislikes? `spam.verdicts_by(scans, ["sender_domain"])`.
# * A greylisted newsletter came a second time. Find both verdicts by their Message-ID.

# %%
spam.verdicts_by(scans, ["sender_domain"])
