"""Hostile segments of one rendition, beside a good one: hostile video with good sound, and good video with hostile sound."""

import re
from collections.abc import Callable, Iterator, Mapping
from functools import partial

import make_media
from attack import dense, media
from attack.line import Files, Line, download
from fuzz.media_parsers import transport
from fuzz.media_pieces import ADTS, INIT, moof, timestamp, trun
from fuzz.parser import Run

from transcoder.core.media.mp4.boxes import box

_SECONDS = 6.0
_BOX_BYTES = 64
_MAIN = b"""#EXTM3U
#EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID="a",NAME="a",URI="audio.m3u8"
#EXT-X-STREAM-INF:BANDWIDTH=400000,CODECS="avc1.4d401e,mp4a.40.2",AUDIO="a"
video.m3u8
"""


def _good(name: str) -> Files:
    """Return the files of a good rendition, whose media playlist has this name in the set; its clock begins at 0, as theirs."""
    folder = make_media.media("fmp4-separate-audio")
    return {f"/{file.name}": file.read_bytes() for file in folder.glob(f"{name}*")}


def _playlist(text: bytes) -> bytes:
    """Give the segments the duration of the good rendition together: otherwise the playlists are refused before a segment is read."""
    seconds = _SECONDS / text.count(b"#EXTINF")
    return re.sub(rb"#EXTINF:[^,]*", b"#EXTINF:%f" % seconds, text)


def _beside_good_audio(hostile: Callable[[], Files]) -> Files:
    video = dict(hostile())
    return {"/main.m3u8": _MAIN, "/video.m3u8": _playlist(video.pop("/main.m3u8")), **video, **_good("audio")}


def _beside_good_video(hostile: Callable[[], Files]) -> Files:
    audio, video = dict(hostile()), dict(_good("small"))
    audio["/audio.m3u8"] = _playlist(audio.pop("/main.m3u8"))
    return {"/main.m3u8": _MAIN, **audio, "/video.m3u8": video.pop("/small.m3u8"), **video}


def _boxes(kind: bytes) -> Run:
    """Write boxes that stand between fragments."""
    return lambda size: moof(trun(1)) + box(b"mdat", bytes(100)) + box(kind, bytes(_BOX_BYTES - 8)) * (size // _BOX_BYTES)


_BETWEEN = {f"{kind.decode()} boxes": _boxes(kind) for kind in (b"emsg", b"prft", b"styp", b"sidx", b"uuid")}


def _of_runs(
    kind: str, runs: Mapping[str, Run], beside: Callable[[Callable[[], Files]], Files], good: bytes, init: bytes
) -> Iterator[Line]:
    for name, make in runs.items():
        for first in (True, False):
            hostile = partial(media.hostile_files, make, media.MIB, good=good, init=init, first=first)
            where = "first" if first else "later"
            yield Line(f"separate {kind}, {where}: 1 MiB of {name}", download(partial(beside, hostile)))


def _lines() -> Iterator[Line]:
    yield from media.lines("fMP4", _BETWEEN, media.MIB, good=media.FRAGMENT, init=INIT)
    yield from _of_runs("TS video", media.TRANSPORT, _beside_good_audio, transport(4), b"")
    yield from _of_runs("fMP4 video", media.FRAGMENTS | _BETWEEN, _beside_good_audio, media.FRAGMENT, INIT)
    yield from _of_runs("packed audio", media.AUDIO, _beside_good_video, timestamp() + 8 * ADTS, b"")
    for name, kind in dense.KINDS.items():
        for first in (True, False):
            hostile = partial(dense.files, kind, dense.MB, first=first)
            where = "first" if first else "later"
            yield Line(f"separate audio, {where}: 1 MB of {name}", download(partial(_beside_good_video, hostile)), kind.max_cpu_seconds)


LINES = tuple(_lines())
