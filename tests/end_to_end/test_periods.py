"""Several timelines become one output: no video frame is lost, the audio has no gap, and audio and video stay in sync."""

import re
from collections.abc import Callable
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import av
import pytest
from conftest import Serve
from generated_video import GeneratedVideo
from packager import Period, media_playlist, pack_fmp4, pack_ts
from peers import media_reader
from peers.av_sync import beep_delays, peaks
from peers.get_command import get
from peers.source_files import download, files_in

HALF_AUDIO_FRAME = 1024 / 48_000 / 2
AUDIO_PACKET_TOLERANCE = 3
"""Audio packets that a join may drop or add."""

JOINED = [
    "join-ts",
    "join-ts-b-frames",
    "join-ts-more-b-frames",
    "join-ts-backwards",
    "join-ts-three",
    "join-ts-size",
    "join-ts-audio-late",
    "join-ts-audio-short",
    "join-ts-audio-long",
    "join-ts-separate-audio",
    "join-ts-fmp4",
    "join-ts-unmarked",
    "join-ts-unmarked-jump",
    "join-fmp4",
    "join-fmp4-size",
    "join-fmp4-separate-audio",
    "join-fmp4-shared-init",
]


def renditions_by_period(folder: Path) -> list[list[str]]:
    """Return for each period the base names of its renditions' files: one, or one for video and one for audio."""
    names = sorted({re.sub(r"-?(\d+|init)?\.\w+$", "", path.name) for path in folder.iterdir() if path.suffix in {".ts", ".m4s"}})
    return [
        [name for name in names if name.endswith(str(number))] for number in range(3) if any(name.endswith(str(number)) for name in names)
    ]


def sources(folder: Path, into: Path) -> list[list[Path]]:
    """Concatenate the segments of each rendition in each period into a file; return the files by period."""
    periods = []
    for number, names in enumerate(renditions_by_period(folder)):
        files = []
        for name in names:
            segments = sorted(folder.glob(f"{name}-init.mp4")) + sorted(folder.glob(f"{name}-[0-9].*"))
            files.append(into / f"{number}-{name}{segments[-1].suffix}")
            files[-1].write_bytes(b"".join(segment.read_bytes() for segment in segments))
        periods.append(files)
    return periods


def audio_gaps(file: Path) -> list[float]:
    """Return the seconds between two audio packets, wherever they are not adjacent; overlaps are negative."""
    with av.open(file) as container:
        times = [
            (float(packet.pts * packet.time_base), float((packet.pts + packet.duration) * packet.time_base))
            for packet in container.demux(audio=0)
            if packet.pts is not None and packet.duration and packet.time_base
        ]
    return [start - end for (_, end), (start, _) in pairwise(times) if abs(start - end) > 0.001]


@pytest.mark.parametrize("name", JOINED)
def test_periods_are_joined(name: str, media: Callable[[str], Path], serve: Serve, tmp_path: Path) -> None:
    folder = media(name)
    output = download(serve(folder).url("/main.m3u8"), tmp_path / "output.mp4")
    periods = sources(folder, tmp_path)
    assert len(periods) > 1
    expected = [media_reader.packet_counts(*files) for files in periods]
    actual = media_reader.packet_counts(output)
    assert actual["video"] == sum(counts["video"] for counts in expected)
    tolerance = AUDIO_PACKET_TOLERANCE * len(periods) + (25 if name in UNEQUAL_DURATIONS else 0)
    assert abs(actual["audio"] - sum(counts["audio"] for counts in expected)) <= tolerance
    assert media_reader.decoded_counts(output)["video"] == actual["video"]
    assert media_reader.decode_times_increase(output)
    assert media_reader.is_whole(output)
    assert audio_gaps(output) == []
    error = 0.5 if name in UNEQUAL_DURATIONS else 0.1
    assert media_reader.header_duration(output) == pytest.approx(media_reader.duration(output), abs=error)
    assert_in_sync(output, periods)


UNEQUAL_DURATIONS = {
    *("join-ts-audio-late", "join-ts-audio-long", "join-ts-audio-short"),
    *("join-ts-separate-audio", "join-fmp4-separate-audio"),
}
"""Sets with a period whose audio and video have different durations: silence is inserted, or a frame is held. The header cannot know."""


