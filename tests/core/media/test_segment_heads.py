"""Which bytes of a segment are read to find its boxes, and which of its samples can be found by them."""

import struct

import pytest
from fuzz.media_pieces import u32
from peers.plain_movies import read_boxes

from transcoder.core.media.mp4.boxes import Box, box, full_box
from transcoder.core.media.mp4.movie import Movie
from transcoder.core.media.mp4_source.density import MAX_FRAGMENTS, MAX_RUNS, MAX_SAMPLES, FragmentDensity
from transcoder.core.media.mp4_source.placed_samples import placed_runs
from transcoder.core.media.mp4_source.segment_boxes import HEAD_BYTES, MAX_BOX_BYTES, SegmentBoxes
from transcoder.errors import DamagedMediaError, UnsupportedSourceError

NO_MOVIE = Movie(Box.whole(box(b"moov")), 1, 0, ())


def moof(size: int) -> bytes:
    return box(b"moof", full_box(b"mfhd", 0, 0, bytes(4)), bytes(size - 24))


def requests(body: bytes, *, start: int = 0, head_bytes: int = 100) -> list[tuple[int, int]]:
    """Return the offset and the length of everything that is read of a segment that begins at `start` in its resource."""
    boxes, found = SegmentBoxes(start, start + len(body), head_bytes), []
    while boxes.wanted:
        at, size = boxes.wanted
        found.append((at, size))
        boxes.feed(body[at - start : at - start + size])
    assert (boxes.heads, boxes.bytes_read) == (len(found), sum(size for _, size in found))
    return found


MEDIA = box(b"mdat", bytes(992))


@pytest.mark.parametrize("start", [0, 5000])
@pytest.mark.parametrize(
    ("body", "expected"),
    [
        pytest.param(box(b"free", bytes(42)), [(0, 50)], id="no more than there is"),
        pytest.param(moof(60) + MEDIA, [(0, 100)], id="media are left out"),
        pytest.param(moof(92) + MEDIA, [(0, 100)], id="the header of the media ends with the head"),
        pytest.param(moof(93) + MEDIA, [(0, 100), (93, 100)], id="it does not"),
        pytest.param(moof(100) + MEDIA, [(0, 100), (100, 100)], id="a fragment ends with the head"),
        pytest.param(moof(101) + MEDIA, [(0, 100), (0, 117)], id="a longer fragment is read with a header behind it"),
        pytest.param(moof(101), [(0, 100), (0, 101)], id="that is the end of the segment"),
        pytest.param(moof(40) + MEDIA + moof(40) + MEDIA, [(0, 100), (1040, 100)], id="the next fragment"),
        pytest.param(moof(40) + MEDIA + moof(200) + MEDIA, [(0, 100), (1040, 100), (1040, 216)], id="that is longer"),
        pytest.param(moof(40) + MEDIA + MEDIA + box(b"free"), [(0, 100), (1040, 100), (2040, 8)], id="other boxes behind the media"),
        pytest.param(moof(40) + struct.pack(">I4s", 0, b"mdat") + bytes(500), [(0, 100)], id="media to the end"),
    ],
)
def test_heads_are_read_where_boxes_begin(body: bytes, expected: list[tuple[int, int]], start: int) -> None:
    assert requests(body, start=start) == [(start + at, size) for at, size in expected]


@pytest.mark.parametrize("start", [0, 5000])
def test_boxes_know_where_they_lie(start: int) -> None:
    body = moof(40) + struct.pack(">I4sQ", 1, b"mdat", 116) + bytes(100) + moof(300) + struct.pack(">I4s", 0, b"mdat") + b"end"
    boxes = SegmentBoxes(start, start + len(body), 64)
    while boxes.wanted:
        at, size = boxes.wanted
        boxes.feed(body[at - start : at - start + size])
    assert [(each.type, each.position, each.raw) for each in boxes.boxes] == [
        (b"moof", start, moof(40)),
        (b"moof", start + 156, moof(300)),
    ]
    assert boxes.media == [(start + 56, start + 156), (start + 464, start + 467)]
    boxes.feed(b"anything")
    assert boxes.fragments == 2


