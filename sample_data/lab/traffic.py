"""Ordinary mail to lay incidents into: people of both houses write to each other, to a provider, and get mail from outside."""

from __future__ import annotations

import random

import messages
from truth import fate
from world import HONEST, OFFICE_A, OFFICE_A2, OFFICE_B

COM = ("alex", "amy", "agnes", "arno")
ORG = ("bella", "bruno", "berta", "ben")
KINDS = {"com_to_org": 5, "org_to_com": 4, "inside": 2, "foreign": 2, "remote": 2}


class Background:
    """`some(5)` sends five ordinary mails, each with its truth, and waits until they lie where they belong."""

    def __init__(self, lab, seed: int = 6, kinds: dict[str, int] | None = None) -> None:
        self.lab = lab
        self.random = random.Random(seed)
        self.kinds = kinds or KINDS
        self.count = 0

    def some(self, number: int) -> None:
        for _ in range(number):
            kind = self.random.choices(list(self.kinds), list(self.kinds.values()))[0]
            self.count += 1
            getattr(self, kind)(f"b{self.count:03d}")
        self.lab.wait_quiet()

    def _subject(self) -> str:
        return self.random.choice(messages.SUBJECTS)

    def _com(self) -> str:
        return self.random.choice(COM) + "@example.com"

    def _org(self) -> str:
        return self.random.choice(ORG) + "@example.org"

    def _submit(
        self, label: str, sender: str, recipient: str, source: str, outcome: str = "delivered"
    ) -> None:
        mail = self.lab.submit(label, sender, [recipient], self._subject(), source=source)
        assert (mail.reply or "").startswith("250"), (label, mail.reply)
        mail.recipients = [fate(recipient, outcome)]

    def com_to_org(self, label: str) -> None:
        self._submit(label, self._com(), self._org(), OFFICE_A)

    def org_to_com(self, label: str) -> None:
        self._submit(label, self._org(), self._com(), OFFICE_B)

    def inside(self, label: str) -> None:
        self._submit(label, "alex@example.com", "amy@example.com", OFFICE_A2)

    def remote(self, label: str) -> None:
        self._submit(label, self._com(), "nina@example.net", OFFICE_A, "handed_to_remote")

    def foreign(self, label: str) -> None:
        recipient = self.random.choice([self._com(), self._org()])
        mail = self.lab.receive(
            label, HONEST, "out.example.edu", "emma@example.edu", [recipient], self._subject(), tls=True
        )
        assert (mail.reply or "").startswith("250"), (label, mail.reply)
        mail.recipients = [fate(recipient, "delivered")]
