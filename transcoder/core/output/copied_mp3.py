"""Copied MP3 frames, taken out of fragments that say when each is heard: a pause between two becomes silent frames."""

from collections import deque
from collections.abc import Iterator
from itertools import accumulate

from transcoder.core.media.audio_headers import HEADER_BYTES, FrameHeader, read_mpeg_audio_header
from transcoder.core.media.mp4.box_reader import BoxEvent, BoxStart
from transcoder.core.media.timestamps import unwrap
from transcoder.core.output.fragment import read_fragment
from transcoder.core.output.header import OutputHeader, read_header
from transcoder.core.output.output_boxes import broken_as, output_reader
from transcoder.core.output.timeline import MAX_SILENCE_SECONDS
from transcoder.core.output.written_samples import WrittenSamples
from transcoder.errors import TranscodeError

_WITHOUT_CRC = 0x01
"""The protection bit, in the second byte of a header."""
_MIN_PAUSE_FRAMES = 1.5
"""Less than this between two frames is no pause: timestamps are inexact."""


class CopiedMp3:
    """Reads what one ffmpeg writes of copied MP3 as fragmented MP4, in pieces of any size; returns the frames, one after another."""

    def __init__(self, *, goes_on_from: float | None = None) -> None:
        """Begin a period; `goes_on_from` is when the audio before it ended on the same clock, in seconds, if that goes on."""
        self.written = WrittenSamples()
        """What ffmpeg wrote."""
        self._reader = output_reader()
        self._header: OutputHeader | None = None
        self._due: deque[tuple[int, float]] = deque()
        """Bytes and time in seconds of each frame whose data has not come."""
        self._data = b""
        self._end = goes_on_from
        """When the last frame ended, in seconds on the source's timeline."""
        self._owed = 0.0
        """Seconds of the pauses so far that were too short for another silent frame; negative if too many were made."""

    def feed(self, piece: bytes) -> bytes:
        """Take the next piece of ffmpeg's output and return the frames that it completes.

        Raises:
            TranscodeError: it is broken, or a pause is too long.
        """
        with broken_as("ffmpeg's output"):
            return b"".join(frame for event in self._reader.feed(piece) for frame in self._take(event))

    def end(self) -> None:
        """End the period. Raises TranscodeError if ffmpeg's output is not whole."""
        with broken_as("ffmpeg's output"):
            self._reader.end()
        if self._due or self._data:
            raise TranscodeError("ffmpeg's output ends before its media.")

    def _take(self, event: BoxEvent) -> Iterator[bytes]:
        if isinstance(event, bytes):
            yield from self._frames(event)
        elif isinstance(event, BoxStart):
            if event.length != sum(size for size, _ in self._due):
                raise TranscodeError("The samples of a fragment do not lie in its media.")
        elif event.type == b"moov":
            self._header = read_header(event)
        elif event.type == b"moof" and self._header:
            fragment = read_fragment(event, self._header)
            self.written.add(fragment)
            for run in fragment.runs:
                times = accumulate(run.durations, initial=run.decode_time)
                self._due.extend((size, time / run.track.timescale) for size, time in zip(run.sizes, times, strict=False))

    def _frames(self, data: bytes) -> Iterator[bytes]:
        """Yield the frames that `data` completes, and silent ones in the pauses before them."""
        self._data += data
        while self._due and self._due[0][0] <= len(self._data):
            size, time = self._due.popleft()
            frame, self._data = self._data[:size], self._data[size:]
            header = read_mpeg_audio_header(frame, 0) if size >= HEADER_BYTES else None
            if header is None:
                raise TranscodeError("ffmpeg's output has an MP3 frame without a header.")
            yield self._silence(frame, header, time)
            yield frame
            self._end = time + header.seconds

    def _silence(self, frame: bytes, header: FrameHeader, time: float) -> bytes:
        """Return silent frames in the format of `frame` for the pause before it, if there is one."""
        pause = 0.0 if self._end is None else time - unwrap(self._end, near=time)
        if pause < _MIN_PAUSE_FRAMES * header.seconds:
            return b""
        if pause > MAX_SILENCE_SECONDS:
            raise TranscodeError(f"The audio has a gap of more than {MAX_SILENCE_SECONDS} s, too long to be filled.")
        count = round((pause + self._owed) / header.seconds)
        self._owed += pause - count * header.seconds
        # Without side information and main data, all of a frame is silent.
        silent = bytes([frame[0], frame[1] | _WITHOUT_CRC, *frame[2:4]]).ljust(header.length, b"\0")
        return silent * count
