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

from collections.abc import Awaitable, Callable, Sequence
from functools import partial

from transcoder.core.hls.late_audio import begin_audio_at
from transcoder.core.hls.plan import Plan
from transcoder.core.output.labels import NO_LABELS, Labels
from transcoder.edge import ffmpeg
from transcoder.edge.fetch import Fetcher
from transcoder.edge.prefetch import Prefetcher
from transcoder.edge.task_group import TaskGroup
from transcoder.errors import DamagedMediaError, UnexpectedMediaError, single_error
from transcoder.pipeline.empty_ends import without_empty_ends
from transcoder.pipeline.key_store import KeyStore
from transcoder.pipeline.output_stream import Output, Sink, WatchedSink
from transcoder.pipeline.periods_run import PeriodsRun, is_settled
from transcoder.pipeline.rendition import Rendition
from transcoder.pipeline.source_probe import SourceProbe
from transcoder.settings import Settings

_MORE_ATTEMPTS = 2
"""How often a job starts again whose source turned out to be damaged before anything was written."""


async def transcode(
    plan: Plan, *, fetcher: Fetcher, program: ffmpeg.Program, settings: Settings, into: Sink, labels: Labels = NO_LABELS
) -> None:
    """Carry out `plan`. Returns only if the output is whole; raises otherwise, whatever has been written by then.

    If what an origin sends turns out to be damaged before anything has been written, everything is fetched again, at most twice.

    Args:
        plan: what to fetch.
        fetcher: what fetches it.
        program: ffmpeg.
        settings: limits.
        into: where the output goes.
        labels: what the output says about itself.

    Raises:
        UpstreamError: a segment cannot be fetched, or its bytes are damaged.
        UpstreamTimeoutError: the origin sends nothing any more.
        UnsupportedSourceError: the media cannot be put into one MP4.
        TranscodeError: ffmpeg failed, or samples are missing from its output.

    """
    watched = WatchedSink(into)
    carried_out: Plan | None = plan
    while carried_out:
        attempt = partial(_attempt, carried_out, fetcher=fetcher, program=program, settings=settings, into=watched, labels=labels)
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


async def _attempt(plan: Plan, *, fetcher: Fetcher, program: ffmpeg.Program, settings: Settings, into: Sink, labels: Labels) -> Plan | None:
    """Carry out `plan` as `transcode` does, once; return another plan to carry out instead if its audio begins late."""
    prefetcher, keys = _prefetcher(fetcher, settings), KeyStore(fetcher, max_init_bytes=settings.max_init_bytes)
    if may_lose_periods := len(plan.periods) > 1:
        plan = await without_empty_ends(plan, fetcher, keys)
    kinds = dict.fromkeys(track.kind for period in plan.periods for track in period.tracks)
    renditions = [Rendition(kind, plan, prefetcher, keys) for kind in kinds]
    with single_error():
        async with TaskGroup() as tasks:
            prefetching, source = tasks.create_task(prefetcher.run()), SourceProbe(fetcher, keys)
            opening = {rendition.kind: tasks.create_task(rendition.open_next()) for rendition in renditions}
            # Meanwhile the first segments arrive.
            plan = plan if may_lose_periods else await _shortened(plan, renditions, fetcher, keys)
            opened = {kind: tasks.create_task(source.opened(plan, kind, segment)) for kind, segment in opening.items()}
            probing = tasks.create_task(source.periods(plan, opened))
            output = Output(into, may_start=prefetcher.undoubted, on_start=prefetcher.read_ahead)
            run = PeriodsRun(plan, renditions, output, program, labels)
            begun = [await track for track in opened.values()]
            running = tasks.create_task(run.run([begun])) if is_settled(plan, begun) else None
            periods = await probing
            late = next((index for index, tracks in enumerate(periods) if len(tracks) == 1 and tracks[0].has_late_audio), None)
            if late is not None:
                prefetching.cancel()
                return begin_audio_at(plan, late, await source.first_with_audio(plan.periods[late].tracks[0]))
            run.announce(periods)
            await (running or run.run(periods))
    return None


async def _shortened(plan: Plan, renditions: Sequence[Rendition], fetcher: Fetcher, keys: KeyStore) -> Plan:
    """Return a plan of one period as `without_empty_ends` does, and have `renditions` read no more than that."""
    plan = await without_empty_ends(plan, fetcher, keys)
    for rendition in renditions:
        rendition.shorten_to(plan)
    return plan


def _prefetcher(fetcher: Fetcher, settings: Settings) -> Prefetcher:
    return Prefetcher(
        lambda segment, sink: fetcher.segment(segment.url, segment.range, sink),
        budget_bytes=settings.ahead_bytes,
        connections=settings.connections,
        reads_ahead=False,  # the first byte comes first
    )
