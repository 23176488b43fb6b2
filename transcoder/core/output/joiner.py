"""Joins what one ffmpeg after another writes into one fragmented MP4."""

import struct
from collections.abc import Iterator

from transcoder.core.media.mp4.box_header import media_data_header
from transcoder.core.media.mp4.box_reader import BoxEvent, BoxStart
from transcoder.core.media.mp4.boxes import Box
from transcoder.core.media.mp4.fragment import NOT_SYNC
from transcoder.core.media.mp4.mfra import IndexEntry
from transcoder.core.media.streams import Medium
from transcoder.core.output.clip_cutter import Cut, Cutter
from transcoder.core.output.fragment import DataEdit, Fragment, MediaEditor, read_fragment, write_moof
from transcoder.core.output.header import Durations, OutputHeader, read_header, write_header
from transcoder.core.output.output_boxes import broken_as
from transcoder.core.output.period_placement import Placement, check_joinable, place_first, place_next, place_on_same_clock
from transcoder.core.output.running_period import RunningPeriod
from transcoder.core.output.timeline import OutputTimeline
from transcoder.core.output.written_samples import WrittenSamples
from transcoder.errors import TranscodeError

MAX_HELD_BYTES = 64 * 1024 * 1024
"""A longer fragment is not held back; should its audio be too long, the start of the next period is cut instead."""


