"""One period: its renditions through one ffmpeg into the joiner, and the accounts of what went in and came out."""

from collections.abc import Callable, Collection, Sequence
from typing import NamedTuple, Self

from transcoder.core.media.inspector import Inspector, inspector_for
from transcoder.core.media.streams import Container, Medium
from transcoder.core.media.timestamps import unwrap
from transcoder.core.output.accounting import missing_samples, source_seconds
from transcoder.core.output.announcement import Announcement, silence_for_period
from transcoder.core.output.ffmpeg_command import RemuxOptions, Silence, remux_command
from transcoder.core.output.ffmpeg_input import FfmpegInput
from transcoder.core.output.formats import refuse_codecs, refuse_missing_media
from transcoder.core.output.labels import Labels
from transcoder.core.output.probed_track import ProbedTrack, first_start
from transcoder.core.output.track_ends import media_spans
from transcoder.core.output.written_samples import WrittenSamples
from transcoder.core.request.output_format import FileFormat, OutputFormat, TimeWindow
from transcoder.edge import ffmpeg
from transcoder.edge.pipe import Discard, SegmentSink
from transcoder.edge.task_group import TaskGroup
from transcoder.errors import TranscodeError, UnsupportedSourceError, single_error
from transcoder.pipeline.output_stream import Output
from transcoder.pipeline.rendition import Rendition
from transcoder.pipeline.segment import ProbedSegment

Present = Sequence[tuple[Rendition, ProbedSegment]]
"""The renditions that stand at the beginning of a period, in the order of its tracks, and the segments that they stand at."""
AUDIO_COMES_AND_GOES = "The audio of the source comes and goes, and no tag says where."


class PeriodSettings(NamedTuple):
    """What is the same for all tracks of a period."""

    program: ffmpeg.Program
    announcement: Announcement
    """What the output is, except for its durations."""
    output_format: OutputFormat
    window: TimeWindow
    """What ffmpeg cuts the streams to that it re-encodes."""
    joined: bool
    """The output has several periods."""
    labels: Labels
    is_whole: bool = True
    """It begins where a period of the plan does; otherwise no tag announces it."""
    goes_on_from: float | None = None
    """When the audio before it ended, in seconds on the same clock, if that goes on and there is no video: what lies between is a pause."""


class _Lane(NamedTuple):
    """One rendition's way through a period."""

    rendition: Rendition
    track: ProbedTrack
    inspector: Inspector

    @classmethod
    def of(cls, rendition: Rendition, segment: ProbedSegment, track: ProbedTrack, *, zero: float) -> Self:
        """Return the way of a rendition that stands at `segment`, with the streams that were chosen from all that was probed.

        What has no timestamps begins at `zero`.
        """
        rendition.current = segment._replace(probe=track.probe)
        start = zero if track.main_start is None else track.main_start
        return cls(rendition, track, inspector_for(track.probe, init=segment.init, written_from=start))

    async def feed(self, pipe: SegmentSink) -> None:
        await self.rendition.feed(pipe, self.inspector, media={stream.medium for stream in self.track.streams})


async def remux_period(tracks: Callable[[], Sequence[ProbedTrack]], present: Present, output: Output, settings: PeriodSettings) -> bool:
    """Remux up to where every rendition's timeline ends, join the result to the output, and check that no sample is missing.

    `tracks` returns those of the period as far as they have been probed: before the output is announced, their ends may not be known.
    Returns whether silence was made for it.

    Raises:
        TranscodeError: ffmpeg failed, or samples are missing.
        UnsupportedSourceError: as `Rendition.feed` does, a segment at hand lacks the media of its track, or the audio comes and goes.
        UpstreamError: as `Rendition.feed` does.
    """
    output_format = settings.output_format.after(settings.announcement.audio)
    begun = _begin(tracks(), present, output_format, found=settings.announcement.media)
    zero = first_start(begun)
    lanes = [_Lane.of(rendition, segment, track, zero=zero) for track, (rendition, segment) in zip(begun, present, strict=True)]
    silence = _silence(begun, settings)
    options = RemuxOptions(output_format, settings.joined, settings.window, silence, settings.labels, settings.goes_on_from)

    def command(fds: Sequence[int]) -> list[str]:
        return remux_command(settings.program.path, _ffmpeg_inputs(fds, begun, [segment for _, segment in present], zero=zero), options)

    async with ffmpeg.start(settings.program, command, inputs=sum(bool(track.streams) for track in begun)) as process:
        await _run(process, lanes, output)
    audio_seconds = silence.seconds if silence else _audio_seconds(lanes, begun, settings)
    last_pieces, written = await output.end_period(audio_seconds, lambda: _video_seconds(_begun(tracks(), present), present, settings))
    _check_accounts(lanes, written, options)
    await output.push(last_pieces)
    return silence is not None


