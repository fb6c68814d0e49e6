"""Lines of the server itself and of its helpers: start and stop, limits, children, clocks, index, search, quota, storage.

    Dovecot v2.4.1-4 (7d8c0e5759) starting up for imap, pop3, lmtp (core dumps disabled)
    service(imap-login): client_limit (100) reached, client connections are being dropped
    Killed with signal 15 (by pid=1 uid=0 code=kill)

Errors of the storage have hundreds of texts; the shapes here know them by the words they begin with.

Source: ``src/master``, ``src/lib-index``, ``src/lib-storage``, ``src/plugins/quota``, ``src/plugins/fts*``, ``src/doveadm/dsync`` of 2.2 to
2.4; real logs of 2.3.19, 2.4.1 and 2.4.5.
"""

from __future__ import annotations

import polars as pl

from mailforensics.grammar.dovecot.login import LOGIN_SERVICES
from mailforensics.grammar.shape import Shape

_ANY = ("*",)


def _free(
    kind: str, text: str, example: str, means: str, programs: tuple[str, ...] = _ANY, since: str = ""
) -> Shape:
    return Shape(kind=kind, programs=programs, pattern=text, example=example, means=means, since=since)


_SERVER = (
    _free(
        "dovecot.server.start",
        r"Dovecot v(?P<version>[!-~]+)(?: \([0-9a-f]+\))? starting up(?: for (?P<protocols>[^()]*?)| without any protocols)?(?: \([^()]*\))?",
        "Dovecot v2.4.1-4 (7d8c0e5759) starting up for imap, pop3, lmtp (core dumps disabled)",
        "The server starts, in this version and for these protocols.",
    ),
    _free(
        "dovecot.server.signal",
        r"Killed with signal (?P<signal>[0-9]+) \(by pid=(?P<other_pid>[0-9]+) uid=[0-9]+ code=[!-~]+\)",
        "Killed with signal 15 (by pid=1 uid=0 code=kill)",
        "A process was told to end.",
    ),
    _free(
        "dovecot.server.reload", r"SIGHUP received - reloading configuration",
        "SIGHUP received - reloading configuration", "The server reads its configuration again.",
    ),
    _free(
        "dovecot.server.limit",
        r"service\((?P<other_service>[^()]*)\): (?P<reason>(?:client|process|vsz)_limit(?: \((?P<limit>[0-9]+)\))? (?:reached|exceeded).*)",
        "service(imap-login): client_limit (100) reached, client connections are being dropped",
        "A service has no room for more clients: they are turned away.",
    ),
    _free(
        "dovecot.server.limit",
        r"(?P<reason>fd limit \(ulimit -n\) is lower than required .*|Maximum number of connections from user\+IP exceeded \([^()]*\)"
        r"|Too many concurrent deliveries .*)",
        "fd limit (ulimit -n) is lower than required under max. load (1024 < 4096), because of service auth { client_limit }",
        "A limit of the configuration is, or will be, in the way.",
    ),
    _free(
        "dovecot.server.child",
        r"(?:master: )?service\((?P<other_service>[^()]*)\): child (?P<other_pid>[0-9]+) (?P<reason>.*)",
        "service(imap): child 4711 killed with signal 11 (core dumped)",
        "A process of the server ended in a way it should not.",
    ),
    _free(
        "dovecot.server.child",
        r"service\((?P<other_service>[^()]*)\): (?P<reason>(?:command startup failed|Initial status notification|fork\(\) failed"
        r"|Processes? .*|process .*|Unexpectedly lost|Sending|status|child).*)",
        "service(imap): command startup failed, throttling for 2.000 secs",
        "A service could not be started, or is held back.",
    ),
    _free(
        "dovecot.server.child",
        r"(?P<reason>Sending SIG[A-Z]+ .*|Shutting down.*|Received SIG[A-Z]+.*|Process .* (?:died|killed).*|Master process disconnected.*)",
        "Sending SIGKILL to 3 imap processes", "The server ends its processes.",
    ),
    Shape(
        kind="dovecot.server.clock",
        programs=_ANY,
        pattern=(
            r"Time (?:just )?(?:moved|jumped) (?P<direction>forwards?|backwards?)(?: by)? (?P<jump_s>[0-9.]+) ?s(?:ec)?s?(?:onds?)?"
            r"(?P<reason>.*)"
        ),
        finish=lambda fields: fields.with_columns(
            jump_s=pl.col("jump_s") * pl.when(pl.col("direction").str.starts_with("b")).then(-1).otherwise(1)
        ),
        example="Time moved forward by 2.345 seconds - adjusting timeouts.",
        means="The clock of the host jumped: stamps before and behind this line do not fit together.",
    ),
    _free(
        "dovecot.server.config",
        r"(?P<reason>(?:Obsolete setting in|NOTE: You can get a new clean config|Warning: Obsolete|Invalid user settings|Corrected permissions for"
        r"|Fixing permissions of|.* is no longer (?:mounted|needed|supported)|Last died with error|Permission for|Generating (?:SSL|Diffie)"
        r"|SSL parameters regeneration|Configuration file|Error in configuration file|Setting|plugin directory|Growing pool|Growing data stack"
        r"|Event 0x|Fatal server error|Panic:|Raw backtrace|Error: Raw backtrace|Unhandled|Leaked|Timeout 0x).*)",
        "Obsolete setting in /etc/dovecot/dovecot.conf:12: 'ssl_protocols' has been replaced by 'ssl_min_protocol'",
        "The server remarks on its configuration or its own state.",
    ),
    _free(
        "dovecot.server.crash",
        r"(?P<reason>(?:file|data|[a-z-]+\.c) .*: line [0-9]+.*: (?:assertion failed|unreached).*|Raw backtrace: .*|block_alloc\(.*|Out of memory.*|Assertion failed.*)",
        "file mail-index-sync.c: line 112 (mail_index_sync_begin): assertion failed: (map != NULL)",
        "A process of the server crashed.",
    ),
)  # fmt: skip

