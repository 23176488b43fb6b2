"""Tests plans: tracks, times, estimated size and refusals."""

import pytest
from peers.playlists import BREAK, GAP, audio_playlist, media_playlist, parse_media

from transcoder.core.hls.plan import ByteRange, Init, Key
from transcoder.core.hls.planner import MAX_SECONDS, make_plan
from transcoder.core.hls.playlist import MediaPlaylist
from transcoder.core.media.streams import TrackKind
from transcoder.errors import UnsupportedSourceError


def test_without_separate_audio_a_track_has_both() -> None:
    plan = make_plan(media_playlist(4, BREAK, 4))
    assert [[track.kind for track in period.tracks] for period in plan.periods] == [[TrackKind.BOTH], [TrackKind.BOTH]]


def test_times_restart_in_each_period_at_its_first_media() -> None:
    plan = make_plan(media_playlist(4, BREAK, GAP, 4, 4, GAP, 4, 4, GAP, 4), audio_playlist(4, BREAK, GAP, 1, 3, 4, 4))
    assert [[[segment.at for segment in track.segments] for track in period.tracks] for period in plan.periods] == [
        [[0], [0]],
        [[3, 11], [0, 3, 7]],
    ]
    assert [[track.seconds for track in period.tracks] for period in plan.periods] == [[4, 4], [12, 11]]


def test_the_target_duration_is_the_larger_one() -> None:
    assert make_plan(media_playlist(4), audio_playlist(7, target=7)).target_seconds == 7


def ranged(*lengths: int) -> MediaPlaylist:
    return media_playlist(*(entry for length in lengths for entry in (f"#EXT-X-BYTERANGE:{length}", 4.0)))


@pytest.mark.parametrize(
    ("video", "audio", "bandwidth", "expected"),
    [
        pytest.param(ranged(100, 50), ranged(7), 9000, 157, id="byte ranges"),
        pytest.param(ranged(100, 50), media_playlist(4), 8000, 8000, id="one without ranges: bandwidth and the longer track"),
        pytest.param(media_playlist(4, BREAK, 4), None, 8000, 8000, id="over all periods"),
        pytest.param(media_playlist(4), None, None, None, id="unknown"),
    ],
)
def test_bytes_are_estimated(video: MediaPlaylist, audio: MediaPlaylist | None, bandwidth: int | None, expected: int | None) -> None:
    assert make_plan(video, audio, bandwidth=bandwidth).estimated_bytes == expected


def test_the_audio_playlist_is_checked_like_the_video_playlist() -> None:
    with pytest.raises(UnsupportedSourceError, match="protected"):
        make_plan(media_playlist(4), audio_playlist('#EXT-X-KEY:METHOD=SAMPLE-AES,URI="k"', 4))
    with pytest.raises(UnsupportedSourceError, match="only gaps"):
        make_plan(media_playlist(4), audio_playlist(GAP, 4))


def test_the_duration_is_limited() -> None:
    with pytest.raises(UnsupportedSourceError, match=f"lasts longer than {MAX_SECONDS} seconds"):
        make_plan(media_playlist(MAX_SECONDS + 1))
    assert make_plan(media_playlist(MAX_SECONDS)).seconds == MAX_SECONDS


def test_a_duration_whose_sum_is_no_number_is_too_long() -> None:
    with pytest.raises(UnsupportedSourceError, match=f"lasts longer than {MAX_SECONDS} seconds"):
        make_plan(media_playlist(1e308, 1e308))


@pytest.mark.parametrize(("bandwidth", "size"), [(7, 4), (8, 4), (9, 5), (16, 8)])
def test_the_size_by_the_bandwidth_is_rounded_up(bandwidth: int, size: int) -> None:
    assert make_plan(media_playlist(4), bandwidth=bandwidth).estimated_bytes == size


@pytest.mark.parametrize("kind", TrackKind)
def test_a_single_playlist_is_planned_for_what_it_is_listed_for(kind: TrackKind) -> None:
    assert [track.kind for track in make_plan(media_playlist(4), kind=kind).periods[0].tracks] == [kind]


def test_a_plan_knows_when_its_video_was_recorded_and_what_its_names_leave_out() -> None:
    dated = media_playlist("#EXT-X-PROGRAM-DATE-TIME:1970-01-01T00:01:00Z", 4, 4)
    first, last = dated.segments
    thinned = dated._replace(segments=(first, last._replace(url=last.url.replace("v1", "v3"))))
    plan = make_plan(thinned, audio_playlist("#EXT-X-PROGRAM-DATE-TIME:1970-01-01T00:02:00Z", 4, 4))
    assert plan.recorded == 60.0
    assert [[segment.left_out for segment in track.segments] for track in plan.periods[0].tracks] == [[0, 2], [0, 0]]


def test_a_section_is_that_of_its_address_range_and_keys() -> None:
    """An initialization section without an IV has that of its first segment."""
    key = '#EXT-X-KEY:METHOD=AES-128,URI="k"'
    plan = make_plan(media_playlist(key, '#EXT-X-MAP:URI="m",BYTERANGE="9@2"', 4, 4, '#EXT-X-MAP:URI="m",BYTERANGE="9@2"', 4))
    inits = [segment.init for period in plan.periods for segment in period.tracks[0].segments]
    expected = Init("https://media.example/m", ByteRange(2, 9), Key("https://media.example/k", bytes(16)))
    assert inits == [expected] * 3
    assert len({id(init) for init in inits}) == 1
    with pytest.raises(UnsupportedSourceError, match="initialization section of zero bytes"):
        make_plan(media_playlist('#EXT-X-MAP:URI="m",BYTERANGE="0@2"', 4))


def test_without_any_duration_there_is_no_target() -> None:
    media = parse_media("#EXTM3U\n#EXTINF:0,\na.ts\n#EXT-X-ENDLIST\n")
    assert make_plan(media).target_seconds == make_plan(media, media).target_seconds == 0
