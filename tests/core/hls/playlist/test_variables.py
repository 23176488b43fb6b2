"""Tests the substitution of variables."""

import pytest
from peers.playlists import FOLDER, URL, read_playlist

from transcoder.core.hls.playlist import MultivariantPlaylist, parse, require_media_playlist
from transcoder.core.hls.playlist.variables import MAX_CHARACTERS
from transcoder.errors import UnsupportedSourceError


def test_variables_of_the_multivariant_playlist_are_imported() -> None:
    multivariant = parse(read_playlist("main-define"), URL)
    assert isinstance(multivariant, MultivariantPlaylist)
    media = require_media_playlist(parse(read_playlist("define-import"), URL, imported=multivariant.variables))
    assert [segment.url for segment in media.segments] == [FOLDER + "1.ts?key=1"]


def test_a_line_that_is_empty_after_substitution_is_refused() -> None:
    text = '#EXTM3U\n#EXT-X-TARGETDURATION:4\n#EXT-X-DEFINE:NAME="a",VALUE=""\n#EXTINF:4,\n{$a}\n#EXT-X-ENDLIST\n'
    with pytest.raises(UnsupportedSourceError, match="is empty after its variables are replaced"):
        parse(text, "https://a.example/v.m3u8")


def test_what_variables_expand_to_is_limited() -> None:
    value, uses = "x" * 2**15, MAX_CHARACTERS // 2**15
    lines = ["#EXTM3U", "#EXT-X-TARGETDURATION:4", f'#EXT-X-DEFINE:NAME="a",VALUE="{value}"', '#EXT-X-DEFINE:NAME="b",VALUE="y"']
    lines += ["#EXTINF:4,", "{$a}"] * uses
    assert len(require_media_playlist(parse("\n".join([*lines, "#EXT-X-ENDLIST", ""]), URL)).segments) == uses
    with pytest.raises(UnsupportedSourceError, match=f"expand to more than {MAX_CHARACTERS} characters"):
        parse("\n".join([*lines, "#EXTINF:4,", "{$b}", "#EXT-X-ENDLIST", ""]), URL)
