"""A range out of a whole body, however the body is cut into pieces."""

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from transcoder.edge.fetch.body_slice import BodySlice

BODY = bytes(range(200))


@given(st.integers(0, 220), st.none() | st.integers(0, 220), st.lists(st.integers(0, 200), max_size=6))
def test_the_range_and_what_follows_it(start: int, stop: int | None, cuts: list[int]) -> None:
    stop = None if stop is None else max(start, stop)
    part, edges = BodySlice(start, stop), [0, *sorted(cuts), len(BODY)]
    pieces = [BODY[first:end] for first, end in pairwise(edges)]
    assert b"".join(part.take(piece) for piece in pieces) == BODY[start:stop]
    assert part.received == len(BODY)
    following = b"" if stop is None else BODY[stop:]
    assert following.startswith(part.following)
    assert len(part.following) <= 64
    assert bool(part.following) == bool(following)
