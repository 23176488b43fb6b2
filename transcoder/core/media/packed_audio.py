"""Packed audio segments: ADTS, MP3, AC-3 or E-AC-3 frames after an ID3 tag with the timestamp (RFC 8216, 3.4)."""

from collections.abc import Collection, Mapping

from transcoder.core.media.audio_frames import AudioFrameCounter
from transcoder.core.media.audio_headers import (
    HEADER_BYTES,
    FrameHeader,
    HeaderReader,
    read_ac3_header,
    read_adts_header,
    read_mpeg_audio_header,
)
from transcoder.core.media.packet_evidence import PacketEvidence
from transcoder.core.media.streams import Container, Medium, Probe, Stream
from transcoder.core.media.timestamps import CLOCK_HZ, unwrap
from transcoder.errors import DamagedMediaError, UnsupportedSourceError

_TAG_HEADER_BYTES = 10
_TAG_FOOTER_BYTES = 10
_TIMESTAMP_OWNER = b"com.apple.streaming.transportStreamTimestamp\0"
_TIMESTAMP_BYTES = 8
_ENCRYPTION_OWNER = b"com.apple.streaming.audioDescription\0"
"""Describes how to set up a decoder for encrypted samples (Apple, MPEG-2 Stream Encryption Format for HTTP Live Streaming)."""
_MAX_TAG_BYTES = 1024 * 1024
"""A longer tag is refused. Cover images are smaller than this."""
_CONTAINERS = {
    "aac": Container.ADTS,
    "mp1": Container.MP3,
    "mp2": Container.MP3,
    "mp3": Container.MP3,
    "ac3": Container.AC3,
    "eac3": Container.EAC3,
}
_READERS: tuple[HeaderReader, ...] = (read_adts_header, read_ac3_header, read_mpeg_audio_header)
_INDEX_MARK_BYTES = 200
"""A frame that contains an index instead of audio has its mark within this many bytes of its start."""


def tags_length(head: bytes, *, whole: bool = False) -> int | None:
    """Return the total length in bytes of the ID3v2 tags at the start of a segment (ID3v2.4, 3.1); None if more bytes are needed."""
    at = 0
    while True:
        if len(head) - at < _TAG_HEADER_BYTES:
            return None if not whole and b"ID3".startswith(head[at : at + 3]) else at
        if head[at : at + 3] != b"ID3":
            return at
        size = _syncsafe(head[at + 6 : at + 10]) + _TAG_HEADER_BYTES + (_TAG_FOOTER_BYTES if head[at + 5] & 0x10 else 0)
        if size > _MAX_TAG_BYTES:
            raise DamagedMediaError(f"A segment has an ID3 tag of {size} bytes. At most {_MAX_TAG_BYTES} bytes are supported.")
        at += size


def tag_timestamp(tags: bytes) -> float | None:
    """Return the timestamp in a segment's ID3 tags, in seconds; None if they contain none.

    Raises UnsupportedSourceError if the tags say that the samples are encrypted.
    """
    if _ENCRYPTION_OWNER in tags:
        raise UnsupportedSourceError("The source is protected: its samples are encrypted (SAMPLE-AES).")
    at = tags.find(_TIMESTAMP_OWNER)
    value = tags[at + len(_TIMESTAMP_OWNER) : at + len(_TIMESTAMP_OWNER) + _TIMESTAMP_BYTES] if at >= 0 else b""
    return (int.from_bytes(value, "big") & (2**33 - 1)) / CLOCK_HZ if len(value) == _TIMESTAMP_BYTES else None


def probe_packed_audio(head: bytes, *, whole: bool) -> Probe | None:
    """Return the container and the stream of the packed audio segment that begins with `head`; None if more bytes are needed.

    Raises UpstreamError if no audio frame follows the tags, UnsupportedSourceError if an MP4 cannot hold the codec.
    """
    skip = tags_length(head, whole=whole)
    if skip is None or (len(head) < skip + HEADER_BYTES and not whole):
        return None
    frame = _first_frame(head, skip)
    if frame is None:
        raise DamagedMediaError("A segment is not media: it contains no audio frame where packed audio must have its first.")
    container = _CONTAINERS.get(frame.codec)
    if container is None:
        raise UnsupportedSourceError(f"The source's audio codec is {frame.codec}. Packed audio must be AAC, MPEG audio, AC-3 or E-AC-3.")
    stream = Stream(Medium.AUDIO, frame.codec, 0, tag_timestamp(head[:skip]), frame.sample_rate, frame.channels)
    return Probe(container, (stream,), skip)


def _first_frame(head: bytes, at: int) -> FrameHeader | None:
    """Read the header at `at`. If the next one is within `head`, it must be a header too."""
    if len(head) < at + HEADER_BYTES:
        return None
    for read_header in _READERS:
        frame = read_header(head, at)
        if frame and (at + frame.length + HEADER_BYTES > len(head) or read_header(head, at + frame.length)):
            return frame
    return None


