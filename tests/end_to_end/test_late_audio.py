"""Audio that begins segments after the video, without a tag: silence comes before it."""

from collections.abc import Callable
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import pytest
from conftest import Serve
from generated_video import GeneratedVideo
from packager import Period, media_playlist, pack_fmp4, pack_ts
from peers import media_reader
from peers.av_sync import beep_delays, beeps, peaks
from peers.get_command import get
from peers.program_map_edits import AUDIO_PID, muted, packets_of, pid_of

SMALL = GeneratedVideo(seconds=12, size="160x90", b_frames=0)


def mute(file: Path) -> None:
    """Take the audio out of a segment, and out of its program maps."""
    file.write_bytes(muted(file.read_bytes()))


def silence(file: Path) -> None:
    """Take the packets of the audio out of a segment; its program maps go on to list it."""
    file.write_bytes(b"".join(packet for packet in packets_of(file.read_bytes()) if pid_of(packet) != AUDIO_PID))


def loud_from(file: Path) -> float:
    """Return when the first audio frame that is not silent is presented, in seconds."""
    return next(time for time, peak in peaks(file) if peak > 0.01)


@pytest.mark.parametrize("segments", [1, 2, 5])
def test_muted_segments_at_the_beginning_become_silence(segments: int, serve: Serve, tmp_path: Path) -> None:
    (tmp_path / "main.m3u8").write_text(media_playlist([pack_ts(tmp_path, "segment", SMALL)]))
    for number in range(segments):
        mute(tmp_path / f"segment-{number}.ts")
    output = tmp_path / "output.mp4"
    result = get(serve(tmp_path).url("/main.m3u8"), output)
    assert result.returncode == 0, result.stderr.decode()
    counts = media_reader.packet_counts(output)
    assert counts["video"] == 300
    assert counts["audio"] == pytest.approx(12 * 48_000 / 1024, abs=6)
    assert loud_from(output) == pytest.approx(2 * segments, abs=0.1)
    assert media_reader.header_duration(output) == pytest.approx(12.0, abs=0.1)
    delays = beep_delays(output)
    assert len(delays) >= 12 - 2 * segments - 1
    assert delays == pytest.approx([0] * len(delays), abs=0.013)


@pytest.mark.parametrize("pack", [pack_ts, pack_fmp4], ids=["TS", "fMP4"])
def test_audio_that_is_announced_and_begins_much_later(
    pack: Callable[[Path, str, GeneratedVideo], Period], serve: Serve, tmp_path: Path
) -> None:
    late = replace(SMALL, seconds=26, audio_start=20.5)
    (tmp_path / "main.m3u8").write_text(media_playlist([pack(tmp_path, "segment", late)]))
    output = tmp_path / "output.mp4"
    result = get(serve(tmp_path).url("/main.m3u8"), output)
    assert result.returncode == 0, result.stderr.decode()
    assert media_reader.packet_counts(output)["video"] == 650
    assert loud_from(output) == pytest.approx(20.5, abs=0.1)
    times = media_reader.presentation_times(output)["audio"]
    assert max(after - before for before, after in pairwise(times)) < 0.03
    delays = beep_delays(output)
    assert delays == pytest.approx([0] * 5, abs=0.013)


@pytest.mark.parametrize("audio_format", ["m4a", "mp3"])
def test_audio_alone_begins_when_it_does(audio_format: str, serve: Serve, tmp_path: Path) -> None:
    (tmp_path / "main.m3u8").write_text(media_playlist([pack_ts(tmp_path, "segment", SMALL)]))
    mute(tmp_path / "segment-0.ts")
    output = tmp_path / f"output.{audio_format}"
    result = get(serve(tmp_path).url("/main.m3u8"), output, "--format", audio_format)
    assert result.returncode == 0, result.stderr.decode()
    assert media_reader.duration(output) == pytest.approx(10.0, abs=0.1)


def test_a_clip_over_the_beginning_of_the_audio(serve: Serve, tmp_path: Path) -> None:
    (tmp_path / "main.m3u8").write_text(media_playlist([pack_ts(tmp_path, "segment", SMALL)]))
    for number in range(3):
        mute(tmp_path / f"segment-{number}.ts")
    output = tmp_path / "output.mp4"
    result = get(serve(tmp_path).url("/main.m3u8"), output, "--start", "3")
    assert result.returncode == 0, result.stderr.decode()
    assert loud_from(output) == pytest.approx(3.0, abs=0.15)
    assert media_reader.header_duration(output) == pytest.approx(9.0, abs=0.1)


def test_a_silent_video_costs_no_request_more(serve: Serve, tmp_path: Path) -> None:
    (tmp_path / "main.m3u8").write_text(media_playlist([pack_ts(tmp_path, "segment", replace(SMALL, audio_codec=None))]))
    origin = serve(tmp_path)
    assert get(origin.url("/main.m3u8"), tmp_path / "output.mp4").returncode == 0
    assert len(origin.requests) == 1 + 6 + 1  # the playlist, the segments, and the end of the last one


def test_audio_that_is_listed_and_never_comes_is_not_looked_for(serve: Serve, tmp_path: Path) -> None:
    (tmp_path / "main.m3u8").write_text(media_playlist([pack_ts(tmp_path, "segment", SMALL)]))
    for file in tmp_path.glob("*.ts"):
        silence(file)
    output = tmp_path / "output.mp4"
    result = get(serve(tmp_path).url("/main.m3u8"), output)
    assert result.returncode == 0, result.stderr.decode()
    assert media_reader.packet_counts(output) == {"video": 300}


