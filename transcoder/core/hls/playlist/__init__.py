"""Playlist text → what it says."""

from transcoder.core.hls.playlist.model import KeyTag, MapTag, Media, MediaSegment, Multivariant, Rendition, Variant
from transcoder.core.hls.playlist.parse import media_only, parse

__all__ = ["KeyTag", "MapTag", "Media", "MediaSegment", "Multivariant", "Rendition", "Variant", "media_only", "parse"]
