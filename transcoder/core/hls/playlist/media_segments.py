"""Makes the segments of a Media Playlist of its lines, with the m3u8 package."""

from collections.abc import Iterator, Mapping
from typing import Any

import m3u8

from transcoder.core.hls.plan import ByteRange
from transcoder.core.hls.playlist import normalization
from transcoder.core.hls.playlist.model import KeyTag, MapTag, MediaSegment
from transcoder.core.hls.playlist.uris import UriResolver
from transcoder.errors import UnsupportedSourceError

MAX_KEYS = 32
"""A playlist with more keys in force at once, each of another format, is refused."""
_BATCH_SEGMENTS = 5000
_TAGS = frozenset({"#EXTINF", "#EXT-X-KEY", "#EXT-X-MAP", "#EXT-X-SKIP"})
"""Those that are not left to the package."""


class SegmentParser:
    """Parses the lines of the segments, as `normalization.media_lines` gives them."""

    def __init__(self, uris: UriResolver, first: int) -> None:
        """Begin with the media sequence number `first`."""
        self._tags = _TagParser(uris)
        self._builder = _SegmentBuilder(uris, first)

    @property
    def is_delta_update(self) -> bool:
        """Whether there was a tag that says so."""
        return self._tags.is_delta_update

    def parse(self, lines: list[str]) -> tuple[MediaSegment, ...]:
        """Return the segments. The package makes a large dictionary of each, so it gets some of them at a time.

        Raises:
            UnsupportedSourceError: a key, a byte range or an address is broken.
        """
        for batch in _batches(lines):
            self._tags.begin_batch(len(self._builder.segments))
            self._builder.add(m3u8.parse("\n".join(batch), custom_tags_parser=self._tags)["segments"])
        return tuple(self._builder.segments)


def _batches(lines: list[str]) -> Iterator[list[str]]:
    """Cut the lines of a Media Playlist behind URIs."""
    start = uris = 0
    for end, line in enumerate(lines, 1):
        uris += line[0] != "#"
        if uris == _BATCH_SEGMENTS:
            yield lines[start:end]
            start, uris = end, 0
    yield lines[start:]


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
        if name == "#EXTINF":  # the package would do the same after it has compared the line with all other tags
            seconds, _, title = value.partition(",")
            state.setdefault("segment", {}).update(duration=float(seconds), title=title)
            state["expect_segment"] = True
        elif name == "#EXT-X-KEY":
            self._keys = self._add_key(normalization.attributes(value), self._earlier_segments + len(document["segments"]))
        elif name == "#EXT-X-MAP":
            self._section = self._map(normalization.attributes(value))
        elif name == "#EXT-X-SKIP":
            self.is_delta_update = True
        state["current_key"], state["current_segment_map"] = self._keys, self._section
        return name in _TAGS

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
        url = self._uris.resolve(entry["uri"])
        part = self._range(entry, url)
        return MediaSegment(
            url=url,
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

    def _range(self, entry: dict[str, Any], url: str) -> ByteRange | None:
        section: MapTag | None = entry.get("init_section")
        if section is not None and section.range is not None and section.url is not None:
            # The first range has no previous one to continue; at the file's beginning it would be the initialization section again.
            self._ends.setdefault(section.url, section.range.start + section.range.length)
        if "byterange" not in entry:
            return None
        length, offset = normalization.byte_range(entry["byterange"])
        part = ByteRange(self._ends.get(url, 0) if offset is None else offset, length)
        self._ends[url] = part.start + length
        return part
