"""sample_data/README.md: what lies in the folders, from what the runs left there."""

from __future__ import annotations

import importlib
import json
from pathlib import Path

HEAD = """\
# Sample data

Logs and messages of real mail servers, made by the lab in `lab/` (`make sample-data`; nobody needs the lab to use them). Two domains,
example.com on host `mail` (short queue ids, RFC 3339 stamps) and example.org on host `mx` (long queue ids, RFC 3164 stamps without a year), both in
the zone Europe/Berlin. All names and addresses are reserved for documentation. No line was changed after a server wrote it.

Each folder holds

* `HOST/mail.log` (Postfix and Dovecot through rsyslog) and `HOST/rspamd.log`, with rotated forms where there are any,
* `HOST/postconf-n.txt`, `HOST/doveconf-n.txt`, and `HOST/postqueue-j.json` where mail was still queued,
* `messages/*.eml`: the messages as they arrived, named by mailbox, reports and copies later deleted included,
* `README.md`: the story in five lines, suite and versions,
* `expected.json`: what truly happened to each recipient, from what the driver did and from what was in mailboxes and queues; never from a log.

## expected.json

One entry of `mails` is one mail as its sender meant it, over all hosts and queues; reports and redirected copies belong to the mail that caused them.
`outcome` is the last known fate of that recipient's copy, `final_recipient` where it went if that is another address, `mailbox` where it lies now,
`notified` whether a delivery status notification about this mail reached its sender's mailbox, `reply` the last thing its client was told,
`message_id` null where the server never saw one (or there was none).
Several entries with the same `recipient` are copies that an alias or a redirect made. Besides these, where they apply:

* `forwarded_by` alias or sieve; `first_replies` replies before the final try of the same mail;
* `named_to_server`: which of sender and recipient the server ever learned (refused before RCPT), so that logs cannot tell the rest;
* `acceptable`: outcomes that a reader of these incomplete logs may state instead; `visible: false`: the logs that are left hold nothing of it;
* `never_handed_over`: the client went away in the middle, the server was never responsible;
* `moved_by`, `moved_from`, `deleted_from`: what the owner did after delivery; `copies`: how often the other side got it; `seen_by_imap`, `retrieved_by_pop`.

`findings` of the incidents: what a postmaster must find (kind, subject, the least severity) and what was done to bring it about. `restriction` in `restrictions`
names the setting that refused. [modern](modern/README.md) has `hops.json` instead: the truth about each hop of each message.

## Scenarios

| folder | what happens | suite | Postfix | Dovecot | Rspamd | mails |
|---|---|---|---|---|---|---|
"""


def write(folder: Path) -> None:
    """Write README.md for all scenario folders in `folder`."""
    rows = []
    for path in sorted([*folder.glob("*/expected.json"), *folder.glob("*/hops.json")]):
        expected = json.loads(path.read_text())
        module = importlib.import_module("scenarios." + expected["scenario"].replace("-", "_"))
        title = (module.__doc__ or "").strip().split("\n")[0].rstrip(".")
        versions = {
            name: version.split(":")[-1].split("-")[0].split("+")[0]
            for name, version in expected["versions"].items()
        }
        rows.append(
            f"| [{path.parent.name}]({path.parent.name}/README.md) | {title} | {expected['suite']} | {versions['postfix']} "
            f"| {versions['dovecot']} | {versions['rspamd']} | {len(expected['mails'])} |"
        )
    (folder / "README.md").write_text(HEAD + "\n".join(rows) + "\n")
