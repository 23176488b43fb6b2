"""A segment whose EXTINF has no duration gets a guess, and what depends on it allows for a wrong guess."""

import pytest
from peers.playlists import parse_media, parse_or_refusal

from transcoder.core.hls.agreement import Evidence, Shortfall, find_shortfall, is_longer
from transcoder.core.hls.clip import clip_plan
from transcoder.core.hls.planner import make_plan
from transcoder.core.hls.playlist import MediaPlaylist
from transcoder.core.media.streams import Medium
from transcoder.core.request.output_format import Clip

UNKNOWN = ["-23334.411377778,", "-1 tvg-id=7,Title", "-.5,", "nan,", "-inf,", "inf,", "none,", ",", ""]


def playlist(*durations: str | float, target: int | None = 4, letter: str = "v", first: int = 0) -> MediaPlaylist:
    """Make a playlist of numbered segments; a text is what EXTINF has in place of a duration."""
    head = "#EXTM3U\n" + (f"#EXT-X-TARGETDURATION:{target}\n" if target else "")
    values = [value if isinstance(value, str) else f"{value:.3f}," for value in durations]
    entries = "".join(f"#EXTINF:{value}\n{letter}{number}.ts\n" for number, value in enumerate(values, first))
    return parse_media(f"{head}{entries}#EXT-X-ENDLIST\n")


@pytest.mark.parametrize("value", UNKNOWN)
def test_what_cannot_be_a_duration_is_a_guess(value: str) -> None:
    found = playlist(2.002, value, 2.002)
    assert [(segment.seconds, segment.guessed) for segment in found.segments] == [(2.002, False), (2.002, True), (2.002, False)]


@pytest.mark.parametrize(
    ("durations", "target", "guess"),
    [
        pytest.param((3.0, 2.0, "-1,", 3.0), 10, 3.0, id="the median of the others"),
        pytest.param(("-1,", "-1,", "-1,", 0.02), 10, 10.0, id="the target duration, if most have none"),
        pytest.param(("-1,", "-1,"), 10, 10.0, id="the target duration, if none has one"),
        pytest.param((2.5, "-1,"), None, 2.5, id="no target duration"),
        pytest.param((0.0, "-1,", 0.0), 6, 6.0, id="zeros are no usual duration"),
    ],
)
def test_the_guess_is_the_usual_duration(durations: tuple[str | float, ...], target: int | None, guess: float) -> None:
    assert {segment.seconds for segment in playlist(*durations, target=target).segments if segment.guessed} == {guess}


@pytest.mark.parametrize("value", ["0,", "0.000,", "-0,", "+0.0,"])
def test_zero_is_a_duration(value: str) -> None:
    """Rounded to whole seconds, a last frame lasts so long."""
    (_, last) = playlist(2.0, value).segments
    assert (last.seconds, last.guessed) == (0.0, False)


def test_a_title_does_not_make_a_duration_a_guess() -> None:
    (segment,) = playlist("4.0,guessed").segments
    assert not segment.guessed


def test_a_list_of_radio_stations_has_no_durations() -> None:
    text = "#EXTM3U\n#EXTINF:-1,Radio One\nhttp://radio.example/one\n#EXTINF:-1 group-title=x,Two\nhttp://radio.example/two\n"
    assert parse_or_refusal(text) == "The playlist is broken: it has neither segment durations nor a target duration."


def test_the_plan_says_how_wrong_a_guess_may_be() -> None:
    (period,) = make_plan(playlist(2.0, "-1,", 2.0, 2.0, target=6)).periods
    (track,) = period.tracks
    assert [segment.rounding for segment in track.segments] == [0.0005, 6.0, 0.0005, 0.0005]
    assert (track.seconds, track.guessed_seconds) == (8.0, 6.0)


VIDEO = playlist(*[2.0] * 10)


