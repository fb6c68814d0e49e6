"""The SMTP and LMTP client. Warnings and errors.

Source: Postfix ``src/smtp``; the format of the table is told in ``formats/__init__.py``.
"""

from __future__ import annotations

WARNINGS = r"""
= smtp.problem: smtp lmtp
- setting: A setting of the SMTP client is old, wrong or not compiled in.
  3.5  {value} is obsolete; instead, specify "{setting}X" in {other*}
  3.5  flag `D' requires {value}_destination_recipient_limit = 1
  3.5  flag `O' requires {value}_destination_recipient_limit = 1
  3.10 TLSRPT is selected, but TLSRPT is not compiled in
  3.10 TLSRPT support is not implemented for LMTP
  2.0  {value} is true, but SASL support is not compiled in
  2.2  TLS has been selected, but TLS support is not compiled in
- mx_lookup: No server of the destination has a usable address.
  2.2  skipping record type {type}: {error}
  2.2  no MX host for {domain} has a valid address record
  3.8  no SRV host for {domain} has a valid address record
- reply: The next server gave an answer that is too long or is no SMTP.
  2.0  {name}: response longer than {limit}: {value*}...
  2.7  {name}: multi-line response longer than {limit} {value*}...
  2.9  {name}: table {table}:{value} lookup error for {other*}
  2.4  {name}: non-{value} response from {other}: {error}
  2.3  to prevent loss of mail, turn off command pipelining for {value} with the {other} parameter
  2.0  postmaster notify: {error}
- connect: A connection could not be prepared: address, bind, TLS policy or settings.
  2.3  {name}: unix-domain name too long: {error}
  2.2  {name}: skip address type {type}: {error}
  2.0  {name}: bind {value}: {error}
  3.1  ignoring "{value} = {other}" setting for non-TCP connections
  2.11 TLS policy lookup error for {domain}/{host}: {error}
  2.3  {name}: opportunistic TLS encryption is not appropriate for unix-domain destinations.
  2.11 cannot convert type {type} record to printable address
  2.2  hostaddr_to_sockaddr {value}: {error}
  2.11 TLS policy lookup for {domain}/{host}: {error}
  3.0  {value} requires "{other} = encrypt" (or stronger)
  2.1  {value} configuration problem
- map_problem: Address rewriting by a lookup table gave more than one result.
  2.2  multi-valued {value} result for {other*}
- loop: The next server says that it is ourselves: mail would go round in circles.
  2.0  host {remote} greeted me with my own hostname {domain*}
  2.0  host {remote} replied to HELO/EHLO with my own hostname {domain*}
- protocol: The next server behaves against the protocol or our policy, or claims to be ourselves.
  2.9  {name}: {value} map lookup error for {other*}
  2.2  bad EHLO SIZE limit "{value*}" from {remote}
  2.2  {name}: TLS is required but unavailable, don't know why
  2.9  {name}: smtp header checks lookup error
  2.9  {name}: smtp body checks lookup error
  2.2  smtp_proto: spurious flush before read in send state {count}
  2.0  {name}: unknown content encoding: {error}
  2.7  server {server} violates {value} policy
- requiretls_policy: The REQUIRETLS policy table has a fault.
  3.11 {name}: malformed next-hop destination: '{value*}' -- using default policy '{other*}'
  3.11 table {table}: nested lookup result "{value*}" is not allowed -- ignoring remainder of policy
  3.11 table {table}: composite lookup result "{value*}" is not allowed -- ignoring remainder of policy
  3.11 {name}: {value}:{other}: table lookup error -- ignoring the remainder of this policy
  3.11 {name}: unknown policy action: '{value*}' -- ignoring the remainder of this policy
- reuse: A kept connection could not be used again.
  2.2  {name}: bad cached session attribute for {value*}
  3.4  smtp_session_activate: bad cached endp properties
  3.4  smtp_session_passivate: bad cached dest properties
- sasl_cache: The cache of failed logins had a fault.
  2.5  bad smtp_sasl_auth_cache entry: {error}
  2.5  SASL auth failure map {table}: entry not deleted: {error}
  2.9  SASL auth failure map {table}: lookup failed for {value*}
- sasl_setting: The password table or a SASL setting could not be used.
  2.9  {name}: {value} lookup error
  2.11 not compiled with TLS support -- ignoring the {value} setting
- sasl_mechanisms: The next server offers no login mechanism that we may use.
  2.2  {value} offered no supported AUTH mechanisms: '{other*}'
- tls_policy: The TLS policy table has a fault for this destination; mail to it waits.
  3.11 MX name '{value*}' does not match STS MX pattern for '{other*}'
  2.3  {value} ignored when {other} is not empty.
  2.11 {name}: unknown TLS policy '{value*}' for {other} {third*}
  2.11 {name}: {value} "{other*}": per-site table lookup error
  2.11 {name}: policy table lookup error
  2.5  {name}: invalid empty policy
  2.5  {name}: invalid security level "{value*}"
  2.5  {name}: ignoring attribute "{value*}" with TLS disabled
  2.5  {name}: malformed attribute/value pair "{value*}": {error}
  2.5  {name}: attribute "{value*}" has empty value
  2.5  {name}: attribute "{value*}" is specified multiple times
  3.4  {name}: "{value}={other}" specifies an invalid hostname
  2.5  {name}: attribute "{value*}" invalid at security level "{other*}"
  3.4  {name}: attribute "{value*}" has bad value: "{other*}"
  3.10 {name}: attribute "{value*}" has a malformed value: "{other*}"
  3.10 {name}: attribute "{value*}" has an unexpected value: "{other*}"
  2.5  {name}: invalid attribute name: "{value*}"
  3.10 {name}: built-in policy has unexpected attribute policy_ttl, policy_domain, policy_string, mx_host_pattern or policy_failure
  2.11 nexthop domain {domain}: configured at fingerprint security level, but with no fingerprints to match.
  2.11 {name}: the "dane" security level is invalid for delivery via unix-domain sockets
- tlsrpt: The report about TLS could not be prepared.
  3.10 Cannot enable {value}: DNS is disabled
  3.10 {name}: parameter {setting} has empty value -- {value} will be disabled
  3.10 {name}: policy lookup failed for {domain}: {error}
  3.10 {name}: ignoring malformed policy for {value}:, "{other*}"
  3.10 {name}: Too many TLSRPT policies for {value*}
  3.10 {name}: getsockname() failed ({error}) skipping the ignoring client-side IP address
  3.10 {name}: cannot convert IP address to string ({value}) -- skipping the client-side IP address
- internal: The SMTP client met a state that it should not meet.
  3.11 smtp_bulk_fail: ignoring SMTP_MISC_FAIL_SOFT_NON_FINAL for a soft error
"""
