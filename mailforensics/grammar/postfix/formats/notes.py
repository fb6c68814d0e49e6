"""Lines without a severity word that are seen seldom: notes on settings, TLS and caches, and what debugging adds.

Source: the calls of msg_info in Postfix 2.0 to 3.11; the format of the table is told in ``formats/__init__.py``.
"""

from __future__ import annotations

NOTES = r"""
= cleanup.note: cleanup
- map_problem: Address rewriting by a lookup table failed; the message was not accepted and the client tries again later.
  2.11 {name}: {table} map lookup problem -- message not accepted, try again later
- debug: A part of the message as cleanup read it (debugging).
  2.3  {name}: read: {count}: {text}
= dns.note: *
- filtered: The DNS reply filter hides this record.
  3.0  ignoring DNS RR: {text}
= setting.note: *
- compatibility: An old default is still in use because compatibility_level is low; a newer level will change what happens here.
  3.0  using backwards-compatible default setting {setting}=$mydestination to flush mail for domain "{domain*}"
  3.0  using backwards-compatible default setting {setting}=$mydestination to update fast-flush logfile for domain "{domain*}"
  3.0  using backwards-compatible default setting {setting} to permit request from client "{client*}"
  3.0  using backwards-compatible default setting {setting}=no to accept non-ASCII sender address "{sender*}" from {client}
  3.0  using backwards-compatible default setting {setting}=no to accept non-ASCII recipient address "{recipient*}" from {client}
  3.0  using backwards-compatible default setting {setting}=md5 to compute certificate fingerprints
  3.0  using backwards-compatible default setting {setting}=md5 to compute public key fingerprints
  3.0  using backwards-compatible default setting {setting}=md5 to compute certificate and public key fingerprints
  3.0  using backwards-compatible default setting {setting}=$mydestination to accept mail for domain "{domain*}"
  3.0  using backwards-compatible default setting {setting}=$mydestination to accept mail for address "{recipient*}"
  3.0  using backwards-compatible default setting {setting}=no to reject recipient "{recipient*}" from client "{name*}"
  3.0  using backwards-compatible default setting {setting}=yes to rewrite "{value*}" to "{other*}"
  3.0  using backwards-compatible default setting {setting}=yes to rewrite "{value*}" to "{other*}"; please add "localhost" to mydestination or other address class
  3.0  {name}: using backwards-compatible default setting {setting}={value*}
  3.11 using backwards-compatible default setting {setting}=(empty)
  3.6  using backwards-compatible default setting {setting}=no for client [{client_ip}]:{client_port}
  3.11 using using backwards-compatible default setting {setting}=yes
  3.3  using backwards-compatible default setting "{value*}
- set: A restriction or its value as it is used.
  2.6  {setting} = {value*}
= system.note: *
- debug: What a program does, step by step (debugging).
  2.0  running: {text}
  2.9  {name} write: {text}
  2.0  {name}: addr {host}
  2.0  {name}: time left {count} for 0x{number} 0x{code}
- maillog: The path of the log and of the logging service (maillog_file).
  3.4  import_service_path={value*}
  3.4  import_hostname={value*}
  3.4  myhostname={value*}
  3.4  export {name}={value*}
- network: An address family is not used, or an address is tried.
  2.2  {name}: skipping address family {count} for host "{host*}"
  2.2  skipping address family {count} for host {host*}
  2.2  skipping address family {count} for {value*}
  3.12 skipping address family {count} for host '{host*}' service '{service*}'
  2.2  trying... [{client_ip}]
  2.2  trying... [{client_ip}]:{value*}
- worked_around: A fault of the file system or of the system's select was worked around.
  2.0  {name}({file},{other}): worked around spurious NFS error
  2.0  {name} select timed out
  2.0  {name} select wakeup
= table.note: *
- ldap: What the LDAP library says.
  2.1  {name}: Actual Protocol version used is {count}.
- redirected: A Berkeley DB table was replaced by one of another type.
  3.11 redirecting {type}:{table} to {value}:{other*}
- debug: What happens in a lookup table or cache, step by step (debugging).
  2.2  {name}: expand {key} -> {value*}
  2.2  {name}: const  {value*}
  2.7  {name}: key={key} (pretend not found  - scheduled for deletion)
  2.7  {name}: key={key} value={value*}
  2.7  {name}: cancel delete-behind for key={key*}
  2.7  {name}: key={key} (current entry - schedule for delete-behind)
  2.7  {name}: key={key} ({value*})
  2.7  {name}: delete-behind key={key} value={value*}
  2.7  {name}: start {type} cache cleanup
  2.7  {name}: drop {type} cache entry for {key*}
  2.7  {name}: keep {type} cache entry for {key*}
  2.7  {name}: done {type} cache cleanup scan
  2.7  {name} cache cleanup will start after {seconds}s
  3.11 {name} lookup: "{key*}" = "{value*}"
  3.11 {name} update: "{key*}" = "{value*}": {error}
  3.11 {name} delete: "{key*}": {error}
  3.11 {name} sequence: "{key*}" = "{value*}"
  3.11 {name} sequence: found EOF
  2.0  {name}: {value}: no match
- database: A database file was opened, closed or grew.
  2.8  close database {file}: {error} (possible Berkeley DB bug)
  3.11 Run-time linked against Berkeley DB: {version}
  2.11 database {type}:{table}: using size limit {limit} during open
  2.11 database {type}:{table}: using size limit {limit} after MDB_MAP_FULL
  2.11 database {type}:{table}: using size limit {limit} after MDB_MAP_RESIZED
  2.11 database {type}:{table}: pausing after MDB_READERS_FULL
= local.note: local
- biff: A notice about new mail is sent (biff).
  3.12 {name}: sending to: {{{host}, {service}}}
= master.note: master
- debug: An entry of master.cf as the master daemon holds it (debugging).
  2.0  ====start service entry
  2.0  flags: {count}
  2.0  name: {text}
  2.0  type: {text}
  2.0  listen_fd_count: {count}
  2.0  wakeup: {count}
  2.0  max_proc: {count}
  2.0  path: {text}
  2.0  arg[{number}]: {text}
  2.0  avail_proc: {count}
  2.0  total_proc: {count}
  2.0  throttle_delay: {count}
  2.0  status_fd {count} {number}
  2.0  children: 0x{number}
  2.0  next: 0x{number}
  2.0  ====end service entry
- process: A process that is gone reported its state late.
  2.2  ignoring status update from child pid {child_pid} generation {number}
= milter.note: smtpd cleanup
- debug: What is said between Postfix and a milter (debugging).
  2.3  event: {name}; macros:{value*}
  2.3  {name}: my_actions=0x{number} {value*}
  2.3  {name}: my_events=0x{number} {value*}
  2.3  {name}: milter {milter} version {count}
  2.3  {name}: events {value*}
  2.3  {name}: requests {value*}
  2.3  {name}: milter {milter}: mail{value*}
  2.3  {name}: milter {milter}: rcpt{value*}
- newer_protocol: A milter asks for events that this Postfix does not know.
  2.3  milter {milter}: event mask 0x{number} includes features not offered in MTA event mask 0x{code}
= qmgr.note: qmgr oqmgr nqmgr
- debug: How the queue manager sorts and schedules (debugging).
  2.0  start sorted recipient list
  2.0  qmgr_message_sort: {text}
  2.0  end sorted recipient list
  2.5  {name}: feedback {number}
  2.5  {name}: queue {queue}: limit {limit} window {count} success {number} failure {code} fail_cohorts {value}
= qmqpd.note: qmqpd
- lost: The QMQP session broke.
  2.0  {name}: {value}: {client} while {text*}
= smtp.note: smtp lmtp
- pix: The next server is a Cisco PIX with known faults; workarounds are on.
  2.4  {name}: enabling PIX workarounds: {value} for {remote}
- setting: The settings for this server do not fit what it offers.
  3.0  SMTPS wrappermode (TCP port 465) requires setting "{setting} = yes", and "{value} = encrypt" (or stronger)
  3.0  host {remote} offers SMTPUTF8 support, but not 8BITMIME
- changed: What the next server said, or a line of the message, was changed by our rules.
  2.7  {name}: replacing server reply "{was*}" with "{answer*}"
  3.7  {name}: breaking line > {limit} bytes with <CR><LF>SPACE
- check: A rule of smtp_header_checks or smtp_body_checks hit a line.
  3.8  {name}: replace: {where} {content*}: {argument*}
  3.8  {name}: prepend: {where} {content*}: {argument*}
  3.8  {name}: ignore: {where} {content*}
  3.8  {name}: info: {where} {content*}
  3.8  {name}: warning: {where} {content*}
  3.8  {name}: strip: {where} {content*}
- debug: How the addresses of a destination are found and tried (debugging).
  2.0  begin {type} address list
  2.0  pref {count} host {host}/{value*}
  2.0  end {type} address list
  3.6  {name}: native lookup result: {text}
  3.8  skipping SRV lookup for {domain}: {error}
  2.0  {name}: bind {value*}
  3.8  {name}: endp_prop='{value*}'
= smtpd.note: smtpd
- dsn_mapped: The enhanced code of a rule did not fit the command and was changed.
  2.3  mapping DSN status {value} into {other} status {third*}
= tls.note: *
- peer: The other side's certificate or key.
  3.9  {name}: raw public key fingerprint={fingerprint}
  2.2  subject={value*}
  2.2  issuer={value*}
- match: How the certificate was matched with the policy.
  3.6  {name}: matched peername: {domain*}
  3.6  {name}: Matched trust anchor at depth {count}
  3.6  {name}: Matched fingerprint: {fingerprint}
  3.9  {name}: Matched DANE raw public key: {count} {number} {code} {value*}
  3.6  {name}: Matched DANE {type} at depth {count}: {number} {code} {other} {value*}
  2.11 {name}: depth={count} verify={number} subject={value*}
  3.9  {name}: verify={count} raw public key
  3.9  {name}: depth={count} verify={number}
- session: A TLS session was kept, found again or resumed.
  2.3  looking for session {value} in {type} cache
  2.3  remove session {value} from client cache
  2.5  {name}: looking up session {value} in {type} cache
  2.5  {name}: reloaded session {value} from {type} cache
  2.5  {name}: remove session {value} from {type} cache
  2.5  {name}: save session {value} to {type} cache
  2.5  {name}: Reusing old session{value*}
  2.11 {name}: Issuing session ticket, key expiration: {count}
  2.11 {name}: Decrypting session ticket, key expiration: {count}
  3.9  {name}: re-using session with untrusted peer credential, look for details earlier in the log
  2.5  {name}: re-using session with untrusted certificate, look for details earlier in the log
  2.3  write {type} TLS cache entry {value}: time={number} [data {count} bytes]
  2.3  read {type} TLS cache entry {value}: time={number} [data {count} bytes]
  2.3  lookup {type} session id={value*}
  2.3  put {type} session id={value} [data {count} bytes]
  2.2  delete {type} session id={value*}
  2.2  open {type} TLS cache {table*}
  2.2  close {type} TLS cache {table*}
- name: The server name that was asked for (SNI).
  2.11 {name}: SNI hostname: {sni*}
  3.4  TLS SNI {sni} from {client} not matched, using default chain
- setup: TLS was set up, or cannot be used.
  2.2  initializing the client-side TLS engine
  2.2  initializing the server-side TLS engine
  2.5  {name}: TLS cipher list "{value*}"
  3.0  cannot load Certification Authority data{any}: disabling TLS support
  2.2  cannot load Certificate Authority data
  3.0  cannot set default OpenSSL certificate verification paths: disabling TLS support
  2.2  TLS support is not compiled in -- exiting
- entropy: A source of randomness fails or is opened anew.
  2.2  cannot write to EGD server {server}: {error}
  2.2  cannot read from EGD server {server}: {error}
  2.2  EGD server {server} reports zero bytes available
  2.2  cannot read {count} bytes from EGD server {server}: {error}
- debug: The TLS handshake and data, step by step (debugging).
  3.12 skipping TLS trace output - rate limit ({limit}) exceeded
  3.12 TLS protocol trace for {name} saved to {file*}
  2.2  SSL3 alert {value}:{other}:{text}
  2.2  {name}:failed in {value*}
  2.2  {name}:error in {value*}
  2.2  SSL_accept:{value*}
  2.2  SSL_connect:{value*}
  2.2  undefined:{value*}
  2.2  {number} - <SPACES/NULLS>
  2.2  read from {number} [{code}] ({count} bytes => {value} (0x{other}))
  2.2  write to {number} [{code}] ({count} bytes => {value} (0x{other}))
  3.7  read from {number} [{code}] ({count} bytes => {value})
  3.7  write to {number} [{code}] ({count} bytes => {value})
  2.3  Read {count} chars: {data}
  2.3  Write {count} chars: {data}
= tlsmgr.note: tlsmgr
- entropy: The TLS manager ends in order to open its source of randomness anew.
  2.2  cannot read from entropy device {file}: {error} -- exiting to reopen
  2.2  lost connection to EGD server {server} -- exiting to reconnect
  2.2  exiting to reopen external entropy source {file*}
- cache: Old TLS sessions are thrown out.
  2.3  {name}: start TLS {type} session cache cleanup
= sasl.note: *
- library: The Cyrus SASL library could not load a mechanism.
  2.0  unable to dlopen {file}: {error}
- debug: The first answer in a login at the next server (debugging).
  2.3  {name}: uncoded initial reply: {text}
= script.note: postfix-script postfix postfix-tls-script post-install
- compatibility: Old defaults are still in use because compatibility_level is low.
  3.0  Postfix is using backwards-compatible default settings
  3.0  Postfix is running with backwards-compatible default settings
  3.0  See {value} for details
  3.0  To disable backwards compatibility use "postconf compatibility_level={version}" and "postfix reload"
- repair: A directory that was missing was made.
  2.0  creating missing Postfix {name} directory
"""
