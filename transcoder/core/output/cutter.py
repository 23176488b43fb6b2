"""A film that begins with a key picture inside its source, and ends before it does.

ffmpeg begins a fragment with each key picture, so a film can begin with any fragment whose first picture is one. Times here are those
that ffmpeg writes, which are the source's own.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import accumulate, pairwise
from operator import add

from transcoder.core.media.streams import Medium
from transcoder.core.media.timestamps import unwrap
from transcoder.core.output.boxes import Box, MediaStart
from transcoder.core.output.fragment import NOT_SYNC, Edit, Fragment, Run, read_fragment
from transcoder.core.output.header import Header, Lengths, read_header
from transcoder.core.output.placement import Place
from transcoder.core.output.written import PeriodCount

Event = Box | MediaStart | bytes

_STEP_SECONDS = 0.001
"""Pictures that only others need, behind the end, are shown so long each."""


@dataclass(frozen=True, slots=True)
class Cut:
    """What of a source is wanted, on the timeline of its first period, in seconds."""

    start: float | None
    """None: from its begin."""
    seconds: float | None
    """None: to its end."""
    ends: Mapping[Medium, float]
    """When each medium would end."""


class Cutting:
    """Carries out a cut: holds back fragments until it is known with which one the film begins, and drops samples behind its end."""

    def __init__(self, cut: Cut, *, max_held: int) -> None:
        """Hold back at most `max_held` bytes; a film whose key pictures are further apart than that begins with an earlier one."""
        self._cut = cut
        self._max_held = max_held
        self._begun = cut.start is None
        self._start = cut.start or 0.0
        self._from: float | None = None
        """When the film's first key picture is shown: the sound before it is dropped."""
        self._until: float | None = None
        self._header: Header | None = None
        self._near: float | None = None
        self._held: list[Event] = []
        self._held_bytes = 0
        self._has_key = False
        self._over = 0
        self._first: Fragment | None = None

    def feed(self, event: Event, count: PeriodCount) -> list[Event]:
        """Take the next part of ffmpeg's output, and give what goes on; what is left out is still counted."""
        if self._begun:
            return [event]
        if isinstance(event, Box) and event.kind != b"moof":
            self._header = read_header(event.data) if event.kind == b"moov" else self._header
            return [event]
        if isinstance(event, Box) and self._header:
            self._look(read_fragment(event.data, self._header), count)
        self._held.append(event)
        self._held_bytes += len(event) if isinstance(event, bytes) else 0
        return self.rest() if self._begun or self._held_bytes > self._max_held else []

    def rest(self) -> list[Event]:
        """Give what is held back: the film begins with it."""
        held, self._held, self._begun = self._held, [], True
        return held

    def _look(self, fragment: Fragment, count: PeriodCount) -> None:
        """See whether the film may begin with this fragment, or with one held back and none behind it."""
        run = _leader(fragment, self._header)
        if run is None:
            return
        scale = run.track.timescale
        shown, decoded = (run.decode_time + run.offsets[0]) / scale, (run.decode_time + sum(run.durations)) / scale
        if self._near is None:
            self._near = shown
            self._start = unwrap(self._start, near=shown)
        key = run.track.medium is Medium.AUDIO or not run.flags[0] & NOT_SYNC
        if key and (shown <= self._start or not self._has_key):
            self._drop_held(count)
            self._has_key = True
        # No picture is shown before it is decoded, so all later ones are shown after the wanted begin.
        self._begun = decoded > self._start

    def _drop_held(self, count: PeriodCount) -> None:
        for event in self._held:
            if isinstance(event, Box) and self._header:
                count.add(read_fragment(event.data, self._header))
        self._held, self._held_bytes = [], 0

    def begin(self, fragment: Fragment, header: Header) -> None:
        """Trim the film's first fragment: to its key picture, or the sound to the wanted begin."""
        if self._cut.start is None:
            return
        run = _leader(fragment, header)
        if run is not None and run.track.medium is Medium.VIDEO:
            self._from = (run.decode_time + run.offsets[0]) / run.track.timescale
        else:
            self._from = self._start
        self._trim_begin(fragment, slack=0.5)
        self._first = fragment

    def settle(self, place: Place, header: Header, lengths: Lengths) -> Lengths:
        """Return what the header is to promise, now that the film's begin is known."""
        leader = header.tracks[0]
        origin = (place.zero[leader.medium] - place.shift[leader.medium]) / leader.timescale
        if self._cut.start is None:
            self._start = origin
        if self._cut.seconds is not None:
            self._until = self._start + self._cut.seconds - origin
        tracks = {}
        ends = []
        for medium, length in lengths.tracks.items():
            end = unwrap(self._cut.ends[medium], near=origin) - origin
            begin = max(0.0, end - length)
            ends.append(end if self._until is None else min(end, self._until))
            tracks[medium] = max(0.0, ends[-1] - begin)
        return Lengths(max(ends), tracks)

    def trim(self, fragment: Fragment, place: Place) -> None:
        """Drop what does not belong to the film from a fragment that lies at `place`."""
        if fragment is not self._first:
            self._trim_begin(fragment, slack=0.0)
        if self._until is None:
            return
        for run in fragment.runs:
            medium = run.track.medium
            limit = round(self._until * run.track.timescale) - place.shift[medium] + place.zero[medium]
            if medium is Medium.VIDEO:
                self._end_picture(fragment, run, limit)
            else:
                drop(fragment, run, [begin + length / 2 < limit for begin, length in _timed(run)])
        fragment.runs = [run for run in fragment.runs if run.sizes]

    def _trim_begin(self, fragment: Fragment, *, slack: float) -> None:
        """Drop what comes before the begin; sound only if less than `slack` of its frame lies behind it."""
        if self._from is None:
            return
        for run in fragment.runs:
            begin = self._from * run.track.timescale
            if run.track.medium is Medium.VIDEO:
                # Pictures that are shown before the key picture lean on what is not there.
                drop(fragment, run, [shown >= round(begin) for shown in _shown(run)])
            elif run.decode_time < begin:
                drop(fragment, run, [at + length * slack >= begin for at, length in _timed(run)])
        fragment.runs = [run for run in fragment.runs if run.sizes]

    def _end_picture(self, fragment: Fragment, run: Run, limit: int) -> None:
        """Drop the pictures at or behind `limit` that no picture before it can need; show the others as briefly as may be."""
        shown = list(_shown(run))
        if run.decode_time + sum(run.durations) >= limit:
            kept = max((index + 1 for index, time in enumerate(shown) if time < limit), default=0)
            drop(fragment, run, [index < kept for index in range(len(shown))])
            shown = shown[:kept]
        late = sorted(index for index, time in enumerate(shown) if time >= limit)
        if not late:
            return
        fragment.rewritten = True
        offsets, step = list(run.offsets), max(1, round(_STEP_SECONDS * run.track.timescale))
        for index in sorted(late, key=shown.__getitem__):
            offsets[index] += limit + step * self._over - shown[index]
            self._over += 1
        run.offsets = offsets


