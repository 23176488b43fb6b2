"""Tests that references in a playlist are resolved to absolute addresses."""

import pytest
from peers.playlists import parse_media

from transcoder.core.hls.playlist.uris import without_query


@pytest.mark.parametrize(
    ("base", "reference", "address"),
    [
        ("https://a.example/v/list.m3u8", "data:text/plain,hello world", "data:text/plain,hello world"),
        ("https://a.example/v/list.m3u8?u=/x/y", "1.ts", "https://a.example/v/1.ts"),
        ("https://a.example", "1.ts", "https://a.example/1.ts"),
        ("https://a.example/v/../w/list.m3u8", "1.ts", "https://a.example/w/1.ts"),
        ("https://a.example/v/", "1.ts?a=/../b", "https://a.example/v/1.ts?a=/../b"),
        ("https://a.example/v/list.m3u8", "a/../1.ts", "https://a.example/v/1.ts"),
        ("https://a.example/v/list.m3u8", "skd://key", "skd://key"),
    ],
)
def test_references_are_resolved(base: str, reference: str, address: str) -> None:
    media = parse_media(f"#EXTM3U\n#EXTINF:4,\n{reference}\n#EXT-X-ENDLIST", base)
    assert media.segments[0].url == address


@pytest.mark.parametrize(("characters", "shown"), [(499, 499), (500, 500), (501, 500)])
def test_messages_show_an_address_without_its_query_and_at_most_500_characters(characters: int, shown: int) -> None:
    url = "https://a.example/".ljust(characters, "x")
    assert without_query(f"{url}?signature=secret") == url[:shown]
