"""What a program in Python has us call: whatever that raises reaches the program as it is."""

from collections.abc import Iterator
from contextlib import contextmanager
from types import TracebackType


class CallersError(Exception):
    """Carries what the caller's own code has raised through ours, which handles it as nothing that it knows."""

    def __init__(self, original: Exception) -> None:
        """Keep it."""
        super().__init__(str(original))
        self.original = original


class CallersCode:
    """A block that runs the caller's own code. Raises CallersError in place of what that raises."""

    def __enter__(self) -> None:
        """Begin."""

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        """Carry an exception on; what ends tasks or the program is none of the caller's."""
        if isinstance(error, Exception):
            raise CallersError(error) from error


@contextmanager
def as_the_caller_raised_it() -> Iterator[None]:
    """Raise what the caller's own code has raised in the block, also an exception group, as if nothing had been between."""
    original: Exception | None = None
    try:
        yield
    except CallersError as error:
        original = error.original
    if original is not None:
        raise original
