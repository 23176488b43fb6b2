"""What sources contain that other programs make a wrong MP4 of: each is made right, or refused with its reason."""

import re
from collections.abc import Callable, Sequence
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import av
import pytest
from conftest import Serve
from encoded_once import encode
from generated_video import GeneratedVideo, encoder_arguments, run_ffmpeg
from packager import TS_DELAY, Period, Segment, Variant, media_playlist, multivariant_playlist, pack_fmp4, pack_ts
from peers import media_reader
from peers.av_sync import beep_delays
from peers.get_command import get
from peers.origin_rules import Rule
from peers.program_map_edits import edited, is_program_map, packets_of, with_stream_types
from peers.source_files import files_in

from transcoder.core.media.timestamps import WRAP_SECONDS
from transcoder.core.output.plain_verifier import PlainVerifier
from transcoder.core.output.verifier import Verifier

Media = Callable[[str], Path]
SMALL = GeneratedVideo(seconds=2, size="160x90", b_frames=0)
PACKET_BYTES = 188


def write_segments(folder: Path, parts: Sequence[GeneratedVideo], *arguments: str) -> list[Path]:
    """Write each part as a transport stream of its own; its timestamps are its own."""
    files = []
    for number, part in enumerate(parts):
        files.append(folder / f"{number}.ts")
        timed = replace(part, timestamp_offset=part.timestamp_offset - TS_DELAY)
        encode(folder, str(number), *encoder_arguments(timed), *arguments, "-f", "mpegts", "NAME.ts")
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
    assert (result.returncode, b"not the segment that belongs in its place" in result.stderr) == (4, True), result.stderr.decode()


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


@pytest.mark.parametrize("stream_type", [0x11, 0x0F])
def test_latm_is_reencoded(stream_type: int, serve: Serve, tmp_path: Path) -> None:
    """Some packagers give it the stream type of ADTS."""
    files = write_segments(tmp_path, one_after_another(SMALL, SMALL), "-mpegts_flags", "latm")
    for file in files:
        packets = packets_of(file.read_bytes())
        labelled = [
            edited(each, lambda section: with_stream_types(section, stream_type)) if is_program_map(each) else each for each in packets
        ]
        file.write_bytes(b"".join(labelled))
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


@pytest.mark.parametrize(("overlap", "refused"), [(0.06, False), (0.3, True), (1.9, True)])
def test_audio_that_overlaps_alone_is_not_cut(overlap: float, *, refused: bool, serve: Serve, tmp_path: Path) -> None:
    """The audio of the second segment begins so long before its video."""
    early = replace(SMALL, seconds=2.0 + overlap, video_start=overlap, audio_end=2.0)
    files = write_segments(tmp_path, [replace(SMALL, timestamp_offset=10), replace(early, timestamp_offset=12 - overlap)])
    write_playlist(tmp_path, files)
    result = get(serve(tmp_path).url("/main.m3u8"), tmp_path / "output.mp4")
    found = (result.returncode, "those of the video do not" in result.stderr.decode())
    assert found == ((4, True) if refused else (0, False)), result.stderr.decode()


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


