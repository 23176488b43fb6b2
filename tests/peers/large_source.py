"""A fragmented MP4 source of any size, made in no time: real headers, and samples of random bytes that nothing decodes."""

from collections.abc import Callable, Iterator
from pathlib import Path

from peers.origin import garbage
from peers.plain_movies import movie_of, segments_of

from transcoder.core.media.mp4.box_header import media_data_header
from transcoder.core.media.mp4.fragment import NOT_SYNC, SampleTable, write_movie_fragment

FRAMES = 50
"""Of each segment."""
SECONDS = 2
NOISE = garbage(4 * 1024 * 1024)


def write_large_source(media: Callable[[str], Path], *, segments: int, segment_bytes: int) -> Iterator[tuple[str, bytes]]:
    """Yield the files of a source by path: `/main.m3u8`, `/init.mp4`, and so many segments of about so many bytes."""
    init, _ = segments_of(media("fmp4-video-only") / "main.m3u8")
    yield "/init.mp4", init
    lines = ["#EXTM3U", "#EXT-X-VERSION:7", f"#EXT-X-TARGETDURATION:{SECONDS}", "#EXT-X-PLAYLIST-TYPE:VOD", '#EXT-X-MAP:URI="init.mp4"']
    for number in range(segments):
        yield f"/segment{number}.m4s", _segment(init, number, segment_bytes // FRAMES)
        lines += [f"#EXTINF:{SECONDS}.000,", f"segment{number}.m4s"]
    yield "/main.m3u8", "\n".join([*lines, "#EXT-X-ENDLIST", ""]).encode()


def _segment(init: bytes, number: int, frame_bytes: int) -> bytes:
    track = movie_of(init).tracks[0]
    ticks = track.timescale * SECONDS // FRAMES
    sizes = [frame_bytes + (number * 7 + frame) % 11 for frame in range(FRAMES)]
    flags = [0, *[NOT_SYNC] * (FRAMES - 1)]

    def moof(offset: int) -> bytes:
        table = SampleTable(track.id, number * ticks * FRAMES, offset, [ticks] * FRAMES, sizes, flags, [0] * FRAMES)
        return write_movie_fragment(number + 1, [table])

    header = media_data_header(sum(sizes))
    start = number * 8191 % 65536
    data = (NOISE[start:] + NOISE * (sum(sizes) // len(NOISE) + 1))[: sum(sizes)]
    return moof(len(moof(0)) + len(header)) + header + data
