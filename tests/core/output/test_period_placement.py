"""Where a later period lies in the output, by its own clock (ISO/IEC 13818-1, 2.4.3.6: it wraps after 2^33 ticks)."""

from fractions import Fraction

import pytest

from transcoder.core.media.mp4.boxes import Box, box
from transcoder.core.media.mp4.movie import Movie, TrackDefaults
from transcoder.core.media.mp4.sample_entry import SampleEntry
from transcoder.core.media.streams import Medium
from transcoder.core.output.fragment import Fragment, TrackRun
from transcoder.core.output.header import OutputHeader, OutputTrack
from transcoder.core.output.period_placement import Placement, place_first, place_next, place_on_same_clock
from transcoder.errors import TranscodeError

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


@pytest.mark.parametrize(
    ("audio", "late"),
    [
        pytest.param(None, 0, id="no audio"),
        pytest.param(Fraction(0), 0, id="together"),
        pytest.param(Fraction(1), 0, id="the audio later"),
        pytest.param(-Fraction(120, 1000), 0, id="as early as frames may be dropped"),
        pytest.param(-Fraction(121, 1000), Fraction(121, 1000), id="earlier"),
        pytest.param(-Fraction(2), 2, id="two seconds earlier"),
    ],
)
@pytest.mark.parametrize("start", [Fraction(0), Fraction(500)])
def test_a_period_on_another_clock_begins_where_the_output_ends_or_waits_for_its_audio(
    audio: Fraction | None, late: Fraction, start: Fraction
) -> None:
    starts = {VIDEO: start} if audio is None else {VIDEO: start, AUDIO: start + audio}
    begins = {VIDEO: 125, AUDIO: -250}
    placed = place_next(fragment(starts), HEADER, begins, Fraction(4), {VIDEO: Fraction(4), AUDIO: Fraction(4)})
    assert placed.distance == 4 + late - start
    assert placed.shift == {medium: round(placed.distance * 90_000) + begins[medium] for medium in (VIDEO, AUDIO)}
    assert placed.media_start == begins


def test_what_the_audio_before_it_lacks_is_room_for_that_of_a_later_period() -> None:
    found = fragment({VIDEO: Fraction(500), AUDIO: Fraction(499)})
    for end, late in ((Fraction(3), 0), (Fraction(7, 2), Fraction(1, 2)), (Fraction(5), 2)):
        assert place_next(found, HEADER, {VIDEO: 0, AUDIO: 0}, Fraction(4), {VIDEO: Fraction(4), AUDIO: end}).distance == late - 496
    assert place_next(found, HEADER, {VIDEO: 0, AUDIO: 0}, Fraction(4), {VIDEO: Fraction(4)}).distance == -496


def test_a_later_period_begins_with_a_tick_of_its_track_and_never_before_the_end() -> None:
    ends = {VIDEO: Fraction(1, 7)}
    placed = place_next(fragment({VIDEO: Fraction(1)}), HEADER, {VIDEO: 0, AUDIO: 0}, ends[VIDEO], ends)
    assert 0 <= 1 + placed.distance - ends[VIDEO] < Fraction(1, 90_000)
    assert (placed.distance * 90_000).denominator == 1


def test_audio_that_has_wrapped_is_placed_beside_its_video() -> None:
    found = fragment({VIDEO: WRAP - 1, AUDIO: Fraction(0)})
    placed = place_next(found, HEADER, {VIDEO: 0, AUDIO: 0}, Fraction(4), {VIDEO: Fraction(4), AUDIO: Fraction(4)})
    assert placed.shift[AUDIO] - placed.shift[VIDEO] == 2**33
    first = place_first(found, HEADER)
    assert first.media_start == {VIDEO: 0, AUDIO: -90_000}
    assert (first.shift[VIDEO], first.shift[AUDIO]) == (-(2**33) + 90_000, 0)


def test_a_track_that_has_not_begun_is_placed_with_the_other() -> None:
    placed = place_first(fragment({AUDIO: Fraction(3)}), HEADER)
    assert (placed.shift, placed.media_start) == ({VIDEO: -270_000, AUDIO: -270_000}, {VIDEO: 0, AUDIO: 0})


def test_an_empty_fragment_begins_no_period() -> None:
    with pytest.raises(TranscodeError, match="empty fragment"):
        place_first(fragment({}), HEADER)
