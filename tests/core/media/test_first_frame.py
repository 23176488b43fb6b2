"""The first audio frame says what the audio is where the program map does not, or says it wrong."""

from functools import cache

import pytest
from peers.encoded_pieces import encoded
from peers.program_map_edits import edited, is_program_map, packets_of, with_stream_types
from peers.segment_inspection import probe_segment

from transcoder.core.media.audio_headers import HEADER_BYTES, HEADER_READERS
from transcoder.core.media.mpegts.first_frame import MAX_SEARCH_BYTES, first_frame, may_be
from transcoder.core.media.probe import probe
from transcoder.core.media.reencoded_audio import LONG_HEADER_BYTES, read_dts_header, read_s302m_header
from transcoder.core.media.streams import Medium

ENCODERS = {
    "dts": ("dca", "-strict", "-2"),
    "s302m": ("s302m", "-strict", "-2"),
    "aac_latm": ("aac", "-mpegts_flags", "latm"),
    "aac": ("aac",),
    "mp2": ("mp2",),
    "mp3": ("libmp3lame",),
    "ac3": ("ac3",),
    "eac3": ("eac3",),
}
AAC, LATM = 0x0F, 0x11


@cache
def transport_stream(codec: str, *, rate: int = 48_000, channels: int = 2, seconds: float = 1.0) -> bytes:
    """Return audio alone in a transport stream."""
    layout = {1: "mono", 2: "stereo", 6: "5.1(side)" if codec == "dts" else "5.1"}[channels]
    noise = f"anoisesrc=d={seconds}:a=0.1:r={rate},aformat=channel_layouts={layout}"
    return encoded("-f", "lavfi", "-i", noise, "-c:a", *ENCODERS[codec], "-f", "mpegts")


def labelled(data: bytes, stream_type: int) -> bytes:
    """Return a transport stream whose program map gives its audio another stream type."""
    return b"".join(
        edited(packet, lambda section: with_stream_types(section, stream_type)) if is_program_map(packet) else packet
        for packet in packets_of(data)
    )


@pytest.mark.parametrize(
    ("codec", "rate", "channels"),
    [
        ("dts", 48_000, 2),
        ("dts", 44_100, 6),
        ("dts", 32_000, 1),
        ("s302m", 48_000, 2),
        ("s302m", 48_000, 6),
        ("aac_latm", 48_000, 2),
        ("aac_latm", 44_100, 6),
        ("aac_latm", 32_000, 1),
    ],
)
def test_rate_and_channels_of_audio_that_is_reencoded(codec: str, rate: int, channels: int) -> None:
    audio = probe_segment(transport_stream(codec, rate=rate, channels=channels)).main(Medium.AUDIO)
    assert audio
    assert (audio.codec, audio.sample_rate, audio.channels) == (codec, rate, channels)


def test_aac_in_latm_that_may_have_sbr_is_taken_as_it_is_decoded_with_it() -> None:
    audio = probe_segment(transport_stream("aac_latm", rate=22_050, channels=1)).main(Medium.AUDIO)
    assert audio
    assert (audio.sample_rate, audio.channels) == (44_100, 2)


@pytest.mark.parametrize("stream_type", [AAC, LATM])
@pytest.mark.parametrize("codec", ["aac", "aac_latm", "mp2", "mp3", "ac3", "eac3"])
def test_under_the_stream_types_of_aac_the_bytes_decide(codec: str, stream_type: int) -> None:
    data = labelled(transport_stream(codec), stream_type)
    found = probe_segment(data)
    audio = found.main(Medium.AUDIO)
    assert audio
    assert (audio.codec, audio.sample_rate, audio.channels) == (codec, 48_000, 2)
    heads = [probe(data[:size], whole=False) for size in range(0, len(data), 188)]
    assert all(head in {None, found} for head in heads)
    assert any(heads)


@pytest.mark.parametrize(("codec", "announced"), [("mp2", "mp3"), ("aac_latm", "aac"), ("dts", "dts")])
def test_a_segment_whose_audio_has_shown_no_frame_has_the_codec_of_the_one_before(codec: str, announced: str) -> None:
    data = transport_stream(codec)
    first = probe_segment(labelled(data, AAC) if announced == "aac" else data)
    tables = b"".join(packet for packet in packets_of(data) if packet[1] & 0x1F != 1)
    silent = probe(labelled(tables, AAC) if announced == "aac" else tables, whole=True, previous=first)
    assert silent
    assert [(stream.codec, stream.start) for stream in silent.streams] == [(codec, None)]


def test_a_segment_that_announces_another_codec_has_that_one() -> None:
    tables = b"".join(packet for packet in packets_of(transport_stream("ac3")) if packet[1] & 0x1F != 1)
    silent = probe(tables, whole=True, previous=probe_segment(transport_stream("mp2")))
    assert silent
    assert [stream.codec for stream in silent.streams] == ["ac3"]


