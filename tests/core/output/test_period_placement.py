"""Where a later period lies in the output, by its own clock (ISO/IEC 13818-1, 2.4.3.6: it wraps after 2^33 ticks)."""

from fractions import Fraction

import pytest

from transcoder.core.media.mp4.boxes import Box, box
from transcoder.core.media.mp4.movie import Movie, TrackDefaults
from transcoder.core.media.mp4.sample_entry import SampleEntry
from transcoder.core.media.streams import Medium
from transcoder.core.output.fragment import Fragment, TrackRun
from transcoder.core.output.header import OutputHeader, OutputTrack
from transcoder.core.output.period_placement import Placement, place_first, place_on_same_clock

VIDEO, AUDIO = Medium.VIDEO, Medium.AUDIO
NOTHING = Box.whole(box(b"free"))
WRAP = Fraction(2**33, 90_000)
TRACKS = tuple(
    OutputTrack(medium, number, 90_000, SampleEntry(NOTHING), TrackDefaults(0, 0, 0), None, None, None)
    for number, medium in enumerate((VIDEO, AUDIO), 1)
)
HEADER = OutputHeader(Movie(NOTHING, 1000, 0, ()), TRACKS)


def fragment(starts: dict[Medium, Fraction]) -> Fragment:
    """Return a fragment of one sample in each track, presented when it is decoded."""
    runs = [
        TrackRun(track, round(starts[track.medium] * 90_000), 0, 0, [3600], [1], [0], [0], NOTHING, NOTHING)
        for track in TRACKS
        if track.medium in starts
    ]
    return Fragment(NOTHING, runs)


def later(
    start: Fraction, *, ends_at: Fraction, distance: Fraction, audio: Fraction = Fraction(0), has_pause: bool = False
) -> Placement | None:
    """Place a period that begins at `start`, after one whose times lie so far from those of the output, where it ends."""
    before = Placement(distance, {VIDEO: 0, AUDIO: 0}, {VIDEO: 0, AUDIO: 0})
    found = fragment({VIDEO: start, AUDIO: start + audio})
    return place_on_same_clock(found, HEADER, before, {VIDEO: ends_at, AUDIO: ends_at}, has_pause=has_pause)


@pytest.mark.parametrize(
    ("start", "distance"),
    [
        pytest.param(Fraction(14), Fraction(-10), id="the clock goes on"),
        pytest.param(Fraction(1), 3 - WRAP, id="it has wrapped"),
        pytest.param(WRAP + 14, Fraction(-10), id="ffmpeg has unwrapped it"),
    ],
)
@pytest.mark.parametrize(
    ("late", "is_same"),
    [(0, True), (60, True), (61, False), (-5, True), (-6, False), (-1000, False)],
)
def test_a_period_that_goes_on_within_60_milliseconds_is_on_the_same_clock(
    start: Fraction, distance: Fraction, late: int, *, is_same: bool
) -> None:
    """The period before it ends at 4 s into the output; pictures may overlap by 5 ms."""
    placed = later(start + Fraction(late, 1000), ends_at=Fraction(4), distance=distance)
    assert (placed is not None) is is_same
    if placed:
        assert start + placed.distance == 4


@pytest.mark.parametrize(("overlap", "is_same"), [(120, True), (121, False)])
def test_audio_may_overlap_by_120_milliseconds(overlap: int, *, is_same: bool) -> None:
    placed = later(Fraction(14), ends_at=Fraction(4), distance=Fraction(-10), audio=-Fraction(overlap, 1000))
    assert (placed is not None) is is_same


@pytest.mark.parametrize(("late", "is_same"), [(0, True), (1, True), (100_000, False)])
def test_after_a_pause_a_period_may_go_on_as_late_as_silence_can_last(late: int, *, is_same: bool) -> None:
    assert (later(Fraction(14 + late), ends_at=Fraction(4), distance=Fraction(-10), has_pause=True) is not None) is is_same


@pytest.mark.parametrize(
    ("video", "audio"),
    [
        (Fraction(10), Fraction(10)),
        (Fraction(10), Fraction(21, 2)),
        (Fraction(21, 2), Fraction(10)),
        (Fraction(0), WRAP - 1),
        (WRAP - 1, Fraction(0)),
    ],
)
def test_the_first_period_begins_with_the_track_that_is_presented_first(video: Fraction, audio: Fraction) -> None:
    """One of both may have wrapped already."""
    placed = place_first(fragment({VIDEO: video, AUDIO: audio}), HEADER)
    first = max(video, audio) if abs(video - audio) > 100 else min(video, audio)
    assert placed.distance == -first


@pytest.mark.parametrize(("apart", "has_wrapped"), [(WRAP / 2, False), (WRAP / 2 + 1, True)])
def test_a_track_has_wrapped_if_it_is_more_than_half_of_the_clock_before_the_other(apart: Fraction, *, has_wrapped: bool) -> None:
    placed = place_first(fragment({VIDEO: Fraction(0), AUDIO: apart}), HEADER)
    assert placed.distance == -(apart if has_wrapped else 0)
