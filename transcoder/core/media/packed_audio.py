"""Packed audio segments: ADTS, MP3, AC-3 or E-AC-3 frames after an ID3 tag with the timestamp (RFC 8216, 3.4)."""

from collections.abc import Collection, Mapping

from transcoder.core.media.audio_headers import (
    HEADER_BYTES,
    FrameHeader,
    HeaderReader,
    read_ac3_header,
    read_adts_header,
    read_mpeg_audio_header,
)
from transcoder.core.media.audio_tags import is_closing_tag, tag_length, tag_timestamp, tags_length
from transcoder.core.media.mpegts.audio_writer import MAX_DEVIATION_SECONDS, AudioWriter
from transcoder.core.media.packet_evidence import PacketEvidence
from transcoder.core.media.streams import Container, Medium, Probe, Stream
from transcoder.core.media.tagged_audio import TaggedAudioFrames
from transcoder.core.media.timestamps import unwrap
from transcoder.errors import DamagedMediaError

_CONTAINERS = {
    "aac": Container.ADTS,
    "mp1": Container.MP3,
    "mp2": Container.MP3,
    "mp3": Container.MP3,
    "ac3": Container.AC3,
    "eac3": Container.EAC3,
}
"""By each codec that `_READERS` find."""
_READERS: tuple[HeaderReader, ...] = (read_adts_header, read_ac3_header, read_mpeg_audio_header)
_INDEX_MARK_BYTES = 200
"""A frame that contains an index instead of audio has its mark within this many bytes of its start."""


def probe_packed_audio(head: bytes, *, whole: bool) -> Probe | None:
    """Return the container and the stream of the packed audio segment that begins with `head`; None if more bytes are needed.

    Raises UpstreamError if no audio frame follows the tags, UnsupportedSourceError if they say that the samples are encrypted.
    """
    skip = tags_length(head, whole=whole)
    if skip is None or (len(head) < skip + HEADER_BYTES and not whole):
        return None
    frame = _first_frame(head, skip)
    if frame is None:
        raise DamagedMediaError("A segment is not media: it contains no audio frame where packed audio must have its first.")
    start = tag_timestamp(head[:skip])
    stream = Stream(Medium.AUDIO, frame.codec, 0, start, frame.sample_rate, frame.channels, decode_start=start)
    return Probe(_CONTAINERS[frame.codec], (stream,), skip)


def _first_frame(head: bytes, at: int) -> FrameHeader | None:
    """Read the header at `at`. If what follows its frame is within `head`, it must be a header too, or a tag."""
    if len(head) < at + HEADER_BYTES:
        return None
    for read_header in _READERS:
        frame = read_header(head, at)
        if frame is None:
            continue
        following = at + frame.length
        if following + HEADER_BYTES > len(head) or read_header(head, following) or tag_length(head, following) != 0:
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
    frames = TaggedAudioFrames(_header_reader(probe.container), tag_timestamp)
    frames.feed(segment[skip:])
    return {Medium.AUDIO: unwrap(start, stream.start if stream.start is not None else start) + frames.seconds}


def _header_reader(container: Container) -> HeaderReader:
    return {Container.ADTS: read_adts_header, Container.MP3: read_mpeg_audio_header}.get(container, read_ac3_header)