def slide(number: int, seconds: int, audio_end: float, *, pictures: int = 1) -> GeneratedVideo:
    """Describe pictures that are shown for the same time, and audio that ends before them."""
    dropped = tuple(second for second in range(seconds) if second % (seconds // pictures))
    offset = 10 + number * seconds
    return replace(SMALL, seconds=seconds, frame_rate=1, dropped=dropped, audio_end=audio_end, timestamp_offset=offset)


def announced_and_sent(file: Path) -> tuple[float, float]:
    data = file.read_bytes()
    verifier = Verifier() if media_reader.is_fragmented(file) else PlainVerifier(length=len(data))
    verifier.feed(data)
    whole = verifier.end()
    return whole.announced, whole.sent


@pytest.mark.parametrize(
    ("seconds", "audio_ends"), [(5, (1, 1, 1)), (5, (2, 4, 1)), (12, (3, 3, 3))], ids=["1 s of audio", "more and less", "long pictures"]
)
def test_slides_may_outlast_the_audio_of_each_segment(seconds: int, audio_ends: Sequence[float], serve: Serve, tmp_path: Path) -> None:
    files = write_segments(tmp_path, [slide(number, seconds, end) for number, end in enumerate(audio_ends)])
    write_playlist(tmp_path, files, seconds=seconds)
    output = tmp_path / "output.mp4"
    download(tmp_path, serve, output)
    times = sorted(media_reader.presentation_times(output)["video"])
    assert [time - times[0] for time in times] == pytest.approx([0, seconds, 2 * seconds], abs=0.001)
    assert media_reader.header_duration(output) == pytest.approx(3 * seconds, abs=0.1)


@pytest.mark.parametrize("codec", ["h264", "hevc"])
@pytest.mark.parametrize(("seconds", "pictures"), [(5, 1), (6, 2), (9, 3)])
@pytest.mark.parametrize("tagged", [False, True], ids=["no tags", "tags"])
def test_the_last_slide_of_a_period_is_shown_until_the_playlist_says_that_it_ends(
    seconds: int, pictures: int, codec: str, *, tagged: bool, serve: Serve, tmp_path: Path
) -> None:
    slides = [replace(slide(number, seconds, 0.5, pictures=pictures), video_codec=codec) for number in range(3)]
    silent = [replace(each, audio_codec=None, timestamp_offset=10.0 if tagged else each.timestamp_offset) for each in slides]
    files = write_segments(tmp_path, silent)
    segments = [Segment(file.name, float(seconds)) for file in files]
    periods = [Period([segment]) for segment in segments] if tagged else [Period(segments)]
    (tmp_path / "main.m3u8").write_text(media_playlist(periods))
    output = tmp_path / "output.mp4"
    download(tmp_path, serve, output)
    times = sorted(media_reader.presentation_times(output)["video"])
    apart = seconds // pictures
    assert [time - times[0] for time in times] == pytest.approx([apart * number for number in range(3 * pictures)], abs=0.02)
    assert announced_and_sent(output) == pytest.approx((3.0 * seconds, 3.0 * seconds), abs=0.1)


@pytest.mark.parametrize("shift", [(0.2, 0.0), (0.2, 0.2)], ids=["the video alone", "both"])
@pytest.mark.parametrize("overlap", [0.2, 0.8])
def test_the_header_counts_audio_that_waits_for_video_that_overlaps(
    overlap: float, shift: tuple[float, float], serve: Serve, tmp_path: Path
) -> None:
    video, audio = (overlap if each else 0.0 for each in shift)
    parts = [replace(SMALL, timestamp_offset=10 + number * (2 - video), audio_start=number * (video - audio)) for number in range(4)]
    parts = [replace(part, audio_end=2 + part.audio_start) for part in parts]
    write_playlist(tmp_path, write_segments(tmp_path, parts))
    output = tmp_path / "output.mp4"
    download(tmp_path, serve, output)
    assert media_reader.packet_counts(output)["video"] == 200
    announced, sent = announced_and_sent(output)
    assert -0.1 < sent - announced < 0.1


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
    two = (*encoder_arguments(replace(SMALL, seconds=4)), "-map", "0:a", "-c:a:1", "ac3", "-f", "mpegts")
    encode(sources, "both", "-f", "lavfi", "-i", "sine=d=4", *two, "NAME.ts")
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
    assert media_reader.header_duration(output) == pytest.approx(4.0 if audio_codec else 3.0, abs=0.1)


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


SOUND, PICTURES = ("-f", "lavfi", "-i", "sine=f=440:r=48000:d=12"), ("-f", "lavfi", "-i", "testsrc2=s=160x90:r=25:d=12")
SHORT_OPUS = ("-c:a", "libopus", "-frame_duration", "2.5")


@pytest.mark.parametrize(
    ("encoding", "extension", "frame"),
    [
        pytest.param((*PICTURES, *SHORT_OPUS), "m4s", 120, id="Opus in fMP4"),
        pytest.param((*PICTURES, *SHORT_OPUS), "ts", 120, id="Opus in TS"),
        pytest.param(SHORT_OPUS, "m4s", 120, id="Opus alone"),
        pytest.param((*PICTURES, "-c:a", "libvorbis"), "m4s", 1024, id="Vorbis, whose last block before a segment may be short"),
    ],
)
def test_frames_that_are_shorter_than_timestamps_are_inexact_do_not_divide_the_source(
    encoding: Sequence[str], extension: str, frame: int, serve: Serve, tmp_path: Path
) -> None:
    """Where the last one of a segment lasts 2.5 ms, the next segment is not decoded before it."""
    video = ("-c:v", "libx264", "-preset", "ultrafast", "-g", "25", "-bf", "0") if "testsrc2" in str(encoding) else ()
    kind = ("-hls_segment_type", "fmp4") if extension == "m4s" else ()
    packaging = ("-f", "hls", "-hls_time", "1", "-hls_list_size", "0", *kind, "-hls_segment_filename", tmp_path / f"%d.{extension}")
    run_ffmpeg(*SOUND, *encoding, *video, *packaging, tmp_path / "main.m3u8")
    output = tmp_path / "output.mp4"
    download(tmp_path, serve, output)
    times = media_reader.presentation_times(output)["audio"]
    steps = [after - before for before, after in pairwise(times)]
    assert min(steps) > 0.8 * frame / 48_000
    assert len(times) * frame / 48_000 == pytest.approx(12.0, abs=0.05)