def _silence(begun: Sequence[ProbedTrack], settings: PeriodSettings) -> Silence | None:
    """Return the silence that a period needs: as long as the playlist says, so that it must be all of a period of the plan."""
    silence = silence_for_period(begun, settings.announcement.audio)
    if silence and not settings.is_whole:
        raise UnsupportedSourceError(AUDIO_COMES_AND_GOES)
    # What joins MP3 cuts nothing.
    return silence.within(settings.window) if silence and settings.output_format.format is FileFormat.MP3 else silence


def _begin(
    tracks: Sequence[ProbedTrack],
    present: Present,
    output_format: OutputFormat,
    *,
    found: Collection[Medium],
) -> list[ProbedTrack]:
    """Return the tracks of a period as `_begun` does; refuse them if they cannot be put into an output with the media `found`."""
    begun = _begun(tracks, present)
    refuse_missing_media(begun, found)
    refuse_codecs(begun, output_format)
    return begun


def _begun(tracks: Sequence[ProbedTrack], present: Present) -> list[ProbedTrack]:
    """Return the tracks of a period with what its first segments say now that they have arrived.

    A period that no tag announces has its first timestamps in them, not in the probe of the source; and an origin may have sent the probe
    something else.
    """
    return [track.begun(segment.probe, segment.segment) for track, (_, segment) in zip(tracks, present, strict=True)]


async def _run(process: ffmpeg.Process, lanes: Sequence[_Lane], output: Output) -> None:
    """Feed every rendition into its pipe, and push what ffmpeg writes into the output, all at once."""
    with single_error():
        async with TaskGroup() as tasks:
            pipes = iter(process.inputs)
            for lane in lanes:
                tasks.create_task(lane.feed(next(pipes) if lane.track.streams else Discard()))
            while piece := await process.read():
                await output.take(piece)
            await process.wait()


def _ffmpeg_inputs(
    fds: Sequence[int], period: Sequence[ProbedTrack], segments: Sequence[ProbedSegment], *, zero: float
) -> list[FfmpegInput]:
    """Return the inputs of ffmpeg: the tracks of a period that have anything for the output, which begin with `segments`."""
    used = [(track, segment) for track, segment in zip(period, segments, strict=True) if track.streams]
    return [_ffmpeg_input(fd, track, segment, zero=zero) for fd, (track, segment) in zip(fds, used, strict=True)]


def _ffmpeg_input(fd: int, track: ProbedTrack, segment: ProbedSegment, *, zero: float) -> FfmpegInput:
    # A stream that is not in the head of the segment may begin anywhere in a later one.
    begun = {stream.id for stream in segment.probe.streams if stream.start is not None}
    begun_within = len(segment.init) + len(segment.head) if begun.issuperset(stream.id for stream in track.streams) else None
    if not track.probe.container.is_packed_audio:
        return FfmpegInput(fd, track.probe.container, track.streams, begun_within)
    # The inspector writes it as a transport stream.
    streams = (stream._replace(start=zero if stream.start is None else stream.start) for stream in track.streams)
    return FfmpegInput(fd, Container.MPEGTS, tuple(streams), begun_within)


def _audio_seconds(lanes: Sequence[_Lane], begun: Sequence[ProbedTrack], settings: PeriodSettings) -> float:
    """Return how much audio was read that is within the window, and how long the pause before it was on the same clock."""
    audio = [(lane, stream) for lane in lanes for stream in lane.track.streams if stream.medium is Medium.AUDIO]
    known = [source_seconds(stream, lane.inspector, settings.window) for lane, stream in audio]
    before = settings.goes_on_from
    pause = 0.0 if before is None else max(0.0, unwrap(first_start(begun), near=before) - before)
    return pause + sum(seconds for _, seconds in filter(None, known))


def _video_seconds(begun: Sequence[ProbedTrack], present: Present, settings: PeriodSettings) -> float:
    """Return how long the video of a period is by its playlist, or by its timestamps where these contradict it.

    0 if only a part of the period was on this timeline, since no one has said where that ends.
    """
    has_ended = all(rendition.current is None or rendition.current.period != segment.period for rendition, segment in present)
    start, end = media_spans(begun).get(Medium.VIDEO, (0.0, 0.0))
    return end - start if settings.is_whole and has_ended else 0.0


def _check_accounts(lanes: Sequence[_Lane], written: WrittenSamples, options: RemuxOptions) -> None:
    """Compare what came out with what went in, since ffmpeg accepts damaged media and exits with status 0."""
    for lane in lanes:
        for stream in lane.track.streams:
            encoder = options.output_format.encoder(stream)
            missing = missing_samples(stream, lane.inspector, written, window=options.window if encoder else None)
            if missing:
                raise TranscodeError(f"{missing}: the data of the source is damaged.")