@pytest.mark.parametrize(
    "audio",
    [
        pytest.param(playlist(*[2.0] * 9, "-1,", target=8), id="the last one"),
        pytest.param(playlist(*["-1,"] * 10, target=8), id="all, guessed too long"),
        pytest.param(playlist(*["-1,"] * 10, target=1), id="all, guessed too short"),
        pytest.param(playlist(*["-1,"] * 9, 0.02, target=1), id="all but a short one"),
    ],
)
def test_a_wrong_guess_is_no_lost_entry(audio: MediaPlaylist) -> None:
    for pair in ((VIDEO, audio), (audio, VIDEO)):
        shortfall = find_shortfall(*pair)
        assert shortfall is None or shortfall.evidence is Evidence.SLIGHT


def test_a_difference_that_no_guess_explains_is_a_lost_entry() -> None:
    shortfall = find_shortfall(VIDEO, playlist(2.0, "-1,", 2.0, 2.0, 2.0, target=2, letter="a"))
    assert shortfall is not None
    assert shortfall.evidence is Evidence.STRONG


@pytest.mark.parametrize("durations", [("-1,", *[2.0] * 8), (*[2.0] * 8, "nan,"), (*[2.0] * 4, "-1,", *[2.0] * 4)])
def test_an_entry_that_the_names_leave_out_is_lost_in_spite_of_a_guess(durations: tuple[str | float, ...]) -> None:
    whole, later = playlist(*durations, "2,", letter="a"), playlist(*durations, letter="a", first=1)
    without = whole._replace(segments=(*whole.segments[:5], *whole.segments[6:]))
    for thinned in (without, later):
        shortfall = find_shortfall(VIDEO, thinned)
        assert shortfall is not None
        assert shortfall.evidence is Evidence.CONCLUSIVE


def test_another_list_is_longer_than_guesses_only_with_more_entries() -> None:
    guessed = playlist(*["-1,"] * 9, target=1)
    shortfall = Shortfall(Medium.AUDIO, 11.0, Evidence.SLIGHT)
    assert not is_longer(playlist(*[2.0] * 9), guessed, shortfall=shortfall)
    assert is_longer(VIDEO, guessed, shortfall=shortfall)


@pytest.mark.parametrize(
    ("durations", "start", "end", "names"),
    [
        pytest.param((2.0, "-1,", 2.0, 2.0, 2.0, 2.0), 1.0, 5.0, "v0 v1 v2 v3", id="one more after a guess"),
        pytest.param((2.0, "-1,", 2.0, 2.0, 2.0, 2.0), 4.0, 6.0, "v2", id="none after the clip began behind it"),
        pytest.param(("-1,", "-1,", "-1,", "-1,"), 1.0, 5.0, "v0 v1 v2 v3", id="all, if none has a duration"),
    ],
)
def test_a_clip_has_enough_media_if_a_guess_is_too_long(durations: tuple[str | float, ...], start: float, end: float, names: str) -> None:
    plan, clip = clip_plan(make_plan(playlist(*durations, target=2)), start=start, end=end, exact=False)
    kept = [segment.url.rpartition("/")[2] for segment in plan.periods[0].tracks[0].segments]
    assert kept == [f"{name}.ts" for name in names.split()]
    assert clip == Clip(start if start < 2 else 0.0, end - start)


@pytest.mark.parametrize(
    ("durations", "numbers"),
    [
        pytest.param(("-1,", *[2.0] * 6), (1, 2, 3, 4), id="before the clip"),
        pytest.param((2.0, 2.0, 2.0, "-1,", 2.0, 2.0), (2, 3, 4, 5), id="where it begins"),
    ],
)
def test_the_audio_of_a_clip_may_begin_earlier_than_guessed(durations: tuple[str | float, ...], numbers: tuple[int, ...]) -> None:
    whole = make_plan(playlist(*[2.0] * 6), playlist(*durations, letter="a", target=2))
    plan, _ = clip_plan(whole, start=6.0, end=8.0, exact=False)
    kept = [segment.url.rpartition("/")[2] for track in plan.periods[0].tracks for segment in track.segments]
    assert kept == ["v3.ts", *(f"a{number}.ts" for number in numbers)]
