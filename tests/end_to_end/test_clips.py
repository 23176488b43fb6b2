"""Clips: the part of a source between `--start` and `--end`."""

from collections.abc import Callable, Sequence
from pathlib import Path

import av
import pytest
from conftest import Serve
from generated_video import GeneratedVideo
from packager import Period, media_playlist, pack_fmp4, pack_ts
from peers import av_sync, media_reader
from peers.get_command import get
from peers.source_files import download

Media = Callable[[str], Path]

PACKAGINGS = [
    "ts-muxed",
    "ts-separate-audio",
    "ts-hevc",
    "ts-wrap",
    "fmp4-muxed",
    "fmp4-separate-audio",
    "fmp4-edit-lists",
    "fmp4-opus",
    "packed-aac",
]


@pytest.mark.parametrize("name", PACKAGINGS)
def test_a_clip_starts_with_the_preceding_key_frame(name: str, media: Media, serve: Serve, tmp_path: Path) -> None:
    output = download(serve(media(name)).url("/main.m3u8"), tmp_path / "output.mp4", "--start", "2.5", "--end", "4.2")
    times = media_reader.presentation_times(output)
    video, audio = sorted(times["video"]), sorted(times["audio"])
    # There is a key frame each second: the clip starts at 2, and ends with the last frame that starts before 4.2.
    assert video[0] == pytest.approx(0, abs=0.025)
    assert video[-1] == pytest.approx(2.2 - 0.04, abs=0.05)
    assert audio[0] == pytest.approx(0, abs=0.025)
    assert audio[-1] == pytest.approx(2.2 - 0.02, abs=0.05)
    assert media_reader.header_duration(output) == pytest.approx(2.2, abs=0.1)
    assert media_reader.decoded_counts(output)["video"] == len(video)
    assert media_reader.is_whole(output)
    assert media_reader.decode_times_increase(output)
    delays = av_sync.beep_delays(output)[1:]  # the start of the first beep may be cut off
    assert delays == pytest.approx([0] * len(delays), abs=0.012)


# What is cut is decoded, so that of the packagings those are left that say otherwise where a clip begins.
@pytest.mark.parametrize("name", ["ts-muxed", "ts-separate-audio", "ts-wrap", "fmp4-muxed", "fmp4-edit-lists", "packed-aac"])
def test_an_exact_clip_starts_at_the_requested_time(name: str, media: Media, serve: Serve, tmp_path: Path) -> None:
    output = download(serve(media(name)).url("/main.m3u8"), tmp_path / "output.mp4", "--start", "2.5", "--end", "4.2", "--exact")
    assert media_reader.duration(output) == pytest.approx(1.7, abs=0.05)
    assert media_reader.header_duration(output) == pytest.approx(1.7, abs=0.05)
    assert media_reader.codecs(output) == ["h264", "aac"]
    assert media_reader.decoded_counts(output)["video"] == pytest.approx(42, abs=1)
    # The flash of the next full second is half a second after the start, except where the video starts late, and its playlist with it.
    start = 0.52 if name in {"ts-separate-audio", "fmp4-muxed"} else 0.0
    assert av_sync.flashes(output)[0] == pytest.approx((0.5 - start) % 1, abs=0.045)
    assert av_sync.beep_delays(output) == pytest.approx([0] * len(av_sync.beep_delays(output)), abs=0.012)


@pytest.mark.parametrize(("name", "key"), [("join-ts", 3.0), ("join-fmp4", 3.0)])
def test_a_clip_may_span_periods(name: str, key: float, media: Media, serve: Serve, tmp_path: Path) -> None:
    output = download(serve(media(name)).url("/main.m3u8"), tmp_path / "output.mp4", "--start", str(key), "--end", "5.5")
    assert media_reader.duration(output) == pytest.approx(5.5 - key, abs=0.05)
    assert media_reader.header_duration(output) == pytest.approx(5.5 - key, abs=0.11)
    assert media_reader.decode_times_increase(output)


def test_a_clip_of_a_long_video_fetches_little(media: Media, serve: Serve, tmp_path: Path) -> None:
    folder = media("ts-long")
    origin = serve(folder)
    total = sum(file.stat().st_size for file in folder.glob("*.ts"))
    output = download(origin.url("/main.m3u8"), tmp_path / "output.mp4", "--start", "5:03", "--end", "0:05:08")
    assert media_reader.duration(output) == pytest.approx(6.0, abs=0.05)  # from the key frame at 302 s
    assert media_reader.header_duration(output) == pytest.approx(6.0, abs=0.05)
    assert origin.sent < 0.05 * total
    assert {request.path for request in origin.requests if request.path.startswith("/video-")} == {"/video-75.ts", "/video-76.ts"}


def test_end_without_start_cuts_off_the_rest(media: Media, serve: Serve, tmp_path: Path) -> None:
    origin = serve(media("ts-muxed"))
    output = download(origin.url("/main.m3u8"), tmp_path / "output.mp4", "--end", "1.5")
    assert media_reader.duration(output) == pytest.approx(1.5, abs=0.05)
    assert [request.path for request in origin.requests if request.path.endswith(".ts")] == ["/segment-0.ts"]


