"""What a whole segment of transport packets or packed audio shows: its times, what is odd about it, and what is refused."""

import pytest
from fuzz.media_pieces import ADTS, AUDIO_PID, PACKET_BYTES, TABLES, VIDEO_PID, id3, packet, pes, timestamp

from transcoder.core.media.packed_audio import probe_packed_audio
from transcoder.core.media.presentation_ends import END_BYTES, last_slide, presentation_ends
from transcoder.core.media.segment_look import Oddity, look_at, look_in_steps
from transcoder.core.media.streams import Container, Medium, Probe, Stream
from transcoder.errors import DamagedMediaError

VIDEO, AUDIO = Medium.VIDEO, Medium.AUDIO
KEY = b"\0\0\0\1\x09\xf0\0\0\0\1\x67\x64\0\x1f\0\0\0\1\x68\xee\0\0\0\1\x65\x88"
OTHER = b"\0\0\0\1\x09\xf0\0\0\0\1\x41\x9a"
FRAME_TICKS = 3600


def picture(number: int, *, counter: int | None = None) -> bytes:
    """Write a picture in one packet; 25 of them are shown in a second."""
    body = (OTHER if number else KEY).ljust(100, b"\1")
    return packet(VIDEO_PID, pes(90_000 + FRAME_TICKS * number, body), starts=True, counter=number if counter is None else counter)


def pictures(count: int) -> bytes:
    return b"".join(map(picture, range(count)))


def sound(number: int) -> bytes:
    """Write ten frames of AAC in one packet; each lasts 1920 ticks."""
    return packet(AUDIO_PID, pes(90_000 + 1920 * 10 * number, 10 * ADTS, stream=0xC0), starts=True, counter=number)


BODY = TABLES + sound(0) + pictures(10) + sound(1)


def test_the_times_of_a_segment_and_nothing_odd() -> None:
    found = look_at(BODY, init=b"")
    assert found.spans == {VIDEO: pytest.approx((1.0, 1.4)), AUDIO: pytest.approx((1.0, 1.0 + 20 * 1024 / 48_000))}
    assert (found.is_timed, found.oddities) == (True, frozenset())
    assert found.probe
    assert (found.probe.container, found.probe.skip) == (Container.MPEGTS, 0)


def test_what_stands_before_the_packets_is_passed_over() -> None:
    found = look_at(b"\x89PNG" + bytes(500) + BODY, init=b"")
    assert found.spans == look_at(BODY, init=b"").spans
    assert found.probe
    assert found.probe.skip == 504


@pytest.mark.parametrize(("rest", "oddities"), [(b"", ()), (bytes(12), (Oddity.TRAILER,)), (bytes(200), (Oddity.TRAILER,))])
def test_zeros_behind_the_packets_are_odd(rest: bytes, oddities: tuple[Oddity, ...]) -> None:
    assert look_at(BODY + rest, init=b"").oddities == frozenset(oddities)


@pytest.mark.parametrize("rest", [b"G", BODY[:100], BODY[: PACKET_BYTES - 1]])
def test_a_part_of_a_packet_is_the_rest_of_one_that_was_cut(rest: bytes) -> None:
    with pytest.raises(DamagedMediaError, match="cut off inside a transport packet"):
        look_at(BODY + rest, init=b"")


@pytest.mark.parametrize("medium", [VIDEO, AUDIO])
def test_a_packet_that_announces_more_than_has_come_is_odd(medium: Medium) -> None:
    pid, stream = (VIDEO_PID, 0xE0) if medium is VIDEO else (AUDIO_PID, 0xC0)
    body = OTHER.ljust(100, b"\1") if medium is VIDEO else ADTS
    whole = pes(90_000 + FRAME_TICKS * 10, body, stream=stream)
    for announced, is_odd in ((len(whole) - 6, False), (len(whole) - 5, True)):
        last = whole[:4] + announced.to_bytes(2) + whole[6:]
        found = look_at(BODY + packet(pid, last, starts=True, counter=10 if medium is VIDEO else 2), init=b"")
        assert (Oddity.UNFINISHED in found.oddities) is is_odd


