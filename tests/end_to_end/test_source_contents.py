"""What sources contain that other programs make a wrong MP4 of: each is made right, or refused with its reason."""

import re
from collections.abc import Callable, Sequence
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import av
import pytest
from conftest import Serve
from generated_video import GeneratedVideo, encoder_arguments, run_ffmpeg
from packager import TS_DELAY, Period, Segment, Variant, media_playlist, multivariant_playlist, pack_fmp4, pack_ts
from peers import media_reader
from peers.av_sync import beep_delays
from peers.get_command import get
from peers.origin_rules import Rule
from peers.source_files import files_in

from transcoder.core.media.timestamps import WRAP_SECONDS

Media = Callable[[str], Path]
SMALL = GeneratedVideo(seconds=2, size="160x90", b_frames=0)
PACKET_BYTES = 188


def write_segments(folder: Path, parts: Sequence[GeneratedVideo], *arguments: str) -> list[Path]:
    """Write each part as a transport stream of its own; its timestamps are its own."""
    files = []
    for number, part in enumerate(parts):
        files.append(folder / f"{number}.ts")
        timed = replace(part, timestamp_offset=part.timestamp_offset - TS_DELAY)
        run_ffmpeg(*encoder_arguments(timed), *arguments, "-f", "mpegts", files[-1])
    return files


def write_playlist(folder: Path, files: Sequence[Path], *, seconds: float = 2.0) -> None:
    (folder / "main.m3u8").write_text(media_playlist([Period([Segment(file.name, seconds) for file in files])]))


def one_after_another(*parts: GeneratedVideo, overlap: float = 0.0) -> list[GeneratedVideo]:
    """Give the parts timestamps that follow each other, or overlap by so many seconds."""
    return [replace(part, timestamp_offset=10 + number * (2.0 - overlap)) for number, part in enumerate(parts)]


def download(folder: Path, serve: Serve, output: Path) -> None:
    result = get(serve(folder).url("/main.m3u8"), output)
    assert result.returncode == 0, result.stderr.decode()


@pytest.mark.parametrize("codec", ["h264", "hevc"])
@pytest.mark.parametrize("second", [replace(SMALL, size="240x136"), replace(SMALL, frame_rate=30, key_frame_interval=30)])
def test_parameter_sets_may_change_without_a_tag(codec: str, second: GeneratedVideo, serve: Serve, tmp_path: Path) -> None:
    parts = one_after_another(*(replace(each, video_codec=codec) for each in (SMALL, second)))
    files = write_segments(tmp_path, parts)
    write_playlist(tmp_path, files)
    output = tmp_path / "output.mp4"
    download(tmp_path, serve, output)
    joined = tmp_path / "joined.ts"
    joined.write_bytes(b"".join(file.read_bytes() for file in files))
    assert media_reader.decoded_frames(output) == media_reader.decoded_frames(joined)
    assert len(media_reader.decoded_frames(output)) == 2 * SMALL.frame_rate + 2 * second.frame_rate


@pytest.mark.parametrize(
    ("first", "second"),
    [
        pytest.param(SMALL, replace(SMALL, channels=1), id="AAC in mono"),
        pytest.param(SMALL, replace(SMALL, sample_rate=44_100), id="AAC at another rate"),
        pytest.param(replace(SMALL, audio_codec="ac3"), replace(SMALL, audio_codec="ac3", channels=1), id="AC-3 in mono"),
        pytest.param(SMALL, replace(SMALL, audio_codec="ac3"), id="another codec"),
        pytest.param(replace(SMALL, audio_codec="mp3"), replace(SMALL, audio_codec="mp2"), id="another layer of MPEG audio"),
    ],
)
def test_audio_whose_format_changes_between_segments_is_reencoded(
    first: GeneratedVideo, second: GeneratedVideo, serve: Serve, tmp_path: Path
) -> None:
    write_playlist(tmp_path, write_segments(tmp_path, one_after_another(first, second, second)))
    output, url = tmp_path / "output.mp4", serve(tmp_path).url("/main.m3u8")
    result = get(url, output)
    assert result.returncode == 0, result.stderr.decode()
    assert media_reader.packet_counts(output)["video"] == 150
    assert media_reader.codecs(output) == ["h264", {"mp3": "mp3float"}.get(first.audio_codec or "", first.audio_codec)]
    with av.open(output) as container:
        seconds = sum(frame.samples / frame.sample_rate for frame in container.decode(audio=0))
    assert seconds == pytest.approx(6.0, abs=0.15)
    refused = get(url, tmp_path / "copy.mp4", "--audio-codec", "copy")
    assert refused.returncode == 3, refused.stderr.decode()


