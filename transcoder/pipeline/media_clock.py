"""What the clock of a video's media shows at the beginning of the output, and of each later period."""

from bisect import bisect_right
from collections.abc import Sequence

from transcoder.core.hls.plan import Period, Plan, Segment
from transcoder.core.media.streams import Medium
from transcoder.core.media.subtitles import Place
from transcoder.core.media.timestamps import unwrap
from transcoder.edge.task_group import TaskGroup
from transcoder.errors import UnsupportedSourceError, single_error
from transcoder.pipeline.source_probe import SourceProbe

_INTO_SEGMENT_SECONDS = 1.0
"""The border of a period may lie so much after that of a segment which belongs to it: EXTINF of two renditions differ a little."""


class MediaClock:
    """Probes the first segments of those periods of a plan that are asked for."""

    def __init__(self, plan: Plan, probe: SourceProbe) -> None:
        """Probe the segments of `plan` with `probe`."""
        self._plan = plan
        self._probe = probe

    async def places(self, segments: Sequence[Segment]) -> list[Place]:
        """Return where segments of another rendition of the same source belong.

        Raises:
            UpstreamError, UpstreamTimeoutError: a segment of the video cannot be fetched, or is damaged.
            UnsupportedSourceError: it does not show a time.

        """
        times = self._plan.period_times()
        indices = [self._period_at(segment, times) for segment in segments]
        with single_error():
            async with TaskGroup() as tasks:
                clocks = {index: tasks.create_task(self._clock_at(index)) for index in dict.fromkeys(indices)}
        places, rounding, is_doubtful = [], 0.0, False
        for index, segment in zip(indices, segments, strict=True):
            is_doubtful = is_doubtful or segment.left_out > 0
            places.append(Place(segment.at, segment.seconds, times[index], clocks[index].result(), rounding, is_doubtful))
            rounding += segment.rounding
        return places

    def _period_at(self, segment: Segment, times: Sequence[float]) -> int:
        """Return the index of the period that a segment begins in."""
        at = segment.at + min(_INTO_SEGMENT_SECONDS, segment.seconds / 2)
        return min(max(0, bisect_right(times, at) - 1), len(self._plan.periods) - 1)

    async def _clock_at(self, index: int) -> float:
        """Return the time with which a period begins: the output begins with what comes first, later periods with their video."""
        starts = await self._starts(self._plan.periods[index])
        first = next((starts[medium] for medium in Medium if medium in starts), None)
        if first is None:
            raise UnsupportedSourceError("The video does not show when it begins, so that the times of its subtitles are unknown.")
        return first if index else min(unwrap(start, near=first) for start in starts.values())

    async def _starts(self, period: Period) -> dict[Medium, float]:
        with single_error():
            async with TaskGroup() as tasks:
                probes = [(track, tasks.create_task(self._probe.first_probe(track))) for track in period.tracks]
        streams = [stream for track, task in probes for medium in track.kind.media if (stream := task.result().main(medium))]
        return {stream.medium: stream.start for stream in streams if stream.start is not None}
