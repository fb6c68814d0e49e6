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
# # Where does mail wait in the queue?
#
# "Mail to example.org is slow today." Is it our server, the way there, or theirs? Postfix writes four numbers with every
# try to deliver, and they tell.

# %%
import mailforensics as mf
from mailforensics.findings import delays
from mailforensics.show import plots

# %% [markdown]
# ## Load
#
# `delays=a/b/c/d`: **a** before the queue manager took the mail for this try (reception, and every wait between tries),
# **b** in the queue manager, **c** connecting (DNS, TCP, TLS, greeting), **d** sending.

# %%
case = mf.samples.load("slow")
deliveries = case.polars("deliveries")
deliveries.select("time", "recipient", "attempt", "status", "delay_s", *delays.PARTS).head(6)

# %% [markdown]
# A line of the log, part by part (`%explain` takes any line):

# %%
# %load_ext mailforensics

# %%
# %explain Mar  2 10:07:23 mail postfix/smtp[812]: 3F2A1C0B2: to=<bob@example.org>, relay=mx.example.org[203.0.113.10]:25, delay=312, delays=300/0.02/10/1.9, dsn=2.0.0, status=sent (250 2.0.0 Ok: queued as 4jYBcn5tsv)

# %% [markdown]
# ## One picture

# %%
axes = plots.delay_parts(deliveries)
plots.alt_text(axes)

# %% [markdown]
# Nearly all of it is *before this try*. For a first try that would be a slow reception; for a later one it is the wait
# between tries. `time_in_states` tells the two apart:

# %%
states = delays.time_in_states(deliveries)
states.select("recipient", "tries", "status", "total_s", *delays.STATES)

# %%
axes = case.plot("retries")

# %%
axes = case.plot("queue_length")

# %% [markdown]
# ## The finding
#
# The mail waited **between tries**: the other side could not be reached, and Postfix came back later and later. Neither
# connecting nor sending was slow. Why each try failed:

# %%
axes = plots.causes(deliveries)
plots.alt_text(axes)

# %% [markdown]
# ## What would disprove it
#
# A long part **c** or **d** in tries that succeeded (a slow network or a slow server there), a long **b** (too few
# deliveries at once here), or waits that do not fit the schedule of retries:

# %%
delays.delay_quantiles(deliveries.filter(deliveries["status"] == "sent"))

# %%
delays.retry_schedule(deliveries)

# %% [markdown]
# *early* says that a try came before Postfix's usual schedule: here the queue was flushed by hand, as the recording did.
#
# ## Your turn
#
# * `case.plot("deferrals")`: when did which destination refuse?
# * The parts per relay instead of per domain: `plots.delay_parts(deliveries, by="relay_name")`.
# * Your own log: `mf.open_case("/var/log/mail.log*")`.

# %%
axes = case.plot("deferrals")
