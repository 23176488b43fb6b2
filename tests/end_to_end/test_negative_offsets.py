"""Sources whose frames are presented before the decode times that are written: the output presents them when the source says."""

from collections.abc import Callable
from itertools import pairwise
from pathlib import Path

import av
import fault_sets
import pytest
from conftest import Serve, UsualOutput
from generated_video import GeneratedVideo, encoder_arguments, run_ffmpeg
from packager import Period, Segment, media_playlist
from peers import media_reader
from peers.negative_offsets import with_negative_offsets
from peers.source_files import download, files_in

from transcoder.core.media.mp4.boxes import boxes_of
from transcoder.core.media.mp4_source.fragments import read_fragment
from transcoder.core.media.mp4_source.tracks import read_tracks

Media = Callable[[str], Path]
TICK = 1 / 90_000


def times(file: Path) -> dict[str, list[float]]:
    """Return the presentation times of each medium, in decoding order; no frame may be decoded after its own."""
    with av.open(file) as container:
        packets = [packet for packet in container.demux() if packet.size]
    assert all(packet.dts is not None and packet.pts is not None and packet.dts <= packet.pts for packet in packets)
    assert media_reader.decode_times_increase(file)
    return media_reader.presentation_times(file)


def assert_same(file: Path, expected: Path) -> None:
    """Check that two files have the same packets, presented at the same times."""
    assert media_reader.hashes(file) == media_reader.hashes(expected)
    assert_same_times(file, expected)


def assert_same_times(file: Path, expected: Path) -> None:
    """Check that two files present all they have at the same times, and announce that they are equally long."""
    found, wanted = times(file), times(expected)
    assert found.keys() == wanted.keys()
    for medium, listed in wanted.items():
        assert found[medium] == pytest.approx(listed, abs=2 * TICK), medium
    announced, wanted_seconds = (media_reader.header_fields(each)["mvhd"] for each in (file, expected))
    assert announced == pytest.approx(wanted_seconds, abs=0.001)


ONE_PERIOD = ("fmp4-muxed", "fmp4-separate-audio", "fmp4-byterange", "fmp4-edit-lists")
JOINED = ("join-fmp4", "join-fmp4-size", "join-fmp4-shared-init", "join-fmp4-separate-audio", "join-ts-fmp4")


# Of one period, the plain MP4 is another file, which is read from the segments without ffmpeg. Of several, it has the same fragments.
@pytest.mark.parametrize(
    ("name", "layout"),
    [
        *((name, "fragmented") for name in (*ONE_PERIOD, "fmp4-hevc", *JOINED)),
        *((name, "plain") for name in (*ONE_PERIOD, "join-fmp4")),
    ],
)
def test_negative_offsets_change_nothing(
    name: str, layout: str, media: Media, usual_output: UsualOutput, serve: Serve, tmp_path: Path
) -> None:
    files = files_in(media(name))
    expected = usual_output(name, "--layout", layout)
    output = download(serve(with_negative_offsets(files)).url("/main.m3u8"), tmp_path / "output.mp4", "--layout", layout)
    assert_same(output, expected)


@pytest.mark.parametrize(
    ("name", "arguments"),
    [
        pytest.param("fmp4-muxed", ["--start", "1.5", "--end", "4.3"], id="a clip"),
        pytest.param("fmp4-separate-audio", ["--end", "4.3"], id="a clip from the beginning"),
        pytest.param("join-fmp4", ["--start", "2.5", "--end", "6.2"], id="a clip over a border"),
        pytest.param("fmp4-muxed", ["--mute"], id="video only"),
    ],
)
def test_negative_offsets_change_nothing_of_a_part(
    name: str, arguments: list[str], media: Media, usual_output: UsualOutput, serve: Serve, tmp_path: Path
) -> None:
    files, options = files_in(media(name)), ["--layout", "fragmented", *arguments]
    expected = usual_output(name, *options)
    output = download(serve(with_negative_offsets(files)).url("/main.m3u8"), tmp_path / "output.mp4", *options)
    assert_same(output, expected)


