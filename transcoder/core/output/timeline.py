"""Where each sample of a film lies: picture without a jump in decoding, sound without a hole.

All times here are integers in the ticks of the track's timescale, on the film's media timeline.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from itertools import accumulate, pairwise
from operator import add
from statistics import mode

from transcoder.core.media.streams import Medium
from transcoder.core.output.fragment import Edit, Fragment, Run
from transcoder.core.output.header import Header, Track
from transcoder.core.output.index import Index
from transcoder.errors import TranscodeError

MAX_SILENCE_SECONDS = 3600
"""A longer hole in the sound is not filled: the source is broken."""

SOUND_OVER = Fraction(60, 1000)
"""Sound may be longer than the picture by so many seconds, and is cut; where it is longer yet, the picture stands still for it."""

_CATCH_UP = 8
"""Where a period's decode times must catch up, its samples follow each other at this part of their duration. Less than one duration
then passes before a delay of 7 pictures has been caught up, so that none is to be shown before it is decoded."""


class VideoTimeline:
    """The picture's track so far."""

    def __init__(self, track: Track) -> None:
        """Begin with nothing placed."""
        self.track = track
        self.end = 0
        """Where its presentation ends."""
        self._decoded: int | None = None

    def place(self, fragment: Fragment, run: Run, shift: int) -> None:
        """Put a run `shift` ticks later than its source says, its decode times contiguous with what was before.

        Presentation times are exact. Where a period needs more or less of a head start than the one before it, its first decode times
        differ from the source's, and its composition offsets with them; soon the distance is the source's own, and runs pass untouched.
        """
        natural = run.decode_time + shift
        self.end = max(self.end, natural + max(map(add, accumulate(run.durations), run.offsets)))
        if self._decoded is not None and natural != self._decoded:
            fragment.rewritten = True
            self._decoded = _catch_up(run, natural, self._decoded)
            return
        run.decode_time = natural
        self._decoded = natural + sum(run.durations)


