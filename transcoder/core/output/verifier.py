"""Is a finished MP4 whole? Reads it as it passes and says what is missing.

What its header announces is no part of that: it was written before the first sample, from playlists that may be wrong.

Boxes are read by the same code as in the joiner; what the joiner decided and counted is not asked: only the bytes speak here.
"""

from collections.abc import Mapping
from typing import NamedTuple

from transcoder.core.media.mp4.box_reader import BoxStart
from transcoder.core.media.mp4.boxes import Box
from transcoder.core.media.mp4.fragment import read_sequence_number
from transcoder.core.media.mp4.mfra import read_index
from transcoder.core.media.mp4.movie import EMPTY_EDIT, Movie
from transcoder.core.media.mp4.sample_columns import presented, total
from transcoder.core.media.streams import Medium
from transcoder.core.output.fragment import Fragment, read_fragment
from transcoder.core.output.header import OutputHeader, read_header
from transcoder.core.output.output_boxes import broken_as, check_inner_boxes, output_reader
from transcoder.errors import TranscodeError

_FOLLOWS = {b"ftyp": (b"",), b"moov": (b"ftyp",), b"moof": (b"moov", b"mdat"), b"mfra": (b"mdat",)}
"""The boxes that each box may follow."""


class WholeMp4(NamedTuple):
    """An MP4 that is whole."""

    length: int
    """Bytes."""
    fragments: int
    samples: Mapping[Medium, int]
    announced: float
    """Seconds that its header announces."""
    sent: float
    """Seconds from the presentation of its first sample to the end of its last one."""


class Verifier:
    """Takes an MP4 as `Joiner` makes it, in pieces of any size, and finds out whether it is whole."""

    def __init__(self) -> None:
        """Begin before the first byte."""
        self._reader = output_reader()
        self._previous = b""
        self._header: OutputHeader | None = None
        self._media_start: dict[Medium, int] = {}
        self._announced = 0.0
        self._fragment: Fragment | None = None
        self._moof_offsets: set[int] = set()
        self._samples: dict[Medium, int] = {}
        self._first: dict[Medium, float] = {}
        self._last: dict[Medium, float] = {}
        self._decode_end: dict[Medium, int] = {}

    def feed(self, piece: bytes) -> None:
        """Take the next piece.

        Raises:
            TranscodeError: something is wrong that later pieces cannot mend.
        """
        with broken_as("The MP4"):
            for event in self._reader.feed(piece):
                if isinstance(event, BoxStart):
                    self._check_media(event)
                elif isinstance(event, Box):
                    self._check_box(event)

    def end(self) -> WholeMp4:
        """Return what was found in a file that has ended.

        Raises:
            TranscodeError: it is not whole.
        """
        with broken_as("The MP4"):
            length = self._reader.end()
        if self._fragment or self._previous != b"mfra":
            raise TranscodeError("The MP4 has no index at its end: it is not whole.")
        sent = max(self._last.values(), default=0.0) - min(self._first.values(), default=0.0)
        return WholeMp4(length, len(self._moof_offsets), self._samples, self._announced, sent)

    def _check_box(self, box: Box) -> None:
        """Take a box in its turn: ftyp, moov, fragments, mfra."""
        if self._previous not in _FOLLOWS.get(box.type, ()):
            raise TranscodeError(f"The MP4 has a box {box.type.decode('latin-1')} out of its turn.")
        self._previous = box.type
        if box.type == b"moov":
            self._header = read_header(box)
            self._read_durations(self._header.movie)
        elif box.type == b"moof" and self._header:
            self._check_fragment(box, self._header)
        elif box.type == b"mfra":
            self._check_index(box)

    def _read_durations(self, movie: Movie) -> None:
        """Read where the tracks begin, and how long the MP4 is said to be."""
        if not movie.timescale:
            raise TranscodeError("The MP4 has no timescale.")
        self._announced = movie.duration / movie.timescale
        for track in movie.tracks:
            edits = list(track.edits)
            delay = edits.pop(0).duration if edits and edits[0].media_time == EMPTY_EDIT else 0
            if len(edits) != 1 or track.medium is None:
                raise TranscodeError("The MP4 has an edit list that this program does not write.")
            self._media_start[track.medium] = edits[0].media_time - round(delay * track.timescale / movie.timescale)

    def _check_fragment(self, moof: Box, header: OutputHeader) -> None:
        """Check the number of a `moof`, and that decoding goes on where it stopped, or later."""
        fragment = self._fragment = read_fragment(moof, header)
        self._moof_offsets.add(moof.position)
        if read_sequence_number(moof) != len(self._moof_offsets):
            raise TranscodeError(f"Fragment {len(self._moof_offsets)} of the MP4 has the number of another one.")
        for run in fragment.runs:
            medium, scale = run.track.medium, run.track.timescale
            if run.decode_time < self._decode_end.get(medium, 0):
                raise TranscodeError("The MP4 goes back in time.")
            self._samples[medium] = self._samples.get(medium, 0) + len(run.sizes)
            first, last = (ticks / scale for ticks in presented(run.decode_time - self._media_start[medium], run.durations, run.offsets))
            self._first[medium] = min(self._first.get(medium, first), first)
            self._last[medium] = max(self._last.get(medium, 0.0), last)
            self._decode_end[medium] = run.decode_time + total(run.durations)

    def _check_index(self, mfra: Box) -> None:
        """Check that an `mfra` leads to fragments."""
        check_inner_boxes(mfra)
        if any(entry.moof_offset not in self._moof_offsets for entry in read_index(mfra)):
            raise TranscodeError("The index of the MP4 points to where no fragment is.")

    def _check_media(self, event: BoxStart) -> None:
        """Take the header of an `mdat`: it follows its `moof` and holds its samples."""
        fragment, self._fragment = self._fragment, None
        if not fragment or self._previous != b"moof":
            raise TranscodeError("The MP4 has media that no fragment describes.")
        if not fragment.lies_in_media(event.length, event.header_bytes):
            raise TranscodeError("The MP4 has a fragment whose samples are not in its media.")
        self._previous = b"mdat"
