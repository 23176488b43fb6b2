"""Where the header of an audio frame may begin: the bytes that cannot begin one are skipped in C."""

import re
from collections.abc import Callable, Iterator
from functools import cache

from transcoder.core.media.audio_headers import HeaderReader, read_ac3_header, read_adts_header, read_mpeg_audio_header, read_opus_header

_RESERVED, _SYNC_END = 3, 7
_RATES = 13
"""How many indexes of sampling rates ADTS has."""


def _bytes_where(is_possible: Callable[[int], bool]) -> bytes:
    """Return the expression for one byte of those that are possible."""
    return b"[" + b"".join(re.escape(bytes([value])) for value in range(256) if is_possible(value)) + b"]"


def _adts() -> bytes:
    return b"\xff(?=[\xf0\xf1\xf8\xf9]%b)" % _bytes_where(lambda value: value >> 2 & 0xF < _RATES)


def _mpeg_audio() -> bytes:
    return b"\xff(?=%b%b)" % (
        _bytes_where(lambda value: value >> 5 == _SYNC_END and value >> 3 & 3 != 1 and value >> 1 & 3 != 0),
        _bytes_where(lambda value: value >> 4 not in {0, 15} and value >> 2 & 3 != _RESERVED),
    )


_BEGINNINGS: dict[HeaderReader, Callable[[], bytes]] = {
    read_adts_header: _adts,
    read_mpeg_audio_header: _mpeg_audio,
    read_ac3_header: lambda: b"\x0b(?=\x77)",
    read_opus_header: lambda: b"\x7f(?=[\xe0-\xff])",
}


@cache
def _beginning_of(read_header: HeaderReader) -> re.Pattern[bytes] | None:
    """Return the expression for the beginnings of the headers that it can read; None if they can begin with anything."""
    expression = _BEGINNINGS.get(read_header)
    return None if expression is None else re.compile(expression(), re.DOTALL)


def header_offsets(read_header: HeaderReader, data: bytes, start: int, stop: int) -> Iterator[int]:
    """Iterate over the offsets from `start` on and before `stop` at which that reader may find a header; at others it finds none."""
    beginning = _beginning_of(read_header)
    if beginning is None:
        yield from range(start, stop)
        return
    for found in beginning.finditer(data, start):
        if found.start() >= stop:
            return
        yield found.start()
