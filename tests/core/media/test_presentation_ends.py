import pytest
from make_media import media
from peers.segment_inspection import inspect_segments, probe_segment, read_segments

from transcoder.core.media.presentation_ends import last_slide, presentation_ends
from transcoder.core.media.streams import Medium


@pytest.mark.parametrize("name", ["ts-muxed", "ts-audio-only", "ts-video-only", "ts-hevc", "ts-mp3", "ts-ac3", "ts-eac3"])
def test_last_segment_contains_the_end(name: str) -> None:
    _, segments = read_segments(media(name))
    inspector, _ = inspect_segments(segments)
    assert presentation_ends(segments[-1], probe_segment(segments[0])) == pytest.approx(inspector.ends)


@pytest.mark.parametrize("size", [20_001, 30_000, 40_123])
def test_last_bytes_of_the_last_segment_are_enough(size: int) -> None:
    _, segments = read_segments(media("ts-muxed"))
    inspector, _ = inspect_segments(segments)
    ends = presentation_ends(segments[-1][-size:], probe_segment(segments[0]))
    assert ends == pytest.approx(inspector.ends, abs=0.045)
    assert set(ends) == set(Medium)


def test_packets_cut_at_both_sides_still_give_an_end() -> None:
    _, segments = read_segments(media("ts-muxed"))
    ends = presentation_ends(segments[-1][-30_000:-50], probe_segment(segments[0]))
    assert set(ends) == set(Medium)


@pytest.mark.parametrize("name", ["fmp4-muxed", "fmp4-audio-only", "fmp4-hevc", "fmp4-edit-lists"])
def test_last_fragments_contain_the_end(name: str) -> None:
    init, segments = read_segments(media(name))
    inspector, _ = inspect_segments(segments, init=init)
    assert presentation_ends(segments[-1], probe_segment(segments[0], init=init), init=init) == pytest.approx(inspector.ends)


@pytest.mark.parametrize("tail", [b"", b"<html>" * 100, bytes(1000)])
def test_bytes_that_are_not_a_transport_stream_give_no_end(tail: bytes) -> None:
    _, segments = read_segments(media("ts-muxed"))
    assert not presentation_ends(tail, probe_segment(segments[0]))


def test_pictures_that_follow_each_other_quickly_are_no_slides() -> None:
    _, segments = read_segments(media("ts-muxed"))
    assert last_slide(segments[-1], probe_segment(segments[0])) is None
