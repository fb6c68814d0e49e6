"""Every test runs offline (S8): who reaches for an address other than this machine's own fails, even if the error is caught."""

from __future__ import annotations

import ipaddress
import sys
from collections.abc import Iterator

import pytest

ATTEMPTS: list[str] = []


def _is_here(host: object) -> bool:
    name = host.decode("ascii", "replace") if isinstance(host, bytes) else str(host or "localhost")
    try:
        return ipaddress.ip_address(name.split("%")[0]).is_loopback
    except ValueError:
        return name == "localhost"


def _watch(event: str, arguments: tuple[object, ...]) -> None:
    """An audit hook: sees each connection and look-up of this process, whatever library makes it."""
    if event in ("socket.connect", "socket.sendto"):
        address = arguments[1]
        host = address[0] if isinstance(address, tuple) else None  # anything else is a socket of this machine
    elif event in ("socket.getaddrinfo", "socket.gethostbyname", "socket.gethostbyaddr"):
        host = arguments[0]
    else:
        return
    if not _is_here(host):
        ATTEMPTS.append(f"{event} {host!r}")
        raise PermissionError(f"tests run offline: {event} {host!r}")


sys.addaudithook(_watch)


@pytest.fixture(autouse=True)
def attempts() -> Iterator[list[str]]:
    """What the test tried to reach; it must be empty at the end."""
    ATTEMPTS.clear()
    yield ATTEMPTS
    if ATTEMPTS:
        pytest.fail(f"the test reached out: {ATTEMPTS}")
