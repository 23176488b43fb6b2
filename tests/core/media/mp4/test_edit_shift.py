"""By how much an edit list moves a track (ISO/IEC 14496-12, 8.6.6)."""

import pytest

from transcoder.core.media.mp4.boxes import Box, box
from transcoder.core.media.mp4.movie import EMPTY_EDIT, Edit, Movie, Track
from transcoder.core.media.streams import Medium

TRACK_TIMESCALE = 90_000


@pytest.mark.parametrize(
    ("edits", "timescale", "shift"),
    [
        pytest.param([], 1000, 0, id="no edits"),
        pytest.param([Edit(5000, 3600)], 1000, 3600, id="it begins within the media"),
        pytest.param([Edit(500, EMPTY_EDIT)], 1000, -45_000, id="nothing but a delay"),
        pytest.param([Edit(500, EMPTY_EDIT), Edit(5000, 3600)], 1000, 3600 - 45_000, id="a delay, in ticks of the movie"),
        pytest.param([Edit(500, EMPTY_EDIT), Edit(5000, 3600)], 600, 3600 - 75_000, id="a delay in other ticks"),
        pytest.param([Edit(500, EMPTY_EDIT), Edit(5000, 3600)], 0, 3600, id="ticks of no length are no delay"),
        pytest.param([Edit(5000, 0), Edit(500, EMPTY_EDIT), Edit(5000, 3600)], 1000, 0, id="a pause later is no delay"),
    ],
)
def test_an_empty_edit_first_is_a_delay_and_the_next_one_says_where_the_media_begins(edits: list[Edit], timescale: int, shift: int) -> None:
    nothing = Box.whole(box(b"free"))
    track = Track(1, Medium.VIDEO, TRACK_TIMESCALE, tuple(edits), (), None, nothing, nothing)
    assert Movie(nothing, timescale, 0, (track,)).edit_shift(track) == shift
