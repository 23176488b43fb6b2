"""What is measured: a source at a latency is a cell, and some cells have a target."""

from collections.abc import Iterable
from dataclasses import dataclass

from bench.sources import GIGABYTE, MANY_SEGMENTS, MINUTE, PACKAGINGS, Source


@dataclass(frozen=True, slots=True)
class Cell:
    """A source, and how it is reached."""

    source: Source
    latency_ms: int = 0
    """One round trip."""
    tls: bool = False

    @property
    def name(self) -> str:
        """The name, as in CELLS=…: `40/ts`, `0/cmaf-1gb`, `40/ts/tls`."""
        film = "" if self.source.film is MINUTE else f"-{self.source.film.name}"
        return f"{self.latency_ms}/{self.source.packaging}{film}{'/tls' if self.tls else ''}"

    @property
    def is_large(self) -> bool:
        """Whether only some contestants run, and fewer times."""
        return self.source.film is not MINUTE

    def contestants(self, names: Iterable[str]) -> list[str]:
        """Return those of the contestants that are measured in this cell."""
        left_out = NOT_OVER_TLS if self.tls else ()
        return [name for name in names if name not in left_out and (name in IN_LARGE_CELLS or not self.is_large)]


GRID = tuple(Cell(Source(MINUTE, packaging), latency) for latency in (0, 40, 120) for packaging in PACKAGINGS)
OVER_TLS = Cell(Source(MINUTE, "ts"), 40, tls=True)
LARGE = (Cell(Source(GIGABYTE, "ts")), Cell(Source(GIGABYTE, "cmaf")), Cell(Source(MANY_SEGMENTS, "ts")))
CELLS = {cell.name: cell for cell in (*GRID, OVER_TLS, *LARGE)}
QUICK = ("0/ts", "40/ts", "40/cmaf")
"""The cells of `make bench-quick`."""
LARGE_RUNS = 3
NOT_OVER_TLS = ("get",)
"""It trusts only public CAs, whatever its environment says."""
FUNCTION = ("warm", "cold")
"""This program as a function: the second request of an environment or a later one, and the first one."""
FFMPEG = ("ffmpeg", "ffmpeg-no-seek")
"""ffmpeg as most people run it, and with the flag without which it loses segments in byte ranges."""
FASTEST_FFMPEG = (*FFMPEG, "ffmpeg-one-connection")
IN_LARGE_CELLS = ("warm", *FASTEST_FFMPEG, "streamlink-8", "floor")


@dataclass(frozen=True, slots=True)
class Target:
    """A ratio of one figure of this program to that of another program in the same run."""

    text: str
    cell: str
    figure: str
    """`first_byte`, `total`, `cpu` or `resident`."""
    contestant: str
    peers: tuple[str, ...]
    """The best of these that has lost nothing."""
    was: float
    """The ratio when the target was set."""
    target: float

    @property
    def half_way(self) -> float:
        """The ratio that must be reached at least."""
        return (self.was + self.target) / 2


AT_0, AT_40 = (tuple(f"{latency}/{packaging}" for packaging in PACKAGINGS) for latency in (0, 40))
GIGABYTES = ("0/ts-1gb", "0/cmaf-1gb")
STREAMLINK = ("streamlink-8",)


def _rows(
    text: str, cells: tuple[str, ...], figure: str, peers: tuple[str, ...], was: tuple[float, ...], target: tuple[float, ...]
) -> list[Target]:
    contestant = "cold" if "cold" in text else "warm"
    values = zip(cells, was, target, strict=True)
    return [Target(f"{text}, {cell}", cell, figure, contestant, peers, before, aim) for cell, before, aim in values]


TARGETS = (
    *_rows("first byte, warm ÷ ffmpeg", AT_40, "first_byte", FFMPEG, (1.02, 0.64, 0.51), (0.60, 0.45, 0.35)),
    *_rows("first byte, warm ÷ ffmpeg", AT_0[:1], "first_byte", FFMPEG, (2.5,), (1.6,)),
    *_rows("first byte, cold ÷ streamlink-8", AT_40, "first_byte", STREAMLINK, (0.68, 0.70, 0.74), (0.5, 0.5, 0.5)),
    *_rows("total, warm ÷ streamlink-8", AT_40, "total", STREAMLINK, (0.95, 1.02, 0.94), (0.65, 0.65, 0.65)),
    *_rows("total, warm ÷ ffmpeg", AT_0, "total", FFMPEG, (2.7, 3.2, 2.7), (1.8, 1.8, 1.8)),
    *_rows("CPU, warm ÷ ffmpeg", GIGABYTES, "cpu", FFMPEG, (3.7, 3.5), (1.8, 1.7)),
    *_rows("resident, warm ÷ streamlink-8", GIGABYTES, "resident", STREAMLINK, (1.04, 0.59), (0.8, 0.5)),
    *_rows("CPU, warm ÷ streamlink-8", ("0/ts-10000",), "cpu", STREAMLINK, (2.8,), (1.0,)),
)
START_WAS_MS, START_TARGET_MS = 226.0, 150.0
"""From the start of the runtime to its first request for an invocation."""