@pytest.mark.parametrize(
    ("name", "arguments"),
    [
        pytest.param("fmp4-separate-audio", ["--start", "1.5", "--end", "4.3", "--exact"], id="an exact clip"),
        pytest.param("fmp4-hevc", ["--video", "h264"], id="H.264"),
    ],
)
def test_negative_offsets_change_no_times_of_what_is_encoded(
    name: str, arguments: list[str], media: Media, usual_output: UsualOutput, serve: Serve, tmp_path: Path
) -> None:
    """An encoder with several threads need not write the same bytes twice."""
    files, options = files_in(media(name)), ["--layout", "fragmented", *arguments]
    expected = usual_output(name, *options)
    output = download(serve(with_negative_offsets(files)).url("/main.m3u8"), tmp_path / "output.mp4", *options)
    assert_same_times(output, expected)
    assert media_reader.decoded_counts(output) == media_reader.decoded_counts(expected)


def test_negative_offsets_in_encrypted_segments_change_nothing(
    media: Media, usual_output: UsualOutput, serve: Serve, tmp_path: Path
) -> None:
    files = files_in(media("fmp4-muxed"))
    expected = usual_output("fmp4-muxed", "--layout", "fragmented")
    edited = with_negative_offsets(files)
    listed = [line for line in edited["/main.m3u8"].decode().splitlines() if line.endswith(".m4s")]
    for number, name in enumerate(listed):
        edited[f"/{name}"] = fault_sets.encrypt(edited[f"/{name}"], number=number)
    key = b'\n#EXT-X-KEY:METHOD=AES-128,URI="video.key"\n#EXTINF'
    edited |= {"/video.key": fault_sets.KEY, "/main.m3u8": edited["/main.m3u8"].replace(b"\n#EXTINF", key, 1)}
    assert_same(download(serve(edited).url("/main.m3u8"), tmp_path / "output.mp4", "--layout", "fragmented"), expected)


def pack(file: Path) -> dict[str, bytes]:
    """Return the files of a fragmented MP4 and its playlist, two seconds a segment."""
    data = file.read_bytes()
    edges, last = dict[int, int](), max(box.end for box in boxes_of(data) if box.type == b"mdat")
    tracks = {track.id: track for box in boxes_of(data) if box.type == b"moov" for track in read_tracks(box)}
    for box in boxes_of(data):
        if box.type == b"moof" and (start := read_fragment(box, tracks)[0].decode_start) is not None:
            edges.setdefault(int(start // 2), box.start)
    parts = list(pairwise([*edges.values(), last]))
    files = {f"/{number}.m4s": data[start:end] for number, (start, end) in enumerate(parts)}
    playlist = media_playlist([Period([Segment(f"{number}.m4s", 2) for number in range(len(parts))], Segment("init.mp4", 0))])
    return {"/main.m3u8": playlist.encode(), "/init.mp4": data[: edges[0]], **files}


ONLY_KEY_FRAMES_FIRST = ("-force_key_frames", "expr:lt(t,3.0)")


@pytest.mark.parametrize(
    ("audio_codec", "options"),
    [
        pytest.param("aac", ["-movflags", "+cmaf+frag_keyframe"], id="usual"),
        pytest.param(None, ["-movflags", "+cmaf+frag_every_frame"], id="fragments of one frame"),
        pytest.param("aac", ["-movflags", "+cmaf+frag_keyframe", *ONLY_KEY_FRAMES_FIRST], id="B-frames begin later"),
        pytest.param(None, ["-movflags", "+cmaf", "-frag_duration", "700000", *ONLY_KEY_FRAMES_FIRST], id="and fragments end anywhere"),
    ],
)
def test_both_layouts_present_the_same_at_the_same_times(audio_codec: str | None, options: list[str], serve: Serve, tmp_path: Path) -> None:
    """A map takes its times from the boxes alone, without ffmpeg."""
    video = encoder_arguments(GeneratedVideo(size="160x90", b_frames=3, timestamp_offset=0, audio_codec=audio_codec))
    run_ffmpeg(*video, "-x264-params", "b-adapt=0:b-pyramid=normal", *options, "-f", "mp4", tmp_path / "source.mp4")
    url = serve(pack(tmp_path / "source.mp4")).url("/main.m3u8")
    expected = download(url, tmp_path / "map.mp4", "--layout", "plain")
    output = download(url, tmp_path / "output.mp4", "--layout", "fragmented")
    assert_same(output, expected)
    assert min(times(output)["video"]) == pytest.approx(0, abs=0.03)  # audio may begin before it, by what its encoder adds
    assert media_reader.decoded_counts(output)["video"] == 150
