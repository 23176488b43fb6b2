"""An answer as `invoke` takes it: measured, verified, passed on."""

import time
from dataclasses import dataclass
from http import HTTPStatus

from transcoder.core.answer.prelude import ReceivedHead
from transcoder.core.answer.problem import problem_sentence
from transcoder.core.output.announcement import Announcement
from transcoder.core.output.verifier import Verifier, WholeMp4
from transcoder.errors import InvocationError, TranscodeError
from transcoder.pipeline import Sink

TOLERANCE_SECONDS = 0.6
"""By how much a film may be longer or shorter than announced: playlists round their EXTINF, and a film is no less whole for it."""
ROUNDING_SECONDS = 0.01
MAX_PROBLEM_BYTES = 64 * 1024


@dataclass(frozen=True, slots=True)
class Report:
    """What was received."""

    whole: WholeMp4
    first_byte_seconds: float
    """From the request to the first byte of the film."""
    total_seconds: float

    def __str__(self) -> str:
        """Say it in one line."""
        rate = self.whole.length / max(self.total_seconds, 1e-6) / 1e6
        return (
            f"whole: {self.whole.sent:.3f} s in {self.whole.length} bytes and {self.whole.fragments} fragments; "
            f"first byte after {self.first_byte_seconds:.3f} s, all after {self.total_seconds:.3f} s, {rate:.1f} MB/s"
        )


class Mp4Receiver:
    """Takes the answer to one request, and says at its end whether it is a whole film."""

    def __init__(self, into: Sink) -> None:
        """Pass the film on into `into`."""
        self._into = into
        self._began = time.monotonic()
        self._first_byte: float | None = None
        self._verifier = Verifier(tolerance=TOLERANCE_SECONDS)
        self._head: ReceivedHead | None = None
        self._problem = bytearray()

    def request_started(self) -> None:
        """Start the clock."""
        self._began = time.monotonic()

    async def start(self, head: ReceivedHead) -> None:
        """Take status and headers."""
        self._head = head
        if head.status == HTTPStatus.OK:
            estimate = head.headers.get("x-content-length-estimate", "")
            await self._into.start(Announcement(_seconds(head), {}, int(estimate) if estimate.isascii() and estimate.isdigit() else None))

    async def write(self, chunk: bytes) -> None:
        """Take a piece of the body.

        Raises:
            InvocationError: the film is broken.
        """
        if self._head is None or self._head.status != HTTPStatus.OK:
            self._problem += chunk[: MAX_PROBLEM_BYTES - len(self._problem)]
            return
        if self._first_byte is None:
            self._first_byte = time.monotonic()
        try:
            self._verifier.feed(chunk)
        except TranscodeError as error:
            raise InvocationError(f"What came is no whole film: {error}") from error
        await self._into.write(chunk)

    def end(self) -> Report:
        """Say what came; only a whole film of the length that was announced is none of the failures.

        Raises:
            InvocationError: the answer is no film, or not a whole one.
        """
        now = time.monotonic()
        if self._head is None:
            raise InvocationError("There was no answer.")
        if self._head.status != HTTPStatus.OK:
            raise InvocationError(f"The answer is {self._head.status}: {problem_sentence(bytes(self._problem))}")
        try:
            whole = self._verifier.end()
        except TranscodeError as error:
            raise InvocationError(f"What came is no whole film: {error}") from error
        announced = _seconds(self._head)
        if abs(whole.announced - announced) > ROUNDING_SECONDS:
            raise InvocationError(f"X-Content-Duration says {announced:.3f} s, and the film's own header {whole.announced:.3f} s.")
        return Report(whole, (self._first_byte or now) - self._began, now - self._began)


def _seconds(head: ReceivedHead) -> float:
    """Read how long the film is to be.

    Raises:
        InvocationError: the answer does not say.
    """
    try:
        return float(head.headers["x-content-duration"])
    except (KeyError, ValueError) as error:
        raise InvocationError("The answer does not announce how long it is (X-Content-Duration): it is none of a film.") from error
