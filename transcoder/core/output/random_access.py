"""Which fragments the index at the end of the output lists."""

from array import array
from itertools import starmap

from transcoder.core.media.mp4.mfra import IndexEntry, write_index
from transcoder.core.output.header import OutputTrack

_MIN_SECONDS = 1
"""Fragments that begin sooner after the last one listed are left out: the index grows with the output's duration, not with its frames."""


class RandomAccessIndex:
    """The fragments of one track that begin with a sample which can be decoded by itself."""

    def __init__(self, track: OutputTrack) -> None:
        """List nothing yet."""
        self.track = track
        self._times = array("Q")
        self._moof_offsets = array("Q")
        self._traf_numbers = array("B")

    def add(self, entry: IndexEntry) -> None:
        """List a fragment."""
        if self._times and entry.time < self._times[-1] + _MIN_SECONDS * self.track.timescale:
            return
        self._times.append(entry.time)
        self._moof_offsets.append(entry.moof_offset)
        self._traf_numbers.append(entry.traf_number)

    def write(self) -> bytes:
        """Write the `mfra`, the last box of a whole output."""
        rows = zip(self._times, self._moof_offsets, self._traf_numbers, strict=True)
        return write_index(self.track.id, starmap(IndexEntry, rows))
