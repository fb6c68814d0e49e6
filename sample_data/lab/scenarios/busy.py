"""Three hundred mails at once, of every usual outcome; the small form of the volume run"""

import time

import volume

README = """
Three hundred mails by eight clients at once through two hosts without a spam filter: delivered here and across, bounced by the other host, put off once by the provider
and then taken, refused at RCPT, discarded by Ben's Sieve script, and some with four recipients of different fates. Sessions carry up to twenty mails,
and lines of different mails lie between each other. The scenario `volume` plays the same with 20,000 mails and is not part of the repository. The logs were rotated twice at the end.
"""
KEPT_MESSAGES = 6
OPTIONS, prepare = volume.OPTIONS, volume.prepare


def run(lab):
    volume.Volume(lab, 300).run()
    for host in lab.hosts.values():
        for _ in range(2):
            host.rotate(lab.now())
            time.sleep(0.5)
