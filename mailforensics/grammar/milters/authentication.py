"""The programs that check who a message is from: opendkim, opendmarc, policyd-spf and the Perl policy-spf.

    opendkim[811]: DB74B469E0: DKIM verification successful
    opendmarc[815]: DB74B469E0: example.com pass
    policyd-spf[94932]: prepend Received-SPF: Softfail (mailfrom) identity=mailfrom; client-ip=192.0.2.7; helo=...; envelope-from=...
    postfix/policy-spf[99]: Policy action=PREPEND Received-SPF: pass (example.com: ...) receiver=...; identity=mailfrom; ...

opendkim and opendmarc name the queue id. The SPF policy servers know none: their lines are joined by time, client and sender.

Sources: ``opendkim/opendkim.c`` (2.9 to 2.11), ``opendmarc/opendmarc.c`` (1.3, 1.4), ``policyd-spf`` of pyspf-milter, ``postfix-policyd-spf-perl``.
"""

from __future__ import annotations

from dataclasses import replace

import polars as pl

from mailforensics.grammar.milters.prefix import splitter
from mailforensics.grammar.shape import Field, Grammar, Shape
from mailforensics.grammar.usual import Usual

_STARTED = (
    r"(?P<filter_name>OpenDKIM|OpenDMARC|OpenARC) Filter(?: v(?P<version>[!-~]+))?:? "
    r"(?P<text>(?:starting|terminating|restarting|terminated|mi_stop|Opening listen socket|Unable|Could not|cannot|unable).*)"
)

FIELDS = {
    "domain": Field("The domain that signed, or that the sender claims."),
    "selector": Field("The selector of the DKIM key.", rfc="RFC 6376 §3.1"),
    "algorithm": Field("The algorithm of the signature."),
    "result": Field("The result as written: pass, fail, none and so on."),
    "reason": Field("The reason as written.", personal=True),
    "client_name": Field("The name of the client.", personal=True),
    "client_ip": Field("The address of the client.", personal=True),
    "identity": Field("Which identity SPF looked at: mailfrom or helo.", rfc="RFC 7208 §2.4"),
    "helo": Field("The HELO name.", personal=True),
    "sender": Field("The envelope sender.", personal=True, rfc="RFC 5321 §4.1.1.2"),
    "receiver": Field("The receiver as written.", personal=True),
    "action": Field("What the policy server answered."),
    "reply_code": Field("The SMTP reply code.", pl.Int64),
    "enhanced_code": Field("The enhanced status code.", rfc="RFC 3463"),
    "text": Field("What it says.", personal=True),
    "ordinal": Field("The place of the header field, from the top.", pl.Int64),
    "authserv_id": Field("The server that wrote the Authentication-Results field.", rfc="RFC 8601 §2.5"),
    "filter_name": Field("The filter."),
    "version": Field("Its version."),
    "error": Field("What went wrong, as written.", personal=True),
}


def _shape(daemon: str, kind: str, pattern: str, example: str, means: str, **constants: object) -> Shape:
    return Shape(
        kind=kind, programs=(daemon,), pattern=pattern, example=example, means=means, constants=constants
    )


def _dkim(kind: str, pattern: str, example: str, means: str, **constants: object) -> Shape:
    return _shape("opendkim", f"opendkim.{kind}", pattern, example, means, **constants)


