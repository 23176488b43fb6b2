"""What is printed of a run: a table by package, and each change that no test noticed."""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from pathlib import PurePosixPath

from mutation.trial import Tried, Verdict

_ROW = "{:<34}{:>8}{:>10}{:>9}{:>11}{:>9}"


def lines(results: Sequence[Tried]) -> Iterator[str]:
    """Yield the survivors, the mutants that no test in this process reaches, and the table."""
    for verdict, heading in (
        (Verdict.SURVIVED, "Survivors"),
        (Verdict.UNREACHED, "Reached by no test that runs the program in its own process"),
    ):
        found = sorted((each for each in results if each.verdict is verdict), key=lambda each: (each.mutant.path, each.mutant.line))
        if found:
            yield f"{heading}:"
            yield from (f"  {each.change}" for each in found)
            yield ""
    yield _ROW.format("package", *(verdict.value for verdict in Verdict), "noticed")
    packages = sorted({_package(each) for each in results})
    for package in packages:
        yield _row(package, (each for each in results if _package(each) == package))
    yield _row("all", results)


def _row(name: str, results: Iterable[Tried]) -> str:
    count = Counter(each.verdict for each in results)
    noticed = count[Verdict.KILLED] + count[Verdict.TIMEOUT]
    reached = noticed + count[Verdict.SURVIVED]
    return _ROW.format(name, *(count[verdict] for verdict in Verdict), f"{100 * noticed / reached:.0f} %" if reached else "-")


def _package(result: Tried) -> str:
    return PurePosixPath(*PurePosixPath(result.mutant.path).parent.parts[1:4]).as_posix()
