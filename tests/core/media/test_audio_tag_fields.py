"""Fields of the tags of packed audio, where else what looks like audio begins, and how encrypted audio ends."""

import pytest
from cryptography.hazmat.primitives.ciphers import Cipher
from cryptography.hazmat.primitives.ciphers.algorithms import AES
from cryptography.hazmat.primitives.ciphers.modes import CBC
from fuzz.media_pieces import ADTS, id3, timestamp

from transcoder.core.media.aes128 import Decryptor
from transcoder.core.media.audio_headers import HEADER_READERS, read_adts_header
from transcoder.core.media.audio_tags import is_closing_tag, tag_length, tag_timestamp, tags_length
from transcoder.core.media.header_search import header_offsets
from transcoder.core.media.no_media import MAX_EMPTY_SECONDS, MAX_SECONDS_OF_NOTHING
from transcoder.core.media.signatures import audio_codec, is_audio, is_media, is_transport_stream
from transcoder.core.media.tagged_audio import MAX_TAGS_BETWEEN, TaggedAudioFrames
from transcoder.errors import DamagedMediaError, UnsupportedSourceError

OWNER = b"com.apple.streaming.transportStreamTimestamp\0"
MEGABYTE = 1024 * 1024


@pytest.mark.parametrize("flags", [0, 0x10, 0xEF, 0xFF])
@pytest.mark.parametrize("octets", [(0, 0, 0, 0), (0, 0, 0, 127), (0, 0, 1, 0), (0, 1, 2, 3), (0x80, 0x81, 0x82, 0x83), (0, 63, 0, 0)])
def test_the_length_of_an_id3_tag_has_seven_bits_in_each_byte(flags: int, octets: tuple[int, int, int, int]) -> None:
    """ID3v2.4, 3.1 and 3.4: one flag announces a footer, which is as long as the header."""
    one, two, three, four = (octet & 127 for octet in octets)
    length = ((one * 128 + two) * 128 + three) * 128 + four + 10 + (10 if flags & 0x10 else 0)
    head = b"ID3\4\0" + bytes([flags, *octets])
    assert tag_length(b"\xff" + head, 1) == tag_length(head, 0) == tags_length(head + bytes(length), whole=True) == length
    assert tag_length(head[:9], 0) is None
    assert tags_length(head[:9], whole=True) == 0


@pytest.mark.parametrize(("size", "flags", "length"), [(500, 1 << 29, 532), (500, 0, 32), (500, 0xDFFFFFFF, 32), (500, 0xFFFFFFFF, 532)])
def test_the_length_of_an_ape_tag_is_little_endian(size: int, flags: int, length: int) -> None:
    """APEv2: the header says how long the rest is, a footer how long what stands before it is."""
    tag = b"APETAGEX" + bytes([1, 2, 3, 4]) + size.to_bytes(4, "little") + bytes([5, 6, 7, 8]) + flags.to_bytes(4, "little") + bytes(8)
    assert len(tag) == 32
    assert tag_length(tag, 0) == tag_length(b"ID" + tag, 2) == length
    assert tag_length(tag[:31], 0) is None


@pytest.mark.parametrize(("more", "refused"), [(0, False), (1, True)])
def test_a_tag_has_a_megabyte_with_its_header(more: int, *, refused: bool) -> None:
    size = MEGABYTE - 32 + more
    tag = b"APETAGEX" + bytes(4) + size.to_bytes(4, "little") + bytes(4) + (1 << 29).to_bytes(4, "little") + bytes(8)
    if refused:
        with pytest.raises(DamagedMediaError, match="a tag of 1048577 bytes"):
            tag_length(tag, 0)
    else:
        assert tag_length(tag, 0) == MEGABYTE