def assert_in_sync(output: Path, periods: list[list[Path]]) -> None:
    """Check that the delay from each flash to its beep is the same as in the source."""
    expected = [delay for files in periods for delay in beep_delays(*files)]
    actual = beep_delays(output)
    assert len(actual) == len(expected)
    worst = max(abs(output_delay - source_delay) for output_delay, source_delay in zip(actual, expected, strict=True))
    assert worst <= HALF_AUDIO_FRAME + 0.002  # a beep is located to within a millisecond or two


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("join-ts-video-codec", "from h264 to hevc"),
        ("join-ts-audio-codec", "from aac to mp3"),
        ("join-ts-sample-rate", "sampling rate"),
        ("join-ts-channels", "channels"),
    ],
)
def test_periods_that_cannot_be_joined_without_reencoding_are_refused(
    name: str, message: str, media: Callable[[str], Path], serve: Serve, tmp_path: Path
) -> None:
    result = get(serve(media(name)).url("/main.m3u8"), tmp_path / "output.mp4", "--audio-codec", "copy")
    assert result.returncode == 3
    assert message in result.stderr.decode()
    assert not (tmp_path / "output.mp4").exists()


@pytest.mark.parametrize("name", ["join-ts-audio-codec", "join-ts-sample-rate", "join-ts-channels"])
def test_a_period_with_other_audio_is_reencoded_in_the_format_of_the_first(
    name: str, media: Callable[[str], Path], serve: Serve, tmp_path: Path
) -> None:
    folder = media(name)
    output = download(serve(folder).url("/main.m3u8"), tmp_path / "output.mp4")
    periods = sources(folder, tmp_path)
    first, second = (media_reader.packet_counts(*files) for files in periods)
    assert media_reader.codecs(output) == ["h264", "aac"]
    assert media_reader.packet_counts(output)["video"] == first["video"] + second["video"]
    assert media_reader.decoded_counts(output)["video"] == first["video"] + second["video"]
    assert audio_gaps(output) == []
    assert media_reader.header_duration(output) == pytest.approx(media_reader.duration(output), abs=0.1)
    assert_in_sync(output, periods)


@pytest.mark.parametrize(("name", "silent"), [("join-ts-no-audio-first", (0.0, 4.0)), ("join-ts-no-audio-second", (4.1, 8.0))])
def test_a_period_without_audio_is_silent(
    name: str, silent: tuple[float, float], media: Callable[[str], Path], serve: Serve, tmp_path: Path
) -> None:
    output = download(serve(media(name)).url("/main.m3u8"), tmp_path / "output.mp4")
    assert media_reader.packet_counts(output)["video"] == 200
    assert media_reader.packet_counts(output)["audio"] == pytest.approx(8.0 * 48_000 / 1024, abs=6)
    assert audio_gaps(output) == []
    start, end = silent
    loud = [time for time, peak in peaks(output) if peak > 0.01]
    assert loud
    assert not [time for time in loud if start < time < end]
    assert media_reader.header_duration(output) == pytest.approx(8.0, abs=0.1)


@pytest.mark.parametrize("output_format", ["m4a", "mp3"])
@pytest.mark.parametrize(("name", "silent"), [("join-ts-no-audio-first", (0.1, 4.0)), ("join-ts-no-audio-second", (4.2, 8.0))])
def test_a_period_without_audio_is_silent_in_an_output_of_audio_alone(
    name: str, silent: tuple[float, float], output_format: str, media: Callable[[str], Path], serve: Serve, tmp_path: Path
) -> None:
    url = serve(media(name)).url("/main.m3u8")
    output = download(url, tmp_path / f"output.{output_format}", "--format", output_format)
    start, end = silent
    loud = [time for time, peak in peaks(output) if peak > 0.01]
    assert loud
    assert not [time for time in loud if start < time < end]
    assert media_reader.duration(output) == pytest.approx(8.0, abs=0.15)
    clip = download(url, tmp_path / f"clip.{output_format}", "--format", output_format, "--start", "3", "--end", "5.5")
    assert media_reader.duration(clip) == pytest.approx(2.5, abs=0.15)
    assert [time for time, peak in peaks(clip) if peak > 0.01][0 if start < 1 else -1] == pytest.approx(1.0, abs=0.15)


