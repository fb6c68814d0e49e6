"""TLS in all daemons, and the TLS manager. Warnings and errors.

Source: Postfix ``src/{tls,tlsmgr}``; the format of the table is told in ``formats/__init__.py``.
"""

from __future__ import annotations

WARNINGS = r"""
= tls.problem: *
- tls_io: The TLS library returned something unexpected.
  2.9  {name}: unexpected SSL_ERROR code {code}
- certificate_files: A certificate, key or chain file cannot be used; TLS is off until it can.
  3.4  error loading chain from {value}: key not first
  3.4  error loading certificate (PEM object number {count}) from {value*}
  3.4  error loading certificate (PEM object number {count}) from {value}: excess data
  3.4  error loading certificate chain: key at index {number} in {value} does not match the certificate
  3.4  error loading private key (PEM object number {count}) from {value*}
  3.4  error loading private key (PEM object number {count}) from {value}: excess data
  3.4  ignoring 2nd key at index {number} in {value} after 1st at {count}
  3.4  error loading certificate chain: key at index {number} in {value} not followed by a certificate
  3.4  {name}: internal error: bad state: {count}
  3.5  loading {value}: ignoring PEM type: {error}
  3.4  No PEM data in {value*}
  3.4  No certs for key at index {number} in {value*}
  3.4  No private key found in {value*}
  3.4  key at index {number} in {value} does not match next certificate
  3.4  error loading private keys and certificates from: {value}: {error}
  3.4  error opening chain file: {value}: {error}
  3.0  cannot get {value} certificate from file "{file*}": disabling TLS support
  3.0  cannot get {value} private key from file "{file*}": disabling TLS support
  2.6  {value} private key in {other} does not match public key in {third}: disabling TLS support
  2.6  ECDSA not supported. Ignoring ECDSA certificate file "{file*}"
  3.4  error opening memory BIO for {value*}
- tls_client: TLS towards other servers cannot be used as set.
  3.6  {name}: ignoring invalid match name: "."
  3.6  {name}: error loading match name: "{value*}"
  3.6  {name}: could not configure peer name checks
  3.6  {name}: error enabling DANE-based certificate validation
  3.6  {name}: error enabling fingerprint certificate validation
  3.6  {name}: error configuring local trust anchors
  3.6  {name}: ignoring too long SNI hostname: {error}
  2.11 {name}: error setting SNI hostname to: {error}
  2.5  Cannot allocate SSL application data index: disabling TLS support
  2.11 disabling TLS support
  2.2  no entropy for TLS key generation: disabling TLS support
  2.5  cannot allocate client SSL_CTX: disabling TLS support
  3.6  OpenSSL DANE initialization failed: disabling TLS support
  2.5  {name}: Invalid TLS protocol list "{value*}": aborting TLS session
  2.2  Could not allocate 'TLScontext->con' with SSL_new()
  2.2  Could not set application data for 'TLScontext->con'
  3.6  {name}: error setting {setting}imum TLS version to: 0x{number}
  3.6  {name}: error clearing {value}imum TLS version
  3.6  {name}: all TLSA records unusable, fallback to unauthenticated TLS
  3.6  {name}: all fingerprints unusable
  3.6  {name}: all TLSA records unusable
  3.6  {name}: all trust anchors unusable
- dane: A TLSA record or fingerprint cannot be used.
  3.6  malformed fingerprint value: {value*}...
  3.6  malformed fingerprint value: {error}
  3.6  {value}{other}{third}: truncated TLSA RR length == {count}
  2.11 DANE TLSA lookup problem: {error}
  2.11 DNSSEC status lookup error for {value}: {error}
  2.11 error opening trust anchor file: {value}: {error}
  2.11 error reading: {value}: malformed trust-anchor {other*}
  2.11 Invalid matching type number in {value}: {other}={third*}
  3.6  Reserved matching type number in {value}: {other}={third*}
  3.6  {name}: digest algorithm {value} needs an explicit number
  3.6  {name}: matching type 1 can only be {value*}
  3.6  {name}: matching type 2 can only be {value*}
  3.6  {name}: matching type {count} specified more than once
  3.6  {name}: digest algorithm "{value*}"({count}) unknown
  3.6  {name}: error configuring matching type {count}
- tls_parameters: Key exchange parameters cannot be used; defaults are used instead.
  3.6  error loading compiled-in DH parameters
  3.7  error opening DH parameter file "{file*}": {error} -- using compiled-in defaults
  3.7  error decoding DH parameters from file "{file*}" -- using compiled-in defaults
  3.7  error configuring explicit DH parameters
  3.7  error configuring auto DH parameters
  3.6  cannot load DH parameters from file {file}: {error} -- using compiled-in defaults
  3.6  cannot load DH parameters from file {file} -- using compiled-in defaults
  3.8  cannot allocate temp SSL_CTX
  3.8  no {value} key exchange group - OpenSSL requires at least one
  3.8  none of the {value} key exchange groups are supported
  3.8  failed to set up the {value} key exchange groups
  3.8  using Postfix default key exchange groups instead
  3.8  using OpenSSL default key exchange groups instead
- tls_library: The TLS library reported a problem or does not fit.
  3.12 {name}: ignoring "trace" log level: SSL_trace() is not available in this build
  3.12 TLS trace: cannot open {file}: {error}
  3.12 TLS trace: fdopen({value}) failed: {error}
  3.12 TLS trace: BIO_new_fp() failed for {value*}
  3.9  error allocating OpenSSL init settings, disabling TLS support
  3.9  non-default {value} = {other} requires OpenSSL 1.1.1b or later, disabling TLS support
  3.9  non-default {value} = {other} is not an absolute pathname, disabling TLS support
  3.9  error loading the '{value*}' settings from the {other} OpenSSL configuration file, disabling TLS support
  3.9  error initializing the OpenSSL library, disabling TLS support
  3.4  {name}: {value} map lookup problem
  3.4  TLS SNI from {value} is invalid: {error}
  3.6  TLS SNI changed from {value} initially {other}, {third} after hello retry
  3.4  {name}: invalid cipher grade: "{value*}"
  3.4  {name}: invalid unary '!+-@' in cipher exclusion: {error}
  3.4  {name}: error setting cipher grade: "{value*}"
  2.3  run-time library vs. compile-time header version mismatch: OpenSSL {count}.{number}.{limit} may not be compatible with OpenSSL {code}.{value}.{other}
  2.11 TLS library problem: {error}:{file}:{line}:{third}:
  2.11 TLS library problem: {error}:{file}:{line}:
  2.11 Digest algorithm "{value*}" not found
  3.9  Failed to enable client to server raw public key support
  3.9  Failed to enable server to client raw public key support
- tlsproxy: The TLS proxy and its client do not speak the same version.
  3.12 {name}: want 14 attributes, got {count}
  3.12 {name}: want 19 attributes, got {count}
  2.8  {name}: connect to {value} service: {error}
  3.6  error receiving {value} service initial response
  2.8  error sending request to {value} service: {error}
  2.8  {value} service role "{other*}" is not available
  2.8  sending file handle to {value} service: {error}
- tls_cache: A kept TLS session is broken.
  2.2  {value} TLS cache: truncated entry for {other}: {error}
  2.2  {value} TLS cache: malformed entry for {other}: {error}
  2.2  {name}: i2d_SSL_SESSION failed: unable to cache session
- tls_server: TLS towards clients cannot be used as set.
  2.5  Invalid TLS protocol list "{value*}": disabling TLS support
  2.5  cannot allocate server SSL_CTX: disabling TLS support
  3.0  {name}: invalid value: {value}; session tickets disabled
  3.4  error loading client CA names from: {error}
  3.12 Could not set TLS session ID context
- certificate_names: The name in the other side's certificate is broken.
  2.5  {name}: {value}: peer certificate has no {other*}
  2.5  {name}: {value}: multiple {other}s in peer certificate
  2.5  {name}: {value}: error reading peer certificate {other} entry
  2.5  {name}: {value}: error reading peer certificate {other} data
  2.5  {name}: {value}: error decoding peer {other} of ASN.1 type={count}
  2.5  {name}: {value}: peer {other} too long: {count}
  2.6  {name}: {value}: NULL character in peer {other*}
  2.6  {name}: {value}: non-printable content in peer {other*}
- tlsrpt: The result of a handshake could not be reported (TLSRPT).
  3.10 run-time library vs. compile-time header version mismatch: libtlsrpt API version '{version*}' is not compatible with libtlsrpt API version '{value*}'
  3.10 {name}: missing trw_set_tls_policy call
  3.10 Could not report TLS handshake result to tlsrpt library: {value} (error {count})
  3.10 Could not report TLS handshake result to tlsrpt library: {value} (errno {count})
  3.10 unknown tlsrpt_failure_t value {count}
  3.10 {name}: success or failure was already reported

= tlsmgr.problem: tlsmgr
- entropy: The TLS manager lacks randomness, or had a wrong request.
  2.2  PRNG exchange file was removed -- exiting to reopen
  2.2  cannot read from entropy file {file}: {error}
  2.2  timeout while waiting for data from {value*}
  2.2  cannot examine read buffer of {value}: {error}
  2.2  end-of-input while reading request from {value}: {error}
  2.3  bogus cache type "{value*}" in "{other*}" request
  2.11 invalid session ticket key name length: {count}
  2.2  bogus seed length "{count*}" in "{value*}" request
  2.2  cannot open entropy device {value}: {error}
  2.2  cannot connect to EGD server {server}: {error}
  2.2  no entropy source specified with parameter {setting*}
  2.2  encryption keys etc. may be predictable
"""