_OPENDKIM = (
    _dkim("verified", "DKIM verification successful", "DKIM verification successful", "A DKIM signature of the message is good.", result="pass"),
    _dkim(
        "signed", r"\"?DKIM-Signature\"? (?:field|header) added(?: \(s=(?P<selector>[^,()]*), d=(?P<domain>[^,()]*)\))?",
        "DKIM-Signature field added (s=mail2026, d=example.com)", "The message was signed with our key.",
    ),
    _dkim(
        "not_signed", r"(?P<client_name>[^\[\] ]+) \[(?P<client_ip>[0-9A-Fa-f.:]*)\] (?P<reason>not internal)",
        "mail.example.net [192.0.2.25] not internal", "The client is not one of ours, so the message is checked and not signed.",
    ),
    _dkim(
        "not_signed",
        r"(?P<reason>not authenticated|no MTA name match|no macro match|mode select: .*|no signing (?:domain|subdomain|keylist|table) match for '(?P<domain>.*)')",
        "no signing table match for 'alex@example.com'", "The message is not signed, for this reason.",
    ),
    _dkim("unsigned", r"(?P<reason>no signature data|message not signed|no signatures?(?: .*)?)", "no signature data", "The message has no DKIM signature."),
    _dkim(
        "failed",
        r"(?P<reason>bad signature data|signature verification failed|key retrieval failed|key revoked|signature expired|body hash mismatch|bad signature)"
        r"(?: \(s=(?P<selector>[^,()]*), d=(?P<domain>[^,()]*)\))?(?:: (?P<text>.*))?",
        "key retrieval failed (s=sel1, d=example.net): 'sel1._domainkey.example.net' record not found",
        "A DKIM signature of the message could not be verified.", result="fail",
    ),
    _dkim(
        "looked_at", r"s=(?P<selector>[!-~]*) d=(?P<domain>[!-~]*)(?: a=(?P<algorithm>[!-~]*))? SSL ?",
        "s=sel1 d=example.net SSL ", "A DKIM signature was looked at, and OpenSSL had nothing to say against it.",
    ),
    _dkim(
        "failed", r"s=(?P<selector>[!-~]*) d=(?P<domain>[!-~]*)(?: a=(?P<algorithm>[!-~]*))? SSL ?(?P<reason>[!-~].*)",
        "s=sel1 d=example.net a=rsa-sha256 SSL error:04091068:rsa routines:INT_RSA_VERIFY:bad signature",
        "A DKIM signature of the message is wrong: the message or the key was changed.", result="fail",
    ),
    _dkim(
        "result", r"signature=(?P<text>[!-~]*) domain=(?P<domain>[!-~]*) selector=(?P<selector>[!-~]*) result=\"(?P<result>[^\"]*)\"",
        'signature=ZbG6P9Xk domain=example.net selector=sel1 result="no signature error"', "What became of one DKIM signature.",
    ),
    _dkim("seen", r"message has signatures from (?P<domain>.*)", "message has signatures from example.net, list.example.org", "Who signed the message."),
    _dkim(
        "external", r"external host (?P<client_name>[!-~]+) attempted to send as (?P<domain>.*)",
        "external host mail.example.net attempted to send as example.com", "A client from outside sends mail in our name.",
    ),
    _dkim(
        "note",
        r"(?P<text>(?:can't (?:determine message sender|parse|load|open)|failed to parse|error (?:loading|parsing|retrieving)|ADSP|ATPS|VBR|policy|bad header|missing header"
        r"|syntax error|ignoring|unrecogni[sz]ed|RFC5322|dkim_[a-z]+|dkimf_[a-z]+|smfi_[a-z]+|SSL|key data is not secure|configuration (?:reload|load)|reloading"
        r"|implicit|excessive|MTA|unable|cannot|couldn't|no sender|mlfi_[a-z]+|internal error|out of memory|resource|reputation|warning|test|[a-z]+\(\)).*)",
        "can't determine message sender; accepting", "opendkim remarks on the message or on itself.",
    ),
    _dkim("note", r"(?P<text>[^:]*: (?:key data is not secure|dkimf_[a-z_]+|dkim_[a-z_]+|SSL|unable|can't|line [0-9]+).*)",
          "default._domainkey.example.com: key data is not secure: /etc/dkimkeys is writeable", "opendkim remarks on the message or on itself."),
    _dkim("server", _STARTED, "OpenDKIM Filter v2.11.0 starting (args: -f)", "opendkim starts or ends."),
)  # fmt: skip


def _dmarc(kind: str, pattern: str, example: str, means: str, **constants: object) -> Shape:
    return _shape("opendmarc", f"opendmarc.{kind}", pattern, example, means, **constants)


