"""Audio frames are counted as those that follow each other, however the bytes come, and an MP4 track has one format of them."""

from collections.abc import Callable, Sequence

import pytest

from transcoder.core.media.audio_frames import MAX_SHORT_FRAMES, AudioFrameCounter
from transcoder.core.media.audio_headers import read_ac3_header, read_adts_header, read_mpeg_audio_header, read_opus_header
from transcoder.errors import DamagedMediaError, UnsupportedSourceError


def adts(size: int = 40, *, rate: int = 3, channels: int = 2, profile: int = 1) -> bytes:
    """Write a frame of AAC: 3 is the index of 48 kHz, and 1 says AAC-LC."""
    fields = [profile << 6 | rate << 2 | channels >> 2, (channels & 3) << 6 | size >> 11, size >> 3 & 255, (size & 7) << 5 | 0x1F, 0xFC]
    return bytes([0xFF, 0xF1, *fields]).ljust(size, b"\0")


def mp3(rate: int = 1, *, mode: int = 0) -> bytes:
    """Write a frame of 32 kbit/s; 0 is the index of 44.1 kHz, and 1 that of 48 kHz."""
    frame = bytes([0xFF, 0xFB, 0x10 | rate << 2, mode << 6])
    return frame.ljust({0: 104, 1: 96, 2: 144}[rate], b"\0")


def ac3(rate: int = 0, *, mode: int = 2) -> bytes:
    """Write a frame of 32 kbit/s; 0 is the index of 48 kHz, and 2 says stereo."""
    return (b"\x0b\x77\0\0" + bytes([rate << 6, 8 << 3, mode << 5, 0])).ljust({0: 128, 1: 138, 2: 192}[rate], b"\0")


def eac3(blocks: int = 3, *, kind: int = 0, rate: int = 0, mode: int = 2) -> bytes:
    """Write a frame of 64 bytes; 3 is the code of six blocks, and kind 1 a dependent substream."""
    return (b"\x0b\x77" + bytes([kind << 6, 31, rate << 6 | blocks << 4 | mode << 1, 16 << 3])).ljust(64, b"\0")


