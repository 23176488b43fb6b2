"""The plan says what is fetched, and in which order: it has periods, which have tracks, which have segments.

What there may be fifty thousand of is a NamedTuple: a frozen dataclass takes several times as long to make and to hash.
"""

import math
from itertools import accumulate
from typing import NamedTuple

from transcoder.core.media.streams import TrackKind
from transcoder.core.request.output_format import COPY_EVERYTHING, OutputFormat


class ByteRange(NamedTuple):
    """A sub-range of a resource (RFC 8216, 4.3.2.2)."""

    start: int
    length: int


class Key(NamedTuple):
    """How a segment is encrypted (RFC 8216, 4.3.2.4): AES-128 in CBC mode with PKCS #7 padding over the whole segment."""

    url: str
    iv: bytes
    """16 bytes: the tag's IV, or the media sequence number."""


class Init(NamedTuple):
    """A Media Initialization Section (RFC 8216, 4.3.2.5)."""

    url: str
    range: ByteRange | None
    key: Key | None


class Segment(NamedTuple):
    """One media segment to fetch. Gaps are not in a plan; `at` accounts for their time."""

    url: str
    seconds: float
    """EXTINF."""
    at: float
    """When it begins within its track's period: the sum of EXTINF before it, gaps included. 0 is where the period's first media begins."""
    range: ByteRange | None
    key: Key | None
    init: Init | None
    rounding: float = 0.0
    """By how many seconds `seconds` may be rounded."""
    left_out: int = 0
    """How many segments the playlist seems to leave out before it, by its names and byte ranges."""
    guessed: bool = False
    """EXTINF has no duration: `seconds` is a guess, and `rounding` as large or larger."""

    @property
    def guessed_seconds(self) -> float:
        """By how much `seconds` may be wrong because it is a guess."""
        return self.rounding if self.guessed else 0.0


class Track(NamedTuple):
    """The segments of one rendition in one period."""

    kind: TrackKind
    segments: tuple[Segment, ...]
    seconds: float
    """The sum of EXTINF, including gaps between segments but not leading and trailing ones."""
    shares_segments: bool = False
    """Its segments are listed for the other medium, too, which is not wanted."""

    @property
    def guessed_seconds(self) -> float:
        """By how much `seconds` may be wrong because some durations are guessed."""
        return math.fsum(segment.guessed_seconds for segment in self.segments)


class Period(NamedTuple):
    """Tracks on one timeline with one set of initialization sections: the input of one ffmpeg process."""

    tracks: tuple[Track, ...]

    @property
    def seconds(self) -> float:
        """The duration of its longest track."""
        return max(track.seconds for track in self.tracks)

    @property
    def main_track(self) -> Track:
        """The track that has the video, or the audio if there is no video."""
        return min(self.tracks, key=lambda track: track.kind is TrackKind.AUDIO)


class Plan(NamedTuple):
    """Everything to fetch, in order, and what to make of it."""

    periods: tuple[Period, ...]
    target_seconds: float
    """The largest EXT-X-TARGETDURATION of the playlists used."""
    estimated_bytes: int | None
    output_format: OutputFormat = COPY_EVERYTHING
    names_audio: bool = False
    """The variant names an audio group: its output must have audio."""
    resolution: tuple[int, int] | None = None
    """The variant's RESOLUTION; None if it has none."""
    other_resolutions: frozenset[tuple[int, int]] = frozenset()
    """Those of the other variants."""
    recorded: float | None = None
    """When its first segment was recorded, in seconds since 1970, if the playlist says so."""

    @property
    def seconds(self) -> float:
        """The duration of all periods by EXTINF."""
        return self.period_times()[-1]

    @property
    def output_seconds(self) -> float:
        """The duration of the output by EXTINF."""
        clip = self.output_format.clip
        if clip is None:
            return self.seconds
        if clip.seconds is not None:
            return clip.seconds
        # More of the audio is fetched than of the video, and the clip's start is relative to the video.
        return math.fsum(period.main_track.seconds for period in self.periods) - (clip.start or 0.0)

    def period_times(self) -> list[float]:
        """Return when each period begins and when the last one ends, in seconds by EXTINF."""
        return list(accumulate((period.seconds for period in self.periods), initial=0.0))

    def segments_of(self, kind: TrackKind) -> list[tuple[int, Segment]]:
        """Return all segments of one kind, each with the index of its period; their `at` is relative to the beginning of the plan."""
        found = []
        for index, (period, start) in enumerate(zip(self.periods, self.period_times(), strict=False)):
            tracks = [track for track in period.tracks if track.kind is kind]
            listed = [segment for track in tracks for segment in track.segments]
            found += [(index, segment._replace(at=start + segment.at) if start else segment) for segment in listed]
        return found
