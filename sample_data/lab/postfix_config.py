"""Configuration of Postfix on a lab host, as files to write into its root."""

from __future__ import annotations

from world import HostPlan

# Short times, so that a deferred message is tried again within a scenario.
MAIN = {
    "compatibility_level": "3.6",
    "mydestination": "$myhostname, localhost",
    "mynetworks": "127.0.0.0/8 [::1]/128",
    "inet_interfaces": "all",
    "inet_protocols": "all",
    "recipient_delimiter": "+",
    "biff": "no",
    "append_dot_mydomain": "no",
    "alias_maps": "texthash:/etc/postfix/aliases",
    "alias_database": "",
    "default_database_type": "texthash",
    "virtual_mailbox_maps": "texthash:/etc/postfix/mailboxes",
    "virtual_alias_maps": "texthash:/etc/postfix/virtual",
    "virtual_transport": "lmtp:unix:private/dovecot-lmtp",
    "smtpd_tls_cert_file": "/etc/ssl/lab/cert.pem",
    "smtpd_tls_key_file": "/etc/ssl/lab/key.pem",
    "smtpd_tls_security_level": "may",
    "smtpd_tls_loglevel": "1",
    "smtpd_tls_received_header": "yes",
    "smtp_tls_security_level": "may",
    "smtp_tls_loglevel": "1",
    "smtp_tls_CAfile": "/etc/ssl/lab/ca.pem",
    "smtpd_sasl_type": "dovecot",
    "smtpd_sasl_path": "private/auth",
    "smtpd_sasl_auth_enable": "no",
    "smtpd_helo_required": "yes",
    "smtpd_helo_restrictions": "permit_mynetworks, permit_sasl_authenticated, reject_invalid_helo_hostname, reject_non_fqdn_helo_hostname",
    "smtpd_sender_restrictions": "reject_non_fqdn_sender, reject_unknown_sender_domain",
    "smtpd_relay_restrictions": "permit_mynetworks, permit_sasl_authenticated, reject_unauth_destination",
    "smtpd_recipient_restrictions": "reject_non_fqdn_recipient",
    "smtpd_milters": "inet:127.0.0.1:11332",
    "non_smtpd_milters": "$smtpd_milters",
    "milter_default_action": "accept",
    "milter_mail_macros": "i {mail_addr} {client_addr} {client_name} {auth_authen}",
    "message_size_limit": "1048576",
    "smtp_address_preference": "ipv4",
    "smtp_connect_timeout": "5s",
    "minimal_backoff_time": "12s",
    "maximal_backoff_time": "30s",
    "queue_run_delay": "4s",
}

MASTER = """\
smtp       inet  n - n - - smtpd
submission inet  n - n - - smtpd
  -o syslog_name=postfix/submission
  -o smtpd_tls_security_level=encrypt
  -o smtpd_sasl_auth_enable=yes
  -o smtpd_client_restrictions=permit_sasl_authenticated,reject
  -o smtpd_helo_restrictions=
  -o smtpd_sender_restrictions=reject_authenticated_sender_login_mismatch
  -o smtpd_sender_login_maps=texthash:/etc/postfix/logins
  -o smtpd_relay_restrictions=permit_sasl_authenticated,reject
  -o milter_macro_daemon_name=ORIGINATING
pickup     unix  n - n 60 1 pickup
cleanup    unix  n - n - 0 cleanup
qmgr       unix  n - n 300 1 qmgr
tlsmgr     unix  - - n 1000? 1 tlsmgr
rewrite    unix  - - n - - trivial-rewrite
bounce     unix  - - n - 0 bounce
defer      unix  - - n - 0 bounce
trace      unix  - - n - 0 bounce
verify     unix  - - n - 1 verify
flush      unix  n - n 1000? 0 flush
proxymap   unix  - - n - - proxymap
proxywrite unix  - - n - 1 proxymap
smtp       unix  - - n - - smtp
relay      unix  - - n - - smtp
  -o syslog_name=postfix/$service_name
showq      unix  n - n - - showq
error      unix  - - n - - error
retry      unix  - - n - - error
discard    unix  - - n - - discard
local      unix  - n n - - local
virtual    unix  - n n - - virtual
lmtp       unix  - - n - - lmtp
anvil      unix  - - n - 1 anvil
scache     unix  - - n - 1 scache
postlog    unix-dgram n - n - 1 postlogd
"""


def files(plan: HostPlan, changes: dict[str, str], master: str) -> dict[str, str]:
    """All of /etc/postfix that the lab writes; `changes` override main.cf, `master` is added to master.cf."""
    settings = {
        "myhostname": plan.fqdn,
        "mydomain": plan.domain,
        "myorigin": "$mydomain",
        **MAIN,
        "virtual_mailbox_domains": plan.domain,
        "enable_long_queue_ids": "yes" if plan.long_queue_ids else "no",
        **changes,
    }
    people = [f"{person}@{plan.domain}" for person in plan.people]
    return {
        "/etc/postfix/main.cf": "".join(f"{name} = {value}\n" for name, value in settings.items()),
        "/etc/postfix/master.cf": MASTER + master,
        "/etc/postfix/mailboxes": "".join(f"{person} {plan.domain}/\n" for person in people),
        "/etc/postfix/logins": "".join(f"{person} {person}\n" for person in people),
        "/etc/postfix/virtual": "".join(f"{name} {target}\n" for name, target in plan.virtual.items()),
        "/etc/postfix/aliases": "".join(f"{name} {target}\n" for name, target in plan.aliases.items()),
    }
