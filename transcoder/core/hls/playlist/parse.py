"""Playlist text → a Multivariant or a Media Playlist (RFC 8216), on the m3u8 package."""

from collections.abc import Mapping
from typing import Any

import m3u8

from transcoder.core.hls.plan import ByteRange
from transcoder.core.hls.playlist import normalization as playlist_text
from transcoder.core.hls.playlist.model import KeyTag, MapTag, Media, MediaSegment, Multivariant, Rendition, Variant
from transcoder.core.hls.playlist.uris import Addresses, shown
from transcoder.core.hls.playlist.variables import substitute
from transcoder.errors import UnsupportedSourceError

MAX_KEYS = 32
"""More keys in force at once, each of another format, are refused."""


def parse(text: str, url: str, *, imported: Mapping[str, str] | None = None) -> Multivariant | Media:
    """Read a playlist; `url` is where the text came from, after redirects, and every address in the result is absolute.

    `imported` are the Multivariant Playlist's variables, for EXT-X-DEFINE:IMPORT.

    Raises:
        UnsupportedSourceError: the text is not a playlist, or broken so that media would be lost or garbled.
    """
    lines, variables = substitute(playlist_text.lines_of(text, url), url, imported or {})
    addresses = Addresses(url)
    if playlist_text.is_multivariant(lines):
        document = m3u8.parse("\n".join(playlist_text.multivariant_lines(lines)))
        return Multivariant(
            url=url,
            variants=tuple(_variant(entry, addresses) for entry in document["playlists"]),
            renditions=tuple(_rendition(entry, addresses) for entry in document["media"] if entry.get("type")),
            variables=variables,
        )
    tags = _Tags(addresses)
    document = m3u8.parse("\n".join(playlist_text.media_lines(lines)), custom_tags_parser=tags)
    return _media(document, addresses, tags)


def _variant(entry: Mapping[str, Any], addresses: Addresses) -> Variant:
    """Read one EXT-X-STREAM-INF and its URI."""
    tag = entry["stream_info"]
    return Variant(
        url=addresses.absolute(entry["uri"]),
        bandwidth=tag.get("bandwidth", 0),
        average_bandwidth=tag.get("average_bandwidth"),
        resolution=_resolution(tag.get("resolution", "")),
        frame_rate=tag.get("frame_rate"),
        codecs=tuple(codec.strip() for codec in tag.get("codecs", "").split(",") if codec.strip()),
        audio_group=tag.get("audio"),
        subtitles_group=tag.get("subtitles"),
        name=tag.get("name"),
    )


def _resolution(text: str) -> tuple[int, int] | None:
    """Read `WIDTHxHEIGHT`."""
    width, _, height = text.lower().partition("x")
    if not (width.isascii() and height.isascii() and width.isdigit() and height.isdigit()):
        return None
    size = (int(width[:9]), int(height[:9]))
    return size if all(size) else None


def _rendition(entry: Mapping[str, str], addresses: Addresses) -> Rendition:
    """Read one EXT-X-MEDIA."""
    channels = entry.get("channels", "").partition("/")[0].strip()
    return Rendition(
        kind=entry["type"].upper(),
        group=entry.get("group_id", ""),
        name=entry.get("name", ""),
        language=entry.get("language"),
        default=entry.get("default", "").upper() == "YES",
        autoselect=entry.get("autoselect", "").upper() == "YES",
        forced=entry.get("forced", "").upper() == "YES",
        url=addresses.absolute(entry["uri"]) if entry.get("uri") else None,
        channels=int(channels) if channels.isascii() and channels.isdigit() and len(channels) < 4 else None,  # noqa: PLR2004 - three digits
        characteristics=entry.get("characteristics", ""),
    )


