"""Subtitles: reads the WebVTT segments of a rendition, joins them, and writes them as one text. Source: WebVTT; RFC 8216, 3.5."""

from transcoder.core.media.subtitles.joining import Place, PlacedSegment, join_segments
from transcoder.core.media.subtitles.webvtt import MAX_CUES, Cue, WebVtt, parse_webvtt
from transcoder.core.media.subtitles.writing import write_subrip, write_webvtt

__all__ = ["MAX_CUES", "Cue", "Place", "PlacedSegment", "WebVtt", "join_segments", "parse_webvtt", "write_subrip", "write_webvtt"]
