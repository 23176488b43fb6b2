"""Extents that lie close together are fetched together, and only their own bytes are passed on, however these arrive."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from transcoder.core.media.mp4.byte_map import Extent
from transcoder.core.media.mp4.extent_groups import ExtentGroup, WantedBytes, group_extents
from transcoder.core.media.mp4.track_samples import Place

NEAR, FAR = 16 * 1024, 16 * 1024 + 1
LONG = 4 * 1024 * 1024


def groups(*extents: tuple[int, int, int]) -> list[tuple[int, int, int, int]]:
    """Group extents, each given by its resource, its offset and its length; return resource, start, stop and number of parts of each."""
    found = group_extents(Extent(Place(resource, offset), length) for resource, offset, length in extents)
    return [(group.resource, group.start, group.stop, len(group.wanted)) for group in found]


@pytest.mark.parametrize(
    ("extents", "expected"),
    [
        pytest.param([], [], id="none"),
        pytest.param([(0, 100, 50), (0, 150 + NEAR, 10)], [(0, 100, 160 + NEAR, 2)], id="close together"),
        pytest.param([(0, 100, 50), (0, 150 + FAR, 10)], [(0, 100, 150, 1), (0, 150 + FAR, 160 + FAR, 1)], id="too far apart"),
        pytest.param([(0, 100, 50), (0, 20, 50)], [(0, 100, 150, 1), (0, 20, 70, 1)], id="in another order"),
        pytest.param([(0, 100, 50), (0, 149, 50)], [(0, 100, 150, 1), (0, 149, 199, 1)], id="overlapping"),
        pytest.param([(0, 100, 50), (1, 160, 50)], [(0, 100, 150, 1), (1, 160, 210, 1)], id="of two resources"),
        pytest.param([(0, 0, LONG - 60), (0, LONG - 50, 50)], [(0, 0, LONG, 2)], id="as long as a group may be"),
        pytest.param([(0, 0, LONG - 60), (0, LONG - 50, 51)], [(0, 0, LONG - 60, 1), (0, LONG - 50, LONG + 1, 1)], id="longer"),
        pytest.param([(0, 0, 3 * LONG)], [(0, 0, 3 * LONG, 1)], id="one long extent"),
    ],
)
def test_extents_are_grouped_in_their_order(extents: list[tuple[int, int, int]], expected: list[tuple[int, int, int, int]]) -> None:
    assert groups(*extents) == expected


@given(st.lists(st.tuples(st.integers(0, 5), st.integers(1, 9)), min_size=1), st.lists(st.integers(1, 12)))
def test_the_wanted_bytes_come_out_however_the_pieces_are_cut(parts: list[tuple[int, int]], sizes: list[int]) -> None:
    at, wanted = 1000, list[tuple[int, int]]()
    for gap, length in parts:
        wanted.append((at + gap, at + gap + length))
        at += gap + length
    group = ExtentGroup(0, wanted[0][0], wanted[-1][1], tuple(wanted))
    body = bytes(number * 31 % 251 for number in range(group.start, group.stop))
    expected = b"".join(body[start - group.start : stop - group.start] for start, stop in wanted)
    picked, cursor, found = WantedBytes(group), 0, list[bytes]()
    for size in [*sizes, len(body)]:
        found += picked.take(body[cursor : cursor + size])
        cursor += size
    assert b"".join(found) == expected
    assert all(found)
