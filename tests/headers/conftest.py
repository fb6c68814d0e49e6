"""Real cases that lie beside the project, where they are there; a real DNS server on loopback; patience with noise."""

from __future__ import annotations

import json
import socket
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import dns.message
import dns.rcode
import dns.rdatatype
import dns.rrset
import pytest

from mailforensics.headers.resolver import Resolver

SHARED_CASES = Path(__file__).parents[3] / "shared" / "cases"


@pytest.fixture
def soon_done() -> Callable[..., bool]:
    """Whether work takes less processor time than that in one of several tries: noise alone cannot fail it."""

    def tried(work: Callable[[], object], *, seconds: float, tries: int = 4) -> bool:
        for _ in range(tries):
            start = time.process_time()
            work()
            if time.process_time() - start < seconds:
                return True
        return False

    return tried


@pytest.fixture
def cases() -> Callable[[str], list[dict[str, Any]]]:
    """The cases of a file of ``../shared/cases``, as dicts."""

    def read(name: str) -> list[dict[str, Any]]:
        file = SHARED_CASES / name
        if not file.exists():
            pytest.skip(f"../shared/cases/{name} is not there")
        return [json.loads(line) for line in file.read_text("utf-8").splitlines()]

    return read


class DnsServer:
    """A real DNS server on loopback: zones as a dict, names that fail, names that stay silent."""

    def __init__(self) -> None:
        self.zone: dict[tuple[str, str], list[str]] = {}
        self.broken: set[str] = set()
        self.silent: set[str] = set()
        self.together: set[str] = set()  # answered only when all of them have been asked
        self.asked: list[tuple[str, str]] = []
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.bind(("127.0.0.1", 0))
        self.port = self.socket.getsockname()[1]
        self.thread = threading.Thread(target=self.run, daemon=True)
        self.thread.start()

    def run(self) -> None:
        while True:
            try:
                data, client = self.socket.recvfrom(4096)
            except OSError:
                return
            if not data:  # sent by close()
                return
            reply = self.reply(dns.message.from_wire(data))
            if reply is not None:
                self.socket.sendto(reply.to_wire(max_size=65535), client)

    def reply(self, query: dns.message.Message) -> dns.message.Message | None:
        question = query.question[0]
        name, kind = question.name.to_text().rstrip(".").lower(), dns.rdatatype.to_text(question.rdtype)
        self.asked.append((name, kind))
        if name in self.silent:
            return None
        if name in self.together and not self.together <= {known for known, _ in self.asked}:
            return None
        response = dns.message.make_response(query)
        if name in self.broken:
            response.set_rcode(dns.rcode.SERVFAIL)
        elif (name, kind) in self.zone:
            response.answer.append(
                dns.rrset.from_text_list(question.name, 300, "IN", kind, self.zone[name, kind])
            )
        elif not any(known == name for known, _ in self.zone):
            response.set_rcode(dns.rcode.NXDOMAIN)
        return response

    def txt(self, name: str, text: str) -> None:
        """A TXT record, in strings of at most 200 characters."""
        pieces = [text[place : place + 200] for place in range(0, len(text), 200)] or [""]
        quoted = " ".join('"' + piece.replace('"', '\\"') + '"' for piece in pieces)
        self.zone.setdefault((name, "TXT"), []).append(quoted)

    def resolver(self, **options: Any) -> Resolver:
        """A resolver that asks this server."""
        return Resolver(["127.0.0.1"], port=self.port, **{"timeout_s": 20.0, **options})

    def close(self) -> None:
        self.socket.sendto(b"", self.socket.getsockname())
        self.thread.join(2)
        self.socket.close()


@pytest.fixture
def dns_server() -> Iterator[DnsServer]:
    """A DNS server with an empty zone."""
    server = DnsServer()
    yield server
    server.close()
