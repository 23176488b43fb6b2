"""Segments that announce a stream which never begins, or never shows what it is, so that much of them is searched for it."""

from collections.abc import Callable, Iterator
from functools import partial

from attack.line import Files, Line, download
from fuzz.media_pieces import AUDIO_PID, INIT, TABLES, VIDEO_PID, moof, moov, packet, pes, trun

from transcoder.core.media.mp4.boxes import box

MIB = 1024 * 1024
_PICTURE = b"\0\0\1\x09\xf0\0\0\1\x67\0\0\0\1\x65\x88\x80\0\0\0\0\0\0"
_TRACK = moov()[8:][108:]


def _packets(size: int, make: Callable[[int], bytes], *, pid: int, starts: bool) -> bytes:
    return TABLES + b"".join(packet(pid, make(number), starts=starts, counter=number) for number in range(size // 188))


def _two_tracks() -> bytes:
    """Write an initialization section with a second track, of audio."""
    track = _TRACK[: int.from_bytes(_TRACK[:4])].replace(b"vide", b"soun")
    at = track.index(b"tkhd") + 4 + 12
    return INIT[: len(INIT) - len(moov())] + moov(tail=track[:at] + (2).to_bytes(4) + track[at + 4 :])


_KINDS = {
    "video without the audio": lambda size: _packets(size, lambda number: pes(3000 * number, _PICTURE), pid=VIDEO_PID, starts=True),
    "video without timestamps": lambda size: _packets(size, lambda _: b"\0\0\1\xe0\0\0\x80\0\0" + _PICTURE, pid=VIDEO_PID, starts=True),
    "audio without a frame": lambda size: _packets(
        size, lambda number: pes(1920 * number, b"\xff" * 160, stream=0xC0), pid=AUDIO_PID, starts=True
    ),
    "audio without a frame in one PES packet": lambda size: (
        TABLES
        + packet(AUDIO_PID, pes(0, b"\xff" * 160, stream=0xC0), starts=True)
        + _packets(size, lambda _: b"\xff\xf1" * 92, pid=AUDIO_PID, starts=False)[len(TABLES) :]
    ),
    "packets of another stream": lambda size: _packets(size, lambda _: bytes(184), pid=0x200, starts=False),
}


def _fragments(count: int) -> bytes:
    written = (moof(trun(1), number=number, time=3000 * number) + box(b"mdat", bytes(100)) for number in range(count))
    return b"".join(written)


def _files(make: Callable[[], bytes], *, init: bytes = b"") -> Files:
    head = '#EXT-X-MAP:URI="init"\n' if init else ""
    playlist = f"#EXTM3U\n#EXT-X-TARGETDURATION:6\n{head}#EXTINF:6,\na\n#EXT-X-ENDLIST\n"
    return {"/main.m3u8": playlist.encode(), "/a": make(), "/init": init}


def _lines() -> Iterator[Line]:
    for name, make in _KINDS.items():
        megabytes = 3 if name.startswith("audio") else 9
        yield Line(f"announced: {megabytes} MiB of {name}", download(partial(_files, partial(make, megabytes * MIB))))
    fragments = partial(_fragments, 2 * MIB // 200)
    yield Line("announced: 2 MiB of fragments of one of two tracks", download(partial(_files, fragments, init=_two_tracks())))


LINES = tuple(_lines())
