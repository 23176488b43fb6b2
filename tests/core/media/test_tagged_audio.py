"""Tags between the frames of packed audio, and after them: none of their bytes goes on, and every frame is counted."""

from functools import cache

import pytest
from fuzz.media_pieces import ADTS
from hypothesis import given
from hypothesis import strategies as st
from make_media import media
from peers.segment_inspection import inspect_segments, probe_segment, split_at

from transcoder.core.media.audio_frames import MAX_SHORT_FRAMES
from transcoder.core.media.audio_headers import HEADER_BYTES, HEADER_READERS
from transcoder.core.media.audio_tags import MAX_TAGS, tag_length, tags_length
from transcoder.core.media.inspector import inspector_for
from transcoder.core.media.presentation_ends import presentation_ends
from transcoder.core.media.streams import Container, Medium
from transcoder.core.media.tagged_audio import MAX_TAGS_BETWEEN
from transcoder.errors import DamagedMediaError, UnsupportedSourceError

CODECS = ["aac", "mp3", "ac3", "eac3"]
OWNER = b"com.apple.streaming.transportStreamTimestamp\0"


def id3(*frames: bytes, footer: bool = False) -> bytes:
    body = b"".join(frames)
    size = bytes(len(body) >> shift & 0x7F for shift in (21, 14, 7, 0))
    return b"ID3\4\0" + bytes([0x10 * footer]) + size + body + (b"3DI\4\0\x10" + size if footer else b"")


def frame(kind: bytes, content: bytes) -> bytes:
    return kind + len(content).to_bytes(4) + b"\0\0" + content


def timestamp(seconds: float, owner: bytes = OWNER) -> bytes:
    return id3(frame(b"PRIV", owner + round(seconds * 90_000).to_bytes(8)))


TITLE = id3(frame(b"TXXX", b"\3title\0On air"))
LONG = id3(frame(b"APIC", bytes(range(256)) * 100))
"""A picture in which there may be anything."""
ID3V1 = b"TAG" + bytes(125)


def ape() -> bytes:
    """Return an APEv2 tag: a header, an item of 12 bytes, and a footer. Its size does not include the header."""
    fields = (2000).to_bytes(4, "little") + (44).to_bytes(4, "little") + (1).to_bytes(4, "little")
    header, footer = (b"APETAGEX" + fields + flags.to_bytes(4, "little") + bytes(8) for flags in (0xA0000000, 0x80000000))
    return header + b"\1\0\0\0\0\0\0\0No\0x" + footer


APE = ape()


@cache
def frames(codec: str) -> list[bytes]:
    """Return the audio frames of a generated set."""
    (file,) = media(f"packed-{codec}").glob("audio.whole.*")
    data, found, at = file.read_bytes(), list[bytes](), 0
    read_header = HEADER_READERS[codec]
    while at < len(data):
        header = read_header(data + bytes(HEADER_BYTES), at)
        assert header
        found.append(data[at : at + header.length])
        at += header.length
    return found[:60]


def seconds_of(codec: str, count: int) -> float:
    inspector, _ = inspect_segments([timestamp(0) + b"".join(frames(codec)[:count])])
    return inspector.ends[Medium.AUDIO]


BETWEEN = [
    pytest.param(TITLE, id="a title"),
    pytest.param(TITLE + TITLE, id="two tags"),
    pytest.param(LONG, id="a picture"),
    pytest.param(id3(frame(b"TXXX", b"\3a"), footer=True), id="a tag with a footer"),
    pytest.param(id3(), id="an empty tag"),
    pytest.param("timestamp", id="a timestamp"),
]
AFTER = [
    pytest.param(ID3V1, id="ID3v1"),
    pytest.param(APE, id="APE"),
    pytest.param(APE + ID3V1, id="APE and ID3v1"),
    pytest.param(TITLE, id="ID3v2"),
    pytest.param(TITLE + ID3V1, id="ID3v2 and ID3v1"),
]


