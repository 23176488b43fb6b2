"""What an inspector says of fragments whose every number is known."""

from collections.abc import Sequence

import pytest
from peers.two_tracks import (
    AUDIO,
    AUDIO_ENTRY,
    AUDIO_TRACK,
    MOVIE,
    SECOND_AUDIO,
    TEXT,
    TIMESCALE,
    VIDEO,
    VIDEO_ENTRY,
    VIDEO_TRACK,
    Part,
    fragment,
    moof,
    track,
)
from peers.two_tracks import movie as movie_of

from transcoder.core.media.mp4.boxes import box, boxes_of
from transcoder.core.media.mp4_source.inspector import FragmentInspector
from transcoder.core.media.mp4_source.probe import probe_fragments
from transcoder.core.media.packet_evidence import PacketEvidence
from transcoder.core.media.streams import Medium
from transcoder.errors import DamagedMediaError, UnsupportedSourceError

SECOND = TIMESCALE
BOTH = fragment(Part(0, [64]), Part(0, [32], AUDIO))


def inspected(*segments: bytes, init: bytes = MOVIE) -> FragmentInspector:
    """Return an inspector that has these segments behind it."""
    found = probe_fragments(BOTH, init=init or MOVIE, whole=True)
    assert found
    inspector = FragmentInspector(found, init=init)
    for segment in segments:
        inspector.begin()
        assert inspector.feed(segment) + inspector.end() == segment
    return inspector


def video(*parts: tuple[int, Sequence[int]], numbers: Sequence[int] = range(1, 100)) -> bytes:
    """Write fragments of video, each from its decode time and the durations of its samples."""
    return b"".join(fragment(Part(time, durations), number=number) for (time, durations), number in zip(parts, numbers, strict=False))


def test_samples_and_times_are_those_of_the_streams_that_go_into_the_output() -> None:
    first = Part(1024, [64, 64, 128], offsets=[64, 128, 64])
    segment = fragment(first, Part(512, [32, 48], AUDIO), Part(0, [999] * 5, TEXT), Part(0, [7] * 9, SECOND_AUDIO))
    inspector = inspected(segment)
    assert inspector.samples == {Medium.VIDEO: 3, Medium.AUDIO: 2}
    assert inspector.starts == {Medium.VIDEO: 1088 / SECOND, Medium.AUDIO: 512 / SECOND}
    assert inspector.ends == {Medium.VIDEO: (1024 + 64 + 128 + 128) / SECOND, Medium.AUDIO: 592 / SECOND}
    assert inspector.last_decode_times == {Medium.VIDEO: 1152 / SECOND, Medium.AUDIO: 544 / SECOND}
    assert inspector.sample_seconds == {Medium.VIDEO: 128 / SECOND, Medium.AUDIO: 48 / SECOND}
    assert inspector.decode_spans == {Medium.VIDEO: (1.0, 1152 / SECOND)}
    assert (inspector.undecodable, inspector.packets.smallest_fragment) == ({}, {Medium.VIDEO: 3, Medium.AUDIO: 2})


def test_the_first_start_and_the_latest_end_of_several_fragments_count() -> None:
    """The second one is presented last; the third one has the last sample that is decoded."""
    parts = [Part(1024, [64], offsets=[64]), Part(1088, [64], offsets=[320]), Part(1152, [32], offsets=[0])]
    inspector = inspected(b"".join(fragment(part, number=number) for number, part in enumerate(parts)))
    assert inspector.starts == {Medium.VIDEO: 1088 / SECOND}
    assert inspector.ends == {Medium.VIDEO: (1088 + 320 + 64) / SECOND}
    assert inspector.last_decode_times == {Medium.VIDEO: 1152 / SECOND}
    assert inspector.sample_seconds == {Medium.VIDEO: 32 / SECOND}
    assert inspector.decode_spans == {Medium.VIDEO: (1.0, 1152 / SECOND)}


def test_each_segment_has_times_and_fragments_of_its_own_and_samples_and_ends_go_on() -> None:
    first, second = video((0, [64] * 4), (256, [64])), video((320, [64] * 2), (500, [64] * 3), numbers=[3, 4])
    inspector = inspected(first)
    before = inspector.units
    assert (inspector.packets.smallest_fragment, inspector.packets.leaps) == ({Medium.VIDEO: 1}, {Medium.VIDEO: 0.0})
    inspector = inspected(first, second)
    assert (inspector.samples, inspector.starts, inspector.ends) == (
        {Medium.VIDEO: 10, Medium.AUDIO: 0},
        {Medium.VIDEO: 320 / SECOND},
        {Medium.VIDEO: 692 / SECOND},
    )
    assert inspector.decode_spans == {Medium.VIDEO: (320 / SECOND, 628 / SECOND)}
    assert (len(before), len(inspector.units), len({*before, *inspector.units})) == (2, 2, 4)
    packets = inspector.packets
    assert (packets.smallest_fragment, packets.leaps) == ({Medium.VIDEO: 2}, {Medium.VIDEO: 52 / SECOND})
    assert packets.continued == {Medium.VIDEO: True}
    inspector.begin()
    assert (inspector.starts, inspector.decode_spans, list(inspector.units)) == ({}, {}, [])
    assert inspector.packets == PacketEvidence()
    assert (inspector.ends, inspector.last_decode_times) == ({Medium.VIDEO: 692 / SECOND}, {Medium.VIDEO: 628 / SECOND})


