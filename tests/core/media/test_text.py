"""Text is told from media by its first bytes."""

from collections.abc import Callable
from pathlib import Path

import pytest
from peers.origin import garbage, html
from peers.source_files import files_in

from transcoder.core.media.text import TEXT_BYTES, is_text

FIXTURES = Path(__file__).parents[3] / "fixtures"


@pytest.mark.parametrize(
    ("first", "found"),
    [
        pytest.param(html(500), True, id="HTML"),
        pytest.param(b"{}", True, id="JSON"),
        pytest.param(b"\xef\xbb\xbf<?xml", True, id="XML with a BOM"),
        pytest.param(("\u00e4" * TEXT_BYTES).encode()[: TEXT_BYTES - 1], True, id="a character that is cut off"),
        pytest.param(b"a" * TEXT_BYTES + b"\0", True, id="what comes later does not matter"),
        pytest.param(b"", False, id="nothing"),
        pytest.param(b"a\0", False, id="a NUL"),
        pytest.param(b"G\x40\x11\x10\x00", False, id="a packet of a transport stream"),
        pytest.param(b"ID3\x04\x00", False, id="an ID3 tag"),
        pytest.param(b"\xff\xf1PPPPP", False, id="a frame of ADTS"),
    ],
)
def test_text(first: bytes, *, found: bool) -> None:
    assert is_text(first) is found


@pytest.mark.parametrize("number", range(0x80))
def test_of_the_control_characters_text_has_those_that_divide_it_alone(number: int) -> None:
    is_character = 0x20 <= number < 0x7F or chr(number) in "\t\n\f\r"
    assert is_text(b"a" + bytes([number])) is is_text(bytes([number])) is is_character
    assert is_text(b"a" * (TEXT_BYTES - 1) + bytes([number])) is is_character


@pytest.mark.parametrize("name", ["ts-muxed", "fmp4-muxed", "fmp4-byterange", "packed-aac", "aes-ts", "aes-fmp4"])
def test_no_media_is_text(name: str, media: Callable[[str], Path]) -> None:
    segments = [content for path, content in files_in(media(name)).items() if path.endswith((".ts", ".mp4", ".m4s", ".aac"))]
    assert segments
    assert not any(is_text(content) for content in segments)


def test_encrypted_bytes_are_not_text() -> None:
    assert not any(is_text(garbage(TEXT_BYTES, seed)) for seed in range(5000))


def test_playlists_are_text() -> None:
    texts = files_in(FIXTURES / "playlists")
    assert is_text(texts["/main-languages.m3u8"])
