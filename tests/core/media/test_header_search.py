"""Where the header of an audio frame may begin: exactly where the readers may find one."""

import random

import pytest

from transcoder.core.media.audio_headers import HEADER_BYTES, HEADER_READERS, HeaderReader
from transcoder.core.media.header_search import header_offsets
from transcoder.core.media.reencoded_audio import LONG_HEADER_BYTES, read_loas_header

_FIRST = b"\xff\x0b\x7f"
_SECOND = bytes(range(0xE0, 0x100)) + b"\x77"


def _bytes_like_headers(seed: int) -> bytes:
    chosen = random.Random(seed)  # noqa: S311  # no secret
    return b"".join(bytes([chosen.choice(_FIRST), chosen.choice(_SECOND)]) + chosen.randbytes(7) for _ in range(3000))


@pytest.mark.parametrize("codec", HEADER_READERS)
def test_no_header_is_passed_over(codec: str) -> None:
    read_header, data = HEADER_READERS[codec], _bytes_like_headers(7)
    stop = len(data) - HEADER_BYTES
    headers = [at for at in range(5, stop) if read_header(data, at)]
    offsets = list(header_offsets(read_header, data, 5, stop))
    assert len(headers) > 10
    assert set(headers) <= set(offsets)
    assert len(offsets) < stop / 8
    assert offsets == sorted(set(offsets))
    assert 5 <= offsets[0] <= offsets[-1] < stop


def test_a_reader_without_a_fixed_beginning_is_asked_everywhere() -> None:
    readers: list[HeaderReader] = [read_loas_header]
    assert [list(header_offsets(reader, bytes(LONG_HEADER_BYTES), 1, 5)) for reader in readers] == [[1, 2, 3, 4]]