def test_packets_are_neither_missing_nor_sent_twice() -> None:
    lost = TABLES + pictures(5) + b"".join(map(picture, range(6, 10)))
    with pytest.raises(DamagedMediaError, match="packets are missing inside it"):
        look_at(lost, init=b"")
    twice = TABLES + pictures(20) + b"".join(picture(number, counter=number + 20) for number in range(20))
    with pytest.raises(DamagedMediaError, match="was sent twice"):
        look_at(twice, init=b"")


def test_a_long_segment_ends_where_all_of_its_packets_say() -> None:
    count = END_BYTES // PACKET_BYTES + 500
    found = look_at(TABLES + pictures(count), init=b"")
    assert found.spans == {VIDEO: pytest.approx((1.0, 1.0 + count / 25))}
    assert found.oddities == frozenset()


def test_frames_of_packed_audio_may_have_no_times() -> None:
    timed, untimed = look_at(timestamp(2.0) + 20 * ADTS, init=b""), look_at(20 * ADTS, init=b"")
    assert timed.spans == {AUDIO: pytest.approx((2.0, 2.0 + 20 * 1024 / 48_000))}
    assert untimed.spans == {}
    assert [(found.is_timed, found.probe) for found in (timed, untimed)] == 2 * [(False, None)]
    with pytest.raises(DamagedMediaError, match="cut off inside an audio frame"):
        look_at(20 * ADTS + ADTS[:10], init=b"")


def test_the_caller_has_a_turn_after_each_64_kilobytes() -> None:
    steps = sum(1 for _ in look_in_steps(16_384 * ADTS, init=b""))
    assert steps == 1 + 16_384 * len(ADTS) // 65_536
    assert sum(1 for _ in look_in_steps(BODY, init=b"")) >= 3


@pytest.mark.parametrize("tags", [b"", id3(bytes(20)), timestamp(3.0)])
def test_nine_bytes_of_packed_audio_are_enough(tags: bytes) -> None:
    """If they are all, there is no second frame that would have to follow."""
    assert probe_packed_audio(tags + ADTS[:8], whole=False) is None
    found = probe_packed_audio(tags + ADTS[:9], whole=False)
    assert found
    assert (found.container, found.skip) == (Container.ADTS, len(tags))
    assert probe_packed_audio(tags + ADTS[:9], whole=True) == found
    with pytest.raises(DamagedMediaError, match="contains no audio frame"):
        probe_packed_audio(tags + ADTS[:8], whole=True)


@pytest.mark.parametrize(
    ("following", "is_audio"),
    [(bytes(8), True), (bytes(9), False), (ADTS, True), (b"\xff\xf0".ljust(9, b"\0"), False), (b"TAG" + bytes(6), True), (id3()[:9], True)],
)
def test_a_frame_is_followed_by_another_one_or_a_tag(following: bytes, *, is_audio: bool) -> None:
    if is_audio:
        assert probe_packed_audio(ADTS + following, whole=False)
    else:
        with pytest.raises(DamagedMediaError, match="contains no audio frame"):
            probe_packed_audio(ADTS + following, whole=False)


def test_other_containers_say_by_themselves_how_long_they_are() -> None:
    video = Stream(VIDEO, "h264", 1, 0.0)
    assert presentation_ends(BODY, Probe(Container.MP4, (video,))) == {}
    assert presentation_ends(timestamp(5.0) + 3 * ADTS, Probe(Container.ADTS, (video,))) == {}
    slides = TABLES + picture(0)
    assert last_slide(slides, Probe(Container.MPEGTS, (video._replace(id=VIDEO_PID),)))
    for container in (Container.FMP4, Container.MP4, Container.ADTS):
        assert last_slide(slides, Probe(container, (video._replace(id=VIDEO_PID),))) is None
