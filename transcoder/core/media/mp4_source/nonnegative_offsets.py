"""Fragments of a source as ffmpeg presents them right: without negative composition offsets.

ffmpeg presents the samples of a track later by its most negative composition offset (`dts_shift` in its mov.c), from the fragment on in
which it finds that. By ISO/IEC 14496-12 they are presented at their decode time plus their offset. So its distance to the other tracks
would not be that of the source, and would change on the way.
"""

from collections import deque
from collections.abc import Mapping, Sequence
from itertools import chain

from transcoder.core.media.mp4.boxes import Box, Mp4Error
from transcoder.core.media.mp4.fragment import TrackFragment, read_track_fragments
from transcoder.core.media.mp4.movie import TrackDefaults
from transcoder.core.media.mp4.retimed_fragment import SampleTimes, with_times
from transcoder.core.media.mp4.sample_columns import Repeated
from transcoder.core.media.mp4_source.decoding_delay import MAX_DELAY_FRAMES, DecodingDelay
from transcoder.core.media.mp4_source.frame_order import FrameOrder
from transcoder.core.media.streams import Medium

MAX_UNLISTED_SAMPLES = 10_000
"""More samples of which a fragment lists nothing are refused in a track with negative composition offsets: rewritten, each takes bytes."""
MAX_HELD_FRAGMENTS = 100
"""No more are held back, whether they show that or not."""
MAX_HELD_BYTES = 4 * 1024 * 1024
"""The same for their bytes, with their media."""
_NO_DEFAULTS = TrackDefaults(0, 0, 0)


class _Held:
    """A `moof` that is held back, and what follows it in its stream."""

    def __init__(self, moof: Box, fragments: Mapping[int, Sequence[TrackFragment]], frames: int, *, is_complete: bool) -> None:
        self.moof = moof
        self.fragments = fragments
        """Those that have samples of the tracks that count, by track id."""
        self.frames = frames
        """How many samples of video it has."""
        self.is_complete = is_complete
        """All frames that are presented before its last one are in it, or in front of it."""
        self.rest: list[bytes] = []


class NonNegativeOffsets:
    """Passes on the fragments of one track of a period, with earlier decode times where composition offsets are negative.

    A fragment that does not show how early its frames have to be decoded is held back until those behind it do.
    """

    def __init__(self, media: Mapping[int, Medium]) -> None:
        """Begin before the first fragment; `media` has the tracks whose times count, by id."""
        self._delays = {number: DecodingDelay() for number in media}
        self._orders = {number: FrameOrder() for number, medium in media.items() if medium is Medium.VIDEO}
        self._begun = False
        """A fragment with video has been passed on."""
        self._held = deque[_Held]()
        self._held_bytes = self._held_frames = 0
        self._moved = 0
        """How many bytes were added so far."""

    def add(self, moof: Box, fragments: Sequence[TrackFragment]) -> bytes:
        """Take the next `moof`, and return what can be passed on; `fragments` are those of the tracks whose times count.

        Raises:
            Mp4Error: what has to be changed in it is broken.
            UnsupportedSourceError: as `DecodingDelay.times_of` does.
        """
        by_track: dict[int, list[TrackFragment]] = {}
        for each in fragments:
            if any(run.sizes for run in each.runs):
                by_track.setdefault(each.track_id, []).append(each)
        videos = [(each, order) for number, order in self._orders.items() for each in by_track.get(number, ())]
        frames, complete = sum(each.samples for each, _ in videos), [order.is_complete_with(each) for each, order in videos]
        self._held.append(_Held(moof, by_track, frames, is_complete=all(complete)))
        self._held_frames += frames
        return self._released(len(moof.data))

    def add_other(self, data: bytes) -> bytes:
        """Take bytes that are no `moof`, and return what can be passed on. Raises what `add` does."""
        if not self._held:
            return data
        self._held[-1].rest.append(data)
        return self._released(len(data))

    def end(self) -> bytes:
        """End a segment, and return what was held back. Raises what `add` does."""
        return b"".join(part for _ in range(len(self._held)) for part in self._pass_on())

    def _released(self, more: int) -> bytes:
        """Return what need not be held back any longer, now that there are so many bytes `more`."""
        self._held_bytes += more
        parts = []
        while self._held and self._shows_order():
            parts += self._pass_on()
        return b"".join(parts)

    def _shows_order(self) -> bool:
        """Return whether enough is known of the first fragment that is held back: its frames, or those of a whole group behind it.

        The first fragments of a period have to show what is usual, so that decode times need not be squeezed right away.
        """
        first = self._held[0]
        is_whole = first.is_complete and (self._begun or self._held_frames > MAX_DELAY_FRAMES)
        is_known = not first.frames or is_whole or self._held_frames - first.frames > MAX_DELAY_FRAMES
        return is_known or len(self._held) > MAX_HELD_FRAGMENTS or self._held_bytes > MAX_HELD_BYTES

    def _pass_on(self) -> list[bytes]:
        """Return the first fragment that is held back, and what follows it."""
        held = self._held.popleft()
        parts = [self._write(held), *held.rest]
        self._held_bytes -= len(held.moof.data) + sum(map(len, held.rest))
        self._held_frames -= held.frames
        self._begun = self._begun or held.frames > 0
        return parts

    def _with_later(self, held: _Held, track_id: int) -> list[tuple[TrackFragment, Sequence[TrackFragment]]]:
        """Return the fragments of a track, each with those behind it: a few, since each of them has a frame at least."""
        own = held.fragments[track_id]
        behind = (other.fragments.get(track_id, ())[:MAX_DELAY_FRAMES] for other in self._held)
        every = [*own, *chain.from_iterable(behind)]
        return [(each, every[number : number + MAX_DELAY_FRAMES]) for number, each in enumerate(own, 1)]

    def _write(self, held: _Held) -> bytes:
        times, unlisted = dict[int, SampleTimes](), 0
        for number in held.fragments:
            delay = self._delays[number]
            for each, later in self._with_later(held, number):
                # Asked of each fragment when those in front of it have been taken: one of them may have begun the delay.
                unlisted += _unlisted_samples(each) if delay.applies_to(each, later) else 0
                if unlisted > MAX_UNLISTED_SAMPLES:
                    raise Mp4Error(held.moof.position, f"the box moof lists nothing of more than {MAX_UNLISTED_SAMPLES} samples")
                if found := delay.times_of(each, later):
                    times[each.box.start] = found
        if not times and not self._moved:
            return held.moof.raw
        every = list(read_track_fragments(held.moof, lambda _: _NO_DEFAULTS))  # what is written does not depend on them
        written = with_times(held.moof, every, times, moved=self._moved)
        self._moved += len(written) - (held.moof.end - held.moof.start)
        return written


def _unlisted_samples(fragment: TrackFragment) -> int:
    """Return how many samples take no byte in a fragment."""
    found = 0
    for run in fragment.runs:
        columns = (run.durations, run.sizes, run.listed_flags, run.composition_offsets)
        found += len(run.sizes) if all(type(column) is Repeated for column in columns) else 0
    return found
