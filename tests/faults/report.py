"""What the harness prints: a line for each run that failed the promise, a table by kind, and the summary."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass

from faults.drawing import Class, Feature, Run
from faults.verdict import Verdict

BAD = {Verdict.LOSS, Verdict.HANG, Verdict.LEFTOVER}
_COLUMNS = "{:<28}{:>6}{:>7}{:>8}{:>8}   {:>14}{:>14}"


@dataclass(frozen=True, slots=True)
class Result:
    """A run and what became of it."""

    run: Run
    verdict: Verdict
    reason: str

    @property
    def breaks_promise(self) -> bool:
        """Whether the run must not end like this: silently wrong where that can be seen, without end, or not whole undisturbed."""
        if self.run.class_ is Class.UNDISTURBED:
            return self.verdict is not Verdict.WHOLE
        return self.verdict in BAD and not self.is_undecodable_loss

    @property
    def is_undecodable_loss(self) -> bool:
        """Whether only decoding could have shown the loss."""
        return self.run.class_ is Class.UNDECODABLE and self.verdict is Verdict.LOSS

    @property
    def is_internal_error(self) -> bool:
        """Whether the run failed visibly, but by an error in the program."""
        return self.verdict is Verdict.FAILED and self.reason.startswith(("exit 1,", "exit -", "500 internal-error"))

    def __str__(self) -> str:
        """Return the line of a run, with the command that replays it."""
        return f"{self.verdict.value}: {self.run}: {self.reason}\n    make faults SEED={self.run.seed} RUN={self.run.number}"


def report(results: Sequence[Result]) -> Iterator[str]:
    """Yield the lines of the table and of the summary."""
    yield from _table(results)
    yield ""
    count = _counter(results)
    whole, failed, hangs, leftovers = (count(_ended(verdict)) for verdict in Verdict if verdict is not Verdict.LOSS)
    losses = count(_is_silent_loss)
    yield (f"{len(results)} runs: {whole} whole, {failed} visible failures, {losses} silent losses, {hangs} hangs, {leftovers} leftovers")
    undecodable = count(lambda result: result.is_undecodable_loss)
    yield f"what only decoding could see, besides: {undecodable} ({_percent(undecodable, len(results))} of all runs)"
    yield f"errors in the program, among the visible failures: {count(lambda result: result.is_internal_error)}"
    yield f"undisturbed: {_whole(result for result in results if result.run.class_ is Class.UNDISTURBED)}"
    transient = [result for result in results if result.run.class_ is Class.TRANSIENT]
    yield f"faults that pass after one or two tries: {_whole(transient)}"
    for label, features in {
        "without validators": {Feature.NO_VALIDATORS, Feature.NEITHER},
        "without ranges": {Feature.NO_RANGES, Feature.NEITHER, Feature.GZIP},
        "with gzip": {Feature.GZIP},
    }.items():
        yield f"    from origins {label}: {_whole(result for result in transient if result.run.feature in features)}"


def _table(results: Sequence[Result]) -> Iterator[str]:
    yield _COLUMNS.format("kind", "runs", "whole", "failed", "silent", "transient", "permanent")
    for kind in sorted({result.run.kind for result in results}):
        of_kind = [result for result in results if result.run.kind == kind]
        count = _counter(of_kind)
        verdicts = [count(_ended(verdict)) for verdict in (Verdict.WHOLE, Verdict.FAILED)]
        verdicts.append(count(_is_silent_loss))
        classes = [_shares([result for result in of_kind if result.run.class_ is class_]) for class_ in (Class.TRANSIENT, Class.PERMANENT)]
        yield _COLUMNS.format(kind, len(of_kind), *verdicts, *classes)
    yield "    (transient, permanent: whole/failed/silent of the runs in which the fault passes, or does not)"


def _shares(results: Sequence[Result]) -> str:
    if not results:
        return "-"
    count = _counter(results)
    whole, failed = count(_ended(Verdict.WHOLE)), count(_ended(Verdict.FAILED))
    return f"{whole}/{failed}/{len(results) - whole - failed}"


def _is_silent_loss(result: Result) -> bool:
    return result.verdict is Verdict.LOSS and not result.is_undecodable_loss


def _ended(verdict: Verdict) -> Callable[[Result], bool]:
    return lambda result: result.verdict is verdict


def _counter(results: Sequence[Result]) -> Callable[[Callable[[Result], bool]], int]:
    return lambda matches: sum(map(matches, results))


def _whole(results: Iterable[Result]) -> str:
    found = list(results)
    whole = sum(result.verdict is Verdict.WHOLE for result in found)
    return f"{whole} of {len(found)} whole ({_percent(whole, len(found))})"


def _percent(part: int, total: int) -> str:
    return f"{100 * part / total:.1f} %" if total else "-"
