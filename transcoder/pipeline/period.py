"""One period: its renditions through one ffmpeg into the joiner, and the accounts of what went in and came out."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Self

from transcoder.core.media.inspector import Inspector, inspector_for
from transcoder.core.media.streams import Container, Medium
from transcoder.core.output.accounting import missing_samples, source_seconds
from transcoder.core.output.announcement import silence_for_period
from transcoder.core.output.ffmpeg_command import FfmpegInput, RemuxOptions, Silence, remux_command
from transcoder.core.output.formats import refuse_codecs, refuse_missing_media
from transcoder.core.output.probed_track import ProbedTrack, first_start
from transcoder.core.output.written_samples import WrittenSamples
from transcoder.core.request.output_format import OutputFormat, TimeWindow
from transcoder.edge import ffmpeg
from transcoder.edge.pipe import PipeWriter
from transcoder.errors import TranscodeError, UnsupportedSourceError, single_error
from transcoder.pipeline.output_stream import Output
from transcoder.pipeline.rendition import Rendition
from transcoder.pipeline.segment import ProbedSegment

AUDIO_COMES_AND_GOES = "The audio of the source comes and goes, and no tag says where."
_PACKED_AUDIO = frozenset({Container.ADTS, Container.MP3, Container.AC3, Container.EAC3})


@dataclass(frozen=True, slots=True)
class PeriodSettings:
    """What is the same for all tracks of a period."""

    program: ffmpeg.Program
    output_format: OutputFormat
    window: TimeWindow
    """What ffmpeg cuts the streams to that it re-encodes."""
    joined: bool
    """The output has several periods."""
    tags: Mapping[str, str]
    """The output's metadata, by ffmpeg's names."""
    is_whole: bool = True
    """It begins where a period of the plan does; otherwise no tag announces it."""


@dataclass(frozen=True, slots=True)
class _Lane:
    """One rendition's way through a period."""

    rendition: Rendition
    track: ProbedTrack
    inspector: Inspector

    @classmethod
    def of(cls, rendition: Rendition, segment: ProbedSegment, track: ProbedTrack) -> Self:
        """Return the way of a rendition that stands at `segment`, with the streams that were chosen from all that was probed."""
        rendition.current = replace(segment, probe=track.probe)
        return cls(rendition, track, inspector_for(track.probe, init=segment.init))

    async def feed(self, pipe: PipeWriter) -> None:
        await self.rendition.feed(pipe, self.inspector, media={stream.medium for stream in self.track.streams})


async def remux_period(
    tracks: Sequence[ProbedTrack], present: Sequence[tuple[Rendition, ProbedSegment]], output: Output, settings: PeriodSettings
) -> bool:
    """Remux up to where every rendition's timeline ends, join the result to the output, and check that no sample is missing.

    `tracks` are those of the period as they were probed, `present` the renditions that stand at its beginning, in the same order. Returns
    whether silence was made for it.

    Raises:
        TranscodeError: ffmpeg failed, or samples are missing.
        UnsupportedSourceError: as `Rendition.feed` does, a segment at hand lacks the media of its track, or the audio comes and goes.
        UpstreamError: as `Rendition.feed` does.

    """
    output_format = settings.output_format.after(output.announcement.audio)
    begun = _begin(tracks, [segment for _, segment in present], output_format)
    lanes = [_Lane.of(rendition, segment, track) for track, (rendition, segment) in zip(begun, present, strict=True)]
    silence = _silence(begun, output, settings)
    options = RemuxOptions(output_format, settings.joined, settings.window, silence, settings.tags)

    def command(fds: Sequence[int]) -> list[str]:
        inputs = [_ffmpeg_input(fd, track, begun) for fd, track in zip(fds, begun, strict=True)]
        return remux_command(settings.program.path, inputs, options)

    async with ffmpeg.start(settings.program, command, inputs=len(lanes)) as process:
        await _run(process, lanes, output)
    last_pieces, written = output.end_period(_audio_seconds(lanes, settings.window))
    _check_accounts(lanes, written, options)
    await output.push(last_pieces)
    return silence is not None


def _silence(begun: Sequence[ProbedTrack], output: Output, settings: PeriodSettings) -> Silence | None:
    """Return the silence that a period needs: as long as the playlist says, so that it must be all of a period of the plan."""
    silence = silence_for_period(begun, output.announcement.audio)
    if silence and not settings.is_whole:
        raise UnsupportedSourceError(AUDIO_COMES_AND_GOES)
    return silence


def _begin(tracks: Sequence[ProbedTrack], segments: Sequence[ProbedSegment], output_format: OutputFormat) -> list[ProbedTrack]:
    """Return the tracks of a period with what its first segments say now that they have arrived.

    A period that no tag announces has its first timestamps in them, not in the probe of the source; and an origin may have sent the probe
    something else.
    """
    begun = [track.begun(segment.probe, segment.segment) for track, segment in zip(tracks, segments, strict=True)]
    refuse_missing_media(begun)
    refuse_codecs(begun, output_format)
    return begun


async def _run(process: ffmpeg.Process, lanes: Sequence[_Lane], output: Output) -> None:
    """Feed every rendition into its pipe, and push what ffmpeg writes into the output, all at once."""
    with single_error():
        async with asyncio.TaskGroup() as tasks:
            for lane, pipe in zip(lanes, process.inputs, strict=True):
                tasks.create_task(lane.feed(pipe))
            while piece := await process.read():
                await output.take(piece)
            await process.wait()


def _ffmpeg_input(fd: int, track: ProbedTrack, period: Sequence[ProbedTrack]) -> FfmpegInput:
    if track.probe.container not in _PACKED_AUDIO:
        return FfmpegInput(fd, track.probe.container, track.streams)
    start = track.streams[0].start
    return FfmpegInput(fd, track.probe.container, track.streams, offset=first_start(period) if start is None else start)


def _audio_seconds(lanes: Sequence[_Lane], window: TimeWindow) -> float:
    """Return how much audio was read that is within the window."""
    audio = [(lane, stream) for lane in lanes for stream in lane.track.streams if stream.medium is Medium.AUDIO]
    known = [source_seconds(stream, lane.inspector, window) for lane, stream in audio]
    return sum(seconds for _, seconds in filter(None, known))


def _check_accounts(lanes: Sequence[_Lane], written: WrittenSamples, options: RemuxOptions) -> None:
    """Compare what came out with what went in, since ffmpeg accepts damaged media and exits with status 0."""
    for lane in lanes:
        for stream in lane.track.streams:
            encoder = options.output_format.encoder(stream)
            missing = missing_samples(stream, lane.inspector, written, window=options.window if encoder else None)
            if missing:
                raise TranscodeError(f"{missing}: the data of the source is damaged.")
