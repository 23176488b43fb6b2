"""Tests where playlists are split into periods, and that video and audio are split at the same places."""

import pytest
from peers.playlists import BREAK, GAP, audio_playlist, media_playlist, section

from transcoder.core.hls.periods import MAX_PERIODS
from transcoder.core.hls.plan import Plan
from transcoder.core.hls.planner import make_plan
from transcoder.core.hls.playlist import MediaPlaylist
from transcoder.core.media.streams import TrackKind
from transcoder.errors import UnsupportedSourceError


def segment_names(plan: Plan) -> list[str]:
    """Write each period as the names of its segments, with a bar between tracks."""
    return [
        " | ".join(" ".join(segment.url.rpartition("/")[2] for segment in track.segments) for track in period.tracks)
        for period in plan.periods
    ]


@pytest.mark.parametrize(
    ("video", "audio", "expected"),
    [
        pytest.param(media_playlist(4, 4), audio_playlist(4, 4), ["v0 v1 | a0 a1"], id="no break"),
        pytest.param(
            media_playlist(BREAK, 4, 4), audio_playlist(4, 4), ["v0 v1 | a0 a1"], id="a break before the first segment is ignored"
        ),
        pytest.param(
            media_playlist(4, BREAK, 4), audio_playlist(2, 2, BREAK, 2, 2), ["v0 | a0 a1", "v1 | a2 a3"], id="breaks at the same time"
        ),
        pytest.param(
            media_playlist(9, 9, BREAK, 4),
            audio_playlist(8, BREAK, 4),
            ["v0 v1 | a0", "v2 | a1"],
            id="paired by order although rounded durations drift",
        ),
        pytest.param(
            media_playlist(4, 4, BREAK, 4),
            audio_playlist(3, 3, 3, 3),
            ["v0 v1 | a0 a1 a2", "v2 | a3"],
            id="audio split at its nearest segment",
        ),
        pytest.param(
            media_playlist(3, 3, 3, 3),
            audio_playlist(4, 4, BREAK, 4),
            ["v0 v1 v2 | a0 a1", "v3 | a2"],
            id="video split at its nearest segment",
        ),
        pytest.param(
            media_playlist(1.5, BREAK, 4, 4), audio_playlist(4, 4), ["v0 | a0", "v1 v2 | a1"], id="a short first period keeps its audio"
        ),
        pytest.param(
            media_playlist(section("x"), 4, section("y"), 4),
            audio_playlist(section("s"), 2, 2, 2, 2),
            ["v0 | a0 a1", "v1 | a2 a3"],
            id="only the video's initialization section changes",
        ),
        pytest.param(
            media_playlist(section("x"), 4, section("y"), 4),
            audio_playlist(section("s"), 5, section("t"), 3),
            ["v0 | a0", "v1 | a1"],
            id="both change, a second apart",
        ),
        pytest.param(
            media_playlist(4, BREAK, section("x"), 4, section("y"), 4),
            audio_playlist(4, BREAK, 4, 4),
            ["v0 | a0", "v1 | a1", "v2 | a2"],
            id="a change within one of two runs",
        ),
        pytest.param(
            media_playlist(4, 4, BREAK, 4, BREAK, 4),
            audio_playlist(4, 4),
            ["v0 v1 | a0 a1", "v2", "v3"],
            id="audio ends before the last periods",
        ),
        pytest.param(media_playlist(4, 4), audio_playlist(4, 4, BREAK, 4), ["v0 v1 | a0 a1", "a2"], id="video ends before the last period"),
        pytest.param(
            media_playlist(4, BREAK, GAP, 4, BREAK, 4),
            audio_playlist(4, BREAK, 4, BREAK, 4),
            ["v0 | a0", "a1", "v2 | a2"],
            id="a period whose video is missing",
        ),
        pytest.param(
            media_playlist(4, BREAK, GAP, 4, BREAK, 4),
            audio_playlist(4, BREAK, GAP, 4, BREAK, 4),
            ["v0 | a0", "v2 | a2"],
            id="a period that is missing",
        ),
        pytest.param(
            media_playlist(4, BREAK, 4, BREAK, 4),
            audio_playlist(4, 4, BREAK, 4),
            ["v0 | a0", "v1 | a1", "v2 | a2"],
            id="audio marks only one of two breaks",
        ),
        pytest.param(
            media_playlist(4, 4, BREAK, 4),
            audio_playlist(4, BREAK, 4, BREAK, 4),
            ["v0 | a0", "v1 | a1", "v2 | a2"],
            id="video marks only the second one",
        ),
        pytest.param(
            media_playlist(3, 3, 3, BREAK, 3),
            audio_playlist(2, 2, 2, BREAK, 2, BREAK, 4),
            ["v0 v1 | a0 a1 a2", "v2 | a3", "v3 | a4"],
            id="the nearer one of two breaks before it, in segments of other lengths",
        ),
        pytest.param(
            media_playlist(8, BREAK, 8),
            audio_playlist(6, BREAK, 1.5, BREAK, 2, BREAK, 6.5),
            ["v0 | a0", "a1", "a2", "v1 | a3"],
            id="breaks on both sides of it",
        ),
        pytest.param(
            media_playlist(section("x"), 4, section("y"), 4, 4),
            audio_playlist(section("s"), 4, 2.5, section("t"), 5.5),
            ["v0 | a0 a1", "v1 v2 | a2"],
            id="changes that are just near enough, although another segment begins nearer",
        ),
        pytest.param(
            media_playlist(section("x"), 4, section("y"), 4, 4),
            audio_playlist(section("s"), 4, 2.501, section("t"), 5.499),
            ["v0 | a0", "v1 | a1", "v2 | a2"],
            id="changes that are not near enough",
        ),
        pytest.param(
            media_playlist(section("x"), 3, 3, section("y"), 3, 3),
            audio_playlist(section("s"), 4, section("t"), 3, section("u"), 5),
            ["v0 | a0", "v1 | a1", "v2 v3 | a2"],
            id="the nearer one of two changes",
        ),
        pytest.param(
            media_playlist(section("x"), 2.5, 2.5, section("y"), 3, 3),
            audio_playlist(section("s"), 4, section("t"), 3, section("u"), 5),
            ["v0 v1 | a0", "v2 | a1", "v3 | a2"],
            id="the nearer one of two changes if that is the first",
        ),
        pytest.param(
            media_playlist(section("x"), 0, section("y"), 2), audio_playlist(1, 1), ["v0", "v1 | a0 a1"], id="a change at no time"
        ),
        pytest.param(
            media_playlist(section("x"), 4, 6, section("y"), 4),
            audio_playlist(section("s"), 4, section("t"), 5, section("u"), 1.2, 3.8),
            ["v0 | a0", "v1 | a1", "v2 | a2 a3"],
            id="the last of two changes before it, although a segment begins nearer",
        ),
    ],
)
def test_video_and_audio_are_split_at_the_same_places(video: MediaPlaylist, audio: MediaPlaylist, expected: list[str]) -> None:
    plan = make_plan(video, audio)
    assert segment_names(plan) == expected
    assert {track.kind for period in plan.periods for track in period.tracks} <= {TrackKind.VIDEO, TrackKind.AUDIO}


