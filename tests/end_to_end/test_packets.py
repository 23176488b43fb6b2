"""The output contains every packet of the source, unchanged."""

from collections.abc import Callable
from pathlib import Path

import pytest
from conftest import Serve
from peers import media_reader
from peers.get_command import get

CASES = [
    pytest.param("ts-muxed", ["main"], id="TS muxed"),
    pytest.param("ts-separate-audio", ["large", "audio"], id="TS with separate audio"),
    pytest.param("ts-byterange", ["main"], id="TS by byte ranges"),
    pytest.param("ts-three-sizes", ["upright"], id="largest short side, in portrait format"),
    pytest.param("ts-hevc", ["main"], id="HEVC in TS"),
    pytest.param("ts-mp3", ["main"], id="MP3 in TS"),
    pytest.param("ts-ac3", ["main"], id="AC-3 in TS"),
    pytest.param("ts-eac3", ["main"], id="E-AC-3 in TS"),
    pytest.param("ts-audio-only", ["main"], id="audio only in TS"),
    pytest.param("ts-video-only", ["main"], id="video only in TS"),
    pytest.param("fmp4-muxed", ["main"], id="fMP4 muxed"),
    pytest.param("fmp4-separate-audio", ["large", "audio"], id="fMP4 with separate audio"),
    pytest.param("fmp4-byterange", ["main"], id="fMP4 by byte ranges"),
    pytest.param("fmp4-edit-lists", ["main"], id="fMP4 with edit lists"),
    pytest.param("fmp4-hevc", ["main"], id="HEVC in fMP4"),
    pytest.param("fmp4-av1", ["main"], id="AV1"),
    pytest.param("fmp4-vp9", ["main"], id="VP9"),
    pytest.param("fmp4-opus", ["main"], id="Opus"),
    pytest.param("fmp4-flac", ["main"], id="FLAC"),
    pytest.param("fmp4-mp3", ["main"], id="MP3 in fMP4"),
    pytest.param("fmp4-ac3", ["main"], id="AC-3 in fMP4"),
    pytest.param("fmp4-audio-only", ["main"], id="audio only in fMP4"),
    pytest.param("fmp4-video-only", ["main"], id="video only in fMP4"),
]


@pytest.mark.parametrize(("name", "playlists"), CASES)
def test_output_has_every_packet_of_the_source(
    name: str, playlists: list[str], media: Callable[[str], Path], serve: Serve, tmp_path: Path
) -> None:
    folder, output = media(name), tmp_path / "output.mp4"
    result = get(serve(folder).url("/main.m3u8"), output)
    assert result.returncode == 0, result.stderr.decode()
    sources = [media_reader.concatenate(folder / f"{playlist}.m3u8", tmp_path / f"{playlist}.source") for playlist in playlists]
    assert media_reader.hashes(output) == media_reader.source_hashes(*sources)
    assert media_reader.packet_counts(output) == media_reader.packet_counts(*sources)
    assert media_reader.header_duration(output) == pytest.approx(media_reader.duration(*sources), abs=0.1)
    assert media_reader.decode_times_increase(output)
    assert media_reader.is_whole(output)
    if len(media_reader.packet_counts(output)) > 1:
        assert media_reader.audio_delay(output) == pytest.approx(media_reader.audio_delay(*sources), abs=0.001)


@pytest.mark.parametrize(
    ("height", "size"), [(None, (480, 848)), (480, (480, 848)), (479, (640, 360)), (200, (320, 180)), (10, (320, 180))]
)
def test_height_limits_the_short_side(
    height: int | None, size: tuple[int, int], media: Callable[[str], Path], serve: Serve, tmp_path: Path
) -> None:
    arguments = [] if height is None else ["--height", str(height)]
    result = get(serve(media("ts-three-sizes")).url("/main.m3u8"), tmp_path / "output.mp4", *arguments)
    assert result.returncode == 0, result.stderr.decode()
    assert media_reader.frame_size(tmp_path / "output.mp4") == size


def test_local_playlist_is_read_from_disk(media: Callable[[str], Path], tmp_path: Path) -> None:
    result = get(str(media("ts-muxed") / "main.m3u8"), tmp_path / "output.mp4")
    assert result.returncode == 0, result.stderr.decode()
    assert media_reader.is_whole(tmp_path / "output.mp4")
