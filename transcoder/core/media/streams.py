"""What segments hold, told from their bytes: container, codecs, first timestamps."""

from dataclasses import dataclass, replace
from enum import Enum


class Container(Enum):
    """How a segment packs its media; the value is ffmpeg's name of the demuxer."""

    MPEGTS = "mpegts"
    FMP4 = "mov"
    MP4 = "mp4"
    """An ordinary file, not fragmented."""
    ADTS = "aac"
    MP3 = "mp3"
    AC3 = "ac3"
    EAC3 = "eac3"


class Medium(Enum):
    """Picture or sound."""

    VIDEO = "video"
    AUDIO = "audio"


class TrackKind(Enum):
    """What a track brings into the output: one medium, or everything its segments hold."""

    VIDEO = "video"
    AUDIO = "audio"
    BOTH = "both"

    @property
    def media(self) -> tuple[Medium, ...]:
        """Which media those are."""
        return {TrackKind.VIDEO: (Medium.VIDEO,), TrackKind.AUDIO: (Medium.AUDIO,), TrackKind.BOTH: tuple(Medium)}[self]


@dataclass(frozen=True, slots=True)
class Stream:
    """One elementary stream that can go into an MP4."""

    medium: Medium
    codec: str
    """ffmpeg's name: h264, hevc, av1, vp9, aac, mp3, ac3, eac3, opus, flac; anything else is what MP4 cannot hold."""
    id: int
    """PID in a transport stream, track_ID in an MP4, 0 in packed audio."""
    start: float | None
    """First presentation time in seconds on the source's own timeline; None where the segment's head does not tell."""
    sample_rate: int | None = None
    channels: int | None = None
    late: float = 0.0
    """By how many seconds ffmpeg presents an MP4's pictures too late, `start` included: it adds the largest negative composition offset."""


@dataclass(frozen=True, slots=True)
class Probe:
    """What the head of a segment tells."""

    container: Container
    streams: tuple[Stream, ...]
    """Picture and sound only, in the order of the program map or the moov; other streams are left out."""
    skip: int = 0
    """How many bytes at the segment's head are no media: a picture put before a transport stream, or ID3 tags."""

    def first(self, medium: Medium) -> Stream | None:
        """Return the first stream of that medium: the one that goes into the film."""
        return next((stream for stream in self.streams if stream.medium is medium), None)

    @property
    def waits(self) -> bool:
        """Whether a picture or a sound is announced that has not begun."""
        firsts = [self.first(medium) for medium in Medium]
        return any(stream is not None and stream.start is None for stream in firsts)

    def completed(self, later: "Probe") -> "Probe":
        """Return the same with what a later segment tells of the streams that have not begun in this one."""
        known = {(stream.medium, stream.id): stream for stream in later.streams}
        found = (known.get((stream.medium, stream.id), stream) if stream.start is None else stream for stream in self.streams)
        return replace(self, streams=tuple(found))
