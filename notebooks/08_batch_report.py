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
# # One report per case of a folder
#
# This notebook asks nothing: it is run by a timer or another program, once for each folder of evidence.
#
#     papermill 08_batch_report.ipynb out.ipynb -p folder /srv/evidence -p output /srv/reports
#
# Without parameters it takes two of the sample cases.

# %% tags=["parameters"]
folder = ""  # a folder with a folder for each case; empty: sample cases
output = "reports"  # where the reports go
timezone = ""  # the zone of stamps that state none; empty: as the evidence says

# %%
from pathlib import Path

import polars as pl

import mailforensics as mf
from mailforensics.show import plots

# %% [markdown]
# ## Load: which cases are there?

# %%
if folder:
    folders = sorted(path for path in Path(folder).iterdir() if path.is_dir())
else:
    folders = [mf.samples.path(name) for name in ("bounced", "rejected")]
[path.name for path in folders]

# %% [markdown]
# ## A report for each
#
# A folder without mail evidence, or with a broken archive, is a line in the list and does not stop the others.

# %%
out = Path(output)
out.mkdir(exist_ok=True)
rows, failures = [], []
for path in folders:
    try:
        case = mf.open_case(path, timezone=timezone or None)
        report = case.report(out / f"{path.name}.html")
    except mf.MailforensicsError as error:
        rows.append({"case": path.name, "report": None, "why": str(error)})
        continue
    counted = case.summary()["counts"]
    rows.append({"case": path.name, "report": report.name, **counted})
    for table in ("deliveries", "rejects"):
        failures.append(case.polars(table).select("cause", "who_acts", "permanence"))
pl.DataFrame(rows, infer_schema_length=None)

# %% [markdown]
# ## One picture: why mail failed, over all cases

# %%
axes = plots.causes(pl.concat(failures)) if failures else None

# %% [markdown]
# ## The finding, and what would disprove it
#
# The picture counts what the evidence of all folders holds. A folder that was not read is missing from it; the list above
# says which, and why. It would be disproved by a log that was rotated away before it was collected: look at the coverage in
# each report.
#
# ## Your turn
#
# * Run it on a folder of your own, from the command line, without a notebook:
#   `for d in /srv/evidence/*/; do mailforensics report "$d" -o "$(basename "$d").html"; done`
