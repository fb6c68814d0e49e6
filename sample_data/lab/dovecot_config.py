"""Configuration of Dovecot on a lab host: 2.3 (Debian 12) and 2.4 (Debian 13 and later) differ in nearly every word."""

from __future__ import annotations

from world import PASSWORD, HostPlan

JUNK_SIEVE = """\
require ["fileinto", "mailbox"];
if header :contains "X-Spam" "Yes" {
    fileinto :create "Junk";
    stop;
}
"""

# Dovecot 2.4 logs no creation of mailboxes unless it is asked to.
EVENTS = "delete undelete expunge save copy mailbox_create mailbox_delete mailbox_rename"
# The defaults: 2.4 names the mailbox in front of the event, 2.3 in a field.
NARROW = "uid msgid size"
NARROW_23 = "uid box msgid size"
WIDE = "uid box msgid size vsize from subject flags"

COMMON_SERVICES = """\
service imap-login {
  inet_listener imap {
    port = 143
  }
  inet_listener imaps {
    port = 993
    ssl = yes
  }
}
service pop3-login {
  inet_listener pop3 {
    port = 110
  }
  inet_listener pop3s {
    port = 995
    ssl = yes
  }
}
service lmtp {
  unix_listener /var/spool/postfix/private/dovecot-lmtp {
    mode = 0600
    user = postfix
    group = postfix
  }
}
service auth {
  unix_listener /var/spool/postfix/private/auth {
    mode = 0660
    user = postfix
    group = postfix
  }
}
"""

MAILBOXES = """\
namespace inbox {
  inbox = yes
  mailbox Junk {
    auto = no
    special_use = \\Junk
  }
  mailbox Trash {
    auto = no
    special_use = \\Trash
  }
}
"""

TEMPLATE_24 = """\
dovecot_config_version = %(release)s
dovecot_storage_version = %(release)s
protocols = imap pop3 lmtp
mail_driver = maildir
mail_path = ~/Maildir
mail_home = /srv/mail/%%{user | domain}/%%{user | username}
mail_uid = vmail
mail_gid = vmail
first_valid_uid = 500
mail_plugins {
  notify = yes
  mail_log = yes
%(quota_plugin)s}
mail_log_events = %(events)s
mail_log_fields = %(fields)s
auth_mechanisms = plain login
auth_allow_cleartext = yes
passdb passwd-file {
  passwd_file_path = /etc/dovecot/users
}
userdb passwd-file {
  passwd_file_path = /etc/dovecot/users
}
ssl = yes
ssl_server_cert_file = /etc/ssl/lab/cert.pem
ssl_server_key_file = /etc/ssl/lab/key.pem
recipient_delimiter = +
postmaster_address = postmaster@%(domain)s
hostname = %(fqdn)s
protocol lmtp {
  mail_plugins {
    sieve = yes
  }
}
protocol imap {
  mail_plugins {
%(imap_plugins)s  }
}
sieve_script personal {
  driver = file
  path = ~/sieve
  active_path = ~/.dovecot.sieve
}
sieve_script before {
  type = before
  path = /etc/dovecot/sieve/before.d
}
%(extra)s"""

TEMPLATE_23 = """\
protocols = imap pop3 lmtp
mail_location = maildir:~/Maildir
mail_home = /srv/mail/%%d/%%n
mail_uid = vmail
mail_gid = vmail
first_valid_uid = 500
mail_plugins = $mail_plugins notify mail_log%(quota_plugin)s
auth_mechanisms = plain login
disable_plaintext_auth = no
passdb {
  driver = passwd-file
  args = /etc/dovecot/users
}
userdb {
  driver = passwd-file
  args = /etc/dovecot/users
}
ssl = yes
ssl_cert = </etc/ssl/lab/cert.pem
ssl_key = </etc/ssl/lab/key.pem
recipient_delimiter = +
postmaster_address = postmaster@%(domain)s
hostname = %(fqdn)s
protocol lmtp {
  mail_plugins = $mail_plugins sieve
}
protocol imap {
  mail_plugins = $mail_plugins%(imap_plugins)s
}
plugin {
  mail_log_events = %(events)s
  mail_log_fields = %(fields)s
  sieve = file:~/sieve;active=~/.dovecot.sieve
  sieve_before = /etc/dovecot/sieve/before.d
%(plugin_extra)s}
%(extra)s"""

QUOTA_24 = """\
quota "User quota" {
  driver = count
  storage_size = 40k
  storage_grace = 0
}
"""
QUOTA_23 = (
    "  quota = count:User quota\n  quota_rule = *:storage=40K\n  quota_vsizes = yes\n  quota_grace = 0\n"
)

# What a user moves to Junk is learned as spam: imapsieve runs a script that hands the message to rspamc.
TRAINING_24 = """\
sieve_plugins = sieve_imapsieve sieve_extprograms
sieve_global_extensions {
  vnd.dovecot.pipe = yes
}
sieve_pipe_bin_dir = /etc/dovecot/sieve/bin
mailbox Junk {
  sieve_script learn_spam {
    type = before
    cause = copy
    path = /etc/dovecot/sieve/learn-spam.sieve
  }
}
"""
TRAINING_23 = """\
  sieve_plugins = sieve_imapsieve sieve_extprograms
  sieve_global_extensions = +vnd.dovecot.pipe
  sieve_pipe_bin_dir = /etc/dovecot/sieve/bin
  imapsieve_mailbox1_name = Junk
  imapsieve_mailbox1_causes = COPY
  imapsieve_mailbox1_before = file:/etc/dovecot/sieve/learn-spam.sieve
"""
LEARN_SIEVE = """\
require ["vnd.dovecot.pipe", "copy", "imapsieve"];
pipe :copy "learn-spam.sh";
"""
LEARN_SCRIPT = "#!/bin/sh\nexec /usr/bin/rspamc -h 127.0.0.1:11334 -P q1 learn_spam\n"


def files(
    plan: HostPlan, release: str, *, quota: bool = False, training: bool = False, extra: str = ""
) -> dict[str, str]:
    """All of /etc/dovecot that the lab writes; `release` is "2.3" or the exact 2.4 release the configuration is for."""
    old = release.startswith("2.3")
    values = {
        "release": release,
        "domain": plan.domain,
        "fqdn": plan.fqdn,
        "events": EVENTS,
        "fields": WIDE if plan.wide_mail_log else NARROW_23 if old else NARROW,
    }
    if old:
        values |= {
            "quota_plugin": " quota" if quota else "",
            "imap_plugins": (" imap_quota" if quota else "") + (" imap_sieve" if training else ""),
            "plugin_extra": (QUOTA_23 if quota else "") + (TRAINING_23 if training else ""),
            "extra": extra,
        }
    else:
        values |= {
            "quota_plugin": "  quota = yes\n" if quota else "",
            "imap_plugins": ("    imap_quota = yes\n" if quota else "")
            + ("    imap_sieve = yes\n" if training else ""),
            "extra": (QUOTA_24 if quota else "") + (TRAINING_24 if training else "") + extra,
        }
    template = TEMPLATE_23 if old else TEMPLATE_24
    users = "".join(f"{person}@{plan.domain}:{{PLAIN}}{PASSWORD}::::::\n" for person in plan.people)
    return {
        "/etc/dovecot/dovecot.conf": template % values + MAILBOXES + COMMON_SERVICES,
        "/etc/dovecot/users": users,
        "/etc/dovecot/sieve/before.d/10-junk.sieve": JUNK_SIEVE,
        "/etc/dovecot/sieve/learn-spam.sieve": LEARN_SIEVE,
    }
