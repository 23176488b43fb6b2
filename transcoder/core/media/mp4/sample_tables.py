"""The sample tables of a plain MP4: how many samples a track has, how large and how long (ISO/IEC 14496-12, 8.6.1 and 8.7.3)."""

from dataclasses import dataclass
from operator import mul

from transcoder.core.media.mp4.boxes import Box
from transcoder.core.media.mp4.sample_columns import read_column

_MAX_SIZES = 10_000_000
"""The sizes of more samples are not added up."""


@dataclass(frozen=True, slots=True)
class SampleTables:
    """What the tables of one track add up to."""

    samples: int
    bytes: int
    """Of all samples; 0 if their sizes are not in the table."""
    ticks: int
    """How long all samples last, in ticks of the track's timescale."""
    first_offset: int
    """The composition offset of the first sample, in ticks."""
    descriptions: frozenset[int] = frozenset()
    """Which of the track's sample entries the samples have, counted from 1."""


def read_sample_tables(stbl: Box) -> SampleTables | None:
    """Read an `stbl`; None if it lists no samples, as in a fragmented MP4.

    Raises:
        Mp4Error: a table is cut short.
    """
    sizes = stbl.find(b"stsz")
    samples = sizes.uint(8, 4) if sizes else 0
    if sizes is None or not samples:
        return None
    durations, offsets = stbl.find(b"stts"), stbl.find(b"ctts")
    first_offset = offsets.sint(12, 4) if offsets and offsets.uint(4, 4) else 0
    ticks = _read_ticks(durations) if durations else 0
    return SampleTables(samples, _read_bytes(sizes, samples), ticks, first_offset, _read_descriptions(stbl.find(b"stsc")))


def _read_bytes(stsz: Box, samples: int) -> int:
    same = stsz.uint(4, 4)
    if same or samples > _MAX_SIZES or stsz.body + 12 + 4 * samples > stsz.end:
        return same * samples
    return sum(read_column(stsz, "I", samples, 12))


def _read_descriptions(stsc: Box | None) -> frozenset[int]:
    count = min(stsc.uint(4, 4), (stsc.end - stsc.body - 8) // 12) if stsc else 0
    # Some files have 0, which readers take for the first entry.
    return frozenset(number or 1 for number in read_column(stsc, "I", 3 * count, 8)[2::3]) if stsc else frozenset()


def _read_ticks(stts: Box) -> int:
    count = min(stts.uint(4, 4), (stts.end - stts.body - 8) // 8)
    pairs = read_column(stts, "I", 2 * count, 8)
    return sum(map(mul, pairs[::2], pairs[1::2]))
