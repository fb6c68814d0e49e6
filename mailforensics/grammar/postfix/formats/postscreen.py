"""postscreen with dnsblog and tlsproxy. Warnings and errors.

Source: Postfix ``src/{postscreen,dnsblog,tlsproxy}``; the format of the table is told in ``formats/__init__.py``.
"""

from __future__ import annotations

WARNINGS = r"""
= dnsblog.problem: dnsblog
- dnsbl_lookup: A DNS list could not be asked; it does not count for this client.
  2.8  {name}: skipping reply record type {type} for query {query}: {error}
  2.8  {name}: lookup error for DNS query {query}: {error}

= postscreen.problem: postscreen
- process: A helper process could not be started.
  2.8  setsid: {error}
- slow_table: A lookup table or the cache is slow; all clients wait for it.
  2.8  {name}: {value} {other} average delay is {number} ms
- dnsbl_lookup: A DNS list did not answer in time; it does not count for this client.
  2.8  address conversion error for {value} -- ignoring this reply
  2.10 dnsblog reply timeout {count}s for {value*}
  2.8  {name}: error sending to {value} service: {error}
- connection: The addresses of a connection could not be had; it was dropped.
  2.8  getpeername: {error} -- dropping this connection
  2.8  cannot convert client address/port to string: {value} -- dropping this connection
  2.9  getsockname: {error} -- dropping this connection
  2.9  cannot convert server address/port to string: {value} -- dropping this connection
- setting: A footer or reply holds a name that is not known.
  2.8  unknown macro name "{name*}" in expansion request
- proxy_protocol: The load balancer in front did not say which client it brings.
  3.11 haproxy read: unexpected event {count}
  2.10 haproxy read: time limit exceeded
- handover: The connection could not be written to or handed over to smtpd.
  2.8  write [{client_ip}]:{client_port}: {error}
  2.8  timeout sending connection to service {service*}
  2.8  cannot connect to service {service}: {error}
  2.8  cannot pass connection to service {service}: {error}
- tlsproxy: The TLS proxy could not be used for this client.
  3.6  {value} receiving status from {other} service
  3.6  problem sending file handle to {value} service
  3.6  {value} receiving {other} attribute from {third} service: {error}
- tls_setting: TLS settings contradict each other or are incomplete.
  2.8  {name}: unsupported TLS level "{value*}", using "encrypt"
  3.12 Both {value} and one or more of the legacy  {other}, {third} or {fourth} are non-empty; the legacy  parameters will be ignored
  3.12 Need a server cert to request client certs
  3.12 Can't require client certs unless TLS is required
  3.12 No server certs available. TLS won't be enabled
  3.12 TLS has been selected, but TLS support is not compiled in

= tlsproxy.problem: tlsproxy
- tlsproxy: The TLS proxy lost one of its two sides.
  2.8  cannot send TLS context: {error}
  2.8  deadlock on ciphertext stream for {value*}
  2.8  deadlock on plaintext stream for {value*}
  2.8  ciphertext read/write {value} for {other*}
  3.4  {name}: receive remote SMTP peer file descriptor: {error}
  2.8  {name}: receive request attributes: {error}
  3.4  {name}: receive client TLS settings: {error}
  3.12 {name}: receive server TLS settings: {error}
  3.4  {name}: bad request flags: 0x{number}
  3.6  write {value} attribute: {error}
- tls_setting: TLS settings of the proxy and its clients do not fit together.
  3.11 TLS client role is disabled by configuration
  3.4  request from tlsproxy client with unexpected settings
  3.4  to avoid this warning, 1) identify the tlsproxy client that is making this request, 2) configure a custom tlsproxy service with settings that match that tlsproxy client, and 3) configure that tlsproxy client with a tlsproxy_service_name setting that resolves to that custom tlsproxy service
  3.4  TLS client initialization failed
  3.12 TLS server role is disabled by configuration
  3.12 request from tlsproxy server with unexpected settings
  3.12 to avoid this warning, 1) identify the tlsproxy server that is making this request, 2) configure a custom tlsproxy service with settings that match that tlsproxy server, and 3) configure that tlsproxy server with a tlsproxy_service_name setting that resolves to that custom tlsproxy service
  2.8  {name}: unsupported TLS level "{value*}", using "encrypt"
  3.4  Both {value} and one or more of the legacy  {other}, {third} or {fourth} are non-empty; the legacy  parameters will be ignored
  2.8  Need a server cert to request client certs
  2.8  Can't require client certs unless TLS is required
  3.12 TLS server initialization failed
  2.8  No server certs available. TLS can't be enabled
"""