_DOVEADM = (
    _free(
        "dovecot.doveadm",
        r"Executing command '(?P<command>[^']*)'(?: as '(?P<target>.*)')?",
        "Executing command 'quota get' as 'anna@example.com'",
        "An administrator's command was run over the network.",
        ("doveadm",),
    ),
)

_DEBUG = (
    _free(
        "dovecot.debug",
        r"Debug: (?P<text>(?:Module loaded|Loading modules|Skipping module|Added userdb setting|Effective uid|Quota (?:root|rule|warning|grace)|quota: |none: root=|maildir\+\+: root="
        r"|fs: root=|(?:inbox|Namespace) (?:inbox|[^:]*): type=|Namespace [^:]*: (?:type|/)|userdb lookup|auth (?:client|master|USER)|auth-master: |client (?:in|out|passdb|connected)|master (?:in|out|userdb)"
        r"|userdb (?:out|result)|passdb (?:out|lookup)|cache (?:miss|hit|expired)|lookup |query: |cached|Read auth token|Performing (?:passdb|userdb)|Finished (?:passdb|userdb)|Auth request finished"
        r"|Anvil: |event |SSL: where=|SSL: elliptic|http-client: |http-server: |smtp-client: |smtp-server: |lda: |lmtp-server: |conn [^:]*: (?:Connection created|Disconnected)|connection [^:]*: "
        r"|sieve: (?:msgid=.*: )?(?:Pigeonhole|include|storage|file|script|multi-script|Executing|Execute|Finish|Start|Location|Using|Default|Script|Destination|opened|opening|action|Opening|uid=|Loaded|Saving|Commit)"
        r"|Mailbox [^:]*: Mailbox opened|UID [0-9]+: Opened mail|Mailbox opened|acl|duplicate db|Duplicate|dict|mail_crypt|fts|zlib|notify|virtual|replication|Destination address|Expunging|Logged in).*)",
        "Debug: Module loaded: /usr/lib/dovecot/modules/lib90_sieve_plugin.so",
        "With `mail_debug` or `auth_debug`, Dovecot tells each of its steps.",
    ),
)

