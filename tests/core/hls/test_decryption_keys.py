"""Tests which key is selected for a segment."""

from peers.playlists import media_playlist

from transcoder.core.hls.planner import make_plan


def test_the_usable_key_is_selected_among_several_at_one_place() -> None:
    drm = '#EXT-X-KEY:METHOD=AES-128,URI="w",KEYFORMAT="com.widevine"'
    own = '#EXT-X-KEY:METHOD=AES-128,URI="k{}"'
    plan = make_plan(media_playlist(drm, own.format(1), 4, own.format(2), 4))
    keys = [segment.key for segment in plan.periods[0].tracks[0].segments]
    assert [key.url if key else None for key in keys] == ["https://media.example/k1", "https://media.example/k2"]
