"""Writes packed audio as a transport stream, in which its frames have timestamps (ISO/IEC 13818-1, 2.4.3)."""

from transcoder.core.media.audio_headers import BLOCK_SAMPLES, HEADER_BYTES, FrameHeader, HeaderReader
from transcoder.core.media.mpegts.pes import PREFIX
from transcoder.core.media.mpegts.program_tables import PAT_PID, section_crc
from transcoder.core.media.streams import Container
from transcoder.core.media.timestamps import CLOCK_HZ, unwrap

MAX_DEVIATION_SECONDS = 0.05
"""A segment may begin so much earlier or later than the one before it ends, by about two frames: timestamps are rounded, and an encoder
adds a frame or two to what it is given."""
_STREAM_TYPES = {Container.ADTS: 0x0F, Container.MP3: 0x03, Container.AC3: 0x81, Container.EAC3: 0x87}
_PMT_PID, _PID, _NO_PID = 0x1000, 0x100, 0x1FFF
_AUDIO_STREAM, _PRIVATE_STREAM = 0xC0, 0xBD
_PRIVATE_TYPES = frozenset({0x81, 0x87})
_PAYLOAD_BYTES = 184
_SAMPLE_BLOCKS = 6
"""An MP4 sample of E-AC-3 has so many blocks, from one frame or several."""


class AudioWriter:
    """Writes the frames of packed audio into a transport stream, each sample into a PES packet of its own.

    One sample follows the other, except where `move_to` says that time is left out, or there twice.
    """

    def __init__(self, container: Container, read_header: HeaderReader, start: float) -> None:
        """Give the first sample the presentation time `start`, in seconds."""
        self._read_header = read_header
        self._stream_type = _STREAM_TYPES[container]
        self._begin = start
        self._samples = 0
        """Audio samples per channel since `_begin`."""
        self._last: FrameHeader | None = None
        self._blocks = 0
        self._held_samples = 0
        """Audio samples per channel in the sample that is held."""
        self._rest = b""
        """The newest sample, as far as it has come."""
        self._at = 0
        """Where in `_rest` the next header is."""
        self._counters = {PAT_PID: 0, _PMT_PID: 0, _PID: 0}
        self._to_leave_out = 0
        self.left_out = 0
        """Number of samples that were left out so far."""
        self._tables = self._program_tables()
        """What belongs before the first sample, until it is written."""

    @property
    def end(self) -> float:
        """When the samples that have been written end, in seconds."""
        return self._begin + (self._samples / self._last.sample_rate if self._last else 0.0)

    def move_to(self, seconds: float) -> None:
        """Begin a segment with that timestamp. Call it after `flush`; the time may be wrapped.

        If it is later than the end, the time between is left out; if it is earlier, as many samples are.
        """
        late = unwrap(seconds, near=self.end) - self.end
        if late > MAX_DEVIATION_SECONDS:
            self._begin, self._samples = self.end + late, 0
        elif late < -MAX_DEVIATION_SECONDS and self._last:
            self.leave_out(round(-late / self._last.seconds))

    def leave_out(self, samples: int) -> None:
        """Leave out the next samples."""
        self._to_leave_out = samples

    def _program_tables(self) -> bytes:
        pat = _section(0, (1).to_bytes(2) + (0xE000 | _PMT_PID).to_bytes(2))
        stream = bytes([self._stream_type]) + (0xE000 | _PID).to_bytes(2) + b"\xf0\0"
        pmt = _section(2, (0xE000 | _NO_PID).to_bytes(2) + b"\xf0\0" + stream)
        return self._packets(PAT_PID, pat) + self._packets(_PMT_PID, pmt)

    def feed(self, frames: bytes) -> bytes:
        """Take the next bytes, which must be frames, and return the transport packets of the samples that are complete."""
        self._rest += frames
        tables, self._tables = self._tables, b""
        return tables + self._split(last=len(self._rest) - HEADER_BYTES)

    def flush(self) -> bytes:
        """Return the packets of what is left, at the end of a segment."""
        written = self._split(last=len(self._rest) - 1) + self._write(self._rest)
        self._rest, self._at = b"", 0
        return written

    def _split(self, *, last: int) -> bytes:
        """Return the packets of all samples before the last one whose header begins at `last` or before."""
        data, start, written = self._rest + bytes(HEADER_BYTES), 0, []
        while self._at <= last and (header := self._read_header(data, self._at)):
            if header.is_sample:
                if not self._blocks % _SAMPLE_BLOCKS:
                    written.append(self._write(data[start : self._at]))
                    start = self._at
                self._last = header
                self._held_samples += header.samples
                self._blocks += header.samples // BLOCK_SAMPLES if header.codec == "eac3" else _SAMPLE_BLOCKS
            self._at += header.length
        self._rest, self._at = self._rest[start:], self._at - start
        return b"".join(written)

    def _write(self, sample: bytes) -> bytes:
        """Return the packets of a sample, unless it is left out."""
        if not sample:
            return b""
        start, samples, self._held_samples = self.end, self._held_samples, 0
        if self._to_leave_out:
            self._to_leave_out -= 1
            self.left_out += 1
            return b""
        self._samples += samples
        return self._packets(_PID, _pes_header(self._stream_type, start, len(sample)) + sample)

    def _packets(self, pid: int, unit: bytes) -> bytes:
        """Return the transport packets of a PES packet or a section."""
        packets = []
        for at in range(0, len(unit), _PAYLOAD_BYTES):
            payload = unit[at : at + _PAYLOAD_BYTES]
            stuffing = _PAYLOAD_BYTES - len(payload)
            field = bytes([stuffing - 1, 0][:stuffing]) + b"\xff" * (stuffing - 2)
            counter = self._counters[pid]
            self._counters[pid] = (counter + 1) & 0xF
            packets += [bytes([0x47, (0 if at else 0x40) | pid >> 8, pid & 0xFF, (0x30 if stuffing else 0x10) | counter]), field, payload]
        return b"".join(packets)


def _pes_header(stream_type: int, start: float, length: int) -> bytes:
    ticks = round(start * CLOCK_HZ) & (2**33 - 1)
    pts = bytes([0x21 | ticks >> 29 & 0xE]) + (ticks >> 14 & 0xFFFE | 1).to_bytes(2) + (ticks << 1 & 0xFFFE | 1).to_bytes(2)
    stream = _PRIVATE_STREAM if stream_type in _PRIVATE_TYPES else _AUDIO_STREAM
    return PREFIX + bytes([stream]) + (length + 8).to_bytes(2) + b"\x84\x80\x05" + pts


def _section(table: int, body: bytes) -> bytes:
    """Return a section of table 0 or 2 of the program 1, after its pointer field."""
    content = (1).to_bytes(2) + b"\xc1\0\0" + body
    section = bytes([table]) + (0xB000 | len(content) + 4).to_bytes(2) + content
    return b"\0" + section + section_crc(section).to_bytes(4)
