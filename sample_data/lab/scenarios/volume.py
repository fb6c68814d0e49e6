"""Twenty thousand mails with concurrency: delivered, bounced, deferred and then sent, refused, discarded by Sieve."""

import volume

README = """
Twenty thousand mails by eight clients at once through two hosts without a spam filter: delivered here and across, bounced by the other host, put off once by the provider
and then taken, refused at RCPT, discarded by Ben's Sieve script, and some with four recipients of different fates. Not part of the repository:
`run.py --scenario volume --output FOLDER`, then `bench/outcomes.py FOLDER/volume`. The scenario `busy` is the same with 300 mails.
"""
APART = True
SECONDS = 5400
KEPT_MESSAGES = 20
OPTIONS, prepare = volume.OPTIONS, volume.prepare


def run(lab):
    volume.Volume(lab, 20_000).run()
