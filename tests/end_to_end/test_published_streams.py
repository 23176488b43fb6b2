"""Streams that others published give an exact output, or are refused. `HLS_CORPORA` names their folder, which is not in this repository."""

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from peers import media_reader
from peers.get_command import get
from peers.origin import Origin, Rule, origin

CORPORA = Path(os.environ.get("HLS_CORPORA", "corpora-not-named"))
CASES = CORPORA / "cases.tsv"

pytestmark = pytest.mark.skipif(not CASES.is_file(), reason="HLS_CORPORA does not name the folder of published streams")


@dataclass(frozen=True, slots=True)
class Case:
    """The expected result for a published stream."""

    name: str
    entry: str
    kind: str
    packets: dict[str, int]
    seconds: float
    video_delay: float | None
    """Seconds from the first presentation time of the audio to that of the video."""
    audio_packet_tolerance: int
    """How many audio packets a join may drop or add."""


def cases(*kinds: str) -> list[object]:
    """Return the cases of these kinds; none if there is no folder."""
    lines = CASES.read_text(encoding="utf-8").splitlines() if CASES.is_file() else []
    rows = [parse_case(line.split("\t")) for line in lines if line and not line.startswith("#")]
    return [pytest.param(row, id=f"{row.name}/{row.entry}") for row in rows if row.kind in kinds]


def parse_case(columns: list[str]) -> Case:
    name, entry, kind, packets, seconds, video_delay, tolerance, *_ = [*columns, "", "", "", ""]
    counts = [count.split(":") for count in packets.split(";") if count]
    return Case(
        name,
        entry,
        kind,
        {"video" if codec in {"h264", "hevc", "av1", "vp9"} else "audio": int(count) for codec, count in counts},
        float(seconds or 0),
        float(video_delay) / 1000 if video_delay else None,
        int(tolerance or 0),
    )


@pytest.fixture(scope="module")
def published() -> Iterator[Origin]:
    with origin(CORPORA / "streams") as serving:
        yield serving


def assert_exact(expected: Case, output: Path) -> None:
    actual = media_reader.packet_counts(output)
    assert actual.keys() == expected.packets.keys()
    assert actual.get("video") == expected.packets.get("video")
    assert abs(actual.get("audio", 0) - expected.packets.get("audio", 0)) <= expected.audio_packet_tolerance
    assert media_reader.header_duration(output) == pytest.approx(expected.seconds, abs=0.12)
    assert media_reader.is_whole(output)
    assert media_reader.decode_times_increase(output)
    if expected.video_delay is not None:
        assert -media_reader.audio_delay(output) == pytest.approx(expected.video_delay, abs=0.002)


@pytest.mark.parametrize("expected", cases("exact"))
def test_every_packet_is_in_the_output(expected: Case, published: Origin, tmp_path: Path) -> None:
    result = get(published.url(f"/{expected.name}/{expected.entry}"), tmp_path / "output.mp4")
    assert result.returncode == 0, result.stderr.decode()
    assert_exact(expected, tmp_path / "output.mp4")


@pytest.mark.parametrize("expected", cases("refuse"))
def test_protected_and_live_streams_are_refused(expected: Case, published: Origin, tmp_path: Path) -> None:
    result = get(published.url(f"/{expected.name}/{expected.entry}"), tmp_path / "output.mp4")
    assert result.returncode == 3
    assert "unsupported-source" in result.stderr.decode()
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("expected", cases("either"))
def test_an_output_is_exact_unless_the_stream_is_refused(expected: Case, published: Origin, tmp_path: Path) -> None:
    result = get(published.url(f"/{expected.name}/{expected.entry}"), tmp_path / "output.mp4")
    if result.returncode == 0:
        assert_exact(expected, tmp_path / "output.mp4")
    else:
        assert result.returncode == 3
        assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("expected", cases("exact", "either"))
def test_a_plain_output_has_the_packets_and_times_of_the_fragmented_one(expected: Case, published: Origin, tmp_path: Path) -> None:
    url, plain, fragmented = published.url(f"/{expected.name}/{expected.entry}"), tmp_path / "plain.mp4", tmp_path / "fragmented.mp4"
    result = get(url, plain, "--layout", "plain")
    if result.returncode == 3 and expected.kind == "either":
        return
    assert result.returncode == 0, result.stderr.decode()
    assert get(url, fragmented, "--layout", "fragmented").returncode == 0
    assert media_reader.hashes(plain) == media_reader.hashes(fragmented)
    for times, others in zip(
        media_reader.presentation_times(plain).values(), media_reader.presentation_times(fragmented).values(), strict=True
    ):
        assert [time - times[0] for time in times] == pytest.approx([time - others[0] for time in others], abs=0.001)
    assert media_reader.decode_times_increase(plain)
    data = plain.read_bytes()
    assert data.index(b"moov") < data.index(b"mdat")
    assert b"moof" not in data[: data.index(b"mdat")]


MISSING_SEGMENTS = [
    ("sp-ts-muxed-aac-h264/playlist.m3u8", "n_{}_0_0.ts", (0, 3, 5)),
    ("pk-ts-demux/output.m3u8", "bear-640x360-video-{}.ts", (1, 2, 3)),
    ("pk-ts-demux/output.m3u8", "bear-640x360-audio-{}.ts", (1, 2, 3)),
    ("am-cmaf-demux/playlist.m3u8", "audio_{}.m4s", (1, 6, 12)),
    ("sp-raw-aac/manifest.m3u8", "fileSequence{}.aac", (0, 2, 3)),
    ("wj-fmp4-muxed/prog_index.m3u8", "fileSequence{}.m4s", (0, 2, 4)),
]


@pytest.mark.parametrize(("entry", "pattern", "numbers"), MISSING_SEGMENTS)
def test_a_missing_segment_is_a_failure(entry: str, pattern: str, numbers: tuple[int, ...], published: Origin, tmp_path: Path) -> None:
    for number in numbers:
        path = f"/{entry.partition('/')[0]}/{pattern.format(number)}"
        assert isinstance(published.files, Path)
        assert (published.files / path.lstrip("/")).is_file()
        published.rules[path] = Rule(status=404)
        result = get(published.url(f"/{entry}"), tmp_path / "output.mp4")
        del published.rules[path]
        assert result.returncode == 4, (path, result.stderr.decode())
        assert list(tmp_path.iterdir()) == []
