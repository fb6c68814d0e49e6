"""The SMTP server. Warnings and errors.

Source: Postfix ``src/smtpd``; the format of the table is told in ``formats/__init__.py``.
"""

from __future__ import annotations

WARNINGS = r"""
= smtpd.problem: smtpd
- internal: The SMTP server met a state that it should not meet.
  2.9  don't know if EHLO feature {value} should be announced to {client}
  2.9  don't know if command {command} should be allowed from {client}
  2.9  don't know what EHLO features to announce to {client}
- rate_limit: A client did something more often than the limits allow and was refused for a while.
  3.1  AUTH command rate limit exceeded: {count} from {client} for service {service*}
  2.2  Message delivery request rate limit exceeded: {count} from {client} for service {service*}
  2.2  Recipient address rate limit exceeded: {count} from {client} for service {service*}
  2.3  New TLS session rate limit exceeded: {count} from {client} for service {service*}
  2.2  Connection concurrency limit exceeded: {count} from {client} for service {service*}
  2.2  Connection rate limit exceeded: {count} from {client} for service {service*}
- command: A client sent a command that is malformed or not allowed.
  2.0  Illegal address syntax from {client} in {command} command: {error}
  3.11 {name}: too much BDAT content -- disabling further input from {client}
  3.4  {name}: malformed BDAT command syntax from {client}: {error}
  3.4  {name}: null BDAT request from {client}
  3.4  {name}: BDAT request from {client} exceeds message size limit
  2.0  do not use ETRN in "sendmail -bs" mode
  2.0  reject: ETRN {value*}... from {client}
  2.0  bad ETRN {value*}... from {client}
  2.3  non-SMTP command from {client}: {data}
- size: The message is larger than message_size_limit allows, or the disk is nearly full.
  2.4  {name}: queue file size limit exceeded
  2.7  not enough free space in mail queue: {count} bytes < {number}*message size limit
- session: A client did what is not allowed, or a setting of the SMTP server is wrong.
  2.0  unable to talk to fast flush service
  3.10 unexpected SMFIC_UNKNOWN response: {error}
  3.4  Both {value} and one or more of the legacy  {other}, {third} or {fourth} are non-empty; the legacy  parameters will be ignored
- tls_setting: TLS was asked for but cannot be offered as it is set.
  3.12 tlsproxy handshake failed
  2.3  Refusing STARTTLS request from {client} for service {service*}
  2.3  Wrapper-mode request dropped from {client} for service {service}. TLS context initialization failed. For details see earlier warnings in your logs.
  2.3  Refusing TLS service request from {client} for service {service*}
  2.3  {name}: unsupported TLS level "{value*}", using "encrypt"
  2.3  Need a server cert to request client certs
  2.3  Can't require client certs unless TLS is required
  2.3  No server certs available. TLS won't be enabled
  2.2  TLS has been selected, but TLS support is not compiled in
- auth_aborted: A login failed or was broken off, or logins are not possible as set.
  2.0  {value} is true, but SASL support is not compiled in
  2.0  restriction `{setting*}' ignored: no SASL support
  2.5  {client}: SASL {sasl_method} authentication aborted
- setting: A setting of the SMTP server is wrong.
  2.1  {value}({count}) should be at least 1.5*{other}({number})
  2.0  unknown macro name "{name*}" in expansion request
- request: A client sent a command that is too long, or an answer could not be filtered.
  2.5  {name}: request longer than {limit}: {value*}...
  3.11 {name}: ignoring invalid reject filter result: {error}
  2.0  postmaster notify: {error}
- restriction: A restriction or access table has a fault, or what it asked (DNS, policy server) gave no answer.
  2.0  restriction `{setting*}' after `{value*}' is ignored
  2.3  SMTP reply code configuration error: {error}
  2.3  DSN detail code configuration error: {error}
  3.9  {name}: {value}: {other}: Fragile access policy: {third}=yes, but public key fingerprint "{fourth*}" not matched, while certificate fingerprint "{fifth*}" matched
  2.9  relay_clientcerts: lookup error for fingerprint '{value*}', pkey fingerprint {other*}
  3.5  {value} is requested, but "{other} = no"
  3.9  support for restriction "{setting*}" has been removed in {value} 3.9; instead, specify "{other*}"
  2.9  {name}: {value} lookup error for address {other} for {third*}
  3.9  support for restriction "{setting*}" will be removed from {value}; instead, specify "{other*}"
  2.1  unknown address verification status {count}
  2.1  access table {table}: with {value} specified, action {other} is unavailable
  2.3  access table {table}: action {value} is unavailable in {other*}
  2.1  access table {table}: with {value}={other}, action {third} is always skipped in {fourth} or {fifth} restrictions
  2.3  access table {table} entry "{value*}" has FILTER entry without value
  2.3  access table {table} entry "{value*}" requires transport:destination
  2.3  access table {table} entry "{value*}" has DELAY entry without value
  2.3  access table {table} entry "{value*}" has invalid DELAY argument "{other*}"
  2.3  access table {table} entry "{value*}" requires user@domain target
  2.3  access table {table}: action PREPEND must be used before {value*}
  2.3  access table {table} entry "{value*}" requires header: text
  2.3  access table {table} has entry with lookup table: {error}
  2.0  do not specify lookup tables inside SMTPD access maps
  2.0  define a restriction class and specify its name instead.
  2.3  access table {table} entry {value} causes unreasonable recursion
  2.3  access table {table} entry {value} has empty value
  2.7  {name}: unexpected dictionary: {error}
  3.9  {name}: {value} server address count limit ({limit}) exceeded for {other} {third} -- ignoring the remainder
  3.5  See earlier parsing error messages for '{value*}
  3.5  {name}: unexpected action '{value*}' in '{other*}'
  3.9  {name}: {value}: {other}: Fragile access policy: {third}=yes, but the action for certificate fingerprint "{fourth*}" != the action for public key fingerprint "{fifth*}"
  2.0  {name}: no @domain in address: {error}
  2.0  {name}: bad rbl reply template for domain {domain}: {error}
  2.3  rbl response code configuration error: {error}
  3.9  support for restriction "{setting*}" has been removed in {value} 3.9; instead, specify "{other} domain-name"
  3.0  malformed UTF-8 in policy server {server} response: "{value*}"
  2.1  restriction {setting}: bad argument "{value*}": need maptype:mapname
  2.1  restriction {setting} returns OK for {value*}
  2.1  this is not allowed for security reasons
  2.1  use DUNNO instead of OK if you want to make an exception
  2.6  specify one of ({value}, {other}, {third}, {fourth}, {fifth}, {name}) before {key} restriction "{setting*}"
  2.1  restriction {setting} must be followed by transport:server
  2.2  restriction {setting} must be followed by number
  2.0  restriction {setting} requires domain name argument
  3.9  support for restriction "{setting*}" has been removed in {value} 3.9; instead, specify "{other*}" or "{third*}"
  2.0  unknown smtpd restriction: "{value*}"
  2.2  parameter {setting}: invalid request: {error}
- dns_lookup: A name that a restriction depends on could not be looked up.
  3.0  {domain}: address or MX lookup error: {error}
  3.0  {domain}: MX or address lookup error: {error}
  2.2  {name}: skipping record type {type} for host {host}: {error}
  2.1  Unable to look up {type} host for {domain}: {error}
  2.1  Unable to look up {type} host {host} for {name} {domain}: {error}
  2.8  {name}: skipping record type {type} for query {query*}
- dnsbl_lookup: A DNS list could not be asked; it does not count for this client.
  2.0  {query}: RBL lookup error: {error}
  3.0  {query}: TXT lookup error: {error}
- proxy_protocol: The load balancer in front did not say which client it brings.
  2.10 haproxy read: timeout error
- hostname: The client's address and its name in the DNS do not fit together.
  2.3  incorrect SMTP server privileges: uid={uid} euid={value}
  2.10 ignoring non-empty {value} setting behind postscreen
- proxy_filter: The filter in front of the queue could not be reached, broke off or answered wrongly; the client tries again later.
  2.1  {value} command payload {other}={third*}... exceeds SMTP protocol limit
  2.8  connect to proxy filter {server}: {error}
  2.7  proxy speed-adjust log I/O error: {error}
  2.1  lost connection with proxy {server}
  2.1  timeout talking to proxy {server}
  2.1  {name}: response longer than {limit}: {value*}...
  2.1  received garbage from proxy {server}: {error}
  2.1  proxy {server} rejected "{command*}": "{answer*}"
  3.12 prepending '.' to malformed line: '{value*}'
  2.7  remove before-queue filter speed-adjust log {value}: {error}
  2.7  seek before-queue filter speed-adjust log: {error}
  2.7  truncate before-queue filter speed-adjust log: {error}
  2.7  smtpd_proxy {value} support is not available
"""
