"""Parses playlist text into a Multivariant or a Media Playlist (RFC 8216), with the m3u8 package."""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

import m3u8

from transcoder.core.hls.plan import ByteRange
from transcoder.core.hls.playlist import normalization
from transcoder.core.hls.playlist.lines import significant_lines
from transcoder.core.hls.playlist.model import KeyTag, MapTag, MediaPlaylist, MediaSegment, MultivariantPlaylist, Rendition, Variant
from transcoder.core.hls.playlist.text_end import TextEnd, media_text_end, multivariant_text_end, unterminated_line
from transcoder.core.hls.playlist.uris import UriResolver, without_query
from transcoder.core.hls.playlist.variables import substitute
from transcoder.errors import UnsupportedSourceError

MAX_CODECS = 32
"""More codecs of one variant are ignored."""
MAX_VARIANTS = 10_000
"""A playlist with more variants, or more renditions, is refused."""
_BATCH_SEGMENTS = 5000
MAX_KEYS = 32
"""A playlist with more keys in force at once, each of another format, is refused."""


def parse(text: str | bytes, url: str, *, imported: Mapping[str, str] | None = None) -> MultivariantPlaylist | MediaPlaylist:
    """Parse a playlist; all addresses in the result are absolute.

    `text` is best given as it was fetched: no more than a part of it is then held as decoded text. `url` is where it came from, after redirects. `imported` are the Multivariant Playlist's variables, for EXT-X-DEFINE:IMPORT.

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
    return replace(_media(complete, uris), text_end=text_end, rounding=normalization.duration_rounding(lines))


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


class _TagParser:
    """Parses the tags that the package simplifies too much: several keys at one place, the keys in force at a MAP, delta updates.

    The package stores the key and the map in force as `current_key` and `current_segment_map`, and attaches them to each segment.
    """

    def __init__(self, uris: UriResolver) -> None:
        self._uris = uris
        self._keys: tuple[KeyTag, ...] = ()
        self._section: MapTag | None = None
        self._segments_at_last_key = -1
        self._earlier_segments = 0
        self.is_delta_update = False

    def begin_batch(self, segments: int) -> None:
        """Begin a part of the playlist before which there are so many segments."""
        self._earlier_segments = segments

    def __call__(self, line: str, _number: int, document: dict[str, Any], state: dict[str, Any]) -> bool:
        """Parse one tag; return whether the package should skip it."""
        name, _, value = line.partition(":")
        if name == "#EXT-X-KEY":
            self._keys = self._add_key(normalization.attributes(value), self._earlier_segments + len(document["segments"]))
        elif name == "#EXT-X-MAP":
            self._section = self._map(normalization.attributes(value))
        elif name == "#EXT-X-SKIP":
            self.is_delta_update = True
        state["current_key"], state["current_segment_map"] = self._keys, self._section
        return name in {"#EXT-X-KEY", "#EXT-X-MAP", "#EXT-X-SKIP"}

    def _add_key(self, tag: Mapping[str, str], segments: int) -> tuple[KeyTag, ...]:
        """Return the keys in force after this tag, which replaces a key of the same format.

        Tags without a segment between them are alternatives. After a segment, a tag with another method means that the
        following segments are encrypted in another way, so the earlier keys no longer apply.
        """
        same_place = segments == self._segments_at_last_key
        self._segments_at_last_key = segments
        method = tag.get("METHOD", "").upper()
        if method == "NONE":
            return ()
        url = self._uris.resolve(tag["URI"]) if tag.get("URI") else None
        key = KeyTag(method, url, tag.get("IV"), tag.get("KEYFORMAT", "identity").lower())
        others = [old for old in self._keys if old.format != key.format and (same_place or old.method == method)]
        if len(others) >= MAX_KEYS:
            raise UnsupportedSourceError(f"The playlist has more than {MAX_KEYS} keys for the same segment.")
        return (*others, key)

    def _map(self, tag: Mapping[str, str]) -> MapTag:
        """Return the initialization section of one EXT-X-MAP tag."""
        url = self._uris.resolve(tag["URI"]) if tag.get("URI") else None
        if "BYTERANGE" not in tag:
            return MapTag(url, None, self._keys)
        length, offset = normalization.byte_range(tag["BYTERANGE"])
        return MapTag(url, ByteRange(offset or 0, length), self._keys)


def _media(lines: list[str], uris: UriResolver) -> MediaPlaylist:
    """Return the Media Playlist with these tags and URIs."""
    header, media = normalization.media_lines(lines)
    document = m3u8.parse("\n".join(header))
    tags, builder = _TagParser(uris), _SegmentBuilder(uris, document["media_sequence"])
    # The package makes a large dictionary of each segment, so it gets some of them at a time.
    for batch in _batches(media):
        tags.begin_batch(len(builder.segments))
        builder.add(m3u8.parse("\n".join(batch), custom_tags_parser=tags)["segments"])
    kind = (document["playlist_type"] or "").upper()
    return MediaPlaylist(
        url=uris.base,
        segments=tuple(builder.segments),
        target_seconds=document["targetduration"],
        ended=document["is_endlist"],
        kind=kind if kind in {"VOD", "EVENT"} else None,
        stills_only=document["is_i_frames_only"] or document["is_images_only"],
        is_delta_update=tags.is_delta_update,
        discontinuity_sequence=document.get("discontinuity_sequence", 0),
    )


def _batches(lines: list[str]) -> Iterator[list[str]]:
    """Cut the lines of a Media Playlist behind URIs."""
    start = uris = 0
    for end, line in enumerate(lines, 1):
        uris += line[0] != "#"
        if uris == _BATCH_SEGMENTS:
            yield lines[start:end]
            start, uris = end, 0
    yield lines[start:]


class _SegmentBuilder:
    """Makes segments of what the package has parsed; a byte range without an offset continues the previous one of the same address."""

    def __init__(self, uris: UriResolver, first: int) -> None:
        self._uris = uris
        self._first = first
        self._ends: dict[str, int] = {}
        self.segments: list[MediaSegment] = []

    def add(self, entries: list[dict[str, Any]]) -> None:
        """Add the segments of a batch. If it ends with tags and no URI, the package lists those too; they are not a segment."""
        for entry in entries:
            if "uri" in entry:
                self.segments.append(self._segment(entry))

    def _segment(self, entry: dict[str, Any]) -> MediaSegment:
        part = self._range(entry)
        return MediaSegment(
            url=self._uris.resolve(entry["uri"]),
            seconds=entry["duration"],
            sequence=self._first + len(self.segments),
            discontinuity=entry["discontinuity"],
            # A range of zero bytes has nothing to fetch, like a gap.
            gap=bool(entry["gap_tag"]) or (part is not None and not part.length),
            range=part,
            keys=entry.get("key", ()),
            map=entry.get("init_section"),
            guessed=entry.get("title") == normalization.GUESSED,
        )

    def _range(self, entry: dict[str, Any]) -> ByteRange | None:
        section: MapTag | None = entry.get("init_section")
        if section is not None and section.range is not None and section.url is not None:
            # The first range has no previous one to continue; at the file's beginning it would be the initialization section again.
            self._ends.setdefault(section.url, section.range.start + section.range.length)
        if "byterange" not in entry:
            return None
        url = self._uris.resolve(entry["uri"])
        length, offset = normalization.byte_range(entry["byterange"])
        part = ByteRange(self._ends.get(url, 0) if offset is None else offset, length)
        self._ends[url] = part.start + length
        return part


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
