"""SPF as RFC 7208 says, against a real DNS server on loopback."""

from __future__ import annotations

from typing import Any

import pytest

from mailforensics.headers.spf import check_host

ZONE = {
    "example.org": "v=spf1 ip4:192.0.2.0/28 ip6:2001:db8::/64 a:mail.example.org mx include:_spf.example.net -all",
    "_spf.example.net": "v=spf1 ip4:198.51.100.0/24 ~all",
    "soft.example": "v=spf1 ~all",
    "neutral.example": "v=spf1 ?all",
    "open.example": "v=spf1",
    "redirect.example": "v=spf1 redirect=soft.example",
    "noredirect.example": "v=spf1 redirect=nowhere.example",
    "bad.example": "v=spf1 ipv4:192.0.2.1 -all",
    "badnet.example": "v=spf1 ip4:192.0.2.300 -all",
    "badbits.example": "v=spf1 a/33 -all",
    "noinclude.example": "v=spf1 include:nowhere.example -all",
    "loop.example": "v=spf1 include:loop.example -all",
    "void.example": "v=spf1 a:v1.example a:v2.example a:v3.example -all",
    "exists.example": "v=spf1 exists:%{ir}.%{l1r-}._spf.%{d2} -all",
    "ptr.example": "v=spf1 ptr -all",
    "unknown.example": "v=spf1 moo=x exp=x.example -all",
    "macro.example": "v=spf1 exists:%{x}.example -all",
}
CASES = [
    ("192.0.2.7", "example.org", "pass"),
    ("2001:db8::7", "example.org", "pass"),
    ("203.0.113.1", "example.org", "pass"),
    ("203.0.113.2", "example.org", "pass"),
    ("198.51.100.7", "example.org", "pass"),
    ("203.0.113.3", "example.org", "fail"),
    ("203.0.113.3", "soft.example", "softfail"),
    ("203.0.113.3", "neutral.example", "neutral"),
    ("203.0.113.3", "open.example", "neutral"),
    ("203.0.113.3", "redirect.example", "softfail"),
    ("203.0.113.3", "noredirect.example", "permerror"),
    ("203.0.113.3", "nowhere.example", "none"),
    ("203.0.113.3", "bad.example", "permerror"),
    ("203.0.113.3", "badnet.example", "permerror"),
    ("203.0.113.3", "badbits.example", "permerror"),
    ("203.0.113.3", "noinclude.example", "permerror"),
    ("203.0.113.3", "loop.example", "permerror"),
    ("203.0.113.3", "void.example", "permerror"),
    ("203.0.113.3", "two.example", "permerror"),
    ("203.0.113.3", "broken.example", "temperror"),
    ("192.0.2.7", "exists.example", "pass"),
    ("192.0.2.8", "exists.example", "fail"),
    ("203.0.113.4", "ptr.example", "pass"),
    ("203.0.113.5", "ptr.example", "fail"),
    ("203.0.113.3", "unknown.example", "fail"),
    ("203.0.113.3", "macro.example", "permerror"),
    ("203.0.113.3", "localhost", "none"),
    ("no address", "example.org", "permerror"),
]


@pytest.fixture
def server(dns_server: Any) -> Any:
    for name, text in ZONE.items():
        dns_server.txt(name, text)
    dns_server.txt("two.example", "v=spf1 -all")
    dns_server.txt("two.example", "v=spf1 +all")
    dns_server.txt("example.org", "another record")
    dns_server.broken.add("broken.example")
    dns_server.zone["mail.example.org", "A"] = ["203.0.113.1"]
    dns_server.zone["example.org", "MX"] = ["10 mx.example.org."]
    dns_server.zone["mx.example.org", "A"] = ["203.0.113.2"]
    dns_server.zone["7.2.0.192.alice._spf.exists.example", "A"] = ["127.0.0.2"]
    dns_server.zone["4.113.0.203.in-addr.arpa", "PTR"] = ["out.ptr.example."]
    dns_server.zone["out.ptr.example", "A"] = ["203.0.113.4"]
    dns_server.zone["5.113.0.203.in-addr.arpa", "PTR"] = ["out.ptr.example."]
    return dns_server


@pytest.mark.parametrize(
    ("address", "domain", "result"), CASES, ids=[f"{domain}-{address}" for address, domain, _ in CASES]
)
def test_an_address_may_send_or_may_not(server: Any, address: str, domain: str, result: str) -> None:
    found = check_host(
        address, domain, f"alice-x@{domain}", "mail.example.org", server.resolver(timeout_s=1.0)
    )
    assert (found.result, found.reason is None) == (result, result not in ("permerror", "temperror"))


def test_the_mechanism_that_decided_is_told(server: Any) -> None:
    resolver = server.resolver()
    assert check_host("203.0.113.3", "example.org", "a@example.org", "h", resolver).mechanism == "-all"
    assert (
        check_host("192.0.2.7", "example.org", "a@example.org", "h", resolver).mechanism == "ip4:192.0.2.0/28"
    )
