"""Lookup tables in any daemon: files, LDAP, SQL, memcache, pcre, regexp, proxymap. Warnings and errors.

Source: Postfix ``src/{global,util}/dict_*.c and their users``; the format of the table is told in ``formats/__init__.py``.
"""

from __future__ import annotations

WARNINGS = r"""
= table.problem: *
- table: A lookup table has a fault or gave no proper answer.
  2.5  request to update {value} {other} in non-{third} directory {file*}
  2.5  redirecting the request to {value}-owned {other} {third*}
  2.3  table "{table}:{value}": empty lookup result for: "{other*}" -- ignored
  2.3  table "{table}:{value}": empty query string -- ignored
  2.2  {name}: {value}: lookup key '{key*}' skipped after query
  2.1  {table} lookup of {key} returns non-address result "{third*}"
  2.1  {table} lookup of {key} returns an empty string result
  2.1  {value} should return NO RESULT in case of NOT FOUND
  3.4  {type}:{table} lookup error for "{key*}"
  3.4  table {table}:{value}: key {key}: {error}
  2.2  {name}: skipping unknown address family {count}
  2.11 {file}, line {line}: overriding earlier entry: {other}={third*}
  3.11 {name}: table {table}: negative time stamp
  2.0  database {table} is older than source file {file*}
  2.0  {name}: duplicate entry: "{key*}"
  2.9  dictionary has changed
  2.11 unknown MDB error code: {code}
  2.9  {type}:{table} is unavailable. {third*}
  2.0  cannot access UNIX password database: {error}
  2.0  cannot access UNIX group database: {error}
  3.0  {type}:{table}: non-UTF-8 key "{key*}": {error}
  3.0  {type}:{table}: key "{key*}": non-UTF-8 value "{third*}": {error}
  3.11 bad domain argument in: '{value}{{{other}}}'
  2.0  truncated macro reference: "{value*}"
  2.0  empty macro name: "{value*}"
- ldap: The LDAP server or its table has a fault; lookups fail and mail waits until it works.
  2.1  {name}: Unable to set tls_random_file to {value}: {count}: {error}
  2.1  {name}: Unable to set tls_ca_cert_file to {value}: {count}: {error}
  2.1  {name}: Unable to set tls_ca_cert_dir to {value}: {count}: {error}
  2.1  {name}: Unable to set tls_cert to {value}: {count}: {error}
  2.1  {name}: Unable to set tls_key to {value}: {count}: {error}
  2.1  {name}: Unable to set tls_cipher_suite to {value}: {count}: {error}
  2.1  {name}: Unable to set tls_require_cert to {count}: {number}: {error}
  2.6  {name}: Unable to allocate new TLS context {count}: {error}
  2.1  {name}: Unable to set ber logprint function.
  2.1  {name}: Unable to set BER debug level.
  2.1  {name}: Unable to set LDAP debug level.
  2.1  {name}: Unable to init LDAP server {server*}
  2.1  {name}: Unable to set network timeout.
  2.1  {name}: Error setting signal handler for open timeout: {error}
  2.1  {name}: Error resetting signal handler after open: {error}
  2.1  {name}: Unable to connect to LDAP server {server*}
  2.1  {name}: Unable to set LDAP protocol version
  2.1  {name}: Unable to get LDAP protocol version
  2.1  {name}: {value}: Unable to set query result size limit to {count}.
  2.1  {name}: Unable to set dereference option.
  2.1  {name}: Unable to set Referral chasing.
  2.1  {name}: Error setting signal handler for STARTTLS timeout: {error}
  2.1  {name}: Error resetting signal handler after STARTTLS: {error}
  2.1  {name}: Unable to set STARTTLS: {count}: {error}
  2.8  {name}: Unable to bind to server {server} with dn {value}: {count} ({other})
  2.1  {value}[{count}]: {other}: Query size limit ({limit}) exceeded
  2.2  {value}[{count}]: {other}: Expansion limit exceeded for key: '{key*}'
  2.8  {value}[{count}]: malformed URL {other}: {third}({number})
  2.1  {value}[{count}]: DN {other} not found, skipping
  2.1  {value}[{count}]: search error {number}: {other}
  2.1  {value}[{count}]: {other}: Recursion limit exceeded for special attribute {name}={third*}
  2.1  {name}: Had some trouble with entries returned by search: {error}
  2.2  {name}: {value}: Search base '{other*}' not found: {count}: {error}
  2.1  {name}: Search error {count}: {value}
  2.5  {name}: {value} Unknown version {count}, using 2.
  2.1  {name}: error parsing URL {value}: {count}: {other}; skipping
  2.1  {name}: URL scheme {value} requires protocol version 3
  2.1  {name}: {value}: Unrecognized value {other} specified for scope; using sub
  2.1  {name}: {value}: Fixed query_filter {other} is probably useless
  2.1  {name}: {value} ignoring cache
  2.1  {name}: {value} ignoring cache_expiry
  2.1  {name}: {value} ignoring cache_size
  2.1  {name}: {value} Unrecognized value {count} specified for dereference; using 0
  2.1  {name}: {value} start_tls requires protocol version 3
- memcache: The memcache server or its table has a fault.
  2.9  database {type}:{table}: data for key {key} is too long ({third}={count}) -- not stored
  2.9  database {type}:{table}: I/O error: {error}
  3.11 database {type}:{table}: update failed: {error}
  2.9  {name}: unexpected memcache server reply: {error}
  2.9  {name}: EOF receiving memcache server reply
  2.9  database {type}:{table}: delete failed: {error}
  3.11 {type}:{table}: {third} message digest failed
  2.9  database {type}:{table}: first/next support requires backup database
- mongodb: The MongoDB server or its table has a fault; lookups fail and mail waits until it works.
  3.9  {type}:{table}: expansion limit exceeded for key: '{key*}'
  3.9  {type}:{table}: invalid UTF-8 in lookup result '{third*}'
  3.9  {type}:{table}: failed to retrieve value of '{third*}', Unknown result type {count}.
  3.9  {type}:{table}: failed to get collection [{third}] from [{fourth}]
  3.9  {type}:{table}: failed to create a projection from '{third*}': {error}
  3.9  {type}:{table}: failed to append a projection from '{third*}'
  3.9  {type}:{table}: failed to create a query from '{third*}': {error}
  3.9  {type}:{table}: cursor error for '{third*}': {error}
- mysql: The MySQL server or its table has a fault; lookups fail and mail waits until it works.
  3.9  dict_mysql: host ({host}) cannot escape input string: >{value*}<
  3.0  {type}:{table} 'domain' pattern match failed for '{third*}'
  2.2  {name}: {value}: Expansion limit exceeded for key: '{key*}'
  3.2  {type}:{table}: query failed: {error}
  3.12 dict_mysql: could not set TLS mode for host {host}: {error}
  3.9  dict_mysql: mysql_set_character_set '{value*}' failed: {error}
  2.1  connect to mysql server {server}: {error}
- pgsql: The PostgreSQL server or its table has a fault; lookups fail and mail waits until it works.
  2.3  dict pgsql: (host {host}) cannot escape input string: {error}
  2.3  pgsql query failed: fatal error from host {host}: {error}
  2.3  pgsql query failed: protocol error, host {host*}
  2.3  pgsql query failed: unknown code 0x{number} from host {host*}
  2.1  connect to pgsql server {server}: {error}
  3.8  dict_pgsql: cannot set the encoding to {value}, skipping {other*}
- proxymap: The proxymap service gave no proper answer about a table.
  2.9  {service} sequence failed for table "{table*}" function {count}: unexpected reply status {number}
  2.1  {service} lookup failed for table "{table*}" key "{key*}": unexpected reply status {count}
  2.5  {service} update failed for table "{table*}" key "{key*}": unexpected reply status {count}
  2.5  {service} delete failed for table "{table*}" key "{key*}": unexpected reply status {count}
  2.1  {service} open failed for table "{table*}": unexpected status {count}
- sqlite: The SQLite file or its query has a fault; lookups fail.
  2.8  {name}: {value}: Expansion limit exceeded for key '{key*}'
  2.8  {name}: {value}: SQL step failed for query '{query*}': {error}
  3.11 {type}:{table}: query >{third*}< contains >{fourth*}< without the recommended '' quotes
- checks: A rule of a header or body table has a fault.
  2.5  REPLACE action without text in {table} map
  2.5  bad REPLACE header text "{value*}" in {table} map -- need "headername: headervalue"
  2.5  PREPEND action without text in {table} map
  2.5  bad PREPEND header text "{value*}" in {table} map -- need "headername: headervalue"
  2.5  unsupported command in {table} map: {error}
- setting: The setting of a table is malformed.
  3.5  malformed map specification: '{value*}'
  3.5  empty map specification: '{value*}'
  3.5  expected maptype:mapname instead of '{value*}'
  3.5  malformed map attribute: {error}
  3.5  malformed map attribute in '{value*}': '{other*}'
  3.5  unknown map attribute in '{value*}': '{other*}'
  3.5  unknown search type '{value*}' in '{other*}'
- berkeley_db: The move away from Berkeley DB tables had a fault.
  3.11 Non-Berkeley-DB migration error: {error}
  3.11 Non-Berkeley-DB migration error: malformed bad reindexing status: {count}
  3.11 non-Berkeley-DB type mapping lookup error for '{value}:{other}': {error}
  3.11 non-Berkeley-DB mapped type '{value*}' has no known pathname suffix
- access_list: An access list has a fault; the rest of it is ignored.
  2.9  table {table}: lookup result "{value*}" is not allowed -- ignoring remainder of access list
  2.9  {name}: {value}: mynetworks lookup error -- ignoring the remainder of this access list
  3.11 {name}: {value}:{other}: table lookup error -- ignoring the remainder of this access list
  2.9  {name}: unknown command: {value} -- ignoring the remainder of this access list
  3.12 {name}: ignoring malformed peer name: '{value*}'
  3.12 {name}: ignoring numeric peer name: '{value*}'
  3.12 {name}: ignoring malformed peer address: '{value*}'
- cache: A cache (address verification, postscreen, TLS sessions) had a fault.
  2.9  {name}: cache cleanup scan terminated due to error
  2.11 no cache
  2.11 query_action: query failed: {value}: {error}
  2.11 query_action: query failed: {error}
  2.11 lookup result "{value*}" differs from key "{key*}"
  2.11 update_action: update failed: {value}: {error}
  2.11 update_action: update failed: {error}
  2.11 delete_action: delete failed: {value}: {error}
  2.11 delete_action: delete failed: {error}
  2.11 value "{value*}" differs from key "{key*}"
  2.11 purge_action: delete failed: {value}: {error}
  2.11 purge_action: delete failed: {error}
  2.11 {value} error after {count}: {error}
  2.11 {name}: request list is full
  2.11 {name}: bad count: {error}
  2.11 {name}: command conflicts with other command
- nis: NetInfo had a fault.
  2.0  ni_open `.': {count}
  2.0  ni_open: domain depth limit
  2.0  ni_open `..': {count}
  2.0  {name}: NIS domain name not set - NIS lookups disabled
  2.0  lookup {value}, NIS domain {domain}, map {table}: {error}
  2.2  map {table}:{value}: lookup key with non-printing character 0x{number}: ignoring this request
  2.2  ambiguous match ({count} results) for {value} in NIS+ map {table}: ignoring this request
  2.2  lookup {value}, NIS+ map {table}: {error}
- pcre: A rule of a pcre table has a fault at the line named.
  2.0  pcre map {table}, line {line}: too many (...)
  2.0  pcre map {table}, line {line}: bad args to re_exec
  2.0  pcre map {table}, line {line}: corrupt compiled regexp
  2.3  pcre map {table}, line {line}: out of memory
  3.1  pcre map {table}, line {line}: backtracking limit exceeded
  2.3  pcre map {table}, line {line}: bad UTF-8 sequence in search string
  2.3  pcre map {table}, line {line}: bad UTF-8 start offset in search string
  3.2  pcre map {table}, line {line}: unknown pcre_exec error: {count}
  3.7  pcre map {table}, line {line}: {error}
  2.1  pcre map {table}, line {line}: no regexp: skipping this rule
  2.0  pcre map {table}, line {line}: no closing regexp delimiter "{value*}": ignoring this rule
  3.7  pcre map {table}, line {line}: ignoring obsolete regexp option "{value*}"
  2.0  pcre map {table}, line {line}: unknown regexp option "{value*}": skipping this rule
  2.0  pcre map {table}, line {line}: non-numeric replacement index "{value*}"
  2.0  pcre map {table}, line {line}: out of range replacement index "{value*}"
  2.0  pcre map {table}, line {line}: error in regex at offset {number}: {error}
  2.0  pcre map {table}, line {line}: error while studying regex: {error}
  3.2  pcre map {table}, line {line}: no replacement text: using empty string
  3.4  pcre map {table}, line {line}: {value}: skipping this rule
  2.0  pcre map {table}, line {line}: bad replacement syntax: skipping this rule
  2.1  pcre map {table}, line {line}: $number found in negative match replacement text: skipping this rule
  2.3  pcre map {table}, line {line}: regular expression substitution is not allowed: skipping this rule
  3.7  pcre map {table}, line {line}: named substrings are not supported
  2.6  pcre map {table}, line {line}: out of range replacement index "{count*}": skipping this rule
  2.6  pcre map {table}, line {line}: ignoring extra text after IF statement: "{value*}"
  2.6  pcre map {table}, line {line}: do not prepend whitespace to statements between IF and ENDIF
  2.0  pcre map {table}, line {line}: ignoring ENDIF without matching IF
  2.0  pcre map {table}, line {line}: ignoring extra text after ENDIF
  2.6  pcre map {table}, line {line}: ignoring unrecognized request
  3.2  pcre map {table}, line {line}: IF has no matching ENDIF
- regexp: A rule of a regexp table has a fault at the line named.
  2.0  regexp map {table}, line {line}: {error}
  2.0  regexp map {table}, line {line}: no regexp: skipping this rule
  2.0  regexp map {table}, line {line}: no closing regexp delimiter "{value*}": skipping this rule
  2.0  regexp map {table}, line {line}: unknown regexp option "{value*}": skipping this rule
  2.0  regexp file {file}, line {line}: /pattern1/!/pattern2/ goes away, use "if !/pattern2/ ... /pattern1/ ... endif" instead
  2.0  regexp map {table}, line {line}: non-numeric replacement index "{value*}"
  2.3  regexp map {table}, line {line}: out-of-range replacement index "{value*}"
  3.2  regexp map {table}, line {line}: no replacement text: using empty string
  3.4  regexp map {table}, line {line}: {value}: skipping this rule
  2.0  regexp map {table}, line {line}: bad replacement syntax: skipping this rule
  2.0  regexp map {table}, line {line}: $number found in negative match replacement text: skipping this rule
  2.0  regexp map {table}, line {line}: regular expression substitution is not allowed: skipping this rule
  2.0  regexp map {table}, line {line}: out of range replacement index "{count*}": skipping this rule
  2.6  regexp map {table}, line {line}: ignoring extra text after IF statement: "{value*}"
  2.6  regexp map {table}, line {line}: do not prepend whitespace to statements between IF and ENDIF
  2.0  regexp map {table}, line {line}: ignoring ENDIF without matching IF
  2.0  regexp map {table}, line {line}: ignoring extra text after ENDIF
  2.0  regexp map {table}, line {line}: ignoring unrecognized request
  3.2  regexp map {table}, line {line}: IF has no matching ENDIF
- tcp: The server of a tcp table could not be reached or answered wrongly.
  2.0  connect to TCP map {table}: {error}
  2.0  read TCP map reply from {value}: unexpected EOF ({error})
  2.1  read TCP map reply from {value}: text longer than {limit}
  2.1  read TCP map reply from {value}: malformed reply: {error}
  2.1  read TCP map reply from {value}: bad status code: {error}
- text_table: A line of a text table has a fault.
  3.0  {file}, line {line}: non-UTF-8 input "{other*}" -- ignoring this line
  3.2  {file}, line {line}: unbalanced '"' in '{other*}' -- ignoring this line
  2.8  {file}, line {line}: expected format: key whitespace value -- ignoring this line
  2.8  {file}, line {line}: record is in "key: value" format; is this an alias file?
  3.7  {file}, line {line}: {other}: skipping this entry
  2.8  {file}, line {line}: duplicate entry: "{key*}"
"""