_STORAGE_STARTS = (
    r"(?:Corrupted|Corrupted index|Transaction log|Log synchronization error|Lost transaction log|Lost log for|Index |Fixed index file|fscking index"
    r"|UIDVALIDITY changed|UIDs |Maildir |Broken file|Broken physical size|Cached message size|Cache |Mailbox (?:isn't|doesn't)|mdbox|sdbox|mbox |Storage "
    r"|Rebuilding|Recent|UID=[0-9]+: |mailbox_[a-z_]+ |Expunged message|Failed to autocreate mailbox|Failed to (?:map|read|fetch|initialize|lock|open|create|find|get|mkdir|send|save)"
    r"|Failed to create|Couldn't (?:open|lock|create|initialize|drop)|Couldn't |Can't |Cannot |Unexpectedly |Internal error|User initialization failed|Initialization failed"
    r"|user [^:]*: |Namespace |Timeout \([0-9]+s\) while waiting for lock|Timeout while waiting|Locking |Lock |Unlinking|Renamed|Renaming|Deleting|Recreat"
    r"|(?:mmap|stat|lstat|fstat|open|opendir|readdir|read|write|pread|pwrite|rename|unlink|mkdir|rmdir|chown|chmod|fchown|fchmod|link|symlink|utime|fsync|fdatasync|close"
    r"|connect|accept|bind|listen|setuid|setgid|chdir|chroot|execv|fcntl|flock|lseek|ftruncate|dup2|fork|pipe|poll|epoll_ctl|epoll_wait|getpwnam|inotify_init|inotify_add_watch"
    r"|net_connect_unix|net_connect_ip|fd_send|fd_read|file_dotlock_create|file_dotlock_replace|file_set_size|write_full|unlink_directory|mkdir_parents|o_stream_[a-z_]+|i_stream_[a-z_]+)\()"
)

_STORAGE = (
    _free(
        "dovecot.storage_error",
        rf"(?:Mailbox (?P<mailbox>[^:]*): |stats: |dict: )?(?P<error>{_STORAGE_STARTS}.*)",
        "Corrupted index file /srv/mail/example.com/anna/Maildir/dovecot.index: Record size too small",
        "The storage, or the file system under it, does not do what it should.",
    ),
    _free(
        "dovecot.indexed", r"Indexed (?P<count>[0-9]+) messages in (?P<mailbox>.*?)(?: \(UIDs? .*\))?",
        "Indexed 12 messages in INBOX (UIDs 100..111)", "Messages were put into the search index.",
        ("indexer-worker", "indexer", "lmtp", "imap", "doveadm"),
    ),
    _free(
        "dovecot.search_error",
        r"(?:Mailbox (?P<mailbox>[^:]*): )?(?P<error>(?:fts|FTS|indexer failed|indexer:|Indexer|indexer-worker|lucene|solr|Solr|flatcurve|Xapian|Tika)[^:]*.*)",
        "fts_solr: Lookup failed: Connection refused", "The search index could not be asked or filled.",
    ),
    _free(
        "dovecot.quota_error",
        r"(?P<error>(?:quota|Quota|Failed to get quota|Error in quota)[ :_-].*)",
        "quota: Failed to get quota resource STORAGE: quota-count: Listing namespace '' failed: Internal error",
        "The quota could not be read or set.",
    ),
    _free(
        "dovecot.sync",
        r"(?P<error>(?:dsync|Timeout during state=|Saved sync state is invalid|Mailbox changes caused a desync|Remote (?:command|lost|sent)|Couldn't lock|sync:"
        r"|dsync-[a-z]+|Deleting mailbox|Failed to do incremental sync|Exporting|Importing|Couldn't find|Invalid parameters).*)",
        "Timeout during state=sync_mails (send=mails recv=recv_last_common)", "Two copies of a mailbox could not be brought together.",
        ("dsync", "dsync-local", "dsync-server", "doveadm", "replicator", "aggregator"),
    ),
    _free(
        "dovecot.dict_error",
        r"(?P<error>(?:dict|sql dict|redis|cdb|Failed to (?:connect|expand)|(?:mysql|pgsql|sqlite|cassandra|ldap|redis)\([^()]*\): (?:[^C]|Connect failed|Can|Could|Commit)).*)",
        "mysql(localhost): Connect failed to database (mail): Access denied - waiting for 1 seconds before retry",
        "A database that Dovecot asks did not answer as it should.",
        ("auth", "auth-worker", "dict", "dict-async", "dict-expire", "lmtp", "imap", "pop3", "doveadm", "quota-status"),
    ),
)  # fmt: skip

