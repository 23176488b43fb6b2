"""Tests the substitution of variables."""

import pytest
from peers.playlists import FOLDER, URL, read_playlist

from transcoder.core.hls.playlist import MultivariantPlaylist, parse, require_media_playlist
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
