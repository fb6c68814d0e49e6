"""Reports to senders: bounce, defer, trace. Warnings and errors.

Source: Postfix ``src/bounce``; the format of the table is told in ``formats/__init__.py``.
"""

from __future__ import annotations

WARNINGS = r"""
= bounce.problem: bounce defer trace
- request: Another Postfix process sent bounce a request that it does not understand: versions are mixed or a queue file is damaged.
  2.0  malformed request
  2.0  malformed queue id: {error}
  2.0  malformed queue name: {error}
  2.0  malformed verp delimiter string: {error}
  2.0  request to send VERP-style notification of bounced mail
  2.0  wrong service name "{name*}" for one-recipient bouncing
  2.0  unknown command: {count}
- log_file: The file that collects failed recipients could not be written; the report to the sender may be incomplete.
  2.0  append file {file} {value}: {error}
- notification_failed: A non-delivery report could not be sent or was thrown away: the sender will not hear of the failure.
  2.0  {name}: undeliverable postmaster notification discarded
  3.11 {name}: postmaster notification failed: {error}
  3.11 {name}: postmaster notification failed
  3.11 {name}: sender notification failed to {recipient}: {error}
  3.11 {name}: sender notification failed to {recipient}
  2.3  {name}: postmaster notice failed while bouncing to {recipient}
  2.3  {name}: postmaster notice failed while warning {recipient}
- notification_source: The failed message or its log could not be read while its report was written.
  2.0  {name}: unknown encoding: {error}
  2.1  {name}: no sender before message content record
  3.10 {name}: malformed Message-ID attribute: {error}
  2.0  {name}: read bounce log {value}: {error}
  2.0  {name}: read message file {file} {value}: {error}
- template: The template of the reports (bounce_template_file) has a fault; the built-in one is used.
  2.3  {name}: empty "{value*}" header value in {other} template -- ignoring this template
  2.3  {name}: non-ASCII "{value*}" header value in {other} template -- ignoring this template
  2.3  {name}: inapplicable "{value*}" header label in {other} template -- ignoring this template
  2.3  {name}: unknown "{value*}" header label in {other} template -- ignoring this template
  2.3  {name}: missing message text in {value} template -- ignoring this template
  2.3  {name}: 8-bit message text in {value} template
  2.3  please specify a charset value other than us-ascii
  2.3  -- ignoring this template for now
  2.3  {name}: excessive result "{count*}" in {value} template conversion of parameter "{other*}"
  2.3  please increase time unit "{value*}" of "{other*}" in {third} template
  2.3  for instructions see the bounce(5) manual
  2.3  {name}: zero result in {value} template conversion of parameter "{other*}"
  2.3  please reduce time unit "{value*}" of "{other*}" in {third} template
  3.0  {name}: conversion "{version*}" failed: non-ASCII input value: "{value*}"
  3.0  {name}: conversion "{version*}" failed: input value: "{value*}"
  2.3  {value}, line {line}: missing "{other*}" end marker
  2.3  {value}, line {line}: unknown template name: {other} -- ignoring this template
"""
