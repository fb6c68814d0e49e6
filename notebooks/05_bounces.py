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
# # Why did it come back, and who must act?
#
# A bounce is a letter from a machine, and most people read only its first line. This notebook reads the logs of bounced
# mail, sorts the reasons, and says for each who must do something about it.

# %%
import polars as pl

import mailforensics as mf
from mailforensics.show import plots

# %% [markdown]
# ## Load

# %%
case = mf.samples.load("bounced")
deliveries = case.polars("deliveries")
failed = deliveries.filter(pl.col("status").is_in(["bounced", "deferred", "expired"]))
failed.select("time", "recipient", "status", "cause", "who_acts", "cause_sentence")

# %% [markdown]
# ## One picture
#
# The most frequent cause on top, with who must act. Hatched bars are final, plain ones may pass by themselves.

# %%
axes = plots.causes(failed)
plots.alt_text(axes)

# %% [markdown]
# ## The finding
#
# What each sender should be told. The cause comes from the reply of the server that refused; `cause_rule` names the rule
# that says so, and the reply is there to be read:

# %%
for row in failed.sort("time").to_dicts():
    print(f"{row['recipient']}: {row['cause_sentence']}")
    print(f"    rule {row['cause_rule']}, the reply was: {row['response']}\n")

# %% [markdown]
# What happened to the whole mail, bounce included:

# %%
question = mf.samples.question("bounced")
trace = case.trace(**question)
trace

# %% [markdown]
# ## What would disprove it
#
# The reply is what the other server *says*. "User unknown" may be its way to refuse a sender that it does not like. It would be
# disproved by a mail to the same address that was taken, before or after. Is there one?

# %%
addresses = failed["recipient"].unique()
deliveries.filter(pl.col("recipient").is_in(addresses.implode()) & (pl.col("status") == "sent")).select(
    "time", "recipient", "relay_name", "response"
)

# %% [markdown]
# ## Refused before it was ours
#
# A *bounce* is what our own server writes after it took the mail. Mail that a server refuses at the door never becomes
# its mail: the client keeps it. These are the rows of `rejects`.

# %%
refused = mf.samples.load("rejected")
axes = refused.plot("causes", "rejects")

# %%
refused.sql("select cause, who_acts, count(*) as number from rejects group by all order by number desc")

# %% [markdown]
# ## Your turn
#
# * Which refusals are "soft", and will the client come again? (`permanence`)
# * What does the reply "5.7.1" say by itself? The next cell asks.

# %%
replies = ["550 5.7.1 Access denied", "452 4.2.2 Mailbox full", "550 5.1.1 User unknown"]
answers = pl.DataFrame(mf.classify_replies([{"text": reply} for reply in replies]))
answers.select("cause", "permanence", "who_acts", "sentence")
