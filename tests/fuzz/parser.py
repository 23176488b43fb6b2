"""What the fuzzer and the test of growth know of one parser."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

from transcoder.errors import TranscoderError

CORPUS = Path(__file__).resolve().parents[1] / "corpus"

Run = Callable[[int], bytes]
"""Makes an input of about so many bytes that repeats something."""


@dataclass(frozen=True)
class Parser:
    """One parser of bytes from outside."""

    name: str
    """Also that of its folder in `tests/corpus/`, if it has one."""
    parse: Callable[[bytes], object]
    tokens: tuple[bytes, ...] = ()
    """What the fuzzer inserts: words of the grammar."""
    runs: Mapping[str, Run] = field(default_factory=dict)
    """Inputs to grow, by what they repeat."""
    refusals: tuple[type[Exception], ...] = (TranscoderError,)
    """What it may raise; anything else is a defect."""

    @property
    def seeds(self) -> tuple[bytes, ...]:
        """The inputs in its folder; an empty one if there are none."""
        return _seeds(self.name)


@cache
def _seeds(name: str) -> tuple[bytes, ...]:
    return tuple(file.read_bytes() for file in sorted((CORPUS / name).glob("*")) if file.is_file()) or (b"",)


def repeated(unit: bytes, *, head: bytes = b"", tail: bytes = b"") -> Run:
    """Return a run that repeats `unit` between `head` and `tail`."""
    return lambda size: head + unit * (size // len(unit)) + tail


def numbered(line: Callable[[int], bytes], *, head: bytes = b"", tail: bytes = b"") -> Run:
    """Return a run of lines that differ from each other by their number."""
    return lambda size: head + b"".join(map(line, range(size // len(line(1000))))) + tail
