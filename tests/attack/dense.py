"""Media that is as dense as real media can be: everything is decodable, and takes as few bytes for each unit as possible."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache, partial
from pathlib import Path

import make_media
from attack.line import Files, Line, download
from fault_sets import KEY, encrypt
from fuzz.media_pieces import AUDIO_PID, id3, moof, packet, pes, section, timestamp, u32

from transcoder.core.media.mp4.boxes import box, full_box
from transcoder.core.media.mpegts.program_tables import section_packets

MB = 1_000_000
_RUNS = 1000
_RATE, _FRAME_SAMPLES = 48_000, 1024


def _adts(content: bytes) -> bytes:
    """Write an ADTS frame of one channel of AAC-LC at 48 kHz."""
    length = 7 + len(content)
    return bytes([0xFF, 0xF1, 0x4C, 0x40, length >> 3, (length & 7) << 5 | 0x1F, 0xFC]) + content


_SILENCE = bytes([0, 0xC8, 0, 0x80, 0x23, 0x80])
"""A frame of silence, the shortest that encoders write."""
_FRAME, _EMPTY_FRAME = _adts(_SILENCE), _adts(b"")
_AUDIO_TABLES = section_packets(section(0, 1, b"\0\1\xf0\0"), 0) + section_packets(
    section(2, 1, b"\xe1\1\xf0\0" + b"\x0f\xe1\1\xf0\0"), 0x1000
)


def _seconds(frames: int) -> float:
    return frames * _FRAME_SAMPLES / _RATE


@dataclass(frozen=True)
class Dense:
    """One kind of segment, which may be of any length."""

    make: Callable[[int, int], bytes]
    """Returns so many units after so many others."""
    unit_bytes: int
    init: Callable[[], bytes] = bytes
    max_cpu_seconds: float = 2.0
    """What a megabyte of it may take. The smallest fragments that are let through are eight thousand, and none is free."""

    def segment(self, size: int, *, after: int = 0) -> tuple[bytes, float]:
        """Return a segment of about `size` bytes, and its duration in seconds."""
        units = max(1, size // self.unit_bytes)
        return self.make(units, after), _seconds(units)


def _packed(frame: bytes) -> Callable[[int, int], bytes]:
    return lambda units, after: timestamp(_seconds(after)) + _FRAME + frame * (units - 1)


def _transport(units: int, after: int, *, per_packet: int) -> bytes:
    """Write PES packets of so many frames each."""
    groups = range(0, units, per_packet)
    packets = [
        packet(AUDIO_PID, pes(1920 * (after + first), _FRAME * min(per_packet, units - first), stream=0xC0), starts=True, counter=number)
        for number, first in enumerate(groups, after // per_packet)
    ]
    return _AUDIO_TABLES + b"".join(packets)


def _fragments(units: int, after: int, *, size: int) -> bytes:
    """Write fragments of one sample each."""

    def fragment(number: int) -> bytes:
        run = partial(full_box, b"trun", 0, 0x301)
        length = len(moof(run(u32(1, 0, 0, 0))))
        sample = bytes(size - length - 8)
        written = moof(run(u32(1, length + 8, _FRAME_SAMPLES, len(sample))), number=number + 1, time=_FRAME_SAMPLES * number)
        return written + box(b"mdat", sample)

    return b"".join(fragment(number) for number in range(after, after + units))


def _samples(units: int, after: int) -> bytes:
    """Write one fragment of samples of four bytes, which its boxes do not list one by one."""
    length = len(moof(full_box(b"trun", 0, 1, u32(0, 0)), number=1))
    header = full_box(b"tfhd", 0, 0x020018, u32(1, _FRAME_SAMPLES, 4))
    time = full_box(b"tfdt", 1, 0, u32(0, _FRAME_SAMPLES * after))
    run = full_box(b"trun", 0, 1, u32(units, length + 16))
    written = box(b"moof", full_box(b"mfhd", 0, 0, u32(after + 1)), box(b"traf", header, time, run))
    return written + box(b"mdat", bytes(4 * units))


def _scattered(units: int, after: int) -> bytes:
    """Write fragments of samples that lie in the media in the opposite order, each by itself."""
    return b"".join(_scattered_fragment(min(_RUNS, units - first), after + first) for first in range(0, units, _RUNS))


def _scattered_fragment(samples: int, after: int) -> bytes:
    runs = [full_box(b"trun", 0, 0x301, u32(1, 0, _FRAME_SAMPLES, 1))] * samples
    length = len(moof(*runs))
    runs = [full_box(b"trun", 0, 0x301, u32(1, length + 8 + samples - number, _FRAME_SAMPLES, 1)) for number in range(1, samples + 1)]
    return moof(*runs, number=after + 1, time=_FRAME_SAMPLES * after) + box(b"mdat", bytes(samples))


@cache
def _audio_init() -> bytes:
    folder: Path = make_media.media("fmp4-audio-only")
    return next(folder.glob("*init*")).read_bytes()


KINDS = {
    "silent frames": Dense(_packed(_FRAME), len(_FRAME)),
    "frames without content": Dense(_packed(_EMPTY_FRAME), len(_EMPTY_FRAME)),
    "tags between silent frames": Dense(_packed(_FRAME + id3()), len(_FRAME) + 10),
    "PES packets of one silent frame": Dense(partial(_transport, per_packet=1), 188),
    "PES packets of many silent frames": Dense(partial(_transport, per_packet=12), 188 // 12),
    "fragments of 128 bytes": Dense(partial(_fragments, size=128), 128, _audio_init, max_cpu_seconds=3.0),
    "fragments of 110 bytes": Dense(partial(_fragments, size=110), 110, _audio_init),
    "scattered samples": Dense(_scattered, 29, _audio_init),
    "samples of four bytes": Dense(_samples, 4, _audio_init),
}
_FIRST_UNITS = 100


def files(kind: Dense, size: int, *, first: bool, encrypted: bool = False, odd: bool = False) -> Files:
    parts = [kind.segment(size)] if first else [kind.segment(_FIRST_UNITS * kind.unit_bytes), kind.segment(size, after=_FIRST_UNITS)]
    if odd:
        parts = [(body, 6.0) for body, _ in parts]
    head = '#EXT-X-MAP:URI="init"\n' if kind.init() else ""
    if encrypted:
        head += '#EXT-X-KEY:METHOD=AES-128,URI="key"\n'
        parts = [(encrypt(body, number=number), seconds) for number, (body, seconds) in enumerate(parts)]
    lines = "".join(f"#EXTINF:{seconds:.6f},\n{number}\n" for number, (_, seconds) in enumerate(parts))
    target = max(seconds for _, seconds in parts) + 1
    playlist = f"#EXTM3U\n#EXT-X-TARGETDURATION:{target:.0f}\n{head}{lines}#EXT-X-ENDLIST\n"
    return {"/main.m3u8": playlist.encode(), "/init": kind.init(), "/key": KEY} | {f"/{n}": body for n, (body, _) in enumerate(parts)}


def _two_tracks() -> Files:
    """Have a map of a million samples of audio, and as many of video, in eight million bytes."""
    count = 999_999
    tracks = [(number, full_box(b"tfhd", 0, 0x020018, u32(number, _FRAME_SAMPLES, 4))) for number in (1, 2)]
    runs = [full_box(b"trun", 0, 0x801, u32(count, 0), bytes([0, 0, 1, 0, 0, 0, 2, 0]) * (count // 2) + bytes(4)) for _ in tracks]

    def trafs(offset: int) -> bytes:
        return b"".join(
            box(b"traf", header, full_box(b"tfdt", 1, 0, u32(0, 0)), run[:16] + (offset + 4 * count * place).to_bytes(4) + run[20:])
            for place, ((_, header), run) in enumerate(zip(tracks, runs, strict=True))
        )

    head = box(b"moof", full_box(b"mfhd", 0, 0, u32(1)), trafs(0))
    head = box(b"moof", full_box(b"mfhd", 0, 0, u32(1)), trafs(len(head) + 8))
    init = next(make_media.media("fmp4-muxed").glob("*init*")).read_bytes()
    playlist = b'#EXTM3U\n#EXT-X-TARGETDURATION:80000\n#EXT-X-MAP:URI="init"\n#EXTINF:78000,\na\n#EXT-X-ENDLIST\n'
    return {"/main.m3u8": playlist, "/init": init, "/a": head + box(b"mdat", bytes(8 * count))}


def _lines() -> Iterator[Line]:
    # As many samples as a map may have: ten hours of audio and video. Three microseconds for each.
    million = download(_two_tracks, parameters="layout=plain&")
    yield Line("dense, layout=plain: two tracks of a million samples", million, max_cpu_seconds=7.0, max_mib=156.0)
    for name, kind in KINDS.items():
        for where, first in (("first", True), ("later", False)):
            yield Line(f"dense, {where}: 1 MB of {name}", download(partial(files, kind, MB, first=first)), kind.max_cpu_seconds)
        hostile = partial(files, kind, MB, first=True, odd=True)
        yield Line(f"dense, of another duration: 1 MB of {name}", download(hostile), kind.max_cpu_seconds)
        for parameters in ("layout=plain&", "format=mp3&", "format=m4a&start=1&end=600&exact=1&"):
            hostile = partial(files, kind, MB, first=True)
            # A megabyte of silence is half an hour, and 39 MB as MP3: what is sent takes time, too.
            most = 3.5 if parameters == "format=mp3&" else kind.max_cpu_seconds
            yield Line(f"dense, {parameters.rstrip('&')}: 1 MB of {name}", download(hostile, parameters=parameters), max_cpu_seconds=most)
    yield Line(
        "dense, layout=plain: 4 MB of samples of four bytes",
        download(partial(files, KINDS["samples of four bytes"], 4 * MB, first=True), parameters="layout=plain&"),
    )
    for name in ("silent frames", "PES packets of many silent frames"):
        hostile = partial(files, KINDS[name], MB, first=False, encrypted=True)
        yield Line(f"dense, encrypted: 1 MB of {name}", download(hostile))


LINES = tuple(_lines())
