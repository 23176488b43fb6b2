"""The tags of a plain MP4 are written as ffmpeg writes them, so that whatever reads those reads these."""

from pathlib import Path

import pytest
from generated_video import run_ffmpeg

from transcoder.core.media.mp4.boxes import boxes_of
from transcoder.core.media.mp4.user_data import write_tags

TAGS = {"title": "Café & Co", "comment": "https://a.example/v", "date": "2024-02-29"}


@pytest.mark.parametrize("names", [["title"], ["comment"], ["date"], ["title", "comment"]])
def test_tags_are_those_of_ffmpeg(names: list[str], tmp_path: Path) -> None:
    tags = {name: TAGS[name] for name in names}
    written = [argument for name, text in tags.items() for argument in ("-metadata", f"{name}={text}")]
    source = ("-f", "lavfi", "-i", "anullsrc", "-t", "0.1", "-c:a", "aac", "-fflags", "+bitexact")
    run_ffmpeg(*source, *written, tmp_path / "tagged.mp4")
    (moov,) = (each for each in boxes_of((tmp_path / "tagged.mp4").read_bytes()) if each.type == b"moov")
    assert write_tags(tags) == moov.require(b"udta").raw


def test_nothing_is_written_for_no_tags_and_for_those_without_a_box() -> None:
    assert write_tags({}) == write_tags({"artist": "nobody"}) == b""
    assert write_tags({"artist": "nobody", "title": "a"}) == write_tags({"title": "a"})
