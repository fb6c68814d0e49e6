"""The queue and the commands around it: qmgr, pickup, postsuper, postdrop, postqueue, sendmail, showq. Warnings and errors.

Source: Postfix ``src/{qmgr,oqmgr,pickup,postsuper,postdrop,postqueue,sendmail,showq}``; the format of the table is told in ``formats/__init__.py``.
"""

from __future__ import annotations

WARNINGS = r"""
= queue.problem: *
- queue_file: A queue file could not be read, written or moved: disk full, rights, damage; the text names the message.
  2.0  append file {queue} {queue_id}: {error}
  2.0  open file {queue} {queue_id}: {error}
  2.0  lock file {queue} {queue_id}: {error}
  2.0  seek file {queue} {queue_id}: {error}
  2.0  truncate file {queue} {queue_id}: {error}
  2.0  {name}: open {queue} {queue_id}: {error}
  2.0  {name}: close {queue} {queue_id}: {error}
  2.0  {name}: remove {queue} {queue_id}: {error}
  2.0  {name}: read message file {queue} {queue_id}: {error}
  2.1  {name}: save corrupt file queue {queue} id {queue_id}: {error}
  2.1  {name}: rename {queue_id} from {queue} to {other}: {error}
  2.1  {name}: remove {queue_id} from {queue}: {error}
  2.1  saving corrupt file "{queue_id}" from queue "{queue}" to queue "{other}"
  2.1  maildrop/{queue_id}: {error}
= qmgr.problem: qmgr oqmgr nqmgr
- setting: The settings of the queue manager do not fit together.
  2.2  {value} is smaller than {other} - adjusting {third*}
  2.2  {value} is larger than {other} - adjusting {third*}
  2.1  please update the {value}/{other} file; the new queue manager
  2.1  (old name: nqmgr) has become the standard queue manager (new name: qmgr)
  2.1  support for the name old name (nqmgr) will be removed from Postfix
  2.5  {name}: ignoring malformed or unreasonable feedback: {error}
- corrupt: A queue file is damaged or could not be moved; a damaged one waits in the directory corrupt.
  2.1  saving corrupt file "{file*}" from queue "{queue*}" to queue "{value*}"
  2.1  {name}: rename {file} from {value} to {other}: {error}
  2.1  {name}: {value}: rename from {other} to {third}: {error}
  2.1  {name}: remove {file} from {value}: {error}
- agent_failed: A delivery agent died or gave a wrong answer; its own log lines say why, the mail is deferred.
  2.1  {name}: premature disconnect
  2.1  write to process ({value}): {error}
  2.1  transport {transport} failure -- see a previous warning/fatal/panic logfile record for the problem description
- congestion: One destination holds so much of the active queue that other mail may wait; the lines that follow give advice.
  2.1  mail for {nexthop} is using up {count} of {limit} active queue entries
  2.1  this may slow down other mail deliveries
  2.1  you may need to increase the main.cf {setting} from {count}
  2.1  you may need a separate master.cf transport for {value*}
  2.1  you may need to reduce {value} connect and helo timeouts
  2.1  so that Postfix quickly skips unavailable hosts
  2.1  you may need to increase the main.cf {setting} and {value*}
  2.1  so that Postfix wastes less time on undeliverable mail
  2.1  you may need to increase the master.cf {value} process limit
  2.1  please avoid flushing the whole queue when you have
  2.1  lots of deferred mail, that is bad for performance
  2.1  to turn off these warnings specify: {value} = 0
- queue_record: A queue file has a record that does not fit; the message or the record was refused.
  2.1  {name}: message rejected: missing end record
  3.7  Unexpected record type '{value*}' at offset {number}
  3.7  {name}: bad attribute record: {value}: {error}
  2.3  {name}: ignoring out-of-order DSN original recipient address <{value*}>
  2.3  {name}: ignoring out-of-order DSN notify flags <{count*}>
  2.3  {name}: ignoring malformed DSN notify flags <{value*}>
  2.1  {name}: ignoring out-of-order original recipient <{recipient*}>
  2.1  {name}: invalid size record: {error}
  2.1  {name}: invalid flags in size record: {error}
  2.1  {name}: message rejected: weird size record
  2.3  {name}: ignoring malformed DSN RET flags in queue file record:{value*}
  2.2  {name}: ignoring multiple {value} attribute: {error}
  2.1  {name}: ignoring VERP request for null sender
  2.1  {name}: ignoring bad VERP request: "{value*}"
  2.3  {name}: ignoring out-of-order DSN original recipient <{recipient*}>
  2.1  {name}: message rejected: missing arrival time record
  2.1  {name}: message rejected: missing sender record
  2.1  {name}: message rejected: missing size record
  2.1  {name}: undeliverable postmaster notification discarded
  2.1  {name}: rcpt count mismatch ({count})
- queue_move: A queue file could not be moved or touched.
  2.1  {name}: update {value} time stamps: {error}
  2.1  {name}: ignored: queue {queue} id {value*}
- agent_unreachable: The delivery agent of a transport cannot be reached: not in master.cf, or it does not start.
  2.6  connect to transport {transport}/{value}: {error}

= pickup.problem: pickup
- pickup_file: A message in the maildrop directory is broken, too old or dated in the future.
  2.0  uid={uid}: unexpected or malformed record type {count}
  2.8  {name}: error writing {value}: {error}
  2.0  {name}: Error writing message file
  3.10 {name}: message {file} dated {seconds} seconds into the future
  3.10 {name}: message {file} has been queued for {count} days
  2.0  {name}: uid={uid}: no envelope sender
  2.0  open input file {file}: {error}
  2.0  if this file was created by Postfix < 1.1, then you may have to chmod a+r {value}/{other*}

= postdrop.problem: postdrop
- submission: A program on this machine handed in a message that could not be taken as it was.
  2.0  uid={uid}: remove {file}: {error}
  2.1  uid={uid}: ignoring malformed record: {value}: {error}
  3.11 uid={uid}: ignoring unexpected trace flags: {error}
  2.1  uid={uid}: ignoring attribute record: {value*}={other*}
  2.0  uid={uid}: {error}

= postqueue.problem: postqueue
- queue_list: The queue was listed while the mail system is down.
  3.7  Mail system is down -- accessing queue directly (Connect to the {value} {other} service: {error})

= postsuper.problem: postsuper
- queue_repair: The queue directory holds something that postsuper cannot handle, or was repaired.
  3.5  expire file {file}: {error}
  3.5  expire file {file}: cannot set permission: {error}
  2.0  invalid mail queue id: {error}
  2.1  {name}: reset time stamps: {error}
  2.0  remove subdirectory {file}: {error}
  2.0  bogus file name: {error}
  2.0  name/inode mismatch: {error}
  2.0  OPERATION INCOMPLETE -- RERUN COMMAND TO FIX THE QUEUE FIRST
  2.0  QUEUE FILE NAMES WERE CHANGED TO MATCH INODE NUMBERS

= sendmail.problem: sendmail
- usage: The sendmail command was called with options that are wrong, old or unsafe.
  2.0  {user}({uid}): {error}
  2.0  -f option specified malformed sender: {error}
  2.0  the Postfix sendmail command has set-uid root file permissions
  2.0  or the command is run from a set-uid root process
  2.0  the Postfix sendmail command must be installed without set-uid root file permissions
  2.0  ignoring -q option in daemon mode
  2.3  option -V is deprecated with Postfix 2.3; specify -XV instead
  2.3  option {setting} is deprecated with Postfix 2.3; specify -X{value} instead
  3.11 bad -N option value: '{value*}' -- ignored
  3.11 Ignoring option '-O {setting}, because the configuration is '{value} = {other}'
  3.11 bad -O option: '{value*}' -- ignored
  3.11 '-O {setting}' was requested, but the configuration is '{value} = {other}'
  2.10 bad -R option value -- ignored
  2.3  too long -V option value -- ignored
  2.3  bad syntax in -V option value -- ignored

= showq.problem: showq postqueue
- queue_file: A queue file could not be listed.
  3.1  {name}: malformed size record: {value} -- using file size instead
  3.1  {name}: duplicate sender address: {value} -- skipping remainder of this file
  3.1  {name}: missing sender address: {value} -- skipping remainder of this file
  2.0  readdir loop on queue {queue} id {value*}
  2.0  close file {file} {value}: {error}
"""
