"""Carry out a plan: one ffmpeg a period, its output joined into one film and pushed into a sink."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Protocol

from transcoder.core.hls.plan import Plan, Segment
from transcoder.core.media.inspector import Inspector, inspector
from transcoder.core.media.streams import Container, Medium
from transcoder.core.output.accounting import missing_samples
from transcoder.core.output.announcement import Announcement, ProbedTrack, announce, first_start, silence_for_period
from transcoder.core.output.clip_window import cut_for, seconds_within, windows
from transcoder.core.output.ffmpeg_command import NO_TAGS, FfmpegInput, RemuxOptions, remux_command
from transcoder.core.output.header import Lengths
from transcoder.core.output.joiner import Joiner
from transcoder.core.output.mp3_joiner import Mp3Joiner
from transcoder.core.output.written import PeriodCount
from transcoder.core.request.output_format import FileFormat, OutputFormat
from transcoder.edge import ffmpeg
from transcoder.edge.fetch import Fetcher
from transcoder.edge.prefetch import ByteSink, Prefetcher
from transcoder.errors import TranscodeError, UpstreamError, single_error
from transcoder.pipeline.rendition import KeyStore, Opened, Rendition
from transcoder.pipeline.source_probe import SourceProbe
from transcoder.settings import Settings

_PACKED = frozenset({Container.ADTS, Container.MP3, Container.AC3, Container.EAC3})


class Sink(Protocol):
    """Where the film goes."""

    async def start(self, film: Announcement) -> None:
        """Take note of what is coming; called once, when the first bytes are there."""

    async def write(self, chunk: bytes) -> None:
        """Take bytes; returns when it may be called again: that is the back pressure."""


async def transcode(
    plan: Plan, *, fetcher: Fetcher, program: str, settings: Settings, into: Sink, tags: Mapping[str, str] = NO_TAGS
) -> None:
    """Carry out `plan`. Returns only if the MP4 is whole; raises otherwise, whatever has been written by then.

    Args:
        plan: what to fetch.
        fetcher: by which to fetch it.
        program: path of ffmpeg.
        settings: limits.
        into: where the MP4 goes.
        tags: what the film says of itself, by ffmpeg's names.

    Raises:
        UpstreamError: a segment cannot be had, or its bytes are not what they should be.
        UpstreamTimeoutError: the origin has gone silent.
        UnsupportedSourceError: the media cannot be put into one MP4.
        TranscodeError: ffmpeg failed, or did not give back what it was given.

    """

    async def fetch(segment: Segment, into: ByteSink) -> None:
        await fetcher.segment(segment.url, segment.range, into)

    ahead = Prefetcher(fetch, budget_bytes=settings.ahead_bytes, connections=settings.connections)
    secrets = KeyStore(fetcher, max_init_bytes=settings.max_init_bytes)
    kinds = dict.fromkeys(track.kind for period in plan.periods for track in period.tracks)
    renditions = [Rendition(kind, plan, ahead, secrets) for kind in kinds]
    with single_error():
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(ahead.run())
            periods = await SourceProbe(fetcher, secrets).periods(plan, renditions)
            film = announce(periods, estimated_bytes=plan.estimated_bytes, output_format=plan.output_format)
            output = _Output(film, _joiner(periods, film, plan.output_format), into)
            await _Run(periods, renditions, output, plan.output_format).all(program, tags)


def _joiner(periods: Sequence[Sequence[ProbedTrack]], film: Announcement, output_format: OutputFormat) -> Joiner | Mp3Joiner:
    """Return what makes one file of what the periods' ffmpegs write."""
    if output_format.format is FileFormat.MP3:
        seconds = seconds_within(periods, windows(periods, output_format.clip))
        return Mp3Joiner(Lengths(seconds, {Medium.AUDIO: seconds}))
    return Joiner(Lengths(film.seconds, film.media), cut=cut_for(periods[0], film, output_format.clip))


class _Output:
    """The film on its way to the sink, begun with its first bytes."""

    def __init__(self, film: Announcement, joiner: Joiner | Mp3Joiner, into: Sink) -> None:
        self.film = film
        self.joiner = joiner
        self._into = into
        self._begun = False

    async def write(self, pieces: Sequence[bytes]) -> None:
        for piece in pieces:
            if not self._begun:
                self._begun = True
                lengths = self.joiner.lengths
                await self._into.start(replace(self.film, seconds=lengths.film, media=lengths.tracks))
            if piece:
                await self._into.write(piece)


