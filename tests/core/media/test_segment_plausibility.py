"""A segment that lost a part, or lies elsewhere, is not accepted at first sight; those of ordinary packagers are."""

from collections import Counter

import pytest
from make_media import media
from peers.media_reader import listed_segments
from peers.origin import garbage, html
from peers.segment_inspection import read_segments

from transcoder.core.media.segment_look import Oddity, SegmentLook, look_at
from transcoder.core.media.segment_plausibility import ListedPlace, SegmentPlausibility
from transcoder.core.media.streams import Medium
from transcoder.errors import TranscoderError

SECONDS = 2.0
PACKET_BYTES = 188
EXACT_TS = ("ts-separate-audio", "large.m3u8")
EXACT_FMP4 = ("fmp4-separate-audio", "large.m3u8")


def without_packets(body: bytes, first: int, *, count: int = 1) -> bytes:
    return body[: first * PACKET_BYTES] + body[(first + count) * PACKET_BYTES :]


def unit_starts(body: bytes) -> list[int]:
    """Return the numbers of the packets in which a video frame of a segment begins, for a segment of video alone."""
    packets = [body[at : at + PACKET_BYTES] for at in range(0, len(body), PACKET_BYTES)]
    return [number for number, packet in enumerate(packets) if packet[1] & 0x40 and packet[4:].find(b"\0\0\1\xe0") >= 0]


def accepts(check: SegmentPlausibility, body: bytes, *, init: bytes, at: float, seconds: float, rounding: float = 0.0) -> bool:
    """Return whether a check accepts what a body shows, as one that others follow."""
    return check.accepts(look_if_whole(body, init), ListedPlace(at, seconds, rounding))


def look_if_whole(body: bytes, init: bytes) -> SegmentLook | None:
    try:
        return look_at(body, init=init)
    except TranscoderError:
        return None


def check_after_two(name: str, playlist: str) -> tuple[SegmentPlausibility, bytes, list[bytes]]:
    """Return a check that has accepted the first segment of a set twice, the initialization section, and all segments."""
    init, segments = read_segments(media(name), playlist)
    check = SegmentPlausibility()
    for _ in range(2):
        assert accepts(check, segments[0], init=init, at=0.0, seconds=SECONDS)
    return check, init, segments


@pytest.mark.parametrize(
    ("name", "playlist"),
    [
        EXACT_TS,
        EXACT_FMP4,
        ("ts-separate-audio", "audio.m3u8"),
        ("fmp4-audio-only", "main.m3u8"),
        ("ts-audio-only", "main.m3u8"),
        ("packed-aac", "audio.m3u8"),
        ("packed-aac-untimed", "audio.m3u8"),
        ("ts-video-only", "main.m3u8"),
    ],
)
def test_each_segment_of_a_packager_is_accepted(name: str, playlist: str) -> None:
    init, segments = read_segments(media(name), playlist)
    text = (media(name) / playlist).read_text()
    durations = [float(line[len("#EXTINF:") : -1]) for line in text.splitlines() if line.startswith("#EXTINF:")]
    assert len(durations) == len(list(listed_segments(text))) == len(segments)
    check, at = SegmentPlausibility(), 0.0
    for number, (body, seconds) in enumerate(zip(segments, durations, strict=True)):
        assert accepts(check, body, init=init, at=at, seconds=seconds), number
        assert not check.doubts_only, number
        at += seconds


def test_a_transport_stream_without_one_of_its_packets_is_not_accepted() -> None:
    check, init, segments = check_after_two(*EXACT_TS)
    body = segments[1]
    starts = unit_starts(body)
    inside = starts[0] + 2
    assert inside not in starts
    for lost in (inside, starts[3] - 1, starts[3]):
        assert not accepts(check, without_packets(body, lost), init=init, at=SECONDS, seconds=SECONDS), lost
    assert accepts(check, body, init=init, at=SECONDS, seconds=SECONDS)


@pytest.mark.parametrize("source", [EXACT_TS, EXACT_FMP4, ("ts-audio-only", "main.m3u8")], ids=["TS", "fMP4", "audio in TS"])
def test_a_segment_that_is_repeated_is_not_accepted(source: tuple[str, str]) -> None:
    check, init, segments = check_after_two(*source)
    assert not accepts(check, renumbered(2 * segments[1]), init=init, at=SECONDS, seconds=SECONDS)
    assert accepts(check, renumbered(segments[1]), init=init, at=SECONDS, seconds=SECONDS)


def renumbered(body: bytes) -> bytes:
    """Give the packets of a transport stream consecutive counters, so that only their times tell that one is repeated."""
    if body[:1] != b"G":
        return body
    counters: Counter[int] = Counter()
    packets = bytearray(body)
    for at in range(0, len(packets), PACKET_BYTES):
        pid = (packets[at + 1] & 0x1F) << 8 | packets[at + 2]
        packets[at + 3] = packets[at + 3] & 0xF0 | counters[pid] & 0x0F
        counters[pid] += 1
    return bytes(packets)


