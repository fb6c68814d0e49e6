"""SASL logins by Cyrus or Dovecot. Warnings and errors.

Source: Postfix ``src/xsasl``; the format of the table is told in ``formats/__init__.py``.
"""

from __future__ import annotations

WARNINGS = r"""
= sasl.problem: smtpd smtp lmtp
- sasl_cyrus: The Cyrus SASL library could not load a mechanism.
  2.0  unable to dlopen {file}: {error}
- sasl_setting: SASL is set to an implementation that is not there.
  2.3  unsupported SASL client implementation: {error}
  2.3  unsupported SASL server implementation: {error}
- sasl_cyrus: The Cyrus SASL library could not be used for our own login.
  2.3  incorrect SASL library version. Postfix was built with include files from version {count}.{number}.{limit}, but the run-time library version is {code}.{value}.{other}
  2.5  failed to set Cyrus SASL configuration path: "{value*}"
  2.5  {value} is not empty, but setting the Cyrus SASL configuration path is not supported with SASL library version {count}.{number}.{limit}
  2.3  SASL library initialization error: {error}
  2.3  per-session SASL client initialization: {error}
  2.3  bad per-session SASL security properties
  2.3  set per-session SASL security properties: {error}
  2.3  SASL authentication problem: {error}
  2.3  SASL authentication failure: {error}
  2.3  SASL per-process initialization failed: {error}
  2.3  SASL per-connection server initialization: {error}
  2.3  SASL per-connection security setup; {value*}
  2.3  {name}: no applicable SASL mechanisms
- sasl_dovecot: Dovecot's auth service could not be reached or answered wrongly; nobody can log in meanwhile.
  3.7  SASL: Connect to Dovecot auth socket '{value*}' failed: {error}
  2.3  SASL: Couldn't send handshake: {error}
  2.3  SASL: Protocol version error
  2.3  SASL: Protocol version mismatch ({count} vs. {number})
  3.0  SASL: Connected to wrong auth socket (auth-master instead of auth-client)
  2.3  SASL: Protocol error
  3.5  missing Dovecot server {name} username field
  3.5  missing Dovecot server {name} reply field
"""
