"""Exim, Sendmail and Amavis of Debian beside the lab's mail hosts: their configuration, and what each says it took."""

from __future__ import annotations

import re

from machine import Machine, wait_for
from witness import PORT
from world import PASSWORD

EXIM = """\
primary_hostname = exim.example.com
host_lookup = *
tls_advertise_hosts = *
tls_certificate = /etc/ssl/lab/cert.pem
tls_privatekey = /etc/ssl/lab/key.pem
tls_verify_certificates = /etc/ssl/lab/ca.pem
tls_try_verify_hosts = *
acl_smtp_rcpt = accept
acl_smtp_data = taken
acl_not_smtp = taken
log_selector = +tls_peerdn +received_recipients
begin acl
taken:
  warn logwrite = TAKEN|$message_exim_id|$sender_helo_name|$sender_host_address|$sender_host_name|$received_protocol|$tls_in_ver|$tls_in_cipher_std|$authenticated_id|$sender_address|$recipients|$h_message-id:|
  accept
begin routers
by_sendmail:
  driver = manualroute
  domains = example.org
  local_parts = bob
  route_list = * sm.example.com
  transport = remote
straight:
  driver = manualroute
  domains = example.org : sub.example.org
  route_list = * mx.example.org
  transport = remote
begin transports
remote:
  driver = smtp
  tls_certificate = /etc/ssl/lab/cert.pem
  tls_privatekey = /etc/ssl/lab/key.pem
  tls_verify_certificates = /etc/ssl/lab/ca.pem
  tls_try_verify_hosts = *
begin authenticators
plain:
  driver = plaintext
  public_name = PLAIN
  server_prompts = :
  server_condition = ${if eq{$auth3}{PASSWORD}}
  server_set_id = $auth2
  server_advertise_condition = ${if def:tls_in_cipher}
""".replace("PASSWORD", PASSWORD)
TAKEN = (
    "id", "helo", "address", "client", "protocol", "tls_version", "cipher", "auth", "sender", "recipients", "message_id",
)  # fmt: skip

SENDMAIL = f"""\
include(`/usr/share/sendmail/cf/m4/cf.m4')dnl
OSTYPE(`debian')dnl
DOMAIN(`debian-mta')dnl
define(`confDOMAIN_NAME', `sm.example.com')dnl
define(`confREFUSE_LA', `1000')dnl
define(`confQUEUE_LA', `1000')dnl
define(`confDELAY_LA', `1000')dnl
define(`confCACERT_PATH', `/etc/ssl/lab')dnl
define(`confCACERT', `/etc/ssl/lab/ca.pem')dnl
define(`confSERVER_CERT', `/etc/ssl/lab/cert.pem')dnl
define(`confSERVER_KEY', `/etc/ssl/lab/key.pem')dnl
define(`confCLIENT_CERT', `/etc/ssl/lab/cert.pem')dnl
define(`confCLIENT_KEY', `/etc/ssl/lab/key.pem')dnl
define(`confMILTER_MACROS_CONNECT', `j, _, {{client_name}}, {{client_addr}}, {{client_resolve}}')dnl
define(`confMILTER_MACROS_HELO', `{{tls_version}}, {{cipher}}, {{cipher_bits}}, {{cert_subject}}, {{verify}}')dnl
define(`confMILTER_MACROS_ENVFROM', `i, r, s, {{auth_authen}}, {{mail_addr}}')dnl
FEATURE(`no_default_msa')dnl
FEATURE(`promiscuous_relay')dnl
FEATURE(`accept_unresolvable_domains')dnl
FEATURE(`mailertable', `hash -o /etc/mail/mailertable')dnl
DAEMON_OPTIONS(`Family=inet, Name=MTA-v4, Port=smtp, Addr=0.0.0.0')dnl
INPUT_MAIL_FILTER(`witness', `S=inet:{PORT}@127.0.0.1, T=S:20s;R:20s')dnl
MAILER_DEFINITIONS
MAILER(`local')dnl
MAILER(`smtp')dnl
"""
MAILERTABLE = "example.org\tesmtp:[mx.example.org]\nsub.example.org\tesmtp:[exim.example.com]\n"

