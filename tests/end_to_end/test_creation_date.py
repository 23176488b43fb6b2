"""The date in a file is the source's own, in each layout, so that the same source always makes the same file."""

from collections.abc import Callable
from pathlib import Path

import pytest
from conftest import Serve
from peers import media_reader
from peers.playlists import parse_media
from peers.source_files import download, files_in

Media = Callable[[str], Path]
DATE = "#EXT-X-PROGRAM-DATE-TIME:2024-02-29T12:00:02.250+01:00\n"
EPOCH = 2_082_844_800
"""1970 in seconds since 1904."""
HEADERS = ("mvhd", "tkhd", "mdhd")
RECORDED = 1_709_204_402.25
"""When the segment behind DATE was recorded."""


def dates(file: Path) -> dict[str, set[int]]:
    """Return the creation and modification times in a file, by the boxes that have them."""
    found: dict[str, set[int]] = {}
    for name, content in media_reader.boxes(file.read_bytes()):
        if name in HEADERS:
            width = 8 if content[0] else 4
            found.setdefault(name, set()).update(int.from_bytes(content[at : at + width]) for at in (4, 4 + width))
    return found


@pytest.mark.parametrize("layout", ["fragmented", "plain"])
@pytest.mark.parametrize("name", ["ts-muxed", "fmp4-muxed"])
def test_the_date_of_the_playlist_is_in_every_header(name: str, layout: str, media: Media, serve: Serve, tmp_path: Path) -> None:
    files = files_in(media(name))
    first, *entries = files["/main.m3u8"].decode().split("#EXTINF:")
    files["/dated.m3u8"] = "#EXTINF:".join((first, entries[0] + DATE, *entries[1:])).encode()
    origin = serve(files)
    made = [download(origin.url("/dated.m3u8"), tmp_path / f"{number}.mp4", "--layout", layout) for number in range(2)]
    recorded = int(RECORDED - float(entries[0].partition(",")[0]))
    assert dates(made[0]) == {name: {recorded + EPOCH} for name in HEADERS}
    assert made[0].read_bytes() == made[1].read_bytes()
    assert media_reader.is_whole(made[0])
    undated = download(origin.url("/main.m3u8"), tmp_path / "undated.mp4", "--layout", layout)
    assert dates(undated) == {name: {0} for name in HEADERS}
    assert media_reader.hashes(undated) == media_reader.hashes(made[0])


@pytest.mark.parametrize(
    ("text", "recorded"),
    [
        (f"#EXTINF:4,\nv0.ts\n{DATE}#EXTINF:4,\nv1.ts\n", RECORDED - 4),
        (f"{DATE}#EXTINF:4,\nv0.ts\n#EXT-X-PROGRAM-DATE-TIME:2030-01-01T00:00:00Z\n#EXTINF:4,\nv1.ts\n", RECORDED),
        ("#EXT-X-PROGRAM-DATE-TIME:2024-02-29T11:00:02.25\n#EXTINF:4,\nv0.ts\n", RECORDED),
        ("#EXT-X-PROGRAM-DATE-TIME:20240229T120002,25+0100\n#EXTINF:4,\nv0.ts\n", RECORDED),
        ("#EXT-X-PROGRAM-DATE-TIME:yesterday\n#EXTINF:4,\nv0.ts\n", None),
        ("#EXT-X-PROGRAM-DATE-TIME:0001-01-01T00:00:00+14:00\n#EXTINF:4,\nv0.ts\n", None),
        ("#EXT-X-PROGRAM-DATE-TIME:9999-12-31T23:59:59-14:00\n#EXTINF:4,\nv0.ts\n", None),
        ("#EXTINF:4,\nv0.ts\n", None),
        ("#EXTINF:4,\nv0.ts\n#EXT-X-PROGRAM-DATE-TIME:1970-01-01T00:00:01Z\n#EXTINF:4,\nv1.ts\n", None),
    ],
)
def test_the_first_date_of_a_playlist_is_read(text: str, recorded: float | None) -> None:
    assert parse_media(f"#EXTM3U\n#EXT-X-TARGETDURATION:4\n{text}#EXT-X-ENDLIST\n").recorded == recorded
