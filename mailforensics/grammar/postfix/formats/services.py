"""The small services: anvil, flush, postlogd, proxymap, qmqpd, scache, spawn, trivial-rewrite, verify. Warnings and errors.

Source: Postfix ``src/{anvil,flush,postlogd,proxymap,qmqpd,scache,spawn,trivial-rewrite,verify}``; the format of the table is told in ``formats/__init__.py``.
"""

from __future__ import annotations

WARNINGS = r"""
= anvil.problem: anvil
- request: Another Postfix process asked for something that anvil does not know: versions are mixed.
  2.2  unrecognized request: "{value*}", ignored

= flush.problem: flush
- fast_flush: The log of the fast flush service (ETRN) could not be read or written.
  2.0  write fast flush logfile {file}: {error}
  2.0  {name}: update {value} time stamps: {error}
  2.4  {name}: open {file}: {error}
  2.4  {name}: fchmod {value}: {error}
  2.0  {name}: rename from {value} to {other}: {error}
  2.0  bad queue id "{value*}..." in fast flush logfile {file*}
  2.0  {name}: read fast flush logfile {file}: {error}
  2.0  remove logfile {file}: {error}
  2.0  timeout while waiting for data from {value*}
  2.0  cannot examine read buffer of {value}: {error}
  2.0  end-of-input while reading request from {value}: {error}

= postlogd.problem: postlogd
- log: A log record could not be received: lines may be missing.
  3.10 failed to receive message with recv: {error}

= proxymap.problem: proxymap proxywrite
- request: A process asked proxymap for a table that proxy_read_maps or proxy_write_maps does not allow.
  2.1  request for unapproved table: "{value*}"
  2.1  to approve this table for {value} access, list {other}:{third} in {fourth}:{fifth*}
  2.5  refusing {value} update request on non-{other} service
  2.5  refusing {value} delete request on non-{other} service
  2.1  unrecognized request: "{value*}", ignored
  3.11 bad syntax in {value} content: {error}
  3.11 open {file}: {error}

= qmqpd.problem: qmqpd
- hostname: The client's address and its name in the DNS do not fit together.
  2.3  incorrect QMQP server privileges: uid={uid} euid={value}

= scache.problem: scache
- request: The cache of open connections had a wrong request or could not pass a connection on.
  2.2  {name}: bad or missing request parameter
  2.3  {name}: unable to receive file descriptor: {error}
  2.2  {name}: cannot send file descriptor: {error}
  2.2  unrecognized request: "{value*}", ignored

= spawn.problem: spawn
- command: A command that spawn started ended with an error.
  2.0  command {command} exit status {code}
  2.0  command {command} killed by signal {signal}

= rewrite.problem: trivial-rewrite
- resolve: An address could not be resolved: tables contradict each other or do not answer.
  2.3  resolve_addr: <{value*}>: giving up after {count} iterations
  2.0  do not list domain {domain} in BOTH {value} and {other*}
  2.1  do not list ${value} ({other}) in {third*}
  2.0  {value} lookup failure
  2.7  {name}: ignoring null lookup result for {value*}
  2.0  file {file}/{value}: parameter {setting}: null transport is not allowed
  3.11 {value} result must contain RFC 3463 status and text: '{other*}'
  2.0  write resolver reply: {error}
- rewrite: An address could not be rewritten.
  2.2  unknown context: {error}
  2.2  rewrite_addr: null address
  2.0  write rewrite reply: {error}
  2.0  transport_lookup: null address - skipping table lookup
- request: Another Postfix process asked for something that is not known: versions are mixed.
  2.0  bad command {command*}

= verify.problem: verify
- probe: A result of an address probe is broken or could not be kept.
  2.1  bad address verify table entry: {error}
  2.1  bad recipient status {count} for recipient {recipient*}
  2.1  unrecognized request: "{value*}", ignored
"""