class _Tags:
    """Reads what the package reads too simply: several keys at one place, the keys in force at a MAP, and delta updates.

    The package keeps what is in force under `current_key` and `current_segment_map`, and gives it to each segment.
    """

    def __init__(self, addresses: Addresses) -> None:
        self._addresses = addresses
        self._keys: tuple[KeyTag, ...] = ()
        self._segments_at_last_key = -1
        self.skips = False

    def __call__(self, line: str, _number: int, document: dict[str, Any], state: dict[str, Any]) -> bool:
        """Read one tag; tell whether the package shall leave it alone."""
        name, _, value = line.partition(":")
        if name == "#EXT-X-KEY":
            state["current_key"] = self._keys = self._with(playlist_text.attributes(value), len(document["segments"]))
        elif name == "#EXT-X-MAP":
            state["current_segment_map"] = self._map(playlist_text.attributes(value))
        elif name == "#EXT-X-SKIP":
            self.skips = True
        else:
            return False
        return True

    def _with(self, tag: Mapping[str, str], segments: int) -> tuple[KeyTag, ...]:
        """Add a key to those in force, in place of the one of its format.

        Where no segment stands between them, tags are alternatives. Later on, a tag of another method means that the
        segments are encrypted in another way, so the earlier keys have had their time.
        """
        same_place = segments == self._segments_at_last_key
        self._segments_at_last_key = segments
        method = tag.get("METHOD", "").upper()
        if method == "NONE":
            return ()
        url = self._addresses.absolute(tag["URI"]) if tag.get("URI") else None
        key = KeyTag(method, url, tag.get("IV"), tag.get("KEYFORMAT", "identity").lower())
        others = [old for old in self._keys if old.format != key.format and (same_place or old.method == method)]
        if len(others) >= MAX_KEYS:
            raise UnsupportedSourceError(f"The playlist gives more than {MAX_KEYS} keys for the same segment.")
        return (*others, key)

    def _map(self, tag: Mapping[str, str]) -> MapTag:
        """Read an EXT-X-MAP."""
        url = self._addresses.absolute(tag["URI"]) if tag.get("URI") else None
        if "BYTERANGE" not in tag:
            return MapTag(url, None, self._keys)
        length, offset = playlist_text.byte_range(tag["BYTERANGE"])
        return MapTag(url, ByteRange(offset or 0, length), self._keys)


def _media(document: Mapping[str, Any], addresses: Addresses, tags: _Tags) -> Media:
    """Read a Media Playlist from what the package found."""
    kind = (document["playlist_type"] or "").upper()
    # What remains when the text ends without a URI is listed too; it is no segment.
    entries = [entry for entry in document["segments"] if "uri" in entry]
    return Media(
        url=addresses.base,
        segments=_segments(entries, document["media_sequence"], addresses),
        target_seconds=document["targetduration"],
        ended=document["is_endlist"],
        kind=kind if kind in {"VOD", "EVENT"} else None,
        stills_only=document["is_i_frames_only"] or document["is_images_only"],
        skips=tags.skips,
        discontinuity_sequence=document.get("discontinuity_sequence", 0),
    )


def _segments(entries: list[dict[str, Any]], first: int, addresses: Addresses) -> tuple[MediaSegment, ...]:
    """Read the segments; a range without an offset continues the one before it of the same address."""
    ends: dict[str, int] = {}
    segments = []
    for sequence, entry in enumerate(entries, first):
        url = addresses.absolute(entry["uri"])
        section: MapTag | None = entry.get("init_section")
        if section is not None and section.range is not None and section.url is not None:
            # Nothing says what the very first range continues; the file's beginning would be the initialization section again.
            ends.setdefault(section.url, section.range.start + section.range.length)
        part = None
        if "byterange" in entry:
            length, offset = playlist_text.byte_range(entry["byterange"])
            part = ByteRange(ends.get(url, 0) if offset is None else offset, length)
            ends[url] = part.start + length
        segments.append(
            MediaSegment(
                url=url,
                seconds=entry["duration"],
                sequence=sequence,
                discontinuity=entry["discontinuity"],
                # A range of no bytes holds nothing to ask for, as a gap does.
                gap=bool(entry["gap_tag"]) or (part is not None and not part.length),
                range=part,
                keys=entry.get("key", ()),
                map=section,
            )
        )
    return tuple(segments)


def media_only(playlist: Multivariant | Media) -> Media:
    """Take what a variant or a rendition leads to, which must be a Media Playlist.

    Raises:
        UnsupportedSourceError: it is another Multivariant Playlist.
    """
    if isinstance(playlist, Multivariant):
        raise UnsupportedSourceError(f"{shown(playlist.url)} lists variants where it should list segments.")
    return playlist