@pytest.mark.parametrize(("codec", "layout", "channels"), [("aac", "3.0", 3), ("aac", "4.0", 4), ("ac3", "4.0", 4), ("eac3", "5.0", 5)])
def test_stereo_after_more_channels_is_reencoded_with_as_many(codec: str, layout: str, channels: int, serve: Serve, tmp_path: Path) -> None:
    sound, offsets = replace(SMALL, audio_codec=codec), (10.0, 500.0, 90.0)
    (tmp_path / "later").mkdir()
    first = write_segments(tmp_path, [replace(sound, timestamp_offset=offsets[0])], "-channel_layout", layout)
    later = write_segments(tmp_path / "later", [replace(sound, timestamp_offset=offset) for offset in offsets[1:]])
    names = [str(file.relative_to(tmp_path)) for file in (*first, *later)]
    (tmp_path / "main.m3u8").write_text(media_playlist([Period([Segment(name, 2.0)]) for name in names]))
    output = tmp_path / "output.mp4"
    download(tmp_path, serve, output)
    with av.open(output) as container:
        frames = list(container.decode(audio=0))
    assert {len(frame.layout.channels) for frame in frames} == {channels}
    assert sum(frame.samples / frame.sample_rate for frame in frames) == pytest.approx(6.0, abs=0.1)
    assert beep_delays(output) == pytest.approx([0] * 6, abs=1024 / 48_000)


def test_one_segment_with_other_audio_is_refused_without_a_tag(serve: Serve, tmp_path: Path) -> None:
    """It belongs to another rendition, whose audio may be another language."""
    write_playlist(tmp_path, write_segments(tmp_path, one_after_another(SMALL, replace(SMALL, channels=1), SMALL)))
    result = get(serve(tmp_path).url("/main.m3u8"), tmp_path / "output.mp4")
    assert (result.returncode, b"not the one that belongs in its place" in result.stderr) == (4, True), result.stderr.decode()


def test_a_separate_rendition_that_changes_its_format_without_a_tag_is_refused(serve: Serve, tmp_path: Path) -> None:
    """The video goes on, so that there is no place where both could begin anew."""
    video = pack_ts(tmp_path, "video", replace(SMALL, seconds=4, audio_codec=None))
    sounds = [replace(SMALL, video_codec=None), replace(SMALL, video_codec=None, sample_rate=44_100)]
    files = write_segments(tmp_path, one_after_another(*sounds))
    (tmp_path / "video.m3u8").write_text(media_playlist([video]))
    (tmp_path / "audio.m3u8").write_text(media_playlist([Period([Segment(file.name, 2.0) for file in files])]))
    (tmp_path / "main.m3u8").write_text(multivariant_playlist([Variant("video.m3u8", SMALL, 300_000, audio_uri="audio.m3u8")]))
    result = get(serve(tmp_path).url("/main.m3u8"), tmp_path / "output.mp4")
    assert (result.returncode, b"changes its streams or their format by itself" in result.stderr) == (3, True), result.stderr.decode()


