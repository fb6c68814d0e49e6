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
# # Where is my mail?
#
# Alex says: "I sent Bob an offer." Bob says: "I never got it." Alex's server says `status=sent`, and so does Bob's.
# Who is right? Both are, and this notebook shows how one finds out.
#
# It works offline on a case that was recorded from real servers: two mail domains, each with Postfix, Rspamd and
# Dovecot.

# %%
import mailforensics as mf
from mailforensics.show import plots

# %% [markdown]
# ## Load the evidence
#
# `open_case` takes files, folders, globs, or several at once. What comes out says what it covers, and how much of it
# was **not** understood: an answer is worth as much as the evidence that was looked at.

# %%
case = mf.samples.load("lost-in-sieve")
case

# %% [markdown]
# ## Ask
#
# One needs no queue id and no Message-ID: a sender, a recipient and a rough time will do. That is what Alex knows.

# %%
question = mf.samples.question("lost-in-sieve")
question

# %%
lost = case.trace(**question)
lost

# %% [markdown]
# Read it from the top: the outcome first, how surely it is known, then what to do next. Below stand the steps over both
# hosts, each with its line. `status=sent` was true: Postfix had handed the message on, and Dovecot had answered
# "Saved". What Sieve did afterwards stands only in Dovecot's log.

# %% [markdown]
# ## One picture
#
# A lane for each program, from the sender's server to the mailbox.

# %%
journey = lost.to_dict()["journeys"][0]
axes = plots.timeline(journey, zone=case.zone)

# %% [markdown]
# ## The finding, and what would disprove it
#
# *Bob's Sieve script discarded the message.* That is **seen**: a line of Dovecot says so. It would be disproved by a line
# that shows the message in a mailbox. Is there one? Ask the table of everything that happened in mailboxes:

# %%
events = case.frame("mailbox_events")
mine = events[events["message_id"] == journey["message_id"]]
mine[["time", "host", "username", "action", "mailbox", "reason"]]

# %% [markdown]
# ## The other case: a mail that waits
#
# In `slow` the receiving server is down. The mail is not lost, it waits in the queue and is tried again and again.

# %%
slow = mf.samples.load("slow")
late = slow.trace(**mf.samples.question("slow"))
late

# %%
journey = late.to_dict()["journeys"][0]
axes = plots.timeline(journey, zone=slow.zone)

# %% [markdown]
# The four parts of Postfix's own delay tell where the time went: before the queue, in the queue, connecting, sending.

# %%
deliveries = slow.frame("deliveries")
parts = ["delay_before_queue_s", "delay_in_queue_s", "delay_connect_s", "delay_transmit_s"]
deliveries.sort_values("delay_s", ascending=False)[["time", "recipient", "attempt", "status", *parts]].head(8)

# %% [markdown]
# ## Your turn
#
# * Another offer was lost in `lost-in-sieve` on the same day. Whose was it?
# * Which mail to Bob arrived?
# * Ask for a recipient that does not exist. What does the answer say about the evidence?

# %%
case.trace(to="nobody@example.org")