class PackedAudioInspector:
    """An `Inspector` of packed audio segments: frame must follow frame, but for tags. Removes the tags."""

    step_bytes = 96 * 1024
    """At most so many bytes are to be fed at once; as a transport stream they may become twenty times as many."""

    def __init__(self, probe: Probe, *, written_from: float | None = None) -> None:
        """Expect the codec of `probe`, which is that of the first segment; `written_from` is described at `inspector_for`."""
        self._container = probe.container
        read_header = _header_reader(probe.container)
        self._frames = TaggedAudioFrames(read_header, self._check_tag)
        self._writer = None if written_from is None else AudioWriter(probe.container, read_header, written_from)
        stream = probe.main(Medium.AUDIO)
        self._timestamp = stream.start if stream else None
        """The latest timestamp, unwrapped; the counter's seconds are measured from it."""
        self._written_later = None if self._timestamp is None else 0.0
        """By how many seconds the audio is written later than its timestamps say; None: there has been none."""
        self._held = bytearray()
        self._in_tags = True
        self._begins_with_tag = False
        self._count_at_end: int | None = None
        """Number of frames before a tag after which no frame of this segment may follow: what follows may be another segment."""
        self._start: float | None = None
        self._count_before = 0
        self._index_frames = 0
        self._is_first_segment = True

    @property
    def samples(self) -> Mapping[Medium, int]:
        """Number of audio frames so far. A first frame that is only an index is left out, as ffmpeg does.

        So are those whose time had been there before.
        """
        return {Medium.AUDIO: self._frames.count - (self._writer.left_out if self._writer else self._index_frames)}

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
        self._held, self._in_tags, self._start, self._count_at_end = bytearray(), True, None, None
        self._count_before = self._frames.count

    def feed(self, piece: bytes) -> bytes:
        """Take the next bytes of the segment and return the bytes to pass on to ffmpeg: all but the tags.

        Raises:
            UpstreamError: a frame is not followed by another one or a tag, or a tag is too long or belongs elsewhere.
            UnsupportedSourceError: the sampling rate changes, or the samples are encrypted.

        """
        if not self._in_tags:
            return self._written(self._frames.frames_of(piece))
        self._held += piece
        skip = tags_length(self._held)
        if skip is None or len(self._held) < skip + _INDEX_MARK_BYTES:
            return b""
        return self._written(self._begin_audio(skip))

    def end(self) -> bytes:
        """End the segment and return the bytes held back. Raises UpstreamError if it ends inside a frame or contains no frame."""
        rest = self._begin_audio(tags_length(self._held, whole=True) or 0) if self._in_tags else b""
        rest += self._frames.held_back()
        if not self._frames.close_segment():
            raise DamagedMediaError("A segment is cut off inside an audio frame.")
        if self._count_at_end not in {None, self._frames.count}:
            raise DamagedMediaError("A segment's audio is damaged: frames follow a tag that ends a file, or begins one.")
        if self._frames.count == self._count_before:
            raise DamagedMediaError("A segment contains no audio.")
        return self._written(rest) + (self._writer.flush() if self._writer else b"")

    def _written(self, frames: bytes) -> bytes:
        """Return what ffmpeg gets of frames."""
        return self._writer.feed(frames) if self._writer else frames

    def _begin_audio(self, skip: int) -> bytes:
        """Read the tags, which are the first `skip` bytes held, and return the audio after them."""
        self._in_tags = False
        audio, self._start = bytes(self._held[skip:]), tag_timestamp(bytes(self._held[:skip]))
        self._held, self._begins_with_tag = bytearray(), skip > 0
        if self._start is not None:
            self._timestamp = unwrap(self._start, self._timestamp if self._timestamp is not None else self._start)
            self._frames.seconds = 0.0
            if self._writer:
                self._written_later = self._writer.end - self._timestamp if self._written_later is None else self._written_later
                self._writer.move_to(self._timestamp + self._written_later)
        if self._is_first_segment and self._container is Container.MP3 and _is_index(audio):
            self._index_frames = 1
            if self._writer:
                self._writer.leave_out(1)
        self._is_first_segment = False
        return self._frames.frames_of(audio)

    def _check_tag(self, tag: bytes) -> None:
        """Check that a tag after the first frame does not say that a part of the segment is missing or doubled.

        Raises:
            UpstreamError: it does.
            UnsupportedSourceError: the samples are encrypted.

        """
        timestamp, expected = tag_timestamp(tag), self.ends.get(Medium.AUDIO)
        if timestamp is not None and expected is not None and abs(unwrap(timestamp, expected) - expected) > MAX_DEVIATION_SECONDS:
            raise DamagedMediaError("A segment is damaged: a timestamp in the middle of it does not continue those before it.")
        if self._count_at_end is None and (is_closing_tag(tag) or (self._begins_with_tag and self._start is None)):
            self._count_at_end = self._frames.count


def _is_index(audio: bytes) -> bool:
    """Tell whether the first frame of an MP3 is a Xing, Info or VBRI header."""
    return any(mark in audio[:_INDEX_MARK_BYTES] for mark in (b"Xing", b"Info", b"VBRI"))
