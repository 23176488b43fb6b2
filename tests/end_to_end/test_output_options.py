"""Output options: audio only, video only, another codec, a maximum size."""

import subprocess
from collections.abc import Callable
from pathlib import Path

import av
import make_media
import pytest
from conftest import Serve
from peers import av_sync, media_reader
from peers.get_command import get
from peers.source_files import download

Media = Callable[[str], Path]


@pytest.mark.parametrize(
    ("arguments", "status", "message"),
    [
        (["--start", "5", "--end", "5"], 2, "start: 5 s is not before the end at 5 s"),
        (["--start", "6"], 2, "start: 6 s is beyond the end of the video, which is 6.000 s long"),
        (["--start", "soon"], 2, "start: 'soon' is not a time"),
        (["--format", "m4a", "--mute"], 2, "m4a has no video"),
        (["--fit", "1MB", "--exact", "--start", "1"], 2, "cannot be estimated in advance"),
    ],
)
def test_impossible_options_are_refused_with_a_message(
    arguments: list[str], status: int, message: str, media: Media, serve: Serve, tmp_path: Path
) -> None:
    result = get(serve(media("ts-muxed")).url("/main.m3u8"), tmp_path / "output.mp4", *arguments)
    assert (result.returncode, message in result.stderr.decode()) == (status, True), result.stderr


@pytest.mark.parametrize(
    ("name", "output_format", "codec", "seconds"),
    [
        pytest.param("ts-muxed", "m4a", "aac", 5.7, id="AAC is copied"),
        pytest.param("fmp4-separate-audio", "m4a", "aac", 5.4, id="a separate rendition"),
        pytest.param("packed-aac", "m4a", "aac", 5.7, id="packed AAC"),
        pytest.param("fmp4-opus", "m4a", "aac", 5.7, id="Opus is re-encoded"),
        pytest.param("ts-separate-audio", "mp3", "mp3float", 6.0, id="MP3"),
        pytest.param("ts-mp3", "mp3", "mp3float", 5.7, id="MP3 is copied"),
    ],
)
def test_audio_only(name: str, output_format: str, codec: str, seconds: float, serve: Serve, tmp_path: Path) -> None:
    origin = serve(make_media.media(name))
    output = download(origin.url("/main.m3u8"), tmp_path / f"output.{output_format}", "--format", output_format)
    assert media_reader.codecs(output) == [codec]
    assert not [request.path for request in origin.requests if request.path.startswith(("/large", "/small"))]
    with av.open(output) as container:
        decoded_seconds = sum(frame.samples / frame.sample_rate for frame in container.decode(audio=0))
    assert decoded_seconds == pytest.approx(seconds, abs=0.1)
    if output_format == "m4a":
        assert media_reader.is_whole(output)
        assert media_reader.header_duration(output) == pytest.approx(seconds, abs=0.1)


def test_periods_that_are_encoded_as_mp3_do_not_add_up_to_more(media: Media, serve: Serve, tmp_path: Path) -> None:
    """An encoder begins each with more than a frame, and ends it with a part of one."""
    output = tmp_path / "output.mp3"
    result = get(serve(media("join-ts-three")).url("/main.m3u8"), output, "--format", "mp3")
    assert result.returncode == 0, result.stderr.decode()
    source = media_reader.concatenate(media("join-ts-three") / "main.m3u8", tmp_path / "source.ts")
    seconds = media_reader.packet_counts(source)["audio"] * 1024 / 48_000
    assert media_reader.packet_counts(output)["audio"] * 1152 / 48_000 == pytest.approx(seconds, abs=0.06)


