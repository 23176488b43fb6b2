"""The output on its way to the sink: announced with its first bytes, then joined period by period."""

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Iterator, Sequence
from typing import NamedTuple, Protocol

from transcoder.core.output.announcement import Announcement
from transcoder.core.output.joiner import Joiner
from transcoder.core.output.mp3_joiner import Mp3Joiner
from transcoder.core.output.written_samples import WrittenSamples

_SHORT_BYTES = 16 * 1024
"""Shorter pieces are joined with those that follow: each write has its steps, and the box before the media of a fragment is short."""


class Sink(Protocol):
    """Where the output goes."""

    async def start(self, announcement: Announcement) -> None:
        """Learn what is coming; called once, when the first bytes are there."""

    async def write(self, chunk: bytes) -> None:
        """Take bytes; returns when it may be called again: that is the back pressure."""


class WatchedSink:
    """Passes on what goes into a sink, and knows whether that has begun."""

    def __init__(self, sink: Sink) -> None:
        """Pass on everything to `sink`."""
        self._sink = sink
        self.started = False

    async def start(self, announcement: Announcement) -> None:
        """Pass on the announcement."""
        self.started = True
        await self._sink.start(announcement)

    async def write(self, chunk: bytes) -> None:
        """Pass on bytes."""
        await self._sink.write(chunk)


class PeriodStart(NamedTuple):
    """How a period of the output begins."""

    last: bool
    """No other one is known to follow."""
    ends_with_slide: bool
    goes_on_from: float | None
    """When the audio before it ended on the same clock, if that goes on and there is no video."""


class Output:
    """Joins what ffmpeg writes, and pushes the result into a sink.

    ffmpeg may begin before it is known what is announced: what it writes waits for that.
    """

    def __init__(self, sink: Sink, *, may_start: Callable[[], Awaitable[None]], on_start: Callable[[], None]) -> None:
        """Push into `sink` once `may_start` has returned; `on_start` is called when the first bytes are in it."""
        self._sink = sink
        self._may_start = may_start
        self._on_start = on_start
        self._announced = asyncio.Event()
        self._announcement: Announcement | None = None
        self._joiner: Joiner | Mp3Joiner | None = None
        self._next_period: Callable[[], PeriodStart] | None = None
        self._started = False

    def announce(self, announcement: Announcement, joiner: Joiner | Mp3Joiner) -> None:
        """Announce what is coming, with the durations that `joiner` knows once it has output."""
        self._announcement, self._joiner = announcement, joiner
        self._announced.set()

    def begin_period(self, start: Callable[[], PeriodStart]) -> None:
        """Begin a period; `start` is called once the output is announced."""
        self._next_period = start

    async def _ready(self) -> tuple[Announcement, Joiner | Mp3Joiner]:
        """Wait until the output is announced, and return what joins it; the period has begun there."""
        await self._announced.wait()
        if self._announcement is None or self._joiner is None:
            raise RuntimeError("The output is announced without an announcement.")
        joiner = self._joiner
        if self._next_period:
            start, self._next_period = self._next_period(), None
            if isinstance(joiner, Mp3Joiner):
                joiner.begin_period(last=start.last, goes_on_from=start.goes_on_from)
            else:
                joiner.begin_period(last=start.last, ends_with_slide=start.ends_with_slide, goes_on_from=start.goes_on_from)
        return self._announcement, joiner

    async def take(self, piece: bytes) -> None:
        """Join the next piece of ffmpeg's output and push what can be sent. Raises what `Joiner.feed` does."""
        _, joiner = await self._ready()
        await self.push(joiner.feed(piece))

    async def end_period(self, audio_seconds: float, video_seconds: Callable[[], float]) -> tuple[list[bytes], WrittenSamples]:
        """End a period whose ffmpeg has ended well; return what was held back, for `push`, and what ffmpeg wrote.

        `audio_seconds` is how much audio its source had, as far as it was to go into the output; `video_seconds` how long its video is if
        it ends with a slide, which is asked once the output is announced.

        Raises:
            TranscodeError: ffmpeg's output is not whole.

        """
        _, joiner = await self._ready()
        return joiner.end_period(audio_seconds) if isinstance(joiner, Mp3Joiner) else joiner.end_period(video_seconds())

    async def finish(self) -> None:
        """Push the last bytes: with them, and only with them, the output is whole."""
        _, joiner = await self._ready()
        await self.push([joiner.finish()])

    async def push(self, pieces: Sequence[bytes]) -> None:
        """Push joined bytes into the sink; the first ones start it."""
        is_first = not self._started and bool(pieces)
        if is_first:
            announcement, joiner = await self._ready()
            await self._may_start()
            self._started = True
            durations = joiner.durations
            await self._sink.start(announcement._replace(seconds=durations.total, media=durations.tracks))
        for piece in _joined(pieces):
            await self._sink.write(piece)
        if is_first:
            self._on_start()


def _joined(pieces: Iterable[bytes]) -> Iterator[bytes]:
    """Iterate over the same bytes in fewer pieces; no piece is empty."""
    short: list[bytes] = []
    length = 0
    for piece in pieces:
        short.append(piece)
        length += len(piece)
        if length >= _SHORT_BYTES:
            yield piece if length == len(piece) else b"".join(short)
            short, length = [], 0
    if length:
        yield b"".join(short)
