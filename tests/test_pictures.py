"""The pictures of the README: how the recording is made, and that the kept ones are small and name no place."""

import re
import shutil
import xml.etree.ElementTree as ET
from pathlib import Path

import pytest
from recording import drawn, record

PICTURES = Path(__file__).resolve().parents[1] / "docs" / "pictures"
MOST_BYTES = 60_000


@pytest.mark.long
@pytest.mark.skipif(shutil.which("setsid") is None, reason="missing: setsid, which gives the shell its terminal (on Debian: util-linux)")
def test_the_recording_shows_the_bar_the_failure_and_what_is_left() -> None:
    frames = record()
    bars = [
        int(found[1]) for frame in frames if (found := re.search(r"film\.mp4 .* (\d+) % .* MB/s, .* left, \d+/12 segments", frame.text))
    ]
    assert len(bars) >= 3
    assert bars == sorted(bars)
    last = frames[-1].text
    assert re.search(r"^film\.mp4: \d\.\d MB, 24\.0 s of media, in \d+\.\d s$", last, re.MULTILINE)
    assert "transcoder: film-6.ts at videos.example: the origin answered 404 Not Found. [upstream-failed]" in last
    assert last.rstrip().endswith('$ echo "exit code $?"; ls\nexit code 4\nfilm.mp4\n$')
    assert not re.search(r"127\.0\.0\.1|localhost|/tmp", "".join(frame.text for frame in frames))
    svg = ET.fromstring(drawn(frames))  # noqa: S314 - our own
    assert len(svg.findall(".//*[@class='frame']")) == len(frames)


@pytest.mark.parametrize("picture", sorted(PICTURES.iterdir()), ids=lambda path: path.name)
def test_a_kept_picture_is_small_and_names_no_place(picture: Path) -> None:
    content = picture.read_bytes()
    assert 1000 < len(content) < MOST_BYTES
    assert not re.search(rb"127\.0\.0\.1|localhost|/tmp/|/home/", content)
    assert picture.name in (PICTURES.parents[1] / "README.md").read_text(encoding="utf-8")
