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
# # Reading headers
#
# Every mail carries its history on its back: the header. This lesson starts from nothing and ends with a forged header
# that you take apart. It takes about an hour, works offline, and has ten exercises that are graded as you go.
#
# Cells are run with <kbd>Shift</kbd>+<kbd>Enter</kbd>.

# %%
import mailforensics as mf

# %load_ext mailforensics

# %% [markdown]
# ## What happens when a mail is sent
#
# Alex writes to Bob and Bella. His computer hands the mail to his own server, that one to the server of example.org, and
# that one to the store in which the mailboxes lie. The next cell does this **for real**: three small servers on this
# machine, one mail, and every word that is said. `C:` is the client, the one who brings the mail; `S:` is the server.

# %%
sent = mf.lesson.dialogue()
sent

# %% [markdown]
# Five things to find in it:
#
# 1. **The envelope.** `MAIL FROM` and `RCPT TO` are the envelope. Servers read only that. What stands in `From:` and `To:`
#    is the letter inside: nobody on the way has to look at it.
# 2. **Each hop adds its `Received`** on top of what it got. So the newest is on top, the oldest at the bottom.
# 3. **The last one adds `Return-Path`**, the sender of the envelope: that is where a bounce would go.
# 4. **LMTP answers for each recipient.** Bella's mailbox is full, Bob has the mail: one DATA, two answers. With SMTP
#    there is one answer for all, and the server that gave it must write a bounce later.
# 5. **Dots travel in pairs.** A line with a lone dot ends the mail, so a line that begins with a dot gets a second one.
#
# ## One picture
#
# What arrived, as the way it came. The first server's client is only a name that was told; each server wrote one line.

# %%
arrived = mf.read_headers(
    sent.delivered["bob@example.org"], own=["mail.example.com", "mx.example.org", "store.example.org"]
)
axes = arrived.plot()

# %% [markdown]
# ## Read from the top, believe down to your border
#
# The story begins at the bottom, but **trust begins on top**. The uppermost fields were written by your own servers. Go down
# until the first field that was not: everything below came *with* the mail, and whoever sent it may have typed it.
#
# Within a field of your own there is *seen* and *told*:
#
#     Received: from secure.bank.test (vps66.hosting.test [203.0.113.66]) by mx.example.org (Postfix) ...
#                    what it was told  what DNS says      what it saw        who wrote this
#
# Here is a real one, from the sample case `phish`. Go over it with the mouse, or with <kbd>Tab</kbd>: each value says
# what it is and whether it can be forged. Underlined solid: written by a server of ours. Dashed: claimed by others.

# %%
phish = mf.read_headers(
    mf.samples.path("phish") / "messages" / "bella@example.org-Junk-1.eml", own=["mx.example.org"]
)
phish

# %% [markdown]
# ## Times and zones
#
# Each server stamps with its own clock and its own zone. Bring two stamps to one zone before you subtract: `10:02:11 +0100`
# is `09:02:11 +0000`. When time runs backwards, a clock is wrong; it is not a proof of forgery. `-0000` means "I do
# not know my zone".

# %%
axes = phish.plot("delays")

# %% [markdown]
# ## SPF, DKIM and DMARC, in five lines each
#
# **SPF.** The domain of the *envelope* sender lists in DNS who may send for it.
# The receiving server compares the address that it sees.
# It says nothing about `From:`.
# It breaks when mail is forwarded, for then another server brings it.
# Look at `smtp.mailfrom=`.
#
# **DKIM.** A server signs some fields and the body; the key is in DNS under `d=`.
# It survives forwarding, as long as nobody changes what was signed.
# A mailing list that adds a footer breaks it.
# A good signature of another domain proves only that *that* domain sent it.
# Look at `header.d=`.
#
# **DMARC.** Asks whether SPF or DKIM passed *for the domain in `From:`*.
# That is called alignment, and it is the one that people see.
# The domain says in DNS what to do with mail that fails: nothing, quarantine, reject.
# No DMARC record: nothing is asked.
# Look at `header.from=`.
#
# All three stand in `Authentication-Results`, and **that field counts only when a server of yours wrote it**. Anyone can
# send one along.

# %% [markdown]
# ## The finding, and what would disprove it
#
# Bella's bank did not send that mail: the address that mx.example.org *saw* is a rented machine, and the fields that say
# otherwise stand below the border. It would be disproved by a passing signature of bank.test found by our own server, above
# the border. Is there one?

# %%
found = phish.auth_results.to_pandas()
found[["ordinal", "authserv_id", "authserv_trust", "method", "result", "header_d"]]

# %% [markdown]
# There is a `dkim=pass`, and it is not vouched for. Note where filters write: many put their field right *below* the
# `Received` of their own server. It counts where a field beside it quotes the queue id that our own server gave, which no
# stranger can know beforehand, or where that server takes such fields away from mail that comes in. If yours does, say so:
# `mailforensics.headers.message.read_message(data, own=[...], authserv=["mx.example.org"])`.
#
# ## Your turn: ten exercises
#
# Write your answer in the place of `None` and run the cell. What is wrong is told, and where to look.

# %%
mf.lesson.exercise(1)

# %%
mf.lesson.check(1, None)

# %%
mf.lesson.exercise(2)

# %%
mf.lesson.check(2, None)

# %%
mf.lesson.exercise(3)

# %%
mf.lesson.check(3, None)

# %%
mf.lesson.exercise(4)

# %%
mf.lesson.check(4, None)

# %%
mf.lesson.exercise(5)

# %%
mf.lesson.check(5, None)

# %%
mf.lesson.exercise(6)

# %%
mf.lesson.check(6, None)

# %%
mf.lesson.exercise(7)

# %%
mf.lesson.check(7, None)

# %%
mf.lesson.exercise(8)

# %%
mf.lesson.check(8, None)

# %%
mf.lesson.exercise(9)

# %%
mf.lesson.check(9, None)

# %%
mf.lesson.exercise(10)

# %%
mf.lesson.check(10, None)

# %% [markdown]
# ## And now one of your own
#
# In your mail program look for "view source" or "show original" and copy the header. In an empty cell write
# `%%headers --own mx.example.org` (the names or networks of your servers), and paste it below that line. Or paste it
# between the quotation marks here:

# %%
pasted = """
Return-Path: <alex@example.com>
Received: from mail.example.com (mail.example.com [198.51.100.10]) by mx.example.org (Postfix)
 with ESMTPS id 4jYBcn5tsv for <bob@example.org>; Mon, 2 Mar 2026 10:02:12 +0100
From: Alex <alex@example.com>
Subject: Offer 4711
"""
mf.read_headers(pasted, own=["mx.example.org"])

# %% [markdown]
# Or by widget: paste or upload, then press the button.

# %%
mf.widgets.header_reader(own=["mx.example.org"])

# %% [markdown]
# ## For teachers
#
# `print(mf.lesson.solutions())` gives every answer with its reason. The exercises never change, so an answer can be
# graded twice; `mf.lesson.check(n, answer).right` is the mark.
