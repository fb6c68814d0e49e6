"""Answers as the case gives them, as plain dicts; ``hostile`` puts a text into every place that can hold one."""

from __future__ import annotations

from typing import Any

_STEPS = (
    (
        "2026-03-02T09:02:11.200000Z",
        None,
        "mail",
        "submission",
        "accepted from alex@example.com",
        "mail.log",
        1042,
    ),
    ("2026-03-02T09:02:11.930000Z", 0.73, "mail", "smtp", "handed to mx as 4jYBcn5tsv", "mail.log", 1055),
    ("2026-03-02T09:02:12.010000Z", -3.04, "mx", "sieve", "discard", "mx.log", 2210),
)

TRACE: dict[str, Any] = {
    "query": {"to": "bob@example.org", "since": "10:00"},
    "zone": "Europe/Berlin",
    "searched": {
        "hosts": [
            {"host": "mail", "from": "2026-02-27T23:00:00Z", "to": "2026-03-03T05:25:00Z", "gaps": []},
            {
                "host": "mx",
                "from": "2026-02-27T23:00:00Z",
                "to": "2026-03-03T05:25:00Z",
                "gaps": [{"from": "2026-03-01T02:10:00Z", "to": "2026-03-01T03:02:00Z"}],
            },
        ],
        "lines": 48210,
        "not_understood": 12,
        "silent": ["boot.log"],
    },
    "near": ["bob@example.net"],
    "journeys": [
        {
            "journey_key": 7,
            "message_id": "<d7979c16f20c@example.com>",
            "sender": "alex@example.com",
            "recipients": ["bob@example.org"],
            "subject": "Offer 4711",
            "received": "2026-03-02T09:02:11.200000Z",
            "first_time": "2026-03-02T09:02:11.200000Z",
            "last_time": "2026-03-02T09:02:12.010000Z",
            "hosts": ["mail", "mx"],
            "queue_ids": ["3F2A1C0B2", "4jYBcn5tsv"],
            "lines": 17,
            "outcomes": [
                {
                    "recipient": "bob@example.org",
                    "original_recipient": "sales@example.org",
                    "outcome": "discarded_by_sieve",
                    "mailbox": None,
                    "sentence": "Bob's Sieve script discarded the message.",
                    "certainty": "seen",
                    "headline": "DISCARDED BY SIEVE",
                    "next": "look at Bob's active Sieve script.",
                    "evidence": [{"source": "mx.log", "line": 2210}],
                }
            ],
            "timeline": [
                {
                    "time": time,
                    "wait_s": wait,
                    "host": host,
                    "program": program,
                    "queue_id": None,
                    "what": what,
                    "source": source,
                    "line": line,
                }
                for time, wait, host, program, what, source, line in _STEPS
            ],
            "steps": [],
        }
    ],
}

SUMMARY: dict[str, Any] = {
    "sources": [
        {
            "path": "mail.log",
            "member": None,
            "format": "syslog",
            "host": "mail",
            "time_min": "2026-02-27T23:00:00Z",
            "time_max": "2026-03-03T05:25:00Z",
            "lines": 30000,
            "unparsed": 8,
            "limits_hit": ["line_bytes"],
        }
    ],
    "hosts": ["mail", "mx"],
    "lines": 48210,
    "time_min": "2026-02-27T23:00:00Z",
    "time_max": "2026-03-03T05:25:00Z",
    "zone": "Europe/Berlin",
    "zone_note": "year from the file's date",
    "counts": {
        "messages": 3912,
        "deliveries": 4410,
        "sent": 4181,
        "deferred": 152,
        "bounced": 77,
        "rejects": 1020,
    },
    "not_understood": [{"program": "postfix/tlsproxy", "lines": 8, "examples": ["some line"]}],
    "gaps": [{"host": "mx", "from": "2026-03-01T02:10:00Z", "to": "2026-03-01T03:02:00Z"}],
    "notable": ["1 account sends from 14 networks"],
    "left_alone": ["notes.txt"],
    "silent": ["boot.log"],
}

MESSAGE: dict[str, Any] = {
    "document": {
        "subject": "Offer 4711",
        "from_address": "alex@example.com",
        "return_path": "",
        "message_id": "<d7979c16f20c@example.com>",
        "date": "2026-03-02T09:02:11Z",
        "defects": ["no_to"],
    },
    "headers": [
        {
            "ordinal": 0,
            "name": "Received",
            "raw": b"Received: from a.example.com by mx.example.org; date\r\n",
        },
        {"ordinal": 1, "name": "Received", "raw": b"Received: from [192.0.2.1] by a.example.com; date\r\n"},
        {"ordinal": 2, "name": "Subject", "raw": b"Subject: Offer 4711\r\n"},
    ],
    "hops": [
        {
            "hop": 2,
            "ordinal": 0,
            "from_helo": "a.example.com",
            "from_name": "out.example.net",
            "from_ip": "192.0.2.135",
            "by_name": "mx.example.org",
            "with_protocol": "ESMTPS",
            "auth_user": "alex",
            "tls_version": "TLSv1.3",
            "time": "2026-03-02T09:02:11Z",
            "delay_s": -2.0,
            "clock_suspect": True,
            "trust": "ours",
            "spans": [{"field": "from_helo", "start": 15, "end": 28}],
        },
        {
            "hop": 1,
            "ordinal": 1,
            "from_helo": "pc",
            "from_ip": "192.0.2.1",
            "by_name": "a.example.com",
            "time": "2026-03-02T09:02:13Z",
            "trust": "claimed",
            "spans": [
                {"field": "from_ip", "start": 16, "end": 25},
                {"field": "odd", "start": 20, "end": 9999},
            ],
        },
    ],
    "auth_results": [
        {
            "method": "spf",
            "result": "pass",
            "smtp_mailfrom": "bounce.example.net",
            "authserv_id": "mx.example.org",
            "authserv_trust": "ours",
            "aligned": False,
        },
        {"method": "dkim", "result": "pass", "authserv_id": "evil.test", "authserv_trust": "foreign"},
    ],
    "zone": "Europe/Berlin",
}

_KEPT = ("outcome", "trust", "zone", "authserv_trust")  # closed words and names of zones


def hostile(answer: Any, text: str, key: str = "") -> Any:
    """The answer with every free text, times included, replaced by ``text``."""
    if isinstance(answer, dict):
        return {name: hostile(inner, text, name) for name, inner in answer.items()}
    if isinstance(answer, list):
        return [hostile(inner, text, key) for inner in answer]
    if isinstance(answer, bytes):
        return text.encode("utf-8", "surrogatepass")
    return text if isinstance(answer, str) and key not in _KEPT else answer