def opus(size: int = 50) -> bytes:
    """Write an access unit of one stereo packet of 20 ms."""
    return b"\x7f\xe0" + bytes([255] * (size // 255) + [size % 255]) + b"\xfc".ljust(size, b"\0")


READERS = {
    "aac": read_adts_header,
    "mp3": read_mpeg_audio_header,
    "ac3": read_ac3_header,
    "eac3": read_ac3_header,
    "opus": read_opus_header,
}
FRAMES: dict[str, Sequence[bytes]] = {
    "aac": [adts(size) for size in (8, 9, 40, 300)],
    "mp3": [mp3()],
    "ac3": [ac3()],
    "eac3": [eac3()],
    "opus": [opus(size) for size in (5, 100, 254, 255, 400)],
}
SECONDS = {"aac": 1024 / 48_000, "mp3": 1152 / 48_000, "ac3": 1536 / 48_000, "eac3": 1536 / 48_000, "opus": 0.02}


def counter_of(codec: str, *pieces: bytes) -> AudioFrameCounter:
    counter = AudioFrameCounter(READERS[codec])
    for piece in pieces:
        counter.feed(piece)
    return counter


@pytest.mark.parametrize("piece", [1, 2, 8, 9, 10, 70, 10_000])
@pytest.mark.parametrize("codec", FRAMES)
def test_frames_are_counted_however_their_bytes_come(codec: str, piece: int) -> None:
    """The stream may begin with the rest of a frame, and that may contain bytes that look like a header."""
    for count in (2, 7):
        frames = [FRAMES[codec][number % len(FRAMES[codec])] for number in range(count)]
        for rest in (b"", b"\0", bytes(30), b"\0" + frames[0][:8] + bytes(60)):
            stream = rest + b"".join(frames)
            counter = counter_of(codec, *(stream[at : at + piece] for at in range(0, len(stream), piece)))
            assert counter.count == count, rest
            assert counter.seconds + counter.held_seconds == pytest.approx(count * SECONDS[codec])
            assert counter.frame_seconds == pytest.approx(SECONDS[codec])
            assert counter.close_segment()
            assert counter.count == count


@pytest.mark.parametrize("codec", FRAMES)
def test_a_frame_counts_once_its_header_has_come(codec: str) -> None:
    first, last = FRAMES[codec][-1], FRAMES[codec][-1]
    counter = counter_of(codec, first)
    for size in range(len(last) + 1):
        counter = counter_of(codec, first + last[:size])
        assert counter.count == (2 if size >= 9 else 1)
        assert counter.held_seconds == 0
        assert counter.close_segment() is (size in {0, len(last)})
    assert AudioFrameCounter(READERS[codec]).count == 0
    assert AudioFrameCounter(READERS[codec]).held_seconds == 0
    assert AudioFrameCounter(READERS[codec]).close_segment()


def test_a_frame_that_is_shorter_than_a_header_may_be_counts_as_a_whole() -> None:
    """ADTS frames have seven bytes or more, and the header of an Opus access unit may have nine."""
    counter = counter_of("aac", adts() + adts(8))
    assert (counter.count, counter.seconds, counter.held_seconds) == pytest.approx((2, 1024 / 48_000, 1024 / 48_000))
    counter.feed(adts())
    assert (counter.count, counter.seconds, counter.held_seconds) == pytest.approx((3, 3 * 1024 / 48_000, 0))
    cut = counter_of("aac", adts() + adts(8)[:7])
    assert (cut.count, cut.held_seconds, cut.close_segment()) == (1, 0, False)
    closed = counter_of("aac", adts() + adts(8))
    assert (closed.close_segment(), closed.count, closed.held_seconds) == (True, 2, 0)
    closed.feed(adts() + adts())
    assert closed.count == 4


@pytest.mark.parametrize("codec", FRAMES)
def test_what_follows_a_frame_is_another_one(codec: str) -> None:
    for pieces in ([FRAMES[codec][-1] + bytes(20)], [FRAMES[codec][-1], bytes(20)]):
        with pytest.raises(DamagedMediaError, match="a frame is not followed by the header of another"):
            counter_of(codec, *pieces)


@pytest.mark.parametrize(("code", "per_sample"), [(0, 6), (1, 3), (2, 2), (3, 1)])
def test_six_blocks_of_eac3_are_a_sample(code: int, per_sample: int) -> None:
    """ETSI TS 102 366, F.6; a dependent substream belongs to the frame before it."""
    for count in range(14):
        counter = counter_of("eac3", b"".join(count * [eac3(code) + eac3(code, kind=1)]))
        assert counter.count == count // per_sample
        assert counter.seconds == pytest.approx(count * 1536 / 48_000 / per_sample)


@pytest.mark.parametrize(
    ("codec", "before", "after", "change"),
    [
        ("aac", adts(), adts(rate=4), "its sampling rate within the source, from 48000 to 44100 Hz"),
        ("aac", adts(), adts(channels=1), "its channels within the source, from 2 to 1"),
        ("aac", adts(), adts(profile=0), "its AAC profile within the source, from 2 to 1"),
        ("aac", adts(), adts(channels=0), ""),
        ("aac", adts(channels=0), adts(), ""),
        ("aac", adts(), adts(300), ""),
        ("mp3", mp3(), mp3(0), "its sampling rate within the source, from 48000 to 44100 Hz"),
        ("mp3", mp3(), mp3(mode=3), ""),
        ("ac3", ac3(), ac3(2), "its sampling rate within the source, from 48000 to 32000 Hz"),
        ("ac3", ac3(), ac3(mode=1), "its channels within the source, from 2 to 1"),
        ("eac3", eac3(), eac3(rate=1), "its sampling rate within the source, from 48000 to 44100 Hz"),
        ("eac3", eac3(), eac3(mode=7), "its channels within the source, from 2 to 5"),
        ("eac3", eac3(), eac3(kind=1, mode=1), ""),
        ("eac3", eac3(kind=1, mode=1), eac3(), ""),
        ("eac3", eac3(), eac3(0), ""),
    ],
)
@pytest.mark.parametrize("join", [list, lambda frames: [b"".join(frames)]], ids=["one by one", "at once"])
def test_an_mp4_track_has_one_format(
    codec: str, before: bytes, after: bytes, change: str, join: Callable[[list[bytes]], list[bytes]]
) -> None:
    pieces = join([before, before, after, after])
    if change:
        with pytest.raises(UnsupportedSourceError, match=f"The audio changes {change}"):
            counter_of(codec, *pieces)
    else:
        counter_of(codec, *pieces)


@pytest.mark.parametrize("more", [0, 1])
def test_so_many_frames_may_have_less_than_twelve_bytes(more: int) -> None:
    """Each of seven, and all twelve bytes allow one beyond so many. The last one is held back, because a header may have nine."""
    count = 48_002 + more
    assert MAX_SHORT_FRAMES + 7 * count // 12 == 48_001
    if more:
        with pytest.raises(UnsupportedSourceError, match="more than 20000 audio frames of less than 12 bytes on average"):
            counter_of("aac", adts(7) * count)
    else:
        assert counter_of("aac", adts(7) * count).count == count
