"""Hostile segments, as the first one of a source and as a later one."""

from collections.abc import Iterator, Mapping
from functools import partial

from attack.line import Attack, Files, Line, download
from fuzz.media_parsers import transport
from fuzz.media_pieces import ADTS, INIT, moof, timestamp, trun, u32
from fuzz.parser import Run
from fuzz.registry import PARSERS

from transcoder.core.media.mp4.boxes import box

KIB, MIB = 1024, 1024 * 1024
_MAP = b'#EXT-X-MAP:URI="init"\n'


def _playlist(head: bytes, *names: bytes) -> bytes:
    return b"#EXTM3U\n#EXT-X-TARGETDURATION:6\n" + head + b"".join(b"#EXTINF:6,\n%b\n" % name for name in names) + b"#EXT-X-ENDLIST\n"


def _files(hostile: bytes, *, good: bytes, init: bytes, first: bool) -> Files:
    names = (b"hostile", b"good") if first else (b"good", b"hostile", b"good")
    return {"/main.m3u8": _playlist(_MAP if init else b"", *names), "/init": init, "/good": good, "/hostile": hostile}


def hostile_files(make: Run, size: int, *, good: bytes, init: bytes, first: bool) -> Files:
    return _files(make(size), good=good, init=init, first=first)


def lines(kind: str, runs: Mapping[str, Run], size: int, *, good: bytes, init: bytes = b"") -> Iterator[Line]:
    length = f"{size // KIB} KiB" if size < MIB else f"{size // MIB} MiB"
    for name, make in runs.items():
        for first in (True, False):
            attack = download(partial(hostile_files, make, size, good=good, init=init, first=first))
            yield Line(f"{kind}, {'first' if first else 'later'}: {length} of {name}", attack)
        if init:
            files = partial(hostile_files, make, size, good=good, init=init, first=False)
            yield Line(f"{kind}, later in a stream: {length} of {name}", download(files, parameters="layout=fragmented&"))


def _with_init(make: Run) -> Attack:
    return download(lambda: _files(FRAGMENT, good=FRAGMENT, init=_FILE_TYPE + make(2 * MIB), first=True))


def _as_file(make: Run) -> Attack:
    return download(lambda: {"/a.mp4": _FILE_TYPE + make(2 * MIB)}, path="/a.mp4", parameters="mute=1&")


_FILE_TYPE = box(b"ftyp", b"isom\0\0\0\0isom")
_OFFSET = len(moof(trun(1, flags=1, samples=u32(0)))) + 8
FRAGMENT = moof(trun(1, flags=1, samples=u32(_OFFSET))) + box(b"mdat", bytes(100))
FRAGMENTS, TRANSPORT, AUDIO = (dict(PARSERS[name].runs) for name in ("fragments", "ts", "packed-audio"))
_MOVIES = PARSERS["movie"].runs

LINES = (
    *lines("fMP4", FRAGMENTS, 64 * KIB, good=FRAGMENT, init=INIT),
    *lines("fMP4", {name: FRAGMENTS[name] for name in ("empty boxes", "one run", "fragments")}, MIB, good=FRAGMENT, init=INIT),
    Line(
        "fMP4, first: 32 MiB of boxes of 8 KiB",
        download(lambda: _files(box(b"free", bytes(8184)) * 4096, good=FRAGMENT, init=INIT, first=True)),
        max_mib=104.0,  # the end of a long segment is read from its first 16 MiB, beside those that are prefetched (90 to 97)
    ),
    *lines("TS", TRANSPORT, MIB, good=transport(4)),
    *lines("packed audio", AUDIO, MIB, good=timestamp() + 8 * ADTS),
    *(Line(f"an initialization section: 2 MiB of {name}", _with_init(make)) for name, make in _MOVIES.items()),
    *(Line(f"a plain MP4: 2 MiB of {name}", _as_file(make)) for name, make in _MOVIES.items()),
)