def test_the_longest_leap_of_a_segment_counts_and_an_overlap_is_none() -> None:
    inspector = inspected(video((0, [64]), (94, [64]), (148, [64]), (300, [64]), (374, [64])))
    assert inspector.packets.leaps == {Medium.VIDEO: 88 / SECOND}
    assert inspected(video((0, [64]), (54, [64]))).packets.leaps == {Medium.VIDEO: 0.0}
    assert inspected(video((0, [64]))).packets.leaps == {}


@pytest.mark.parametrize(
    ("gap", "number", "jumped"),
    [
        pytest.param(33, 3, True, id="time and a number are left out"),
        pytest.param(32, 3, False, id="a number, and half a sample"),
        pytest.param(33, 2, False, id="time alone"),
    ],
)
def test_a_fragment_is_missing_where_a_number_and_half_a_sample_are(gap: int, number: int, *, jumped: bool) -> None:
    inspector = inspected(video((0, [64]), (64 + gap, [64]), numbers=[1, number]))
    assert list(inspector.packets.jumped) == ([Medium.VIDEO] if jumped else [])
    apart = inspected(video((0, [64])), video((64 + gap, [64]), numbers=[number]))
    assert not apart.packets.jumped, "between segments, only the number counts"
    assert apart.packets.continued == {Medium.VIDEO: number == 2}


def test_time_that_another_track_leaves_out_is_no_gap() -> None:
    parts = [Part(0, [64]), Part(0, [8], SECOND_AUDIO)], [Part(64, [64]), Part(90, [8], SECOND_AUDIO)]
    segment = b"".join(fragment(*part, number=number) for part, number in zip(parts, (1, 3), strict=True))
    assert not inspected(segment).packets.jumped


@pytest.mark.parametrize(
    ("duration", "overlap", "is_refused"),
    [
        pytest.param(64, 32, False, id="half a sample"),
        pytest.param(64, 33, True, id="more than half a sample"),
        pytest.param(1024, 51, False, id="a twentieth of a second"),
        pytest.param(1024, 52, True, id="more than that"),
        pytest.param(0, 51, False, id="a twentieth of a second, of samples without duration"),
        pytest.param(0, 52, True, id="more than that, of samples without duration"),
    ],
)
def test_fragments_may_overlap_a_little(duration: int, overlap: int, *, is_refused: bool) -> None:
    """The duration that counts is that of the later fragment's last sample."""
    segment = video((0, [2048]), (2048 - overlap, [5000, duration]))
    if is_refused:
        with pytest.raises(DamagedMediaError, match="run backwards"):
            inspected(segment)
    else:
        assert inspected(segment).samples[Medium.VIDEO] == 3
    assert inspected(video((0, [2048])), video((2048 - overlap, [5000, duration]))).samples[Medium.VIDEO] == 3, "another segment"


def test_fragments_without_a_time_are_counted_and_say_no_more() -> None:
    inspector = inspected(fragment(Part(None, [64, 64])))
    assert inspector.samples[Medium.VIDEO] == 2
    assert (inspector.starts, inspector.ends, inspector.last_decode_times, inspector.sample_seconds) == ({}, {}, {}, {})
    assert (inspector.decode_spans, inspector.packets.smallest_fragment) == ({}, {Medium.VIDEO: 2})


def test_samples_without_duration_do_not_say_how_long_one_lasts() -> None:
    assert inspected(fragment(Part(0, [64])), fragment(Part(64, [0]))).sample_seconds == {Medium.VIDEO: 64 / SECOND}


def test_only_fragments_with_samples_are_compared_with_others() -> None:
    inspector = inspected(video((0, [64]), (64, [])) + fragment(Part(0, [9], TEXT), number=3))
    assert len(inspector.units) == 1
    assert set(inspected(video((0, [64]))).units) == set(inspector.units)
    assert set(inspected(video((1, [64]))).units).isdisjoint(inspector.units)


@pytest.mark.parametrize("part", [Part(0, []), Part(0, [64], TEXT), None])
def test_a_segment_has_a_sample_of_video_or_audio(part: Part | None) -> None:
    assert inspected(fragment(Part(0, [64], SECOND_AUDIO))).samples == {Medium.VIDEO: 0, Medium.AUDIO: 0}
    with pytest.raises(DamagedMediaError, match="neither video nor audio"):
        inspected(fragment(part) if part else box(b"free"))