def test_a_transport_stream_without_a_whole_frame_is_not_accepted() -> None:
    check, init, segments = check_after_two(*EXACT_TS)
    starts = unit_starts(segments[1])
    lost = without_packets(segments[1], starts[5], count=starts[6] - starts[5])
    assert not accepts(check, lost, init=init, at=SECONDS, seconds=SECONDS)


def test_a_frame_that_is_decoded_last_and_shown_earlier_is_missed_until_the_track_lacks_frames_anyway() -> None:
    check, init, segments = check_after_two(*EXACT_TS)
    starts = unit_starts(segments[1])
    last_shown_early = renumbered(segments[1][: starts[-1] * PACKET_BYTES])
    for _ in range(2):
        assert not accepts(check, last_shown_early, init=init, at=SECONDS, seconds=SECONDS)
    check.believe()
    assert accepts(check, last_shown_early, init=init, at=SECONDS, seconds=SECONDS)


def test_a_few_frames_of_audio_beside_video_make_a_difference() -> None:
    init, segments = read_segments(media("ts-ac3"))
    check = SegmentPlausibility()
    for number in (0, 1, 1):
        assert accepts(check, segments[number], init=init, at=SECONDS * number, seconds=SECONDS)
    last_unit = max(at for at in range(0, len(segments[1]), PACKET_BYTES) if segments[1][at + 1] & 0x40)
    early = segments[1][:last_unit]
    ends = [look_at(body, init=init).spans[Medium.AUDIO][1] for body in (early, segments[1])]
    assert ends[1] - ends[0] == pytest.approx(0.096)
    assert not accepts(check, early, init=init, at=SECONDS, seconds=SECONDS)
    assert accepts(check, segments[1], init=init, at=SECONDS, seconds=SECONDS)


def test_a_transport_stream_is_made_of_whole_packets() -> None:
    check, init, segments = check_after_two(*EXACT_TS)
    body = segments[1]
    third = len(body) // PACKET_BYTES // 3 * PACKET_BYTES
    odd = [body[:-100], body + bytes(7), body[:third] + garbage(third) + body[2 * third :], body[:third] + body[third + 100 :]]
    assert not any(accepts(check, each, init=init, at=SECONDS, seconds=SECONDS) for each in odd)


@pytest.mark.parametrize(
    ("source", "body"),
    [
        pytest.param(EXACT_TS, b"", id="nothing for TS"),
        pytest.param(EXACT_TS, garbage(50_000), id="noise for TS"),
        pytest.param(EXACT_TS, html(50_000), id="text for TS"),
        pytest.param(EXACT_TS, bytes(50_008), id="zeros for TS"),
        pytest.param(EXACT_FMP4, garbage(50_000), id="noise for fMP4"),
        pytest.param(EXACT_FMP4, bytes(50_008), id="zeros for fMP4"),
    ],
)
def test_bytes_that_are_not_media_are_not_accepted(source: tuple[str, str], body: bytes) -> None:
    check, init, _ = check_after_two(*source)
    assert not accepts(check, body, init=init, at=SECONDS, seconds=SECONDS)


def test_a_fragmented_mp4_that_is_cut_between_two_fragments_is_too_short() -> None:
    check, init, segments = check_after_two(*EXACT_FMP4)
    second_moof = segments[1].index(b"moof", segments[1].index(b"moof") + 4) - 4
    assert not accepts(check, segments[1][:second_moof], init=init, at=SECONDS, seconds=SECONDS)
    assert accepts(check, segments[1], init=init, at=SECONDS, seconds=SECONDS)


@pytest.mark.parametrize("part", [0.0, 0.004, 0.5, 0.99], ids=["nothing", "its first box", "half", "all but its end"])
def test_a_fragmented_mp4_that_is_cut_inside_a_box_is_not_accepted(part: float) -> None:
    check, init, segments = check_after_two(*EXACT_FMP4)
    assert not accepts(check, segments[1][: int(len(segments[1]) * part)], init=init, at=SECONDS, seconds=SECONDS)


@pytest.mark.parametrize("source", [EXACT_TS, EXACT_FMP4], ids=["TS", "fMP4"])
def test_a_segment_in_another_place_is_not_accepted(source: tuple[str, str]) -> None:
    check, init, segments = check_after_two(*source)
    assert not accepts(check, segments[2], init=init, at=SECONDS, seconds=SECONDS)
    assert not accepts(check, segments[0], init=init, at=SECONDS, seconds=SECONDS)
    assert not accepts(check, segments[1] + segments[2], init=init, at=SECONDS, seconds=SECONDS)


@pytest.mark.parametrize(
    ("seconds", "accepted"),
    [(2.0, True), (2.4, True), (1.7, True), (2.8, False), (1.5, False)],
    ids=["exact", "a sixth less", "a sixth more", "two sevenths less", "a third more"],
)
def test_the_first_segment_may_differ_from_extinf_by_a_quarter_of_it(seconds: float, *, accepted: bool) -> None:
    init, segments = read_segments(media(EXACT_TS[0]), EXACT_TS[1])
    assert accepts(SegmentPlausibility(), segments[1], init=init, at=SECONDS, seconds=seconds) == accepted


