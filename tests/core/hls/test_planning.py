"""Periods, and picture and sound broken at the same places."""

import pytest

from transcoder.core.hls import periods, planning
from transcoder.core.hls.plan import Plan
from transcoder.core.hls.planning import make_plan
from transcoder.core.hls.playlist import Media, media_only, parse
from transcoder.core.media.streams import TrackKind
from transcoder.errors import UnsupportedSourceError

BREAK = "#EXT-X-DISCONTINUITY"
GAP = "#EXT-X-GAP"


def media(*entries: str | float, target: int = 4, letter: str = "v") -> Media:
    """Make a playlist: a number is a segment of so many seconds, named by its place; a text is a line."""
    lines = ["#EXTM3U", f"#EXT-X-TARGETDURATION:{target}"]
    number = 0
    for entry in entries:
        if isinstance(entry, str):
            lines.append(entry)
        else:
            lines += [f"#EXTINF:{entry},", f"{letter}{number}"]
            number += 1
    return media_only(parse("\n".join([*lines, "#EXT-X-ENDLIST"]), "https://media.example/list.m3u8"))


def sound(*entries: str | float, target: int = 4) -> Media:
    return media(*entries, target=target, letter="a")


def section(name: str) -> str:
    return f'#EXT-X-MAP:URI="{name}"'


def shown(plan: Plan) -> list[str]:
    """Write each period as its segments' names, tracks apart by a bar."""
    return [
        " | ".join(" ".join(segment.url.rpartition("/")[2] for segment in track.segments) for track in period.tracks)
        for period in plan.periods
    ]


@pytest.mark.parametrize(
    ("video", "audio", "expected"),
    [
        pytest.param(media(4, 4), sound(4, 4), ["v0 v1 | a0 a1"], id="no break"),
        pytest.param(media(BREAK, 4, 4), sound(4, 4), ["v0 v1 | a0 a1"], id="a break before the first segment is none"),
        pytest.param(media(4, BREAK, 4), sound(2, 2, BREAK, 2, 2), ["v0 | a0 a1", "v1 | a2 a3"], id="breaks at the same time"),
        pytest.param(
            media(9, 9, BREAK, 4), sound(8, BREAK, 4), ["v0 v1 | a0", "v2 | a1"], id="paired by order although rounded durations drift"
        ),
        pytest.param(media(4, 4, BREAK, 4), sound(3, 3, 3, 3), ["v0 v1 | a0 a1 a2", "v2 | a3"], id="sound cut at its nearest segment"),
        pytest.param(media(3, 3, 3, 3), sound(4, 4, BREAK, 4), ["v0 v1 v2 | a0 a1", "v3 | a2"], id="picture cut at its nearest segment"),
        pytest.param(media(1.5, BREAK, 4, 4), sound(4, 4), ["v0 | a0", "v1 v2 | a1"], id="a short first period keeps its sound"),
        pytest.param(
            media(section("x"), 4, section("y"), 4),
            sound(section("s"), 2, 2, 2, 2),
            ["v0 | a0 a1", "v1 | a2 a3"],
            id="only the picture's initialization section changes",
        ),
        pytest.param(
            media(section("x"), 4, section("y"), 4),
            sound(section("s"), 5, section("t"), 3),
            ["v0 | a0", "v1 | a1"],
            id="both change, a second apart",
        ),
        pytest.param(
            media(4, BREAK, section("x"), 4, section("y"), 4),
            sound(4, BREAK, 4, 4),
            ["v0 | a0", "v1 | a1", "v2 | a2"],
            id="a change within one of two runs",
        ),
        pytest.param(media(4, 4, BREAK, 4, BREAK, 4), sound(4, 4), ["v0 v1 | a0 a1", "v2", "v3"], id="sound ends before the last periods"),
        pytest.param(media(4, 4), sound(4, 4, BREAK, 4), ["v0 v1 | a0 a1", "a2"], id="picture ends before the last period"),
        pytest.param(
            media(4, BREAK, GAP, 4, BREAK, 4),
            sound(4, BREAK, 4, BREAK, 4),
            ["v0 | a0", "a1", "v2 | a2"],
            id="a period whose picture is missing",
        ),
        pytest.param(
            media(4, BREAK, GAP, 4, BREAK, 4), sound(4, BREAK, GAP, 4, BREAK, 4), ["v0 | a0", "v2 | a2"], id="a period that is missing"
        ),
        pytest.param(
            media(4, BREAK, 4, BREAK, 4), sound(4, 4, BREAK, 4), ["v0 | a0", "v1 | a1", "v2 | a2"], id="sound marks only one of two breaks"
        ),
    ],
)
def test_picture_and_sound_break_at_the_same_places(video: Media, audio: Media, expected: list[str]) -> None:
    plan = make_plan(video, audio)
    assert shown(plan) == expected
    assert {track.kind for period in plan.periods for track in period.tracks} <= {TrackKind.VIDEO, TrackKind.AUDIO}