@pytest.mark.parametrize("track_id", [AUDIO, SECOND_AUDIO])
def test_a_segment_has_as_much_media_as_its_video_and_audio_announce(track_id: int) -> None:
    parts = [Part(0, [64] * 3), Part(0, [64] * 2, track_id), Part(0, [64] * 9, TEXT)]
    inspected(moof(*parts) + box(b"mdat", bytes(3)) + box(b"free", bytes(9)) + box(b"mdat", bytes(2)))
    for body in (moof(*parts) + box(b"mdat", bytes(4)), moof(*parts) + box(b"free", bytes(5)), moof(*parts)):
        with pytest.raises(DamagedMediaError, match="less media"):
            inspected(body)
    enough = moof(*parts) + box(b"mdat", bytes(50))
    with pytest.raises(DamagedMediaError, match="less media"):
        inspected(enough, moof(*parts) + box(b"mdat", bytes(4)))


@pytest.mark.parametrize("cut", [1, 5, 9, 20])
def test_a_segment_ends_with_a_box(cut: int) -> None:
    body = BOTH + box(b"free", bytes(30))
    with pytest.raises(DamagedMediaError, match="cut off inside"):
        inspected(body[:-cut])
    with pytest.raises(DamagedMediaError, match="cut off inside"):
        inspected(body[: len(BOTH) - 1])


def test_a_segment_may_be_checked_by_its_boxes_alone() -> None:
    segments = [video((0, [64] * 4), (256, [64])), MOVIE + video((350, [64] * 2), (500, [64] * 3), numbers=[3, 5])]
    expected, by_boxes = inspected(*segments), inspected()
    for segment in segments:
        by_boxes.begin()
        boxes = [each for each in boxes_of(segment) if each.type in {b"moof", b"moov"}]
        by_boxes.feed_boxes(boxes, media_bytes=5)
        assert by_boxes.end() == b""
    for name in ("samples", "starts", "ends", "last_decode_times", "sample_seconds", "decode_spans", "packets", "units"):
        assert getattr(by_boxes, name) == getattr(expected, name), name
    by_boxes.begin()
    by_boxes.feed_boxes(boxes, media_bytes=4)
    with pytest.raises(DamagedMediaError, match="less media"):
        by_boxes.end()


OTHER_ENTRY = VIDEO_ENTRY[:-1] + b"\x69"


@pytest.mark.parametrize(
    ("moov", "is_same"),
    [
        pytest.param(MOVIE, True, id="the same"),
        pytest.param(movie_of(VIDEO_TRACK, AUDIO_TRACK), True, id="without the others"),
        pytest.param(movie_of(VIDEO_TRACK), False, id="without the audio"),
        pytest.param(movie_of(VIDEO_TRACK, track(AUDIO, b"soun", AUDIO_ENTRY.replace(b"ac-3", b"ec-3"))), False, id="another codec"),
        pytest.param(movie_of(track(VIDEO, b"vide", OTHER_ENTRY), AUDIO_TRACK), False, id="other parameter sets"),
        pytest.param(movie_of(AUDIO_TRACK, VIDEO_TRACK), True, id="in another order"),
    ],
)
def test_a_segment_may_bring_the_same_tracks_again(moov: bytes, *, is_same: bool) -> None:
    for init in (MOVIE, b""):
        before = [] if init else [MOVIE + BOTH]
        later = moov + fragment(Part(64, [64]), Part(32, [32], AUDIO), number=2)
        if is_same:
            assert inspected(*before, later, init=init).samples == {Medium.VIDEO: 2 - bool(init), Medium.AUDIO: 2 - bool(init)}
        else:
            with pytest.raises(UnsupportedSourceError, match="another initialization section"):
                inspected(*before, later, init=init)


def test_the_times_of_a_segment_are_those_of_its_own_tracks() -> None:
    slower = movie_of(track(VIDEO, b"vide", VIDEO_ENTRY, timescale=2 * TIMESCALE), AUDIO_TRACK)
    inspector = inspected(MOVIE + BOTH, slower + fragment(Part(2048, [64])), init=b"")
    assert inspector.starts == {Medium.VIDEO: 1.0}


@pytest.mark.parametrize("description", [0, 2, 3])
def test_only_samples_of_the_output_need_a_known_description(description: int) -> None:
    inspected(fragment(Part(0, [64]), Part(0, [9], SECOND_AUDIO, description=description)))
    inspected(fragment(Part(0, [64]), Part(0, [], AUDIO, description=description)))
    for each in (VIDEO, AUDIO):
        with pytest.raises(DamagedMediaError, match=f"has sample description {description}, and the track has 1"):
            inspected(fragment(Part(0, [64], each, description=description)))


def test_samples_without_duration_are_decoded_where_they_are() -> None:
    assert inspected(fragment(Part(512, [0]))).decode_spans == {Medium.VIDEO: (0.5, 0.5)}


def test_each_segment_may_have_some_small_boxes() -> None:
    small = 8000 * box(b"free")
    inspected(small + BOTH, small + fragment(Part(64, [64])))
    with pytest.raises(DamagedMediaError, match="too many small boxes"):
        inspected(2 * small + BOTH)
