"""An output that begins at a key frame inside its source, and ends before it does.

ffmpeg begins a fragment with each key frame, so that an output can begin with any fragment whose first frame is one. Times here are those
that ffmpeg writes, which are the source's own.
"""

from collections.abc import Iterator, Mapping
from itertools import accumulate, pairwise
from operator import add
from statistics import mode
from typing import NamedTuple

from transcoder.core.media.mp4.box_reader import BoxEvent
from transcoder.core.media.mp4.boxes import Box
from transcoder.core.media.mp4.fragment import NOT_SYNC
from transcoder.core.media.streams import Medium
from transcoder.core.media.timestamps import unwrap
from transcoder.core.output.fragment import DataEdit, Fragment, TrackRun, read_fragment
from transcoder.core.output.header import Durations, OutputHeader, read_header
from transcoder.core.output.period_placement import Placement
from transcoder.core.output.written_samples import WrittenSamples
from transcoder.errors import BadRequestError

STEP_SECONDS = 0.001
"""Frames beyond the end that are needed only to decode others are presented for so long each."""
START_SLACK = 0.5
"""An output begins with an audio frame of which at least this share lies after the start."""


class Cut(NamedTuple):
    """Which part of a source the output has, in seconds on the timeline of its first period."""

    start: float | None
    """None: from its beginning."""
    seconds: float | None
    """None: to its end."""
    ends: Mapping[Medium, float]
    """When each medium would end."""


class Cutter:
    """Applies a cut: holds fragments back until the first one of the output is known, and drops samples beyond its end."""

    def __init__(self, cut: Cut, *, max_held: int) -> None:
        """Hold back at most `max_held` bytes; if key frames are further apart than that, the output begins with an earlier one."""
        self._cut = cut
        self._max_held = max_held
        self._begun = cut.start is None
        self._start = cut.start or 0.0
        self._first_presented: float | None = None
        """When the first key frame of the output is presented: the audio before it is dropped."""
        self._until: float | None = None
        self._header: OutputHeader | None = None
        self._near: float | None = None
        self._held: list[BoxEvent] = []
        self._held_bytes = 0
        self._has_key_frame = False
        self._squeezed_frames = 0
        self._first: Fragment | None = None
        self._frame_seconds: dict[Medium, float] = {}

    def feed(self, event: BoxEvent, written: WrittenSamples) -> list[BoxEvent]:
        """Take the next part of ffmpeg's output and return what goes on; what is left out is still counted."""
        if self._begun:
            return [event]
        if isinstance(event, Box) and event.type != b"moof":
            self._header = read_header(event) if event.type == b"moov" else self._header
            return [event]
        if isinstance(event, Box) and self._header:
            self._consider(read_fragment(event, self._header), written)
        self._held.append(event)
        self._held_bytes += len(event) if isinstance(event, bytes) else 0
        return self.release() if self._begun or self._held_bytes > self._max_held else []

    def release(self) -> list[BoxEvent]:
        """Return what is held back: the output begins with it."""
        held, self._held, self._begun = self._held, [], True
        return held

    def _consider(self, fragment: Fragment, written: WrittenSamples) -> None:
        """Decide whether the output may begin with this fragment, or with one held back and none after it."""
        run = _leading_run(fragment, self._header)
        if run is None:
            return
        scale = run.track.timescale
        presented, decoded = (run.decode_time + run.offsets[0]) / scale, (run.decode_time + sum(run.durations)) / scale
        if self._near is None:
            self._near = presented
            self._start = unwrap(self._start, near=presented)
        if run.track.medium is Medium.AUDIO:
            self._drop_held(written)  # nothing of it is kept, or the output had begun with it
            self._begun = any(_audio_kept(run, self._start * scale, slack=START_SLACK))
            return
        if not run.flags[0] & NOT_SYNC and (presented <= self._start or not self._has_key_frame):
            self._drop_held(written)
            self._has_key_frame = True
        # No frame is presented before it is decoded, so that all later ones are presented after the start.
        self._begun = decoded > self._start

    def _drop_held(self, written: WrittenSamples) -> None:
        for event in self._held:
            if isinstance(event, Box) and self._header:
                written.add(read_fragment(event, self._header))
        self._held, self._held_bytes = [], 0

    def begin_later_period(self) -> None:
        """Begin a period after the one that the output began in: all of it lies after the start, whatever its clock says."""
        self._first_presented = None

    def trim_first(self, fragment: Fragment, header: OutputHeader) -> None:
        """Trim the first fragment of the output to its key frame, or the audio to the start.

        Raises:
            BadRequestError: nothing of it is left, because the media of its period ends before the start.
        """
        # A frame that is presented before the end lasts beyond it, by less than its own duration.
        self._frame_seconds = {run.track.medium: mode(run.durations) / run.track.timescale for run in fragment.runs}
        if self._cut.start is None:
            return
        run = _leading_run(fragment, header)
        if run is not None and run.track.medium is Medium.VIDEO:
            self._first_presented = (run.decode_time + run.offsets[0]) / run.track.timescale
        else:
            self._first_presented = self._start
        self._trim_start(fragment, slack=START_SLACK)
        if not fragment.runs:
            raise BadRequestError("start: the media there ends before that, although the playlist goes on.")
        self._first = fragment

    def durations(self, placement: Placement, header: OutputHeader, announced: Durations) -> Durations:
        """Return what the header is to announce, now that the start of the output is known."""
        leader = header.tracks[0]
        origin = (placement.media_start[leader.medium] - placement.shift[leader.medium]) / leader.timescale
        if self._cut.start is None:
            self._start = origin
        if self._cut.seconds is not None:
            self._until = self._start + self._cut.seconds - origin
        tracks = {}
        ends = []
        for medium, length in announced.tracks.items():
            end = unwrap(self._cut.ends[medium], near=origin) - origin
            start = max(0.0, end - length)
            ends.append(end if self._until is None else min(end, self._until + self._frame_seconds.get(medium, 0.0)))
            tracks[medium] = max(0.0, ends[-1] - start)
        return Durations(max(ends), tracks)

    def trim(self, fragment: Fragment, placement: Placement) -> None:
        """Drop what does not belong to the output from a fragment that lies at `placement`."""
        if fragment is not self._first:
            self._trim_start(fragment, slack=0.0)
        if self._until is None:
            return
        for run in fragment.runs:
            medium = run.track.medium
            limit = round(self._until * run.track.timescale) - placement.shift[medium] + placement.media_start[medium]
            if medium is Medium.VIDEO:
                self._trim_video_end(fragment, run, limit)
            else:
                drop(fragment, run, [start + length / 2 < limit for start, length in _decode_spans(run)])
        fragment.runs = [run for run in fragment.runs if run.sizes]

    def _trim_start(self, fragment: Fragment, *, slack: float) -> None:
        """Drop what comes before the start; an audio frame only if less than `slack` of it lies after the start."""
        if self._first_presented is None:
            return
        for run in fragment.runs:
            start = self._first_presented * run.track.timescale
            if run.track.medium is Medium.VIDEO:
                # Frames that are presented before the key frame need frames that are not there.
                drop(fragment, run, [presented >= round(start) for presented in _presentation_times(run)])
            elif run.decode_time < start:
                drop(fragment, run, _audio_kept(run, start, slack=slack))
        fragment.runs = [run for run in fragment.runs if run.sizes]

    def _trim_video_end(self, fragment: Fragment, run: TrackRun, limit: int) -> None:
        """Drop the frames at or beyond `limit` that no frame before it can need; present the others as briefly as possible."""
        presented = list(_presentation_times(run))
        if run.decode_time + sum(run.durations) >= limit:
            kept = max((index + 1 for index, time in enumerate(presented) if time < limit), default=0)
            drop(fragment, run, [index < kept for index in range(len(presented))])
            presented = presented[:kept]
        beyond = [index for index, time in enumerate(presented) if time >= limit]
        if not beyond:
            return
        fragment.rewritten = True
        offsets, step = list(run.offsets), max(1, round(STEP_SECONDS * run.track.timescale))
        for index in sorted(beyond, key=presented.__getitem__):
            offsets[index] += limit + step * self._squeezed_frames - presented[index]
            self._squeezed_frames += 1
        run.offsets = offsets