def test_video_in_place_of_a_rendition_of_audio_is_no_silence(media: Callable[[str], Path], serve: Serve, tmp_path: Path) -> None:
    files = files_in(media("join-ts-separate-audio"))
    for number in range(2):
        files[f"/audio1-{number}.ts"] = files[f"/video1-{number}.ts"]
    result = get(serve(files).url("/main.m3u8"), tmp_path / "output.m4a", "--format", "m4a")
    assert (result.returncode, b"A part of the source has no audio" in result.stderr) == (3, True), result.stderr.decode()


@pytest.mark.parametrize("name", ["ts-muxed", "ts-mp3", "ts-ac3", "ts-eac3", "fmp4-ac3"])
def test_where_the_clock_goes_on_after_a_tag_nothing_is_lost_or_moved(
    name: str, media: Callable[[str], Path], serve: Serve, tmp_path: Path
) -> None:
    folder = media(name)
    files = {f"/{path.name}": path.read_bytes() for path in folder.iterdir()}
    tagged = files["/main.m3u8"].replace(b"#EXTINF", b"#EXT-X-DISCONTINUITY\n#EXTINF")
    output = download(serve(files | {"/main.m3u8": tagged}).url("/main.m3u8"), tmp_path / "output.mp4")
    untagged = download(serve(folder).url("/main.m3u8"), tmp_path / "untagged.mp4")
    assert media_reader.packet_counts(output) == media_reader.packet_counts(untagged)
    for medium, times in media_reader.presentation_times(untagged).items():
        assert media_reader.presentation_times(output)[medium] == pytest.approx(times, abs=0.001)
    assert audio_gaps(output) == []
    assert 0 <= media_reader.header_duration(output) - media_reader.header_duration(untagged) < 0.03


def test_periods_may_have_the_same_timestamps_and_pictures(media: Callable[[str], Path], serve: Serve, tmp_path: Path) -> None:
    """As a slate has that stands between advertisements, under one address or several."""
    folder = media("ts-muxed")
    files = {f"/{path.name}": path.read_bytes() for path in folder.iterdir()}
    files["/again.ts"] = files["/segment-1.ts"]
    names = ["segment-0.ts", "segment-1.ts", "segment-1.ts", "again.ts", "segment-2.ts"]
    entries = "#EXT-X-DISCONTINUITY\n".join(f"#EXTINF:2,\n{name}\n" for name in names)
    files["/main.m3u8"] = f"#EXTM3U\n#EXT-X-TARGETDURATION:2\n{entries}#EXT-X-ENDLIST\n".encode()
    output = download(serve(files).url("/main.m3u8"), tmp_path / "output.mp4")
    assert media_reader.packet_counts(output)["video"] == 250


@pytest.mark.parametrize("excess", [0.15, 0.4, 1.5])
@pytest.mark.parametrize("pack", [pack_ts, pack_fmp4], ids=["TS", "fMP4"])
def test_the_header_counts_audio_that_outlasts_the_video_of_each_period(
    excess: float, pack: Callable[[Path, str, GeneratedVideo], Period], serve: Serve, tmp_path: Path
) -> None:
    videos = [GeneratedVideo(seconds=3.0, audio_end=3.0 + excess, timestamp_offset=offset) for offset in (10.0, 500.0, 90.0)]
    periods = [pack(tmp_path, f"period{number}", video) for number, video in enumerate(videos)]
    (tmp_path / "main.m3u8").write_text(media_playlist(periods))
    output = tmp_path / "output.mp4"
    result = get(serve(tmp_path).url("/main.m3u8"), output, "--layout", "fragmented")
    assert result.returncode == 0, result.stderr.decode()
    assert 0.0 <= media_reader.header_duration(output) - media_reader.duration(output) + 0.001 < 0.1


