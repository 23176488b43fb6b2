"""Where a period lies in the output: its shift, from its own first times and the end of what came before."""

import math
from collections.abc import Mapping
from fractions import Fraction
from itertools import accumulate
from operator import add
from typing import NamedTuple

from transcoder.core.media.streams import Medium
from transcoder.core.output.fragment import Fragment
from transcoder.core.output.header import OutputHeader
from transcoder.core.output.timeline import MAX_SILENCE_SECONDS
from transcoder.errors import TranscodeError, UnsupportedSourceError

_WRAP = Fraction(2**33, 90_000)
"""Seconds after which the timestamps of a transport stream wrap (ISO/IEC 13818-1, 2.4.3.6)."""


_MAX_CLOCK_GAP = Fraction(60, 1000)
"""Seconds between the end of one period and the start of the next, by the source's own times, up to which the clock counts as one."""
MAX_AUDIO_OVERLAP_SECONDS = Fraction(120, 1000)
"""Encoders add some audio frames at the beginning and at the end, so that those of two periods may overlap by this much."""
_MAX_CLOCK_OVERLAP = {Medium.VIDEO: Fraction(5, 1000), Medium.AUDIO: MAX_AUDIO_OVERLAP_SECONDS}
"""By how much two periods may overlap on one clock: pictures cannot be dropped, audio frames can."""
_JOINED_ENTRIES = {b"avc3": b"avc1"}
"""Types of sample entries that differ only in where parameter sets may be. Those of joined periods are in the samples under either type."""


class Placement(NamedTuple):
    """How many ticks each track's times are shifted by, and the media times at which the output begins."""

    distance: Fraction
    """Seconds from the source's times to those of the output."""
    shift: Mapping[Medium, int]
    media_start: Mapping[Medium, int]


def place_first(fragment: Fragment, header: OutputHeader) -> Placement:
    """Place the first period: the output begins with whichever track is presented first.

    The others keep their distance to it, to within a tick. Each track's media times begin where its decoding does, and its edit list says
    when that is: libavformat counts a late track's delay twice into the duration if its decode times alone show it.
    """
    unwrapping, starts = _starts(fragment)
    origin = min(starts.values())
    shift, media_start = {}, {}
    for track in header.tracks:
        run = fragment.run(track.medium)
        shift[track.medium] = unwrapping.get(track.medium, 0) - round(origin * track.timescale)
        media_start[track.medium] = -run.decode_time - shift[track.medium] if run else 0
        shift[track.medium] += media_start[track.medium]
    return Placement(-origin, shift, media_start)


def place_next(
    fragment: Fragment, output: OutputHeader, media_start: Mapping[Medium, int], at: Fraction, ends: Mapping[Medium, Fraction]
) -> Placement:
    """Place a later period: its first video frame (or audio, in an output without video) is presented `at` seconds into the output.

    Where its audio begins so early that more than a few frames of it would lie before that of the output `ends`, it is presented later.
    """
    unwrapping, starts = _starts(fragment)
    leader = _leader(starts)
    timescale = next(track.timescale for track in output.tracks if track.medium is leader)
    distance = at - starts[leader]
    if Medium.AUDIO in starts and Medium.AUDIO in ends:
        overlap = ends[Medium.AUDIO] - (starts[Medium.AUDIO] + distance)
        distance += overlap if overlap > MAX_AUDIO_OVERLAP_SECONDS else 0
    distance = Fraction(math.ceil(distance * timescale), timescale)
    return _at_distance(distance, output, media_start, unwrapping)


def place_on_same_clock(
    fragment: Fragment, output: OutputHeader, before: Placement, ends: Mapping[Medium, Fraction], *, has_pause: bool = False
) -> Placement | None:
    """Place a later period where its own times put it, if by them it goes on where the one `before` it ended; None if it does not.

    Then what reaches over the border in one medium stays whole. `ends` says when each track ends, in seconds into the output. With
    `has_pause` the clock is known to be one, and it may go on as late as silence can last.
    """
    unwrapping, starts = _starts(fragment)
    leader, longest = _leader(starts), MAX_SILENCE_SECONDS if has_pause else _MAX_CLOCK_GAP
    for distance in (before.distance, before.distance + _WRAP, before.distance - _WRAP):
        gaps = {medium: start + distance - ends[medium] for medium, start in starts.items() if medium in ends}
        overlaps = any(-gap > _MAX_CLOCK_OVERLAP[medium] for medium, gap in gaps.items())
        if not overlaps and gaps[leader] <= longest:
            return _at_distance(distance, output, before.media_start, unwrapping)
    return None


def _leader(starts: Mapping[Medium, Fraction]) -> Medium:
    return min(starts, key=[Medium.VIDEO, Medium.AUDIO].index)


def _at_distance(
    distance: Fraction, output: OutputHeader, media_start: Mapping[Medium, int], unwrapping: Mapping[Medium, int]
) -> Placement:
    shift = {
        track.medium: round(distance * track.timescale) + media_start[track.medium] + unwrapping.get(track.medium, 0)
        for track in output.tracks
    }
    return Placement(distance, shift, media_start)


def _starts(fragment: Fragment) -> tuple[dict[Medium, int], dict[Medium, Fraction]]:
    """Return when each track of a period is first presented, in seconds, and how many ticks had to be added to unwrap its times."""
    starts: dict[Medium, Fraction] = {}
    for run in fragment.runs:
        # Not always the first sample: frames that lead up to it in decoding order may be presented before it.
        first = run.decode_time + min(map(add, accumulate(run.durations, initial=0), run.offsets))
        starts[run.track.medium] = Fraction(first, run.track.timescale)
    if not starts:
        raise TranscodeError("A period begins with an empty fragment.")
    latest = max(starts.values())
    unwrapping: dict[Medium, int] = {}
    for run in fragment.runs:
        medium = run.track.medium
        if latest - starts[medium] > _WRAP / 2:
            starts[medium] += _WRAP
            unwrapping[medium] = round(_WRAP * run.track.timescale)
    return unwrapping, starts


def check_joinable(header: OutputHeader, output: OutputHeader) -> None:
    """Check that a later period can be joined to the output.

    Raises:
        UnsupportedSourceError: it has other tracks, another codec, another sampling rate or other channels.
    """
    described = [
        {
            track.medium: (
                _JOINED_ENTRIES.get(track.entry.type, track.entry.type),
                track.timescale,
                track.sample_rate,
                track.channels,
                track.parameter_sets,
            )
            for track in one.tracks
        }
        for one in (header, output)
    ]
    if described[0].keys() != described[1].keys():
        raise UnsupportedSourceError("The source loses or gains its audio or its video on the way.")
    if described[0] != described[1]:
        raise UnsupportedSourceError("The source changes its codec, sampling rate or channels on the way.")