@pytest.mark.parametrize("between", BETWEEN)
@pytest.mark.parametrize("codec", CODECS)
@pytest.mark.parametrize("chunk_bytes", [1, 7, 100, 65536])
def test_tags_between_frames_are_left_out(codec: str, between: bytes | str, chunk_bytes: int) -> None:
    audio = frames(codec)
    tag = timestamp(12.5 + seconds_of(codec, 30)) if isinstance(between, str) else between
    plain = timestamp(12.5) + b"".join(audio)
    tagged = timestamp(12.5) + b"".join(audio[:30]) + tag + b"".join(audio[30:])
    expected, _ = inspect_segments([plain])
    inspector, passed_on = inspect_segments([tagged], chunk_bytes=chunk_bytes)
    assert passed_on == b"".join(audio)
    assert (inspector.samples, inspector.ends, inspector.starts) == (expected.samples, expected.ends, expected.starts)
    assert presentation_ends(tagged, probe_segment(plain)) == presentation_ends(plain, probe_segment(plain))


@pytest.mark.parametrize("start", [timestamp(3), TITLE, b""], ids=["timed", "with a tag", "without"])
@pytest.mark.parametrize("after", AFTER)
@pytest.mark.parametrize("codec", CODECS)
def test_tags_after_the_last_frame_are_left_out(codec: str, after: bytes, start: bytes) -> None:
    audio = b"".join(frames(codec))
    expected, _ = inspect_segments([start + audio, start + audio])
    inspector, passed_on = inspect_segments([start + audio + after, start + audio + after])
    assert passed_on == audio + audio
    assert (inspector.samples, inspector.ends) == (expected.samples, expected.ends)


@given(cuts=st.lists(st.integers(0, 40_000), max_size=40))
def test_the_pieces_do_not_matter(cuts: list[int]) -> None:
    audio = frames("aac")
    data = timestamp(3) + b"".join(audio[:20]) + LONG + b"".join(audio[20:40]) + TITLE + b"".join(audio[40:]) + APE + ID3V1
    inspector = inspector_for(probe_segment(data))
    inspector.begin()
    passed_on = b"".join(inspector.feed(piece) for piece in split_at(data, (min(cut, len(data)) for cut in cuts))) + inspector.end()
    assert passed_on == b"".join(audio)
    assert inspector.samples == {Medium.AUDIO: len(audio)}


def test_a_tag_may_follow_the_very_first_frame() -> None:
    audio = frames("aac")
    data = timestamp(3) + audio[0] + TITLE + b"".join(audio[1:])
    assert probe_segment(data).container is Container.ADTS
    assert inspect_segments([data])[1] == b"".join(audio)


@pytest.mark.parametrize("tag", [TITLE, LONG, ID3V1, APE])
@pytest.mark.parametrize("lost", [1, 5])
def test_a_segment_that_ends_inside_a_tag_is_cut_off(tag: bytes, lost: int) -> None:
    with pytest.raises(DamagedMediaError, match="cut off"):
        inspect_segments([timestamp(3) + b"".join(frames("aac")) + tag[:-lost]])


def damaged(*parts: bytes | list[bytes]) -> str:
    whole = b"".join(part if isinstance(part, bytes) else b"".join(part) for part in parts)
    with pytest.raises(DamagedMediaError) as raised:
        inspect_segments([whole], probe_of=probe_segment(b"".join(frames("aac"))))
    return str(raised.value)


def test_a_tag_does_not_hide_what_is_missing_or_doubled() -> None:
    audio = frames("aac")
    assert "timestamp" in damaged(timestamp(3), audio, timestamp(3), audio), "a segment twice"
    assert "timestamp" in damaged(timestamp(3), audio[:30], timestamp(3 + seconds_of("aac", 40)), audio[40:]), "frames are missing"
    assert "timestamp" in damaged(timestamp(3), audio, timestamp(9), audio), "another segment after it"
    assert "frames follow" in damaged(TITLE, audio, TITLE, audio), "a segment without a timestamp twice"
    assert "frames follow" in damaged(TITLE, audio, id3(frame(b"TXXX", b"\3title\0Next")), audio), "another one without a timestamp"
    assert "frames follow" in damaged(audio, ID3V1, audio, ID3V1), "a file twice"
    assert "header of another" in damaged(timestamp(3), audio[:30], TITLE, bytes(100), audio[30:]), "noise after a tag"


