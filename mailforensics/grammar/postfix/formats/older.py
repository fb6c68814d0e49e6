"""Lines of older releases (2.0 to 3.8) and of commands that today's sources word otherwise. Warnings and fatal ends, and notes.

Source: logs of those releases; Postfix RELEASE_NOTES; the format of the table is told in ``formats/__init__.py``.
"""

from __future__ import annotations

WARNINGS = r"""
= system.problem: *
- service: Two Postfix processes could not talk to each other.
  2.0  problem talking to service {service}: {error}
- setting: A setting is wrong or does not fit.
  2.0  main.cf configuration error: {setting} is smaller than {other}
  2.3  See {value} for examples of stress-adapting configuration settings
= tls.problem: *
- certificate_files: A certificate, key or chain file cannot be used; TLS is off until it can.
  2.2  cannot get certificate from file {file*}
  2.2  cannot get private key from file {file*}
= smtp.problem: smtp lmtp
- mx_lookup: No server of the destination has a usable address.
  2.0  no MX host for {domain} has a valid A record
- loop: The next server is ourselves: mail would go round in circles.
  2.0  mailer loop: best MX host for {domain} is local
- sasl_mechanisms: The next server offers no login mechanism.
  2.0  {remote} offered null AUTH mechanism list
= smtpd.problem: smtpd
- command: A client sent a command that is malformed or not allowed.
  2.0  {client} sent message header instead of SMTP command: {data}
  2.0  {client} sent non-SMTP command: {data}
- restriction: A restriction will go or has gone from Postfix.
  2.0  support for restriction "{setting*}" will be removed from {value}; use "{other*}" instead
= sasl.problem: smtpd smtp lmtp
- sasl_dovecot: Dovecot's auth service could not be reached; nobody can log in meanwhile.
  2.3  {name}: Connect to {server} failed: {error}
  2.3  SASL: Connect to {server} failed: {error}
= tls.problem: *
- tls_io: The connection broke inside TLS.
  2.2  network_biopair_interop: error {value} {count} bytes {other} the network: {error}
  2.2  Read failed in network_biopair_interop with errno={code}: num_read={count}, want_read={number}
  2.2  Write failed in network_biopair_interop with errno={code}: num_write={count}, want_write={number}
= table.problem: *
- ldap: The LDAP server or its table has a fault; lookups fail and mail waits until it works.
  2.1  {name}: Unable to bind to server {server} as {value}: {count} ({other})
- mysql: The MySQL server or its table has a fault; lookups fail and mail waits until it works.
  2.0  mysql query failed: {error}
- table: A lookup table has a fault or gave no proper answer.
  2.0  {name}: table lookup problem
  2.0  {setting}: {table}: table lookup problem
  2.0  unsupported dictionary type: {type}
= pickup.problem: pickup
- pickup_file: A message in the maildrop directory is too old or dated in the future.
  2.8  {name}: message dated {seconds} seconds into the future
  2.8  {name}: message has been queued for {count} days
= master.problem: master
- setting: master.cf has a fault.
  2.0  {name}: bad transport type: {type}
  2.0  {name}: field "{value*}": {error}
= postqueue.problem: postqueue sendmail
- queue_down: The queue cannot be listed or flushed, because the mail system is down or the user may not.
  2.0  Queue report unavailable - mail system is down
  2.0  Mail system is down
  2.0  Cannot flush mail queue - mail system is down
  2.0  Cannot flush queue for "{domain*}" - mail system is down
  2.0  Connect to the {name} {service} service: {error}
  2.0  Flush service is not configured for destination "{domain*}"
= script.problem: postfix-script postfix
- refused: The postfix command could not do what it was asked to.
  2.0  no {file} directory
"""

NOTES = r"""
= smtp.note: smtp lmtp
- pix: The next server is a Cisco PIX with known faults; a workaround is on.
  2.0  {name}: enabling PIX <CRLF>.<CRLF> workaround for {remote}
= tls.note: *
- setup: TLS was set up, or cannot be used.
  2.2  cannot load {type} certificate and key data
  2.2  TLS engine: {text}
= tls.note: *
- peer: The other side's certificate or key.
  2.2  fingerprint={fingerprint}
- match: How the certificate was matched with the policy, or why it was not.
  2.2  certificate peer name verification failed for {domain}: {error}
  2.2  Server certificate could not be verified
  2.2  Peer certificate could not be verified
  2.2  Peer verified: {value*}
  2.2  verify error:num={number}:{error}
  2.8  {name}: Matched {type}: {domain*}
  2.9  {name}: depth={count} matched {type} certificate {value*}
  2.9  {name}: depth={count} matched end entity {value*}
"""