def drop(fragment: Fragment, run: TrackRun, kept: list[bool]) -> None:
    """Take the samples that are not `kept` out of a run; the times of the others stay."""
    if all(kept):
        return
    fragment.rewritten = True
    at, times = run.data_start, list(accumulate(run.durations, initial=run.decode_time))
    run.data_end = at
    gone = {edit.at: edit.drop for edit in fragment.edits}
    for keep, size in zip(kept, run.sizes, strict=True):
        while at in gone:
            at += gone[at]
        if not keep:
            fragment.edits.append(DataEdit(at, size))
        at += size
        run.data_end = at if keep else run.data_end
    left = [index for index, keep in enumerate(kept) if keep]
    if left:
        starts = [times[index] for index in left]
        run.decode_time, run.durations = starts[0], [after - before for before, after in pairwise([*starts, times[left[-1] + 1]])]
    run.sizes, run.flags, run.offsets = ([column[index] for index in left] for column in (run.sizes, run.flags, run.offsets))


def _leading_run(fragment: Fragment, header: OutputHeader | None) -> TrackRun | None:
    """Return the run that decides where an output begins: the video's, or the audio's where there is no video."""
    has_video = header is not None and any(track.medium is Medium.VIDEO for track in header.tracks)
    return fragment.run(Medium.VIDEO if has_video else Medium.AUDIO)


def _presentation_times(run: TrackRun) -> Iterator[int]:
    return map(add, accumulate(run.durations, initial=run.decode_time), run.offsets)


def _audio_kept(run: TrackRun, start: float, *, slack: float) -> list[bool]:
    """Return which frames of an audio run an output has that begins at `start` ticks: those of which `slack` lies after it."""
    return [time + length * slack >= start for time, length in _decode_spans(run)]


def _decode_spans(run: TrackRun) -> Iterator[tuple[int, int]]:
    """Iterate over the decode time and duration of each sample."""
    return zip(accumulate(run.durations, initial=run.decode_time), run.durations, strict=False)