class Joiner:
    """Takes fragmented MP4 as ffmpeg writes it, period after period, in pieces of any size; returns one MP4.

    Each period comes from one ffmpeg with `-copyts -avoid_negative_ts disabled -use_editlist 0 -movflags
    frag_keyframe+delay_moov+default_base_moof+frag_discont`: every `tfdt` is then the source's own decode time. The result is one header,
    which announces the true duration, fragments on one timeline, and an index at the end. Memory holds one header, one `moof` and, only in
    a period that another one is known to follow, one fragment; media data passes as it comes.
    """

    def __init__(self, durations: Durations, *, cut: Cut | None = None, max_held: int = MAX_HELD_BYTES) -> None:
        """Make an MP4 whose header announces `durations`, or less by a `cut`; hold back no more than `max_held` bytes of media data."""
        self._max_held = max_held
        self.durations = durations
        """What the header announces, once there is output."""
        self._cutter = Cutter(cut, max_held=max_held) if cut else None
        self._timeline: OutputTimeline | None = None
        self._period: RunningPeriod | None = None
        self._ended: RunningPeriod | None = None
        """The period before, while its newest fragment is held back."""
        self._cuts_end = False
        """The newest period was expected to be followed by another one."""
        self._placement: Placement | None = None
        """Where the newest period lies."""
        self._bytes_out = 0

    @property
    def bytes_out(self) -> int:
        """How many bytes have been returned so far."""
        return self._bytes_out

    @property
    def has_output(self) -> bool:
        """Whether anything has been returned so far."""
        return self._timeline is not None

    @property
    def seconds(self) -> dict[Medium, float]:
        """Where each track ends so far, in seconds into the output; fragments that have begun count whole."""
        return {medium: float(end) for medium, end in self._timeline.ends.items()} if self._timeline else {}

    def begin_period(self, *, last: bool = True, ends_with_slide: bool = False, goes_on_from: float | None = None) -> None:
        """Begin a period; after `goes_on_from` a pause stays.

        Its newest fragment is held back with `last=False`, because another period is known to follow, and for a slide.
        """
        if self._period:
            raise RuntimeError("A period begins before the one before it has ended.")
        if self._cutter and self._timeline:
            self._cutter.begin_later_period()
        self._period = RunningPeriod(is_held=not last or ends_with_slide, goes_on=goes_on_from is not None)
        self._cuts_end = not last

    def feed(self, piece: bytes) -> list[bytes]:
        """Take the next piece of ffmpeg's output and return what can be sent.

        Raises:
            TranscodeError: the output is broken, or not in the form that can be joined.
            UnsupportedSourceError: this period cannot be joined to the ones before it.
        """
        period = self._running()
        return self._collect(part for event in self._events(period, piece) for part in self._take(period, event))

    def end_period(self, video_seconds: float = 0.0) -> tuple[list[bytes], WrittenSamples]:
        """End a period whose ffmpeg has ended well; return what was held back, and what ffmpeg wrote.

        A slide at its end stays until its video is `video_seconds` long.

        Raises:
            TranscodeError: the output is not whole.
        """
        period = self._running()
        with broken_as("ffmpeg's output"):
            period.reader.end()
        pieces = self._collect(part for event in self._cutter.release() for part in self._take(period, event)) if self._cutter else []
        if self._timeline is None or period.placement is None or (period.fragment and not period.has_media):
            raise TranscodeError("ffmpeg's output ends before its media.")
        if self._timeline.video and period.fragment and not self._cutter:
            run = None if period.editor else period.fragment.run(Medium.VIDEO)
            self._timeline.video.keep_last_picture(period.fragment, run, video_seconds)
        self._period, self._ended = None, period
        return pieces, period.written

    def finish(self) -> bytes:
        """Return the last bytes of the output: with them, and only with them, it is whole."""
        if self._period or not self._timeline:
            raise RuntimeError("The output is finished before its last period.")
        rest = self._collect(self._release_ended(cut=self._cuts_end))
        index = self._timeline.index.write()
        self._bytes_out += len(index)
        return b"".join([*rest, index])

    def _running(self) -> RunningPeriod:
        if not self._period:
            raise RuntimeError("No period has begun.")
        return self._period

    def _events(self, period: RunningPeriod, piece: bytes) -> Iterator[BoxEvent]:
        with broken_as("ffmpeg's output"):
            for event in period.reader.feed(piece):
                yield from self._cutter.feed(event, period.written) if self._cutter else (event,)

    def _collect(self, parts: Iterator[bytes]) -> list[bytes]:
        """Count what goes out, part by part, since the index lists fragments by their offsets."""
        collected = []
        try:
            with broken_as("ffmpeg's output"):
                for part in parts:
                    self._bytes_out += len(part)
                    collected.append(part)
        except (struct.error, OverflowError) as error:
            raise TranscodeError("ffmpeg's output has impossible timestamps.") from error
        return collected

    def _take(self, period: RunningPeriod, event: BoxEvent) -> Iterator[bytes]:
        """Take one part of ffmpeg's output."""
        if isinstance(event, bytes):
            yield from self._take_media(period, event)
        elif isinstance(event, BoxStart):
            yield from self._take_media_start(period, event)
        elif event.type == b"moof":
            yield from self._take_fragment(period, event)
        elif event.type == b"moov" and not period.header:
            period.header = read_header(event)
            if self._timeline:
                check_joinable(period.header, self._timeline.header)
        elif event.type == b"ftyp" and not period.header:
            period.ftyp = event.data
        elif event.type in {b"ftyp", b"moov"}:
            raise TranscodeError("ffmpeg's output has a second header.")

    def _take_fragment(self, period: RunningPeriod, moof: Box) -> Iterator[bytes]:
        """Take a `moof`: release the fragment before it if that was held back, and decide where the samples of this one lie."""
        if not period.header or (period.fragment and not period.has_media):
            raise TranscodeError("ffmpeg's output has a fragment without its header or its media.")
        yield from self._release(period)
        fragment = read_fragment(moof, period.header)
        period.written.add(fragment)
        if not period.placement:
            yield from self._place_period(period, period.header, fragment)
        timeline, placement = self._timeline, period.placement
        if not timeline or not placement:
            raise RuntimeError("A period has no placement.")
        if self._cutter:
            self._cutter.trim(fragment, placement)
        for run in fragment.runs:
            medium = run.track.medium
            timeline.track(medium).place(fragment, run, placement.shift[medium])
            if run.decode_time < 0:
                raise TranscodeError("A track goes back to before its beginning.")
        period.fragment, period.has_media, period.editor, period.held = fragment, False, None, []

    def _place_period(self, period: RunningPeriod, header: OutputHeader, fragment: Fragment) -> Iterator[bytes]:
        """Decide from the first fragment of a period where the period lies; the first period brings the output's header."""
        if self._timeline and self._placement:
            self._timeline.begin_period()
            timeline, before = self._timeline, self._placement
            on_same_clock = place_on_same_clock(fragment, timeline.header, before, timeline.ends, has_pause=period.goes_on)
            yield from self._release_ended(cut=on_same_clock is None)
            period.placement = on_same_clock or place_next(fragment, timeline.header, timeline.media_start, timeline.end, timeline.ends)
            self._placement = period.placement
            return
        if self._cutter:
            self._cutter.trim_first(fragment, header)
        period.placement = self._placement = place_first(fragment, header)
        if self._cutter:
            self.durations = self._cutter.durations(period.placement, header, self.durations)
        self._timeline = OutputTimeline.for_header(header, period.placement.media_start)
        yield period.ftyp
        yield write_header(header, self.durations, period.placement.media_start)

    def _take_media_start(self, period: RunningPeriod, event: BoxStart) -> Iterator[bytes]:
        """Take the header of an `mdat`."""
        fragment = period.fragment
        if not fragment or period.has_media:
            raise TranscodeError("ffmpeg's output has media that no fragment describes.")
        if not fragment.lies_in_media(event.length, event.header_bytes):
            raise TranscodeError("The samples of a fragment do not lie in its media.")
        period.has_media, fragment.media_bytes, fragment.media_header_bytes = True, event.length, event.header_bytes
        if not period.is_held or event.length > self._max_held:
            yield from self._release(period)

    def _take_media(self, period: RunningPeriod, piece: bytes) -> Iterator[bytes]:
        """Take a piece of an `mdat`: hold it back, or let it pass."""
        if period.editor:
            yield from period.editor.feed(piece)
        else:
            period.held.append(piece)

    def _release_ended(self, *, cut: bool) -> Iterator[bytes]:
        """Return what the period before has held back; with `cut`, its audio ends with it."""
        ended, self._ended = self._ended, None
        if ended and ended.fragment and not ended.editor:
            if cut and self._timeline:
                self._timeline.end_audio_with_period(ended.fragment)
            yield from self._release(ended)

    def _release(self, period: RunningPeriod) -> Iterator[bytes]:
        """Return the newest fragment unless that was done: its `moof`, and its `mdat` as far as it has come."""
        fragment, timeline = period.fragment, self._timeline
        if not fragment or not timeline or period.editor:
            return
        if not fragment.runs:  # nothing of it goes into the output
            period.editor, period.held = MediaEditor([DataEdit(fragment.media_start, fragment.media_bytes)], fragment.media_start), []
            return
        period.editor = MediaEditor(fragment.edits, fragment.media_start)
        timeline.fragments += 1
        for number, run in enumerate((run for run in fragment.runs if run.sizes), 1):
            if run.track.medium is timeline.index.track.medium and not run.flags[0] & NOT_SYNC:
                timeline.index.add(IndexEntry(run.decode_time + run.offsets[0], self._bytes_out, number))
        yield write_moof(fragment, sequence=timeline.fragments, output=timeline.header)
        yield media_data_header(fragment.written_media_bytes)
        for piece in period.held:
            yield from period.editor.feed(piece)
        period.held = []
