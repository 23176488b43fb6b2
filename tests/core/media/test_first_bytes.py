"""What a segment is by its first bytes: every signature, one by one, and how many bytes it takes to tell."""

import pytest
from fuzz.media_pieces import ADTS, TABLES, VIDEO_PID, packet, pes

from transcoder.core.media.audio_headers import read_mpeg_audio_header
from transcoder.core.media.probe import begins_with_box, probe
from transcoder.core.media.streams import Container
from transcoder.errors import DamagedMediaError, UnsupportedSourceError

FILLING = bytes(range(1, 200)) * 2
"""What stands behind a signature: neither zeros nor text, nor sync bytes of transport packets at a distance of 188 bytes."""


@pytest.mark.parametrize(
    "kind", ["ftyp", "styp", "moof", "moov", "sidx", "emsg", "prft", "free", "skip", "mdat", "wide", "pdin", "uuid"], ids=str
)
def test_the_boxes_that_a_segment_may_begin_with(kind: str) -> None:
    """ISO/IEC 14496-12, 8.1 and 8.16; `wide` is of QuickTime."""
    assert begins_with_box(b"\0\0\0\x08" + kind.encode())
    assert not begins_with_box(kind.encode() + bytes(8))
    assert not begins_with_box(b"\0\0\0\0\x08" + kind.encode())


@pytest.mark.parametrize("kind", [b"trak", b"mvhd", b"traf", b"MOOV", b"\0\0\0\0", b"G@\x11\x10"])
def test_other_boxes_are_inside_of_these(kind: bytes) -> None:
    assert not begins_with_box(b"\0\0\0\x08" + kind)


@pytest.mark.parametrize(
    ("signature", "name"),
    [
        (b"\x1a\x45\xdf\xa3", "WebM or Matroska"),
        (b"\x1f\x43\xb6\x75", "WebM or Matroska"),
        (b"OggS", "Ogg"),
        (b"FLV\1", "FLV"),
        (b"RIFF\1\2\3\4AVI ", "AVI"),
        (b"RIFF\1\2\3\4WAVE", "WAV"),
        (b"RIFF\1\2\3\4WEBP", "RIFF"),
        (b"\x30\x26\xb2\x75", r"ASF \(Windows Media\)"),
        (b".RMF", "RealMedia"),
        (b"caff", "CAF"),
        (b"fLaC", "FLAC without a container"),
        (b"\0\0\0\1", "H.264 or HEVC without a container"),
        (b"\0\0\1\x67", "H.264 without a container"),
        (b"\0\0\1\xb3", "MPEG video without a container"),
        (b"\0\0\1\xba", "an MPEG program stream"),
    ],
)
def test_what_hls_does_not_use_is_named(signature: bytes, name: str) -> None:
    with pytest.raises(UnsupportedSourceError, match=rf"The source's segments are {name}\. HLS uses"):
        probe(signature + FILLING, whole=False)


@pytest.mark.parametrize("text", [b"<a>", b'{"a": 1}', b"[1, 2]", b"#EXTM3U", b"WEBVTT", b"\xef\xbb\xbfabc"])
@pytest.mark.parametrize("space", [b"", b"\n\t  "])
def test_text_is_named(text: bytes, space: bytes) -> None:
    with pytest.raises(DamagedMediaError, match="text instead of media"):
        probe(space + text + FILLING, whole=False)


def test_sixteen_bytes_are_needed_unless_there_are_no_more() -> None:
    head = b"<!DOCTYPE html>"
    assert len(head) == 15
    assert probe(head, whole=False) is None
    for whole, more in ((False, b"\n"), (True, b"")):
        with pytest.raises(DamagedMediaError, match="text instead of media"):
            probe(head + more, whole=whole)


PICTURE = packet(VIDEO_PID, pes(90_000, b"\0\0\0\1\x09\xf0\0\0\0\1\x67\x64\0\x1f" + bytes(100)), starts=True)


@pytest.mark.parametrize("before", [b"\xff\xd8\xff\xe0", b"\xff\xdf", b"\x89PNG", b"\x0b\x76", b"\x0a\x77"])
def test_any_other_bytes_may_stand_before_a_transport_stream(before: bytes) -> None:
    found = probe(before + FILLING + TABLES + PICTURE, whole=True)
    assert found
    assert (found.container, found.skip) == (Container.MPEGTS, len(before + FILLING))


@pytest.mark.parametrize("second", range(0xE0, 0x100))
def test_packed_audio_may_begin_with_any_kind_of_mpeg_audio(second: int) -> None:
    """Version, layer and CRC are in the second byte; what would be layer 4 with a version is the header of ADTS."""
    head = bytes([0xFF, second, 0x50, 0x80, 0, 0, 0, 0, 0])
    header = read_mpeg_audio_header(head, 0)
    if header:
        frames = 3 * head.ljust(header.length, b"\0")
        found = probe(frames, whole=True)
        assert found
        assert (found.container, found.streams[0].codec) == (Container.MP3, f"mp{4 - (second >> 1 & 3)}")
    else:
        with pytest.raises(DamagedMediaError, match="contains no audio frame"):
            probe(head + bytes(100), whole=True)


@pytest.mark.parametrize("second", [0xF0, 0xF1, 0xF8, 0xF9])
def test_packed_audio_may_begin_with_any_kind_of_adts(second: int) -> None:
    frame = ADTS[:1] + bytes([second]) + ADTS[2:]
    found = probe(3 * frame, whole=True)
    assert found
    assert (found.container, found.skip) == (Container.ADTS, 0)