def test_latm_is_reencoded(serve: Serve, tmp_path: Path) -> None:
    files = write_segments(tmp_path, one_after_another(SMALL, SMALL), "-mpegts_flags", "latm")
    write_playlist(tmp_path, files)
    output = tmp_path / "output.mp4"
    download(tmp_path, serve, output)
    assert media_reader.codecs(output) == ["h264", "aac"]
    joined = tmp_path / "joined.ts"
    joined.write_bytes(b"".join(file.read_bytes() for file in files))
    assert media_reader.codecs(joined) == ["h264", "aac_latm"]
    assert beep_delays(output) == pytest.approx(beep_delays(joined), abs=1024 / 48_000 / 2)


@pytest.mark.parametrize("codec", ["aac", "ac3"])
def test_audio_whose_channels_change_inside_a_segment_is_refused(codec: str, serve: Serve, tmp_path: Path) -> None:
    loud = replace(SMALL, audio_codec=codec)
    parts = [part.read_bytes() for part in write_segments(tmp_path, one_after_another(loud, replace(loud, channels=1)))]
    (tmp_path / "both.ts").write_bytes(b"".join(parts))
    write_playlist(tmp_path, [tmp_path / "both.ts"], seconds=4.0)
    result = get(serve(tmp_path).url("/main.m3u8"), tmp_path / "output.mp4")
    assert (result.returncode, b"changes its" in result.stderr) == (3, True), result.stderr.decode()


@pytest.mark.parametrize("overlap", [0.04, 0.2, 0.44])
def test_segments_that_were_encoded_by_themselves_are_played_whole(overlap: float, serve: Serve, tmp_path: Path) -> None:
    files = write_segments(tmp_path, one_after_another(SMALL, SMALL, SMALL, overlap=overlap))
    write_playlist(tmp_path, files)
    output = tmp_path / "output.mp4"
    download(tmp_path, serve, output)
    assert media_reader.packet_counts(output)["video"] == 150
    assert media_reader.header_duration(output) == pytest.approx(6.0, abs=0.1)
    times = sorted(media_reader.presentation_times(output)["video"])
    assert [round(after - before, 3) for before, after in pairwise(times)] == [0.04] * 149


@pytest.mark.parametrize("codec", ["h264", "hevc"])
@pytest.mark.parametrize("apart", [2, 3, 10])
def test_pictures_that_are_seconds_apart_keep_their_times(codec: str, apart: int, serve: Serve, tmp_path: Path) -> None:
    dropped = tuple(number for number in range(40) if number % apart)
    slides = replace(SMALL, seconds=40, video_codec=codec, frame_rate=1, dropped=dropped, key_frame_interval=2)
    period = pack_ts(tmp_path, "segment", slides)
    (tmp_path / "main.m3u8").write_text(media_playlist([period]))
    output = tmp_path / "output.mp4"
    download(tmp_path, serve, output)
    source = media_reader.concatenate(tmp_path / "main.m3u8", tmp_path / "source.ts")
    times = [sorted(media_reader.presentation_times(file)["video"]) for file in (output, source)]
    assert [time - times[0][0] for time in times[0]] == pytest.approx([time - times[1][0] for time in times[1]], abs=0.001)
    assert len(times[0]) == 40 - len(dropped)
    assert media_reader.header_duration(output) == pytest.approx(40.0, abs=0.1)  # the audio's: nothing says how long the last one is shown


@pytest.mark.parametrize("ignore_range", [False, True], ids=["ranges", "no ranges"])
@pytest.mark.parametrize("said", [10.0, 0.5, 4.0])
@pytest.mark.parametrize("pack", [pack_ts, pack_fmp4], ids=["TS", "fMP4"])
def test_the_header_has_the_true_length_where_extinf_is_wrong(
    said: float, *, ignore_range: bool, pack: Callable[[Path, str, GeneratedVideo], Period], serve: Serve, tmp_path: Path
) -> None:
    period = pack(tmp_path, "segment", replace(SMALL, seconds=10, size="640x360"))
    wrong = replace(period, segments=[replace(segment, seconds=said) for segment in period.segments])
    (tmp_path / "main.m3u8").write_text(media_playlist([wrong]))
    output, origin = tmp_path / "output.mp4", serve(tmp_path)
    origin.rules["*"] = Rule(ignore_range=ignore_range)
    result = get(origin.url("/main.m3u8"), output)
    assert result.returncode == 0, result.stderr.decode()
    assert media_reader.packet_counts(output)["video"] == 250
    assert media_reader.header_duration(output) == pytest.approx(10.0, abs=0.1)


