"""What one ffmpeg after another writes, made into one film."""

import struct
from collections.abc import Iterator
from dataclasses import dataclass, field

from transcoder.core.media.streams import Medium
from transcoder.core.output.boxes import MediaStart, Splitter, media_header
from transcoder.core.output.cutter import Cut, Cutting, Event
from transcoder.core.output.fragment import NOT_SYNC, Edit, Editor, Fragment, read_fragment, retimed
from transcoder.core.output.header import Header, Lengths, read_header, write_moov
from transcoder.core.output.index import Index
from transcoder.core.output.placement import Place, check_same, first_place, next_place
from transcoder.core.output.timeline import AudioTimeline, OutputTimeline, VideoTimeline
from transcoder.core.output.written import PeriodCount
from transcoder.errors import TranscodeError

MAX_HELD_BYTES = 64 * 1024 * 1024
"""A longer fragment is not held back; should its sound be too long, the next period's begin is cut instead."""


@dataclass(slots=True)
class _Period:
    """One ffmpeg's output, as far as it has come."""

    last: bool
    splitter: Splitter = field(default_factory=Splitter)
    begin: bytes = b""
    header: Header | None = None
    place: Place | None = None
    count: PeriodCount = field(default_factory=PeriodCount)
    fragment: Fragment | None = None
    """The newest."""
    media: bool = False
    """Whether its `mdat` has begun."""
    held: list[bytes] = field(default_factory=list)
    """Its `mdat` so far, if it is held back."""
    editor: Editor | None = None
    """If it is not: what the rest of its `mdat` passes through."""


