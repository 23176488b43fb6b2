"""Streams that others published become films exactly, or are refused: `HLS_CORPORA` names a folder outside this repository."""

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
    """What a published stream must give."""

    name: str
    entry: str
    kind: str
    packets: dict[str, int]
    seconds: float
    picture_late: float | None
    """By how many seconds the first picture comes after the first sound."""
    slack: int
    """How many sound packets a join may drop or add."""


def cases(*kinds: str) -> list[object]:
    """Read the cases of these kinds; none if there is no folder."""
    lines = CASES.read_text(encoding="utf-8").splitlines() if CASES.is_file() else []
    rows = [case(line.split("\t")) for line in lines if line and not line.startswith("#")]
    return [pytest.param(row, id=f"{row.name}/{row.entry}") for row in rows if row.kind in kinds]


def case(columns: list[str]) -> Case:
    name, entry, kind, packets, seconds, late, slack, *_ = [*columns, "", "", "", ""]
    counts = [each.split(":") for each in packets.split(";") if each]
    return Case(
        name,
        entry,
        kind,
        {"video" if codec in {"h264", "hevc", "av1", "vp9"} else "audio": int(count) for codec, count in counts},
        float(seconds or 0),
        float(late) / 1000 if late else None,
        int(slack or 0),
    )


@pytest.fixture(scope="module")
def published() -> Iterator[Origin]:
    with origin(CORPORA / "streams") as serving:
        yield serving


def assert_exact(wanted: Case, ours: Path) -> None:
    got = media_reader.packets(ours)
    assert got.keys() == wanted.packets.keys()
    assert got.get("video") == wanted.packets.get("video")
    assert abs(got.get("audio", 0) - wanted.packets.get("audio", 0)) <= wanted.slack
    assert media_reader.header_duration(ours) == pytest.approx(wanted.seconds, abs=0.12)
    assert media_reader.is_whole(ours)
    assert media_reader.is_steady(ours)
    if wanted.picture_late is not None:
        assert -media_reader.av_distance(ours) == pytest.approx(wanted.picture_late, abs=0.002)


@pytest.mark.parametrize("wanted", cases("exact"))
def test_every_packet_arrives(wanted: Case, published: Origin, tmp_path: Path) -> None:
    done = get(published.url(f"/{wanted.name}/{wanted.entry}"), tmp_path / "ours.mp4")
    assert done.returncode == 0, done.stderr.decode()
    assert_exact(wanted, tmp_path / "ours.mp4")


@pytest.mark.parametrize("wanted", cases("refuse"))
def test_protected_and_live_streams_are_refused(wanted: Case, published: Origin, tmp_path: Path) -> None:
    done = get(published.url(f"/{wanted.name}/{wanted.entry}"), tmp_path / "ours.mp4")
    assert done.returncode == 3
    assert "unsupported-source" in done.stderr.decode()
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("wanted", cases("either"))
def test_what_is_not_refused_is_exact(wanted: Case, published: Origin, tmp_path: Path) -> None:
    done = get(published.url(f"/{wanted.name}/{wanted.entry}"), tmp_path / "ours.mp4")
    if done.returncode == 0:
        assert_exact(wanted, tmp_path / "ours.mp4")
    else:
        assert done.returncode == 3
        assert list(tmp_path.iterdir()) == []


HOLES = [
    ("sp-ts-muxed-aac-h264/playlist.m3u8", "n_{}_0_0.ts", (0, 3, 5)),
    ("pk-ts-demux/output.m3u8", "bear-640x360-video-{}.ts", (1, 2, 3)),
    ("pk-ts-demux/output.m3u8", "bear-640x360-audio-{}.ts", (1, 2, 3)),
    ("am-cmaf-demux/playlist.m3u8", "audio_{}.m4s", (1, 6, 12)),
    ("sp-raw-aac/manifest.m3u8", "fileSequence{}.aac", (0, 2, 3)),
    ("wj-fmp4-muxed/prog_index.m3u8", "fileSequence{}.m4s", (0, 2, 4)),
]


@pytest.mark.parametrize(("entry", "pattern", "numbers"), HOLES)
def test_a_missing_segment_is_a_failure(entry: str, pattern: str, numbers: tuple[int, ...], published: Origin, tmp_path: Path) -> None:
    for number in numbers:
        path = f"/{entry.partition('/')[0]}/{pattern.format(number)}"
        assert isinstance(published.files, Path)
        assert (published.files / path.lstrip("/")).is_file()
        published.rules[path] = Rule(status=404)
        done = get(published.url(f"/{entry}"), tmp_path / "ours.mp4")
        del published.rules[path]
        assert done.returncode == 4, (path, done.stderr.decode())
        assert list(tmp_path.iterdir()) == []
