"""The master daemon, which starts all others, and the frame in which each of them runs. Warnings and errors.

Source: Postfix ``src/master``; the format of the table is told in ``formats/__init__.py``.
"""

from __future__ import annotations

WARNINGS = r"""
= master.problem: master
- connection: A connection could not be accepted.
  2.8  {name}: dup2({count}, {number}): {error}
  2.0  accept connection: {error}
  3.6  service ignores 'pass' connection attributes
- process_limit: A service has all the processes that master.cf allows; new clients wait.
  2.3  service "{service*}" ({name}) has reached its process limit "{limit*}": new clients may experience noticeable delays
  2.3  to avoid this condition, increase the process count in master.cf or reduce the service time per client
  3.10 see {value} for examples of stress-adapting configuration settings
- setting: master.cf has a fault.
  3.4  duplicate master.cf entry for service "{service*}" ({value}) -- using the last entry
  2.9  all network protocols are disabled ({value} = {other})
  2.9  disabling all type "inet" services in master.cf
  2.1  service {service}: ignoring {value} change
  2.1  to change {value}, stop and start Postfix
  2.6  ignoring {value} parameter value change
  2.6  old value: "{value*}", new value: "{other*}"
- process: A socket could not be closed.
  2.0  {name}: close listener socket {count}: {error}
  3.7  {error*} while waiting for daemon initialization
  2.0  write to SIG_PIPE_WRITE_FD failed: {error}
  2.0  {name}: read: {error}
  2.3  service {service}({value}): child (pid {child_pid}) sent partial status update ({count} bytes)
  2.0  {name}: ignoring unknown status: {count} allegedly from pid: {child_pid}
  2.0  {name}: close status descriptor (read side): {error}
  2.0  {name}: close status descriptor (write side): {error}
  2.3  {name}: service {service}({value}): {error}
- process_died: A Postfix process died or could not be started; its own lines just before say why.
  2.0  {name}: fork: {error} -- throttling
  3.0  process {program} pid {child_pid} stopped by signal {signal}
  2.0  process {program} pid {child_pid} exit status {code}
  2.0  process {program} pid {child_pid} killed by signal {signal}
  2.0  {name}: bad command startup -- throttling
= script.problem: postfix-script postfix post-install
- rights: A file of Postfix has an owner or rights that it should not have.
  2.0  not owned by {user}: {file*}
  2.0  not owned by group {user}: {file*}
  2.0  group or other writable: {file*}
  2.0  not set-gid or not owner+group+world executable: {file*}
  2.0  symlink leaves directory: {file*}
  2.3  {file} and {other} differ
- queue_file: A message file in the queue is damaged.
  2.0  damaged message: {file*}
- repair: A directory that was missing was made.
  2.0  creating missing Postfix {name} directory
- setting: main.cf or master.cf has a parameter that nothing uses or that nothing defines.
  2.9  {file}: unused parameter: {setting}={value*}
  2.10 {file}: undefined parameter: {setting}
- refused: The postfix command could not do what it was asked to.
  2.0  the Postfix mail system is already running
  2.0  the Postfix mail system is not running
  2.6  mail system startup failed
  2.0  Postfix integrity check failed!
  2.0  unknown command: '{command*}'. Usage: postfix {value*}
"""
