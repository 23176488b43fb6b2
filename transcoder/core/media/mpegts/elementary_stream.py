"""One elementary stream, extracted from its PES packets: its sample count and its timestamps."""

from transcoder.core.media.audio_frames import AudioFrameCounter
from transcoder.core.media.audio_headers import HEADER_READERS
from transcoder.core.media.mpegts.access_units import ACCESS_UNIT_COUNTERS
from transcoder.core.media.mpegts.payload_units import Payloads
from transcoder.core.media.mpegts.pes import announced_bytes, read_pes_header
from transcoder.core.media.packet_evidence import MAX_UNITS
from transcoder.core.media.streams import Medium, Stream
from transcoder.core.media.timestamps import MAX_REORDERING_SECONDS, unwrap
from transcoder.errors import DamagedMediaError

_MAX_FRAME_SECONDS = 10.0
"""A longer distance between two timestamps is not taken as the duration of a video frame."""


class SegmentTimes:
    """What one segment shows of a stream."""

    def __init__(self) -> None:
        """Begin before its first packet."""
        self.packets = 0
        """Number of PES packets with media that have begun."""
        self.start: float | None = None
        """First presentation time in seconds as written (33 bits)."""
        self.first_dts: float | None = None
        """First decode time, unwrapped."""
        self.last_dts: float | None = None
        """Latest decode time, unwrapped."""
        self.spilled = 0.0
        """Seconds of the audio frames at its head that belong to a PES packet of the segment before."""
        self.leap = 0.0
        """The longest time in seconds that its timestamps leave out between two samples."""
        self.units: set[int] = set()
        """A hash of the first payload of each PES packet, which has the timestamps."""


