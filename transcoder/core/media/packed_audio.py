"""Packed audio segments: ADTS, MP3, AC-3 or E-AC-3 frames behind an ID3 tag that tells the time (RFC 8216, 3.4)."""

from collections.abc import Mapping

from transcoder.core.media.audio_frames import HEADER_BYTES, AudioFrames, Frame, ReadFrame, ac3_frame, adts_frame, mpeg_audio_frame
from transcoder.core.media.streams import Container, Medium, Probe, Stream
from transcoder.core.media.timestamps import CLOCK_HZ, unwrap
from transcoder.errors import UnsupportedSourceError, UpstreamError

_TAG_HEADER_BYTES = 10
_FRAME_HEADER_BYTES = 10
_OWNER = b"com.apple.streaming.transportStreamTimestamp\0"
_TIMESTAMP_BYTES = 8
_ENCRYPTION_OWNER = b"com.apple.streaming.audioDescription\0"
"""Says how to set up a decoder for samples that are encrypted (Apple, MPEG-2 Stream Encryption Format for HTTP Live Streaming)."""
_MAX_TAG_BYTES = 1024 * 1024
"""Longer tags are refused: cover pictures are smaller."""
_CONTAINERS = {"aac": Container.ADTS, "mp3": Container.MP3, "ac3": Container.AC3, "eac3": Container.EAC3}
_READERS: tuple[ReadFrame, ...] = (adts_frame, ac3_frame, mpeg_audio_frame)
_XING_BYTES = 200
"""Within so many bytes of its frame's beginning stands the mark of a frame that holds no sound but an index."""


def tags_length(head: bytes, *, whole: bool = False) -> int | None:
    """Return how many bytes of ID3v2 tags stand at the beginning (ID3v2.4, 3.1); None if more bytes are needed."""
    at = 0
    while True:
        if len(head) - at < _TAG_HEADER_BYTES:
            return None if not whole and b"ID3".startswith(head[at : at + 3]) else at
        if head[at : at + 3] != b"ID3":
            return at
        size = _syncsafe(head[at + 6 : at + 10]) + _TAG_HEADER_BYTES + (_TAG_HEADER_BYTES if head[at + 5] & 0x10 else 0)
        if size > _MAX_TAG_BYTES:
            raise UpstreamError("A segment's ID3 tag is too long.")
        at += size


def tag_timestamp(tags: bytes) -> float | None:
    """Return the time in seconds that a segment's ID3 tags tell, None if they tell none.

    Raises UnsupportedSourceError if they tell that the samples are encrypted.
    """
    if _ENCRYPTION_OWNER in tags:
        raise UnsupportedSourceError("The source is protected: its samples are encrypted (SAMPLE-AES).")
    at = tags.find(_OWNER)
    value = tags[at + len(_OWNER) : at + len(_OWNER) + _TIMESTAMP_BYTES] if at >= 0 else b""
    return (int.from_bytes(value, "big") & (2**33 - 1)) / CLOCK_HZ if len(value) == _TIMESTAMP_BYTES else None


def probe_packed_audio(head: bytes, *, whole: bool) -> Probe | None:
    """Tell what the packed audio beginning with `head` holds; None if more bytes are needed.

    Raises UpstreamError if no frame follows the tags, UnsupportedSourceError if the sound is of a kind that MP4 cannot hold.
    """
    skip = tags_length(head, whole=whole)
    if skip is None or (len(head) < skip + HEADER_BYTES and not whole):
        return None
    frame = _first_frame(head, skip)
    if frame is None:
        raise UpstreamError("A segment is not the media that it should be.")
    container = _CONTAINERS.get(frame.codec)
    if container is None:
        raise UnsupportedSourceError(f"The source's sound is {frame.codec}, which is not supported.")
    stream = Stream(Medium.AUDIO, frame.codec, 0, tag_timestamp(head[:skip]), frame.sample_rate, frame.channels)
    return Probe(container, (stream,), skip)


