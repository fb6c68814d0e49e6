"""Who lives in the lab: hosts, addresses, people, names in the DNS.

Only addresses and names reserved for documentation (RFC 5737, RFC 3849, RFC
2606, RFC 6761) occur.
"""

from __future__ import annotations

from dataclasses import dataclass, field

PASSWORD = "lab-Passw0rd"
TIMEZONE = "Europe/Berlin"
SELECTOR = "lab2026"
DNS_ADDRESS = "192.0.2.53"


@dataclass(frozen=True)
class HostPlan:
    """One mail host: its names, addresses, people and the habits of its logs."""

    name: str
    fqdn: str
    domain: str
    addresses: tuple[str, ...]
    people: tuple[str, ...]
    long_queue_ids: bool = False
    traditional_stamps: bool = False
    wide_mail_log: bool = False
    aliases: dict[str, str] = field(default_factory=dict)
    virtual: dict[str, str] = field(default_factory=dict)
    flavour: str = ""  # a root of roots.FLAVOURS instead of the suite's usual one
    dmarc: str = "v=DMARC1; p=quarantine; rua=mailto:postmaster@%s"


MAIL = HostPlan(
    name="mail",
    fqdn="mail.example.com",
    domain="example.com",
    addresses=("198.51.100.10", "2001:db8:a::10"),
    people=("alex", "amy", "anna", "anton", "arno", "agnes", "paul", "postmaster"),
    virtual={
        "sales@example.com": "anna@example.com",
        "partner@example.com": "bob@example.org",
        "press@example.com": "press@mail.example.com",
        "abuse@example.com": "postmaster@example.com",
    },
    aliases={"press": "bella@example.org", "root": "postmaster@example.com"},
)
MX = HostPlan(
    name="mx",
    fqdn="mx.example.org",
    domain="example.org",
    addresses=("203.0.113.10", "2001:db8:b::10"),
    people=("bob", "bella", "ben", "bruno", "berta", "bea", "postmaster"),
    long_queue_ids=True,
    traditional_stamps=True,
    wide_mail_log=True,
    virtual={"info@example.org": "berta@example.org", "abuse@example.org": "postmaster@example.org"},
    aliases={"root": "postmaster@example.org"},
    dmarc="v=DMARC1; p=none; rua=mailto:postmaster@%s",
)

# The world outside: all its addresses are in one namespace, the driver's own.
OUTSIDE = {
    "192.0.2.25": "mx.example.net",  # a provider that is not ours; the driver answers there
    "192.0.2.40": "out.example.edu",  # an honest sender with SPF
    "192.0.2.41": "news.shop.test",  # newsletters, SPF and nothing else
    "192.0.2.66": "vps66.hosting.test",  # sends spam
    "192.0.2.67": None,  # sends spam, has no reverse name
    "192.0.2.77": "dsl-77.pool.example.net",  # probes and relay attempts
    "192.0.2.101": "pc-101.office.example.com",
    "192.0.2.102": "pc-102.office.example.com",
    "192.0.2.103": "pc-103.office.example.org",
    "192.0.2.104": "phone-104.mobile.example.net",
    "2001:db8:c::40": "out.example.edu",
}
SINK = "192.0.2.25"
HONEST = "192.0.2.40"
NEWS = "192.0.2.41"
SPAMMER = "192.0.2.66"
NAMELESS = "192.0.2.67"
PROBER = "192.0.2.77"
OFFICE_A = "192.0.2.101"
OFFICE_A2 = "192.0.2.102"
OFFICE_B = "192.0.2.103"
PHONE = "192.0.2.104"

FULL_NAMES = {
    "alex": "Alex Ackermann",
    "amy": "Amy Albers",
    "anna": "Anna Arendt",
    "anton": "Anton Auer",
    "arno": "Arno Abel",
    "agnes": "Agnes Adler",
    "paul": "Paul Pohl",
    "bob": "Bob Brandt",
    "bella": "Bella Behrens",
    "ben": "Ben Bauer",
    "bruno": "Bruno Busch",
    "berta": "Berta Blum",
    "bea": "Bea Böhm",
    "postmaster": "Postmaster",
    "emma": "Emma Engel",
    "erik": "Erik Ebert",
    "nina": "Nina Neumann",
    "carla": "Carla Cordes",
    "chris": "Chris Claus",
}

OWN = [
    "198.51.100.0/24",
    "203.0.113.0/24",
    "2001:db8:a::/48",
    "2001:db8:b::/48",
    "mail.example.com",
    "mx.example.org",
    "example.com",
    "example.org",
]


def reverse_name(address: str) -> str:
    """The name under which the DNS keeps an address's PTR record."""
    import ipaddress

    return ipaddress.ip_address(address).reverse_pointer


def dns_lines(
    hosts: list[HostPlan], keys: dict[str, str], strangers: dict[str, str | None] | None = None
) -> list[str]:
    """The whole DNS of the lab as dnsmasq options; `keys` are the DKIM keys by domain, `strangers` a scenario's own addresses."""
    lines = [
        "no-resolv",
        "no-hosts",
        "keep-in-foreground",
        "log-facility=/var/log/dnsmasq.log",
        "local=/#/",
        f"listen-address={DNS_ADDRESS}",
        "bind-interfaces",
        "cache-size=0",
    ]
    for host in hosts:
        lines += [
            f"host-record={host.fqdn},{','.join(host.addresses)}",
            f"mx-host={host.domain},{host.fqdn},10",
            f'txt-record={host.domain},"v=spf1 mx -all"',
            f'txt-record={host.fqdn},"v=spf1 a -all"',
            f'txt-record=_dmarc.{host.domain},"{host.dmarc % host.domain}"',
        ]
        lines += [f"ptr-record={reverse_name(address)},{host.fqdn}" for address in host.addresses]
    for domain, key in keys.items():
        text = f"v=DKIM1; k=rsa; p={key}"
        parts = ",".join(f'"{text[start : start + 250]}"' for start in range(0, len(text), 250))
        lines.append(f"txt-record={SELECTOR}._domainkey.{domain},{parts}")
    for address, name in {**OUTSIDE, **(strangers or {})}.items():
        if name:
            lines += [f"host-record={name},{address}", f"ptr-record={reverse_name(address)},{name}"]
    lines += [
        "mx-host=example.net,mx.example.net,10",
        "mx-host=slow.example.net,mx.example.net,10",
        "host-record=old.shop.test,192.0.2.200",
        'txt-record=example.net,"v=spf1 ip4:192.0.2.25 -all"',
        "mx-host=example.edu,out.example.edu,10",
        'txt-record=example.edu,"v=spf1 a:out.example.edu ip6:2001:db8:c::40 -all"',
        'txt-record=_dmarc.example.edu,"v=DMARC1; p=none"',
        "mx-host=shop.test,news.shop.test,10",
        'txt-record=shop.test,"v=spf1 ip4:192.0.2.41 -all"',
        "mx-host=hosting.test,vps66.hosting.test,10",
        'txt-record=bank.test,"v=spf1 ip4:192.0.2.200 -all"',
        'txt-record=_dmarc.bank.test,"v=DMARC1; p=quarantine"',
        "host-record=bank.test,192.0.2.200",
    ]
    return lines
