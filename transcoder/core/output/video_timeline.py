"""Where each video sample of the output lies: decoding without a jump, presentation as in the source.

All times here are integers in ticks of the track's timescale, on the output's media timeline.
"""

from itertools import accumulate, pairwise
from operator import add
from statistics import mode

from transcoder.core.media.slide import MIN_SLIDE_SECONDS
from transcoder.core.output.fragment import Fragment, TrackRun
from transcoder.core.output.header import OutputTrack

_MAX_SLIDE_FACTOR = 2.5
"""A slide that ffmpeg knows to last so long that EXTINF says up to so many times more stays as it is: EXTINF may be twice as long."""

_CATCH_UP = 8
"""Where the decode times of a period must catch up, its samples follow each other at this part of their duration. A delay of 7 frames is
then caught up within less than one duration, so that none is presented before it is decoded."""


class VideoTimeline:
    """The video track so far."""

    def __init__(self, track: OutputTrack) -> None:
        """Begin with nothing placed."""
        self.track = track
        self.end = 0
        """Where its presentation ends."""
        self._decode_end: int | None = None
        self._shown: list[int] = []
        """When the first picture of this period is shown, and the last two, as far as there are so many."""

    def begin_period(self) -> None:
        """Begin a period: the pictures so far say nothing about those that follow."""
        self._shown = []

    def place(self, fragment: Fragment, run: TrackRun, shift: int) -> None:
        """Put a run `shift` ticks later than its source says, its decode times contiguous with what came before.

        Presentation times are exact. Where a period needs a longer or shorter decoding delay than the one before it, its first decode
        times differ from the source's, and its composition offsets with them; soon the distance is the source's own, and runs pass as they
        are.
        """
        natural = run.decode_time + shift
        self.end = max(self.end, natural + max(map(add, accumulate(run.durations), run.offsets)))
        shown = sorted([*self._shown, *map(add, accumulate(run.durations, initial=natural), run.offsets)])
        self._shown = [shown[0], *shown[1:][-2:]]
        if self._decode_end is not None and natural != self._decode_end:
            fragment.rewritten = True
            self._decode_end = _catch_up(run, natural, self._decode_end)
            return
        run.decode_time = natural
        self._decode_end = natural + sum(run.durations)

    def keep_last_picture(self, fragment: Fragment, run: TrackRun | None, seconds: float) -> None:
        """Show the last picture of this period until `seconds` after its first one, if that is what a slide show does.

        ffmpeg does not know how long that is. `run` has the picture, if it has not been sent.
        """
        if not self._shown:
            return
        until, last = self._shown[0] + round(seconds * self.track.timescale), self._shown[-1]
        is_slide = len(self._shown) == 1 or last - self._shown[-2] > MIN_SLIDE_SECONDS * self.track.timescale
        if not is_slide or until - last <= _MAX_SLIDE_FACTOR * (self.end - last):
            return
        if run and run.sizes:
            fragment.rewritten = True
            run.durations = [*run.durations[:-1], run.durations[-1] + until - self.end]
            self._decode_end = None if self._decode_end is None else self._decode_end + until - self.end
        self.end = until


def _catch_up(run: TrackRun, natural: int, decode_end: int) -> int:
    """Let the decode times of a run begin at `decode_end` instead of `natural`; return where they end."""
    step = max(1, mode(run.durations) // _CATCH_UP)
    times = [decode_end]
    natural_times = [time + natural for time in accumulate(run.durations, initial=0)]
    for time in natural_times[1:]:
        times.append(max(time, times[-1] + step))
    run.offsets = [max(0, own + offset - time) for own, offset, time in zip(natural_times, run.offsets, times, strict=False)]
    run.durations = [after - before for before, after in pairwise(times)]
    run.decode_time = decode_end
    return times[-1]
