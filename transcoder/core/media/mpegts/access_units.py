"""Access units in H.264 and HEVC byte streams (ISO/IEC 14496-10 and 23008-2, annex B), counted as libavcodec's parsers split them."""

from copy import copy

_START_CODE = b"\0\0\1"
_LOOKAHEAD = 9
"""Start code, NAL unit header, and the longest first_mb_in_slice that a parser looks at."""


class AccessUnits:
    """Counts the access units of a byte stream that comes in any pieces.

    An access unit counts from its first byte on, as a parser hands out what it holds when its input ends.
    """

    _DECIDABLE = len(_START_CODE) + 1
    """With fewer bytes of a NAL unit at the end of a stream a parser does not look at it."""

    def __init__(self) -> None:
        """Begin before the first byte."""
        self._begun = 0
        self._carry = b""
        self._in_picture = False

    @property
    def count(self) -> int:
        """How many access units have begun."""
        if len(self._carry) < self._DECIDABLE:
            return self._begun
        # What is held back until its header can be read with certainty is, for now, the end of the stream.
        ended = copy(self)
        ended.feed(b"\xff" * _LOOKAHEAD)
        return ended._begun  # noqa: SLF001 - its own copy

    def feed(self, data: bytes) -> None:
        """Take the next bytes of the elementary stream."""
        if not data:
            return
        if not self._begun:
            self._begun = 1
        if self._carry:
            data = self._carry + data
        at = data.find(_START_CODE)
        last = len(data) - _LOOKAHEAD
        while 0 <= at <= last:
            self._unit(data, at + 3)
            at = data.find(_START_CODE, at + 3)
        self._carry = data[at:] if at >= 0 else data[-2:]

    def _unit(self, data: bytes, at: int) -> None:
        """Look at the NAL unit whose header is at `at`."""
        raise NotImplementedError

    def _boundary(self) -> None:
        """Something that comes before the first slice of a picture: it ends the picture before."""
        if self._in_picture:
            self._in_picture = False
            self._begun += 1


class H264AccessUnits(AccessUnits):
    """H.264: a picture ends at SEI, SPS, PPS, AUD, or at a slice that does not lie after the slice before.

    Each field of a field pair is a sample of its own, as ffmpeg has it.
    """

    _BOUNDARIES = frozenset({6, 7, 8, 9})
    _SLICES = frozenset({1, 2, 5})

    def __init__(self) -> None:
        """Begin before the first byte."""
        super().__init__()
        self._last_macroblock = 0

    def _unit(self, data: bytes, at: int) -> None:
        kind = data[at] & 0x1F
        if kind in self._SLICES:
            macroblock = _exp_golomb(data, at + 1)
            if self._in_picture and macroblock <= self._last_macroblock:
                self._begun += 1
            self._in_picture = True
            self._last_macroblock = macroblock
        elif kind in self._BOUNDARIES:
            self._boundary()


class HevcAccessUnits(AccessUnits):
    """HEVC: a picture ends at VPS ... EOB, prefix SEI, reserved prefixes, or at the first slice segment of the next."""

    _BOUNDARIES = frozenset({*range(32, 38), 39, *range(41, 45), *range(48, 56)})
    _SLICES = frozenset({*range(10), *range(16, 22)})
    _DECIDABLE = len(_START_CODE) + 3

    def _unit(self, data: bytes, at: int) -> None:
        layer = (data[at] & 1) << 5 | data[at + 1] >> 3
        if layer:
            return
        kind = data[at] >> 1 & 0x3F
        if kind in self._BOUNDARIES:
            self._boundary()
        elif kind in self._SLICES and data[at + 2] & 0x80:
            if self._in_picture:
                self._begun += 1
            self._in_picture = True


def _exp_golomb(data: bytes, at: int) -> int:
    """Read ue(v) (ISO/IEC 14496-10, 9.1) from the bits at byte `at`."""
    if data[at] & 0x80:
        return 0
    bits = int.from_bytes(data[at : at + 5], "big")
    zeros = 40 - bits.bit_length()
    return (bits >> max(0, 39 - 2 * zeros)) - 1