@pytest.mark.parametrize("head", [b"TAG", b"TAGabc"])
def test_id3v1_has_128_bytes_and_is_at_the_end_as_an_ape_tag_is(head: bytes) -> None:
    assert tag_length(head, 0) == 128
    assert tag_length(b"xTAX", 1) == tag_length(b"APETAGE", 0) == 0
    assert [is_closing_tag(tag) for tag in (head, b"APETAGEX", b"ID3")] == [True, True, False]


@pytest.mark.parametrize(
    ("ticks", "seconds"), [(0, 0.0), (90_000, 1.0), (2**33 - 1, (2**33 - 1) / 90_000), (2**33 + 90_000, 1.0), (2**63, 0.0)]
)
def test_a_timestamp_has_33_bits(ticks: int, seconds: float) -> None:
    value = ticks.to_bytes(8)
    for before in (b"", id3(b"TXXX" + bytes(20)), b"\xff"):
        assert tag_timestamp(before + OWNER + value + b"\xff") == tag_timestamp(before + OWNER + value) == pytest.approx(seconds)
        assert tag_timestamp(before + OWNER + value[:7]) is None
        assert tag_timestamp(before + value) is None


def test_samples_that_a_tag_says_are_encrypted_are_refused() -> None:
    for tags in (b"com.apple.streaming.audioDescription\0", timestamp(3) + b"com.apple.streaming.audioDescription\0zach"):
        with pytest.raises(UnsupportedSourceError, match="SAMPLE-AES"):
            tag_timestamp(tags)


