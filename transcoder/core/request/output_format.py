"""The output format: file type, clip, and whether each stream is copied or re-encoded."""

from enum import Enum
from typing import NamedTuple

from transcoder.core.media.streams import Medium, Stream

MP3_BITS_PER_SECOND = 192_000
"""Constant, so that a player can compute the duration from the number of bytes when nothing else gives it."""

MP3_CHANNELS = 2
"""What is encoded as MP3 has these; what is copied has its own."""
USUAL_SAMPLE_RATE = 48_000
"""Audio whose sampling rate is not known is taken to have this one."""
MP4_VIDEO_CODECS = frozenset({"h264", "hevc", "av1", "vp9"})
MP4_AUDIO_CODECS = frozenset({"aac", "mp3", "ac3", "eac3", "opus", "flac"})
"""What goes into an MP4 as it is, by ffmpeg's names."""
DECODABLE = (
    MP4_VIDEO_CODECS
    | {"mpeg1video", "mpeg2video", "mpeg4", "vp8", "vc1"}
    | MP4_AUDIO_CODECS
    | {"mp1", "mp2", "aac_latm", "alac", "dts", "truehd", "vorbis", "s302m", "pcm"}
)
"""What ffmpeg can decode, and so re-encode."""
_AUDIO_ENCODERS = {"aac": "aac", "mp3": "libmp3lame", "ac3": "ac3", "eac3": "eac3", "opus": "libopus", "flac": "flac"}
ENCODER_CODECS = {"libx264": "h264"} | {encoder: codec for codec, encoder in _AUDIO_ENCODERS.items()}
"""The codec that each of ffmpeg's encoders produces."""
_LAYOUTS = {1: "mono", 2: "stereo", 3: "3.0", 4: "4.0", 5: "5.0", 6: "5.1"}
"""Numbers of channels that audio is encoded with, and ffmpeg's names for those channels: the configurations of AAC."""
_OPUS_LAYOUTS = _LAYOUTS | {4: "quad"}


class FileFormat(Enum):
    """The type of the output file; the value is its file name extension, but for FILE."""

    MP4 = "mp4"
    M4A = "m4a"
    MP3 = "mp3"
    FILE = "file"
    """No output is made: the source is a file, which is passed through as it is."""

    @property
    def content_type(self) -> str:
        """Its media type (RFC 4337, RFC 3003), if an output is made."""
        return {"mp4": "video/mp4", "m4a": "audio/mp4", "mp3": "audio/mpeg"}[self.value]


class Layout(Enum):
    """Where an MP4 lists its samples."""

    AUTO = "auto"
    """`plain` where a few requests to the origin suffice for that, and else `fragmented`; the source alone decides."""
    PLAIN = "plain"
    """In its `moov`: the length is known before the first byte, and any range can be sent."""
    FRAGMENTED = "fragmented"
    """In fragments: it is streamed while it is made."""


class Deliver(Enum):
    """How the output gets to the client."""

    AUTO = "auto"
    """`stream` what a response can have; where the service has a bucket, `/events` makes what is larger as `s3` does."""
    STREAM = "stream"
    """In the response."""
    S3 = "s3"
    """As a plain MP4 in the bucket of the service, to which the response redirects."""


class VideoMode(Enum):
    """How the video gets into the output."""

    COPY = "copy"
    H264 = "h264"
    """It is re-encoded as H.264 if it has another codec."""


class AudioMode(Enum):
    """How the audio gets into an MP4."""

    AUTO = "auto"
    """It is re-encoded where it could not be in the output otherwise: as AAC where MP4 cannot hold its codec, and in the format of what
    came before where it differs from that."""
    COPY = "copy"
    """It is never re-encoded; what could not be in the output as it is is refused."""


class Clip(NamedTuple):
    """The requested part of the segments that a plan lists."""

    start: float | None
    """Seconds after the plan's first video segment begins, or its first audio segment if it has no video; None: at its beginning."""
    seconds: float | None
    """Its duration; None: up to the end of the source."""
    exact: bool = False
    """Video and audio are re-encoded, so that the output begins at `start` and not at the key frame before it."""


class TimeWindow(NamedTuple):
    """The part of one period that goes into the output, in seconds on the period's own timeline; None is no limit."""

    start: float | None = None
    end: float | None = None

    def overlap(self, start: float, end: float) -> float:
        """Return how many seconds between two times are within the window."""
        return max(0.0, min(end, end if self.end is None else self.end) - max(start, start if self.start is None else self.start))


WHOLE_PERIOD = TimeWindow()


class OutputFormat(NamedTuple):
    """What to make of the fetched media."""

    format: FileFormat = FileFormat.MP4
    video_mode: VideoMode = VideoMode.COPY
    clip: Clip | None = None
    audio_mode: AudioMode = AudioMode.AUTO
    joined_to: Stream | None = None
    """The audio of the output so far, whose format all of its audio must have; None: it has none yet."""

    def encoder(self, stream: Stream) -> str | None:
        """Return the name of ffmpeg's encoder for this stream; None if it is copied."""
        exact = self.clip is not None and self.clip.exact
        if stream.medium is Medium.VIDEO:
            return "libx264" if exact or (self.video_mode is VideoMode.H264 and stream.codec != "h264") else None
        differs = self.audio_mode is AudioMode.AUTO and self.joined_to is not None and not stream.has_format_of(self.joined_to)
        if self.format is FileFormat.MP3:
            # An MP3 frame may use data from earlier frames (the bit reservoir), so a copied clip would not begin cleanly.
            return None if stream.codec == "mp3" and self.clip is None and not differs else "libmp3lame"
        if exact or (self.format is FileFormat.M4A and stream.codec != "aac"):
            return "aac"
        if differs and self.joined_to and can_encode_as(self.joined_to):
            return audio_encoder(self.joined_to)
        return "aac" if self.audio_mode is AudioMode.AUTO and stream.codec not in MP4_AUDIO_CODECS else None

    def after(self, audio: Stream | None) -> "OutputFormat":
        """Return the same for a period whose audio goes on after `audio` of the output; None if it has none so far."""
        return self._replace(joined_to=audio)


def audio_encoder(audio: Stream) -> str:
    """Return the name of ffmpeg's encoder for that audio, one of `MP4_AUDIO_CODECS`."""
    return _AUDIO_ENCODERS[audio.codec]


def audio_layout(encoder: str, channels: int | None) -> str | None:
    """Return ffmpeg's name for the channels that an encoder encodes as so many; None if it is not used for that number."""
    return (_OPUS_LAYOUTS if encoder == _AUDIO_ENCODERS["opus"] else _LAYOUTS).get(channels or 0)


def can_encode_as(audio: Stream) -> bool:
    """Return whether other audio, or silence, can be encoded in the format of that audio.

    FLAC has more in its format than a stream says: the bits of its samples, and how many are in a frame.
    """
    return audio.codec in _AUDIO_ENCODERS and audio.codec != "flac" and audio.channels in _LAYOUTS and bool(audio.sample_rate)


COPY_EVERYTHING = OutputFormat()
