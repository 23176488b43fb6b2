"""Is a finished film whole? Read it as it passes, and say so or say what is missing."""

import struct
from collections.abc import Mapping
from dataclasses import dataclass

from transcoder.core.media.streams import Medium
from transcoder.core.output.boxes import Box, MediaStart, Splitter, children, find
from transcoder.core.output.fragment import Fragment, read_fragment
from transcoder.core.output.header import Header, read_header
from transcoder.errors import TranscodeError

_BOX_HEADER = 8
_TURNS = {b"ftyp": (b"",), b"moov": (b"ftyp",), b"moof": (b"moov", b"mdat"), b"mfra": (b"mdat",)}
"""What each box follows."""
_EDIT = struct.Struct(">Ii4x")
_ENTRY = struct.Struct(">QQ3x")


@dataclass(frozen=True, slots=True)
class Whole:
    """A film that is whole."""

    length: int
    """Bytes."""
    fragments: int
    samples: Mapping[Medium, int]
    announced: float
    """Seconds that its header promises."""
    sent: float
    """Seconds from its first sample's presentation to its last one's end."""


class Verifier:
    """Take a film as `Joiner` makes it, in any pieces, and find out whether it is whole."""

    def __init__(self, *, tolerance: float | None = 0.1) -> None:
        """Let the length that the header promises be wrong by `tolerance` seconds; by any time if that is None."""
        self._tolerance = tolerance
        self._splitter = Splitter()
        self._before = b""
        self._header: Header | None = None
        self._zero: dict[Medium, int] = {}
        self._announced = 0.0
        self._fragment: Fragment | None = None
        self._moofs: set[int] = set()
        self._samples: dict[Medium, int] = {}
        self._first: dict[Medium, float] = {}
        self._last: dict[Medium, float] = {}
        self._decoded: dict[Medium, int] = {}

    def feed(self, piece: bytes) -> None:
        """Take the next piece.

        Raises:
            TranscodeError: something is wrong that later pieces cannot make good.
        """
        try:
            for event in self._splitter.feed(piece):
                if isinstance(event, MediaStart):
                    self._media(event)
                elif isinstance(event, Box):
                    self._box(event)
        except (struct.error, IndexError, ZeroDivisionError) as error:
            raise TranscodeError("The film has a box that is cut off.") from error

    def end(self) -> Whole:
        """Return what was found in a file that has ended.

        Raises:
            TranscodeError: it is not whole.
        """
        length = self._splitter.end()
        if self._fragment or self._before != b"mfra":
            raise TranscodeError("The film has no index at its end: it is not whole.")
        sent = max(self._last.values(), default=0.0) - min(self._first.values(), default=0.0)
        if self._tolerance is not None and abs(sent - self._announced) > self._tolerance:
            raise TranscodeError(f"The film lasts {sent:.3f} s, and its header promises {self._announced:.3f} s.")
        return Whole(length, len(self._moofs), self._samples, self._announced, sent)

    def _box(self, box: Box) -> None:
        """Take a box in its turn: ftyp, moov, fragments, mfra."""
        if self._before not in _TURNS.get(box.kind, ()):
            raise TranscodeError(f"The film has a box {box.kind!r} out of its turn.")
        self._before = box.kind
        if box.kind == b"moov":
            self._read_header(box.data)
        elif box.kind == b"moof" and self._header:
            self._read_fragment(box, self._header)
        elif box.kind == b"mfra":
            self._read_index(box.data)

    def _read_header(self, moov: bytes) -> None:
        """Read the tracks, where they begin, and how long the film is to be."""
        self._header = read_header(moov)
        at, _ = find(moov, _BOX_HEADER, len(moov), b"mvhd")
        scale, duration = struct.unpack_from(">IQ" if moov[at] else ">II", moov, at + (20 if moov[at] else 12))
        self._announced = duration / scale
        traks = [(start, end) for kind, start, end in children(moov, _BOX_HEADER, len(moov)) if kind == b"trak"]
        for track, (start, end) in zip(self._header.tracks, traks, strict=True):
            at, stop = find(moov, start, end, b"edts", b"elst")
            edits = list(_EDIT.iter_unpack(moov[at + 8 : stop]))
            delay = edits.pop(0)[0] if edits and edits[0][1] == -1 else 0
            if moov[at] or len(edits) != 1 or not scale:
                raise TranscodeError("The film has an edit list that is not ours.")
            self._zero[track.medium] = edits[0][1] - round(delay * track.timescale / scale)

    def _read_fragment(self, box: Box, header: Header) -> None:
        """Read a `moof`: its number, and that decoding goes on where it stopped, or later."""
        fragment = self._fragment = read_fragment(box.data, header)
        self._moofs.add(box.at)
        at, _ = find(box.data, _BOX_HEADER, len(box.data), b"mfhd")
        if struct.unpack_from(">I", box.data, at + 4) != (len(self._moofs),):
            raise TranscodeError(f"The film's fragment {len(self._moofs)} has another's number.")
        for run in fragment.runs:
            medium, time = run.track.medium, run.decode_time
            if time < self._decoded.get(medium, 0):
                raise TranscodeError("The film goes back in time.")
            self._samples[medium] = self._samples.get(medium, 0) + len(run.sizes)
            for duration, offset in zip(run.durations, run.offsets, strict=True):
                shown = time + offset - self._zero[medium]
                self._first[medium] = min(self._first.get(medium, shown / run.track.timescale), shown / run.track.timescale)
                time += duration
                self._last[medium] = max(self._last.get(medium, 0.0), (shown + duration) / run.track.timescale)
            self._decoded[medium] = time

    def _media(self, event: MediaStart) -> None:
        """Take the header of an `mdat`: it follows its `moof`, and holds its samples."""
        fragment, self._fragment = self._fragment, None
        if not fragment or self._before != b"moof":
            raise TranscodeError("The film has media that no fragment describes.")
        begin = len(fragment.moof) + event.header
        if any(run.data_at < begin or run.data_end > begin + event.length for run in fragment.runs):
            raise TranscodeError("The film has a fragment whose samples are not in its media.")
        self._before = b"mdat"

    def _read_index(self, mfra: bytes) -> None:
        """Read the `mfra`: it says how long it is, and leads to fragments that are there."""
        start, end = find(mfra, _BOX_HEADER, len(mfra), b"mfro")
        if mfra[start + 4 : end] != struct.pack(">I", len(mfra)):
            raise TranscodeError("The film's index does not end as it should.")
        start, end = find(mfra, _BOX_HEADER, len(mfra), b"tfra")
        (count,) = struct.unpack_from(">I", mfra, start + 12)
        if count != (end - start - 16) // _ENTRY.size or any(
            place not in self._moofs for _, place in _ENTRY.iter_unpack(mfra[start + 16 : end])
        ):
            raise TranscodeError("The film's index leads to where no fragment is.")