_LMTP = (
    _free(
        "dovecot.lmtp.error",
        r"(?:lmtp-server: )?conn (?P<client_ip>[!-9;-~]+?)(?::(?P<client_port>[0-9]+))?(?:[: ][!-~]*?=[!-~]*)*(?: \([^()]*\))?(?: \[[0-9]+\])?: "
        r"(?:trans [!-~]+: )?(?:rcpt <?(?P<recipient>.*?)>?: )?(?P<error>.*)",
        "lmtp-server: conn 127.0.0.1:38670 [2]: rcpt bob@example.org: duplicate db: User bob@example.org doesn't have home dir set, "
        "disabling duplicate database",
        "Something went wrong while mail was taken over LMTP.", ("lmtp", "submission"),
    ),
    _free(
        "dovecot.lmtp.error",
        r"(?P<error>(?:Failed to lookup user|User .* lookup failed|Invalid user settings|Proxying to <|lmtp-client|smtp-client|Cannot lookup|Remote server).*)",
        "Failed to lookup user anna@example.com: Internal error occurred. Refer to server log for more information.",
        "A recipient could not be looked up, or mail could not be handed on.", ("lmtp", "lda", "submission"),
    ),
)  # fmt: skip

_CONNECTIONS = (
    _free(
        "dovecot.tls_error",
        r"(?P<error>(?:SSL|TLS|OpenSSL|Failed to initialize SSL|ssl_|Can't load|The certificate|Diffie-Hellman|Received invalid SSL)[ _:].*)",
        "SSL: Stacked error: error:14094418:SSL routines:ssl3_read_bytes:tlsv1 alert unknown ca: SSL alert number 48",
        "TLS failed: mostly a client that does not trust the certificate, or one that speaks old protocols.",
    ),
    _free(
        "dovecot.login_error",
        r"(?P<error>(?:Auth connection closed with|Auth server request timed out|Timeout waiting for handshake|Authentication server|fd_send\(|"
        r"net_connect_unix\(|Master connection|master\(|read\(|write\(|Disconnecting|Login process|BUG:|Received invalid|proxy: |auth server|auth: connect\(|login-proxy).*)",
        "Auth connection closed with 1 pending requests (max 3 secs, pid=4711, EOF)",
        "The login service lost the service that it hands sessions or passwords to.", LOGIN_SERVICES,
    ),
    _free(
        "dovecot.pam",
        r"(?:check pass; user unknown|authentication failure; .*?rhost=(?P<client_ip>[0-9A-Fa-f.:]*)(?: +user=(?P<username>.*))?)",
        "authentication failure; logname= uid=0 euid=0 tty=dovecot ruser=anna rhost=192.0.2.7  user=anna",
        "The system's own authentication (PAM) refused the password that Dovecot gave it.",
        ("pam_unix", "pam_sss", "pam_ldap", "pam_krb5", "pam_winbind", "pam_systemd"),
    ),
)  # fmt: skip

SERVICE_SHAPES = (*_SERVER, *_DOVEADM, *_LMTP, *_CONNECTIONS, *_STORAGE, *_DEBUG)
