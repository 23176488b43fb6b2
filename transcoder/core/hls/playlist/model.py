"""The contents of playlists, as values (RFC 8216)."""

import math
from collections.abc import Mapping
from types import MappingProxyType
from typing import NamedTuple

from transcoder.core.hls.plan import ByteRange
from transcoder.core.hls.playlist.text_end import TextEnd


class Variant(NamedTuple):
    """One variant stream (EXT-X-STREAM-INF; RFC 8216, 4.3.4.2)."""

    url: str
    bandwidth: int
    """Peak bits per second, including the audio of its group; 0 if the tag does not give it."""
    average_bandwidth: int | None
    resolution: tuple[int, int] | None
    """Width and height in pixels."""
    frame_rate: float | None
    codecs: tuple[str, ...]
    """As in RFC 6381; empty if the tag does not give them."""
    audio_group: str | None
    subtitles_group: str | None
    name: str | None
    level: int = 0
    """How many Multivariant Playlists name each other below the first one, down to that which lists it."""
    is_resolution_shared: bool = False
    """Its RESOLUTION is that of the variant whose playlist lists it, and others are listed there, too: it may be that of another one."""

    @property
    def short_side(self) -> int | None:
        """The smaller of width and height in pixels: what people call 720p, in portrait or landscape."""
        return min(self.resolution) if self.resolution else None


class Rendition(NamedTuple):
    """One alternative of a group (EXT-X-MEDIA; RFC 8216, 4.3.4.1)."""

    kind: str
    """AUDIO, VIDEO, SUBTITLES or CLOSED-CAPTIONS."""
    group: str
    name: str
    language: str | None
    default: bool
    autoselect: bool
    forced: bool
    url: str | None
    """None: its media is in the variants' own segments."""
    channels: int | None
    characteristics: str
    """Uniform type identifiers, separated by commas; empty for the ordinary rendition."""
    level: int = 0
    """As that of a variant."""


class MultivariantPlaylist(NamedTuple):
    """The variants and renditions of a Multivariant Playlist; I-frame variants are left out."""

    url: str
    variants: tuple[Variant, ...]
    renditions: tuple[Rendition, ...]
    variables: Mapping[str, str] = MappingProxyType({})
    """The variables that EXT-X-DEFINE defines; Media Playlists may import them."""
    text_end: TextEnd = TextEnd.WHOLE
    nested: int = 0
    """How many other Multivariant Playlists its variants and renditions come from."""


class KeyTag(NamedTuple):
    """One EXT-X-KEY as it is written (RFC 8216, 4.3.2.4); planning decides whether it can be used."""

    method: str
    url: str | None
    iv: str | None
    format: str


class MapTag(NamedTuple):
    """One EXT-X-MAP (RFC 8216, 4.3.2.5), and the keys in force at its place."""

    url: str | None
    range: ByteRange | None
    keys: tuple[KeyTag, ...]


class MediaSegment(NamedTuple):
    """One segment of a Media Playlist; it may be a gap."""

    url: str
    seconds: float
    """EXTINF."""
    sequence: int
    """Its media sequence number."""
    discontinuity: bool
    gap: bool
    range: ByteRange | None
    keys: tuple[KeyTag, ...]
    """The keys in force, any one of which decrypts the segment; empty if it is not encrypted."""
    map: MapTag | None
    guessed: bool = False
    """EXTINF has no duration, and `seconds` is a guess."""


class MediaPlaylist(NamedTuple):
    """One Media Playlist."""

    url: str
    segments: tuple[MediaSegment, ...]
    target_seconds: int
    ended: bool
    """It has EXT-X-ENDLIST."""
    kind: str | None
    """VOD, EVENT or None."""
    stills_only: bool
    """Its segments are single I-frames or images, for scrubbing."""
    is_delta_update: bool
    """It is a Playlist Delta Update: some of its segments are left out."""
    discontinuity_sequence: int
    rounding: float = 0.5
    """By how many seconds each EXTINF may be rounded, by the decimal places with which they are written."""
    text_end: TextEnd = TextEnd.WHOLE
    recorded: float | None = None
    """When its first segment was recorded, in seconds since 1970, by its first EXT-X-PROGRAM-DATE-TIME."""

    @property
    def seconds(self) -> float:
        """The sum of EXTINF, gaps included."""
        return math.fsum(segment.seconds for segment in self.segments)

    @property
    def guessed_seconds(self) -> float:
        """By how much `seconds` may be wrong because some durations are guessed."""
        return math.fsum(self.rounding_of(segment) for segment in self.segments if segment.guessed)

    def rounding_of(self, segment: MediaSegment) -> float:
        """By how many seconds the duration of a segment may be wrong: a guess by all of it, or by the target duration."""
        return max(segment.seconds, float(self.target_seconds)) if segment.guessed else self.rounding
