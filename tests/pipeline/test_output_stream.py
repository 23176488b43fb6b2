"""What goes into the sink: the same bytes in the same order, and hardly any short pieces."""

import asyncio
from collections.abc import Sequence
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from transcoder.core.output.announcement import Announcement
from transcoder.core.output.header import Durations
from transcoder.core.output.joiner import Joiner
from transcoder.pipeline.output_stream import Output

SHORT = 16 * 1024


class Collected:
    """A sink that keeps what comes."""

    def __init__(self) -> None:
        self.announced: list[Announcement] = []
        self.pieces: list[bytes] = []

    async def start(self, announcement: Announcement) -> None:
        self.announced.append(announcement)

    async def write(self, chunk: bytes) -> None:
        self.pieces.append(chunk)


async def pushed(*parts: Sequence[bytes]) -> Collected:
    sink = Collected()
    output = Output(sink, may_start=lambda: asyncio.sleep(0), on_start=lambda: None)
    output.announce(Announcement(0.0, {}, None), Joiner(Durations(2.0, {})))
    for pieces in parts:
        await output.push(pieces)
    return sink


@given(st.lists(st.one_of(st.integers(0, 40), st.integers(SHORT - 2, SHORT + 2), st.just(3 * SHORT)), max_size=12))
def test_short_pieces_are_joined_with_what_follows_them(lengths: list[int]) -> None:
    pieces = [bytes([index]) * length for index, length in enumerate(lengths)]
    sink = asyncio.run(pushed(pieces))
    assert b"".join(sink.pieces) == b"".join(pieces)
    assert all(sink.pieces)
    assert all(len(piece) >= SHORT for piece, _ in pairwise(sink.pieces))


def test_the_first_bytes_start_the_sink_once_and_nothing_is_held_back() -> None:
    sink = asyncio.run(pushed([], [b"a"], [b"", b"b"]))
    assert sink.pieces == [b"a", b"b"]
    assert [each.seconds for each in sink.announced] == [2.0]
