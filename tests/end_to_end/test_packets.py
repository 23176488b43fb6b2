"""A playlist goes in by its address, and the film that comes out is the source's, packet for packet."""

from collections.abc import Callable
from pathlib import Path

import pytest
from conftest import Serve
from peers import media_reader
from peers.get_command import get

WHOLE = [
    pytest.param("ts-muxed", ["main"], id="TS muxed"),
    pytest.param("ts-separate-audio", ["large", "sound"], id="TS with separate audio"),
    pytest.param("ts-byterange", ["main"], id="TS by byte ranges"),
    pytest.param("ts-three-sizes", ["upright"], id="the largest short side, upright"),
    pytest.param("ts-hevc", ["main"], id="HEVC in TS"),
    pytest.param("ts-mp3", ["main"], id="MP3 in TS"),
    pytest.param("ts-ac3", ["main"], id="AC-3 in TS"),
    pytest.param("ts-eac3", ["main"], id="E-AC-3 in TS"),
    pytest.param("ts-audio-only", ["main"], id="sound alone in TS"),
    pytest.param("ts-video-only", ["main"], id="picture alone in TS"),
    pytest.param("fmp4-muxed", ["main"], id="fMP4 muxed"),
    pytest.param("fmp4-separate-audio", ["large", "sound"], id="fMP4 with separate audio"),
    pytest.param("fmp4-byterange", ["main"], id="fMP4 by byte ranges"),
    pytest.param("fmp4-edit-lists", ["main"], id="fMP4 with edit lists"),
    pytest.param("fmp4-hevc", ["main"], id="HEVC in fMP4"),
    pytest.param("fmp4-av1", ["main"], id="AV1"),
    pytest.param("fmp4-vp9", ["main"], id="VP9"),
    pytest.param("fmp4-opus", ["main"], id="Opus"),
    pytest.param("fmp4-flac", ["main"], id="FLAC"),
    pytest.param("fmp4-mp3", ["main"], id="MP3 in fMP4"),
    pytest.param("fmp4-ac3", ["main"], id="AC-3 in fMP4"),
    pytest.param("fmp4-audio-only", ["main"], id="sound alone in fMP4"),
    pytest.param("fmp4-video-only", ["main"], id="picture alone in fMP4"),
]


@pytest.mark.parametrize(("name", "playlists"), WHOLE)
def test_film_is_the_source_packet_for_packet(
    name: str, playlists: list[str], media: Callable[[str], Path], serve: Serve, tmp_path: Path
) -> None:
    folder, ours = media(name), tmp_path / "ours.mp4"
    done = get(serve(folder).url("/main.m3u8"), ours)
    assert done.returncode == 0, done.stderr.decode()
    sources = [media_reader.concatenate(folder / f"{each}.m3u8", tmp_path / f"{each}.source") for each in playlists]
    assert media_reader.hashes(ours) == media_reader.source_hashes(*sources)
    assert media_reader.packets(ours) == media_reader.packets(*sources)
    assert media_reader.header_duration(ours) == pytest.approx(media_reader.length(*sources), abs=0.1)
    assert media_reader.is_steady(ours)
    assert media_reader.is_whole(ours)
    if len(media_reader.packets(ours)) > 1:
        assert media_reader.av_distance(ours) == pytest.approx(media_reader.av_distance(*sources), abs=0.001)


@pytest.mark.parametrize(
    ("height", "size"), [(None, (480, 848)), (480, (480, 848)), (479, (640, 360)), (200, (320, 180)), (10, (320, 180))]
)
def test_height_caps_the_short_side(
    height: int | None, size: tuple[int, int], media: Callable[[str], Path], serve: Serve, tmp_path: Path
) -> None:
    words = [] if height is None else ["--height", str(height)]
    done = get(serve(media("ts-three-sizes")).url("/main.m3u8"), tmp_path / "ours.mp4", *words)
    assert done.returncode == 0, done.stderr.decode()
    assert media_reader.size(tmp_path / "ours.mp4") == size


def test_local_playlist_is_read_from_disk(media: Callable[[str], Path], tmp_path: Path) -> None:
    done = get(str(media("ts-muxed") / "main.m3u8"), tmp_path / "ours.mp4")
    assert done.returncode == 0, done.stderr.decode()
    assert media_reader.is_whole(tmp_path / "ours.mp4")
