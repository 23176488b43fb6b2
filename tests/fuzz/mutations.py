"""Makes inputs for a parser: it changes files of the corpus, a little each time. The same seed makes the same changes."""

import random
from collections.abc import Callable, Sequence

from fuzz.parser import Parser

MAX_BYTES = 256 * 1024
_MAX_CHANGES = 8
_MAX_REPEATED_BYTES = 8192
_NUMBERS = (0, 1, 2, 3, 8, 9, 16, 0x7F, 0x80, 0xFF, 0x7FFF, 0xFFFF, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFF, 2**63 - 1, 2**64 - 1)


class Mutator:
    """Makes one input after another; the same ones for the same seed."""

    def __init__(self, parser: Parser, seed: str) -> None:
        """Change the corpus and the tokens of `parser`."""
        self._random = random.Random(f"{seed} {parser.name}")  # noqa: S311  # nothing secret
        self._tokens = parser.tokens or (b"\0",)
        self._pool: list[bytes] = [*parser.seeds, *(make(400) for make in parser.runs.values())]
        self._changes: Sequence[Callable[[bytes], bytes]] = (
            self._flip, self._number, self._insert, self._insert, self._delete,
            self._repeat, self._move, self._cut, self._splice, self._run,
        )  # fmt: skip

    def next(self) -> bytes:
        """Return the next input."""
        data = self._random.choice(self._pool)
        for _ in range(self._random.randint(1, _MAX_CHANGES)):
            data = self._random.choice(self._changes)(data)
        return data[:MAX_BYTES]

    def keep(self, data: bytes) -> None:
        """Change this input from now on, too, because it has shown something new."""
        self._pool.append(data)

    def _at(self, data: bytes) -> int:
        return self._random.randint(0, len(data))

    def _range(self, data: bytes) -> tuple[int, int]:
        start = self._at(data)
        return start, start + min(len(data) - start, int(self._random.expovariate(1 / 16)) + 1)

    def _flip(self, data: bytes) -> bytes:
        if not data:
            return data
        at = self._random.randrange(len(data))
        return data[:at] + bytes([data[at] ^ 1 << self._random.randrange(8)]) + data[at + 1 :]

    def _number(self, data: bytes) -> bytes:
        """Overwrite some bytes with a number at the edge of something, in binary or in digits."""
        at, size, number = self._at(data), self._random.choice((1, 2, 4, 8)), self._random.choice(_NUMBERS)
        if self._random.random() < 0.5:
            return data[:at] + str(number * self._random.choice((1, -1))).encode() + data[at + self._random.choice((0, size)) :]
        return data[:at] + number.to_bytes(8, "big")[-size:] + data[at + size :]

    def _insert(self, data: bytes) -> bytes:
        at = self._at(data)
        return data[:at] + self._random.choice(self._tokens) + data[at:]

    def _delete(self, data: bytes) -> bytes:
        start, end = self._range(data)
        return data[:start] + data[end:]

    def _repeat(self, data: bytes) -> bytes:
        start, end = self._range(data)
        times = self._random.choice((2, 3, 10, 1000))
        return data[:end] + (data[start:end] * times)[:_MAX_REPEATED_BYTES] + data[end:]

    def _move(self, data: bytes) -> bytes:
        start, end = self._range(data)
        rest = data[:start] + data[end:]
        at = self._at(rest)
        return rest[:at] + data[start:end] + rest[at:]

    def _cut(self, data: bytes) -> bytes:
        at = self._at(data)
        return data[:at] if self._random.random() < 0.5 else data[at:]

    def _splice(self, data: bytes) -> bytes:
        other = self._random.choice(self._pool)
        return data[: self._at(data)] + other[self._at(other) :]

    def _run(self, data: bytes) -> bytes:
        at = self._at(data)
        octet = self._random.choice((b"\0", b"\xff", b" ", b"\n", b"9", b"a"))
        return data[:at] + octet * self._random.choice((3, 100, 5000)) + data[at:]
