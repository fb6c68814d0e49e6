"""Milters, as smtpd and cleanup see them. Warnings and errors.

Source: Postfix ``src/milter``; the format of the table is told in ``formats/__init__.py``.
"""

from __future__ import annotations

WARNINGS = r"""
= milter.problem: smtpd cleanup
- milter_pass: The list of milters could not be passed on to cleanup.
  3.1  ignoring multiple default macro entries for {value} in "{other*}"
  2.3  cannot send milters to service {service*}
  2.3  cannot receive milters via service {service} socket
  2.3  deleting existing milters
  2.3  no milters
- milter_protocol: A milter could not be reached, broke off or said what the protocol does not allow; the default action applies.
  2.3  milter {milter}: unrecognized default action: {error}
  2.3  milter {milter}: can't read {value} reply packet header: {error}
  2.3  milter {milter}: bad packet length: {count}
  2.5  milter {milter}: unreasonable packet length: {count} > {limit}
  2.3  milter {milter}: EOF while reading command code: {error}
  2.3  milter {milter}: input packet too short for network long
  2.3  milter {milter}: EOF while reading network long: {error}
  2.3  milter {milter}: no data in input packet
  2.3  milter {milter}: EOF while reading data: {error}
  2.3  milter {milter}: packet too short for string
  2.3  {name}: milter {milter}: EOF while reading string: {error}
  2.3  {name}: milter {milter}: missing string null termimator
  2.3  {name}: left-over data {count} bytes
  2.3  milter {milter}: error writing command: {error}
  2.4  {name}: attempt to send event {value} to milter {milter} after error
  2.3  milter {milter}: DISCARD action is not allowed for connect or helo
  2.3  milter {milter}: malformed reply: {error}
  2.3  milter {milter}: bad change header index: {number}
  2.3  milter {milter}: null change header name
  2.3  milter {milter}: bad insert header index: {number}
  2.5  milter {milter}: body replacement requests can't currently be mixed with other requests
  2.3  milter {milter}: unexpected filter response {value} after event {other*}
  2.3  milter {milter}: reply {value} was followed by {count} data bytes
  2.3  milter {milter}: bad protocol information: {error}
  2.3  milter {milter}: no protocol version information
  2.3  Milter service needs transport:endpoint instead of "{value*}"
  2.3  invalid transport name: {value} in Milter service: {error}
  2.3  connect to Milter service {service}: {error}
  2.3  milter {milter}: write error in initial handshake
  2.3  milter {milter}: read error in initial handshake
  2.3  milter {milter}: unexpected reply "{value*}" in initial handshake
  2.3  milter {milter}: protocol version {count} conflict with MTA protocol version {number}
  2.3  milter {milter}: request mask 0x{number} conflict with MTA request mask 0x{code}
  2.8  milter {milter}: unexpected protocol version {count}
  2.5  milter {milter}: ignoring unknown macro type {count}
  2.3  milter {milter}: bad client port number {value*}
  2.3  {name}: vstream_fseek {value}: {error}
  2.3  {name}: error reading {value}: {error}
  2.3  {name}: MIME problem {value} in {other*}
"""
