"""How small fragments, and how many tracks, a source may have: the least that a packager writes is far above the limits."""

from collections.abc import Callable

import pytest
from fuzz.media_pieces import INIT, moof, moov, trun, u32

from transcoder.core.media.inspector import inspector_for
from transcoder.core.media.mp4.boxes import Box, Mp4Error, box, boxes_of, full_box
from transcoder.core.media.mp4.movie import MAX_PROTECTION_BOXES, MAX_TRACKS, read_movie
from transcoder.core.media.mp4_source.density import MAX_FRAGMENTS, MAX_RUNS, MAX_SAMPLES, FragmentDensity
from transcoder.core.media.presentation_ends import presentation_ends
from transcoder.core.media.probe import probe
from transcoder.errors import UnsupportedSourceError

Read = Callable[[bytes], None]


def fragments(count: int, *, size: int, runs: int = 1) -> bytes:
    """Write so many fragments of `size` bytes each, with the header of their media, which they refer to as little as they can."""
    written = [moof(trun(1), *[trun(0)] * (runs - 1), number=number, time=3000 * number) for number in range(1, count + 1)]
    return b"".join(one + box(b"mdat", bytes(size - len(one) - 8)) for one in written)


def inspect(body: bytes) -> None:
    found = probe(body, init=INIT, whole=True)
    assert found is not None
    inspector = inspector_for(found, init=INIT)
    inspector.begin()
    inspector.feed(body)


def read_ends(body: bytes) -> None:
    found = probe(body, init=INIT, whole=True)
    assert found is not None
    presentation_ends(body, found, init=INIT)


@pytest.mark.parametrize("read", [inspect, read_ends])
def test_a_few_fragments_may_have_any_size_and_many_of_usual_size_are_no_problem(read: Read) -> None:
    read(fragments(MAX_FRAGMENTS, size=100))
    read(fragments(3 * MAX_FRAGMENTS, size=128))


@pytest.mark.parametrize("read", [inspect, read_ends])
def test_many_small_fragments_are_refused(read: Read) -> None:
    with pytest.raises(UnsupportedSourceError, match=f"more than {MAX_FRAGMENTS} fragments of less than 128 bytes on average"):
        read(fragments(5 * MAX_FRAGMENTS, size=100))


@pytest.mark.parametrize("read", [inspect, read_ends])
def test_many_runs_of_small_size_are_refused(read: Read) -> None:
    size = len(fragments(1, size=500, runs=20))
    read(fragments(MAX_RUNS // 21, size=size, runs=20))
    with pytest.raises(UnsupportedSourceError, match=f"more than {MAX_RUNS} track fragments and track runs"):
        read(fragments(MAX_RUNS // 2, size=size, runs=20))


def test_small_fragments_are_counted_through_all_segments() -> None:
    body = fragments(MAX_FRAGMENTS, size=100)
    found = probe(body, init=INIT, whole=True)
    assert found is not None
    inspector, passed = inspector_for(found, init=INIT), 0
    with pytest.raises(UnsupportedSourceError, match="fragments"):  # noqa: PT012 - one of them is the first too many
        while True:
            inspector.begin()
            inspector.feed(body)
            passed += 1
    assert 0 < passed < 10


def test_samples_that_take_no_bytes_are_limited() -> None:
    """A run may list a million samples in sixteen bytes."""

    def body(samples: int, size: int) -> bytes:
        header = full_box(b"tfhd", 0, 0x020010, u32(1, size))
        run = full_box(b"trun", 0, 0, u32(samples))
        traf = box(b"traf", header, full_box(b"tfdt", 1, 0, u32(0, 0)), run)
        return box(b"moof", full_box(b"mfhd", 0, 0, u32(1)), traf) + box(b"mdat", bytes(samples * size))

    inspect(body(MAX_SAMPLES, 0))
    inspect(body(2 * MAX_SAMPLES, 4))
    for count, size in ((MAX_SAMPLES + 1, 0), (2 * MAX_SAMPLES, 1), (1_000_000, 0)):
        with pytest.raises(UnsupportedSourceError, match=f"more than {MAX_SAMPLES} samples of less than 4 bytes"):
            inspect(body(count, size))


def test_a_movie_may_have_many_tracks_but_not_any_number() -> None:
    track = moov()[8:][108:]
    for more, is_refused in ((MAX_TRACKS - 1, False), (MAX_TRACKS, True)):
        movie = next(boxes_of(moov(tail=more * track[: int.from_bytes(track[:4])])))
        if not is_refused:
            assert len(read_movie(movie).tracks) == MAX_TRACKS
            continue
        with pytest.raises(Mp4Error, match=f"more than {MAX_TRACKS} tracks"):
            read_movie(movie)


PROTECTION = full_box(b"pssh", 0, 0, bytes(16), u32(0))


def test_a_movie_may_have_some_protection_boxes() -> None:
    for count, is_refused in ((MAX_PROTECTION_BOXES, False), (MAX_PROTECTION_BOXES + 1, True)):
        movie = next(boxes_of(moov(tail=count * PROTECTION)))
        if not is_refused:
            assert read_movie(movie).tracks
            continue
        with pytest.raises(Mp4Error, match=f"more than {MAX_PROTECTION_BOXES} pssh boxes"):
            read_movie(movie)


@pytest.mark.parametrize("read", [inspect, read_ends])
def test_fragments_may_have_some_protection_boxes(read: Read) -> None:
    def body(boxes: int) -> bytes:
        written = [moof(trun(1), PROTECTION, number=number, time=3000 * number) for number in range(1, boxes + 1)]
        return b"".join(one + box(b"mdat", bytes(100)) for one in written)

    read(body(MAX_PROTECTION_BOXES))
    with pytest.raises(UnsupportedSourceError, match=f"more than {MAX_PROTECTION_BOXES} pssh boxes"):
        read(body(MAX_PROTECTION_BOXES + 1))


@pytest.mark.parametrize(("runs", "most", "each"), [(1, MAX_FRAGMENTS, 128), (40, MAX_RUNS, 40)])
def test_exactly_as_many_as_their_bytes_allow(runs: int, most: int, each: int) -> None:
    """Each fragment has one `traf`, and its runs."""
    one = Box.whole(moof(trun(1), *[trun(0)] * (runs - 1)))
    size, units = one.end - one.start, 1 if runs == 1 else 1 + runs
    allowed = next(count for count in range(1, 10 * MAX_RUNS) if (count + 1) * units > most + (count + 1) * size // each)
    density = FragmentDensity()
    for _ in range(allowed):
        density.add(one)
    with pytest.raises(UnsupportedSourceError, match=f"more than {most} "):
        density.add(one)
