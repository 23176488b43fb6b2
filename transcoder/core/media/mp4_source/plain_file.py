"""An ordinary MP4 file whose moov stands in front: what it holds, and whether all of it has come (ISO/IEC 14496-12, 8.6 to 8.7)."""

import struct
from dataclasses import dataclass

from transcoder.core.media.mp4_source.boxes import Box, boxes, child, read_header, signed, unsigned
from transcoder.core.media.mp4_source.inspector import FragmentInspector
from transcoder.core.media.mp4_source.movie import SourceTrack, read_movie
from transcoder.core.media.streams import Container, Probe, Stream
from transcoder.errors import UnsupportedSourceError

_MAX_ENTRIES = 10_000_000


@dataclass(frozen=True, slots=True)
class FileTrack:
    """One track and what its sample tables add up to."""

    track: SourceTrack
    samples: int
    size: int
    """Bytes of all samples."""
    start: float
    """First presentation time in seconds, edit list applied."""
    seconds: float


def probe_file(head: bytes) -> Probe | None:
    """Tell what the file that begins with `head` holds; None if it is no such file, or more bytes are needed."""
    tracks = file_tracks(head)
    if not tracks:
        return None
    streams = (
        Stream(one.track.medium, one.track.codec, one.track.id, one.start, one.track.sample_rate, one.track.channels) for one in tracks
    )
    return Probe(Container.MP4, tuple(streams))


def file_tracks(head: bytes) -> tuple[FileTrack, ...]:
    """Read the tracks of an ordinary MP4; none if it is no such file, or its moov has not come whole.

    Raises:
        UnsupportedSourceError: it is encrypted.
        UpstreamError: its boxes are broken.
    """
    moov = _moov(head)
    return read_tracks(head, moov) if moov else ()


def moov_is_behind(head: bytes) -> bool:
    """Tell whether the media of a file come before what tells how to read them."""
    kinds = [kind for kind, _, _ in _walk(head)]
    return b"mdat" in kinds and b"moov" not in kinds


def read_tracks(data: bytes, moov: Box) -> tuple[FileTrack, ...]:
    """Read the tracks of a moov that has samples; none if it has none."""
    found = []
    tables = {_track_id(data, box): child(data, box, b"mdia", b"minf", b"stbl") for box in _children(data, moov)}
    for track in read_movie(data, moov, fragmented=False):
        table = tables.get(track.id)
        sizes = child(data, table, b"stsz") if table else None
        if table and sizes and (samples := unsigned(data, sizes.start + 8, 4)):
            start, seconds = _times(data, table, track)
            found.append(FileTrack(track, samples, _size(data, sizes, samples), start, seconds))
    return tuple(found)


class FileInspector(FragmentInspector):
    """Judges an ordinary MP4 file as it passes: whole boxes, and as much media as its tables tell."""

    def _read(self, data: bytes, box: Box) -> None:
        if box.kind != b"moov":
            raise UnsupportedSourceError("The file is an MP4 of two kinds at once.")
        for one in read_tracks(data, box):
            self._declared += one.size
            self._segment_samples += one.samples
            medium = self._mediums.get(one.track.id)
            if medium:
                self._samples[medium] += one.samples
                self._starts[medium], self._ends[medium] = one.start, one.start + one.seconds


def _walk(head: bytes) -> list[tuple[bytes, int, int]]:
    """List the boxes that begin in `head`: type, where the body begins, where the box ends."""
    found, at = [], 0
    while (header := read_header(head, at)) is not None:
        end = at + header.size if header.size else len(head) + 1
        found.append((header.kind, at + header.header, end))
        at = end
    return found


def _moov(head: bytes) -> Box | None:
    return next((Box(kind, start, end) for kind, start, end in _walk(head) if kind == b"moov" and end <= len(head)), None)


def _children(data: bytes, moov: Box) -> list[Box]:
    return [box for box in boxes(data, moov.start, moov.end) if box.kind == b"trak"]


def _track_id(data: bytes, trak: Box) -> int:
    header = child(data, trak, b"tkhd")
    return unsigned(data, header.start + (20 if unsigned(data, header.start, 1) else 12), 4) if header else 0


def _size(data: bytes, sizes: Box, samples: int) -> int:
    same = unsigned(data, sizes.start + 4, 4)
    if same or samples > _MAX_ENTRIES or sizes.start + 12 + 4 * samples > sizes.end:
        return same * samples
    return sum(struct.unpack_from(f">{samples}I", data, sizes.start + 12))


def _times(data: bytes, table: Box, track: SourceTrack) -> tuple[float, float]:
    """Return when the first sample is presented, and how long all of them last."""
    durations, offsets = child(data, table, b"stts"), child(data, table, b"ctts")
    ticks = 0
    if durations:
        count = min(unsigned(data, durations.start + 4, 4), (durations.end - durations.start - 8) // 8)
        pairs = struct.unpack_from(f">{2 * count}I", data, durations.start + 8)
        ticks = sum(map(int.__mul__, pairs[::2], pairs[1::2]))
    first = signed(data, offsets.start + 12, 4) if offsets and unsigned(data, offsets.start + 4, 4) else 0
    return (first - track.shift) / track.timescale, ticks / track.timescale
