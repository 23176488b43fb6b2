"""Where the samples of a fragment lie (ISO/IEC 14496-12, 8.8.7 and 8.8.8)."""

from collections.abc import Callable, Iterator
from typing import NamedTuple

from transcoder.core.media.mp4.boxes import Box
from transcoder.core.media.mp4.fragment import SampleRun, TrackFragment, read_track_fragments
from transcoder.core.media.mp4.movie import TrackDefaults
from transcoder.core.media.mp4.sample_columns import total


class PlacedRun(NamedTuple):
    """The samples of one `trun`, and where they lie."""

    fragment: TrackFragment
    run: SampleRun
    decode_time: int | None
    """Of its first sample; None without a `tfdt`."""
    offset: int
    """Where its bytes begin, counted as the box counts its own position."""

    @property
    def end(self) -> int:
        """Where its bytes end."""
        return self.offset + total(self.run.sizes)


def read_placed_runs(moof: Box, defaults_of: Callable[[int], TrackDefaults | None]) -> Iterator[PlacedRun]:
    """Read the runs of a whole `moof`; `defaults_of` must know all of its tracks, since one may begin where another one ends.

    Raises:
        Mp4Error: as `read_track_fragments` does.
    """
    end = moof.position
    for number, fragment in enumerate(read_track_fragments(moof, defaults_of)):
        base = fragment.base_data_offset
        if base is None:
            base = moof.position if fragment.base_is_moof or not number else end
        at, time = base, fragment.decode_time
        for run in fragment.runs:
            placed = PlacedRun(fragment, run, time, at if run.data_offset is None else base + run.data_offset)
            yield placed
            at = end = placed.end
            time = None if time is None else time + total(run.durations)
