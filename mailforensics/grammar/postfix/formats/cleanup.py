"""The cleanup server. Warnings and errors.

Source: Postfix ``src/cleanup``; the format of the table is told in ``formats/__init__.py``.
"""

from __future__ import annotations

WARNINGS = r"""
= cleanup.problem: cleanup
- input: The message came in broken: the process that sent it fell silent or sent a record that is not allowed.
  2.3  {name}: record type {count} not allowed - discarding this message
  2.0  {name}: read timeout on {service*}
- map_problem: A lookup table did not answer, so the message was not accepted; the client tries again later.
  2.11 {name}: {table} map lookup problem -- message not accepted, try again later
  2.0  {name}: multi-valued {value} entry for {other*}
  2.11 {name}: {table} map lookup problem for {key} -- message not accepted, try again later
  2.11 {name}: unreasonable {value} map nesting for {other} -- message not accepted, try again later
  2.11 {name}: unreasonable {value} map expansion size for {other} -- message not accepted, try again later
  3.0  {name}: unreasonable {value} result {other*}... -- message not accepted, try again later
- leftover: A file that had been left over was removed, or could not be.
  2.0  {name}: removed spurious {value} log
- queue_file: The queue file could not be read or changed on disk.
  2.3  {name}: seek file {file}: {error}
  2.0  {name}: queue file size limit exceeded
  2.0  {name}: write queue file: {error}
- bounce_failed: The message could not be returned to its sender.
  2.0  {name}: bounce message failure
- envelope: The envelope that another process handed over is broken; the message or the part was refused or ignored.
  2.1  {name}: ignoring bad extra flags: 0x{number}
  2.3  {name}: ignoring bad delay time: {error}
  2.1  {name}: message rejected: malformed attribute: {value}: {error}
  2.2  {name}: spurious null attribute value for "{value*}" -- ignored
  2.1  {name}: message rejected: unexpected record type {count} in envelope
  2.1  {name}: message rejected: missing sender envelope record
  2.1  {name}: message rejected: missing time envelope record
  2.1  {name}: message rejected: envelope recipient precedes sender
  2.3  {name}: ignoring out-of-order DSN original recipient record <{value*}>
  2.3  {name}: ignoring out-of-order DSN notify record <{count*}>
  2.3  {name}: ignoring malformed DSN notify record <{value*}>
  2.1  {name}: ignoring out-of-order original recipient record <{value*}>
  2.1  {name}: message rejected: multiple envelope sender records
  2.3  {name}: message rejected: bad DSN envelope ID record
  2.3  {name}: message rejected: bad DSN RET record <{value*}>
  2.3  {name}: ignoring VERP request for null sender
  2.3  {name}: ignoring bad VERP request: "{value*}"
  2.1  {name}: message rejected: attribute count exceeds limit {limit}
  2.2  {name}: message rejected: bad rewriting context: {error}
  3.1  {name}: message rejected: bad TFLAG record <{value*}>
  2.1  {name}: message rejected: unexpected record type {count} in extracted envelope
  2.3  {name}: ignoring malformed dsn notify record <{value*}>
- checks: A rule of header_checks or body_checks has a fault, or the message breaks a limit (hops, Received).
  2.3  bad DSN action in {value} -- need 4.x.x or 5.x.x
  2.0  missing FILTER command argument in {table} map
  2.3  bad FILTER command {command} in {value} -- need transport:destination
  2.3  missing DELAY argument in {table} map
  2.3  ignoring bad DELAY argument {value} in {table} map
  2.3  bad REDIRECT target "{value*}" in {table} map -- need user@domain
  3.0  bad BCC address "{value*}" in {table} map -- need user@domain
  2.0  unknown command in {table} map: {error}
  3.0  {name}: message rejected: hopcount exceeded
  3.10 ignoring malformed header: '{value*}'
  3.0  {name}: message rejected: no Received: header
  2.6  bad {value} header text "{other*}" -- need "headername: headervalue"
  2.1  {name}: message rejected: unexpected record type {count} in message content
- milter_edit: A change that a milter asked for could not be made, or a rule of milter_header_checks has a fault.
  2.7  the milter_header/body_checks prepend action is not implemented
  2.3  {name}: vstream_ftell file {file}: {error}
  2.3  {name}: read file {file}: {error}
  3.3  Ignoring bad ESMTP parameter "{value*}" in SMFI_CHGFROM request
  2.6  {name}: Milter request to add multi-sender: "{value*}"
  3.0  {name}: Bad NOTIFY parameter from Milter or header/body_checks: "{value*}"
  3.0  {name}: Bad ORCPT parameter from Milter or header/body_checks: "{value*}"
  3.0  {name}: ignoring ESMTP argument from Milter or header/body_checks: "{value*}"
  3.0  {name}: Milter or header/body_checks request to add multi-recipient: "{value*}"
  2.4  {name}: ignoring attempt from Milter to add null recipient
  2.4  {name}: Milter request to drop multi-recipient: "{value*}"
  2.3  {name}: milter configuration error: can't reject recipient in non-smtpd(8) submission
  2.11 {name}: message not accepted, try again later
- side_log: The record for a delivery report or an address probe could not be written.
  2.3  {name}: trace logfile update error
  3.1  {name}: verify service update error
"""