@pytest.mark.parametrize(("size", "is_refused"), [(MAX_BOX_BYTES - 16, False), (MAX_BOX_BYTES - 15, True)])
def test_a_fragment_is_read_with_a_header_behind_it_if_both_are_not_too_large(size: int, *, is_refused: bool) -> None:
    head, end = moof(100), 2 * MAX_BOX_BYTES
    boxes = SegmentBoxes(0, end)
    first = struct.pack(">I4s", size, b"moof") + head[8:] + bytes(HEAD_BYTES - len(head))
    if is_refused:
        with pytest.raises(DamagedMediaError, match="too large"):
            boxes.feed(first)
    else:
        boxes.feed(first)
        assert boxes.wanted == (0, MAX_BOX_BYTES)


@pytest.mark.parametrize(
    ("before", "size", "expected"),
    [
        pytest.param(0, 100, HEAD_BYTES, id="a short fragment"),
        pytest.param(0, HEAD_BYTES - 1024, HEAD_BYTES, id="as long as is read in any case"),
        pytest.param(0, HEAD_BYTES - 1023, HEAD_BYTES + 1, id="a byte longer"),
        pytest.param(500, HEAD_BYTES, HEAD_BYTES + 1524, id="behind another box"),
        pytest.param(0, 64 * 1024 - 1025, 64 * 1024 - 1, id="a long one"),
        pytest.param(0, 64 * 1024, 64 * 1024, id="the most that is read"),
    ],
)
@pytest.mark.parametrize("start", [0, 5000])
def test_the_next_head_is_as_long_as_the_first_fragment_and_some_more(before: int, size: int, expected: int, start: int) -> None:
    body = (box(b"styp", bytes(before - 8)) if before else b"") + moof(size) + moof(40)
    boxes = SegmentBoxes(start, start + len(body))
    assert boxes.next_head_bytes == HEAD_BYTES
    while boxes.wanted:
        at, length = boxes.wanted
        boxes.feed(body[at - start : at - start + length])
    assert boxes.next_head_bytes == expected


def read_all(body: bytes, *, start: int = 0) -> SegmentBoxes:
    """Read the boxes of a segment that begins at `start` in its resource, all at once."""
    boxes = SegmentBoxes(start, start + len(body), len(body))
    boxes.feed(body)
    assert boxes.wanted is None
    return boxes


@pytest.mark.parametrize("start", [0, 1_000_000])
def test_as_many_small_boxes_as_their_place_in_the_segment_allows(start: int) -> None:
    count = 10_000 + 10_000 * 8 // (64 - 8)
    read_all(box(b"free") * count, start=start)
    with pytest.raises(DamagedMediaError, match="too many small boxes"):
        read_all(box(b"free") * (count + 1), start=start)


@pytest.mark.parametrize(("count", "media", "is_refused"), [(1230, 0, False), (1231, 0, True), (1240, 9, False), (1246, 9, True)])
def test_small_fragments_of_a_segment_are_limited_by_their_bytes(count: int, media: int, *, is_refused: bool) -> None:
    """A fragment of 24 bytes, its media, and what is neither."""
    body = box(b"mdat", bytes(media)) * 128 + (moof(24) + box(b"mdat") + box(b"free")) * count
    if is_refused:
        with pytest.raises(UnsupportedSourceError, match=f"more than {MAX_FRAGMENTS} fragments"):
            read_all(body)
    else:
        assert read_all(body).fragments == count


def run(data_at: int | None, sizes: list[int]) -> bytes:
    flags = 0x300 | (data_at is not None)
    rows = b"".join(u32(10, size) for size in sizes)
    return full_box(b"trun", 0, flags, u32(len(sizes)), b"" if data_at is None else struct.pack(">i", data_at), rows)


