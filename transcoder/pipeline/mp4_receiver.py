"""Receives the response of a function: times it, verifies the MP4 and passes it on."""

import time
from dataclasses import dataclass
from http import HTTPStatus

from transcoder.core.answer.prelude import ReceivedHead
from transcoder.core.answer.problem import MAX_PROBLEM_BYTES, problem_sentence
from transcoder.core.output.announcement import Announcement
from transcoder.core.output.plain_verifier import PlainVerifier
from transcoder.core.output.verifier import Verifier, WholeMp4
from transcoder.errors import InvocationError, TranscodeError
from transcoder.pipeline import Sink

ROUNDING_SECONDS = 0.01
"""By how much X-Content-Duration and the MP4's own header may differ."""


@dataclass(frozen=True, slots=True)
class ReceivedMp4:
    """A whole MP4 that was received, and how long that took."""

    whole: WholeMp4
    first_byte_seconds: float
    """From the request to the first byte of the MP4."""
    total_seconds: float

    def __str__(self) -> str:
        """Return a summary of one line."""
        rate = self.whole.length / max(self.total_seconds, 1e-6) / 1e6
        fragments = f" and {self.whole.fragments} fragments" if self.whole.fragments else ""
        return (
            f"whole: {self.whole.sent:.3f} s in {self.whole.length} bytes{fragments}; "
            f"first byte after {self.first_byte_seconds:.3f} s, all after {self.total_seconds:.3f} s, {rate:.1f} MB/s"
        )


class Mp4Receiver:
    """Receives the response to one request, and checks at its end that it is a whole MP4."""

    def __init__(self, sink: Sink, *, requested_at: float | None = None) -> None:
        """Pass the MP4 on into `sink`; the request was sent at `requested_at`, by `time.monotonic`, or is sent later."""
        self._sink = sink
        self._requested_at = time.monotonic() if requested_at is None else requested_at
        self._first_byte_at: float | None = None
        self._verifier: Verifier | PlainVerifier = Verifier()
        self._head: ReceivedHead | None = None
        self._problem = bytearray()

    def request_started(self) -> None:
        """Start the clock: the request is sent now."""
        self._requested_at = time.monotonic()

    async def start(self, head: ReceivedHead) -> None:
        """Receive status and headers. One with X-Content-Length is of a plain MP4, which a cache in between may send whole."""
        self._head = head
        if head.status == HTTPStatus.OK:
            length = _number(head, "x-content-length")
            if length is not None:
                self._verifier = PlainVerifier(length=length)
            expected = _number(head, "x-content-length-estimate") if length is None else length
            await self._sink.start(Announcement(announced_seconds(head), {}, expected))

    async def write(self, chunk: bytes) -> None:
        """Receive a piece of the body.

        Raises:
            InvocationError: the MP4 is damaged.
        """
        if self._head is None or self._head.status != HTTPStatus.OK:
            self._problem += chunk[: MAX_PROBLEM_BYTES - len(self._problem)]
            return
        if self._first_byte_at is None:
            self._first_byte_at = time.monotonic()
        try:
            self._verifier.feed(chunk)
        except TranscodeError as error:
            raise InvocationError(f"The response is not a whole MP4: {error}") from error
        await self._sink.write(chunk)

    def finish(self) -> ReceivedMp4:
        """Return what was received, if it is a whole MP4 whose header announces what the response does.

        Raises:
            InvocationError: the response is an error, not an MP4, or not a whole one.
        """
        now = time.monotonic()
        if self._head is None:
            raise InvocationError("The function sent no response.")
        if self._head.status != HTTPStatus.OK:
            raise InvocationError(f"The function responded with {self._head.status}: {problem_sentence(bytes(self._problem))}")
        try:
            whole = self._verifier.end()
        except TranscodeError as error:
            raise InvocationError(f"The response is not a whole MP4: {error}") from error
        check_announced(whole, announced_seconds(self._head))
        return ReceivedMp4(whole, (self._first_byte_at or now) - self._requested_at, now - self._requested_at)


def _number(head: ReceivedHead, name: str) -> int | None:
    """Return the number of bytes in a header; None if there is none."""
    text = head.headers.get(name, "")
    return int(text) if text.isascii() and text.isdigit() else None


def check_announced(whole: WholeMp4, announced: float) -> None:
    """Check that the header of an MP4 announces what the response does.

    Raises:
        InvocationError: it does not.
    """
    if abs(whole.announced - announced) > ROUNDING_SECONDS:
        raise InvocationError(f"X-Content-Duration says {announced:.3f} s, but the header of the MP4 says {whole.announced:.3f} s.")


def announced_seconds(head: ReceivedHead) -> float:
    """Return the announced duration.

    Raises:
        InvocationError: the response does not announce it.
    """
    try:
        return float(head.headers["x-content-duration"])
    except (KeyError, ValueError) as error:
        raise InvocationError(
            "The response does not announce its duration (X-Content-Duration): it is a file that is passed through (use get), "
            "or not of Transcoder."
        ) from error