@pytest.mark.parametrize("early", [0.3, 1.0, 3.5])
def test_audio_that_begins_before_the_video_of_a_later_period_is_kept(early: float, serve: Serve, tmp_path: Path) -> None:
    videos = [GeneratedVideo(seconds=2.0), GeneratedVideo(seconds=2.0 + early, video_start=early, timestamp_offset=500.0)]
    periods = [pack_ts(tmp_path, f"period{number}", video, seconds=8.0) for number, video in enumerate(videos)]
    (tmp_path / "main.m3u8").write_text(media_playlist(periods))
    output = tmp_path / "output.mp4"
    result = get(serve(tmp_path).url("/main.m3u8"), output)
    assert result.returncode == 0, result.stderr.decode()
    files = [tmp_path / f"period{number}-0.ts" for number in range(2)]
    assert media_reader.packet_counts(output) == media_reader.packet_counts(*files)
    assert 0.0 <= media_reader.header_duration(output) - media_reader.duration(output) + 0.001 < 0.1
    assert beep_delays(output) == pytest.approx([0.0] * len(beep_delays(output)), abs=0.03)


@pytest.mark.parametrize(
    ("pack", "codecs", "codec"),
    [
        pytest.param(pack_ts, ("dts", "aac"), "aac", id="DTS, AAC"),
        pytest.param(pack_ts, ("s302m", "mp2", "opus"), "aac", id="PCM, MP2, Opus"),
        pytest.param(pack_ts, ("dts", None), "aac", id="DTS, silence"),
        pytest.param(pack_ts, (None, "s302m"), "aac", id="silence, PCM"),
        pytest.param(pack_ts, ("opus", "dts"), "opus", id="Opus, DTS"),
        pytest.param(pack_fmp4, ("flac", "vorbis"), "aac", id="FLAC, Vorbis"),
        pytest.param(pack_fmp4, ("flac", "flac", None), "aac", id="FLAC, silence"),
    ],
)
def test_whatever_audio_the_periods_have_is_joined(
    pack: Callable[[Path, str, GeneratedVideo], Period], codecs: tuple[str | None, ...], codec: str, serve: Serve, tmp_path: Path
) -> None:
    videos = [
        GeneratedVideo(seconds=3.0, size="160x90", audio_codec=each, timestamp_offset=10.0 + 100 * number)
        for number, each in enumerate(codecs)
    ]
    periods = [pack(tmp_path, f"period{number}", video) for number, video in enumerate(videos)]
    (tmp_path / "main.m3u8").write_text(media_playlist(periods))
    output = download(serve(tmp_path).url("/main.m3u8"), tmp_path / "output.mp4")
    assert media_reader.codecs(output) == ["h264", codec]
    assert media_reader.packet_counts(output)["video"] == 75 * len(codecs)
    assert audio_gaps(output) == []
    delays = beep_delays(output)
    assert len(delays) >= 3 * len([each for each in codecs if each]) - 1
    assert delays == pytest.approx([0] * len(delays), abs=0.03)
    assert media_reader.header_duration(output) == pytest.approx(media_reader.duration(output), abs=0.1)


@pytest.mark.parametrize(
    ("said", "pack"),
    [
        pytest.param(2.0, pack_ts, id="rounded, TS"),
        pytest.param(2.0, pack_fmp4, id="rounded, fMP4"),
        pytest.param(1.2, pack_ts, id="half as long, TS"),
        pytest.param(1.2, pack_fmp4, id="half as long, fMP4"),
        pytest.param(4.8, pack_ts, id="twice as long, TS"),
    ],
)
def test_the_header_has_the_true_length_of_many_periods_whose_extinf_is_wrong(
    said: float, pack: Callable[[Path, str, GeneratedVideo], Period], serve: Serve, tmp_path: Path
) -> None:
    video = GeneratedVideo(seconds=2.4, size="160x90", key_frame_interval=60)
    periods = [pack(tmp_path, f"period{number}", replace(video, timestamp_offset=10.0 + 100 * number)) for number in range(6)]
    wrong = [replace(period, segments=[replace(segment, seconds=said) for segment in period.segments]) for period in periods]
    text = media_playlist(wrong)
    (tmp_path / "main.m3u8").write_text(text.replace("#EXTINF:2.000000,", "#EXTINF:2,"))
    output = tmp_path / "output.mp4"
    result = get(serve(tmp_path).url("/main.m3u8"), output)
    assert result.returncode == 0, result.stderr.decode()
    assert 0.0 <= media_reader.header_duration(output) - media_reader.duration(output) + 0.05 < 0.15
