"""The language of the audio is in the file, whatever its layout."""

from collections.abc import Callable
from pathlib import Path

import av
import pytest
from conftest import Serve
from peers.get_command import get
from peers.source_files import edited, files_in

LANGUAGES = {"de": "deu", "en-US": "eng", "gsw": "gsw", "": "und"}


NAMES = ("ts-separate-audio", "fmp4-separate-audio")


# All pairs.
@pytest.mark.parametrize(
    ("name", "tag", "layout"),
    [
        (NAMES[(row + column) % 2], tag, layout)
        for row, tag in enumerate(LANGUAGES)
        for column, layout in enumerate(("fragmented", "plain"))
    ],
)
def test_the_language_of_a_rendition_is_that_of_the_track(
    name: str, tag: str, layout: str, media: Callable[[str], Path], serve: Serve, tmp_path: Path
) -> None:
    written = f'LANGUAGE="{tag}",' if tag else ""
    origin = serve(edited(files_in(media(name)), "/main.m3u8", 'LANGUAGE="en",', written))
    output = tmp_path / "output.mp4"
    assert get(origin.url("/main.m3u8"), output, "--layout", layout).returncode == 0
    with av.open(output) as opened:
        assert [stream.metadata.get("language", "und") for stream in opened.streams.audio] == [LANGUAGES[tag]]
        assert [stream.metadata.get("language", "und") for stream in opened.streams.video] == ["und"]
