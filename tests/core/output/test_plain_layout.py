"""In how many pieces the media of a map may lie: each takes a request."""

import pytest

from transcoder.core.media.mp4.byte_map import ByteMap, Extent
from transcoder.core.media.mp4.track_samples import Place
from transcoder.core.output.plain_layout import MAX_PIECES, check_pieces
from transcoder.errors import PlainLayoutError

FAR = 100_000


def scattered(count: int, *, size: int, distance: int = FAR) -> ByteMap:
    """Return a map of so many extents, each of which begins so far after the beginning of the one before it."""
    return ByteMap(b"head", (Extent(Place(0, number * distance), size) for number in range(count)))


def test_a_few_pieces_may_have_any_size_and_many_of_usual_size_are_no_problem() -> None:
    check_pieces(scattered(MAX_PIECES, size=1))
    check_pieces(scattered(10 * MAX_PIECES, size=2048))


def test_what_lies_close_together_is_one_piece() -> None:
    check_pieces(scattered(10 * MAX_PIECES, size=100, distance=200))


def test_many_small_pieces_are_refused() -> None:
    for count, size in ((MAX_PIECES + 1, 1), (2 * MAX_PIECES, 1000)):
        with pytest.raises(PlainLayoutError, match=f"more than {MAX_PIECES} pieces of less than 2048 bytes on average"):
            check_pieces(scattered(count, size=size))