@pytest.mark.parametrize("announced", ["aac", "aac_latm"])
@pytest.mark.parametrize("codec", ["aac", "mp2", "ac3"])
def test_a_codec_is_known_as_soon_as_a_second_frame_has_begun(codec: str, announced: str) -> None:
    """Where the map may be wrong: a frame of the announced one needs none behind it."""
    frames = elementary(codec)
    first = HEADER_READERS[codec](frames, 0)
    assert first
    needed = HEADER_BYTES if codec == announced else first.length + HEADER_BYTES
    for size in range(needed - 3, needed + 3):
        found = first_frame(announced, frames[:size])
        assert found == (first if size >= needed else None), size
    broken = first_frame(announced, frames[: first.length] + bytes(100))
    assert broken == (first if codec == announced else None)


@pytest.mark.parametrize("codec", ["aac", "mp2", "ac3", "eac3"])
@pytest.mark.parametrize("before", [1, 8, 100])
def test_a_frame_that_is_not_at_the_very_start_has_one_behind_it(codec: str, before: int) -> None:
    frames = elementary(codec)
    first = HEADER_READERS[codec](frames, 0)
    assert first
    assert first_frame(codec, bytes(before) + frames) == first
    assert first_frame(codec, bytes(before) + frames[: first.length] + bytes(200)) is None
    assert first_frame(codec, bytes(before) + frames[: first.length - 3]) == first, "it may have: no more bytes are there"
    assert first_frame(codec, bytes(before) + frames[: HEADER_BYTES - 1]) is None
    assert first_frame(codec, bytes(before) + frames[:HEADER_BYTES]) == first
    assert first_frame(codec, frames[: first.length] + bytes(200)) == first


@pytest.mark.parametrize("codec", ["dts", "s302m"])
def test_a_long_header_needs_32_bytes_and_another_one_behind_it_unless_it_is_first(codec: str) -> None:
    frames = elementary(codec)
    first = (read_dts_header if codec == "dts" else read_s302m_header)(frames, 0)
    assert first
    assert (first.sample_rate, first.channels) == (48_000, 2)
    assert first_frame(codec, frames[:LONG_HEADER_BYTES]) == first
    assert first_frame(codec, frames[: LONG_HEADER_BYTES - 1]) is None
    assert first_frame(codec, bytes(2) + frames[: 2 * first.length]) == first
    assert first_frame(codec, bytes(2) + frames[: first.length] + bytes(100)) is None


FRAME_BYTES = 128
FRAMES = {
    "aac": b"\xff\xf1\x4c\x80" + bytes([FRAME_BYTES >> 3, (FRAME_BYTES & 7) << 5 | 0x1F, 0xFC]),
    "mp2": b"\xff\xfd\x14\x00",
    "ac3": b"\x0b\x77\0\0\x00\x40\x40",
    "eac3": b"\x0b\x77\0\x3f\x34\x80",
    "dts": b"\x7f\xfe\x80\x01" + (15 << 34 | FRAME_BYTES - 1 << 20 | 2 << 14 | 13 << 10).to_bytes(6) + bytes(3),
    "s302m": (FRAME_BYTES - 4).to_bytes(2),
}
"""Headers of frames at 48 kHz with two channels."""


def elementary(codec: str) -> bytes:
    """Return three frames; no bytes beside their headers look like a header."""
    length = {"mp2": 96}.get(codec, FRAME_BYTES)
    return FRAMES[codec].ljust(length, b"\0") * 3


KINDS = {"mp1": "layers", "mp2": "layers", "mp3": "layers", "ac3": "ac3", "eac3": "ac3", "aac": "aac", "aac_latm": "aac"}


@pytest.mark.parametrize("announced", [*KINDS, "dts", "opus"])
@pytest.mark.parametrize("codec", [*KINDS, "dts", "opus"])
def test_what_audio_may_turn_out_to_be(announced: str, codec: str) -> None:
    """A map tells no layers apart, nor AC-3 from E-AC-3; the stream types of AAC are used for all of these."""
    kind, other = KINDS.get(announced, announced), KINDS.get(codec, codec)
    assert may_be(announced, codec) == (kind == other or (kind == "aac" and codec in KINDS))


@pytest.mark.parametrize("announced", ["aac", "aac_latm", "mp3", "ac3", "dts", "s302m", "opus"])
@pytest.mark.parametrize("filler", [b"\0", b"\xff", b"\x56\xe0", b"\x7f\xfe\x80"])
def test_no_frame_is_found_in_what_is_none(announced: str, filler: bytes) -> None:
    data = filler * (MAX_SEARCH_BYTES // len(filler) // 16)
    found = first_frame(announced, data)
    assert found is None or found.codec == "s302m" or not found.sample_rate