class ElementaryStream:
    """The sample count and the timestamps of one PID, updated while its transport packets pass.

    `take` the payloads of a piece, then `drain`: what is read of video does not depend on where one of its PES packets ends.
    """

    def __init__(self, stream: Stream) -> None:
        """Begin before the first packet of `stream`."""
        self.medium = stream.medium
        self._unread: list[bytes] = []
        """Media that have been taken, but not read."""
        self._header = b""
        """What has come of the header of a PES packet, if not all of it."""
        self.segment = SegmentTimes()
        """What this segment has shown so far."""
        self.end: float | None = None
        """Latest presentation end so far, unwrapped from the start that the probe found."""
        self._reference = stream.start
        """The presentation time that the next timestamp is unwrapped near: the latest one, or the probe's."""
        self.missing_bytes = 0
        """How many bytes the current PES packet lacks by its own length; not positive if none, or if it has no length."""
        self._in_header = False
        self._is_media = False
        self._dts: float | None = None
        read_header = HEADER_READERS.get(stream.codec) if stream.medium is Medium.AUDIO else None
        self._audio_frames = AudioFrameCounter(read_header) if read_header else None
        counter = ACCESS_UNIT_COUNTERS.get(stream.codec)
        self._access_units = counter() if counter else None
        self._pts: float | None = None
        self._frame_seconds = self._last_distance = 0.0

    @property
    def count(self) -> int | None:
        """Number of samples so far; None for a codec that cannot be counted."""
        counter = self._access_units or self._audio_frames
        return counter.count if counter else None

    @property
    def is_headless(self) -> bool:
        """Whether the video begins with a picture without parameter sets."""
        return self._access_units is not None and self._access_units.is_headless

    @property
    def undecodable(self) -> int:
        """Number of samples before the first parameter sets, if the video begins without any."""
        return self._access_units.undecodable if self._access_units else 0

    @property
    def last_decode_time(self) -> float | None:
        """The decode time of the last sample so far, unwrapped; None if there is none."""
        if self._audio_frames:
            return None if self.end is None or not self._audio_frames.frame_seconds else self.end - self._audio_frames.frame_seconds
        return self._dts

    @property
    def sample_seconds(self) -> float | None:
        """Duration of the last sample: that of an audio frame, or the distance of the last two decode times; None if it is not known."""
        return self._audio_frames.frame_seconds if self._audio_frames else self._frame_seconds or None

    @property
    def decode_span(self) -> tuple[float, float] | None:
        """The first and the last decode time of video in this segment, unwrapped; None if there is none."""
        if self.segment.first_dts is None or self.segment.last_dts is None or self._audio_frames:
            return None
        return self.segment.first_dts, self.segment.last_dts

    def begin_segment(self) -> None:
        """Reset what is recorded for each segment separately."""
        self.segment = SegmentTimes()

    @property
    def is_sparse(self) -> bool:
        """Whether nothing but headers and start codes has to be read of it."""
        return self._audio_frames is None

    def take(self, payloads: Payloads) -> None:
        """Take payloads, which may be read only by `drain`.

        Raises:
            UpstreamError: they are damaged.

        """
        parts, begins_unit = payloads
        if begins_unit:
            first = parts[0]
            self.missing_bytes = size = announced_bytes(first)
            if len(self.segment.units) < MAX_UNITS:
                self.segment.units.add(hash(first))
            if size:
                parts[0] = first[:size]  # stuffing follows a PES packet that is shorter than its transport packet
            if self._audio_frames:
                self.drain()  # its frames are counted from one timestamp to the next
            self._in_header, self._header = True, b""
        if self._in_header:
            parts = self._without_header(parts)
        self.missing_bytes -= sum(map(len, parts))
        if self._is_media and not self._in_header:
            self._unread += parts

    def _without_header(self, parts: list[bytes]) -> list[bytes]:
        """Read the header of a PES packet, and return what follows it; nothing if the header has not come to its end."""
        header = read_pes_header(parts[0]) if parts and not self._header else None
        if header is None:
            parts = [b"".join((self._header, *parts))]
            header = read_pes_header(parts[0])
        if header is None:
            self._header = parts[0]
            return []
        self._in_header, self._is_media = False, header.is_media
        self.missing_bytes -= header.length
        if header.is_media:
            self.segment.packets += 1
            if header.pts is not None and header.dts is not None:
                self._take_timestamps(header.pts, header.dts)
        parts[0] = parts[0][header.length :]
        return parts

    def drain(self) -> None:
        """Read the media that have been taken."""
        if self._unread:
            data = self._unread[0] if len(self._unread) == 1 else b"".join(self._unread)
            self._unread = []
            self._count(data)

    def _count(self, data: bytes) -> None:
        if self._access_units:
            self._access_units.feed(data)
        elif self._audio_frames:
            before = self._audio_frames.seconds
            self._audio_frames.feed(data)
            if self.segment.start is None:
                self.segment.spilled += self._audio_frames.seconds - before
            if self._pts is not None:
                self._extend_end(self._pts + self._audio_frames.seconds + self._audio_frames.held_seconds)

    def _take_timestamps(self, pts: float, dts: float) -> None:
        segment, near = self.segment, pts if self._reference is None else self._reference
        # Frames after an open key frame are shown before it.
        if segment.start is None or unwrap(pts, segment.start) < segment.start:
            segment.start = pts
        pts, dts = unwrap(pts, near), unwrap(dts, near)
        # The distance to the segment before may be that of a gap, and says how long a frame is only if nothing else does.
        previous = self._dts if segment.last_dts is not None or not self._frame_seconds else None
        self._refuse_backward_step(dts)
        if self._audio_frames:
            if segment.packets > 1:
                passed = self._audio_frames.seconds + self._audio_frames.held_seconds
                before = pts if self._pts is None else self._pts
                segment.leap = max(segment.leap, pts - before - passed)
            self._audio_frames.seconds = -self._audio_frames.held_seconds
        else:
            self._take_frame(previous, dts, pts)
        self._reference, self._pts = pts, pts

    def _take_frame(self, previous: float | None, dts: float, pts: float) -> None:
        """Take the times of a frame of video that follows the decode time `previous`."""
        frame_seconds = self._frame_seconds
        distance = 0.0 if previous is None else dts - previous
        if previous is not None and frame_seconds and self.segment.packets > 1:
            self.segment.leap = max(self.segment.leap, distance - frame_seconds)
        if 0 < distance < _MAX_FRAME_SECONDS:
            if not frame_seconds and self.end is not None:
                self.end += distance
            # One frame that stands still does not change how long the others are.
            self._frame_seconds = frame_seconds = min(distance, self._last_distance or distance)
            self._last_distance = distance
        self._dts = dts
        self._extend_end(pts + frame_seconds)

    def _refuse_backward_step(self, dts: float) -> None:
        """Refuse decode times that run backwards within one segment: of video by more than frames may be reordered, of audio at all.

        Raises:
            UpstreamError: they do: a part of the segment was sent twice, or another segment was appended.

        """
        if self.segment.last_dts is None:
            self.segment.first_dts = dts
        elif dts < self.segment.last_dts - MAX_REORDERING_SECONDS or (self._audio_frames and dts <= self.segment.last_dts):
            raise DamagedMediaError(
                f"The timestamps of a segment run backwards, from {self.segment.last_dts:.3f} to {dts:.3f} s: "
                "a part of it was sent twice, or in the wrong order."
            )
        self.segment.last_dts = dts

    def _extend_end(self, end: float) -> None:
        if self.end is None or end > self.end:
            self.end = end