def drop(fragment: Fragment, run: Run, kept: list[bool]) -> None:
    """Take out of a run the samples that are not `kept`; the times of the others stay."""
    if all(kept):
        return
    fragment.rewritten = True
    at, times = run.data_at, list(accumulate(run.durations, initial=run.decode_time))
    gone = {edit.at: edit.drop for edit in fragment.edits}
    for keep, size in zip(kept, run.sizes, strict=True):
        while at in gone:
            at += gone[at]
        if not keep:
            fragment.edits.append(Edit(at, size))
        at += size
    left = [index for index, keep in enumerate(kept) if keep]
    run.data_end -= sum(run.sizes[left[-1] + 1 :]) if left else sum(run.sizes)
    if left:
        begins = [times[index] for index in left]
        run.decode_time, run.durations = begins[0], [after - before for before, after in pairwise([*begins, times[left[-1] + 1]])]
    run.sizes, run.flags, run.offsets = ([column[index] for index in left] for column in (run.sizes, run.flags, run.offsets))


def _leader(fragment: Fragment, header: Header | None) -> Run | None:
    """Return the run that decides where a film begins: the picture's, or the sound's where there is no picture."""
    has_picture = header is not None and any(track.medium is Medium.VIDEO for track in header.tracks)
    return fragment.run(Medium.VIDEO if has_picture else Medium.AUDIO)


def _shown(run: Run) -> Iterator[int]:
    return map(add, accumulate(run.durations, initial=run.decode_time), run.offsets)


def _timed(run: Run) -> Iterator[tuple[int, int]]:
    return zip(accumulate(run.durations, initial=run.decode_time), run.durations, strict=False)
