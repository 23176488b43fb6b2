"""Segments whose EXTINF has no duration: the MP4 has all of them and its true length, and a segment that is lost is a failure."""

import re
from collections.abc import Collection
from pathlib import Path

import make_media
import pytest
from conftest import Serve, UsualOutput
from peers import media_reader
from peers.get_command import get
from peers.origin import Rule
from peers.source_files import download, files_in

MAIN, VIDEO, AUDIO = "/main.m3u8", "/large.m3u8", "/audio.m3u8"
ALL = range(10)
UNKNOWN = "-23334.411377778,"


def without_durations(text: bytes, which: Collection[int], *, target: int = 10, value: str = UNKNOWN) -> bytes:
    """Replace the durations of the segments with these indices, and the target duration."""
    first, *entries = re.sub(r"TARGETDURATION:\d+", f"TARGETDURATION:{target}", text.decode()).split("#EXTINF:")
    changed = [re.sub("^[0-9.]+,", value, entry) if number in which else entry for number, entry in enumerate(entries)]
    return "#EXTINF:".join([first, *changed]).encode()


def found(file: Path) -> tuple[dict[str, int], float]:
    """Return the samples of a whole MP4, and the length that it announces, to a tenth of a second."""
    assert media_reader.is_whole(file)
    return media_reader.packet_counts(file), round(media_reader.header_duration(file), 1)


CASES = [
    *(pytest.param("ts-muxed", {MAIN: which}, id=f"TS {which}") for which in ((0,), (1,), (2,), ALL)),
    *(pytest.param("fmp4-muxed", {MAIN: which}, id=f"fMP4 {which}") for which in ((0,), (1,), (2,), ALL)),
    pytest.param("ts-separate-audio", {VIDEO: (1,)}, id="the video alone"),
    pytest.param("ts-separate-audio", {AUDIO: (0, 1, 2)}, id="the audio alone"),
    pytest.param("ts-separate-audio", {VIDEO: ALL, AUDIO: ALL}, id="both"),
    pytest.param("packed-aac", {AUDIO: (2,)}, id="packed audio"),
    pytest.param("join-ts", {MAIN: (0, 2)}, id="a period that is not the last one"),
    pytest.param("join-ts-unmarked-jump", {MAIN: (1,)}, id="before a jump without a tag"),
    pytest.param("join-ts-unmarked-jump", {MAIN: ALL}, id="on both sides of a jump without a tag"),
]


@pytest.mark.parametrize(("name", "which"), CASES)
def test_the_mp4_is_whole_and_has_its_true_length(
    name: str, which: dict[str, Collection[int]], usual_output: UsualOutput, serve: Serve, tmp_path: Path
) -> None:
    files = files_in(make_media.media(name))
    origin = serve(files)
    expected = found(usual_output(name))
    for path, numbers in which.items():
        origin.rules[path] = Rule(body=without_durations(files[path], numbers))
    assert found(download(origin.url(MAIN), tmp_path / "guessed.mp4")) == expected


@pytest.mark.parametrize("value", [",", "nan,", "0,"])
def test_other_values_that_are_no_durations(value: str, serve: Serve, tmp_path: Path) -> None:
    files = files_in(make_media.media("ts-muxed"))
    for target in (1, 10):
        origin = serve(files | {MAIN: without_durations(files[MAIN], (1,), target=target, value=value)})
        counts, seconds = found(download(origin.url(MAIN), tmp_path / f"{target}.mp4"))
        assert (counts, seconds) == ({"video": 150, "audio": 269}, 6.0)


def test_the_length_is_true_without_ranges(serve: Serve, tmp_path: Path) -> None:
    files = files_in(make_media.media("ts-muxed"))
    origin = serve(files | {MAIN: without_durations(files[MAIN], (1,))})
    origin.rules["*"] = Rule(ignore_range=True)
    assert found(download(origin.url(MAIN), tmp_path / "output.mp4")) == ({"video": 150, "audio": 269}, 6.0)


def test_a_segment_of_known_duration_is_not_fetched_again(serve: Serve, tmp_path: Path) -> None:
    files = files_in(make_media.media("faults-ts-muxed"))
    origin = serve(files | {MAIN: without_durations(files[MAIN], (2,))})
    download(origin.url(MAIN), tmp_path / "output.mp4")
    assert [len(origin.requests_of(f"/segment-{number}.ts")) for number in range(6)] == [1, 1, 1, 1, 1, 2]  # the end of the last one


@pytest.mark.parametrize("which", [(0,), (2,), (3,), ALL], ids=str)
@pytest.mark.parametrize("path", ["/segment-0.ts", "/segment-2.ts"])
def test_a_part_of_a_segment_that_is_lost_is_a_failure(path: str, which: Collection[int], serve: Serve, tmp_path: Path) -> None:
    files = files_in(make_media.media("faults-ts-muxed"))
    half = files[path][: len(files[path]) // 376 * 188]
    result = get(serve(files | {MAIN: without_durations(files[MAIN], which), path: half}).url(MAIN), tmp_path / "output.mp4")
    assert (result.returncode, "A part of a segment is missing" in result.stderr.decode()) == (4, True), result.stderr.decode()
    assert not (tmp_path / "output.mp4").exists()


def test_a_last_segment_that_is_cut_is_a_failure_if_its_duration_is_known(serve: Serve, tmp_path: Path) -> None:
    files = files_in(make_media.media("faults-ts-muxed"))
    half = files["/segment-5.ts"][: len(files["/segment-5.ts"]) // 376 * 188]
    changed = {MAIN: without_durations(files[MAIN], (0, 2)), "/segment-5.ts": half}
    result = get(serve(files | changed).url(MAIN), tmp_path / "output.mp4")
    assert (result.returncode, "The last segment is" in result.stderr.decode()) == (4, True), result.stderr.decode()


@pytest.mark.parametrize("which", [(2,), (3,), ALL], ids=str)
def test_an_entry_that_is_lost_is_a_failure(which: Collection[int], serve: Serve, tmp_path: Path) -> None:
    files = files_in(make_media.media("faults-ts-muxed"))
    thinned = re.sub(rb"#EXTINF.*\nsegment-3.ts\n", b"", files[MAIN])
    result = get(serve(files | {MAIN: without_durations(thinned, which)}).url(MAIN), tmp_path / "output.mp4")
    assert result.returncode == 4, result.stderr.decode()
    assert re.search("The playlist lacks 1 segment|A part of a segment is missing", result.stderr.decode())


@pytest.mark.parametrize(
    ("options", "seconds"), [(("--start=1", "--end=5"), 4), (("--start=4", "--end=9", "--exact"), 5), (("--start=8", "--end=30"), 4)]
)
@pytest.mark.parametrize("which", [(1,), ALL], ids=str)
def test_a_clip_is_as_long_as_its_header_says(
    which: Collection[int], options: tuple[str, ...], seconds: float, serve: Serve, tmp_path: Path
) -> None:
    files = files_in(make_media.media("faults-ts-muxed"))
    origin = serve(files | {MAIN: without_durations(files[MAIN], which)})
    clip = download(origin.url(MAIN), tmp_path / "clip.mp4", *options, "--layout", "fragmented")
    assert media_reader.packet_counts(clip)["video"] == 25 * seconds
    # The header may count a frame that lasts beyond the end, although there is none.
    assert -0.001 <= media_reader.header_duration(clip) - media_reader.duration(clip) < 0.05
