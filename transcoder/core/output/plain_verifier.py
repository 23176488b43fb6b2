"""Is a plain MP4 whole? Reads it as it passes and says what is missing: `moov` first, and each sample that it lists within the media."""

from transcoder.core.media.mp4.box_reader import BoxReader, BoxStart
from transcoder.core.media.mp4.boxes import Box
from transcoder.core.media.mp4.movie import Movie, read_movie
from transcoder.core.media.mp4.sample_tables import read_chunk_spans, read_sample_tables
from transcoder.core.media.streams import Medium
from transcoder.core.output.output_boxes import MAX_BOX_BYTES, broken_as
from transcoder.core.output.verifier import WholeMp4
from transcoder.errors import TranscodeError

_FOLLOWS = {b"ftyp": b"", b"moov": b"ftyp", b"mdat": b"moov"}
"""The box that each box follows."""


class PlainVerifier:
    """Takes a plain MP4 in pieces of any size, and finds out whether it is whole."""

    def __init__(self, *, length: int) -> None:
        """Expect a file of that many bytes."""
        self._length = length
        self._reader = BoxReader(collected=frozenset({b"ftyp", b"moov"}), streamed=frozenset({b"mdat"}), max_box_bytes=MAX_BOX_BYTES)
        self._previous = b""
        self._movie: Movie | None = None
        self._position = 0
        """Where the next box begins."""
        self._samples: dict[Medium, int] = {}

    def feed(self, piece: bytes) -> None:
        """Take the next piece.

        Raises:
            TranscodeError: something is wrong that later pieces cannot mend.
        """
        with broken_as("The MP4"):
            for event in self._reader.feed(piece):
                if isinstance(event, Box):
                    self._follow(event.type, len(event.data))
                    self._movie = read_movie(event) if event.type == b"moov" else self._movie
                elif isinstance(event, BoxStart):
                    start = self._position + event.header_bytes
                    self._follow(event.type, event.header_bytes + event.length)
                    self._check_chunks(start, start + event.length)

    def end(self) -> WholeMp4:
        """Return what was found in a file that has ended.

        Raises:
            TranscodeError: it is not whole.
        """
        with broken_as("The MP4"):
            length = self._reader.end()
        if length != self._length or self._previous != b"mdat" or self._movie is None:
            raise TranscodeError(f"The MP4 has {length} bytes instead of {self._length}: it is not whole.")
        seconds = self._movie.duration / (self._movie.timescale or 1)
        return WholeMp4(length, 0, self._samples, seconds, seconds)

    def _follow(self, kind: bytes, length: int) -> None:
        if self._previous != _FOLLOWS[kind]:
            raise TranscodeError(f"The MP4 has a box {kind.decode('latin-1')} out of its turn.")
        self._previous = kind
        self._position += length

    def _check_chunks(self, start: int, end: int) -> None:
        """Check that all samples lie in the `mdat` whose content begins at `start` and ends at `end`."""
        for track in self._movie.tracks if self._movie else ():
            tables = read_sample_tables(track.sample_table)
            if tables is None or track.medium is None:
                raise TranscodeError("The MP4 has a track without samples.")
            self._samples[track.medium] = tables.samples
            if any(first < start or last > end for first, last in read_chunk_spans(track.sample_table)):
                raise TranscodeError("The MP4 has samples that are not in its media.")
