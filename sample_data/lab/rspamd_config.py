"""Configuration of Rspamd on a lab host: scan what comes in, sign what goes out, say so in the headers."""

from __future__ import annotations

from world import SELECTOR, HostPlan

# Scores given by the subject make the actions of a scenario certain; all else is Rspamd's own judgement.
SUBJECT_SCORES = {
    "LAB_PHARMACY": (7.0, r"/cheap pills|replica watches|casino bonus/i"),
    "LAB_UNSURE": (5.0, r"/newsletter special offer/i"),
}

FILE_LOG = """\
type = "file";
filename = "/var/log/rspamd/rspamd.log";
level = "%s";
"""
SYSLOG_LOG = """\
type = "syslog";
facility = "mail";
level = "%s";
"""


def files(
    plan: HostPlan,
    *,
    to_syslog: bool = False,
    level: str = "info",
    keep_foreign_results: bool = False,
    greylist: str = "6s",
) -> dict[str, str]:
    """All of /etc/rspamd/local.d that the lab writes.

    Rspamd removes every Authentication-Results field it finds and writes its
    own; with `keep_foreign_results` it leaves the sender's beside it.
    """
    rules = "".join(
        f'{name} {{\n  type = "header";\n  header = "subject";\n  regexp = true;\n'
        f'  map = "/etc/rspamd/local.d/maps.d/{name.lower()}.map";\n  score = {score};\n}}\n'
        for name, (score, _) in SUBJECT_SCORES.items()
    )
    maps = {
        f"/etc/rspamd/local.d/maps.d/{name.lower()}.map": pattern + "\n"
        for name, (_, pattern) in SUBJECT_SCORES.items()
    }
    off = "enabled = false;\n"
    return {
        "/etc/rspamd/local.d/logging.inc": (SYSLOG_LOG if to_syslog else FILE_LOG) % level,
        "/etc/rspamd/local.d/options.inc": 'url_tld = "/etc/rspamd/local.d/suffixes.dat";\ndns { nameserver = ["192.0.2.53"]; timeout = 2s; }\n'
        'local_addrs = ["127.0.0.0/8", "::1"];\n',
        "/etc/rspamd/local.d/worker-proxy.inc": 'bind_socket = "127.0.0.1:11332";\nmilter = yes;\ntimeout = 60s;\ncount = 1;\n'
        'upstream "local" {\n  default = yes;\n  self_scan = yes;\n}\n',
        "/etc/rspamd/local.d/worker-normal.inc": off,
        "/etc/rspamd/local.d/worker-controller.inc": 'bind_socket = "127.0.0.1:11334";\npassword = "q1";\n',
        "/etc/rspamd/local.d/redis.conf": 'servers = "127.0.0.1:6379";\n',
        "/etc/rspamd/local.d/milter_headers.conf": 'use = ["authentication-results", "x-spamd-result", "x-rspamd-queue-id", "x-rspamd-server", "x-spam-level", "x-spam-status"];\n'
        "skip_local = false;\nskip_authenticated = false;\nextended_spam_headers = true;\n"
        + ("routines { authentication-results { remove = false; } }\n" if keep_foreign_results else ""),
        "/etc/rspamd/local.d/dkim_signing.conf": f'selector = "{SELECTOR}";\npath = "/var/lib/rspamd/dkim/$domain.$selector.key";\n'
        'sign_authenticated = true;\nsign_local = true;\nuse_domain = "header";\n',
        "/etc/rspamd/local.d/greylist.conf": f'timeout = {greylist};\nexpire = 1d;\nwhitelisted_ip = "/etc/rspamd/local.d/maps.d/no_greylist.map";\n',
        "/etc/rspamd/local.d/maps.d/no_greylist.map": "192.0.2.67\n",
        "/etc/rspamd/local.d/multimap.conf": rules,
        "/etc/rspamd/local.d/fuzzy_check.conf": off,
        "/etc/rspamd/local.d/phishing.conf": "openphish_enabled = false;\nphishtank_enabled = false;\n",
        "/etc/rspamd/local.d/rspamd_update.conf": off,
        "/etc/rspamd/local.d/asn.conf": off,
        # the public suffix list takes 13 s to compile; the lab's names need these few
        "/etc/rspamd/local.d/suffixes.dat": "com\norg\nnet\nedu\ntest\ninvalid\n",
        **maps,
    }