def packed_audio_ends(segment: bytes, probe: Probe) -> Mapping[Medium, float]:
    """Return the presentation end of a packed audio segment, in seconds; empty if its ID3 tags contain no timestamp.

    `segment` is the whole segment with its tags; `probe` is that of the track's first segment.
    """
    skip = tags_length(segment, whole=True) or 0
    start = tag_timestamp(segment[:skip])
    stream = probe.main(Medium.AUDIO)
    if start is None or stream is None:
        return {}
    frames = AudioFrameCounter(_header_reader(probe.container))
    frames.feed(segment[skip:])
    return {Medium.AUDIO: unwrap(start, stream.start if stream.start is not None else start) + frames.seconds}


def _header_reader(container: Container) -> HeaderReader:
    return {Container.ADTS: read_adts_header, Container.MP3: read_mpeg_audio_header}.get(container, read_ac3_header)


class PackedAudioInspector:
    """An `Inspector` of packed audio segments: frame must follow frame. Removes the ID3 tags."""

    def __init__(self, probe: Probe) -> None:
        """Expect the codec of `probe`, which is that of the first segment."""
        self._container = probe.container
        self._frames = AudioFrameCounter(_header_reader(probe.container))
        stream = probe.main(Medium.AUDIO)
        self._timestamp = stream.start if stream else None
        """The latest timestamp, unwrapped; the counter's seconds are measured from it."""
        self._held = b""
        self._in_tags = True
        self._start: float | None = None
        self._count_before = 0
        self._index_frames = 0
        self._is_first_segment = True

    @property
    def samples(self) -> Mapping[Medium, int]:
        """Number of audio frames so far. A first frame that is only an index is left out, as ffmpeg does."""
        return {Medium.AUDIO: self._frames.count - self._index_frames}

    @property
    def units(self) -> Collection[int]:
        """None: frames have no timestamps."""
        return ()

    @property
    def last_decode_times(self) -> Mapping[Medium, float]:
        """Decode time of the last sample so far, in seconds, where it is known."""
        durations = self.sample_seconds
        return {medium: end - durations[medium] for medium, end in self.ends.items() if medium in durations}

    @property
    def sample_seconds(self) -> Mapping[Medium, float]:
        """Duration of the last frame in seconds, once there is one."""
        return {} if self._frames.frame_seconds is None else {Medium.AUDIO: self._frames.frame_seconds}

    @property
    def undecodable(self) -> Mapping[Medium, int]:
        """None is known."""
        return {}

    @property
    def starts(self) -> Mapping[Medium, float]:
        """The timestamp in this segment's ID3 tags, in seconds as written (33 bits); empty if there is none."""
        return {} if self._start is None else {Medium.AUDIO: self._start}

    @property
    def ends(self) -> Mapping[Medium, float]:
        """Latest presentation end so far in seconds: the last timestamp plus the frames since; empty if there was no timestamp."""
        return {} if self._timestamp is None else {Medium.AUDIO: self._timestamp + self._frames.seconds}

    @property
    def decode_spans(self) -> Mapping[Medium, tuple[float, float]]:
        """None are known."""
        return {}

    @property
    def packets(self) -> PacketEvidence:
        """Nothing: there are none."""
        return PacketEvidence()

    def begin(self) -> None:
        """Begin a segment."""
        self._held, self._in_tags, self._start = b"", True, None
        self._count_before = self._frames.count

    def feed(self, piece: bytes) -> bytes:
        """Take the next bytes of the segment and return the bytes to pass on to ffmpeg: all but the tags.

        Raises:
            UpstreamError: a frame is not followed by another one, or a tag is too long.
            UnsupportedSourceError: the sampling rate changes, or the samples are encrypted.

        """
        if not self._in_tags:
            self._frames.feed(piece)
            return piece
        self._held += piece
        skip = tags_length(self._held)
        if skip is None or len(self._held) < skip + _INDEX_MARK_BYTES:
            return b""
        return self._begin_audio(skip)

    def end(self) -> bytes:
        """End the segment and return the bytes held back. Raises UpstreamError if it ends inside a frame or contains no frame."""
        rest = self._begin_audio(tags_length(self._held, whole=True) or 0) if self._in_tags else b""
        if not self._frames.close_segment():
            raise DamagedMediaError("A segment is cut off inside an audio frame.")
        if self._frames.count == self._count_before:
            raise DamagedMediaError("A segment contains no audio.")
        return rest

    def _begin_audio(self, skip: int) -> bytes:
        """Read the tags, which are the first `skip` bytes held, and return the audio after them."""
        self._in_tags = False
        audio, self._start = self._held[skip:], tag_timestamp(self._held[:skip])
        self._held = b""
        if self._start is not None:
            self._timestamp = unwrap(self._start, self._timestamp if self._timestamp is not None else self._start)
            self._frames.seconds = 0.0
        if self._is_first_segment and self._container is Container.MP3 and _is_index(audio):
            self._index_frames = 1
        self._is_first_segment = False
        self._frames.feed(audio)
        return audio


def _is_index(audio: bytes) -> bool:
    """Tell whether the first frame of an MP3 is a Xing, Info or VBRI header."""
    return any(mark in audio[:_INDEX_MARK_BYTES] for mark in (b"Xing", b"Info", b"VBRI"))


def _syncsafe(octets: bytes) -> int:
    """Read a number that has seven bits in each byte."""
    value = 0
    for octet in octets:
        value = value << 7 | octet & 0x7F
    return value
