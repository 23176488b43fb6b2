"""One `moof`: read its runs of samples, give it new times in place, or write it anew (ISO/IEC 14496-12, 8.8.4 to 8.8.12)."""

import struct
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from transcoder.core.media.streams import Medium
from transcoder.core.output.boxes import box, children, find, full_box
from transcoder.core.output.header import Header, Track
from transcoder.errors import TranscodeError

_BOX_HEADER = 8
_BASE_IS_MOOF, _BASE_OFFSET = 0x020000, 0x000001
_DESCRIPTION, _DURATION, _SIZE, _FLAGS = 0x02, 0x08, 0x10, 0x20
"""Flags of a `tfhd`, in the order of its fields."""
_RUN_OFFSET, _RUN_FIRST_FLAGS = 0x001, 0x004
_RUN_FIELDS = (0x100, 0x200, 0x400, 0x800)
"""Flags of a `trun` for what each sample brings: duration, size, flags, composition offset."""
MAX_SAMPLES = 1_000_000
"""More samples in one run are refused: their table need not take room in the file, but it does here."""
NOT_SYNC = 0x010000
"""The sample flag (8.8.3.1) of one that cannot be decoded by itself."""


@dataclass(frozen=True, slots=True)
class Edit:
    """A change to what is in an `mdat`: at `at` drop so many bytes, and put others there."""

    at: int
    """Counted from the first byte of the `moof` as it was, as a `trun` counts its data."""
    drop: int
    insert: bytes = b""


@dataclass(slots=True)
class Run:
    """The samples of one track in a fragment, in columns."""

    track: Track
    decode_time: int
    data_at: int
    """Where its bytes begin, counted from the first byte of the `moof` as it was."""
    data_end: int
    """Where those that are left end."""
    durations: Sequence[int]
    sizes: Sequence[int]
    flags: Sequence[int]
    offsets: Sequence[int]
    """Presentation time less decode time."""
    head_at: int
    """Where in the `moof` the content of its `tfhd` begins."""
    time_at: int
    """Where in the `moof` the content of its `tfdt` begins."""


@dataclass(slots=True)
class Fragment:
    """A `moof`, and what is to happen to it and its `mdat`."""

    moof: bytes
    runs: list[Run]
    rewritten: bool = False
    """Whether samples were touched, so that new times in the old bytes do not do."""
    edits: list[Edit] = field(default_factory=list)
    media: int = 0
    """Bytes in its `mdat`."""
    media_header: int = _BOX_HEADER

    def run(self, medium: Medium) -> Run | None:
        """Return the run of that medium, if there is one."""
        return next((run for run in self.runs if run.track.medium is medium), None)

    @property
    def media_written(self) -> int:
        """How many bytes of content its `mdat` will have."""
        return self.media + sum(len(edit.insert) - edit.drop for edit in self.edits)


def read_fragment(moof: bytes, header: Header) -> Fragment:
    """Read a whole `moof` in the form that ffmpeg's `default_base_moof` gives it.

    Raises:
        TranscodeError: it is broken or in another form.
    """
    try:
        runs = [_run(moof, start, end, header) for kind, start, end in children(moof, _BOX_HEADER, len(moof)) if kind == b"traf"]
    except (struct.error, IndexError) as error:
        raise TranscodeError("A fragment of the MP4 is cut off.") from error
    if len({run.track.id for run in runs}) < len(runs):
        raise TranscodeError("A fragment of the MP4 has one track twice.")
    return Fragment(moof, [run for run in runs if run.sizes])


def _run(moof: bytes, start: int, end: int, header: Header) -> Run:
    """Read one `traf`."""
    head_at, _ = find(moof, start, end, b"tfhd")
    track, duration, size, flags = _defaults(moof, head_at, header)
    time_at, _ = find(moof, start, end, b"tfdt")
    (decode_time,) = struct.unpack_from(">q" if moof[time_at] else ">i", moof, time_at + 4)
    run = Run(track, decode_time, 0, 0, [], [], [], [], head_at, time_at)
    for kind, at, stop in children(moof, start, end):
        if kind != b"trun":
            continue
        data_at, columns = _columns(moof, at, stop, (duration, size, flags, 0))
        if not run.sizes:
            run.data_at = run.data_end = data_at
        elif data_at != run.data_end:
            raise TranscodeError("A fragment's samples do not lie one after another.")
        durations, sizes, sample_flags, offsets = columns
        run.durations, run.sizes = [*run.durations, *durations], [*run.sizes, *sizes]
        run.flags, run.offsets = [*run.flags, *sample_flags], [*run.offsets, *offsets]
        run.data_end += sum(sizes)
    return run


def _defaults(moof: bytes, at: int, header: Header) -> tuple[Track, int, int, int]:
    """Read a `tfhd`: the track, and the duration, size and flags of samples that bring none."""
    form, track_id = struct.unpack_from(">II", moof, at)
    track = header.track(track_id)
    if form & _BASE_OFFSET or not form & _BASE_IS_MOOF:
        raise TranscodeError("A fragment does not count its data from its own beginning.")
    at += 12 if form & _DESCRIPTION else 8
    values = [track.default_duration, track.default_size, track.default_flags]
    for index, flag in enumerate((_DURATION, _SIZE, _FLAGS)):
        if form & flag:
            (values[index],) = struct.unpack_from(">I", moof, at)
            at += 4
    return track, *values  # type: ignore[return-value]  # three values, as there are three flags


