"""Parses playlist text into a Multivariant or a Media Playlist (RFC 8216), with the m3u8 package."""

from collections.abc import Mapping
from typing import Any

import m3u8

from transcoder.core.hls.playlist import normalization
from transcoder.core.hls.playlist.lines import significant_lines
from transcoder.core.hls.playlist.media_segments import SegmentParser
from transcoder.core.hls.playlist.model import MediaPlaylist, MultivariantPlaylist, Rendition, Variant
from transcoder.core.hls.playlist.text_end import TextEnd, media_text_end, multivariant_text_end, unterminated_line
from transcoder.core.hls.playlist.uris import UriResolver, without_query
from transcoder.core.hls.playlist.variables import substitute
from transcoder.errors import UnsupportedSourceError

MAX_CODECS = 32
"""More codecs of one variant are ignored."""
MAX_VARIANTS = 10_000
"""A playlist with more variants, or more renditions, is refused."""


def parse(text: str | bytes, url: str, *, imported: Mapping[str, str] | None = None) -> MultivariantPlaylist | MediaPlaylist:
    """Parse a playlist; all addresses in the result are absolute.

    `text` is best given as it was fetched: then no more than a part of it is held decoded. `url` is where it came from, after redirects.
    `imported` are the Multivariant Playlist's variables, for EXT-X-DEFINE:IMPORT.

    Raises:
        UnsupportedSourceError: the text is not a playlist, or so broken that media would be lost or garbled.
    """
    body = text.encode(errors="replace") if isinstance(text, str) else text
    lines, variables = substitute(significant_lines(body, url), url, imported or {})
    uris = UriResolver(url)
    if normalization.is_multivariant(lines):
        if sum(line[0] != "#" for line in lines) > MAX_VARIANTS or len(lines) > 3 * MAX_VARIANTS:
            raise UnsupportedSourceError(f"{without_query(url)} is too long: more than {MAX_VARIANTS} variants or renditions.")
        document = m3u8.parse("\n".join(normalization.multivariant_lines(lines)))
        return MultivariantPlaylist(
            url=url,
            variants=tuple(_variant(entry, uris) for entry in document["playlists"]),
            renditions=tuple(_rendition(entry, uris) for entry in document["media"] if entry.get("type")),
            variables=variables,
            text_end=multivariant_text_end(unterminated_line(body), lines),
        )
    last = unterminated_line(body)
    text_end = media_text_end(last, lines)
    # A cut tag may have no valid value; the playlist is refused in any case, and not for that value.
    complete = lines[:-1] if text_end is TextEnd.CUT and last else lines
    return _media(complete, uris)._replace(text_end=text_end, rounding=normalization.duration_rounding(lines))


def _variant(entry: Mapping[str, Any], uris: UriResolver) -> Variant:
    """Return the variant of one EXT-X-STREAM-INF tag and its URI."""
    tag = entry["stream_info"]
    return Variant(
        url=uris.resolve(entry["uri"]),
        bandwidth=tag.get("bandwidth", 0),
        average_bandwidth=tag.get("average_bandwidth"),
        resolution=_resolution(tag.get("resolution", "")),
        frame_rate=tag.get("frame_rate"),
        codecs=tuple(codec.strip() for codec in tag.get("codecs", "").split(",", MAX_CODECS)[:MAX_CODECS] if codec.strip()),
        audio_group=tag.get("audio"),
        subtitles_group=tag.get("subtitles"),
        name=tag.get("name"),
    )


def _resolution(text: str) -> tuple[int, int] | None:
    """Parse `WIDTHxHEIGHT`."""
    width, _, height = text.lower().partition("x")
    if not (width.isascii() and height.isascii() and width.isdigit() and height.isdigit()):
        return None
    size = (int(width[:9]), int(height[:9]))
    return size if all(size) else None


def _rendition(entry: Mapping[str, str], uris: UriResolver) -> Rendition:
    """Return the rendition of one EXT-X-MEDIA tag."""
    channels = entry.get("channels", "").partition("/")[0].strip()
    return Rendition(
        kind=entry["type"].upper(),
        group=entry.get("group_id", ""),
        name=entry.get("name", ""),
        language=entry.get("language"),
        default=entry.get("default", "").upper() == "YES",
        autoselect=entry.get("autoselect", "").upper() == "YES",
        forced=entry.get("forced", "").upper() == "YES",
        url=uris.resolve(entry["uri"]) if entry.get("uri") else None,
        channels=int(channels) if channels.isascii() and channels.isdigit() and len(channels) < 4 else None,  # noqa: PLR2004 - three digits
        characteristics=entry.get("characteristics", ""),
    )


def _media(lines: list[str], uris: UriResolver) -> MediaPlaylist:
    """Return the Media Playlist with these tags and URIs."""
    target = normalization.target_seconds(lines)
    document = m3u8.parse("\n".join(normalization.header_lines(lines)))
    segments = SegmentParser(uris, document["media_sequence"], lambda: normalization.usual_seconds(lines, target))
    listed = segments.parse(lines)
    kind = (document["playlist_type"] or "").upper()
    return MediaPlaylist(
        url=uris.base,
        segments=listed,
        target_seconds=target,
        ended=document["is_endlist"],
        kind=kind if kind in {"VOD", "EVENT"} else None,
        stills_only=document["is_i_frames_only"] or document["is_images_only"],
        is_delta_update=segments.is_delta_update,
        discontinuity_sequence=document.get("discontinuity_sequence", 0),
        recorded=segments.recorded,
    )


class NestedPlaylistError(UnsupportedSourceError):
    """A variant or a rendition names a Multivariant Playlist where it should name a Media Playlist."""

    def __init__(self, named: str, playlist: MultivariantPlaylist) -> None:
        """Keep the address that the outer playlist names, before redirects, and the playlist that was found there."""
        super().__init__(f"{without_query(playlist.url)} lists variants where it should list segments.")
        self.named = named
        self.playlist = playlist


def require_media_playlist(playlist: MultivariantPlaylist | MediaPlaylist, *, named: str = "") -> MediaPlaylist:
    """Return the playlist of a variant or a rendition, which must be a Media Playlist; `named` is the address that it was named by.

    Raises:
        NestedPlaylistError: it is another Multivariant Playlist.
    """
    if isinstance(playlist, MultivariantPlaylist):
        raise NestedPlaylistError(named, playlist)
    return playlist
