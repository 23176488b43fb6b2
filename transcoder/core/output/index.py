"""The `mfra` at a film's end: where the fragments are that a player may begin at (ISO/IEC 14496-12, 8.8.9 to 8.8.11)."""

import struct
from array import array

from transcoder.core.output.boxes import box, full_box
from transcoder.core.output.header import Track

_MIN_SECONDS = 1
"""Fragments that begin sooner after the last one listed are left out: the index grows with the film's time, not with its pictures."""
_ENTRY = struct.Struct(">QQBBB")
_MFRO = 16


class Index:
    """The fragments of one track that begin with a sample which can be decoded by itself."""

    def __init__(self, track: Track) -> None:
        """List nothing yet."""
        self.track = track
        self._times = array("Q")
        self._places = array("Q")
        self._numbers = array("B")

    def add(self, time: int, *, moof_at: int, number: int) -> None:
        """List a fragment: its first presentation time in the track's ticks, its offset, and which `traf` of it is the track's."""
        if self._times and time < self._times[-1] + _MIN_SECONDS * self.track.timescale:
            return
        self._times.append(time)
        self._places.append(moof_at)
        self._numbers.append(number)

    def write(self) -> bytes:
        """Write the `mfra`, whose last four bytes are its own length."""
        rows = zip(self._times, self._places, self._numbers, strict=True)
        # The zero says that traf, trun and sample numbers take one byte each
        head = struct.pack(">III", self.track.id, 0, len(self._times))
        tfra = full_box(b"tfra", 1, 0, head, b"".join(_ENTRY.pack(time, at, number, 1, 1) for time, at, number in rows))
        mfro = full_box(b"mfro", 0, 0, struct.pack(">I", 8 + len(tfra) + _MFRO))
        return box(b"mfra", tfra, mfro)
