"""How exact EXTINF is, by the segments that have passed, and what the first and the last one lack by it."""

from transcoder.core.media.passed_segment import MAX_REORDERED, STEADY_SHARE, PassedSegment, SegmentExtent, hole_between
from transcoder.core.media.streams import Medium
from transcoder.core.media.timestamps import unwrap

JITTER_SECONDS = 0.004
"""Timestamps may be this inexact: some packagers round them to milliseconds."""
_MIN_LATER_SEGMENTS = 2
"""EXTINF of the first segment is believed if that of at least so many later ones is exact."""
_MIN_LONGER_SECONDS = 0.5
"""A last segment that is longer than EXTINF by more than this has a wrong one; by less, it may have the rest of the audio."""
_MIN_PAUSE_SECONDS = 0.3
"""A medium that has paused for longer before each segment may do so before the end, too, and for any time."""
_MIN_SHORT_SAMPLES = 0.6
"""A last segment is short if it lacks at least so many samples, beyond what EXTINF is inexact by."""


class ExtinfAccuracy:
    """Compares EXTINF with the segments of one track on one timeline."""

    def __init__(self) -> None:
        """Begin before the first segment."""
        self._deviations: dict[Medium, float] = {}
        """By how many seconds EXTINF has differed from the distance of two segments, at most."""
        self._lacking: set[Medium] = set()
        """Media that have lacked samples before the last segment."""
        self._sample_seconds: dict[Medium, float] = {}
        """The longest sample that has ended a segment: the very last one may be cut short by the packager."""
        self._delays: dict[Medium, float] = {}
        """The longest time from the last decode time of a segment to the end of its presentation."""
        self._pauses: dict[Medium, float] = {}
        """By how many seconds a medium has ended before the next segment, at least: audio shorter than each slide, or the slides."""
        self._first: PassedSegment | None = None
        """The first segment of the track; without it nothing shows when the track ends."""
        self._lacks: list[float] = []
        """By how many seconds each segment that has a successor, from the first one on, falls short of EXTINF."""
        self._misguessed = 0.0
        """By how many seconds segments were longer than guessed, all together and at least."""

    def begin(self, segment: PassedSegment) -> None:
        """Note where the track begins: with this segment, unless one was given before."""
        if self._first is None and segment.extents:
            self._first = segment

    def missing_beginning(self, last: PassedSegment) -> float:
        """Return by how many seconds the first segment falls short of EXTINF, 0 if it does not: EXTINF must be exact about all later ones.

        Only then it is known that the origin lacks its beginning. The end of any segment is compared with the start of the next one. ffmpeg
        writes playlists of slides where the first EXTINF is too long by a slide, and the last one too short by several.
        """
        if self._first is None or self._first.guessed or len(self._lacks) <= _MIN_LATER_SEGMENTS:
            return 0.0
        first, *later = self._lacks
        longest_sample = max(self._sample_seconds.values())
        longer = min((extent.seconds for extent in last.extents.values()), default=0.0) - last.seconds
        inexactness = max(self._first.rounding, *map(abs, later), longer if longer > _MIN_LONGER_SECONDS else 0.0)
        # Some packagers count the first segment from its first decode time.
        samples = 1 if self._first.packets.headless else 1 + MAX_REORDERED
        return first if first > 2 * inexactness + JITTER_SECONDS + samples * longest_sample else 0.0

    def shortfall(self, last: PassedSegment) -> float:
        """Return by how many seconds the last segment falls short, 0 if it does not: of EXTINF, as far as EXTINF has been right so far.

        Where EXTINF has been exact to within half a sample of a medium, it was measured from that medium and speaks for it alone.
        Otherwise the longest medium counts, since the others may end earlier; unless it lacks samples inside, as none before it did: a cut
        takes away frames that are shown before the last one.
        """
        if not self._deviations:
            return 0.0
        missing = {medium: self._missing_at_end(medium, last) for medium in last.extents}
        undecoded = max((self._undecoded(medium, extent) for medium, extent in last.extents.items()), default=0.0)
        if undecoded:
            return max(undecoded, *missing.values())
        exact = [short for medium, short in missing.items() if self._is_exact(medium, last)]
        return max(0.0, *exact, min(missing.values(), default=0.0))

    def _undecoded(self, medium: Medium, extent: SegmentExtent) -> float:
        """Return how long the samples are that an extent lacks, if it is shown so much longer after its decoding than those before it."""
        usual, missing = self._delays.get(medium), extent.lacking * extent.sample_seconds
        if usual is None or extent.delay is None or medium in self._lacking or not 0 < extent.lacking <= MAX_REORDERED:
            return 0.0
        return missing if abs(extent.delay - usual - missing) <= STEADY_SHARE * extent.sample_seconds else 0.0

    def _missing_at_end(self, medium: Medium, last: PassedSegment) -> float:
        """Return what is missing of the last segment by EXTINF, 0 if it is less than EXTINF is inexact by."""
        if self._first is None or medium not in self._deviations or self._pauses[medium] > _MIN_PAUSE_SECONDS:
            return 0.0
        extent = last.extents[medium]
        # A medium may begin late, and all its segments with it: then it ends where the playlist says, in a shorter last segment.
        end_of_playlist = _start(self._first) - self._first.at + last.at + last.seconds + self._misguessed
        short = min(last.seconds - extent.seconds, unwrap(end_of_playlist, near=extent.end) - extent.end)
        sample_seconds = max(extent.sample_seconds, self._sample_seconds[medium])
        if extent.sample_seconds:
            short -= sample_seconds - extent.sample_seconds
        tolerance = self.inexactness(medium, last) + JITTER_SECONDS + _MIN_SHORT_SAMPLES * sample_seconds
        return short if short > tolerance else 0.0

    def _is_exact(self, medium: Medium, last: PassedSegment) -> bool:
        return medium in self._deviations and self.inexactness(medium, last) < last.extents[medium].sample_seconds / 2

    def inexactness(self, medium: Medium, segment: PassedSegment) -> float:
        """Return by how many seconds the EXTINF of a segment may be wrong about a medium, as far as that is known."""
        return max(self._deviations.get(medium, 0.0), segment.rounding)

    def measure(self, before: PassedSegment, after: PassedSegment) -> None:
        """Note how exact EXTINF is, by the distance of the starts of two segments, and how regular the samples of the first one are."""
        lacks = _lacks(before, after)
        if before.guessed:
            self._misguessed -= max(lacks, default=0.0)
        else:
            self._lacks += lacks and [min(lacks)]
        for medium, extent in before.extents.items():
            if extent.lacking:
                self._lacking.add(medium)
            self._sample_seconds[medium] = max(extent.sample_seconds, self._sample_seconds.get(medium, 0.0))
            if extent.delay is not None:
                self._delays[medium] = max(extent.delay, self._delays.get(medium, 0.0))
            if (hole := hole_between(before, after, medium)) is not None:
                pause = hole - (after.at - before.at - before.seconds)  # a gap in the playlist is none
                self._pauses[medium] = max(0.0, min(pause, self._pauses.get(medium, pause)))
            if medium in after.extents and not before.guessed:
                distance = after.extents[medium].start - extent.start
                deviation = abs(distance - (after.at - before.at))
                self._deviations[medium] = max(deviation, self._deviations.get(medium, 0.0))


def _start(segment: PassedSegment) -> float:
    return min(extent.start for extent in segment.extents.values())


def _lacks(before: PassedSegment, after: PassedSegment) -> list[float]:
    """Return by how many seconds a segment is shorter than the playlist says, by the distance to the next one; nothing if it is not known.

    The distance is that of the first samples, and that of the video alone, or of the audio if there is none: one medium may begin later
    than the other in the first segment, or earlier in all others, so the smaller lack counts. A video that begins without parameter sets
    does not begin later: something before that is missing.
    """
    medium = next((medium for medium in Medium if medium in before.extents and medium in after.extents), None)
    if medium is None:
        return []
    starts = [(before.extents[medium].start, after.extents[medium].start)]
    if medium not in before.packets.headless:
        starts.append((_start(before), _start(after)))
    return [after.at - before.at - (unwrap(later, near=earlier) - earlier) for earlier, later in starts]
