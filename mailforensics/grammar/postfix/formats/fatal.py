"""Fatal ends and panics of all daemons and commands: the line after which the process is gone.

Source: the calls of msg_fatal in Postfix 2.0 to 3.11, without those whose text is all value; the format of the table is told
in ``formats/__init__.py``.
"""

from __future__ import annotations

FATAL = r"""
= setting.problem: *
- usage: The program was called in a way that it does not allow.
  2.2  unexpected command-line argument: {error}
  3.6  invalid option: {value}. Usage: {other} [-c config_dir] [-v]
  2.0  invalid option: {value}
  2.0  do not run this command by hand
  2.0  the master command is reserved for the superuser
  2.0  the master command must not run as a set-uid process
  2.10 the -t and -w options cannot be used together
  2.1  missing user= command-line attribute
  2.1  missing argv= command-line attribute
  2.1  user= command-line attribute specifies root privileges
  2.1  user= command-line attribute specifies mail system owner {value*}
  2.1  user= command-line attribute specifies privileged group id 0
  2.1  user= command-line attribute specifies mail system owner {value} group id {count}
  2.5  user= command-line attribute specifies mail system {value} group id {count}
  2.1  this postfix command must not run as a set-uid process
  2.0  use of this command is reserved for the superuser
  2.0  usage: {error}
= queue.problem: *
- queue_file: A file of the mail queue could not be read, written or moved.
  2.0  malformed service name: {error}
  2.0  open file {file} {value}: {error}
  2.0  lock file {file} {value}: {error}
  2.0  seek file {file} {value}: {error}
  2.0  truncate file {file} {value}: {error}
  2.0  append file {file} {value}: {error}
  2.0  remove {file} {value}: {error}
  2.1  cannot get shared lock on {value}: {error}
  2.3  {name}: bad $name syntax in {value} template: {error}
  2.3  {name}: undefined $name in {value} template: {error}
  2.3  {value}, line {line}: {other}: "{third*}"
  2.3  {value}, line {line}: missing end marker after <<
  2.3  {value}, line {line}: malformed end marker after <<
  2.3  {name}: vstream_ftell {value}: {error}:
  2.0  {name}: remove {file} log: {error}
  2.3  {name}: seek {value}: {error}
  2.0  {name}: vstream_ftell {value}: {error}
  2.5  cleanup_milter_receive: milter receive failed
  2.4  {name}: fstat file {file}: {error}
  2.2  empty nexthop hostname
  2.2  recipient count: {count}
  2.4  bad error service name: {error}
  2.0  {name}: open fast flush logfile {file}: {error}
  2.0  {name}: lock fast flush logfile {file}: {error}
  2.0  {name}: unlock fast flush logfile {file}: {error}
  2.0  {name}: truncate fast flush logfile {file}: {error}
  2.0  update queue file {file}: {error}
  2.5  seek queue file {file}: {error}
  2.3  {name}: move to {value} queue failed: {error}
  3.4  logfile '{value*}' write error: {error}
  2.0  {name}: seek queue file {file}: {error}:
  2.0  seek message file {file}: {error}
  3.3  seek mailbox file {file}: {error}
  2.1  {name}: save corrupt file queue {queue} id {value}: {error}
  2.1  {name}: update {value} time stamps: {error}
  2.1  {name}: rename {file} from {value} to {other}: {error}
  2.1  {name}: {value}: rename from {other} to {third}: {error}
  2.1  {name}: remove {file} from {value}: {error}
  2.1  {name}: timeout receiving delivery status from transport: {error}
  2.1  bad extra offset {value} file {file*}
  2.1  {name}: envelope records out of order
  2.4  fchmod {value}: {error}
  2.1  {name}: {value}: remove {file} {other}: {error}
  2.1  timeout connecting to transport: {error}
  2.2  User {user}({count}) is not allowed to submit mail
  2.0  invalid directory name: {error}
  2.0  remove file {file}: {error}
  2.0  rename file {file} as {value}: {error}
  2.0  remove directory {file}: {error}
  2.0  {value} queue must not be hashed
  2.1  -c requires absolute pathname
  2.0  CHECK YOUR QUEUE IDS AND RE-ISSUE THE COMMAND
  2.0  seek queue file: {error}
  2.0  queue file read error
  3.4  open logfile '{value*}': {error}
= setting.problem: *
- setting: A setting is wrong; the program cannot run until it is put right.
  2.3  {name}: unrecognized suffix "{value*}" in parameter "{other*}"
  3.11 bad {value} value: '{other*}'
  3.9  do not specify both {value}=yes and {other}=yes
  2.0  {name}: bad numerical configuration: {value} = {other*}
  3.0  {name}: bad time value or unit: {error}
  3.0  unknown option: "{value} = {other}"
  3.7  invalid setting: "{value} = {other}"
  3.5  invalid parameter setting "{setting} = {value}"
  3.2  specify "{setting} = {value}" or "{other} = {third}" in {fourth*}
  2.0  {name}: bad boolean configuration: {value} = {other*}
  2.1  {name}: invalid {value} parameter value {count} < {number}
  2.1  {name}: invalid {value} parameter value {count} > {limit}
  2.3  bad string length ({count} < {number}): {value} = {other*}
  2.3  bad string length ({count} > {limit}): {value} = {other*}
  2.3  {name}: bad string length {count} < {number}: {value} = {other*}
  2.3  {name}: bad string length {count} > {limit}: {value} = {other*}
  2.3  parameter {setting}: bad time value or unit: {error}
  2.0  file {file}/{value}: parameter {setting}: unknown user name value: {error}
  2.0  file {file}/{value}: parameter {setting}: user {user} has privileged user ID
  2.0  file {file}/{value}: parameter {setting}: user {user} has privileged group ID
  3.9  file {file}/{value}: parameter {setting}: user {user} has the same user ID {count} as user {other*}
  2.0  file {file}/{value}: parameter {setting}: unknown group name: {error}
  2.0  file {file}/{value}: parameter {setting}: group {other} has privileged group ID
  3.9  file {file}/{value}: parameter {setting}: group {other} has the same group ID {count} as group {third*}
  2.0  file {file}/{value}: parameters {setting} and {other} specify the same user {user*}
  2.0  file {file}/{value}: parameters {setting} and {other}: users {third} and {fourth} have the same user ID: {count}
  2.0  file {file}/{value}: parameters {setting} and {other}: users {third} and {fourth} have the same group ID: {count}
  2.0  file {file}/{value}: parameters {setting} and {other}: user {user} and group {third} have the same group ID: {count}
  2.0  file {file}/{value}: parameter {setting}: unrecognized value: {error}
  2.0  file {file}/{value}: parameter {setting}: bad parameter value: {error}
  2.1  {value} and {other} parameter settings must not be identical: {error}
  2.1  {value} parameter setting must not contain multiple values: {error}
  2.0  file {file}/{value}: parameters {setting} and {other}: {error}
  2.0  parameter {setting}: no local interface found for {value*}
  2.2  cannot change directory to "{value*}" for uid={uid} gid={count}: {error}
  2.9  parameter {setting}: value "{value*}" must not start with '@'
  2.9  parameter {setting}: value "{value*}" must not end with '@'
  2.0  parameter {setting} specifies no applicable mailbox locking method
  3.5  configuration error: {value} is limited but {other} is unlimited
  3.5  configuration error: {value} is smaller than {other*}
  2.7  invalid "-o {setting}" option value: {error}
  2.0  {name}: close configuration file: {error}
  2.0  {name}: flow pipe read descriptor <= {count}
  2.0  unknown flag: {value} (ignored)
  2.0  {name}: unknown username: {error}
  2.0  {name}: unknown group: {error}
  2.0  {name}: bad size= value: {error}
  2.0  unknown attribute name: {error}
  2.0  uid={uid}: malformed input
  2.0  uid={uid}: unexpected record type: {count}
  3.12 uid={uid}: null or line break in '{value*}' record type: {error}
  2.9  all network protocols are disabled ({value} = {other})
  2.8  bad {value} value: {error}
  2.5  cannot handle socket type {type} with "{value} = {other}"
  3.9  unexpected process name "{name*}" - specify "{setting*}" or "{value*}"
  3.7  {name}: malformed {value} parameter: {error}
  2.2  {name}: bad {value} parameter: {other}: {error}
  2.0  unknown service: {service}/{value*}
  3.0  bad protocol stage: "{value} = {other}"
  3.9  bad parameter value: '{value} = {other}'
  2.10 in parameter {setting}, specify at least one working instance of: {error}
  2.6  bad configuration: {value} = {other*}
  2.1  unknown user name: {error}
  2.1  unknown group name: {error}
  2.0  missing user= attribute
  2.0  missing argv= attribute
  2.0  unknown user: {error}
  2.2  {name}: control level {count} != SOL_SOCKET
  2.2  {name}: control type {count} != SCM_RIGHTS
  2.0  do not specify relative pathname: {value} = {other*}
= system.problem: *
- other: The program met a state in which it cannot go on.
  3.6  malformed {value} value: {other} format is qtype:qname
  3.0  {name}: don't know how to print type {type*}
  2.8  {name}: unable to convert address {value*}
  3.0  malformed option: {value}: "...{other}..."
  2.0  no {value} variable set up
  2.0  missing transport name in "{value*}"
  3.7  invalid header format code: {code}
  2.0  invalid {value}: {count} (min {number})
  2.0  invalid {value}: {count} (max {number})
  2.5  {value} file {file} is empty
  2.0  {name}: rename {file} to {value}: giving up
  3.4  {value} value '{other*}' does not match any prefix in {third*}
  2.0  could not find any active network interfaces
  2.0  unable to contact the {value} service
  3.6  {name}: SASL mechanism filter failed for: '{value*}'
  2.2  could not get list of wildcard addresses
  3.1  malformed default macro entry: {value} in "{other*}"
  3.0  empty milter definition: "{value*}"
  2.0  bad severity: "{value*}"
  2.8  bad DNSBL weight factor "{value*}" in "{other*}"
  2.8  bad DNSBL domain name "{name*}" in "{value*}"
  2.8  Invalid TLS level "{value*}"
  3.9  invalid service name: "{value*}" - service name must be "{other*}" or "{third*}"
  2.0  unable to connect to the {value} {other} service
  2.3  the Postfix QMQP server must run with ${value} privileges
  2.11 invalid {value}: "{other*}"
  2.5  SASL authentication cache name "{name*}" contains multiple values
  2.5  SASL authentication cache name "{name*}" must start with "
  2.0  SASL library initialization
  2.3  SASL per-connection initialization failed
  2.11 invalid tls security level: "{value*}"
  2.0  unable to execute {value*}
  3.0  empty policy service: "{service*}"
  2.0  restriction class `{value*}' needs a definition
  2.2  bad number: {value} {other*}
  2.0  {name}: address rewriting is disabled
  2.0  {name}: unqualified address
  2.3  the Postfix SMTP server must run with ${value} privileges
  2.0  SASL per-process initialization failed
  2.0  no SASL authentication mechanisms
  3.6  {value} discards all mechanisms in '{other*}'
  2.0  request to deliver as root
  2.0  request to deliver as mail system owner
  2.0  request to use privileged group id {count}
  2.0  request to use mail system owner group id {count}
  2.2  user must not have user ID -1
  2.2  user must not have group ID -1
  2.1  need service transport:endpoint instead of "{value*}"
  2.0  unable to determine open file limit
  2.0  unexpected address family: {count}
  2.0  unexpected address length {count}
  2.0  unable to use my own hostname
  2.2  {name}: address family was {count}, must be AF_INET ({number}) or AF_INET6 ({limit})
  2.4  {name}: host found but no usable address
  3.8  {name}: bad {value} address prefix length: {count}
  2.0  too many errors - program terminated
  2.11 descriptor {count} does not fit FD_SETSIZE {number}
  2.0  stream connections are not implemented
  2.3  vstring_extend: length overflow
  2.0  watchdog timeout
= system.problem: *
- system_call: The system refused what the program needs: files, sockets, processes or rights.
  3.0  {name}: conversion error for resource record type {type}: {error}
  2.0  invalid query type: {error}
  2.0  shared lock {value}: {error}
  2.0  {name}: fstat: {error}
  2.0  open file {file}: {error}
  2.0  read file {file}: {error}
  2.0  open {file}: {error}
  2.0  seek file {file}: {error}
  2.5  {name}: read error: {error}
  2.0  setenv {value} {other}: {error}
  2.0  execv {value}: {error}
  2.1  {name}: update file time stamps: {error}
  2.0  {name}: setenv: {error}
  3.4  unsetenv: {error}
  2.0  config variable {value}: host not found: {error}
  2.0  {name}: pipe: {error}
  2.0  {name}: dup2: {error}
  2.0  {name}: execvp {value}: {error}
  2.0  wait: {error}
  2.3  {name}: fstat {value}: {error}
  3.0  milter service syntax error: {error}
  2.8  bad DNSBL filter syntax: {error}
  2.10 unsupported {value} value: {error}
  2.5  {name}: cannot convert client address/port to string: {error}
  2.2  {name}: cannot convert {value} from string to binary: {error}
  2.2  host {host}: conversion error for address family {count}: {error}
  2.0  {name}: socket: {error}
  2.3  {value} in server description: {error}
  3.7  bad network port: {value} for destination: {error}
  2.0  {name}: getsockopt: {error}
  2.1  {name}: setsockopt: {error}
  3.4  smtp_session_passivate: can't save dest properties: {error}
  3.4  smtp_session_passivate: cannot save TLS context: {error}
  3.0  policy service syntax error: {error}
  2.8  RBL reply error: {error}
  2.0  {name}: bad default rbl reply template: {error}
  3.11 {name}: cannot convert client sockaddr type {type} length {count} to string: {error}
  3.11 {name}: cannot convert server sockaddr type {type} length {count} to string: {error}
  3.11 {name}: cannot convert client address '{value*}' port '{other*}' to binary: {error}
  3.11 {name}: cannot convert server address '{value*}' port '{other*}' to binary: {error}
  2.3  invalid transport name: {value} in service: {error}
  3.0  ucasemap_open error: {error}
  3.0  {name}: conversion error for "{value*}": {error}
  2.0  setgid({count}): {error}
  2.0  initgroups: {error}
  2.0  chroot({value}): {error}
  2.0  chdir(/): {error}
  2.0  setuid({count}): {error}
  3.8  clean_env: {value} in: {error}
  2.1  setenv({value}, {other}): {error}
  3.8  update_env: {value} in: {error}
  2.0  fcntl: get flags: {error}
  2.0  fcntl: set close-on-exec flag {value}: {error}
  2.0  doze: select: {error}
  2.6  unlink {value}: {error}
  2.6  truncate {value}: {error}
  2.0  event_loop: select: {error}
  2.4  event_loop: {any}: {error}
  2.0  execl {value}: {error}
  2.0  {name}: remove {file}: {error}
  2.0  {name}: create fifo {value}: {error}
  2.0  {name}: not a fifo: {error}
  2.0  ulimit: {error}
  2.0  getrlimit: {error}
  2.0  setrlimit: {error}
  2.0  signal(SIGXFSZ,SIG_IGN): {error}
  2.0  host not found: {error}
  2.3  bad port number: {error}
  2.0  statfs {value}: {error}
  2.0  statvfs {value}: {error}
  2.0  gethostname: {error}
  2.2  {name}: getifaddrs: {error}
  2.2  {name}: ioctl SIOCGLIFCONF: {error}
  2.2  {name}: ioctl(SIOCGLIFNETMASK): {error}
  2.0  {name}: ioctl SIOCGIFCONF: {error}
  2.0  {name}: ioctl SIOCGIFNETMASK: {error}
  2.2  setsockopt(IPV6_V6ONLY): {error}
  2.2  setsockopt(SO_REUSEADDR): {error}
  3.6  setsockopt(SO_REUSEPORT_LB): {error}
  3.6  setsockopt(SO_REUSEPORT): {error}
  2.2  bind {value} port {other}: {error}
  2.0  listen: {error}
  3.8  {name}: inet_ntop: {error}
  3.7  clock_gettime() failed: {error}
  3.7  gettimeofday() failed: {error}
  3.0  {name}: dlopen failure loading {value}: {error}
  3.0  {name}: dlsym failure looking up {value} in {other}: {error}
  3.0  {name}: shl_findsym failure looking up {value} in {other}: {error}
  3.2  mac_exp_eval: bad conversion: {error}
  3.4  no time: {error}
  3.4  strftime: {error}
  2.0  fcntl: set non-blocking flag {value}: {error}
  2.0  {name}: send file descriptor: {error}
  2.0  select: {error}
  2.4  poll: {error}
  2.0  {name}: bad open file status: {error}
  2.0  {name}: open directory {file}: {error}
  2.0  {name}: close directory {file}: {error}
  2.0  socketpair: {error}
  2.0  write: {error}
  2.0  set_eugid: seteuid(0): {error}
  2.0  set_eugid: setegid({count}): {error}
  2.0  set_eugid: setgroups({count}): {error}
  2.0  set_eugid: seteuid({count}): {error}
  2.0  seteuid(0): {error}
  2.0  setgroups(1, &{count}): {error}
  2.0  sigresume: sigprocmask: {error}
  2.0  sigdelay: sigprocmask: {error}
  2.4  {name}: send file descriptor {count}: {error}
  2.0  {name}: sigaction(SIGALRM): {error}
  2.0  {name}: unix-domain name too long: {error}
  2.0  bind: {value}: {error}
  2.0  fchmod socket {value}: {error}
  2.0  chmod socket {value}: {error}
  2.4  fcntl F_DUPFD {count}: {error}
= table.problem: *
- table: A lookup table cannot be used; whatever needs it stands still until it can.
  2.1  {name}: null parser name
  2.2  db_common_parse: {value}: Invalid {other} template: {error}
  2.2  {name}: {value}: domain match list creation using '{domain*}' failed
  2.2  {name}: {value}: invalid {other} template '{third*}'
  2.2  {name}: 'table' parameter not defined
  2.2  {name}: 'select_field' parameter not defined
  2.2  {name}: 'where_field' parameter not defined
  2.5  {name}: run-time API_INFO version: {count}, compiled with: {number}
  2.5  {name}: ldap_get_option(API_INFO) failed
  2.5  {name}: run-time API vendor: {value}, compiled with: {error}
  2.8  {name}: unsupported parameter value: {value} = {other*}
  2.5  {name}: incompatible TLS support: compile-time OpenLDAP version {count}, run-time OpenLDAP version {number}
  2.1  dict_mysql: insufficient memory
  3.2  couldn't initialize pldb!
  2.1  mymalloc of pldb failed
  3.12 unknown service: {service}/tcp
  2.9  {value} sequence failed for table "{table*}" function {count}: invalid request
  2.1  {value} service is not configured for table "{table*}"
  2.1  {value} lookup failed for table "{table*}" key "{key*}": invalid request
  2.5  {value} update failed for table "{table*}" key "{key*}": invalid request
  2.5  {value} update access is not configured for table "{table*}"
  2.5  {value} delete failed for table "{table*}" key "{key*}": invalid request
  2.9  {name}: {value} map open requires O_RDONLY or O_RDWR mode
  2.8  dict_sqlite_quote: out of memory
  2.8  {name}: close {value} failed
  2.8  {name}: {value}: SQL prepare failed: {error}
  2.8  {name}: {value}: SQL finalize failed for query '{query*}': {error}
  2.2  bad {value} value: {other}; specify exactly one value
  2.2  {name}: unknown address class: {error}
  3.11 non_bdb migration mapping lookup error for '{value*}': {error}
  3.11 no 'map create' support for non_bdb mapped type: {error}
  3.11 invalid non-Berkeley-DB migration level: '{value*}'
  2.9  {value}:{other} lookup error
  2.8  time lookup failed: {error}
  2.9  {value} lookup error for {other*}
  2.2  {value} map lookup problem for {other*}
  2.0  specify a password table via the `{value*}' configuration parameter
  2.2  dictionary {table} does not support update operations
  2.2  dictionary {table} does not support delete operations
  2.2  dictionary {table} does not support sequence operations
  2.0  {name}: dictionary name exists: {error}
  2.9  {value}, line {line}: unable to update {other}:{third*}
  2.9  dictionary {table}: lookup {value}: operation failed
  2.2  dictionary {table}: macro processing error
  2.9  table {table}:{value}: lookup operation is not supported
  2.9  table {table}:{value}: update operation is not supported
  2.9  table {table}:{value}: delete operation is not supported
  2.9  table {table}:{value}: sequence operation is not supported
  2.9  table {table}:{value}: close operation is not supported
  2.0  error seeking {value}: {error}
  2.2  dict_cdbq_open: unable to init {value}: {error}
  2.2  dict_dbq_open: fstat: {error}
  2.0  error writing {value}: {error}
  2.2  finish database {value}: {error}
  2.2  rename database from {value} to {other}: {error}
  2.0  close database {value}: {error}
  2.9  fstat({value}): {error}
  2.2  lock {value}: {error}
  2.2  stat({value}): {error}
  2.2  initialize database {value}: {error}
  2.2  dict_cdb_open: inappropriate open flags for cdb database - specify O_RDONLY or O_WRONLY|O_CREAT|O_TRUNC
  2.9  unknown access mode: {error}
  2.0  {name}: lock dictionary: {error}
  2.0  {name}: unlock dictionary: {error}
  2.0  {name}: flush dictionary: {error}
  2.0  error deleting from {value}: {error}
  3.11 error [{count}] initializing cursor for {value}: {error}
  2.2  error [{count}] seeking {value}: {error}
  2.0  flush database {value}: {error}
  3.3  create DB environment: {error}
  3.3  get DB cache size: {error}
  3.3  set DB max cache size {count}: {error}
  2.0  set DB cache size {count}: {error}
  3.3  open DB environment: {error}
  2.0  shared-lock database {value} for open: {error}
  2.0  get database file descriptor: {error}
  2.0  create DB database: {error}
  2.0  set DB hash element count {count}: {error}
  2.0  unlock database {value} for open: {error}
  2.0  dict_db_open: fstat: {error}
  2.0  error writing DBM database {value}: {error}
  2.0  open database {value}: cannot support GDBM
  2.0  dict_dbm_open: fstat: {error}
  2.11 error updating {value}:{other}: {error}
  2.11 error deleting from {value}:{other}: {error}
  2.11 error seeking {value}:{other}: {error}
  2.11 {value}:{other}: internal error: {error}
  2.11 dict_lmdb_open: fstat: {error}
  2.2  requested column {count} > max column {number} in table {table*}
  3.12 bad '%' substitution syntax in NIS+ map name: {error}
  2.2  bad column field in NIS+ map name: {error}
  2.3  open dictionary: expecting "type:name" form instead of "{value}:{other}"
  2.9  {value}:{other}: unable to get exclusive lock: {error}
  2.6  pcre map {table}, line {line}: pcre_get_substring error: {count}
  2.0  pcre map {table}, line {line}: bad replacement syntax
  3.11 out of memory in pcre2_match_data_create_from_pattern()
  2.2  error writing SDBM database {value}: {error}
  2.0  open database {value}: {error}
  2.0  open database {value}.{{dir,pag}}: {error}
  2.2  dict_sdbm_open: fstat: {error}
  2.4  {name}: no pattern after '!'
= system.problem: *
- memory: There was not enough memory.
  3.6  out of memory
  2.9  mymalloc: insufficient memory for {count} bytes: {error}
  2.9  myrealloc: insufficient memory for {count} bytes: {error}
= process.problem: *
- process: A Postfix process could not start or could not go on.
  2.0  select unlock: {error}
  2.0  invalid socket_count: {error}
  2.0  service {service} requires a process limit of 1
  2.0  service {service} requires a process limit of 0
  2.2  service {service} requires privileged operation
  2.0  no transport type specified
  2.0  unsupported transport type: {error}
  2.2  bad generation: {error}
  2.0  open lock file {file}: {error}
  2.0  chdir("{value*}"): {error}
  2.0  select lock: {error}
  2.4  fcntl F_DUPFD: {error}
  3.4  invalid retirement time: {error}
  2.0  fstat flow pipe write descriptor: {error}
  3.4  -i is allowed only for PID 1 process
  3.4  the -i option cannot be used with -D, -d, or -w
  2.0  open /dev/null: {error}
  2.1  unable to set session and process group ID: {error}
  2.0  dup(0): {error}
  2.0  chdir {value}: {error}
  2.0  cannot update lock file {file}: {error}
  2.0  refresh exclusive lock: {error}
  3.7  daemon initialization failure -- see logs for details
  2.0  {name}: sigaction: {error}
  2.0  {name}: kill process group: {error}
  2.0  {name}: kill myself: {error}
  2.0  {name}: sigaction({count}): {error}
  2.0  {name}: status file descriptor collision
  2.0  {name}: dup2 status_fd: {error}
  2.0  {name}: listen file descriptor collision
  2.0  {name}: dup2 listen_fd {count}: {error}
  2.2  {name}: putenv: {error}
  2.0  {name}: exec {value}: {error}
  2.0  read: {error}
= tls.problem: *
- tls: TLS cannot be used as set.
  2.11 error computing {value} message digest
  2.2  {name}: cannot open PRNG exchange file {file}: {error}
  2.2  cannot lock PRNG exchange file {file}: {error}
  2.2  cannot seek PRNG exchange file {file}: {error}
  2.2  cannot read PRNG exchange file {file}: {error}
  2.2  cannot write PRNG exchange file {file}: {error}
  2.2  cannot unlock PRNG exchange file {file}: {error}
  2.2  close PRNG exchange file {file}: {error}
  3.7  {name}: can't serialize properties: {error}
  3.12 {name}: can't deserialize properties: {error}
  2.2  cannot fstat() the PRNG exchange file: {error}
  2.5  do not use the same TLS cache file {file} for {value} and {other*}
= system.problem: *
- internal: The program found its own state broken and stopped; a fault of Postfix, of a library or of the memory.
  2.0  {name}: corrupt or unallocated memory block
  2.0  {name}: null pointer input
  2.0  {name}: requested length {count}
  2.0  {name}: unknown memory block
"""