def test_encrypted_samples_are_found_in_the_middle_too() -> None:
    audio = frames("aac")
    described = timestamp(3, owner=b"com.apple.streaming.audioDescription\0")
    with pytest.raises(UnsupportedSourceError, match="protected"):
        inspect_segments([timestamp(3) + b"".join(audio[:5]) + described + b"".join(audio[5:])])


def test_the_tags_at_the_start_have_a_limit() -> None:
    tag, data = TITLE, b"".join(frames("aac"))
    probe, (_, passed_on) = probe_segment(MAX_TAGS * tag + data), inspect_segments([MAX_TAGS * tag + data])
    assert probe.skip == MAX_TAGS * len(tag)
    assert passed_on == data
    with pytest.raises(DamagedMediaError, match="more than 16 tags"):
        probe_segment((MAX_TAGS + 1) * tag + data)
    with pytest.raises(DamagedMediaError, match="more than 16 tags"):
        inspect_segments([(MAX_TAGS + 1) * tag + data], probe_of=probe)


def test_tags_between_frames_have_a_limit_that_grows_with_the_audio() -> None:
    audio = frames("aac")
    short = min(audio, key=len)
    inspect_segments([short + MAX_TAGS_BETWEEN * (id3() + short)])
    inspect_segments([short + 3 * MAX_TAGS_BETWEEN * (id3(bytes(1024)) + short)])
    part = short + MAX_TAGS_BETWEEN * (id3() + short)
    for refused in ([3 * part], 3 * [part]):
        with pytest.raises(UnsupportedSourceError, match="more than 1000 tags between its frames"):
            inspect_segments(refused, probe_of=probe_segment(short + short))


def test_frames_of_hardly_any_bytes_have_a_limit() -> None:
    shortest = ADTS[:4] + bytes([11 >> 3, (11 & 7) << 5 | 0x1F, 0xFC]) + bytes(4)
    silence = ADTS[:4] + bytes([13 >> 3, (13 & 7) << 5 | 0x1F, 0xFC]) + bytes(6)
    inspect_segments([timestamp(3) + MAX_SHORT_FRAMES * shortest])
    inspect_segments([timestamp(3) + 2 * MAX_SHORT_FRAMES * silence])
    with pytest.raises(UnsupportedSourceError, match="more than 20000 audio frames of less than 12 bytes on average"):
        inspect_segments([timestamp(3) + 13 * MAX_SHORT_FRAMES * shortest])


def test_a_tag_has_a_limit() -> None:
    with pytest.raises(DamagedMediaError, match="At most 1048576"):
        tag_length(b"ID3\4\0\0" + bytes([0x7F] * 4), 0)
    assert [tag_length(b"xID3\4\0\0\0\0\1\0\0", 1), tag_length(b"ID3\4\0\0\0\0", 0), tag_length(b"APETAGEX", 0)] == [138, None, None]
    assert [tag_length(b"APETAGEX" + bytes(24), 0), tag_length(ID3V1, 0), tag_length(b"\xff\xf1", 0)] == [32, 128, 0]


@pytest.mark.parametrize(
    ("head", "length"),
    [
        (b"", None),
        (b"I", None),
        (b"ID", None),
        (b"ID3", None),
        (b"ID3\4\0\0\0\0\0", None),
        (b"x", 0),
        (b"Ix", 0),
        (b"IDx", 0),
        (b"IDx" + bytes(7), 0),
        (id3(b"12345"), None),
        (id3(b"12345") + b"x", 15),
        (id3(b"12345") + b"ID", None),
        (id3(b"12345") + b"IDx", 15),
        (id3(b"12345") + id3() + b"x", 25),
    ],
)
def test_more_bytes_are_needed_where_they_may_be_those_of_a_tag(head: bytes, length: int | None) -> None:
    assert tags_length(head) == length
