"""One fragment on its way into the output: its track runs, what is changed in them, and its `moof` as it is written."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from transcoder.core.media.mp4.box_header import HEADER_BYTES
from transcoder.core.media.mp4.boxes import Box, Mp4Error
from transcoder.core.media.mp4.fragment import (
    SampleTable,
    TrackFragment,
    movie_fragment_bytes,
    patched,
    read_track_fragments,
    write_movie_fragment,
)
from transcoder.core.media.mp4.sample_columns import total
from transcoder.core.media.streams import Medium
from transcoder.core.output.header import OutputHeader, OutputTrack
from transcoder.core.output.output_boxes import broken_as, check_inner_boxes
from transcoder.errors import TranscodeError


class DataEdit(NamedTuple):
    """A change to the content of an `mdat`: at `at` drop so many bytes and put others there."""

    at: int
    """Counted from the first byte of the `moof` as ffmpeg wrote it, as a `trun` counts its data."""
    drop: int
    insert: bytes = b""


@dataclass(slots=True)
class TrackRun:
    """The samples of one track in a fragment, in columns."""

    track: OutputTrack
    decode_time: int
    data_start: int
    """Where its bytes begin, counted from the first byte of the `moof` as ffmpeg wrote it."""
    data_end: int
    """Where those that are left end."""
    durations: Sequence[int]
    sizes: Sequence[int]
    flags: Sequence[int]
    offsets: Sequence[int]
    """Composition offsets: presentation time less decode time."""
    header: Box
    """Its `tfhd`."""
    time: Box
    """Its `tfdt`."""

    def keep(self, first: int, end: int | None = None) -> None:
        """Keep the samples from `first` up to, but not including, `end`; times and data positions stay as they are."""
        self.durations, self.sizes = self.durations[first:end], self.sizes[first:end]
        self.flags, self.offsets = self.flags[first:end], self.offsets[first:end]


class Fragment:
    """A `moof`, and what happens to it and its `mdat`."""

    def __init__(self, moof: Box, runs: list[TrackRun]) -> None:
        """Begin with its samples as ffmpeg wrote them, before its `mdat`."""
        self.moof = moof
        self.runs = runs
        self.rewritten = False
        """Whether samples were changed, so that new times in the old bytes are not enough."""
        self.edits: list[DataEdit] = []
        self.media_bytes = 0
        """Bytes of content of its `mdat`."""
        self.media_header_bytes = HEADER_BYTES

    def run(self, medium: Medium) -> TrackRun | None:
        """Return the run of that medium, if there is one."""
        return next((run for run in self.runs if run.track.medium is medium), None)

    @property
    def media_start(self) -> int:
        """Where the content of its `mdat` begins, counted from the first byte of the `moof`."""
        return len(self.moof.data) + self.media_header_bytes

    @property
    def written_media_bytes(self) -> int:
        """How many bytes of content its `mdat` has in the output."""
        return self.media_bytes + sum(len(edit.insert) - edit.drop for edit in self.edits)

    def lies_in_media(self, length: int, header_bytes: int) -> bool:
        """Return whether all samples lie in an `mdat` of `length` bytes that follows the `moof`."""
        start = len(self.moof.data) + header_bytes
        return all(run.data_start >= start and run.data_end <= start + length for run in self.runs)


def read_fragment(moof: Box, header: OutputHeader) -> Fragment:
    """Read a whole `moof` in the form that ffmpeg's `default_base_moof` gives it.

    Raises:
        TranscodeError: it is broken or in another form.
    """
    with broken_as("A fragment of the MP4"):
        check_inner_boxes(moof)
        runs = [_track_run(fragment, header) for fragment in read_track_fragments(moof, lambda number: header.track(number).defaults)]
    if len({run.track.id for run in runs}) < len(runs):
        raise TranscodeError("A fragment of the MP4 lists one track twice.")
    return Fragment(moof, [run for run in runs if run.sizes])


def _track_run(fragment: TrackFragment, header: OutputHeader) -> TrackRun:
    """Put the `trun` boxes of one `traf` together."""
    if not fragment.base_is_moof:
        raise TranscodeError("A fragment does not count its data offsets from its own beginning.")
    if fragment.time is None or fragment.decode_time is None:
        raise Mp4Error(fragment.header.position, "a track fragment has no tfdt")
    run = TrackRun(header.track(fragment.track_id), fragment.decode_time, 0, 0, (), (), (), (), fragment.header, fragment.time)
    for part in fragment.runs:
        if part.data_offset is None:
            raise TranscodeError("A fragment does not say where its data is.")
        if not run.sizes:
            run.data_start = run.data_end = part.data_offset
            run.durations, run.sizes, run.flags, run.offsets = part.durations, part.sizes, part.flags, part.composition_offsets
        elif part.data_offset != run.data_end:
            raise TranscodeError("The samples of a fragment do not follow one another.")
        else:
            run.durations, run.sizes = [*run.durations, *part.durations], [*run.sizes, *part.sizes]
            run.flags, run.offsets = [*run.flags, *part.flags], [*run.offsets, *part.composition_offsets]
        run.data_end += total(part.sizes)
    return run


def write_moof(fragment: Fragment, *, sequence: int, output: OutputHeader) -> bytes:
    """Write the `moof` with the runs' times, the output's track ids and a sequence number; patched in place where that is enough."""
    ids = {track.medium: track.id for track in output.tracks}
    if fragment.rewritten or any(not run.time.version for run in fragment.runs):
        return _rewritten(fragment, sequence, ids)
    return patched(
        fragment.moof,
        sequence=sequence,
        track_ids={run.header.body: ids[run.track.medium] for run in fragment.runs},
        decode_times={run.time.body: run.decode_time for run in fragment.runs},
    )


def _rewritten(fragment: Fragment, sequence: int, ids: dict[Medium, int]) -> bytes:
    """Write the `moof` from its runs, each sample with everything it needs."""
    runs = [run for run in fragment.runs if run.sizes]
    length = movie_fragment_bytes([len(run.sizes) for run in runs])
    moved = length - len(fragment.moof.data) + HEADER_BYTES - fragment.media_header_bytes
    tables = []
    for run in runs:
        shift = moved + sum(len(edit.insert) - edit.drop for edit in fragment.edits if edit.at < run.data_start)
        columns = (run.durations, run.sizes, run.flags, run.offsets)
        tables.append(SampleTable(ids[run.track.medium], run.decode_time, run.data_start + shift, *columns))
    return write_movie_fragment(sequence, tables)


class MediaEditor:
    """Applies edits to the content of an `mdat` while it passes."""

    def __init__(self, edits: Sequence[DataEdit], at: int) -> None:
        """Begin at the content's first byte, which lies `at` bytes behind that of its `moof`."""
        self._edits = sorted(edits, key=lambda edit: edit.at)
        self._at = at

    def feed(self, piece: bytes) -> Iterator[bytes]:
        """Iterate over what is left of the next piece, and what is inserted."""
        start, self._at = self._at, self._at + len(piece)
        kept = 0
        while self._edits and (edit := self._edits[0]).at < self._at:
            if edit.at - start > kept:
                yield piece[kept : edit.at - start]
            if edit.insert:
                yield edit.insert
            kept = max(kept, min(edit.at - start + edit.drop, len(piece)))
            if edit.at + edit.drop > self._at:
                self._edits[0] = DataEdit(self._at, edit.at + edit.drop - self._at)
                break
            del self._edits[0]
        if kept < len(piece):
            yield piece[kept:] if kept else piece