@pytest.mark.parametrize(
    ("video", "audio"),
    [
        pytest.param(media(4, 4, BREAK, 4), sound(20, 20), id="no segment of the sound begins near"),
        pytest.param(media(20, 20), sound(4, BREAK, 4, 4), id="no segment of the picture begins near"),
    ],
)
def test_breaks_that_cannot_be_brought_together_are_refused(video: Media, audio: Media) -> None:
    with pytest.raises(UnsupportedSourceError, match="breaks of picture and sound do not coincide"):
        make_plan(video, audio)


def test_without_separate_sound_segments_bring_both() -> None:
    plan = make_plan(media(4, BREAK, 4))
    assert [[track.kind for track in period.tracks] for period in plan.periods] == [[TrackKind.BOTH], [TrackKind.BOTH]]


def test_time_begins_anew_in_each_period_at_its_first_media() -> None:
    plan = make_plan(media(4, BREAK, GAP, 4, 4, GAP, 4, 4, GAP, 4), sound(4, BREAK, GAP, 1, 3, 4, 4))
    assert [[[segment.at for segment in track.segments] for track in period.tracks] for period in plan.periods] == [
        [[0], [0]],
        [[3, 11], [0, 3, 7]],
    ]
    assert [[track.seconds for track in period.tracks] for period in plan.periods] == [[4, 4], [12, 11]]


def test_the_target_is_the_larger_one() -> None:
    assert make_plan(media(4), sound(7, target=7)).target_seconds == 7


def ranged(*lengths: int) -> Media:
    return media(*(entry for length in lengths for entry in (f"#EXT-X-BYTERANGE:{length}", 4.0)))


@pytest.mark.parametrize(
    ("video", "audio", "bandwidth", "expected"),
    [
        pytest.param(ranged(100, 50), ranged(7), 9000, 157, id="byte ranges"),
        pytest.param(ranged(100, 50), media(4), 8000, 8000, id="one without ranges: bandwidth and the longer track"),
        pytest.param(media(4, BREAK, 4), None, 8000, 8000, id="over all periods"),
        pytest.param(media(4), None, None, None, id="unknown"),
    ],
)
def test_bytes_are_estimated(video: Media, audio: Media | None, bandwidth: int | None, expected: int | None) -> None:
    assert make_plan(video, audio, bandwidth=bandwidth).estimated_bytes == expected


def test_a_key_may_be_any_of_those_at_one_place() -> None:
    drm = '#EXT-X-KEY:METHOD=AES-128,URI="w",KEYFORMAT="com.widevine"'
    own = '#EXT-X-KEY:METHOD=AES-128,URI="k{}"'
    plan = make_plan(media(drm, own.format(1), 4, own.format(2), 4))
    keys = [segment.key for segment in plan.periods[0].tracks[0].segments]
    assert [key.url if key else None for key in keys] == ["https://media.example/k1", "https://media.example/k2"]


def test_sound_is_checked_as_the_picture_is() -> None:
    with pytest.raises(UnsupportedSourceError, match="protected"):
        make_plan(media(4), sound('#EXT-X-KEY:METHOD=SAMPLE-AES,URI="k"', 4))
    with pytest.raises(UnsupportedSourceError, match="only gaps"):
        make_plan(media(4), sound(GAP, 4))


def test_periods_have_a_limit_over_all_runs() -> None:
    changes = [entry for name in "abc" for entry in (section(name), 4.0)]
    runs = [entry for _ in range(periods.MAX_PERIODS // 2) for entry in (*changes, BREAK)]
    with pytest.raises(UnsupportedSourceError, match="is the most that is joined"):
        make_plan(media(*runs, 4.0), media(*runs, 4.0))


def test_what_grows_has_a_limit() -> None:
    with pytest.raises(UnsupportedSourceError, match=f"lasts longer than {planning.MAX_SECONDS} seconds"):
        make_plan(media(planning.MAX_SECONDS + 1))
    with pytest.raises(UnsupportedSourceError, match=f"breaks {periods.MAX_PERIODS + 1} times"):
        make_plan(media(4.0, *(entry for _ in range(periods.MAX_PERIODS + 1) for entry in (BREAK, 4.0))))