@pytest.mark.parametrize("apart", [10.0, 1000.0])
@pytest.mark.parametrize("pack", [pack_ts, pack_fmp4], ids=["TS", "fMP4"])
def test_clocks_that_are_apart_are_refused(
    apart: float, pack: Callable[[Path, str, GeneratedVideo], Period], serve: Serve, tmp_path: Path
) -> None:
    video = replace(SMALL, seconds=4, audio_codec=None, timestamp_offset=10 + apart)
    audio = replace(SMALL, seconds=4, video_codec=None)
    (tmp_path / "video.m3u8").write_text(media_playlist([pack(tmp_path, "video", video)]))
    (tmp_path / "audio.m3u8").write_text(media_playlist([pack(tmp_path, "audio", audio)]))
    (tmp_path / "main.m3u8").write_text(multivariant_playlist([Variant("video.m3u8", SMALL, 300_000, audio_uri="audio.m3u8")]))
    result = get(serve(tmp_path).url("/main.m3u8"), tmp_path / "output.mp4")
    assert (result.returncode, f"{apart:.1f} s apart" in result.stderr.decode()) == (3, True), result.stderr.decode()


@pytest.mark.parametrize(("silent", "codec"), [(0x101, "ac3"), (0x102, "aac")], ids=["the first is silent", "the second is silent"])
def test_of_two_audio_streams_the_one_that_comes_is_taken(silent: int, codec: str, serve: Serve, tmp_path: Path) -> None:
    """The program map lists two streams of audio, and one of them has no packets."""
    sources = tmp_path / "sources"
    sources.mkdir()
    both = sources / "both.ts"
    run_ffmpeg(
        "-f", "lavfi", "-i", "sine=d=4", *encoder_arguments(replace(SMALL, seconds=4)), "-map", "0:a", "-c:a:1", "ac3", "-f", "mpegts", both
    )
    packets = [both.read_bytes()[at : at + PACKET_BYTES] for at in range(0, both.stat().st_size, PACKET_BYTES)]
    (tmp_path / "0.ts").write_bytes(b"".join(each for each in packets if (each[1] & 0x1F) << 8 | each[2] != silent))
    write_playlist(tmp_path, [tmp_path / "0.ts"], seconds=4.0)
    output = tmp_path / "output.mp4"
    download(tmp_path, serve, output)
    assert set(media_reader.packet_counts(output)) == {"video", "audio"}
    assert media_reader.packet_counts(output)["audio"] > 100
    assert codec in media_reader.codecs(output)


@pytest.mark.parametrize("codec", ["h264", "hevc"])
@pytest.mark.parametrize("audio_codec", ["aac", None])
def test_a_source_that_begins_inside_a_group_of_pictures_begins_with_the_first_key_frame(
    codec: str, audio_codec: str | None, serve: Serve, tmp_path: Path
) -> None:
    sources = tmp_path / "sources"
    sources.mkdir()
    (whole,) = write_segments(sources, [replace(SMALL, seconds=4, video_codec=codec, audio_codec=audio_codec)])
    body = whole.read_bytes()
    packets = [body[at : at + PACKET_BYTES] for at in range(0, len(body), PACKET_BYTES)]
    video_pid = 0x100
    starts = [number for number, each in enumerate(packets) if (each[1] & 0x1F) << 8 | each[2] == video_pid and each[1] & 0x40]
    assert len(starts) == 100
    head, lost = packets[: starts[0]], packets[starts[0] : starts[5]]
    others = [each for each in lost if (each[1] & 0x1F) << 8 | each[2] != video_pid]
    (tmp_path / "0.ts").write_bytes(b"".join([*head, *others, *packets[starts[5] :]]))
    write_playlist(tmp_path, [tmp_path / "0.ts"], seconds=4.0)
    output = tmp_path / "output.mp4"
    download(tmp_path, serve, output)
    assert media_reader.packet_counts(output)["video"] == 75
    assert media_reader.decoded_frames(output) == media_reader.decoded_frames(whole)[25:]
    # Without audio nothing else is there at first, and the header promised the pictures that were left out.
    assert media_reader.header_duration(output) == pytest.approx(4.0, abs=0.1 if audio_codec else 0.25)