@pytest.mark.parametrize("more", [0, 1])
def test_so_many_tags_may_stand_between_frames(more: int) -> None:
    """A thousand, and one for each 1024 bytes: 26 of them have 26 bytes each with a frame."""
    count = 1026 + more
    body = ADTS + count * (id3() + ADTS)
    assert (len(id3() + ADTS), MAX_TAGS_BETWEEN + len(body) // 1024) == (26, 1026)
    tags: list[bytes] = []
    frames = TaggedAudioFrames(read_adts_header, tags.append)
    if more:
        with pytest.raises(UnsupportedSourceError, match="more than 1000 tags between its frames"):
            frames.frames_of(body)
    else:
        assert frames.frames_of(body) == (count + 1) * ADTS
        assert tags == count * [id3()]
        assert frames.held_back() == b""


@pytest.mark.parametrize("shown", [0, 1, 9, 10, 15, 29, 30, 31, 39])
def test_what_has_come_of_a_tag_is_held_back_until_all_of_it_is_there(shown: int) -> None:
    tag, tags = id3(bytes(20)), list[bytes]()
    frames = TaggedAudioFrames(read_adts_header, tags.append)
    rest = tag + ADTS
    passed = frames.frames_of(2 * ADTS + rest[:shown])
    assert passed + frames.held_back() == 2 * ADTS + (rest[:shown] if shown < 30 else rest[30:shown])
    assert (tags, frames.close_segment()) == (([tag], shown == 30) if shown >= 30 else ([], shown == 0))
    again = TaggedAudioFrames(read_adts_header, tags.append)
    assert b"".join(map(again.frames_of, (2 * ADTS + rest[:shown], rest[shown:]))) == 3 * ADTS
    assert (again.count, again.held_back()) == (3, b"")


@pytest.mark.parametrize("cut", [10, 15, 29])
def test_a_tag_is_taken_as_soon_as_its_last_byte_has_come(cut: int) -> None:
    tag, tags = id3(bytes(20)), list[bytes]()
    frames = TaggedAudioFrames(read_adts_header, tags.append)
    assert frames.frames_of(2 * ADTS + tag[:cut]) == 2 * ADTS
    assert (frames.frames_of(tag[cut:]), tags, frames.held_back()) == (b"", [tag], b"")


HEADS = {
    "aac": ADTS[:9],
    "mp3": b"\xff\xfb\x90\xc4" + bytes(5),
    "ac3": b"\x0b\x77\0\0\x14\x40\x40\0\0",
    "opus": b"\x7f\xe0\x05\xfc" + bytes(5),
}


@pytest.mark.parametrize("codec", HEADS)
@pytest.mark.parametrize(("at", "found"), [(4, False), (5, True), (6, True), (49, True), (50, False)])
def test_headers_are_looked_for_from_a_start_on_and_before_a_stop(codec: str, at: int, *, found: bool) -> None:
    read_header = HEADER_READERS[codec]
    data = bytes(at) + HEADS[codec] + bytes(60)
    assert read_header(data, at)
    assert list(header_offsets(read_header, data, 5, 50)) == ([at] if found else [])


@pytest.mark.parametrize(("codec", "head"), HEADS.items())
@pytest.mark.parametrize("tags", [b"", id3(bytes(20)), id3() + timestamp(3)])
def test_nine_bytes_behind_the_tags_say_what_the_audio_is(codec: str, head: bytes, tags: bytes) -> None:
    known = None if codec == "opus" else codec
    assert audio_codec(tags + head) == audio_codec(tags + head + bytes(50)) == known
    assert audio_codec(tags + head[:8]) is None
    assert audio_codec(17 * tags + head) == (None if tags else known)
    assert is_audio(tags + head) is is_media(tags + head) is bool(known or tags)


@pytest.mark.parametrize("size", [188, 192])
def test_three_sync_bytes_are_a_transport_stream(size: int) -> None:
    packets = 3 * (bytes(size - 188) + b"G" + bytes(187))
    last = 2 * size + size - 188
    assert is_transport_stream(packets[: last + 1], any_size=True)
    assert is_transport_stream(packets[: last + 1]) is (size == 188)
    for at in (last, size, last - size):
        changed = packets[:at] + b"H" + packets[at + 1 :]
        assert is_transport_stream(changed, any_size=True) is (at not in {last, last - size} and size == 192)
    assert not is_transport_stream(packets[:last], any_size=True)


@pytest.mark.parametrize("piece", [1, 16, 50, 188, 10_000])
@pytest.mark.parametrize(
    ("clear", "kept"),
    [
        pytest.param(4 * (b"G" + bytes(187))[:-1] + b"\1\1\1\1", 752, id="whole packets without padding"),
        pytest.param((4 * (b"G" + bytes(187)))[:-1] + b"\1", 752, id="whole packets whose end looks like padding"),
        pytest.param((4 * (b"H" + bytes(187)))[:-1] + b"\1", 751, id="no packets"),
        pytest.param(4 * (b"G" + bytes(187)) + 16 * b"\x10", 752, id="packets and padding"),
    ],
)
def test_the_padding_is_told_from_packets_however_the_bytes_come(clear: bytes, kept: int, piece: int) -> None:
    cipher = Cipher(AES(bytes(16)), CBC(bytes(16))).encryptor()
    encrypted = cipher.update(clear) + cipher.finalize()
    decryptor = Decryptor(bytes(16), bytes(16))
    found = b"".join(decryptor.feed(encrypted[at : at + piece]) for at in range(0, len(encrypted), piece)) + decryptor.end()
    assert (found, decryptor.is_padded) == (clear[:kept], kept < len(clear))


def test_an_empty_end_is_shorter_than_a_frame() -> None:
    """Of AAC at 48 kHz if there are no bytes at all, and no longer than a few of them otherwise."""
    assert 0.02 <= MAX_SECONDS_OF_NOTHING < 1024 / 48_000 < MAX_EMPTY_SECONDS <= 5 * 1024 / 48_000


def test_tags_are_taken_in_order() -> None:
    taken: list[tuple[bytes, int]] = []
    frames = TaggedAudioFrames(read_adts_header, lambda tag: taken.append((tag, frames.count)))
    frames.frames_of(ADTS + id3(b"a") + ADTS + id3(b"b") + id3(b"c") + ADTS + ADTS)
    assert taken == [(id3(b"a"), 1), (id3(b"b"), 2), (id3(b"c"), 2)]
