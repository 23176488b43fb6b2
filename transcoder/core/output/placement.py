"""Where a period lies in the film: its shift, from its own first times and the end of what was before."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from itertools import accumulate
from operator import add

from transcoder.core.media.streams import Medium
from transcoder.core.output.fragment import Fragment
from transcoder.core.output.header import Header
from transcoder.errors import TranscodeError, UnsupportedSourceError

_WRAP = Fraction(2**33, 90_000)
"""Seconds after which the timestamps of a transport stream begin anew (ISO/IEC 13818-1, 2.4.3.6)."""


@dataclass(frozen=True, slots=True)
class Place:
    """How many ticks each track's times are to be shifted, and the media times at which the film begins."""

    shift: Mapping[Medium, int]
    zero: Mapping[Medium, int]


def first_place(fragment: Fragment, header: Header) -> Place:
    """Place the first period: the film begins with whichever track is presented first.

    The others keep their distance to it, to within a tick. Each track's media times begin where its decoding does, and its edit list says
    when that is: libavformat counts a late track's delay twice into the film's length if its decode times alone tell of it.
    """
    wraps, begins = _begins(fragment)
    origin = min(begins.values())
    shift, zero = {}, {}
    for track in header.tracks:
        run = fragment.run(track.medium)
        shift[track.medium] = wraps.get(track.medium, 0) - round(origin * track.timescale)
        zero[track.medium] = -run.decode_time - shift[track.medium] if run else 0
        shift[track.medium] += zero[track.medium]
    return Place(shift, zero)


def next_place(fragment: Fragment, film: Header, zero: Mapping[Medium, int], at: Fraction) -> Place:
    """Place a later period: its first picture (or sound, in a film without pictures) is presented `at` seconds after the film's begin."""
    wraps, begins = _begins(fragment)
    leader = min(begins, key=[Medium.VIDEO, Medium.AUDIO].index)
    scale = next(track.timescale for track in film.tracks if track.medium is leader)
    distance = Fraction(math.ceil((at - begins[leader]) * scale), scale)
    shift = {track.medium: round(distance * track.timescale) + zero[track.medium] + wraps.get(track.medium, 0) for track in film.tracks}
    return Place(shift, zero)


def _begins(fragment: Fragment) -> tuple[dict[Medium, int], dict[Medium, Fraction]]:
    """Return when each track of a period is first presented, in seconds, and by how many ticks its times had to be unwrapped for it."""
    begins: dict[Medium, Fraction] = {}
    for run in fragment.runs:
        # Not always the first sample's: pictures that lead to it may be presented before it
        first = run.decode_time + min(map(add, accumulate(run.durations, initial=0), run.offsets))
        begins[run.track.medium] = Fraction(first, run.track.timescale)
    if not begins:
        raise TranscodeError("A period begins with a fragment that holds nothing.")
    latest = max(begins.values())
    wraps: dict[Medium, int] = {}
    for run in fragment.runs:
        medium = run.track.medium
        if latest - begins[medium] > _WRAP / 2:
            begins[medium] += _WRAP
            wraps[medium] = round(_WRAP * run.track.timescale)
    return wraps, begins


def check_same(header: Header, film: Header) -> None:
    """See that a later period can be joined to the film.

    Raises:
        UnsupportedSourceError: it has other tracks, another codec, another sampling rate or other channels.
    """
    described = [
        {track.medium: (track.entry, track.timescale, track.sample_rate, track.channels, track.parameter_sets) for track in one.tracks}
        for one in (header, film)
    ]
    if described[0].keys() != described[1].keys():
        raise UnsupportedSourceError("The source loses or gains its sound or its picture on the way.")
    if described[0] != described[1]:
        raise UnsupportedSourceError("The source changes its codec, sampling rate or channels on the way.")