@pytest.mark.parametrize("name", ["ts-mp2", "ts-dts", "ts-s302m", "packed-mp2", "fmp4-dts", "fmp4-pcm", "fmp4-vorbis", "fmp4-alac"])
def test_audio_that_mp4_cannot_hold_is_reencoded_as_aac(name: str, media: Media, serve: Serve, tmp_path: Path) -> None:
    folder = media(name)
    output = download(serve(folder).url("/main.m3u8"), tmp_path / "output.mp4")
    assert media_reader.codecs(output) == ["h264", "aac"]
    assert media_reader.packet_counts(output)["video"] == 150
    assert media_reader.header_duration(output) == pytest.approx(6.0, abs=0.1)
    playlists = [folder / listed for listed in ("video.m3u8", "audio.m3u8") if (folder / listed).exists()] or [folder / "main.m3u8"]
    files = [media_reader.concatenate(playlist, tmp_path / playlist.stem) for playlist in playlists]
    delays = av_sync.beep_delays(*files) if len(files) == 1 else [0] * 5  # packed audio has no times of its own
    assert av_sync.beep_delays(output) == pytest.approx(delays, abs=0.006)
    refused = get(serve(folder).url("/main.m3u8"), tmp_path / "copy.mp4", "--audio-codec", "copy")
    assert (refused.returncode, b"without audio_codec=copy it is re-encoded" in refused.stderr) == (3, True), refused.stderr.decode()
    assert not (tmp_path / "copy.mp4").exists()


def test_copied_audio_is_unchanged(media: Media, serve: Serve, tmp_path: Path) -> None:
    folder = media("ts-muxed")
    output = download(serve(folder).url("/main.m3u8"), tmp_path / "output.m4a", "--format", "m4a")
    source = media_reader.concatenate(folder / "main.m3u8", tmp_path / "source")
    assert media_reader.hashes(output)["audio"] == media_reader.source_hashes(source)["audio"]


@pytest.mark.parametrize("name", ["ts-muxed", "fmp4-separate-audio"])
def test_video_only(name: str, media: Media, serve: Serve, tmp_path: Path) -> None:
    folder = media(name)
    origin = serve(folder)
    output = download(origin.url("/main.m3u8"), tmp_path / "output.mp4", "--mute")
    assert media_reader.packet_counts(output) == {"video": 150}
    assert not [request.path for request in origin.requests if "audio" in request.path]


@pytest.mark.parametrize("name", ["ts-hevc", "fmp4-av1"])
def test_other_video_codecs_are_reencoded_as_h264(name: str, media: Media, serve: Serve, tmp_path: Path) -> None:
    output = download(serve(media(name)).url("/main.m3u8"), tmp_path / "output.mp4", "--video", "h264")
    assert media_reader.codecs(output) == ["h264", "aac"]
    assert media_reader.decoded_counts(output)["video"] == 150
    assert media_reader.header_duration(output) == pytest.approx(6.0, abs=0.05)
    assert av_sync.beep_delays(output) == pytest.approx([0] * 5, abs=0.002)


def test_h264_is_copied_when_h264_is_requested(media: Media, serve: Serve, tmp_path: Path) -> None:
    folder = media("ts-muxed")
    output = download(serve(folder).url("/main.m3u8"), tmp_path / "output.mp4", "--video", "h264")
    source = media_reader.concatenate(folder / "main.m3u8", tmp_path / "source")
    assert media_reader.hashes(output) == media_reader.source_hashes(source)


@pytest.mark.parametrize(
    ("fit", "size"),
    [
        pytest.param("2MB", (480, 848), id="the best fits"),
        pytest.param("0.93MB", (480, 848), id="the best just fits, with 3 percent to spare"),
        pytest.param("0.92MB", (320, 180), id="the best does not fit: the next one that does"),
    ],
)
def test_fit_selects_the_best_variant_within_the_size(fit: str, size: tuple[int, int], media: Media, serve: Serve, tmp_path: Path) -> None:
    # 6 s of 1.2 Mbit/s are 0.9 MB, those of 1.5 Mbit/s 1.125 MB, those of 0.3 Mbit/s 0.225 MB.
    output = download(serve(media("ts-three-sizes")).url("/main.m3u8"), tmp_path / "output.mp4", "--fit", fit)
    assert media_reader.frame_size(output) == size


def test_an_impossible_fit_is_refused_with_the_smallest_possible_size(media: Media, serve: Serve, tmp_path: Path) -> None:
    url = serve(media("ts-three-sizes")).url("/main.m3u8")
    result: subprocess.CompletedProcess[bytes] = get(url, tmp_path / "output.mp4", "--fit", "100kB")
    assert result.returncode == 3
    assert "the smallest available version has about 0.3 MB" in result.stderr.decode()