def _first_frame(head: bytes, at: int) -> Frame | None:
    """Read the first header; a second one must follow it as far as the bytes reach."""
    if len(head) < at + HEADER_BYTES:
        return None
    for read in _READERS:
        frame = read(head, at)
        if frame and (at + frame.length + HEADER_BYTES > len(head) or read(head, at + frame.length)):
            return frame
    return None


def packed_audio_ends(tail: bytes, probe: Probe) -> Mapping[Medium, float]:
    """Return when a packed audio segment ends, given the whole of it with its tag; nothing where it tells no time."""
    skip = tags_length(tail, whole=True) or 0
    at = tag_timestamp(tail[:skip])
    stream = probe.first(Medium.AUDIO)
    if at is None or stream is None:
        return {}
    frames = AudioFrames(_reader(probe.container))
    frames.feed(tail[skip:])
    return {Medium.AUDIO: unwrap(at, stream.start if stream.start is not None else at) + frames.seconds}


def _reader(container: Container) -> ReadFrame:
    return {Container.ADTS: adts_frame, Container.MP3: mpeg_audio_frame}.get(container, ac3_frame)


class PackedAudioInspector:
    """Judges packed audio segments as they pass, in any pieces, and takes their ID3 tags off."""

    def __init__(self, probe: Probe) -> None:
        """Judge by what `probe` found in the first segment."""
        self._container = probe.container
        self._frames = AudioFrames(_reader(probe.container))
        stream = probe.first(Medium.AUDIO)
        self._near = stream.start if stream else None
        self._held = b""
        self._in_tags = True
        self._start: float | None = None
        self._segment_from = 0
        self._unheard = 0
        self._is_first = True

    @property
    def samples(self) -> Mapping[Medium, int]:
        """Audio frames so far; a first frame that is but an index is left out, as ffmpeg does."""
        return {Medium.AUDIO: self._frames.count - self._unheard}

    @property
    def starts(self) -> Mapping[Medium, float]:
        """The time in this segment's ID3 tag, in seconds as written (33 bits), where it has one."""
        return {} if self._start is None else {Medium.AUDIO: self._start}

    @property
    def ends(self) -> Mapping[Medium, float]:
        """Latest presentation end so far in seconds: the last tag's time and the frames since; nothing without tags."""
        return {} if self._near is None else {Medium.AUDIO: self._near + self._frames.seconds}

    def begin(self) -> None:
        """Begin a segment."""
        self._held, self._in_tags, self._start = b"", True, None
        self._segment_from = self._frames.count

    def feed(self, piece: bytes) -> bytes:
        """Take the next bytes of the segment, return those that go on to ffmpeg.

        Raises UpstreamError if a frame is not followed by another.
        """
        if not self._in_tags:
            self._frames.feed(piece)
            return piece
        self._held += piece
        skip = tags_length(self._held)
        if skip is None or len(self._held) < skip + _XING_BYTES:
            return b""
        return self._sound(skip)

    def end(self) -> bytes:
        """End the segment, return what was held back; raises UpstreamError if it ends inside a frame or holds none."""
        rest = self._sound(tags_length(self._held, whole=True) or 0) if self._in_tags else b""
        if not self._frames.close_segment():
            raise UpstreamError("A segment is cut off inside an audio frame.")
        if self._frames.count == self._segment_from:
            raise UpstreamError("A segment holds no sound.")
        return rest

    def _sound(self, skip: int) -> bytes:
        """Begin with the frames behind the tags."""
        self._in_tags = False
        sound, self._start = self._held[skip:], tag_timestamp(self._held[:skip])
        self._held = b""
        if self._start is not None:
            self._near = unwrap(self._start, self._near if self._near is not None else self._start)
            self._frames.seconds = 0.0
        if self._is_first and self._container is Container.MP3 and _is_index(sound):
            self._unheard = 1
        self._is_first = False
        self._frames.feed(sound)
        return sound


def _is_index(sound: bytes) -> bool:
    """Whether an MP3's first frame is a Xing, Info or VBRI header."""
    return any(mark in sound[:_XING_BYTES] for mark in (b"Xing", b"Info", b"VBRI"))


def _syncsafe(octets: bytes) -> int:
    value = 0
    for octet in octets:
        value = value << 7 | octet & 0x7F
    return value