@pytest.mark.parametrize("options", [(), ("--exact",)])
@pytest.mark.parametrize("end", ["2.99", "3.0", "3.011"])
def test_the_header_counts_a_frame_that_lasts_beyond_the_end(
    end: str, options: Sequence[str], media: Media, serve: Serve, tmp_path: Path
) -> None:
    output = download(serve(media("ts-muxed")).url("/main.m3u8"), tmp_path / "output.mp4", "--start", "1.3", "--end", end, *options)
    assert 0.0 <= media_reader.header_duration(output) - media_reader.duration(output) + 0.001 < 0.05


def test_start_without_end_keeps_the_rest(media: Media, serve: Serve, tmp_path: Path) -> None:
    output = download(serve(media("ts-muxed")).url("/main.m3u8"), tmp_path / "output.mp4", "--start", "4.9")
    assert media_reader.duration(output) == pytest.approx(2.0, abs=0.05)
    assert media_reader.header_duration(output) == pytest.approx(2.0, abs=0.05)


@pytest.mark.parametrize(("name", "start"), [("ts-muxed", "1.0005"), ("fmp4-audio-only", "2.9999"), ("packed-aac", "0.3333333")])
def test_audio_alone_starts_within_half_a_frame_wherever_fragments_begin(
    name: str, start: str, media: Media, serve: Serve, tmp_path: Path
) -> None:
    url = serve(media(name)).url("/main.m3u8")
    output = download(url, tmp_path / "output.m4a", "--format", "m4a", "--start", start, "--end", "5")
    assert media_reader.duration(output) == pytest.approx(5 - float(start), abs=0.05)


def test_a_start_after_the_end_of_the_audio_is_an_error_of_the_caller(media: Media, serve: Serve, tmp_path: Path) -> None:
    # 4 ms before its end, so that less than half of a frame is left.
    result = get(serve(media("packed-aac")).url("/main.m3u8"), tmp_path / "output.m4a", "--format", "m4a", "--start", "5.735")
    assert (result.returncode, result.stderr.decode().partition(",")[0]) == (2, "transcoder: start: the media there ends before that")


def test_a_clip_may_be_an_mp3(media: Media, serve: Serve, tmp_path: Path) -> None:
    url = serve(media("join-ts")).url("/main.m3u8")
    output = download(url, tmp_path / "output.mp3", "--format", "mp3", "--start", "3", "--end", "6")
    with av.open(output) as container:
        assert sum(frame.samples / frame.sample_rate for frame in container.decode(audio=0)) == pytest.approx(3.0, abs=0.15)


ONE_START, THREE = (10.0, 10.0, 10.0), (500.0, 10.0, 90.0)
BOTH_ENDS, ONLY_START, ONLY_END = (("--start", "3", "--end", "9"), 150), (("--start", "3"), 225), (("--end", "9"), 225)


# All pairs: how a segment is packaged, where its clock starts, and what is left out are decided in different places.
@pytest.mark.parametrize(
    ("pack", "offsets", "arguments", "frames"),
    [
        pytest.param(pack_ts, ONE_START, *BOTH_ENDS, id="TS, one start, both ends"),
        pytest.param(pack_fmp4, THREE, *BOTH_ENDS, id="fMP4, three starts, both ends"),
        pytest.param(pack_ts, THREE, *ONLY_START, id="TS, three starts, only a start"),
        pytest.param(pack_fmp4, ONE_START, *ONLY_START, id="fMP4, one start, only a start"),
        pytest.param(pack_ts, THREE, *ONLY_END, id="TS, three starts, only an end"),
        pytest.param(pack_fmp4, ONE_START, *ONLY_END, id="fMP4, one start, only an end"),
    ],
)
def test_a_clip_over_several_clocks_loses_nothing(
    offsets: tuple[float, ...],
    pack: Callable[[Path, str, GeneratedVideo], Period],
    arguments: tuple[str, ...],
    frames: int,
    serve: Serve,
    tmp_path: Path,
) -> None:
    videos = [GeneratedVideo(seconds=4, size="160x90", b_frames=0, timestamp_offset=offset) for offset in offsets]
    periods = [pack(tmp_path, f"period{number}", video) for number, video in enumerate(videos)]
    (tmp_path / "main.m3u8").write_text(media_playlist(periods))
    url = serve(tmp_path).url("/main.m3u8")
    output = download(url, tmp_path / "output.mp4", *arguments)
    assert media_reader.packet_counts(output)["video"] == frames
    assert media_reader.packet_counts(output)["audio"] == pytest.approx(frames / 25 * 48_000 / 1024, abs=6)
    delays = av_sync.beep_delays(output)[1:]
    assert len(delays) >= frames // 25 - 2
    # A beep at the very beginning of a later period loses what is in the encoder's first frame, which lies before its video.
    assert delays == pytest.approx([0] * len(delays), abs=1024 / 48_000)
    if len(arguments) == len(BOTH_ENDS[0]):
        exact = download(url, tmp_path / "exact.mp4", *arguments, "--exact")
        assert media_reader.packet_counts(exact)["video"] == pytest.approx(frames, abs=2)