class _Run:
    """The periods of one film, one after another."""

    def __init__(
        self, periods: Sequence[Sequence[ProbedTrack]], renditions: Sequence[Rendition], output: _Output, output_format: OutputFormat
    ) -> None:
        self._periods = periods
        self._renditions = renditions
        self._output = output
        self._output_format = output_format
        self._windows = windows(periods, output_format.clip)

    async def all(self, program: str, tags: Mapping[str, str]) -> None:
        while any(rendition.opened for rendition in self._renditions):
            await self._period(program, tags)
        await self._output.write([self._output.joiner.finish()])

    async def _period(self, program: str, tags: Mapping[str, str]) -> None:
        """Remux up to where every rendition's timeline ends."""
        index, present = self._next()
        # A period that no tag announced has its first timestamps in the segments at hand, not in the survey.
        surveyed = [track.begun(opened.probe, opened.segment) for track, (_, opened) in zip(self._periods[index], present, strict=True)]
        judges = [inspector(opened.probe, init=opened.init) for _, opened in present]
        silence = silence_for_period(surveyed, self._output.film.sound)
        options = RemuxOptions(self._output_format, joined=len(self._periods) > 1, window=self._windows[index], silence=silence, tags=tags)
        self._output.joiner.begin(last=index == len(self._periods) - 1)

        def command(fds: Sequence[int]) -> list[str]:
            inputs = [_input(fd, track, surveyed) for fd, track in zip(fds, surveyed, strict=True)]
            return remux_command(program, inputs, options)

        async with ffmpeg.start(command, inputs=len(surveyed)) as process:
            await self._through(process, [rendition for rendition, _ in present], surveyed, judges)
        pieces, count = self._output.joiner.end_period()
        _compare(surveyed, judges, count, options)
        await self._output.write(pieces)

    async def _through(
        self, process: ffmpeg.Process, renditions: Sequence[Rendition], tracks: Sequence[ProbedTrack], judges: Sequence[Inspector]
    ) -> None:
        with single_error():
            async with asyncio.TaskGroup() as tasks:
                for rendition, pipe, track, judge in zip(renditions, process.inputs, tracks, judges, strict=True):
                    tasks.create_task(rendition.feed(pipe, judge, brings={stream.medium for stream in track.streams}))
                while piece := await process.read():
                    await self._output.write(self._output.joiner.feed(piece))
                await process.wait()

    def _next(self) -> tuple[int, list[tuple[Rendition, Opened]]]:
        """Return which of the plan's periods comes next, and the renditions of its tracks: all must stand at its beginning, or none."""
        standing = {rendition.kind: (rendition, rendition.opened) for rendition in self._renditions if rendition.opened}
        index = min(opened.period for _, opened in standing.values())
        kinds = [track.track.kind for track in self._periods[index]]
        present = [standing[kind] for kind in kinds if kind in standing and standing[kind][1].period == index]
        if len(present) < len(kinds):
            raise UpstreamError("The timestamps of picture and sound do not begin anew at the same place.")
        return index, present


def _input(fd: int, track: ProbedTrack, period: Sequence[ProbedTrack]) -> FfmpegInput:
    if track.probe.container not in _PACKED:
        return FfmpegInput(fd, track.probe.container, track.streams)
    start = track.streams[0].start
    return FfmpegInput(fd, track.probe.container, track.streams, offset=first_start(period) if start is None else start)


def _compare(tracks: Sequence[ProbedTrack], judges: Sequence[Inspector], written: PeriodCount, options: RemuxOptions) -> None:
    """Count what came out against what went in, since ffmpeg swallows rubbish with exit status 0."""
    for track, judge in zip(tracks, judges, strict=True):
        for stream in track.streams:
            encoder = options.output_format.encoder(stream)
            missing = missing_samples(stream, judge, written, window=options.window if encoder else None)
            if missing:
                raise TranscodeError(f"{missing}: the data of the source is damaged.")
