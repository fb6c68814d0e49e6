"""What any daemon may say: DNS, settings, services, queue files, addresses, commands, the system. Warnings and errors.

Source: Postfix ``src/{dns,global,util}``; the format of the table is told in ``formats/__init__.py``.
"""

from __future__ import annotations

WARNINGS = r"""
= dns.problem: *
- dns_answer: A DNS record points to a number or to no proper name (releases before 2.11).
  2.0  numeric domain name in resource data of {type} record for {domain}: {value*}
  2.0  malformed domain name in resource data of {type} record for {domain}: {value*}
- dns_answer: A DNS answer is broken or was cut; the lookup may have failed because of it.
  3.6  res_nsearch(state, "{value*}", {count}, {number}, {code}, {limit}) returns {other} with h_errno==0 -- setting h_errno=TRY_AGAIN
  3.5  negative caching disables RES_DEFNAMES and RES_DNSRCH
  3.5  system library does not support {value}=yes -- ignoring this setting
  2.0  reply length {count} > buffer length {number} for name={value} type={type*}
  2.0  dns_get_fixed: bad class: {count}
  2.0  {value} in {other} of {third} record for {fourth}: {error}
  2.0  extract_answer: bad address length: {count}
  3.10 extract_answer: bad TXT string length: {count}
  3.1  extract_answer: bad SOA length: {count}
  2.0  dns_lookup: Name server loop for {value*}
- dns_too_many: A DNS answer holds more records than the limit; the rest was dropped.
  3.9  DNS record count limit ({limit}) exceeded -- dropping excess record(s) after qname={query} qtype={type*}
- dns_filter: The DNS reply filter has a rule that is not known.
  3.0  {name}: unknown DNS filter action: "{value*}"
- dnssec: The resolver does not seem to check DNSSEC, so DANE cannot work.
  3.6  DNSSEC validation may be unavailable
  3.6  reason: {any} '{value*}' received a response that is not DNSSEC validated
  3.6  reason: {any} '{value*}' received no response: {error}
- dns_test: The test program for DNS lookups failed.
  2.11 {value} (rcode={code})
  3.9  one or more excess DNS_RR records were dropped

= system.problem: *
- setting: A setting is wrong or does not fit this system.
  3.11 request to allowlist prefix with {value}: '{other*}'
  3.6  {name}: in "{value*}" is not in "name = value" form
  3.6  {name}: in "{value*}": {error}
  3.0  {name}: bad status code: {error}
  3.3  mail_addr_find_opt: do not specify both MA_FIND_PDMS and MA_FIND_PDDMDS
  3.2  unauthorized configuration directory name: {error}
  3.0  {value} is true, but EAI support is not compiled in
  3.9  ignoring bad permissions: {value} = {other*}
  2.9  Postfix library version mis-match: wanted {value}, found {other*}
  3.5  unknown {value} value "{third*}" in "{other*}"
  2.3  {name}: unknown {value} bit in mask: 0x{number}
  2.2  {name}: skipping address family {count}: {error}
  2.2  {name}: close socket: {error}
  2.7  ignoring interface with null netmask, address family {count}
  2.2  unexpected data in {value} - skipping IPv6 configuration
  2.2  can't open {file} ({error}) - skipping IPv6 configuration
  2.9  {name}: disabling IPv6 name/address support: {error}
  2.9  {name}: disabling IPv4 name/address support: {error}
  3.8  {name}: #comment after other text is not allowed: {value} {other*}...
  3.9  {value}, line {line}: {error}
  3.9  {value}, line {line}-{count}: {error}
  2.0  {name}: logical line must not start with whitespace: "{value*}{other}"
- service: Two Postfix processes, or Postfix and a server beside it, could not talk to each other.
  2.3  bounce_append: ignoring dsn code "{value*}"
  2.3  bounce_one: ignoring dsn code "{value*}"
  2.3  defer_append: ignoring dsn code "{value*}"
  2.1  {name}: {value} service failure
  3.0  defer_one: ignoring dsn code "{value*}"
  2.0  {name}: malformed response
  2.0  {name}: bad write: {error}
  2.0  {name}: error receiving common attributes
  2.0  {name}: error receiving recipient attributes
  2.3  {name}: no recipients in delivery request for destination {value*}
  2.0  {name}: open {file} {value}: {error}
  3.11 haproxy_srvr_parse: hostaddr_to_sockaddr("{value*}") failed: {error}
  3.11 haproxy_srvr_parse: sockaddr_to_hostaddr() failed: {error}
  3.5  haproxy read: EOF
  3.5  haproxy read: {value}: {error}
  3.5  haproxy read: {error}
  3.1  connect to {value}/{other}: {error}
  3.6  read {value}: {error}
  3.1  write {value}: {error}
  3.1  write/read {value}: {error}
  2.0  connect #{count} to subsystem {value}/{other}: {error}
  2.0  unable to look up {value}: {error}
  2.0  {value} is not a socket or a fifo
  2.3  msg_stats_scan: size mis-match: {count} != {number}
  2.1  timeout connecting to service: {error}
  2.1  connect to service: {service}: {error}
  2.1  error connecting to service: {error}
  3.1  error talking to service: {error}
  2.0  {name}: null transport result for: <{value*}>
  2.0  {name}: null recipient result for: <{value*}>
  2.3  disabling connection caching
  2.2  {name}: close({count}): {error}
  2.2  close session endpoint {value}: {error}
  2.3  sent: ignoring dsn code "{value*}"
  3.11 disabling input from {value*}
  3.4  invalid size {count} from {value} while reading ARGV
  2.1  problem talking to server {server}: {error}
  2.0  {value*} on {other} while reading {third*}
  2.1  unexpected end-of-input from {value} while reading {other*}
  2.2  malformed base64 data from {value} while reading {other}: {error}
  2.0  malformed numerical data from {value} while reading {other}: {error}
  3.12 malformed boolean value from {value} while reading {other}: {error}
  2.0  missing attribute {name} in input from {value*}
  2.5  unexpected attribute {name} from {value} (expecting: {other})
  3.6  unexpected {value} {other} from {third} (expected: {fourth})
  2.0  duplicate attribute {name} in input from {value*}
  2.1  attribute count exceeds limit {limit} in input from {value*}
  2.0  string length > {limit} characters from {value} while reading {other*}
  2.0  malformed base64 data from {value}: {error}
  2.0  missing value for number attribute {name} from {value*}
  2.0  multiple values for attribute {name} from {value*}
  3.12 missing value for boolean attribute {name} from {value*}
  2.0  missing value for string attribute {name} from {value*}
  2.2  missing value for data attribute {name} from {value*}
  2.1  connect to {value}: {error}
  3.7  host or service {service} not found: {error}
  2.0  {name}: read timeout for service {service*}
  2.0  {name}: close {value}: {error}
  2.10 {name}: cannot accept connection: {error}
  2.7  {name}: timeout receiving file descriptor: {error}
  2.2  {name}: cannot receive file descriptor: {error}
  2.2  {name}: close: {error}
  2.10 {name}: cannot receive connection attributes: {error}
  2.8  {name}: close pipe: {error}
- queue_file: A queue file or mailbox is damaged or could not be read, written or moved; or the disk's clock is off.
  2.1  {name}: malformed record: {error}
  2.1  {name}: unknown attribute name: {value}, ignored
  2.0  {name}: malformed record: {value*}...
  2.2  {name}: bad record type: {count} in message content
  2.0  bad mail queue name: {error}
  2.0  {name}: uid {count}: not a regular file
  2.0  {name}: uid {count}: file has {number} links
  2.0  {name}: create file {file}: {error}
  2.0  {name}: rename {file} to {value}: {error}
  3.6  mail_stream_cleanup: close error
  2.1  file system clock is {count} seconds ahead of local clock
  2.1  resetting file time stamps - this hurts performance
  2.4  file system clock is {count} seconds behind local clock
  2.0  fork: {error}
  2.1  command "{command*}" exited with status {code}
  2.0  corrupted queue file: {error}
  2.4  {name}: file status changed unexpectedly
  3.1  {name}: seek or write error
  2.0  {name}: too many length bits, record type {count}
  2.0  {name}: unexpected EOF reading length, record type {count}
  2.3  {name}: illegal length {count}, record type {number}
  2.3  {name}: unexpected EOF in data, record type {count} length {number}
  3.1  {name}: seek error after reading END record: {error}
  2.3  {name}: malformed pointer record value: {error}
  2.4  {name}: too many reverse jump records
  2.3  {name}: seek error after pointer record: {error}
  2.11 input=' ' result={count} errno={error}
  2.9  bad input {value*}
- address: A host name, address or port (from a client, the DNS or a setting) is not valid.
  2.3  {name}: bad input: {error}
  3.10 {name}: encoder called with empty charset name
  3.11 {name}: unreasonable charset name: '{value*}'
  3.10 {name}: invalid character: 0x{number} in charset name: '{value*}'
  3.10 {name}: encoder called with empty input
  3.10 {name}: encoder called with non-whitespace separator: '{value*}'
  3.10 {name}: encoder called with quoted word as input: '{value*}'
  2.1  stripping too many comments from address: {value*}...
  2.2  {name}: '[' expected at start: {error}
  2.2  {name}: ']' expected at end: {error}
  2.2  {name}: unexpected text after ']': {error}
  2.2  {name}: too much text: {error}
  3.6  ICU library initialization failed: {error}
  3.0  {name}: Problem translating domain "{domain*}" to ASCII form: {error}
  3.0  {name}: Problem translating domain "{domain*}" to UTF-8 form: {error}
  3.0  {name}: Problem translating domain "{domain*}" to UTF8 form: {error}
  2.2  {name}: numeric hostname: {error}
  2.0  {name}: empty hostname
  2.0  {name}: hostname label too long: {error}
  3.9  {name}: '*' can be the first label only: {error}
  2.0  {name}: misplaced delimiter: {error}
  2.0  {name}: misplaced hyphen: {error}
  2.0  {name}: invalid character {count}(decimal): {error}
  2.0  {name}: bad length {count} for {value*}...
  2.0  {name}: empty address
  2.0  {name}: invalid octet value: {error}
  2.0  {name}: misplaced dot: {error}
  2.0  {name}: bad initial octet value: {error}
  2.0  {name}: invalid octet count: {error}
  2.2  {name}: too few `:' in IPv6 address: {error}
  2.2  {name}: bad null last field in IPv6 address: {error}
  2.2  {name}: malformed IPv4-in-IPv6 address: {error}
  2.2  {name}: bad null first field in IPv6 address: {error}
  2.2  {name}: too many `:' in IPv6 address: {error}
  2.2  {name}: too many `::' in IPv6 address: {error}
  2.2  {name}: malformed IPv6 address: {error}
  2.2  {name}: invalid character {count}(decimal) in IPv6 address: {error}
  2.10 {name}: leading zero in port number: {error}
  2.10 {name}: non-numeric port number: {error}
  2.10 {name}: out-of-range port number: {error}
  3.0  {name}: empty domain name
  3.0  {name}: malformed UTF-8 domain name
- command: A command that Postfix started failed or took too long.
  2.0  fork {value}: {error}
  2.1  {name}: write time limit exceeded
  2.1  {name}: read time limit exceeded
  2.1  cannot kill process (group) {count}: {error}
  2.1  {name}: child wait time limit exceeded
  2.1  setsid failed: {error}
  3.10 child: setsid: {error}
  2.0  {name}: process id {count}: command time limit exceeded
  3.10 parent: kill: {error}
- system: Something of the system that Postfix runs on failed or is unusual.
  2.9  getpwuid_r: {error}
  2.9  getpwnam_r: {error}
  3.11 {name}: already active POL_STAT at index {number}
  3.11 {name}: unexpected status {count} at index {number}
  2.0  could allocate space for only {count} open files
  2.6  setsockopt SO_SNDBUF {count}: {error}
  2.6  setsockopt SO_RCVBUF {count}: {error}
  2.0  refusing to mkdir {file}: parent directory is writable by everyone
  2.8  {name}: stat {file}: {error}
  2.8  {name}: chgrp {value}: {error}
  2.8  {name}: read() returns EAGAIN on readable descriptor
  2.8  {name}: write() returns EAGAIN on writable descriptor
  2.0  {name}: cannot change file ownership: {error}
  2.0  socketpair: {error} (trying again)
  2.0  open /dev/tty: {error}
  2.0  ioctl TIOCNOTTY: {error}
  2.1  read() returns EAGAIN on a readable file descriptor!
  2.1  pausing to avoid going into a tight select/read loop!
  2.1  write() returns EAGAIN on a writable file descriptor!
  2.1  pausing to avoid going into a tight select/write loop!
  2.2  {name}: your system has no support for file descriptor passing
  2.3  {name}: bad width {count} in {value*}
  2.3  {name}: bad precision {count} in {value*}
  3.2  bad format: "{value*}"
  3.9  fchmod {value} 0{number}: {error}
  2.5  {name}: getsockopt TCP_MAXSEG: {error}
  2.5  {name}: setsockopt TCP_NODELAY: {error}
  2.9  this program was built for 32-bit file handles, but some number does not fit in 32 bits
  2.9  possible solution: recompile in 64-bit mode, or recompile in 32-bit mode with 'large file' support
  2.8  {name}: write watchdog_pipe: {error}
  3.12 {name}: unexpected cmd={count}
- clock: The clock of this machine was set back.
  2.0  {value*}backward time jump detected -- slewing clock
  2.0  backward time jump recovered -- back to normality
"""
