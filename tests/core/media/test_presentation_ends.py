import pytest
from fuzz.media_pieces import ADTS, packet, pes
from make_media import media
from peers.segment_inspection import inspect_segments, probe_segment, read_segments

from transcoder.core.media.presentation_ends import last_slide, needs_longer_end, presentation_ends
from transcoder.core.media.slide import Slide
from transcoder.core.media.streams import Container, Medium, Probe, Stream


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


def test_more_of_an_end_is_needed_until_it_shows_how_long_each_medium_lasts() -> None:
    _, segments = read_segments(media("ts-muxed"))
    found, last = probe_segment(segments[0]), segments[-1]
    pictures = [at for at in range(0, len(last), 188) if last[at + 1] & 0x40 and b"\0\0\1\xe0" in last[at : at + 188]]
    assert not needs_longer_end(last, found)
    assert not needs_longer_end(last[pictures[-2] :], found)
    assert needs_longer_end(last[pictures[-1] :], found), "one picture"
    assert needs_longer_end(last[-188:], found), "none, and no audio"
    sound = probe_segment(read_segments(media("ts-audio-only"))[1][0])
    assert not needs_longer_end(read_segments(media("ts-audio-only"))[1][-1], sound)
    init, fragments = read_segments(media("fmp4-muxed"))
    assert not needs_longer_end(b"", probe_segment(fragments[0], init=init))


@pytest.mark.parametrize("cut_off", [1, 50, 138, 187])
def test_packets_end_with_the_segment_even_if_there_are_sync_bytes_elsewhere(cut_off: int) -> None:
    """Media may have any bytes: here each is a sync byte, so that packets seem to begin everywhere."""
    pictures = [packet(256, pes(90_000 + 3600 * number, b"G" * 170), starts=True, counter=number) for number in range(6)]
    found = Probe(Container.MPEGTS, (Stream(Medium.VIDEO, "h264", 256, 1.0),))
    assert presentation_ends(b"".join(pictures)[cut_off:], found) == pytest.approx({Medium.VIDEO: 1.24})


@pytest.mark.parametrize(
    ("body", "frames"),
    [
        pytest.param(2 * ADTS, 2, id="nothing else"),
        pytest.param(ADTS[5:] + 2 * ADTS, 2, id="the rest of a frame before them"),
        pytest.param(b"\0" + 2 * ADTS, 2, id="one byte before them"),
        pytest.param(ADTS[:4] + bytes(8) + 2 * ADTS, 2, id="what begins as a frame before them"),
        pytest.param(ADTS + ADTS[:7], 2, id="the header of a frame alone"),
        pytest.param(2 * ADTS + bytes(8), 2, id="other bytes after them"),
        pytest.param(2 * ADTS + bytes(8) + ADTS, 2, id="what looks like a frame after other bytes"),
        pytest.param(bytes(40), 0, id="no frame"),
    ],
)
def test_audio_ends_with_the_frames_that_follow_each_other(body: bytes, frames: int) -> None:
    found = Probe(Container.MPEGTS, (Stream(Medium.AUDIO, "aac", 257, 1.0),))
    last = packet(257, pes(90_000, body, stream=0xC0), starts=True)
    assert presentation_ends(last, found) == pytest.approx({Medium.AUDIO: 1.0 + frames * 1024 / 48_000})


@pytest.mark.parametrize(
    ("shown", "slide"),
    [
        pytest.param((0, 2, 4, 6), Slide(7.0, 2.0, is_even=True), id="as far apart"),
        pytest.param((0, 2, 6, 8), Slide(9.0, 2.0), id="one of them for longer"),
        pytest.param((0, 2), Slide(3.0, 2.0), id="two"),
        pytest.param((6,), Slide(7.0, None), id="one"),
    ],
)
def test_the_last_slide_and_how_far_they_are_apart(shown: tuple[int, ...], slide: Slide) -> None:
    pictures = [packet(256, pes(90_000 + 90_000 * at, bytes(170)), starts=True, counter=number) for number, at in enumerate(shown)]
    assert last_slide(b"".join(pictures), Probe(Container.MPEGTS, (Stream(Medium.VIDEO, "h264", 256, 1.0),))) == slide


def test_audio_whose_frames_are_unknown_ends_with_its_last_timestamp() -> None:
    found = Probe(Container.MPEGTS, (Stream(Medium.AUDIO, "dts", 257, 1.0),))
    assert presentation_ends(packet(257, pes(180_000, bytes(50), stream=0xBD), starts=True), found) == {Medium.AUDIO: 2.0}
