"""Makes the segments of a Media Playlist of its lines.

The m3u8 package compares each line with forty tags and makes a dictionary of twenty entries for each segment, which takes several times
as long. It still parses what applies to a whole playlist, and Multivariant Playlists.
"""

import math
from collections.abc import Callable, Mapping

from transcoder.core.hls.plan import ByteRange
from transcoder.core.hls.playlist import normalization
from transcoder.core.hls.playlist.model import KeyTag, MapTag, MediaSegment
from transcoder.core.hls.playlist.uris import UriResolver
from transcoder.errors import UnsupportedSourceError

MAX_KEYS = 32
"""A playlist with more keys in force at once, each of another format, is refused."""


class SegmentParser:
    """Parses the tags and URIs of a Media Playlist's segments (RFC 8216, 4.3.2), and passes over all other tags."""

    def __init__(self, uris: UriResolver, first: int, usual_seconds: Callable[[], float]) -> None:
        """Begin with the media sequence number `first`.

        A segment without a usable duration gets what `usual_seconds` returns, since its media exists all the same.
        """
        self.is_delta_update = False
        """Whether a tag has said so."""
        self.recorded: float | None = None
        """When the first segment was recorded, in seconds since 1970, if a tag has said so."""
        self._has_date = False
        self._uris = uris
        self._first = first
        self._usual_seconds = usual_seconds
        self._guess = 0.0
        self._keys: tuple[KeyTag, ...] = ()
        self._segments_at_last_key = -1
        self._map: MapTag | None = None
        self._ends: dict[str, int] = {}
        self._segments: list[MediaSegment] = []
        self._forget_segment_tags()

    def parse(self, lines: list[str]) -> tuple[MediaSegment, ...]:
        """Return the segments. Tags after the last URI belong to none.

        Raises:
            UnsupportedSourceError: a key, a byte range or an address is broken, or a duration is missing and cannot be guessed.
        """
        for line in lines:
            if line[0] != "#":
                self._segments.append(self._segment(line))
                self._forget_segment_tags()
                continue
            name, _, value = line.partition(":")
            if (read := _TAGS.get(name)) is not None:
                read(self, value)
        return tuple(self._segments)

    def _forget_segment_tags(self) -> None:
        """Begin with the tags that apply to one segment only."""
        self._seconds: float | None = None
        self._byte_range: tuple[int, int | None] | None = None
        self._discontinuity = self._gap = False

    def _segment(self, uri: str) -> MediaSegment:
        url, guessed = self._uris.resolve(uri), self._seconds is None
        part = self._range(url)
        if guessed:
            self._seconds = self._guess = self._guess or self._usual_seconds()
        return MediaSegment(
            url=url,
            seconds=self._seconds or 0.0,
            sequence=self._first + len(self._segments),
            discontinuity=self._discontinuity,
            # A range of zero bytes has nothing to fetch, like a gap.
            gap=self._gap or (part is not None and not part.length),
            range=part,
            keys=self._keys,
            map=self._map,
            guessed=guessed,
        )

    def _range(self, url: str) -> ByteRange | None:
        """Return the byte range of the tag; one without an offset continues the previous one of the same address."""
        if self._byte_range is None:
            return None
        length, offset = self._byte_range
        part = ByteRange(self._ends.get(url, 0) if offset is None else offset, length)
        self._ends[url] = part.start + length
        return part

    def _read_duration(self, value: str) -> None:
        """Keep a duration that can be used; the title does not matter."""
        seconds = normalization.duration(value)
        self._seconds = self._seconds if seconds is None else seconds

    def _read_byte_range(self, value: str) -> None:
        self._byte_range = normalization.byte_range(value)

    def _read_discontinuity(self, _value: str) -> None:
        self._discontinuity = True

    def _read_gap(self, _value: str) -> None:
        self._gap = True

    def _read_skip(self, _value: str) -> None:
        self.is_delta_update = True

    def _read_date(self, value: str) -> None:
        """Keep the first date (RFC 8216, 4.3.2.6), less the durations of the segments before it."""
        if not self._has_date and (date := normalization.date(value)) is not None:
            self._has_date = True
            begun = date - math.fsum(segment.seconds for segment in self._segments)
            self.recorded = begun if begun >= 0 else None

    def _read_key(self, value: str) -> None:
        """Let a key replace that of the same format.

        Tags without a segment between them are alternatives. After a segment, a tag with another method means that the
        following segments are encrypted in another way, so the earlier keys no longer apply.
        """
        tag = normalization.attributes(value)
        same_place = len(self._segments) == self._segments_at_last_key
        self._segments_at_last_key = len(self._segments)
        method = tag.get("METHOD", "").upper()
        if method == "NONE":
            self._keys = ()
            return
        key = KeyTag(method, self._address(tag), tag.get("IV"), tag.get("KEYFORMAT", "identity").lower())
        others = [old for old in self._keys if old.format != key.format and (same_place or old.method == method)]
        if len(others) >= MAX_KEYS:
            raise UnsupportedSourceError(f"The playlist has more than {MAX_KEYS} keys for the same segment.")
        self._keys = (*others, key)

    def _read_map(self, value: str) -> None:
        tag = normalization.attributes(value)
        url, part = self._address(tag), None
        if "BYTERANGE" in tag:
            length, offset = normalization.byte_range(tag["BYTERANGE"])
            part = ByteRange(offset or 0, length)
            if url is not None:
                # The first range has no previous one to continue; at the file's beginning it would be the initialization section again.
                self._ends.setdefault(url, part.start + length)
        self._map = MapTag(url, part, self._keys)

    def _address(self, tag: Mapping[str, str]) -> str | None:
        return self._uris.resolve(tag["URI"]) if tag.get("URI") else None


_TAGS: dict[str, Callable[[SegmentParser, str], None]] = {
    "#EXTINF": SegmentParser._read_duration,  # noqa: SLF001  # the table of its own methods
    "#EXT-X-BYTERANGE": SegmentParser._read_byte_range,  # noqa: SLF001
    "#EXT-X-DISCONTINUITY": SegmentParser._read_discontinuity,  # noqa: SLF001
    "#EXT-X-GAP": SegmentParser._read_gap,  # noqa: SLF001
    "#EXT-X-KEY": SegmentParser._read_key,  # noqa: SLF001
    "#EXT-X-MAP": SegmentParser._read_map,  # noqa: SLF001
    "#EXT-X-PROGRAM-DATE-TIME": SegmentParser._read_date,  # noqa: SLF001
    "#EXT-X-SKIP": SegmentParser._read_skip,  # noqa: SLF001
}
TAGS = frozenset(_TAGS)
"""The tags that are read."""
