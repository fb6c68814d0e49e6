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
# # More log than memory
#
# A year of logs does not fit into memory, and it need not. `ingest` reads piece by piece into Parquet files; questions
# read only the columns and rows that they need.

# %%
from pathlib import Path

import polars as pl

import mailforensics as mf
from mailforensics.show import plots

# %% [markdown]
# ## Load: once
#
# Here the evidence is small, but the way is the same for a hundred gigabytes. What was ingested before is not read again:
# run it every night on the same folder.

# %%
evidence = [mf.samples.path(name) for name in ("normal", "slow", "bounced")]
case = mf.ingest(evidence, "case", timezone="Europe/Berlin")
case

# %%
files = sorted(Path("case").rglob("*.parquet"))
pl.DataFrame([{"file": str(path), "bytes": path.stat().st_size} for path in files]).head(8)

# %% [markdown]
# ## Ask without loading
#
# `case.scan` gives a lazy table: nothing is read until the question is complete, and then only what it needs, in pieces.
# The plan shows which columns and which filter reach the files.

# %%
question = (
    case.scan("deliveries")
    .filter(pl.col("status") == "deferred")
    .group_by("recipient_domain")
    .agg(pl.len().alias("deferred"), pl.col("delay_s").max().alias("longest_s"))
    .sort("deferred", descending=True)
)
print(question.explain())

# %%
question.collect(engine="streaming")

# %% [markdown]
# The same files with SQL, in DuckDB or whatever reads Parquet. No copy is made on the way: a table of a case speaks Arrow.

# %%
case.sql("""
    select date_trunc('minute', time) as minute, count(*) as lines
    from events where system = 'postfix' group by minute order by minute
""").to_pandas().head()

# %% [markdown]
# ## On many cores, or many machines
#
# Dask reads the same files in pieces, and works on the pieces wherever it has workers: here two threads, elsewhere a cluster. Each
# piece is counted on its own, and only the counts are put together.

# %%
import dask.dataframe as dd

pieces = dd.read_parquet("case/deliveries/*.parquet", columns=["recipient_domain", "status", "delay_s"])
late = pieces[pieces["status"].astype("string") == "deferred"]
counted = (
    late.groupby("recipient_domain")["delay_s"]
    .agg(["count", "max"])
    .compute(scheduler="threads", num_workers=2)
)
counted

# %% [markdown]
# Both ways must give the same numbers:

# %%
by_polars = dict(question.collect().select("recipient_domain", "deferred").rows())
{"the same": counted["count"].to_dict() == by_polars}

# %% [markdown]
# Reading can be shared out too: `engine="dask"` sends the pieces of the logs to the workers of the current Dask client. Here that is
# one thread of this process, so that the notebook stays small.

# %%
from dask.distributed import Client

with Client(processes=False, protocol="tcp://", n_workers=1, threads_per_worker=1, dashboard_address=None):
    shared = mf.ingest(evidence, "shared", timezone="Europe/Berlin", engine="dask")
{"the same": shared.table("deliveries").equals(case.table("deliveries"))}

# %% [markdown]
# ## One picture
#
# Pictures take what a question gave, not the whole log. Thousands of points are thinned so that no peak is lost, and the title
# says so.

# %%
lines = case.scan("events").select("time").collect(engine="streaming")
axes = plots.rhythm(lines, zone=case.zone)
plots.alt_text(axes)

# %% [markdown]
# ## The finding, and what would disprove it
#
# *A question over a saved case costs what it reads, not what the case holds.* It would be disproved by a plan that reads all
# columns: look for `PROJECT` in the plan above, and compare it with the number of columns of the table.

# %%
wanted = {"recipient_domain", "delay_s", "status"}
{"columns in the table": len(mf.schema.TABLES["deliveries"].names), "columns in the question": len(wanted)}

# %% [markdown]
# ## Your turn
#
# * With `dask.distributed` the same lines run on many machines: `Client("tcp://scheduler.example.org:8786")` before `compute()`.
# * Ingest one more sample into the same folder. What is read, and what is not?

# %%
case = mf.ingest([*evidence, mf.samples.path("spam")], "case", timezone="Europe/Berlin")
case.trace(**mf.samples.question("spam"))