def fragment(*runs: bytes) -> bytes:
    traf = box(b"traf", full_box(b"tfhd", 0, 0x020000, u32(1)), full_box(b"tfdt", 0, 0, u32(70)), *runs)
    return box(b"moof", full_box(b"mfhd", 0, 0, u32(1)), traf)


def places(body: bytes) -> list[tuple[int | None, int, int]]:
    return [(placed.decode_time, placed.offset, placed.end) for placed in placed_runs(read_boxes(body), NO_MOVIE)]


def test_runs_lie_in_any_of_the_media_and_follow_each_other() -> None:
    size = len(fragment(run(0, [5, 6]), run(None, [7]), run(0, [8]), run(None, [])))
    written = fragment(run(size + 8, [5, 6]), run(None, [7]), run(size + 8 + 20 + 8, [8]), run(None, []))
    body = written + box(b"mdat", bytes(20)) + box(b"mdat", bytes(8))
    at = size + 8
    assert places(body) == [(70, at, at + 11), (90, at + 11, at + 18), (100, at + 28, at + 36)]
    with pytest.raises(DamagedMediaError, match="outside of the media"):
        places(written + box(b"mdat", bytes(17)) + box(b"mdat", bytes(11)))


@pytest.mark.parametrize("lacks_bytes", [[0], [5, 0], [0, 5]])
def test_each_sample_has_bytes(lacks_bytes: list[int]) -> None:
    with pytest.raises(DamagedMediaError, match="without bytes"):
        places(fragment(run(0, lacks_bytes)) + box(b"mdat", bytes(5)))


def fill(density: FragmentDensity, allowed: int, one: Box) -> None:
    for _ in range(allowed):
        density.add_box(one)


@pytest.mark.parametrize("as_box", [False, True])
def test_media_allow_more_fragments(*, as_box: bool) -> None:
    """Each 128 bytes of fragments and of media allow one more; only what stands before a fragment counts."""
    density, one = FragmentDensity(), Box.whole(moof(24))
    fill(density, 1230, one)
    with pytest.raises(UnsupportedSourceError, match=f"more than {MAX_FRAGMENTS} fragments"):
        density.add_box(one)
    density = FragmentDensity()
    media = 128 * 40
    if as_box:
        density.add_box(Box.whole(box(b"mdat", bytes(media - 8))))
    else:
        density.add_media(media)
    density.add_box(Box.whole(box(b"free", bytes(9999))))
    allowed = next(count for count in range(1000, 2000) if count + 1 > MAX_FRAGMENTS + (media + 24 * (count + 1)) // 128)
    assert allowed > 1230 + 40
    fill(density, allowed, one)
    with pytest.raises(UnsupportedSourceError, match="fragments"):
        density.add_box(one)


def test_media_allow_more_runs() -> None:
    one, media = Box.whole(box(b"moof", *[box(b"traf", box(b"trun"))] * 50)), 40 * 1000
    density = FragmentDensity()
    density.add_media(media)
    length = one.end
    allowed = next(count for count in range(1, 2000) if (count + 1) * 100 > MAX_RUNS + (media + length * (count + 1)) // 40)
    fill(density, allowed, one)
    with pytest.raises(UnsupportedSourceError, match=f"more than {MAX_RUNS} track fragments and track runs"):
        density.add_box(one)


@pytest.mark.parametrize(("samples", "size", "is_refused"), [(2, 7, False), (2, 3, True), (3, 8, False), (3, 7, True)])
def test_bytes_allow_more_samples(samples: int, size: int, *, is_refused: bool) -> None:
    density = FragmentDensity()
    density.add_samples(MAX_SAMPLES - 1, 0)
    density.add_samples(0, 0)
    if is_refused:
        with pytest.raises(UnsupportedSourceError, match=f"more than {MAX_SAMPLES} samples"):
            density.add_samples(samples, size)
    else:
        density.add_samples(samples, size)