_OPENDMARC = (
    _dmarc(
        "spf", r"SPF\((?P<identity>mailfrom|helo)\): (?P<domain>.*) (?P<result>pass|fail|softfail|neutral|none|temperror|permerror)",
        "SPF(mailfrom): example.com pass", "opendmarc's own SPF check.",
    ),
    _dmarc(
        "applied", r"(?P<action>rejected|quarantined|discarded|accepted) by DMARC policy for (?P<domain>.*)",
        "rejected by DMARC policy for example.com", "The message was treated as the owner of the From domain asks.",
    ),
    _dmarc(
        "ignored_results", r"ignoring Authentication-Results at (?P<ordinal>[0-9]+) from (?P<authserv_id>.*)",
        "ignoring Authentication-Results at 1 from mx.example.net", "An Authentication-Results field of another server was not trusted.",
    ),
    _dmarc("ignored_client", r"ignoring connection from (?P<client_name>.*)", "ignoring connection from mail.example.com", "Mail of this client is not checked."),
    _dmarc(
        "no_from", r"(?P<reason>RFC5322 requirement error: .*|(?:unable to|can't|cannot|failed to) (?:parse|determine|find|extract) .*|multi-valued From .*|no From .*)",
        "RFC5322 requirement error: missing From field", "The From field is missing or cannot be read, so DMARC has no domain to ask.",
    ),
    _dmarc(
        "note",
        r"(?P<text>(?:opendmarc_[a-z_]+|smfi_[a-z]+|mlfi_[a-z]+|dmarcf_[a-z_]+|implicit authentication service|additional trusted authentication services|trusted authentication services"
        r"|Can't|can't|configuration|reloading|history|ARC|unable|couldn't|failure report|forensic report|policy|sender is|SPF|DKIM|no MTA|error|warning).*)",
        "implicit authentication service: mail.example.com", "opendmarc remarks on the message or on itself.",
    ),
    _dmarc("server", _STARTED, "OpenDMARC Filter v1.4.2 starting (args: -f)", "opendmarc starts or ends."),
    _dmarc(
        "result", r"(?P<domain>[^ ]+) (?P<result>pass|fail|none|temperror|permerror|bestguesspass|error)",
        "example.com pass", "Whether the domain in From vouches for the message (DMARC).",
    ),
)  # fmt: skip

_SPF_DETAILS = (
    r"(?:identity=(?P<identity>[^;]*); )?(?:client-ip=(?P<client_ip>[0-9A-Fa-f.:]*); )?(?:helo=(?P<helo>[^;]*); )?(?:envelope-from=(?P<sender>.*?); )?"
    r"(?:receiver=(?P<receiver>.*?))? ?"
)
_SPF_RESULT = r"(?P<result>[A-Za-z]+)"


def _spf(kind: str, pattern: str, example: str, means: str, usual: str = "") -> Shape:
    shape = _shape("policyd-spf", f"policyd-spf.{kind}", pattern, example, means)
    return replace(shape, reader=Usual(usual)) if usual else shape