def _catch_up(run: Run, natural: int, decoded: int) -> int:
    """Let a run's decode times begin at `decoded` instead of `natural`; return where they end."""
    step = max(1, mode(run.durations) // _CATCH_UP)
    times = [decoded]
    wished = [time + natural for time in accumulate(run.durations, initial=0)]
    for time in wished[1:]:
        times.append(max(time, times[-1] + step))
    run.offsets = [max(0, wish + offset - time) for wish, offset, time in zip(wished, run.offsets, times, strict=False)]
    run.durations = [after - before for before, after in pairwise(times)]
    run.decode_time = decoded
    return times[-1]


class AudioTimeline:
    """The sound's track so far.

    A reader that plays one frame after another and ignores their times is as common as one that stalls on a hole, so where two periods
    meet there is to be no hole and no overlap: frames are dropped, and silent ones put in, so that each lies within half a frame of its
    place. Within a period the source's own times stand, holes and all.
    """

    def __init__(self, track: Track) -> None:
        """Begin with nothing placed."""
        self.track = track
        self.end = 0
        """Where it ends."""
        self._frame = 0
        self._settled = False
        self._moved = 0
        """By how much this period's frames lie behind their places: half a frame at most."""

    def begin(self) -> None:
        """Begin a period: its first frame may lie anywhere."""
        self._settled = False

    def place(self, fragment: Fragment, run: Run, shift: int) -> None:
        """Put a run `shift` ticks later than its source says; a period's first frame, to within half a frame, right behind what was before.

        Raises:
            TranscodeError: a hole is too long to be filled.
        """
        run.decode_time += shift
        if not run.sizes:
            return
        if not self._frame:
            self._frame, self._settled = max(1, mode(run.durations)), True
        if not self._settled:
            self._join(fragment, run)
        else:
            run.decode_time += self._moved
        self.end = run.decode_time + sum(run.durations)

    def _join(self, fragment: Fragment, run: Run) -> None:
        """Drop what overlaps the period before, fill what is missing after it, and move the rest by what is left."""
        dropped = 0
        while dropped < len(run.sizes) and run.decode_time - self.end < -(self._frame // 2):
            fragment.edits.append(Edit(run.data_at + sum(run.sizes[:dropped]), run.sizes[dropped]))
            run.decode_time += run.durations[dropped]
            dropped += 1
        begin = run.data_at + sum(run.sizes[:dropped])
        run.durations, run.sizes, run.flags, run.offsets = (one[dropped:] for one in (run.durations, run.sizes, run.flags, run.offsets))
        fragment.rewritten = fragment.rewritten or dropped > 0
        if not run.sizes:
            run.decode_time = self.end
            return
        self._settled = True
        late = run.decode_time - self.end
        if late > self._frame // 2:
            self._fill(fragment, run, begin, late)
        self._moved = self.end - run.decode_time
        run.decode_time = self.end

    def _fill(self, fragment: Fragment, run: Run, at: int, late: int) -> None:
        """Put silence before a run; where none is known for its codec, the hole stays."""
        if self.track.silence is None:
            self.end += late
            return
        count = self._frames(late)
        fragment.rewritten = True
        fragment.edits.append(Edit(at, 0, self.track.silence * count))
        run.decode_time -= count * self._frame
        run.durations = [*[self._frame] * count, *run.durations]
        run.sizes = [*[len(self.track.silence)] * count, *run.sizes]
        run.flags = [*[run.flags[0]] * count, *run.flags]
        run.offsets = [*[0] * count, *run.offsets]

    def _frames(self, hole: int) -> int:
        """Return how many frames fill a hole best."""
        if hole > MAX_SILENCE_SECONDS * self.track.timescale:
            raise TranscodeError("The sound has a hole too long to be filled.")
        return (hole + self._frame // 2) // self._frame

    def cut(self, fragment: Fragment, run: Run, limit: int) -> None:
        """Drop the frames at a run's end that lie, by more than half, behind `limit`."""
        sizes, start = list(run.sizes), self.end
        taken = next((edit for edit in reversed(fragment.edits) if edit.insert), None)
        floor = taken.at if taken else run.data_at
        while sizes and run.data_end - sizes[-1] >= floor and start - run.durations[len(sizes) - 1] + self._frame // 2 > limit:
            start -= run.durations[len(sizes) - 1]
            size = sizes.pop()
            run.data_end -= size
            fragment.edits.append(Edit(run.data_end, size))
        if len(sizes) < len(run.sizes):
            fragment.rewritten = True
            count = len(sizes)
            run.sizes, run.durations, run.flags, run.offsets = sizes, run.durations[:count], run.flags[:count], run.offsets[:count]
            self.end = start

    def lengthen(self, fragment: Fragment, run: Run, limit: int) -> None:
        """Let a run's last frame last until `limit`, where no silent frame is known that could fill what comes between."""
        if self.track.silence is None and limit > self.end and run.durations:
            fragment.rewritten = True
            run.durations = [*run.durations[:-1], run.durations[-1] + limit - self.end]
            self.end = limit


@dataclass(slots=True)
class OutputTimeline:
    """What has been decided for all periods."""

    header: Header
    zero: Mapping[Medium, int]
    picture: VideoTimeline | None
    sound: AudioTimeline | None
    index: Index
    fragments: int = 0

    @property
    def ends(self) -> dict[Medium, Fraction]:
        """When each track ends, in seconds after the film's begin."""
        tracks = [track for track in (self.picture, self.sound) if track]
        return {one.track.medium: Fraction(one.end - self.zero[one.track.medium], one.track.timescale) for one in tracks}

    @property
    def end(self) -> Fraction:
        """When the film ends, or its next period begins."""
        ends = self.ends
        picture, latest = ends.get(Medium.VIDEO), max(ends.values())
        return latest if picture is None or latest - picture > SOUND_OVER else picture

    def track(self, medium: Medium) -> VideoTimeline | AudioTimeline:
        """Return the track of that medium.

        Raises:
            TranscodeError: the film has none.
        """
        track = self.picture if medium is Medium.VIDEO else self.sound
        if not track:
            raise TranscodeError("A fragment is of a medium that the film does not have.")
        return track
