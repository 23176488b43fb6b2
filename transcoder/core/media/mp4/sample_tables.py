"""The sample tables of a plain MP4, read and written: which samples a track has, and where they lie (ISO/IEC 14496-12, 8.6 and 8.7)."""

import struct
import sys
from array import array
from collections.abc import Iterator, Sequence
from itertools import groupby, islice
from operator import mul
from typing import NamedTuple

from transcoder.core.media.mp4.boxes import Box, Mp4Error, full_box
from transcoder.core.media.mp4.fragment import NOT_SYNC
from transcoder.core.media.mp4.sample_columns import read_column
from transcoder.core.media.mp4.track_samples import TrackSamples

_MAX_SIZES = 10_000_000
"""The sizes of more samples are not added up."""
_ALL_BITS = 0xFFFFFFFF


class SampleTables(NamedTuple):
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


def write_sample_tables(samples: TrackSamples, *, has_sync: bool) -> bytes:
    """Write every table of an `stbl` but `stsd` and the chunk offsets, from `stts` to `stsz`; `stss` and `sdtp` only of video (`has_sync`).

    Composition offsets below 0 make the `ctts` one of version 1 (8.6.1.3).
    """
    tables = [full_box(b"stts", 0, 0, _run_lengths(samples.durations))]
    if any(samples.offsets):
        tables.append(full_box(b"ctts", int(min(samples.offsets) < 0), 0, _run_lengths(samples.offsets)))
    if has_sync:
        tables += _write_dependencies(samples.flags)
    tables.append(full_box(b"stsc", 0, 0, _chunk_runs(samples)))
    tables.append(full_box(b"stsz", 0, 0, struct.pack(">II", 0, len(samples.sizes)), _big_endian(samples.sizes)))
    return b"".join(tables)


def write_chunk_offsets(offsets: Sequence[int], *, wide: bool) -> bytes:
    """Write the `stco` of offsets that fit into 32 bits, or the `co64` of `wide` ones (8.7.5)."""
    table = struct.pack(f">{len(offsets)}{'Q' if wide else 'I'}", *offsets)
    return full_box(b"co64" if wide else b"stco", 0, 0, struct.pack(">I", len(offsets)), table)


def read_chunk_spans(stbl: Box) -> Iterator[tuple[int, int]]:
    """Iterate over the chunks of an `stbl`: where each begins in the file, and where it ends.

    Raises:
        Mp4Error: a table is missing or cut short, or they do not agree.
    """
    sizes, runs = stbl.require(b"stsz"), stbl.require(b"stsc")
    offsets = stbl.find(b"co64") or stbl.require(b"stco")
    count, same = sizes.uint(8, 4), sizes.uint(4, 4)
    lengths = iter(() if same else read_column(sizes, "I", count, 12))
    chunks = offsets.numbers("Q" if offsets.type == b"co64" else "I", offsets.uint(4, 4), 8)
    entries = read_column(runs, "I", 3 * runs.uint(4, 4), 8)
    firsts = [*entries[::3], len(chunks) + 1]
    left = count
    for first, following, samples in zip(firsts, firsts[1:], entries[1::3], strict=False):
        for number in range(first, following):
            left -= samples
            if not 0 < number <= len(chunks) or left < 0:
                raise Mp4Error(stbl.position, "the sample tables do not agree")
            yield chunks[number - 1], chunks[number - 1] + (same * samples if same else sum(islice(lengths, samples)))
    if left:
        raise Mp4Error(stbl.position, "the sample tables do not agree")


def _run_lengths(values: Sequence[int]) -> bytes:
    """Write a table of runs of equal numbers, negative ones in two's complement; hours of video have a run for nearly every sample."""
    rows = array("I")
    for value, group in groupby(values):
        rows.extend((sum(1 for _ in group), value & _ALL_BITS))
    return struct.pack(">I", len(rows) // 2) + _big_endian(rows)


def _write_dependencies(flags: Sequence[int]) -> list[bytes]:
    """Write the `stss`, unless every sample can be decoded by itself, and the `sdtp`, if the flags say what depends on what (8.6.4)."""
    sync = array("I", (number for number, flag in enumerate(flags, 1) if not flag & NOT_SYNC))
    tables = []
    if len(sync) < len(flags):
        tables.append(full_box(b"stss", 0, 0, struct.pack(">I", len(sync)), _big_endian(sync)))
    dependencies = bytes(flag >> 20 & 0xFF for flag in flags)
    return [*tables, full_box(b"sdtp", 0, 0, dependencies)] if any(dependencies) else tables


def _chunk_runs(samples: TrackSamples) -> bytes:
    """Write the rows of an `stsc`: one for each first chunk that differs from the one before it."""
    rows, before = [], None
    for number, chunk in enumerate(samples.chunks, 1):
        alike = chunk.samples, chunk.description
        if alike != before:
            rows.append(struct.pack(">III", number, *alike))
        before = alike
    return struct.pack(">I", len(rows)) + b"".join(rows)


def _big_endian(values: Sequence[int]) -> bytes:
    found = array("I", values)
    if sys.byteorder == "little":
        found.byteswap()
    return found.tobytes()
