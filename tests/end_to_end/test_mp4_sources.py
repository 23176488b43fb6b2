"""Output options for a source that is a plain MP4."""

from pathlib import Path

import av
import make_media
import pytest
from conftest import Serve
from generated_video import run_ffmpeg
from peers import av_sync, media_reader
from peers.get_command import get
from peers.source_files import download


@pytest.fixture(scope="module")
def mp4_files(tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    """Return two plain MP4 files: one with its `moov` at the front, and one with its `moov` at the end."""
    folder = tmp_path_factory.mktemp("mp4")
    playlist = make_media.media("ts-muxed") / "main.m3u8"
    run_ffmpeg("-i", playlist, "-c", "copy", "-movflags", "+faststart", folder / "front.mp4")
    run_ffmpeg("-i", playlist, "-c", "copy", folder / "back.mp4")
    return {f"/{file.name}": file.read_bytes() for file in folder.iterdir()}


def test_a_clip_of_a_plain_mp4(mp4_files: dict[str, bytes], serve: Serve, tmp_path: Path) -> None:
    output = download(serve(mp4_files).url("/front.mp4"), tmp_path / "output.mp4", "--start", "2.5", "--end", "4")
    assert media_reader.duration(output) == pytest.approx(2.0, abs=0.05)
    assert media_reader.header_duration(output) == pytest.approx(2.0, abs=0.05)
    assert media_reader.is_whole(output)
    delays = av_sync.beep_delays(output)[1:]
    assert delays == pytest.approx([0] * len(delays), abs=0.012)


@pytest.mark.parametrize(("output_format", "codec"), [("m4a", "aac"), ("mp3", "mp3float")])
def test_the_audio_of_a_plain_mp4(output_format: str, codec: str, mp4_files: dict[str, bytes], serve: Serve, tmp_path: Path) -> None:
    output = download(serve(mp4_files).url("/front.mp4"), tmp_path / f"output.{output_format}", "--format", output_format)
    assert media_reader.codecs(output) == [codec]
    with av.open(output) as container:
        assert sum(frame.samples / frame.sample_rate for frame in container.decode(audio=0)) == pytest.approx(5.75, abs=0.1)


def test_the_video_of_a_plain_mp4(mp4_files: dict[str, bytes], serve: Serve, tmp_path: Path) -> None:
    output = download(serve(mp4_files).url("/front.mp4"), tmp_path / "output.mp4", "--mute")
    (tmp_path / "source.mp4").write_bytes(mp4_files["/front.mp4"])
    assert media_reader.hashes(output) == {"video": media_reader.hashes(tmp_path / "source.mp4")["video"]}


def test_a_plain_mp4_with_its_moov_at_the_end_is_refused(mp4_files: dict[str, bytes], serve: Serve, tmp_path: Path) -> None:
    result = get(serve(mp4_files).url("/back.mp4"), tmp_path / "output.mp4", "--mute")
    assert (result.returncode, "is at its end" in result.stderr.decode()) == (3, True)


def test_a_truncated_mp4_is_a_failure(mp4_files: dict[str, bytes], serve: Serve, tmp_path: Path) -> None:
    whole = mp4_files["/front.mp4"]
    result = get(serve({"/half.mp4": whole[: len(whole) * 2 // 3]}).url("/half.mp4"), tmp_path / "output.mp4", "--mute")
    assert result.returncode == 4
    assert not (tmp_path / "output.mp4").exists()
