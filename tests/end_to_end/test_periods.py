"""Several timelines become one film: no picture lost, no hole in the sound, picture and sound as far apart as in the source."""

import re
from array import array
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path

import av
import pytest
from conftest import Serve
from peers import media_reader
from peers.av_sync import sound_late
from peers.get_command import get

HALF_FRAME = 1024 / 48_000 / 2
SLACK = 3
"""Sound packets that a join may drop or add."""

JOINED = [
    "join-ts",
    "join-ts-b-frames",
    "join-ts-more-b-frames",
    "join-ts-backwards",
    "join-ts-three",
    "join-ts-size",
    "join-ts-sound-late",
    "join-ts-sound-short",
    "join-ts-sound-long",
    "join-ts-separate-audio",
    "join-ts-fmp4",
    "join-ts-untold",
    "join-ts-untold-leap",
    "join-fmp4",
    "join-fmp4-size",
    "join-fmp4-separate-audio",
    "join-fmp4-shared-init",
]


def periods(folder: Path) -> list[list[str]]:
    """Return the media playlists of each period's source: one, or one for the picture and one for the sound."""
    names = sorted({re.sub(r"-?(\d+|init)?\.\w+$", "", path.name) for path in folder.iterdir() if path.suffix in {".ts", ".m4s"}})
    return [
        [name for name in names if name.endswith(str(number))] for number in range(3) if any(name.endswith(str(number)) for name in names)
    ]


def sources(folder: Path, into: Path) -> list[list[Path]]:
    """Write each period's segments into a file of its own for each rendition."""
    found = []
    for number, names in enumerate(periods(folder)):
        files = []
        for name in names:
            parts = sorted(folder.glob(f"{name}-init.mp4")) + sorted(folder.glob(f"{name}-[0-9].*"))
            files.append(into / f"{number}-{name}{parts[-1].suffix}")
            files[-1].write_bytes(b"".join(part.read_bytes() for part in parts))
        found.append(files)
    return found


def holes_in_sound(file: Path) -> list[float]:
    with av.open(file) as container:
        ends = [
            (float(packet.pts * packet.time_base), float((packet.pts + packet.duration) * packet.time_base))
            for packet in container.demux(audio=0)
            if packet.pts is not None and packet.duration and packet.time_base
        ]
    return [after - end for (_, end), (after, _) in pairwise(ends) if abs(after - end) > 0.001]


@pytest.mark.parametrize("name", JOINED)
def test_periods_are_joined(name: str, media: Callable[[str], Path], serve: Serve, tmp_path: Path) -> None:
    folder, ours = media(name), tmp_path / "ours.mp4"
    done = get(serve(folder).url("/main.m3u8"), ours)
    assert done.returncode == 0, done.stderr.decode()
    parts = sources(folder, tmp_path)
    assert len(parts) > 1
    given = [media_reader.packets(*files) for files in parts]
    got = media_reader.packets(ours)
    assert got["video"] == sum(each["video"] for each in given)
    assert abs(got["audio"] - sum(each["audio"] for each in given)) <= SLACK * len(parts) + (25 if name in CHANGED_LENGTH else 0)
    assert media_reader.decoded(ours)["video"] == got["video"]
    assert media_reader.is_steady(ours)
    assert media_reader.is_whole(ours)
    assert holes_in_sound(ours) == []
    assert media_reader.header_duration(ours) == pytest.approx(media_reader.length(ours), abs=0.1 if name not in CHANGED_LENGTH else 0.5)
    assert_in_sync(ours, parts)


CHANGED_LENGTH = {"join-ts-sound-late", "join-ts-sound-long", "join-ts-sound-short", "join-ts-separate-audio", "join-fmp4-separate-audio"}
"""Sets in which a period's sound and picture are not equally long: silence is put in, or a picture stands still. No header can know."""


def assert_in_sync(ours: Path, parts: list[list[Path]]) -> None:
    """Each second's beep follows its flash as in the source."""
    expected = [late for files in parts for late in sound_late(*files)]
    heard = sound_late(ours)
    assert len(heard) == len(expected)
    worst = max(abs(ours_late - theirs) for ours_late, theirs in zip(heard, expected, strict=True))
    assert worst <= HALF_FRAME + 0.002  # a beep is found to within a millisecond or two


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("join-ts-picture-codec", "from h264 to hevc"),
        ("join-ts-sound-codec", "from aac to mp3"),
        ("join-ts-sample-rate", "sampling rate"),
        ("join-ts-channels", "channels"),
    ],
)
def test_what_only_encoding_could_join_is_refused(
    name: str, words: str, media: Callable[[str], Path], serve: Serve, tmp_path: Path
) -> None:
    done = get(serve(media(name)).url("/main.m3u8"), tmp_path / "ours.mp4")
    assert done.returncode == 3
    assert words in done.stderr.decode()
    assert not (tmp_path / "ours.mp4").exists()


@pytest.mark.parametrize(("name", "silent"), [("join-ts-no-sound-first", (0.0, 4.0)), ("join-ts-no-sound-second", (4.1, 8.0))])
def test_a_period_without_sound_is_silent(
    name: str, silent: tuple[float, float], media: Callable[[str], Path], serve: Serve, tmp_path: Path
) -> None:
    ours = tmp_path / "ours.mp4"
    done = get(serve(media(name)).url("/main.m3u8"), ours)
    assert done.returncode == 0, done.stderr.decode()
    assert media_reader.packets(ours)["video"] == 200
    assert media_reader.packets(ours)["audio"] == pytest.approx(8.0 * 48_000 / 1024, abs=6)
    assert holes_in_sound(ours) == []
    begin, end = silent
    loud = [at for at, level in levels(ours) if level > 0.01]
    assert loud
    assert not [at for at in loud if begin < at < end]
    assert media_reader.header_duration(ours) == pytest.approx(8.0, abs=0.1)


def levels(file: Path) -> list[tuple[float, float]]:
    """Return time and peak of each frame of sound."""
    with av.open(file) as container:
        return [(frame.time or 0.0, max(map(abs, array("f", bytes(frame.planes[0]))))) for frame in container.decode(audio=0)]
