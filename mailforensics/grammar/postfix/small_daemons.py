"""Lines of the daemons that seldom say much: anvil, scache, verify, master, postfix-script; caches and notes of all of them.

    statistics: max connection rate 1/60s for (smtpd:192.0.2.7) at Oct 26 18:13:50
    daemon started -- version 3.11.7, configuration /etc/postfix
    cache lmdb:/var/lib/postfix/verify_cache full cleanup: retained=0 dropped=0 entries

Sources: Postfix ``src/anvil/anvil.c``, ``src/scache/scache.c``, ``src/master/master.c``, ``src/util/dict_cache.c``, ``conf/postfix-script``.
"""

from __future__ import annotations

from mailforensics.grammar.postfix import formats
from mailforensics.grammar.postfix.formats import notes, older
from mailforensics.grammar.shape import Shape

# service:client, counted by network since 3.8 (smtpd_client_ipv6_prefix_length, usually 84), where a service may be an address with a port: (127.0.0.1:2525:192.0.2.7)
_FOR_CLIENT = (
    r"for \((?P<service>(?:\[[^\]]*\]|[!-9;-~]*\.[!-9;-~]*):[0-9a-z-]+|[!-9;-~]+):"
    r"(?:unknown|(?P<client_network>[0-9A-Fa-f:.]+/[0-9]+)|(?P<client_ip>[0-9A-Fa-f:][0-9A-Fa-f:.]*))\) at (?P<at>.*)"
)

SHAPES: tuple[Shape, ...] = (
    Shape(
        kind="postfix.anvil.peak",
        programs=("anvil",),
        severity="info",
        pattern=r"statistics: max (?P<type>[a-z]+) rate (?P<rate>[0-9]+)/(?P<period>[0-9]+[a-z]+) "
        + _FOR_CLIENT,
        example="statistics: max connection rate 1/60s for (smtpd:192.0.2.7) at Oct 26 18:13:50",
        means="The most events (connections, messages, recipients, TLS handshakes, logins) per period of one client since the last report.",
        since="2.3",
    ),
    Shape(
        kind="postfix.anvil.peak",
        programs=("anvil",),
        severity="info",
        pattern=r"statistics: max (?P<type>[a-z]+) count (?P<count>[0-9]+) " + _FOR_CLIENT,
        example="statistics: max connection count 1 for (smtpd:192.0.2.7) at Oct 26 18:13:50",
        means="The most connections at once of one client since the last report.",
        since="2.3",
    ),
    Shape(
        kind="postfix.anvil.cache",
        programs=("anvil",),
        severity="info",
        pattern=r"statistics: max cache size (?P<count>[0-9]+) at (?P<at>.*)",
        example="statistics: max cache size 4 at Oct 26 18:13:50",
        means="The most clients that were counted at once.",
        since="2.2",
    ),
    Shape(
        kind="postfix.scache.statistics",
        programs=("scache",),
        severity="info",
        pattern=r"statistics: (?P<type>domain|address) lookup hits=(?P<hits>[0-9]+) miss=(?P<misses>[0-9]+) success=(?P<percent>[0-9]+)%",
        example="statistics: domain lookup hits=0 miss=3 success=0%",
        means="How often an open connection could be used again.",
        since="2.2",
    ),
    Shape(
        kind="postfix.scache.statistics",
        programs=("scache",),
        severity="info",
        pattern=r"statistics: max simultaneous domains=(?P<domains>[0-9]+) addresses=(?P<addresses>[0-9]+) connections?=(?P<connections>[0-9]+)",
        example="statistics: max simultaneous domains=1 addresses=1 connection=2",
        means="The most open connections kept at once.",
        since="2.2",
    ),
    Shape(
        kind="postfix.scache.statistics",
        programs=("scache",),
        severity="info",
        pattern=r"statistics: start interval (?P<at>.*)",
        example="statistics: start interval Dec  6 21:20:35",
        means="The statistics of kept connections count from here.",
        since="2.2",
    ),
    Shape(
        kind="postfix.cache_cleanup",
        programs=("*",),
        severity="info",
        pattern=r"cache (?P<table>[^ ]+) (?P<type>full|partial) cleanup: retained=(?P<retained>[0-9]+) dropped=(?P<dropped>[0-9]+) entries",
        example="cache lmdb:/var/lib/postfix/verify_cache full cleanup: retained=0 dropped=0 entries",
        means="Old entries of a cache (address verification, postscreen) were thrown out.",
        since="2.7",
    ),
    Shape(
        kind="postfix.table_changed",
        programs=("*",),
        severity="info",
        pattern=r"table (?P<table>.*) has changed (?:-- restarting|- finishing in the background)",
        example="table hash:/etc/postfix/virtual has changed -- restarting",
        means="A lookup table was rebuilt, so the process made room for a new one.",
        since="2.1",
    ),
    Shape(
        kind="postfix.master.started",
        programs=("master", "postfix-script"),
        severity="info",
        pattern=r"(?P<action>daemon started|reload) -- version (?P<version>[^ ,]+), configuration (?P<configuration>.*)",
        example="daemon started -- version 3.11.7, configuration /etc/postfix",
        means="Postfix was started or told to read its settings again.",
        since="2.2",
    ),
    Shape(
        kind="postfix.master.stopped",
        programs=("master",),
        severity="info",
        pattern=r"terminating on signal (?P<signal>[0-9]+)",
        example="terminating on signal 15",
        means="Postfix was stopped.",
    ),
    Shape(
        kind="postfix.master.stopped",
        programs=("master",),
        severity="info",
        pattern=r"master exit time has arrived",
        example="master exit time has arrived",
        means="Postfix was started for a limited time (master -e), which is over.",
    ),
    Shape(
        kind="postfix.script",
        programs=("postfix-script", "postfix", "postmulti-script", "master"),
        severity="info",
        pattern=r"(?P<action>starting the Postfix mail system|stopping the Postfix mail system|refreshing the Postfix mail system|"
        r"aborting the Postfix mail system|waiting for the Postfix mail system to terminate|stopping \(force\) the Postfix mail system|"
        r"the Postfix mail system is (?:not )?running(?:: PID: [0-9]+)?|flushing the Postfix mail queue)",
        example="starting the Postfix mail system",
        means="The postfix command (start, stop, reload, status, ...) was run.",
    ),
    *formats.shapes(notes.NOTES, older.NOTES, severity="info"),
)
