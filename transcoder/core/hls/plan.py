"""What is to be fetched, in which order: periods of tracks of segments."""

from dataclasses import dataclass, replace

from transcoder.core.media.streams import TrackKind
from transcoder.core.request.output_format import COPY_EVERYTHING, OutputFormat


@dataclass(frozen=True, slots=True)
class ByteRange:
    """A sub-range of a resource (RFC 8216, 4.3.2.2)."""

    start: int
    length: int


@dataclass(frozen=True, slots=True)
class Key:
    """How a segment is encrypted (RFC 8216, 4.3.2.4): AES-128 in CBC with PKCS #7 padding over the whole segment."""

    url: str
    iv: bytes
    """16 bytes: as the tag gives it, or the media sequence number."""


@dataclass(frozen=True, slots=True)
class Init:
    """A Media Initialization Section (RFC 8216, 4.3.2.5)."""

    url: str
    range: ByteRange | None
    key: Key | None


@dataclass(frozen=True, slots=True)
class Segment:
    """One media segment that exists: gaps are left out of a plan, their time is kept in `at`."""

    url: str
    seconds: float
    """EXTINF."""
    at: float
    """Where it begins in its track's period: the sum of EXTINF before it, gaps included; 0 is where the period's first media begins."""
    range: ByteRange | None
    key: Key | None
    init: Init | None


@dataclass(frozen=True, slots=True)
class Track:
    """A run of segments of one rendition on one timeline."""

    kind: TrackKind
    segments: tuple[Segment, ...]
    seconds: float
    """The sum of EXTINF, inner gaps included, leading and trailing ones not."""


@dataclass(frozen=True, slots=True)
class Period:
    """Tracks on one timeline with one set of initialization sections: what one ffmpeg is given."""

    tracks: tuple[Track, ...]


@dataclass(frozen=True, slots=True)
class Plan:
    """The whole job, as far as the playlists tell."""

    periods: tuple[Period, ...]
    target_seconds: float
    """The largest EXT-X-TARGETDURATION of the playlists used."""
    estimated_bytes: int | None
    output_format: OutputFormat = COPY_EVERYTHING
    """What is made of it."""

    def listed(self, kind: TrackKind) -> list[tuple[int, Segment]]:
        """List all segments of one kind with the index of their period; here `at` counts from the film's begin, as if EXTINF were exact."""
        found, begin = [], 0.0
        for index, period in enumerate(self.periods):
            tracks = [track for track in period.tracks if track.kind is kind]
            found += [(index, replace(segment, at=begin + segment.at)) for track in tracks for segment in track.segments]
            begin += max(track.seconds for track in period.tracks)
        return found
