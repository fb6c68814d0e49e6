"""Delivery on this machine: local, virtual, pipe, error, discard. Warnings and errors.

Source: Postfix ``src/{local,virtual,pipe,error,discard}``; the format of the table is told in ``formats/__init__.py``.
"""

from __future__ import annotations

WARNINGS = r"""


= local.problem: local
- alias: An alias is broken: a loop, no owner, no answer.
  2.3  alias database loop for {value*}
  2.9  {name}: no owner UID for alias database {value*}
  2.9  cannot find alias database owner for {value}: {error}
  2.0  mailing list "{value*}" needs an "owner-{other}" alias
  2.1  no recipient in alias lookup result for {value*}
  2.9  {value}:{other}: lookup of '{third*}' failed
  2.0  required alias not found: {error}
- biff: The notice about new mail (biff) could not be sent.
  3.12 lookup failed for host '{host*}' or service '{value*}': {error}
  3.12 skipping address size {count} for host '{host*}' service '{value*}'
  2.0  biff_notify: {error}
- command: A delivery command could not be run as asked.
  2.2  bad parameter value syntax for {value}: {error}
- forward_file: A .forward file cannot be used: rights, owner or contents.
  2.9  error looking up passwd info for {value}: {error}
  2.0  file {file} is not a regular file
  2.0  file {file} has bad owner uid {count}
  2.0  file {file} is world writable
  2.0  cannot open file {file}: {error}
  2.0  close file {file}: {error}
- include_file: An :include: file of an alias cannot be used: rights, owner or contents.
  3.11 :include: nesting limit exceeded for {value*}
  2.3  :include:{value} uses a relative path
  2.3  unable to lookup :include: file {file}: {error}
  2.3  :include: file {file} is not a regular file
  2.3  :include: file {file} is world writable
  2.9  cannot find username for uid {count}: {error}
  2.3  {name}: cannot find :include: file owner username
  2.3  cannot open include file {file}: {error}
- setting: An old parameter is used.
  2.0  {name}: deprecated parameter, use "{value} = dotlock" instead
- mailbox: The mailbox cannot be used: owner, rights or user lookup.
  2.6  specify "{setting} = no" to ignore mailbox ownership mismatch
- maildir: The maildir cannot be written: missing, or owner and rights.
  2.1  maildir access problem for UID/GID={count}/{number}: {error}
  2.1  perhaps you need to create the maildirs in advance
- recipient: The recipient cannot be delivered to here as it stands.
  3.11 recipient nesting limit exceeded for {value*}
  2.0  no @ in recipient address: {error}
  2.0  {name}: address with illegal extension: {error}
- token: A destination in an alias or .forward file has a fault.
  2.3  bad home directory syntax for: {error}
  2.3  unknown home directory for: {error}

= pipe.problem: pipe
- setting: The pipe service in master.cf has a fault, or a recipient does not fit it.
  2.1  file {file}/{value}: service {service}: unknown macro name: "{other*}"
  2.0  no @ in recipient address: {error}
  2.0  pipe flag `D' requires {value}_destination_recipient_limit = 1
  2.0  pipe flag `O' requires {value}_destination_recipient_limit = 1

= virtual.problem: virtual
- mailbox: The virtual mailbox cannot be used: not listed, bad path, owner or rights.
  2.3  recipient {recipient}: destination {value} is not a regular file
  2.6  specify "{setting} = no" to ignore mailbox ownership mismatch
  2.3  table {table}: lookup {value}: {error}
  3.12 recipient {recipient}: bad mailbox path {file} in {value*}
  2.3  recipient {recipient}: not found in {value*}
  2.3  recipient {recipient}: bad uid {value} in {other*}
  2.3  recipient {recipient}: bad gid {value} in {other*}
- maildir: The maildir cannot be written: missing, or owner and rights.
  2.1  maildir access problem for UID/GID={count}/{number}: {error}
  2.1  perhaps you need to create the maildirs in advance
"""
