"""Carries out a plan.

The way of one segment, and what passes from step to step:

    fetched     Fetcher.segment            → bytes, prefetched within a budget          edge/fetch, edge/prefetch
    decrypted   ClearReader.read           → bytes in the clear                         pipeline/segment.py
    probed      probe_segment              → ProbedSegment: container, streams, times   pipeline/segment.py
    inspected   Inspector.feed, .end       → the same bytes, checked and counted        core/media
    piped       PipeWriter.write           → ffmpeg's input                             pipeline/rendition.py
    remuxed     ffmpeg                     → fragmented MP4 with the source's times     pipeline/period.py
    placed      Joiner.feed                → fragments on the output's timeline         core/output
    written     Sink.write                 → the client, or a file                      pipeline/output_stream.py

Back pressure runs the same way upwards: each step waits for the next one.
"""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial

from transcoder.core.hls.late_audio import begin_audio_at
from transcoder.core.hls.plan import Plan
from transcoder.core.media.streams import Medium
from transcoder.core.output.announcement import Announcement, announce_plan
from transcoder.core.output.clip_window import audio_seconds, clip_windows, cut_for_clip
from transcoder.core.output.ffmpeg_command import NO_TAGS
from transcoder.core.output.header import Durations
from transcoder.core.output.joiner import Joiner
from transcoder.core.output.mp3_joiner import Mp3Joiner
from transcoder.core.output.probed_track import ProbedTrack
from transcoder.core.request.output_format import FileFormat, OutputFormat
from transcoder.edge import ffmpeg
from transcoder.edge.fetch import Fetcher
from transcoder.edge.prefetch import Prefetcher
from transcoder.edge.task_group import TaskGroup
from transcoder.errors import DamagedMediaError, UnexpectedMediaError, UnsupportedSourceError, single_error
from transcoder.pipeline.empty_ends import without_empty_ends
from transcoder.pipeline.key_store import KeyStore
from transcoder.pipeline.output_stream import Output, Sink, WatchedSink
from transcoder.pipeline.period import AUDIO_COMES_AND_GOES, PeriodSettings, remux_period
from transcoder.pipeline.rendition import Rendition
from transcoder.pipeline.segment import ProbedSegment
from transcoder.pipeline.source_probe import SourceProbe
from transcoder.settings import Settings

_MORE_ATTEMPTS = 2
"""How often a job starts again whose source turned out to be damaged before anything was written."""


async def transcode(
    plan: Plan, *, fetcher: Fetcher, program: ffmpeg.Program, settings: Settings, into: Sink, tags: Mapping[str, str] = NO_TAGS
) -> None:
    """Carry out `plan`. Returns only if the output is whole; raises otherwise, whatever has been written by then.

    If what an origin sends turns out to be damaged before anything has been written, everything is fetched again, at most twice.

    Args:
        plan: what to fetch.
        fetcher: what fetches it.
        program: ffmpeg.
        settings: limits.
        into: where the output goes.
        tags: the output's metadata, by ffmpeg's names.

    Raises:
        UpstreamError: a segment cannot be fetched, or its bytes are damaged.
        UpstreamTimeoutError: the origin sends nothing any more.
        UnsupportedSourceError: the media cannot be put into one MP4.
        TranscodeError: ffmpeg failed, or samples are missing from its output.

    """
    watched = WatchedSink(into)
    carried_out: Plan | None = plan
    while carried_out:
        attempt = partial(_attempt, carried_out, fetcher=fetcher, program=program, settings=settings, into=watched, tags=tags)
        carried_out = await _until_whole(attempt, fetcher, watched)


async def _until_whole(attempt: Callable[[], Awaitable[Plan | None]], fetcher: Fetcher, into: WatchedSink) -> Plan | None:
    """Await `attempt()`, again while it finds damaged media before anything has been written."""
    for _ in range(_MORE_ATTEMPTS):
        try:
            return await attempt()
        except (DamagedMediaError, UnexpectedMediaError):
            if into.started:
                raise
            fetcher.start_again()
    return await attempt()