@pytest.mark.parametrize("missing", [{2}, {1, 2}, {3}])
@pytest.mark.parametrize("name", ["faults-ts-muxed", "faults-fragments"])
def test_entries_that_are_missing_in_the_only_playlist_are_found(
    name: str, missing: set[int], media: Media, serve: Serve, tmp_path: Path
) -> None:
    origin = serve(files_in(media(name)))
    entries = re.compile(r"#EXTINF:[^\n]+\n[^#\n]+\n")
    text = (media(name) / "main.m3u8").read_text()
    for number, entry in enumerate(entries.findall(text)):
        text = text.replace(entry, "", 1) if number in missing else text
    assert isinstance(origin.files, dict)
    origin.files["/main.m3u8"] = text.encode()
    result = get(origin.url("/main.m3u8"), tmp_path / "output.mp4")
    assert result.returncode == 4, result.stderr.decode()
    assert f"lacks {len(missing)} segment" in result.stderr.decode() or "missing" in result.stderr.decode(), result.stderr.decode()


@pytest.mark.parametrize("number", [0, 1, 2])
@pytest.mark.parametrize("part", ["middle", "with the next"])
def test_fragments_that_are_missing_or_doubled_inside_a_segment_are_found(part: str, number: int, serve: Serve, tmp_path: Path) -> None:
    folder = tmp_path / "source"
    folder.mkdir()
    period = pack_fmp4(folder, "segment", replace(SMALL, seconds=12, audio_codec=None), fragments=3)
    (folder / "main.m3u8").write_text(media_playlist([period]))
    origin = serve(files_in(folder))
    path = f"/segment-{number}.m4s"
    body, following = ((folder / f"segment-{each}.m4s").read_bytes() for each in (number, number + 1))
    starts = [match.start() - 4 for match in re.finditer(b"moof", body)]
    assert len(starts) == 3
    first_of_next = following[: [match.start() - 4 for match in re.finditer(b"moof", following)][1]]
    assert isinstance(origin.files, dict)
    origin.files[path] = body[: starts[1]] + body[starts[2] :] if part == "middle" else body + first_of_next
    result = get(origin.url("/main.m3u8"), tmp_path / "output.mp4")
    assert result.returncode == 4, result.stderr.decode()


@pytest.mark.parametrize(("video_early", "audio_start"), [(0.06, 0.2), (1.5, 0.0), (-0.1, 0.0)])
def test_an_exact_clip_has_both_media_where_the_clock_wraps_between_them(
    video_early: float, audio_start: float, serve: Serve, tmp_path: Path
) -> None:
    source = replace(SMALL, seconds=6, timestamp_offset=WRAP_SECONDS - video_early, audio_start=audio_start)
    write_playlist(tmp_path, write_segments(tmp_path, [source]), seconds=6.0)
    output = tmp_path / "output.mp4"
    result = get(serve(tmp_path).url("/main.m3u8"), output, "--start", "1", "--end", "3", "--exact")
    assert result.returncode == 0, result.stderr.decode()
    counts = media_reader.packet_counts(output)
    assert counts["video"] == pytest.approx(50, abs=1)
    assert counts["audio"] == pytest.approx(2 * 48_000 / 1024, abs=3)
