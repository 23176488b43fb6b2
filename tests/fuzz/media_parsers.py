"""Parsers of segments and of their parts: boxes, transport streams, packed audio."""

from collections.abc import Callable, Iterator
from functools import cache

from fuzz.media_pieces import (
    ADTS,
    AUDIO_PID,
    INIT,
    PMT_PID,
    TABLES,
    VIDEO_PID,
    fragments,
    id3,
    moof,
    moov,
    packet,
    pes,
    program_map,
    section,
    timestamp,
    trun,
    u32,
)
from fuzz.parser import Parser, Run, repeated

from transcoder.core.media.aes128 import Decryptor
from transcoder.core.media.audio_tags import tags_length
from transcoder.core.media.inspector import Inspector, inspector_for
from transcoder.core.media.mp4.box_reader import BoxReader
from transcoder.core.media.mp4.boxes import Mp4Error, box, boxes_of, full_box, leading_boxes
from transcoder.core.media.mp4.mfra import read_index
from transcoder.core.media.mp4.sidx import indexed_seconds
from transcoder.core.media.mp4_source import plain_file_tracks
from transcoder.core.media.mp4_source.tracks import source_tracks
from transcoder.core.media.mpegts.pes import read_pes_header
from transcoder.core.media.mpegts.program_tables import SectionAssembler, listed_programs, read_program, section_packets
from transcoder.core.media.no_media import carries_no_media
from transcoder.core.media.presentation_ends import END_BYTES, presentation_ends
from transcoder.core.media.probe import probe
from transcoder.core.media.segment_look import look_at
from transcoder.core.media.streams import Probe
from transcoder.core.output.verifier import Verifier
from transcoder.errors import TranscoderError

_PIECE_BYTES = 64 * 1024
_SMALL_PIECE_BYTES = 16
_MP4_REFUSALS = (TranscoderError, Mp4Error)
_U32_MAX = b"\xff\xff\xff\xff"


def pieces(data: bytes, size: int = _PIECE_BYTES) -> Iterator[bytes]:
    return (data[at : at + size] for at in range(0, len(data), size))


def inspect(inspector: Inspector, data: bytes, size: int = _PIECE_BYTES) -> None:
    """Let a segment pass, and then a second one that is the same."""
    for _ in range(2):
        inspector.begin()
        for piece in pieces(data, size):
            inspector.feed(piece)
        inspector.end()
        _ = inspector.packets, inspector.samples, inspector.starts, inspector.ends, inspector.decode_spans, inspector.last_decode_times


def read_segment(data: bytes, init: bytes = b"") -> None:
    """Do all that the program does with a segment."""
    carries_no_media(data, init=init)
    try:
        look_at(data, init=init)
    finally:
        probe(data[:_PIECE_BYTES], init=init, whole=False)
        found = probe(data, init=init, whole=True)
        assert found is not None
        presentation_ends(data[-END_BYTES:], found, init=init)
        presentation_ends(data, found, init=init)
        inspect(inspector_for(found, init=init), data)


@cache
def probe_of(container: str) -> Probe:
    """Probe a small segment of a container: the first of its track, so that any other may follow."""
    heads = {"fmp4": moof(trun(1)) + box(b"mdat", bytes(100)), "ts": transport(2), "aac": timestamp() + 4 * ADTS}
    found = probe(heads[container], init=INIT if container == "fmp4" else b"", whole=True)
    assert found is not None
    return found


def later_segment(container: str, size: int = _PIECE_BYTES) -> Callable[[bytes], None]:
    init = INIT if container == "fmp4" else b""
    return lambda data: inspect(inspector_for(probe_of(container), init=init), data, size)


def transport(count: int, *, body: bytes = b"\0\0\1\x09\xf0\0\0\1\x67\0\0\0\1\x65\x88\x80\0\0\0\0\0\0") -> bytes:
    """Write a segment of so many frames of video and of audio."""
    video = [packet(VIDEO_PID, pes(3000 * number, body), starts=True, counter=number) for number in range(count)]
    audio = [packet(AUDIO_PID, pes(1920 * number, ADTS, stream=0xC0), starts=True, counter=number) for number in range(count)]
    return TABLES + b"".join(one + other for one, other in zip(video, audio, strict=True))