@pytest.mark.parametrize("tag", [2, 4])
def test_late_audio_in_an_earlier_period(tag: int, serve: Serve, tmp_path: Path) -> None:
    """It is looked for in each period, and nothing of it is lost."""
    period = pack_ts(tmp_path, "segment", SMALL)
    (tmp_path / "main.m3u8").write_text(media_playlist([Period(period.segments[:tag]), Period(period.segments[tag:])]))
    mute(tmp_path / "segment-0.ts")
    output = tmp_path / "output.mp4"
    result = get(serve(tmp_path).url("/main.m3u8"), output)
    assert result.returncode == 0, result.stderr.decode()
    assert loud_from(output) == pytest.approx(2.0, abs=0.1)
    assert len(beep_delays(output)) >= 9


@pytest.mark.parametrize("muted", [(0, 2, 3), (0, 1, 3)])
def test_no_audio_is_lost_that_comes_and_goes(muted: tuple[int, ...], serve: Serve, tmp_path: Path) -> None:
    (tmp_path / "main.m3u8").write_text(media_playlist([pack_ts(tmp_path, "segment", SMALL)]))
    for number in muted:
        mute(tmp_path / f"segment-{number}.ts")
    output = tmp_path / "output.mp4"
    result = get(serve(tmp_path).url("/main.m3u8"), output)
    assert result.returncode == 0, result.stderr.decode()
    assert len(beep_delays(output)) >= 5
    assert loud_from(output) == pytest.approx(2.0 if 1 not in muted else 4.0, abs=0.1)


# All pairs: what the output is, what is decoded for it, and whether a segment lists the audio are decided in different places.
@pytest.mark.parametrize(
    ("codec", "audio_format", "without"),
    [
        *(("aac", "m4a", mute), ("aac", "mp3", silence), ("mp2", "m4a", silence), ("mp2", "mp3", mute)),
        *(("mp3", "m4a", mute), ("mp3", "mp3", silence), ("opus", "m4a", silence), ("opus", "mp3", mute)),
    ],
)
def test_a_pause_of_audio_alone_lasts_as_long_as_in_the_source(
    without: Callable[[Path], None], codec: str, audio_format: str, serve: Serve, tmp_path: Path
) -> None:
    (tmp_path / "main.m3u8").write_text(media_playlist([pack_ts(tmp_path, "segment", replace(SMALL, audio_codec=codec))]))
    for number in (2, 3):
        without(tmp_path / f"segment-{number}.ts")
    output = tmp_path / f"output.{audio_format}"
    result = get(serve(tmp_path).url("/main.m3u8"), output, "--format", audio_format)
    assert result.returncode == 0, result.stderr.decode()
    assert media_reader.duration(output) == pytest.approx(12.0, abs=0.15)
    seconds = [round(time) for time in beeps(output)]
    assert seconds[:3] == [0, 1, 2]
    assert seconds[-3:] == [9, 10, 11]
    assert not {5, 6} & set(seconds)


@pytest.mark.parametrize(
    ("before", "after", "audio_format"),
    [("aac", "mp2", "m4a"), ("mp3", "aac", "m4a"), ("aac", "mp3", "mp3"), ("mp3", "mp2", "mp3"), ("mp3", "aac", "mp3")],
)
def test_a_pause_after_which_audio_alone_has_another_codec_lasts_as_long_as_in_the_source(
    before: str, after: str, audio_format: str, serve: Serve, tmp_path: Path
) -> None:
    first = pack_ts(tmp_path, "segment", replace(SMALL, audio_codec=before))
    pack_ts(tmp_path, "other", replace(SMALL, audio_codec=after))
    (tmp_path / "main.m3u8").write_text(media_playlist([first]))
    for number in (2, 3):
        mute(tmp_path / f"segment-{number}.ts")
    for number in (4, 5):
        (tmp_path / f"other-{number}.ts").replace(tmp_path / f"segment-{number}.ts")
    output = tmp_path / f"output.{audio_format}"
    result = get(serve(tmp_path).url("/main.m3u8"), output, "--format", audio_format)
    assert result.returncode == 0, result.stderr.decode()
    assert media_reader.duration(output) == pytest.approx(12.0, abs=0.15)
    seconds = beeps(output)
    assert seconds[-3:] == pytest.approx([9, 10, 11], abs=0.1)


# Of a codec and a place, each is there: where the audio is silent is decided before anything knows its codec.
@pytest.mark.parametrize(
    ("codec", "silent"),
    [
        *(("mp2", (0, 1, 2)), ("mp2", (2, 3)), ("mp2", (5,)), ("mp2", (0, 1, 4, 5))),
        *(("mp3", (0, 1, 2)), ("mp3", (4, 5)), ("dts", (2, 3)), ("dts", (5,))),
    ],
)
def test_audio_that_the_map_lists_may_pause(silent: tuple[int, ...], codec: str, serve: Serve, tmp_path: Path) -> None:
    """A segment without packets of the audio does not say which layer of MPEG audio it is, and so contradicts none."""
    (tmp_path / "main.m3u8").write_text(media_playlist([pack_ts(tmp_path, "segment", replace(SMALL, audio_codec=codec))]))
    for number in silent:
        silence(tmp_path / f"segment-{number}.ts")
    output = tmp_path / "output.mp4"
    result = get(serve(tmp_path).url("/main.m3u8"), output)
    assert result.returncode == 0, result.stderr.decode()
    counts = media_reader.packet_counts(output)
    assert counts["video"] == 300
    delays = beep_delays(output)
    assert len(delays) >= 2 * (6 - len(silent)) - 2
    assert delays == pytest.approx([0] * len(delays), abs=0.03)