@pytest.mark.parametrize(
    ("video", "audio"),
    [
        pytest.param(media_playlist(4, 4, BREAK, 4), audio_playlist(20, 20), id="no audio segment begins near the break"),
        pytest.param(media_playlist(20, 20), audio_playlist(8, BREAK, 4, 4), id="no video segment begins near the break"),
        pytest.param(
            media_playlist(3, BREAK, section("x"), 8, section("y"), 4), audio_playlist(3, BREAK, 20), id="near a break after a common one"
        ),
    ],
)
def test_breaks_that_do_not_coincide_are_refused(video: MediaPlaylist, audio: MediaPlaylist) -> None:
    with pytest.raises(UnsupportedSourceError, match=r"breaks of video and audio do not coincide: 8\.000 s after a common break"):
        make_plan(video, audio)


@pytest.mark.parametrize(("second", "is_split"), [(10.5, True), (5.5, True), (10.501, False), (5.499, False)])
def test_a_segment_begins_near_a_break_if_that_is_half_of_the_longest_away(second: float, *, is_split: bool) -> None:
    """Segments of a target duration of 4 s may last 4.5 s."""
    video, audio = media_playlist(4, 4, BREAK, 4, target=4), audio_playlist(second, 20, target=4)
    if is_split:
        assert segment_names(make_plan(video, audio)) == ["v0 v1 | a0", "v2 | a1"]
    else:
        with pytest.raises(UnsupportedSourceError, match="breaks of video and audio do not coincide"):
            make_plan(video, audio)


def test_the_number_of_periods_is_limited_over_all_discontinuities() -> None:
    changes = [entry for name in "abc" for entry in (section(name), 4.0)]
    runs = [entry for _ in range(MAX_PERIODS // 2) for entry in (*changes, BREAK)]
    with pytest.raises(UnsupportedSourceError, match="is the most that is supported"):
        make_plan(media_playlist(*runs, 4.0), media_playlist(*runs, 4.0))


def test_the_number_of_breaks_is_limited() -> None:
    with pytest.raises(UnsupportedSourceError, match=f"has {MAX_PERIODS + 1} breaks"):
        make_plan(media_playlist(4.0, *(entry for _ in range(MAX_PERIODS + 1) for entry in (BREAK, 4.0))))
    assert len(make_plan(media_playlist(4.0, *(entry for _ in range(MAX_PERIODS) for entry in (BREAK, 4.0)))).periods) == MAX_PERIODS + 1
