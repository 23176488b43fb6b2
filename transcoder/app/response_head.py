"""The response head of an output, and how long it took to get there."""

from collections.abc import Callable
from http import HTTPStatus

from transcoder.core.answer.file_names import content_disposition
from transcoder.core.answer.function_url import ResponseHead


class ServerTiming:
    """The Server-Timing header (W3C): how long each phase before the first byte took."""

    def __init__(self, clock: Callable[[], float]) -> None:
        """Start the first phase now."""
        self._clock = clock
        self._last = clock()
        self._phases: list[str] = []

    def mark(self, phase: str, description: str = "") -> float:
        """End a phase, start the next, and return how many milliseconds it took."""
        now = self._clock()
        milliseconds, self._last = (now - self._last) * 1000, now
        self._phases.append(f"{phase};dur={milliseconds:.1f}" + (f';desc="{description}"' if description else ""))
        return milliseconds

    def __str__(self) -> str:
        """Return the header's value."""
        return ", ".join(self._phases)


class OutputHead:
    """Builds the response head of the output."""

    def __init__(self, content_type: str, name: str, cache_seconds: int, timing: ServerTiming) -> None:
        """Let caches keep the response for `cache_seconds`; 0: not at all."""
        self._content_type = content_type
        self._name = name
        # The headers are sent before it is known whether the stream comes whole, so caches must not store it unless the operator insists.
        self._cache_control = f"public, max-age={cache_seconds}" if cache_seconds > 0 else "no-store"
        self.timing = timing

    def build(self, headers: list[tuple[str, str]], *, status: HTTPStatus = HTTPStatus.OK, seconds: float | None = None) -> ResponseHead:
        """Return the head with `headers` besides those that every output has, and its duration, if it is known."""
        common = [
            ("content-type", self._content_type),
            ("content-disposition", content_disposition(self._name)),
            ("cache-control", self._cache_control),
            ("x-content-type-options", "nosniff"),
            ("server-timing", str(self.timing)),
        ]
        duration = [("x-content-duration", f"{seconds:.3f}")] if seconds is not None else []
        return ResponseHead(status, (*common, *duration, *headers))