def of_packets(payload: Callable[[int], bytes], *, pid: int = VIDEO_PID, starts: bool = False) -> Run:
    """Return a run of packets after a small segment."""
    return lambda size: (
        transport(2) + b"".join(packet(pid, payload(number), starts=starts, counter=number + 2) for number in range(size // 188))
    )


def read_sections(data: bytes) -> None:
    """Read packets of tables: in whole payloads, and in the smallest ones."""
    for size in (184, 1):
        assembler = SectionAssembler()
        for number, payload in enumerate(pieces(data, size)):
            for found in assembler.feed(payload, starts=not number):
                listed_programs(found)
                read_program(found)


def read_boxes(data: bytes) -> None:
    reader = BoxReader(collected=frozenset({b"moof", b"moov"}), max_box_bytes=1024 * 1024)
    for piece in pieces(data, 4096):
        for _ in reader.feed(piece):
            pass
    for found in leading_boxes(data):
        if found.end <= len(data):
            found.find(b"trak", b"mdia", b"minf")
    for found in boxes_of(data):
        if found.type == b"mfra":
            list(read_index(found))


def verify(data: bytes) -> None:
    verifier = Verifier()
    for piece in pieces(data):
        verifier.feed(piece)
    verifier.end()


def read_tags(data: bytes) -> object:
    return tags_length(data), tags_length(data, whole=True)


def decrypt(data: bytes) -> bytes:
    decryptor = Decryptor(bytes(16), bytes(16))
    return b"".join(map(decryptor.feed, pieces(data, 1000))) + decryptor.end()


def sample_table(kind: bytes, width: int) -> Run:
    """Return a run of one sample table of so many bytes in a plain MP4."""

    def make(size: int) -> bytes:
        count = size // width
        before = u32(0) if kind == b"stsz" else b""
        others = b"" if kind == b"stsz" else full_box(b"stsz", 0, 0, u32(1, 1))
        return moov(tables=full_box(kind, 0, 0, before, u32(count), bytes([0, 0, 0, 1]) * (size // 4)) + others) + box(b"mdat")

    return make


_BOX_TOKENS = (
    b"moov",
    b"moof",
    b"traf",
    b"trun",
    b"tfhd",
    b"tfdt",
    b"mdat",
    b"stsd",
    b"stsz",
    b"stts",
    b"ctts",
    b"stsc",
    b"elst",
    b"esds",
    b"trex",
    b"\0\0\0\1",
    _U32_MAX,
    b"\0\0\0\x08",
    b"\0\0\0\0",
    b"\x80\x80\x80\x80",
    b"sidx",
    b"kind",
    b"udta",
    b"avc1",
    b"mp4a",
    b"avcC",
    b"\x7f\xff\xff\xff",
)

_TRACK: bytes = moov()[8:][108:]

_FRAGMENT_RUNS: dict[str, Run] = {
    "fragments": fragments(lambda number: moof(trun(1), number=number, time=3000 * number)),
    "fragments without samples": fragments(lambda number: moof(number=number)),
    "fragments with any numbers": fragments(lambda number: moof(trun(1), number=number * number * 7919 % 2**32, time=3000 * number)),
    "fragments of another track": fragments(lambda number: moof(trun(1), number=number, track=2)),
    "a million samples without fields": fragments(lambda number: moof(trun(1_000_000), number=number, time=3000 * 1_000_000 * number)),
    "a million samples after flags": fragments(
        lambda number: moof(trun(1_000_000, flags=0x4, samples=u32(0)), number=number, time=3000 * 1_000_000 * number)
    ),
    "fragments with negative offsets": fragments(
        lambda number: moof(trun(2, flags=0x800, samples=u32(0, 0xFFFFF000)), number=number, time=6000 * number)
    ),
    "fragments with more and more negative offsets": fragments(
        lambda number: moof(trun(2, flags=0x800, samples=u32(0, -number % 2**32)), number=number, time=6000 * number)
    ),
    "fragments between reordered frames": fragments(
        lambda number: moof(trun(1, flags=0x800, samples=u32(9000 * number)), number=number, time=3000 * number)
    ),
    "a million samples beside negative offsets": fragments(
        lambda number: moof(trun(1, flags=0x800, samples=_U32_MAX), trun(1_000_000), number=number, time=3000 * 1_000_001 * number)
    ),
    "one run of negative offsets": lambda size: moof(trun(size // 4, flags=0x800, samples=_U32_MAX * (size // 4))) + box(b"mdat"),
    "many runs beside a negative offset": lambda size: (
        moof(trun(1, flags=0x800, samples=_U32_MAX), *[trun(1)] * (size // 16)) + box(b"mdat")
    ),
    "many runs": lambda size: moof(*[trun(1)] * (size // 16)) + box(b"mdat"),
    "many runs of a million samples": lambda size: moof(*[trun(1_000_000)] * (size // 16)) + box(b"mdat"),
    "one run": lambda size: moof(trun(size // 4, flags=0x200, samples=bytes(size // 4 * 4))) + box(b"mdat"),
    "one run of all fields": lambda size: moof(trun(size // 16, flags=0xF00, samples=bytes(size // 16 * 16))) + box(b"mdat"),
    "track fragments": lambda size: box(
        b"moof", full_box(b"mfhd", 0, 0, u32(1)), *[box(b"traf", full_box(b"tfhd", 0, 0, u32(1)))] * (size // 24)
    ),
    "empty boxes": repeated(box(b"free")),
    "empty boxes in a moof": lambda size: box(b"moof", box(b"free") * (size // 8)),
    "empty boxes in a traf": lambda size: box(b"moof", full_box(b"mfhd", 0, 0, u32(1)), box(b"traf", box(b"free") * (size // 8))),
    "nested boxes": lambda size: _nested(size // 8),
    "media data": lambda size: moof(trun(1)) + box(b"mdat", bytes(size)),
    "empty media data": lambda size: moof(trun(1)) + box(b"mdat") * (size // 8),
}

_MOVIE_RUNS: dict[str, Run] = {
    "an esds of bytes that continue": lambda size: moov(
        entries=box(b"mp4a", bytes(28), full_box(b"esds", 0, 0, b"\3" + b"\xff" * size))
    ).replace(b"vide", b"soun"),
    "sample entries": lambda size: moov(entries=box(b"avc1", bytes(78)) * (size // 86)),
    "a large sample entry and small ones": lambda size: moov(
        entries=box(b"avc1", bytes(size // 2), box(b"avcC", bytes(8))) + box(b"avc1", bytes(78), box(b"avcC", bytes(8))) * (size // 200)
    ),
    "sample entries without content": lambda size: moov(entries=box(b"avc1", bytes(size // 2)) + box(b"avc1") * (size // 16)),
    "edits": lambda size: moov(edits=box(b"edts", full_box(b"elst", 0, 0, u32(size // 12), u32(1, 0, 0x10000) * (size // 12)))),
    "kinds": lambda size: moov(kinds=box(b"udta", full_box(b"kind", 0, 0, b"a\0b\0") * (size // 16))),
    "one kind": lambda size: moov(kinds=box(b"udta", full_box(b"kind", 0, 0, b"\0" * size))),
    "tracks": lambda size: moov(tail=_TRACK * (size // len(_TRACK))),
    "boxes of defaults": lambda size: moov(tail=box(b"mvex", full_box(b"trex", 0, 0, u32(1, 1, 1, 1, 1)) * (size // 32))),
    "empty boxes": lambda size: moov(tail=box(b"free") * (size // 8)),
    "four letters": lambda size: moov(entries=box(b"mp4a", b"esds" * (size // 4))).replace(b"vide", b"soun"),
    "sizes of samples": sample_table(b"stsz", 4),
    "durations of samples": sample_table(b"stts", 8),
    "chunks of samples": sample_table(b"stsc", 12),
    "offsets of samples": sample_table(b"ctts", 8),
}


def _nested(levels: int) -> bytes:
    return b"".join((8 * (levels - level)).to_bytes(4, "big") + b"moof" for level in range(levels))


_TS_RUNS: dict[str, Run] = {
    "frames": lambda size: transport(size // 376),
    "packets without a frame": of_packets(lambda _: bytes(184)),
    "packets of one byte": of_packets(lambda _: b"\0"),
    "start codes": of_packets(lambda _: b"\0\0\1\x09" * 46),
    "slices": of_packets(lambda _: b"\0\0\1\x41\x80\0\0\0" * 23),
    "PES packets of one byte": of_packets(lambda _: b"\0", starts=True),
    "long PES headers": of_packets(lambda number: b"\0\0\1\xe0\0\0\x80\0\xff" if not number else b"\0"),
    "audio without a header": of_packets(lambda _: b"\xff" * 184, pid=AUDIO_PID),
    "audio of headers": of_packets(lambda _: b"\xff\xf1" * 92, pid=AUDIO_PID),
    "audio that never has a frame": lambda size: (
        TABLES + b"".join(packet(AUDIO_PID, pes(1920 * n, b"\xff" * 160, stream=0xC0), starts=True, counter=n) for n in range(size // 188))
    ),
    "short frames of audio": of_packets(lambda _: ADTS * 11, pid=AUDIO_PID),
    "program maps": lambda size: (
        transport(2) + b"".join(section_packets(program_map(number % 8192), PMT_PID) for number in range(size // 188))
    ),
    "program associations": lambda size: (
        transport(2)
        + b"".join(
            section_packets(
                section(0, 1, b"\0\1\xf0\0" + b"".join(u32(0x2E000 | (number * 40 + other) % 0x1F00 << 0) for other in range(40))), 0
            )
            for number in range(size // 188)
        )
    ),
    "open sections": of_packets(lambda number: b"\0\2\xbf\xff" if not number else b"\0", pid=PMT_PID, starts=True),
    "null packets": of_packets(lambda _: bytes(184), pid=0x1FFF),
    "sync bytes": repeated(b"G"),
    "junk in front": lambda size: b"G" * min(size, 65_000) + transport(size // 376),
    "a trailer": lambda size: transport(4) + b"\1" * size,
    "repeated packets": lambda size: transport(2) + packet(VIDEO_PID, bytes(184), counter=2) * (size // 188),
}

_AUDIO_RUNS: dict[str, Run] = {
    "frames": lambda size: timestamp() + ADTS * (size // 16),
    "empty tags": lambda size: id3() * (size // 10) + ADTS * 4,
    "tags alone": repeated(id3()),
    "tags with timestamps": lambda size: timestamp() * (size // 73) + ADTS * 4,
    "tags between frames": repeated(ADTS + id3()),
    "closing tags": lambda size: ADTS * 4 + (b"TAG" + bytes(125)) * (size // 128),
    "an open tag": lambda size: ADTS * 4 + id3(bytes(min(size + 1000, 1_000_000)))[: size + 10],
    "an open tag in front": lambda size: id3(bytes(min(size + 1000, 1_000_000)))[: size + 10],
    "APE tags": lambda size: ADTS * 4 + (b"APETAGEX" + bytes(24)) * (size // 32),
    "owners": lambda size: id3(b"com.apple.streaming.transportStreamTimestamp"[:40] * (min(size, 1_000_000) // 40)) + ADTS * 4,
    "sync bytes": lambda size: ADTS * 4 + b"\xff" * size,
}

PARSERS = (
    Parser("boxes", read_boxes, tokens=_BOX_TOKENS, runs=_FRAGMENT_RUNS | _MOVIE_RUNS, refusals=_MP4_REFUSALS),
    Parser("fragments", lambda data: read_segment(data, INIT), tokens=_BOX_TOKENS, runs=_FRAGMENT_RUNS),
    Parser("fragments-later", later_segment("fmp4"), tokens=_BOX_TOKENS, runs=_FRAGMENT_RUNS),
    Parser("fragments-in-small-pieces", later_segment("fmp4", _SMALL_PIECE_BYTES), tokens=_BOX_TOKENS, runs=_FRAGMENT_RUNS),
    Parser("movie", source_tracks, tokens=_BOX_TOKENS, runs=_MOVIE_RUNS),
    Parser("plain-mp4", plain_file_tracks, tokens=_BOX_TOKENS, runs=_MOVIE_RUNS),
    Parser("segment", read_segment, tokens=(*_BOX_TOKENS, b"ID3", b"G", b"\xff\xf1"), runs=_MOVIE_RUNS),
    Parser(
        "sidx",
        indexed_seconds,
        tokens=_BOX_TOKENS,
        runs={
            "empty boxes": repeated(box(b"free")),
            "references": lambda size: full_box(b"sidx", 0, 0, bytes(18), b"\xff\xff", bytes(size)),
        },
    ),
    Parser("mp4-output", verify, tokens=(*_BOX_TOKENS, b"ftyp", b"mfra", b"tfra", b"mfro"), runs=_FRAGMENT_RUNS | _MOVIE_RUNS),
    Parser(
        "ts", read_segment, tokens=(b"G", b"\x47\x40\0\x10", b"\0\0\1\xe0", b"\0\0\1", b"\xff\xf1", b"\x0b\x77", b"\x02\xb0"), runs=_TS_RUNS
    ),
    Parser("ts-later", later_segment("ts"), tokens=(b"G", b"\0\0\1\xe0", b"\0\0\1\x67", b"\0\0\1\x41"), runs=_TS_RUNS),
    Parser("ts-in-small-pieces", later_segment("ts", _SMALL_PIECE_BYTES), tokens=(b"G",), runs=_TS_RUNS),
    Parser(
        "ts-tables",
        read_sections,
        tokens=(b"\0\0\xb0", b"\2\xb0", b"\xff", b"\1\xf0\0"),
        runs={
            "zeros": repeated(b"\0"),
            "the shortest sections": repeated(b"\0\xb0\0"),
            "the longest sections": repeated(b"\2\xbf\xff" + bytes(4095)),
            "stuffing": repeated(b"\xff"),
            "descriptors": lambda size: b"\0" + program_map(streams=(b"\x06\xe1\0\xf0\xc8" + b"\0\0" * 100) * 4) * (size // 900),
        },
    ),
    Parser("pes", read_pes_header, tokens=(b"\0\0\1\xe0", b"\x80\xc0", b"\xff"), runs={"zeros": repeated(b"\0", head=b"\0\0\1\xe0")}),
    Parser("id3", read_tags, tokens=(b"ID3\4\0\0", b"\x7f\x7f\x7f\x7f", b"\0\0\0\0", b"TAG"), runs=_AUDIO_RUNS),
    Parser(
        "packed-audio",
        read_segment,
        tokens=(id3(), timestamp(), ADTS, b"TAG", b"APETAGEX", b"\x0b\x77", b"\xff\xfb\x90\0", b"Xing"),
        runs=_AUDIO_RUNS,
    ),
    Parser("packed-audio-later", later_segment("aac"), tokens=(id3(), timestamp(), ADTS, b"TAG", b"APETAGEX"), runs=_AUDIO_RUNS),
    Parser("packed-audio-in-small-pieces", later_segment("aac", _SMALL_PIECE_BYTES), tokens=(id3(), ADTS), runs=_AUDIO_RUNS),
    Parser("aes-128", decrypt, runs={"zeros": repeated(b"\0")}),
)
