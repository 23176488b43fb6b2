"""What has been measured: medians, and the ratios that have a target."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from statistics import median

from bench.cells import Target
from bench.run_command import Figures


@dataclass(slots=True)
class Entry:
    """One contestant in one cell."""

    runs: list[Figures] = field(default_factory=list)
    origin_shares: list[float] = field(default_factory=list)
    """Which part of one processor the origin used meanwhile, in each run."""
    fault: str = ""
    """Why it is not whole: how it failed, or which packets it lost."""

    def median(self, figure: str) -> float:
        """Return the median of `first_byte`, `total`, `cpu` (seconds) or `resident` (bytes)."""
        return median(FIGURES[figure](run) for run in self.runs)

    @property
    def counts(self) -> bool:
        """Whether it may be compared with others: it ran, and lost nothing."""
        return bool(self.runs) and not self.fault


FIGURES: dict[str, Callable[[Figures], float]] = {
    "first_byte": lambda run: run.first_byte_seconds,
    "total": lambda run: run.total_seconds,
    "cpu": lambda run: run.cpu_seconds,
    "resident": lambda run: run.resident_bytes,
}
Results = Mapping[str, Mapping[str, Entry]]
"""The entries by cell and contestant."""


@dataclass(frozen=True, slots=True)
class Ratio:
    """A target with the ratio that was measured."""

    target: Target
    value: float

    @property
    def verdict(self) -> str:
        """How far the target is reached."""
        if self.value <= self.target.target:
            return "met"
        return "half-way" if self.value <= self.target.half_way else "missed"


def ratios(results: Results, targets: Iterable[Target]) -> list[Ratio]:
    """Return the ratios of all targets whose cells were measured, with this program and a peer that lost nothing."""
    found = []
    for target in targets:
        entries = results.get(target.cell, {})
        own = entries.get(target.contestant)
        peers = [entries[name].median(target.figure) for name in target.peers if name in entries and entries[name].counts]
        if own is not None and own.counts and min(peers, default=0):
            found.append(Ratio(target, own.median(target.figure) / min(peers)))
    return found
