"""Arbitrary and damaged bytes from an origin: the result is a probe, a request for more bytes, or an error written for the caller."""

from contextlib import suppress
from functools import cache

import pytest
from hypothesis import given
from hypothesis import strategies as st
from make_media import media
from peers.segment_inspection import inspect_segments, probe_segment, read_segments

from transcoder.core.media.presentation_ends import presentation_ends
from transcoder.core.media.probe import probe
from transcoder.errors import TranscoderError

HEAD = 6_000
NAMES = ["ts-muxed", "ts-audio-only", "fmp4-muxed", "fmp4-opus"]
SIGNATURES = [
    b"",
    b"G",
    b"ID3",
    b"ID3\4\0\0\0\0\0\1",
    b"\xff\xf1",
    b"\xff\xfb",
    b"\x0b\x77",
    b"\0\0\0\x10moof",
    b"\0\0\0\x40moov",
    b"\0\0\0\0mdat",
    b"\0\0\0\1ftyp",
]
Changes = list[tuple[int, int]]

changes = st.lists(st.tuples(st.integers(0, HEAD), st.integers(0, 255)), max_size=12)


@cache
def stream(name: str) -> tuple[bytes, bytes]:
    init, segments = read_segments(media(name))
    return init, segments[0]


@pytest.fixture(autouse=True, scope="module")
def _generated_media() -> None:
    """Generate the media before the first example: that takes longer than an example may."""
    for name in NAMES:
        stream(name)


def changed(data: bytes, by: Changes) -> bytes:
    copy = bytearray(data)
    for at, value in by:
        if copy:
            copy[at % len(copy)] = value
    return bytes(copy)


@given(st.sampled_from(SIGNATURES), st.binary(max_size=600))
def test_arbitrary_bytes_raise_no_other_error(signature: bytes, rest: bytes) -> None:
    with suppress(TranscoderError):
        assert probe(signature + rest, whole=True) is not None
    with suppress(TranscoderError):
        probe(signature + rest, init=signature + rest, whole=False)


@pytest.mark.parametrize("name", NAMES)
@given(of_init=changes, of_segment=changes, length=st.integers(0, HEAD))
def test_damaged_segments_raise_no_other_error(name: str, of_init: Changes, of_segment: Changes, length: int) -> None:
    init, segment = stream(name)
    damaged = changed(segment[:length], of_segment)
    whole = probe_segment(segment, init=init)
    assert whole.streams
    with suppress(TranscoderError):
        probe(damaged, init=changed(init, of_init), whole=True)
    with suppress(TranscoderError):
        inspect_segments([damaged], init=init, probe_of=whole)
    with suppress(TranscoderError):
        presentation_ends(damaged, whole, init=init)