@pytest.mark.parametrize(("seconds", "accepted"), [(2.015, True), (2.02, False), (1.98, False)])
def test_after_exact_segments_a_frame_makes_a_difference(seconds: float, *, accepted: bool) -> None:
    check, init, segments = check_after_two(*EXACT_TS)
    assert accepts(check, segments[1], init=init, at=SECONDS, seconds=seconds) == accepted


def test_a_segment_alone_teaches_little_about_where_a_track_begins() -> None:
    """Audio in a track's first segment may begin earlier than in all others."""
    init, segments = read_segments(media(EXACT_TS[0]), EXACT_TS[1])
    check = SegmentPlausibility()
    assert accepts(check, segments[0], init=init, at=0.0, seconds=SECONDS)
    assert accepts(check, segments[1], init=init, at=SECONDS + 0.1, seconds=SECONDS)
    assert not accepts(check, segments[0], init=init, at=0.6, seconds=SECONDS)


@pytest.mark.parametrize(("seconds", "accepted"), [(2.515, True), (2.52, False), (1.485, True), (1.48, False)])
def test_extinf_may_be_rounded(seconds: float, *, accepted: bool) -> None:
    check, init, segments = check_after_two(*EXACT_TS)
    assert accepts(check, segments[1], init=init, at=SECONDS, seconds=seconds, rounding=0.5) == accepted


@pytest.mark.parametrize(
    ("first", "second", "doubted"),
    [
        pytest.param(slice(0, 1), 1, False, id="in order"),
        pytest.param(slice(1, 2), 1, True, id="the second in the first place, too"),
        pytest.param(slice(1, 2), 0, True, id="exchanged"),
        pytest.param(slice(0, 2), 1, True, id="the first one with its successor"),
        pytest.param(slice(0, 1), 2, True, id="another one in the second place"),
    ],
)
@pytest.mark.parametrize("source", [EXACT_TS, EXACT_FMP4], ids=["TS", "fMP4"])
def test_of_two_that_do_not_follow_each_other_either_may_be_wrong(
    source: tuple[str, str], first: slice, second: int, *, doubted: bool
) -> None:
    init, segments = read_segments(media(source[0]), source[1])
    check = SegmentPlausibility()
    accepted = accepts(check, b"".join(segments[first]), init=init, at=0.0, seconds=SECONDS)
    accepts(check, segments[second], init=init, at=SECONDS, seconds=SECONDS)
    assert check.doubts_only == (accepted and doubted)
    assert accepted == (first != slice(0, 2))


def test_after_inexact_segments_the_next_may_differ_three_times_as_much() -> None:
    init, segments = read_segments(media(EXACT_TS[0]), EXACT_TS[1])
    check = SegmentPlausibility()
    for _ in range(2):
        assert accepts(check, segments[0], init=init, at=0.0, seconds=2.1)
    assert not accepts(check, segments[1], init=init, at=SECONDS, seconds=2.35)
    assert accepts(check, segments[1], init=init, at=SECONDS, seconds=2.3)


def test_one_that_is_not_accepted_teaches_nothing() -> None:
    check, init, segments = check_after_two(*EXACT_TS)
    assert not accepts(check, segments[1], init=init, at=SECONDS, seconds=2.4)
    assert not accepts(check, segments[1], init=init, at=SECONDS, seconds=2.1)


def test_after_a_segment_is_believed_the_place_and_the_tolerance_are_learned_again() -> None:
    check, init, segments = check_after_two(*EXACT_TS)
    assert not accepts(check, segments[1], init=init, at=30.0, seconds=2.4)
    check.believe()
    assert accepts(check, segments[1], init=init, at=30.0, seconds=2.4)
    assert accepts(check, segments[2], init=init, at=32.0, seconds=SECONDS)
    assert not accepts(check, segments[2], init=init, at=4.0, seconds=SECONDS)


@pytest.mark.parametrize(("seconds", "accepted"), [(SECONDS - 0.25, True), (SECONDS - 0.26, False), (SECONDS + 0.05, False)])
@pytest.mark.parametrize("source", [EXACT_TS, EXACT_FMP4], ids=["TS", "fMP4"])
def test_the_last_one_may_be_a_little_longer_but_not_shorter(source: tuple[str, str], seconds: float, *, accepted: bool) -> None:
    check, init, segments = check_after_two(*source)
    assert not accepts(check, segments[1], init=init, at=SECONDS, seconds=seconds)
    assert check.accepts(look_if_whole(segments[1], init), ListedPlace(SECONDS, seconds, is_last=True)) == accepted


@pytest.mark.parametrize(("lost", "is_odd"), [(0, False), (1, True), (4, True), (5, False)])
def test_a_few_frames_that_are_lacking_are_odd_and_more_are_a_pause(lost: int, *, is_odd: bool) -> None:
    body = read_segments(media(EXACT_TS[0]), EXACT_TS[1])[1][1]
    starts = unit_starts(body)
    cut = renumbered(without_packets(body, starts[12], count=starts[12 + lost] - starts[12]))
    assert (Oddity.LACKS_FRAMES in look_at(cut, init=b"").oddities) is is_odd