async def _attempt(
    plan: Plan, *, fetcher: Fetcher, program: ffmpeg.Program, settings: Settings, into: Sink, tags: Mapping[str, str]
) -> Plan | None:
    """Carry out `plan` as `transcode` does, once; return another plan to carry out instead if its audio begins late."""
    prefetcher, keys = _prefetcher(fetcher, settings), KeyStore(fetcher, max_init_bytes=settings.max_init_bytes)
    plan = await without_empty_ends(plan, fetcher, keys)
    kinds = dict.fromkeys(track.kind for period in plan.periods for track in period.tracks)
    renditions = [Rendition(kind, plan, prefetcher, keys) for kind in kinds]
    with single_error():
        async with TaskGroup() as tasks:
            prefetching, source = tasks.create_task(prefetcher.run()), SourceProbe(fetcher, keys)
            periods = await source.periods(plan, renditions)
            late = next((index for index, tracks in enumerate(periods) if len(tracks) == 1 and tracks[0].has_late_audio), None)
            if late is not None:
                prefetching.cancel()
                return begin_audio_at(plan, late, await source.first_with_audio(plan.periods[late].tracks[0]))
            announcement = announce_plan(plan, periods)
            joiner = _joiner(periods, announcement, plan.output_format)
            output = Output(announcement, joiner, into, may_start=prefetcher.undoubted, on_start=prefetcher.read_ahead)
            await _Run(periods, renditions, output).run(program, plan.output_format, tags)
    return None


def _prefetcher(fetcher: Fetcher, settings: Settings) -> Prefetcher:
    return Prefetcher(
        lambda segment, sink: fetcher.segment(segment.url, segment.range, sink),
        budget_bytes=settings.ahead_bytes,
        connections=settings.connections,
        reads_ahead=False,  # the first byte comes first
    )


def _joiner(periods: Sequence[Sequence[ProbedTrack]], announcement: Announcement, output_format: OutputFormat) -> Joiner | Mp3Joiner:
    """Return what joins the output of each period's ffmpeg."""
    if output_format.format is FileFormat.MP3:
        seconds = audio_seconds(periods, clip_windows(periods, output_format.clip))
        return Mp3Joiner(Durations(seconds, {Medium.AUDIO: seconds}))
    cut = cut_for_clip(periods[0], announcement, output_format.clip)
    return Joiner(Durations(announcement.seconds, announcement.media), cut=cut)


@dataclass(frozen=True, slots=True)
class _Run:
    """The periods of one output, one after another."""

    periods: Sequence[Sequence[ProbedTrack]]
    renditions: Sequence[Rendition]
    output: Output

    async def run(self, program: ffmpeg.Program, output_format: OutputFormat, tags: Mapping[str, str]) -> None:
        windows = clip_windows(self.periods, output_format.clip)
        joined, begun, silent = len(self.periods) > 1, set[int](), set[int]()
        while any(rendition.current for rendition in self.renditions):
            index, present = self._next_period()
            if index in silent:
                raise UnsupportedSourceError(AUDIO_COMES_AND_GOES)  # its silence lasts as long as the whole period
            goes_on_from = present[0][0].goes_on_from if len(present) == 1 else None
            ends_with_slide = any(track.slide for track in self.periods[index])
            self.output.begin_period(last=index == len(self.periods) - 1, ends_with_slide=ends_with_slide, goes_on_from=goes_on_from)
            settings = PeriodSettings(program, output_format, windows[index], joined, tags, index not in begun, goes_on_from)
            begun.add(index)
            if await remux_period(self.periods[index], present, self.output, settings):
                silent.add(index)
        await self.output.finish()

    def _next_period(self) -> tuple[int, list[tuple[Rendition, ProbedSegment]]]:
        """Return which of the plan's periods comes next, and the renditions of its tracks: all of them must stand at its beginning.

        Raises:
            UpstreamError: one rendition has left a timeline that the other is still on.

        """
        standing = {rendition.kind: (rendition, rendition.current) for rendition in self.renditions if rendition.current}
        index = min(segment.period for _, segment in standing.values())
        kinds = [track.track.kind for track in self.periods[index]]
        present = [standing[kind] for kind in kinds if kind in standing and standing[kind][1].period == index]
        if len(present) < len(kinds):
            if any(rendition.has_changed for rendition, _ in present):
                raise UnsupportedSourceError("The video or the audio changes its streams or their format by itself, and no tag says where.")
            raise DamagedMediaError("The timestamps of video and audio do not restart at the same place.")
        return index, present
