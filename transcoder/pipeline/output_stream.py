"""The output on its way to the sink: announced with its first bytes, then joined period by period."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace
from typing import Protocol

from transcoder.core.output.announcement import Announcement
from transcoder.core.output.joiner import Joiner
from transcoder.core.output.mp3_joiner import Mp3Joiner
from transcoder.core.output.written_samples import WrittenSamples


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


class Output:
    """Joins what ffmpeg writes, and pushes the result into a sink."""

    def __init__(
        self,
        announcement: Announcement,
        joiner: Joiner | Mp3Joiner,
        sink: Sink,
        *,
        may_start: Callable[[], Awaitable[None]],
        on_start: Callable[[], None],
    ) -> None:
        """Announce `announcement` with the durations that `joiner` knows once it has output, and `may_start` has returned.

        `on_start` is called once the first bytes are in the sink.
        """
        self._may_start = may_start
        self._on_start = on_start
        self.announcement = announcement
        self._joiner = joiner
        self._sink = sink
        self._started = False

    def begin_period(self, *, last: bool, ends_with_slide: bool, goes_on_from: float | None) -> None:
        """Begin a period; `last` says whether no other one is known to follow.

        `goes_on_from` is when the audio before it ended on the same clock, if that goes on and there is no video.
        """
        if isinstance(self._joiner, Mp3Joiner):
            self._joiner.begin_period(last=last, goes_on_from=goes_on_from)
        else:
            self._joiner.begin_period(last=last, ends_with_slide=ends_with_slide, goes_on_from=goes_on_from)

    async def take(self, piece: bytes) -> None:
        """Join the next piece of ffmpeg's output and push what can be sent. Raises what `Joiner.feed` does."""
        await self.push(self._joiner.feed(piece))

    def end_period(self, audio_seconds: float, video_seconds: float) -> tuple[list[bytes], WrittenSamples]:
        """End a period whose ffmpeg has ended well; return what was held back, for `push`, and what ffmpeg wrote.

        `audio_seconds` is how much audio its source had, as far as it was to go into the output; `video_seconds` how long its video is if
        it ends with a slide.

        Raises:
            TranscodeError: ffmpeg's output is not whole.

        """
        return self._joiner.end_period(audio_seconds) if isinstance(self._joiner, Mp3Joiner) else self._joiner.end_period(video_seconds)

    async def finish(self) -> None:
        """Push the last bytes: with them, and only with them, the output is whole."""
        await self.push([self._joiner.finish()])

    async def push(self, pieces: Sequence[bytes]) -> None:
        """Push joined bytes into the sink; the first ones start it."""
        if not self._started and pieces:
            await self._may_start()
            durations = self._joiner.durations
            await self._sink.start(replace(self.announcement, seconds=durations.total, media=durations.tracks))
        for piece in pieces:
            if piece:
                await self._sink.write(piece)
        if not self._started and pieces:
            self._started = True
            self._on_start()
