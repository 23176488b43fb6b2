"""Where the samples of a segment lie, from its fragments alone."""

from bisect import bisect_right
from collections.abc import Iterator, Mapping
from itertools import chain

from transcoder.core.media.mp4.boxes import Box
from transcoder.core.media.mp4.movie import Movie, TrackDefaults
from transcoder.core.media.mp4.sample_places import PlacedRun, read_placed_runs
from transcoder.core.media.mp4_source.segment_boxes import SegmentBoxes
from transcoder.core.media.mp4_source.tracks import source_damage
from transcoder.errors import DamagedMediaError, PlainLayoutError

_NO_DEFAULTS = TrackDefaults(0, 0, 0)


def placed_runs(segment: SegmentBoxes, movie: Movie) -> Iterator[PlacedRun]:
    """Iterate over the runs of samples of a segment whose tracks `movie` lists; each lies in its media.

    Raises:
        UpstreamError: a fragment is broken, or its samples lie outside of the media of the segment.
        PlainLayoutError: its times or its places are counted from elsewhere.
    """
    defaults = {track.id: track.defaults or _NO_DEFAULTS for track in movie.tracks}
    moofs = [box for box in segment.boxes if box.type == b"moof"]
    with source_damage():
        runs = list(chain.from_iterable(_runs_of(moof, defaults) for moof in moofs))
    starts = [start for start, _ in segment.media]
    for placed in runs:
        if not placed.run.sizes:
            continue
        if 0 in placed.run.sizes:
            raise DamagedMediaError("A segment is damaged: a fragment lists samples without bytes.")
        if placed.decode_time is None:
            raise PlainLayoutError("its fragments do not say when they are decoded")
        number = bisect_right(starts, placed.offset) - 1
        if number < 0 or placed.end > segment.media[number][1]:
            if placed.fragment.base_data_offset is not None:
                raise PlainLayoutError("its fragments count their data from the beginning of another file")
            if placed.offset < segment.start:
                raise DamagedMediaError("A segment is damaged: a fragment places its samples before the beginning of the segment.")
            raise DamagedMediaError("A segment is damaged: a fragment places its samples outside of the media of the segment.")
        yield placed


def _runs_of(moof: Box, defaults: Mapping[int, TrackDefaults]) -> Iterator[PlacedRun]:
    """Read the runs of a `moof`; of a track that no `moov` lists, it counts only where it ends."""
    return read_placed_runs(moof, lambda number: defaults.get(number, _NO_DEFAULTS))
