"""Writes compound files ([MS-CFB]) as Outlook's .msg are, from a dict of paths and contents: for tests only."""

from __future__ import annotations

import struct
from collections.abc import Mapping

SECTOR, MINI, CUTOFF = 512, 64, 4096
FREE, END, FAT, NONE = 0xFFFFFFFF, 0xFFFFFFFE, 0xFFFFFFFD, 0xFFFFFFFF
Tree = dict[str, "Tree | bytes"]


def compound(streams: Mapping[str, bytes]) -> bytes:
    """A compound file of version 3; ``a/b`` is the stream ``b`` in the storage ``a``."""
    tree: Tree = {}
    for path, content in streams.items():
        *folders, name = path.split("/")
        place = tree
        for folder in folders:
            inner = place.setdefault(folder, {})
            assert isinstance(inner, dict)
            place = inner
        place[name] = content
    return _Writer().write(tree)


class _Writer:
    def __init__(self) -> None:
        self.sectors: list[bytes] = []
        self.fat: list[int] = []
        self.small = b""
        self.small_fat: list[int] = []
        self.entries: list[list[object]] = []

    def write(self, tree: Tree) -> bytes:
        root = self._entry("Root Entry", 5)
        self.entries[root][4] = self._children(tree)
        if self.small:
            self.entries[root][5], self.entries[root][6] = self._chain(self.small), len(self.small)
        table = b"".join(struct.pack("<I", one) for one in self.small_fat)
        small_table = self._chain(table) if table else END
        directory = b"".join(self._packed(entry) for entry in self.entries)
        first = self._chain(directory + bytes(-len(directory) % SECTOR))
        count = 1
        while len(self.fat) + count > count * SECTOR // 4:
            count += 1
        places = [len(self.sectors) + number for number in range(count)]
        fat = [*self.fat, *[FAT] * count]
        fat += [FREE] * (count * SECTOR // 4 - len(fat))
        self.sectors += [
            struct.pack("<128I", *fat[number * 128 : number * 128 + 128]) for number in range(count)
        ]
        head = (
            bytes.fromhex("d0cf11e0a1b11ae1")
            + bytes(16)
            + struct.pack("<HHHHH", 0x3E, 3, 0xFFFE, 9, 6)
            + bytes(6)
        )
        head += struct.pack(
            "<IIIIIIIII", 0, count, first, 0, CUTOFF, small_table, -(-len(table) // SECTOR), END, 0
        )
        head += b"".join(struct.pack("<I", place) for place in places) + struct.pack("<I", FREE) * (
            109 - count
        )
        return head + b"".join(self.sectors)

    def _entry(self, name: str, kind: int) -> int:
        self.entries.append([name, kind, NONE, NONE, NONE, 0, 0])
        return len(self.entries) - 1

    def _children(self, tree: Tree) -> int:
        numbers = []
        for name in sorted(tree, key=lambda one: (len(one), one.upper())):
            content = tree[name]
            number = self._entry(name, 1 if isinstance(content, dict) else 2)
            if isinstance(content, dict):
                self.entries[number][4] = self._children(content)
            else:
                self.entries[number][5], self.entries[number][6] = self._stored(content), len(content)
            numbers.append(number)
        return self._balanced(numbers)

    def _balanced(self, numbers: list[int]) -> int:
        if not numbers:
            return NONE
        middle = len(numbers) // 2
        self.entries[numbers[middle]][2] = self._balanced(numbers[:middle])
        self.entries[numbers[middle]][3] = self._balanced(numbers[middle + 1 :])
        return numbers[middle]

    def _stored(self, content: bytes) -> int:
        if not content:
            return END
        if len(content) >= CUTOFF:
            return self._chain(content)
        start = len(self.small_fat)
        count = -(-len(content) // MINI)
        self.small_fat += [*range(start + 1, start + count), END]
        self.small += content + bytes(-len(content) % MINI)
        return start

    def _chain(self, content: bytes) -> int:
        start = len(self.sectors)
        count = -(-len(content) // SECTOR)
        self.fat += [*range(start + 1, start + count), END]
        padded = content + bytes(-len(content) % SECTOR)
        self.sectors += [padded[number * SECTOR : number * SECTOR + SECTOR] for number in range(count)]
        return start

    def _packed(self, entry: list[object]) -> bytes:
        name, kind, left, right, child, start, size = entry
        wide = str(name).encode("utf-16-le") + b"\0\0"
        packed = wide.ljust(64, b"\0") + struct.pack("<HBBIII", len(wide), kind, 1, left, right, child)
        return packed + bytes(36) + struct.pack("<IQ", start, size)
