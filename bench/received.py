"""How many Received fields and messages are read in a second of processor time: ``python bench/received.py``.

The fields are made here, no two alike, in the shapes and about the shares of today's mail, one in fifty of an old or
odd shape. Beside our two readers stands mail-parser, which splits clauses without addresses, TLS or places, for scale.
Each reads the same fields in this one process, after a short warm-up, and the best of five runs counts.
"""

from __future__ import annotations

import argparse
import random
import time
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

SHARES = (
    (
        24,
        "from {helo} ({name} [{ip}])\n\t(using TLSv1.3 with cipher TLS_AES_256_GCM_SHA384 (256/256 bits)\n\t key-exchange"
        " X25519 server-signature RSA-PSS (2048 bits) server-digest SHA256)\n\t(No client certificate requested)\n\tby {by}"
        " (Postfix) with ESMTPS id {id}\n\tfor <{to}>; {date} (CET)",
    ),
    (14, "from {helo} ({name} [{ip}])\n\tby {by} (Postfix) with ESMTP id {id}\n\tfor <{to}>; {date} (CET)"),
    (14, "from {name} ({ip}) by {by}\n ({by_ip}) with Microsoft SMTP Server (version=TLS1_2,\n"
         " cipher=TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384) id 15.20.7159.{n}; {date}"),
    (8, "from {helo} ({name}. [{ip}])\n        by mx.google.com with ESMTPS id {id}\n        for <{to}>\n"
        "        (version=TLS1_3 cipher=TLS_AES_256_GCM_SHA384 bits=256/256);\n        {date} (PST)"),
    (6, "by 2002:a05:6402:1111:b0:4e5:12:{n} with SMTP id {id};\n        {date} (PST)"),
    (10, "from {name} ([{ip}] helo={helo})\n\tby {by} with esmtps  (TLS1.3) tls TLS_AES_256_GCM_SHA384\n\t(Exim 4.96)\n"
         "\t(envelope-from <{to}>)\n\tid 1tY{n:0>3}-000{n:0>3}-0x\n\tfor {to};\n\t{date}"),
    (8, "from {name} ([{ip}])\n\tby {by} with LMTP\n\tid {id}wL4qNvk1pGXz\n\t(envelope-from <{to}>)\n\tfor <{to}>; {date}"),
    (5, "from {helo} ({name} [{ip}])\n\tby {by} (8.17.1/8.17.1) with ESMTPS id {id}\n"
        "\t(version=TLSv1.3 cipher=TLS_AES_256_GCM_SHA384 bits=256 verify=NO)\n\tfor <{to}>; {date}"),
    (5, "from {by} ([127.0.0.1])\n by localhost ({by} [127.0.0.1]) (amavisd-new, port 10024)\n with ESMTP id {id} for <{to}>;\n {date} (CET)"),
    (2, "from {name} (HELO {helo}) ({ip})\n  by {by} with SMTP; {date}"),
    (2, "by {by} (Postfix, from userid {n})\n\tid {id}; {date} (CET)"),
    (1, "from [{ip}] (account {to} HELO {helo})\n  by {by} (CommuniGate Pro SMTP 6.1.4)\n  with ESMTPSA id {n}; {date}"),
    (1, "from {helo} ([{ip}:{n}] helo={helo})\n by {by} (ecelerity 4.2.38 r(Core:4.2.38)) with ESMTP\n id {id}; {date}"),
)  # fmt: skip


def fields(count: int, seed: int = 1) -> list[bytes]:
    """Raw values of Received fields, no two alike, the same in every run."""
    chance = random.Random(seed)  # noqa: S311
    shapes = [shape for share, shape in SHARES for _ in range(share)]
    start = datetime(2026, 3, 2, 9, tzinfo=UTC)
    made = []
    for number in range(count):
        host = f"h{chance.randrange(10_000)}.example.org"
        date = (start + timedelta(seconds=number)).strftime("%a, %d %b %Y %H:%M:%S +0000")
        text = chance.choice(shapes).format(
            helo=host, name=f"out-{host}", ip=f"192.0.2.{chance.randrange(256)}", by_ip=f"198.51.100.{number % 256}",
            by=f"mx{chance.randrange(50)}.example.net", id=f"4{number:X}", to=f"u{number}@example.net", n=number % 999, date=date,
        )  # fmt: skip
        made.append(text.encode())
    return made


def best(work: Callable[[Any], Any], given: Any) -> float:
    """The least processor seconds of five runs."""
    seconds = []
    for _ in range(5):
        begun = time.process_time()
        work(given)
        seconds.append(time.process_time() - begun)
    return min(seconds)


def readers() -> dict[str, Callable[[Sequence[bytes]], Any]]:
    """What is measured; mail-parser is left out where it is not installed."""
    from mailforensics.headers.received import read_stamp
    from mailforensics.headers.stamps import read_stamps

    found: dict[str, Callable[[Sequence[bytes]], Any]] = {
        "mailforensics, columns": read_stamps,
        "mailforensics, one by one": lambda values: [read_stamp(value) for value in values],
    }
    try:
        from mailparser.utils import receiveds_parsing
    except ImportError:
        return found
    return found | {"mail-parser": lambda values: receiveds_parsing([value.decode() for value in values])}


def main() -> None:
    """Make the fields, read them with each reader, print; then whole messages."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--fields", type=int, default=60_000)
    options = parser.parse_args()
    values = fields(options.fields)
    for name, reader in readers().items():
        some = values if name == "mailforensics, columns" else values[: options.fields // 10]
        reader(some[:500])
        print(f"{name:<28} {len(some) / best(reader, some):>10,.0f} Received fields per processor second")
    messages(values)


def messages(values: list[bytes]) -> None:
    """Whole messages of four hops each, into all tables."""
    from mailforensics.headers.message import read_messages

    rest = b"From: a@example.org\r\nSubject: x\r\nDate: Mon, 2 Mar 2026 10:02:09 +0100\r\nMessage-ID: <1@example.org>\r\n\r\nbody"
    count = min(2_000, len(values) // 4)
    many = [
        (
            1,
            number << 16,
            b"".join(b"Received: " + value + b"\r\n" for value in values[4 * number : 4 * number + 4]) + rest,
        )
        for number in range(count)
    ]
    seconds = best(lambda given: read_messages(given, own=["mx1.example.net"]), many)
    print(f"{'messages into tables':<28} {count / seconds:>10,.0f} messages per processor second")


if __name__ == "__main__":
    main()