class Joiner:
    """Take fragmented MP4 as ffmpeg writes it, period after period, in any pieces; give the film.

    Each period comes from one ffmpeg with `-copyts -avoid_negative_ts disabled -use_editlist 0 -movflags
    frag_keyframe+delay_moov+default_base_moof+frag_discont`: in that form every `tfdt` is the source's own decode time. Out come one
    header, which promises the true length, fragments on one timeline, and at the end an index. Memory holds one header, one `moof`
    and, only in a period that another is known to follow, one fragment; media pass as they come.
    """

    def __init__(self, lengths: Lengths, *, cut: Cut | None = None, max_held: int = MAX_HELD_BYTES) -> None:
        """Make a film whose header promises `lengths`, or less by a `cut`; hold back no more than `max_held` bytes of media."""
        self._max_held = max_held
        self.lengths = lengths
        """What the header promises, once there is output."""
        self._cutting = Cutting(cut, max_held=max_held) if cut else None
        self._film: OutputTimeline | None = None
        self._period: _Period | None = None
        self._bytes_out = 0

    @property
    def bytes_out(self) -> int:
        """How many bytes have been given so far."""
        return self._bytes_out

    @property
    def has_output(self) -> bool:
        """Whether anything has been given so far."""
        return self._film is not None

    @property
    def seconds(self) -> dict[Medium, float]:
        """Where each track ends so far, in seconds after the film's begin; fragments that have begun count whole."""
        return {medium: float(end) for medium, end in self._film.ends.items()} if self._film else {}

    def begin(self, *, last: bool = True) -> None:
        """Begin a period. With `last=False` another one is known to follow, and the newest fragment is held back for its sake."""
        if self._period:
            raise RuntimeError("A period begins before the one before it has ended.")
        self._period = _Period(last)

    def feed(self, piece: bytes) -> list[bytes]:
        """Take the next piece of ffmpeg's output and return what is to be sent on.

        Raises:
            TranscodeError: the output is broken, or not in the form that can be joined.
            UnsupportedSourceError: this period cannot be joined to the ones before it.
        """
        period = self._running()
        events: Iterator[Event] = period.splitter.feed(piece)
        if self._cutting:
            cutting = self._cutting
            events = (wanted for event in events for wanted in cutting.feed(event, period.count))
        return self._counted(part for event in events for part in self._take(period, event))

    def end_period(self) -> tuple[list[bytes], PeriodCount]:
        """End a period whose ffmpeg has ended well; return what was held back, and what ffmpeg wrote.

        Raises:
            TranscodeError: the output is not whole.
        """
        period = self._running()
        period.splitter.end()
        pieces = self._counted(part for event in self._cutting.rest() for part in self._take(period, event)) if self._cutting else []
        if self._film is None or period.place is None or (period.fragment and not period.media):
            raise TranscodeError("ffmpeg's output ends before its media.")
        self._period = None
        if period.fragment and not period.editor:
            self._close(self._film, period.fragment)
        return [*pieces, *self._counted(self._release(period))], period.count

    def finish(self) -> bytes:
        """Return the film's last bytes: with them, and only with them, it is whole."""
        if self._period or not self._film:
            raise RuntimeError("The film is finished before its last period.")
        index = self._film.index.write()
        self._bytes_out += len(index)
        return index

    def _running(self) -> _Period:
        """Return the period that has begun."""
        if not self._period:
            raise RuntimeError("No period has begun.")
        return self._period

    def _counted(self, parts: Iterator[bytes]) -> list[bytes]:
        """Count what goes out, part by part: the index lists fragments by it."""
        given = []
        try:
            for part in parts:
                self._bytes_out += len(part)
                given.append(part)
        except (struct.error, OverflowError) as error:
            raise TranscodeError("ffmpeg's output has times that cannot be.") from error
        return given

    def _take(self, period: _Period, event: Event) -> Iterator[bytes]:
        """Take one part of ffmpeg's output."""
        if isinstance(event, bytes):
            yield from self._media(period, event)
        elif isinstance(event, MediaStart):
            yield from self._media_start(period, event)
        elif event.kind == b"moof":
            yield from self._fragment(period, event.data)
        elif event.kind == b"moov" and not period.header:
            period.header = read_header(event.data)
            if self._film:
                check_same(period.header, self._film.header)
        elif event.kind == b"ftyp" and not period.header:
            period.begin = event.data
        elif event.kind in {b"ftyp", b"moov"}:
            raise TranscodeError("ffmpeg's output has a second header.")

    def _fragment(self, period: _Period, moof: bytes) -> Iterator[bytes]:
        """Take a `moof`: give the fragment before it if that was held back, and decide where this one's samples lie."""
        if not period.header or (period.fragment and not period.media):
            raise TranscodeError("ffmpeg's output has a fragment without its header or its media.")
        yield from self._release(period)
        fragment = read_fragment(moof, period.header)
        period.count.add(fragment)
        if not period.place:
            yield from self._settle(period, period.header, fragment)
        film, place = self._film, period.place
        if not film or not place:
            raise RuntimeError("A period has no place.")
        if self._cutting:
            self._cutting.trim(fragment, place)
        for run in fragment.runs:
            medium = run.track.medium
            film.track(medium).place(fragment, run, place.shift[medium])
            if run.decode_time < 0:
                raise TranscodeError("A track goes back to before its beginning.")
        period.fragment, period.media, period.editor, period.held = fragment, False, None, []

    def _settle(self, period: _Period, header: Header, fragment: Fragment) -> Iterator[bytes]:
        """Decide from a period's first fragment where the period lies; the first one brings the film's header."""
        if self._film:
            if self._film.sound:
                self._film.sound.begin()
            period.place = next_place(fragment, self._film.header, self._film.zero, self._film.end)
            return
        if self._cutting:
            self._cutting.begin(fragment, header)
        period.place = first_place(fragment, header)
        if self._cutting:
            self.lengths = self._cutting.settle(period.place, header, self.lengths)
        tracks = {track.medium: track for track in header.tracks}
        video, audio = tracks.get(Medium.VIDEO), tracks.get(Medium.AUDIO)
        picture, sound = VideoTimeline(video) if video else None, AudioTimeline(audio) if audio else None
        self._film = OutputTimeline(header, period.place.zero, picture, sound, Index(video or header.tracks[0]))
        yield period.begin
        yield write_moov(header, self.lengths, period.place.zero)

    def _media_start(self, period: _Period, event: MediaStart) -> Iterator[bytes]:
        """Take the header of an `mdat`."""
        fragment = period.fragment
        if not fragment or period.media:
            raise TranscodeError("ffmpeg's output has media that no fragment describes.")
        begin = len(fragment.moof) + event.header
        if any(run.data_at < begin or run.data_end > begin + event.length for run in fragment.runs):
            raise TranscodeError("A fragment's samples do not lie in its media.")
        period.media, fragment.media, fragment.media_header = True, event.length, event.header
        if period.last or event.length > self._max_held:
            yield from self._release(period)

    def _media(self, period: _Period, piece: bytes) -> Iterator[bytes]:
        """Take a piece of an `mdat`: hold it back, or let it pass."""
        if period.editor:
            yield from period.editor.feed(piece)
        else:
            period.held.append(piece)

    def _close(self, film: OutputTimeline, fragment: Fragment) -> None:
        """Let the sound of a period's last fragment end with the period."""
        run = fragment.run(Medium.AUDIO)
        if not run or not film.sound:
            return
        limit = round(film.end * film.sound.track.timescale) + film.zero[Medium.AUDIO]
        film.sound.cut(fragment, run, limit)
        film.sound.lengthen(fragment, run, limit)

    def _release(self, period: _Period) -> Iterator[bytes]:
        """Give the newest fragment, unless that was done: its `moof`, and its `mdat` as far as it has come."""
        fragment, film = period.fragment, self._film
        if not fragment or not film or period.editor:
            return
        begin = len(fragment.moof) + fragment.media_header
        if not fragment.runs:  # nothing of it is wanted
            period.editor, period.held = Editor([Edit(begin, fragment.media)], begin), []
            return
        period.editor = Editor(fragment.edits, begin)
        film.fragments += 1
        for number, run in enumerate((run for run in fragment.runs if run.sizes), 1):
            if run.track.medium is film.index.track.medium and not run.flags[0] & NOT_SYNC:
                film.index.add(run.decode_time + run.offsets[0], moof_at=self._bytes_out, number=number)
        yield retimed(fragment, film.fragments, film.header)
        yield media_header(fragment.media_written)
        for piece in period.held:
            yield from period.editor.feed(piece)
        period.held = []
