"""Counters of access units in H.264 and HEVC byte streams (ISO/IEC 14496-10 and 23008-2, annex B).

They split a stream where libavcodec's parsers split it.
"""

from copy import copy

_START_CODE = b"\0\0\1"
_LOOKAHEAD = 9
"""Start code, NAL unit header, and the longest first_mb_in_slice that a parser looks at."""


class AccessUnitCounter:
    """Counts the access units of a byte stream, given in pieces of any size.

    An access unit counts from its first byte on: when its input ends, a parser outputs what it has, complete or not.
    """

    _MIN_NAL_UNIT_BYTES = len(_START_CODE) + 1
    """A parser ignores a NAL unit at the end of a stream if fewer bytes of it are there."""

    def __init__(self) -> None:
        """Begin before the first byte."""
        self._begun = 0
        self._carry = b""
        self._in_picture = False
        self._has_parameter_sets = False
        self.is_headless = False
        """The first picture of the stream comes without parameter sets: nothing can decode it."""
        self.undecodable = 0
        """Number of access units before the first parameter sets, once those have come."""

    @property
    def count(self) -> int:
        """Number of access units that have begun."""
        if len(self._carry) < self._MIN_NAL_UNIT_BYTES:
            return self._begun
        # A NAL unit is held back until its header can be read for certain. For this count it is the end of the stream.
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
        find, read, last = data.find, self._read_nal_unit, len(data) - _LOOKAHEAD
        at = find(_START_CODE)
        while 0 <= at <= last:
            read(data, at + 3)
            at = find(_START_CODE, at + 3)
        self._carry = data[at:] if at >= 0 else data[-2:]

    def _read_nal_unit(self, data: bytes, at: int) -> None:
        """Read the NAL unit whose header is at `at`."""
        raise NotImplementedError

    @property
    def has_picture(self) -> bool:
        """Whether the first slice has come."""
        return self._in_picture or self._begun > 1

    def _take_parameter_sets(self) -> None:
        """Take a sequence parameter set, which belongs to the access unit that has just begun."""
        if not self._has_parameter_sets and self.is_headless:
            self.undecodable = self._begun - 1
        self._has_parameter_sets = True

    def _begin_picture(self) -> None:
        """Begin a picture with its first slice."""
        if not self._in_picture and self._begun == 1:
            self.is_headless = not self._has_parameter_sets
        self._in_picture = True

    def _end_picture(self) -> None:
        """End the current picture at a NAL unit that comes before the first slice of the next one."""
        if self._in_picture:
            self._in_picture = False
            self._begun += 1


class H264AccessUnitCounter(AccessUnitCounter):
    """H.264: a picture ends at an SEI, SPS, PPS or AUD, or at a slice that does not lie after the previous slice.

    Each field of a field pair is a sample of its own, as it is for ffmpeg.
    """

    _BOUNDARIES = frozenset({6, 7, 8, 9})
    _SLICES = frozenset({1, 2, 5})
    _SPS = 7

    def __init__(self) -> None:
        """Begin before the first byte."""
        super().__init__()
        self._last_macroblock = 0

    def _read_nal_unit(self, data: bytes, at: int) -> None:
        kind = data[at] & 0x1F
        if kind in self._SLICES:
            macroblock = 0 if data[at + 1] & 0x80 else _exp_golomb(data, at + 1)
            if self._in_picture and macroblock <= self._last_macroblock:
                self._begun += 1
            self._begin_picture()
            self._last_macroblock = macroblock
        elif kind in self._BOUNDARIES:
            self._end_picture()
            if kind == self._SPS:
                self._take_parameter_sets()


class HevcAccessUnitCounter(AccessUnitCounter):
    """HEVC: a picture ends at VPS ... EOB, a prefix SEI, a reserved prefix, or at the first slice segment of the next picture."""

    _BOUNDARIES = frozenset({*range(32, 38), 39, *range(41, 45), *range(48, 56)})
    _SLICES = frozenset({*range(10), *range(16, 22)})
    _SPS = 33
    _MIN_NAL_UNIT_BYTES = len(_START_CODE) + 3

    def _read_nal_unit(self, data: bytes, at: int) -> None:
        layer = (data[at] & 1) << 5 | data[at + 1] >> 3
        if layer:
            return
        kind = data[at] >> 1 & 0x3F
        if kind in self._BOUNDARIES:
            self._end_picture()
            if kind == self._SPS:
                self._take_parameter_sets()
        elif kind in self._SLICES and data[at + 2] & 0x80:
            if self._in_picture:
                self._begun += 1
            self._begin_picture()


def _exp_golomb(data: bytes, at: int) -> int:
    """Read ue(v) (ISO/IEC 14496-10, 9.1) from the bits at byte `at`."""
    bits = int.from_bytes(data[at : at + 5], "big")
    zeros = 40 - bits.bit_length()
    return (bits >> max(0, 39 - 2 * zeros)) - 1


ACCESS_UNIT_COUNTERS: dict[str, type[AccessUnitCounter]] = {"h264": H264AccessUnitCounter, "hevc": HevcAccessUnitCounter}
"""By ffmpeg's name of the codec."""
