"""The periods of one output, one after another; the first one may begin before all of the source has been probed."""

from collections.abc import Sequence
from functools import partial

from transcoder.core.hls.plan import Plan
from transcoder.core.media.streams import Medium
from transcoder.core.output.announcement import Announcement, announce_plan
from transcoder.core.output.clip_window import audio_seconds, clip_windows, cut_for_clip
from transcoder.core.output.header import Durations
from transcoder.core.output.joiner import Joiner
from transcoder.core.output.labels import Labels
from transcoder.core.output.mp3_joiner import Mp3Joiner
from transcoder.core.output.probed_track import ProbedTrack
from transcoder.core.request.output_format import FileFormat, OutputFormat
from transcoder.edge import ffmpeg
from transcoder.errors import DamagedMediaError, UnsupportedSourceError
from transcoder.pipeline.output_stream import Output, PeriodStart
from transcoder.pipeline.period import AUDIO_COMES_AND_GOES, PeriodSettings, remux_period
from transcoder.pipeline.rendition import Rendition
from transcoder.pipeline.segment import ProbedSegment


def is_settled(plan: Plan, begun: Sequence[ProbedTrack]) -> bool:
    """Return whether the ends of the tracks change nothing but the durations of the output, given what its first segments show.

    A clip lies on the timeline by these ends, other periods decide about the format of the audio, and the last segment of a track that
    begins without audio shows whether it has some.
    """
    return plan.output_format.clip is None and len(plan.periods) == 1 and not any(track.lacks_audio for track in begun)


class PeriodsRun:
    """Remuxes the periods of a plan into an output."""

    def __init__(self, plan: Plan, renditions: Sequence[Rendition], output: Output, program: ffmpeg.Program, labels: Labels) -> None:
        """Read `renditions` through `program` into `output`; `labels` are what that says about itself."""
        self._plan = plan
        self._renditions = renditions
        self._output = output
        self._program = program
        self._labels = labels
        self._periods: Sequence[Sequence[ProbedTrack]] = ()
        self._announcement: Announcement | None = None

    def announce(self, periods: Sequence[Sequence[ProbedTrack]]) -> None:
        """Announce the output, whose periods have been probed to their ends. Raises what `announce_plan` does."""
        self._periods = periods
        announcement = self._announcement = announce_plan(self._plan, periods)
        self._output.announce(announcement, _joiner(periods, announcement, self._plan.output_format))

    async def run(self, periods: Sequence[Sequence[ProbedTrack]]) -> None:
        """Remux all `periods`, of which the ends need not be known before the output is announced.

        Raises:
            UnsupportedSourceError, DamagedMediaError: as `announce_plan` does.
            TranscoderError: what `remux_period` raises.

        """
        self._periods = self._periods or periods
        output_format, announcement = self._plan.output_format, self._announcement or announce_plan(self._plan, periods)
        windows = clip_windows(self._periods, output_format.clip)
        joined, begun, silent = len(self._periods) > 1, set[int](), set[int]()
        while any(rendition.current for rendition in self._renditions):
            index, present = self._next_period()
            if index in silent:
                raise UnsupportedSourceError(AUDIO_COMES_AND_GOES)  # its silence lasts as long as the whole period
            goes_on_from = present[0][0].goes_on_from if len(present) == 1 else None
            self._output.begin_period(partial(self._start, index, goes_on_from))
            settings = PeriodSettings(
                self._program, announcement, output_format, windows[index], joined, self._labels, index not in begun, goes_on_from
            )
            begun.add(index)
            if await remux_period(partial(self._tracks, index), present, self._output, settings):
                silent.add(index)
        await self._output.finish()

    def _tracks(self, index: int) -> Sequence[ProbedTrack]:
        """Return the tracks of a period as far as they have been probed."""
        return self._periods[index]

    def _start(self, index: int, goes_on_from: float | None) -> PeriodStart:
        ends_with_slide = any(track.slide for track in self._periods[index])
        return PeriodStart(index == len(self._periods) - 1, ends_with_slide, goes_on_from)

    def _next_period(self) -> tuple[int, list[tuple[Rendition, ProbedSegment]]]:
        """Return which of the plan's periods comes next, and the renditions of its tracks: all of them must stand at its beginning.

        Raises:
            UpstreamError: one rendition has left a timeline that the other is still on.

        """
        standing = {rendition.kind: (rendition, rendition.current) for rendition in self._renditions if rendition.current}
        index = min(segment.period for _, segment in standing.values())
        kinds = [track.track.kind for track in self._periods[index]]
        present = [standing[kind] for kind in kinds if kind in standing and standing[kind][1].period == index]
        if len(present) < len(kinds):
            if any(rendition.has_changed for rendition, _ in present):
                raise UnsupportedSourceError("The video or the audio changes its streams or their format by itself, and no tag says where.")
            raise DamagedMediaError("The timestamps of video and audio do not restart at the same place.")
        return index, present


def _joiner(periods: Sequence[Sequence[ProbedTrack]], announcement: Announcement, output_format: OutputFormat) -> Joiner | Mp3Joiner:
    """Return what joins the output of each period's ffmpeg."""
    if output_format.format is FileFormat.MP3:
        seconds = audio_seconds(periods, clip_windows(periods, output_format.clip))
        return Mp3Joiner(Durations(seconds, {Medium.AUDIO: seconds}))
    cut = cut_for_clip(periods[0], announcement, output_format.clip)
    return Joiner(Durations(announcement.seconds, announcement.media), cut=cut)
