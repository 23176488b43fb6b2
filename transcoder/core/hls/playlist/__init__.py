"""Parses playlist text into values."""

from transcoder.core.hls.playlist.model import KeyTag, MapTag, MediaPlaylist, MediaSegment, MultivariantPlaylist, Rendition, Variant
from transcoder.core.hls.playlist.parse import NestedPlaylistError, parse, require_media_playlist
from transcoder.core.hls.playlist.text_end import TextEnd

__all__ = [
    "KeyTag",
    "MapTag",
    "MediaPlaylist",
    "MediaSegment",
    "MultivariantPlaylist",
    "NestedPlaylistError",
    "Rendition",
    "TextEnd",
    "Variant",
    "parse",
    "require_media_playlist",
]