def _columns(moof: bytes, at: int, end: int, defaults: tuple[int, int, int, int]) -> tuple[int, list[Sequence[int]]]:
    """Read a `trun`: where its data begin, and durations, sizes, flags and composition offsets, one for each sample."""
    form, count, data_at = struct.unpack_from(">IIi", moof, at)
    if not form & _RUN_OFFSET:
        raise TranscodeError("A fragment does not say where its data are.")
    at += 12
    first_flags = None
    if form & _RUN_FIRST_FLAGS:
        (first_flags,) = struct.unpack_from(">I", moof, at)
        at += 4
    present = [bool(form & flag) for flag in _RUN_FIELDS]
    width = sum(present)
    if at + 4 * width * count > end or count > MAX_SAMPLES:
        raise TranscodeError("A fragment has another number of samples than it says.")
    # Only what a whole run costs in C, nothing sample by sample: this is done for every fragment
    values = struct.unpack_from(f">{width * count}i", moof, at)
    taken = iter(range(width))
    columns: list[Sequence[int]] = [
        values[next(taken) :: width] if here else [default] * count for here, default in zip(present, defaults, strict=True)
    ]
    if first_flags is not None and count:
        columns[2] = [first_flags, *columns[2][1:]]
    return data_at, columns


def retimed(fragment: Fragment, sequence: int, film: Header) -> bytes:
    """Write the `moof` with its runs' times, the film's track numbers and a sequence number, everything else as it was."""
    if fragment.rewritten or any(not fragment.moof[run.time_at] for run in fragment.runs):
        return _rewritten(fragment, sequence, film)
    moof = bytearray(fragment.moof)
    at, _ = find(fragment.moof, _BOX_HEADER, len(moof), b"mfhd")
    struct.pack_into(">I", moof, at + 4, sequence)
    for run in fragment.runs:
        struct.pack_into(">I", moof, run.head_at + 4, _film_id(film, run))
        struct.pack_into(">Q", moof, run.time_at + 4, run.decode_time)
    return bytes(moof)


def _rewritten(fragment: Fragment, sequence: int, film: Header) -> bytes:
    """Write the `moof` anew, each sample with everything it needs."""
    runs = [run for run in fragment.runs if run.sizes]
    # 8 of the moof, 16 of the mfhd; 8 of the traf, 16 of the tfhd, 20 of the tfdt, 20 of the trun, 16 for each sample
    length = 24 + sum(64 + 16 * len(run.sizes) for run in runs)
    moved = length - len(fragment.moof) + _BOX_HEADER - fragment.media_header
    parts = []
    for run in runs:
        shift = moved + sum(len(edit.insert) - edit.drop for edit in fragment.edits if edit.at < run.data_at)
        parts.append(
            box(
                b"traf",
                full_box(b"tfhd", 0, _BASE_IS_MOOF, struct.pack(">I", _film_id(film, run))),
                full_box(b"tfdt", 1, 0, struct.pack(">Q", run.decode_time)),
                full_box(b"trun", 0, 0xF01, struct.pack(">Ii", len(run.sizes), run.data_at + shift), _samples(run)),
            )
        )
    return box(b"moof", full_box(b"mfhd", 0, 0, struct.pack(">I", sequence)), *parts)


def _samples(run: Run) -> bytes:
    """Write the table of a `trun`."""
    values = [0] * (4 * len(run.sizes))
    values[0::4], values[1::4], values[3::4] = run.durations, run.sizes, run.offsets
    values[2::4] = run.flags
    return struct.pack(f">{len(values)}i", *values)


def _film_id(film: Header, run: Run) -> int:
    """Return the number that the film's header gives to that track."""
    return next(track.id for track in film.tracks if track.medium is run.track.medium)


class Editor:
    """Carry out edits on the content of an `mdat` as it passes."""

    def __init__(self, edits: Sequence[Edit], at: int) -> None:
        """Begin at the content's first byte, which is `at` bytes behind that of its `moof`."""
        self._edits = sorted(edits, key=lambda edit: edit.at)
        self._at = at

    def feed(self, piece: bytes) -> Iterator[bytes]:
        """Give what is left of the next piece, and what comes in between."""
        start, self._at = self._at, self._at + len(piece)
        kept = 0
        while self._edits and (edit := self._edits[0]).at < self._at:
            if edit.at - start > kept:
                yield piece[kept : edit.at - start]
            if edit.insert:
                yield edit.insert
            kept = max(kept, min(edit.at - start + edit.drop, len(piece)))
            if edit.at + edit.drop > self._at:
                self._edits[0] = Edit(self._at, edit.at + edit.drop - self._at)
                break
            del self._edits[0]
        if kept < len(piece):
            yield piece[kept:] if kept else piece
