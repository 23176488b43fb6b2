"""The result of probing a segment: its container, its streams with their codecs, and the first timestamp of each."""

from enum import Enum
from typing import NamedTuple


class Container(Enum):
    """The container of a segment; the value is the name of ffmpeg's demuxer for it."""

    MPEGTS = "mpegts"
    FMP4 = "mov"
    MP4 = "mp4"
    """A plain MP4, not fragmented."""
    ADTS = "aac"
    MP3 = "mp3"
    AC3 = "ac3"
    EAC3 = "eac3"

    @property
    def is_packed_audio(self) -> bool:
        """Whether it has nothing but audio frames and tags."""
        return self in {Container.ADTS, Container.MP3, Container.AC3, Container.EAC3}


class Medium(Enum):
    """Video or audio."""

    __hash__ = object.__hash__  # in C: tables by medium are read for every fragment and packet
    VIDEO = "video"
    AUDIO = "audio"


class TrackKind(Enum):
    """The media that a track contributes to the output: only one of them, or both."""

    VIDEO = "video"
    AUDIO = "audio"
    BOTH = "both"

    @property
    def media(self) -> tuple[Medium, ...]:
        """The media of this kind, video first."""
        return {TrackKind.VIDEO: (Medium.VIDEO,), TrackKind.AUDIO: (Medium.AUDIO,), TrackKind.BOTH: tuple(Medium)}[self]


class Stream(NamedTuple):
    """One video or audio stream of a segment."""

    medium: Medium
    codec: str
    """ffmpeg's name: h264, hevc, av1, vp9, aac, mp3, ac3, eac3, opus or flac; a stream with any other codec cannot go into an MP4."""
    id: int
    """PID in a transport stream, track_ID in an MP4, 0 in packed audio."""
    start: float | None
    """First presentation time in seconds on the source's own timeline; None if the probed bytes do not contain it."""
    sample_rate: int | None = None
    channels: int | None = None
    picture_size: tuple[int, int] | None = None
    """Width and height in pixels by the sample entry of an MP4; None in any other container, and for audio."""
    sample_entry: str = ""
    """The type of the sample entry of an MP4 track: avc1, hvc1, dvh1 …; empty in any other container."""
    is_description: bool = False
    """It is marked as an audio description or a commentary, which comes beside the main audio."""
    is_headless: bool = False
    """The video of a transport stream begins without parameter sets, in the middle of a group of pictures."""
    lacks_parameter_sets: bool = False
    """The sample entry has no parameter sets; they are in the samples only."""
    decode_start: float | None = None
    """First decode time in seconds as written, where it is known."""

    def has_format_of(self, other: "Stream") -> bool:
        """Tell whether both can be in one track, as far as is known: they have the same codec, sampling rate and channels."""
        pairs = [(self.sample_rate, other.sample_rate), (self.channels, other.channels)]
        return self.codec == other.codec and all(mine == their for mine, their in pairs if mine and their)

    def of_format(self, codec: str, sample_rate: int, channels: int) -> "Stream":
        """Return this stream of audio with what a frame says of it; 0 stands for what it does not say."""
        return self._replace(codec=codec, sample_rate=sample_rate or None, channels=channels or None)


class Probe(NamedTuple):
    """The container and the streams of a segment, read from its first bytes."""

    container: Container
    streams: tuple[Stream, ...]
    """Video and audio streams only, in the order of the program map or the moov."""
    skip: int = 0
    """Number of bytes before the media: an image in front of a transport stream, or ID3 tags."""
    tables: bytes = b""
    """Program tables that belong in front of the segment, because those in it announce its streams later."""
    preferred: frozenset[int] = frozenset()
    """Ids of the streams that go into the output since an earlier segment."""

    def main(self, medium: Medium) -> Stream | None:
        """Return the stream of that medium that goes into the output; None if there is none.

        It is the first one that has begun and is no audio description, as far as there is a choice.
        """
        streams = [stream for stream in self.streams if stream.medium is medium]
        return min(streams, key=lambda each: (each.id not in self.preferred, each.start is None, each.is_description), default=None)

    def continuing(self, previous: "Probe") -> "Probe":
        """Return this probe of a segment after `previous`: the same streams go into the output as long as they are there."""
        return self._replace(preferred=frozenset(stream.id for medium in Medium if (stream := previous.main(medium))))

    def known_to_continue(self, previous: "Probe") -> "Probe | None":
        """Return this probe of a whole segment, made without the one before it, as one after `previous`.

        None if that may differ from a probe that knew `previous`: each stream of the output has to be there, and to have its format.
        """
        found = self.continuing(previous)

        def is_known(medium: Medium) -> bool:
            before, after = previous.main(medium), found.main(medium)
            if before is None or after is None:
                return before is after
            return before.id == after.id and after.start is not None and after.has_format_of(before)

        return found if self.container is previous.container and all(map(is_known, Medium)) else None

    @property
    def has_pending_stream(self) -> bool:
        """Whether video or audio is announced, but the start of none of its streams is known yet."""
        firsts = [self.main(medium) for medium in Medium]
        return any(stream is not None and stream.start is None for stream in firsts)

    def with_pausing(self, medium: Medium, previous: "Probe") -> "Probe":
        """Return this probe with the stream of that medium that the segment before has, if this one lists none: it may pause, and go on."""
        stream = previous.main(medium)
        if self.main(medium) or stream is None or self.container is not previous.container:
            return self
        return self._replace(streams=(*self.streams, stream._replace(start=None, decode_start=None)))

    def merged_with(self, later: "Probe") -> "Probe":
        """Return this probe with its pending streams replaced by the same streams of a later segment's probe."""
        known = {(stream.medium, stream.id): stream for stream in later.streams}
        found = (known.get((stream.medium, stream.id), stream) if stream.start is None else stream for stream in self.streams)
        return self._replace(streams=tuple(found))