AMAVIS = """\
use strict;
$max_servers = 1;
$enable_db = 0;
$enable_zmq = 0;
$log_level = 1;
$mydomain = 'example.org';
$myhostname = 'mx.example.org';
@local_domains_acl = ('.example.org');
@bypass_virus_checks_maps = (1);
@bypass_spam_checks_maps = (1);
$forward_method = 'smtp:[127.0.0.1]:10025';
$notify_method = $forward_method;
1;
"""
SYSLOG = (
    'module(load="imuxsock" SysSock.UseSysTimeStamp="off")\nglobal(workDirectory="/var/spool/rsyslog")\n'
    'mail.* action(type="omfile" file="/var/log/mail.log" template="RSYSLOG_TraditionalFileFormat")\n'
)


def _certificates(machine: Machine, certificates: dict[str, bytes], owner: str) -> None:
    for name, content in certificates.items():
        machine.write(f"/etc/ssl/lab/{name}", content, 0o600 if name == "key.pem" else 0o644)
    machine.run("chown", owner, "/etc/ssl/lab/key.pem")


def _listens(machine: Machine, port: int) -> bool:
    table = machine.run("sh", "-c", "cat /proc/self/net/tcp /proc/self/net/tcp6").stdout.decode()
    return any(f":{port:04X} " in line and " 0A " in line for line in table.splitlines())


def start_exim(lab, machine: Machine, certificates: dict[str, bytes]) -> None:
    _certificates(machine, certificates, "Debian-exim")
    machine.write("/etc/exim4/exim4.conf", EXIM)
    lab.until_end(machine.start("/usr/sbin/exim4", "-bdf", "-q30s", output="/var/log/exim-stderr.log"))
    wait_for("Exim", lambda: _listens(machine, 25))


def taken_by_exim(machine: Machine) -> list[dict]:
    """What Exim says of each mail at the end of its data, from the line that its configuration has it write."""
    log = machine.path("/var/log/exim4/mainlog").read_text("utf-8", "replace")
    rows = [line.split("TAKEN|")[1].split("|") for line in log.splitlines() if "TAKEN|" in line]
    return [dict(zip(TAKEN, row, strict=False)) for row in rows]


def start_sendmail(lab, machine: Machine, certificates: dict[str, bytes]) -> None:
    _certificates(machine, certificates, "root")
    machine.write("/etc/rsyslog.conf", SYSLOG)
    machine.write("/etc/mail/lab.mc", SENDMAIL)
    machine.write("/etc/mail/mailertable", MAILERTABLE)
    # without a full name of its own Sendmail sleeps a minute before it starts
    machine.write("/etc/hosts", "127.0.0.1 localhost\n198.51.100.30 sm.example.com sm\n")
    machine.write("/etc/mail/local-host-names", "localhost\nsm.example.com\n")
    machine.run(
        "sh",
        "-c",
        "mkdir -p /run/sendmail/mta /run/sendmail/msp /run/sendmail/stampdir /var/spool/rsyslog /var/lib/sendmail/host_status && cd /etc/mail"
        " && chown smmta:smmsp /run/sendmail/mta && chown smmsp:smmsp /run/sendmail/msp"
        " && m4 lab.mc > sendmail.cf && makemap hash mailertable < mailertable",
    )
    lab.until_end(machine.start("/usr/sbin/rsyslogd", "-n", output="/var/log/rsyslog-stderr.log"))
    wait_for("the syslog socket", machine.path("/dev/log").exists)
    lab.until_end(
        machine.start("/usr/sbin/sendmail-mta", "-bD", "-q30s", output="/var/log/sendmail-stderr.log")
    )
    wait_for("Sendmail", lambda: _listens(machine, 25), 100)


def start_amavis(lab, machine: Machine) -> None:
    machine.write("/etc/amavis/conf.d/50-user", AMAVIS)
    machine.run("sh", "-c", "mkdir -p /run/amavis && chown amavis:amavis /run/amavis")
    lab.until_end(
        machine.start(
            "/usr/sbin/amavisd",
            "-u",
            "amavis",
            "-g",
            "amavis",
            "foreground",
            output="/var/log/amavis-stderr.log",
        )
    )
    wait_for("Amavis", lambda: _listens(machine, 10024), 90)


def passed_by_amavis(log: str) -> dict[str, str]:
    """Amavis' own id of each mail by Message-ID, from the line in which it says what it did."""
    return {
        found[1]: found[2]
        for found in re.finditer(r"amavis\[\d+\]: .*Message-ID: (<[^>]+>), mail_id: ([\w-]+),", log)
    }
