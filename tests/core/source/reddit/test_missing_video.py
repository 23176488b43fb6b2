"""Tests what is said about a post without a video."""

import json
from pathlib import Path

import pytest

from transcoder.core.source.reddit import read_post
from transcoder.errors import UnsupportedSourceError

FIXTURES = Path(__file__).parents[4] / "fixtures" / "reddit"


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("processing", "still working"),
        ("deleted", "deleted by its author"),
        ("removed", "removed by moderators"),
        ("image", "is an image"),
        ("gif-without-video", "is a GIF of which Reddit has made no video"),
        ("gallery-of-images", "gallery of images"),
        ("youtube", r"video on YouTube, which is not supported: https://youtu.be/dQw4w9WgXcQ"),
        ("link", r"page on example.com, which is not supported"),
        ("text", "has no video"),
        ("for-adults-hidden", "for adults"),
    ],
)
def test_says_what_a_post_has_instead_of_a_video(name: str, message: str) -> None:
    with pytest.raises(UnsupportedSourceError, match=message):
        read_post(json.loads((FIXTURES / f"{name}.json").read_text(encoding="utf-8")))
