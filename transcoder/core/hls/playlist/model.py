"""What playlists say, as values (RFC 8216)."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from transcoder.core.hls.plan import ByteRange


@dataclass(frozen=True, slots=True)
class Variant:
    """One variant stream (EXT-X-STREAM-INF; RFC 8216, 4.3.4.2)."""

    url: str
    bandwidth: int
    """Bits per second at most, the sound of its audio group included; 0 where the tag does not tell."""
    average_bandwidth: int | None
    resolution: tuple[int, int] | None
    """Width and height in pixels."""
    frame_rate: float | None
    codecs: tuple[str, ...]
    """As in RFC 6381; empty where the tag does not tell."""
    audio_group: str | None
    subtitles_group: str | None
    name: str | None

    @property
    def short_side(self) -> int | None:
        """The smaller of width and height in pixels, which is what people call 720p, upright or not."""
        return min(self.resolution) if self.resolution else None


@dataclass(frozen=True, slots=True)
class Rendition:
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


@dataclass(frozen=True, slots=True)
class Multivariant:
    """What a Multivariant Playlist offers; I-frame variants are left out."""

    url: str
    variants: tuple[Variant, ...]
    renditions: tuple[Rendition, ...]
    variables: Mapping[str, str] = field(default_factory=dict)
    """What EXT-X-DEFINE gave: the Media Playlists may import it."""


@dataclass(frozen=True, slots=True)
class KeyTag:
    """One EXT-X-KEY as it was written (RFC 8216, 4.3.2.4); whether it can be used is planning's business."""

    method: str
    url: str | None
    iv: str | None
    format: str


@dataclass(frozen=True, slots=True)
class MapTag:
    """One EXT-X-MAP (RFC 8216, 4.3.2.5), and the keys in force where it stands."""

    url: str | None
    range: ByteRange | None
    keys: tuple[KeyTag, ...]


@dataclass(frozen=True, slots=True)
class MediaSegment:
    """One segment of a Media Playlist, gaps included."""

    url: str
    seconds: float
    """EXTINF."""
    sequence: int
    """Its media sequence number."""
    discontinuity: bool
    gap: bool
    range: ByteRange | None
    keys: tuple[KeyTag, ...]
    """The keys in force: one of them is enough; empty: not encrypted."""
    map: MapTag | None


@dataclass(frozen=True, slots=True)
class Media:
    """One Media Playlist."""

    url: str
    segments: tuple[MediaSegment, ...]
    target_seconds: int
    ended: bool
    """EXT-X-ENDLIST stands in it."""
    kind: str | None
    """VOD, EVENT or None."""
    stills_only: bool
    """Its segments are single I-frames or images, for scrubbing."""
    skips: bool
    """It is a Playlist Delta Update: some of its segments are left out."""
    discontinuity_sequence: int

    @property
    def encrypted(self) -> bool:
        """Tell whether any segment that exists is encrypted, in whatever way."""
        return any(segment.keys and not segment.gap for segment in self.segments)
