"""Fragments as ffmpeg writes them for the joiner, byte for byte, so that each time in them is known; and the samples of what comes out."""

import struct
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate

from transcoder.core.media.mp4.boxes import box, boxes_of, full_box
from transcoder.core.media.mp4.fragment import read_track_fragments
from transcoder.core.media.mp4.movie import read_movie
from transcoder.core.media.streams import Medium

VIDEO, AUDIO = Medium.VIDEO, Medium.AUDIO
TICKS = {VIDEO: 1000, AUDIO: 512}
"""The clock of each track, in Hz: eighths of a second are exact in both."""
_IDS = {VIDEO: 1, AUDIO: 2}
_NOT_SYNC = 0x010000
STEREO = b"\x11\x90"
"""The AudioSpecificConfig of AAC-LC at 48 kHz with two channels (ISO/IEC 14496-3, 1.6.2.1)."""
VIDEO_ENTRY = box(b"avc1", bytes(78), box(b"avcC", b"\1\x64\0\x1f\xff\xe1\0\1\x67\1\0\1\x68"))


def audio_entry(config: bytes = STEREO) -> bytes:
    """Write the sample entry of AAC."""
    specific = b"\x05" + bytes([len(config)]) + config
    decoder = b"\x04" + bytes([13 + len(specific)]) + b"\x40\x15" + bytes(11) + specific
    esds = full_box(b"esds", 0, 0, b"\x03" + bytes([3 + len(decoder)]) + b"\0\0\0" + decoder)
    return box(b"mp4a", bytes(7) + b"\1" + bytes(8) + struct.pack(">HHHHI", 2, 16, 0, 0, 48_000 << 16), esds)


@dataclass(frozen=True)
class Run:
    """Samples of one track in a fragment; each has the bytes in `data`."""

    medium: Medium
    time: int
    durations: Sequence[int]
    data: Sequence[bytes]
    offsets: Sequence[int] = ()
    keys: Sequence[bool] = ()
    """Which of them can be decoded by themselves; empty: all."""


def pictures(first: int, order: Sequence[int], *, time: int = 0, keys: Sequence[int] = (0,), delay: int = 125, duration: int = 125) -> Run:
    """Return pictures of an eighth of a second. `order` says which is shown how manieth; their data count on from `first`."""
    offsets = [duration * shown + delay - duration * decoded for decoded, shown in enumerate(order)]
    data = [bytes([0xA0, first + number]) for number in range(len(order))]
    return Run(VIDEO, time, [duration] * len(order), data, offsets, [number in keys for number in range(len(order))])


def frames(first: int, count: int, *, time: int = 0) -> Run:
    """Return audio frames of a sixteenth of a second; their data count on from `first`."""
    return Run(AUDIO, time, [32] * count, [bytes([0xB0, first + number, 0]) for number in range(count)])


def header(*media: Medium, video: bytes = VIDEO_ENTRY, audio: bytes = b"", handlers: Sequence[bytes] = (b"vide", b"soun")) -> bytes:
    """Write an `ftyp` and a `moov` with these tracks, and the sample entries of video and audio."""
    entries, names = {VIDEO: video, AUDIO: audio or audio_entry()}, dict(zip((VIDEO, AUDIO), handlers, strict=True))
    traks, trexs = b"", b""
    for medium in media:
        stsd = full_box(b"stsd", 0, 0, struct.pack(">I", 1), entries[medium])
        handler = full_box(b"hdlr", 0, 0, bytes(4), names[medium], bytes(13))
        mdhd = full_box(b"mdhd", 0, 0, struct.pack(">IIIII", 0, 0, TICKS[medium], 0, 0))
        mdia = box(b"mdia", mdhd, handler, box(b"minf", box(b"stbl", stsd)))
        traks += box(b"trak", full_box(b"tkhd", 0, 3, struct.pack(">III", 0, 0, _IDS[medium]), bytes(68)), mdia)
        trexs += full_box(b"trex", 0, 0, struct.pack(">IIIII", _IDS[medium], 1, 0, 0, 0))
    mvhd = full_box(b"mvhd", 0, 0, struct.pack(">IIII", 0, 0, 1000, 0), bytes(80))
    return box(b"ftyp", b"isom\0\0\0\0isom") + box(b"moov", mvhd, traks, box(b"mvex", trexs))


def fragment(*runs: Run, number: int = 1) -> bytes:
    """Write a `moof` and its `mdat`."""
    length = len(_moof(runs, number, 0))
    return _moof(runs, number, length + 8) + box(b"mdat", b"".join(b"".join(run.data) for run in runs))


def _moof(runs: Sequence[Run], number: int, at: int) -> bytes:
    trafs = b""
    for run in runs:
        count = len(run.data)
        keys, offsets = run.keys or [True] * count, run.offsets or [0] * count
        rows = zip(run.durations, run.data, keys, offsets, strict=True)
        table = b"".join(struct.pack(">IIIi", length, len(data), 0 if key else _NOT_SYNC, offset) for length, data, key, offset in rows)
        tfhd = full_box(b"tfhd", 0, 0x020000, struct.pack(">I", _IDS[run.medium]))
        tfdt = full_box(b"tfdt", 1, 0, struct.pack(">q", run.time))
        trafs += box(b"traf", tfhd, tfdt, full_box(b"trun", 1, 0xF01, struct.pack(">Ii", count, at), table))
        at += sum(map(len, run.data))
    return box(b"moof", full_box(b"mfhd", 0, 0, struct.pack(">I", number)), trafs)


@dataclass(frozen=True)
class Sample:
    """A sample of an output in ticks of its track: presented on the timeline of the output, decoded on that of its media."""

    shown: int
    decoded: int
    duration: int
    data: bytes


def samples(output: bytes) -> dict[Medium, list[Sample]]:
    """Return the samples of each track of an output in decoding order."""
    movie = read_movie(next(each for each in boxes_of(output) if each.type == b"moov"))
    tracks = {track.id: track for track in movie.tracks if track.medium}
    found: dict[Medium, list[Sample]] = {track.medium: [] for track in tracks.values() if track.medium}
    for moof in (each for each in boxes_of(output) if each.type == b"moof"):
        for part in read_track_fragments(moof, {track.id: track.defaults for track in tracks.values()}.get):
            track = tracks[part.track_id]
            assert part.decode_time is not None
            assert track.medium is not None
            (run,) = part.runs or [None]
            if run is None or run.data_offset is None:
                continue
            at, shift = moof.start + run.data_offset, movie.edit_shift(track)
            times = accumulate(run.durations, initial=part.decode_time)
            for time, duration, size, offset in zip(times, run.durations, run.sizes, run.composition_offsets, strict=False):
                found[track.medium].append(Sample(time + offset - shift, time, duration, output[at : at + size]))
                at += size
    return found
