"""Playlist text → what it says."""

from transcoder.core.playlist.model import KeyTag, MapTag, Media, MediaSegment, Multivariant, Rendition, Variant
from transcoder.core.playlist.parse import media_only, parse

__all__ = ["KeyTag", "MapTag", "Media", "MediaSegment", "Multivariant", "Rendition", "Variant", "media_only", "parse"]
