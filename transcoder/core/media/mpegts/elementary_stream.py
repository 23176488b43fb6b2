"""One elementary stream, taken out of its PES packets: its samples, its timestamps."""

from transcoder.core.media.audio_frames import READERS, AudioFrames
from transcoder.core.media.mpegts.access_units import AccessUnits, H264AccessUnits, HevcAccessUnits
from transcoder.core.media.mpegts.pes import first_packet, read_pes_header
from transcoder.core.media.streams import Medium, Stream
from transcoder.core.media.timestamps import unwrap

_ACCESS_UNITS: dict[str, type[AccessUnits]] = {"h264": H264AccessUnits, "hevc": HevcAccessUnits}
_LONGEST_PICTURE_SECONDS = 10.0
"""Two timestamps further apart than this say nothing about how long a picture is shown."""


class ElementaryStream:
    """What is known about one mapped PID while its transport packets pass.

    Payloads are appended to `payloads` (from outside, for speed) and looked into by `drain`.
    """

    def __init__(self, stream: Stream) -> None:
        """Begin before the first packet of `stream`."""
        self.medium = stream.medium
        self.payloads: list[bytes] = []
        self.starts = 0
        """PES packets begun in this segment."""
        self.first: float | None = None
        """First presentation time in this segment, in seconds as they are written (33 bits)."""
        self.end: float | None = None
        """Latest presentation end so far, unwrapped from the start that the probe found."""
        self._near = stream.start
        self._in_header = False
        self._is_media = False
        self._dts: float | None = None
        read = READERS.get(stream.codec) if stream.medium is Medium.AUDIO else None
        self._frames = AudioFrames(read) if read else None
        units = _ACCESS_UNITS.get(stream.codec)
        self._units = units() if units else None
        self._pts: float | None = None
        self._picture_seconds = 0.0

    @property
    def count(self) -> int | None:
        """Samples so far; None for a codec that is not counted."""
        counter = self._units or self._frames
        return counter.count if counter else None

    def begin_segment(self) -> None:
        """Forget what is told about each segment by itself."""
        self.starts, self.first = 0, None

    def start(self, payload: bytes) -> None:
        """Take the first payload of a PES packet."""
        self.drain()
        self.payloads.clear()
        self.payloads.append(first_packet(payload))
        self._in_header = True

    def drain(self) -> None:
        """Look into the payloads collected so far."""
        if not self.payloads:
            return
        data = self.payloads[0] if len(self.payloads) == 1 else b"".join(self.payloads)
        self.payloads.clear()
        if self._in_header:
            header = read_pes_header(data)
            if header is None:
                self.payloads.append(data)
                return
            self._in_header, self._is_media = False, header.is_media
            data = data[header.length :]
            if header.is_media:
                self.starts += 1
                self._time(header.pts, header.dts)
        if self._is_media:
            self._count(data)

    def _count(self, data: bytes) -> None:
        if self._units:
            self._units.feed(data)
        elif self._frames:
            self._frames.feed(data)
            if self._pts is not None:
                self._ends(self._pts + self._frames.seconds)

    def _time(self, pts: float | None, dts: float | None) -> None:
        if pts is None or dts is None:
            return
        if self.first is None:
            self.first = pts
        near = self._near if self._near is not None else pts
        pts, dts = unwrap(pts, near), unwrap(dts, near)
        self._near, self._pts = pts, pts
        if self._frames:
            self._frames.seconds = 0.0
            return
        if self._dts is not None and 0 < dts - self._dts < _LONGEST_PICTURE_SECONDS:
            if not self._picture_seconds and self.end is not None:
                self.end += dts - self._dts
            self._picture_seconds = dts - self._dts
        self._dts = dts
        self._ends(pts + self._picture_seconds)

    def _ends(self, end: float) -> None:
        if self.end is None or end > self.end:
            self.end = end