_POLICYD_SPF = (
    _spf(
        "result", rf"(?:prepend )?Received-SPF: {_SPF_RESULT} \((?P<reason>[^()]*(?:\([^()]*\)[^()]*)*)\) {_SPF_DETAILS}",
        "prepend Received-SPF: Softfail (mailfrom) identity=mailfrom; client-ip=192.0.2.7; helo=mx.example.net; "
        "envelope-from=alex@example.net; receiver=<UNKNOWN>",
        "What SPF says of the client.",
        rf"(?:prepend )?Received-SPF: {_SPF_RESULT} \((?P<reason>[^()]*)\) identity=(?P<identity>[^;]*); client-ip=(?P<client_ip>[0-9A-Fa-f.:]*); "
        r"helo=(?P<helo>[^;]*); envelope-from=(?P<sender>[^;]*); receiver=(?P<receiver>[^ ]*) ?",
    ),
    _spf(
        "result", rf"{_SPF_RESULT}; {_SPF_DETAILS}",
        "Pass; identity=mailfrom; client-ip=192.0.2.7; helo=mx.example.net; envelope-from=alex@example.net; receiver=anna@example.com",
        "What SPF says of the client.",
    ),
    _spf(
        "refused", r"(?P<reply_code>[45][0-9]{2}) (?P<enhanced_code>[245]\.[0-9]{1,3}\.[0-9]{1,3}) (?P<reason>Message (?:rejected|deferred) due to: .*)",
        "550 5.7.23 Message rejected due to: SPF fail - not authorized. Please see "
        "http://www.openspf.net/Why?s=mfrom;id=alex@example.net;ip=192.0.2.7;r=<UNKNOWN>",
        "The message was refused because SPF says that the client may not send for that domain.",
    ),
    _spf(
        "skipped", r"(?:prepend )?X-Comment: (?P<reason>SPF .*)",
        "prepend X-Comment: SPF check N/A for local connections - client-address=127.0.0.1", "SPF was not checked for this client.",
    ),
    _spf(
        "authres", r"(?:prepend )?Authentication-Results: (?P<text>.*)",
        "prepend Authentication-Results: mx.example.com; spf=pass (sender SPF authorized) smtp.mailfrom=example.net",
        "What SPF says of the client, as an Authentication-Results field.",
    ),
    _spf(
        "perl",
        rf"Policy action=(?P<action>[A-Za-z_0-9]+)(?: (?:Received-SPF: {_SPF_RESULT} \((?P<reason>.*)\) (?P<text>receiver=.*)|(?P<error>.*)))?",
        "Policy action=PREPEND Received-SPF: pass (example.com: 192.0.2.1 is authorized to use 'alex@example.com' in 'mfrom' identity) "
        'receiver=mx.example.com; identity=mailfrom; envelope-from="alex@example.com"; helo=example.com; client-ip=192.0.2.1',
        "What SPF says of the client, and what Postfix was told to do.",
    ),
    _spf(
        "perl", rf"(?:[0-9A-Za-z]*: )*SPF {_SPF_RESULT}(?: \((?P<reason>.*)\))?: (?P<identity>Envelope-from|HELO/EHLO|smtp_comment)[:=] ?(?P<sender>.*)",
        "SPF pass (Mechanism 'ip4:192.0.2.0/24' matched): Envelope-from: alex@example.com", "What SPF says of the client.",
    ),
    _spf(
        "note",
        r"(?P<text>(?:spfcheck: pyspf result|Action: |Read line: |Found the end of entry|Config: |Cached data|skip_addresses|Mail From \(sender\) check failed|HELO check failed|HELO/EHLO"
        r"|Starting|Normal exit|ERROR|Error|Warning|Traceback|dunno|_[a-z_]+|Unknown|Client|Peer|handler|sender_policy_framework|exempt|local|Attribute|testing|DEBUG|Whitelist|[a-z_]+: ).*)",
        "spfcheck: pyspf result: \"['Pass', 'sender SPF authorized', 'mailfrom']\"", "The SPF policy server tells how it works.",
    ),
)  # fmt: skip

AUTHENTICATION_GRAMMARS = (
    Grammar(
        system="opendkim",
        programs="opendkim|dkim-filter",
        split=splitter("opendkim", queue_id=True),
        shapes=_OPENDKIM,
        fields=FIELDS,
    ),
    Grammar(
        system="opendmarc",
        programs="opendmarc",
        split=splitter("opendmarc", queue_id=True),
        shapes=_OPENDMARC,
        fields=FIELDS,
    ),
    Grammar(
        system="policyd-spf",
        programs=r"(?:[!-~]+/)?(?:policyd-spf|policy-spf|python-policyd-spf|postfix-policyd-spf-perl)",
        split=splitter("policyd-spf"),
        shapes=_POLICYD_SPF,
        fields=FIELDS,
    ),
)
