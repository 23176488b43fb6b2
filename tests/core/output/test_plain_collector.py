"""A plain MP4 of a fragmented one: the same however that comes in, and only of a whole one."""

import struct
from collections.abc import Callable, Sequence
from itertools import pairwise

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from peers.drawn_inputs import examples
from peers.exact_fragments import VIDEO, Run, fragment, header
from peers.plain_movies import whole_file
from peers.remuxed_periods import A, B, Source, join

from transcoder.core.media.mp4.boxes import Box, boxes_of
from transcoder.core.media.mp4.movie import read_movie
from transcoder.core.media.mp4.plain_movie import PlainMovie
from transcoder.core.media.mp4.sample_tables import read_chunk_spans
from transcoder.core.output.header import Durations
from transcoder.core.output.joiner import Joiner
from transcoder.core.output.plain_collector import PlainCollector
from transcoder.core.output.plain_verifier import PlainVerifier
from transcoder.errors import TranscodeError


def collected(pieces: Sequence[bytes]) -> tuple[PlainMovie, bytes]:
    """Return the plain MP4 and the media of a fragmented one that comes in these pieces."""
    collector = PlainCollector()
    media = b"".join(part for piece in pieces for part in collector.feed(piece))
    return collector.finish(), media


@pytest.fixture(scope="module")
def fragmented(period: Callable[[Source], bytes]) -> bytes:
    """Two joined periods, with B-frames and silence between them."""
    return join([period(A), period(B)])[0]


def test_a_plain_mp4_is_whole_and_has_all_media(fragmented: bytes) -> None:
    movie, media = collected([fragmented])
    data = whole_file(movie.bytes, [media])
    verifier = PlainVerifier(length=len(data))
    verifier.feed(data)
    assert verifier.end().samples == movie.samples
    assert [box.type for box in boxes_of(data)] == [b"ftyp", b"moov", b"mdat"]
    assert media == b"".join(box.content for box in boxes_of(fragmented) if box.type == b"mdat")


def media_by_track(data: bytes) -> list[bytes]:
    """Return the media of each track, in the order of its samples."""
    movie = read_movie(next(box for box in boxes_of(data) if box.type == b"moov"))
    return [b"".join(data[start:stop] for start, stop in read_chunk_spans(track.sample_table)) for track in movie.tracks]


def test_media_that_keep_their_order_are_listed_where_they_lie(fragmented: bytes) -> None:
    collector = PlainCollector()
    media = b"".join(collector.feed(fragmented))
    movie = collector.finish_in_place()
    data = movie.bytes.head + media
    verifier = PlainVerifier(length=movie.bytes.length)
    verifier.feed(data)
    assert verifier.end().samples == movie.samples
    sorted_movie, _ = collected([fragmented])
    assert media_by_track(data) == media_by_track(whole_file(sorted_movie.bytes, [media]))
    assert (movie.seconds, len(movie.bytes.head)) == (sorted_movie.seconds, len(sorted_movie.bytes.head))


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=examples(30))
@given(cuts=st.lists(st.integers(0, 200_000), max_size=20))
def test_the_same_comes_out_however_it_comes_in(cuts: list[int], fragmented: bytes) -> None:
    edges = sorted({0, len(fragmented), *(cut for cut in cuts if cut < len(fragmented))})
    pieces = [fragmented[start:stop] for start, stop in pairwise(edges)]
    (movie, media), (expected, all_media) = collected(pieces), collected([fragmented])
    assert whole_file(movie.bytes, [media]) == whole_file(expected.bytes, [all_media])


def test_tracks_begin_when_they_do_in_the_fragments(fragmented: bytes) -> None:
    movie, media = collected([fragmented])
    before, after = (
        read_movie(next(box for box in boxes_of(data) if box.type == b"moov")) for data in (fragmented, whole_file(movie.bytes, [media]))
    )
    for one, other in zip(before.tracks, after.tracks, strict=True):
        assert before.edit_shift(one) == after.edit_shift(other)


def test_an_mp4_that_is_not_whole_gives_no_plain_one(fragmented: bytes) -> None:
    last = list(boxes_of(fragmented))[-1]
    assert last.type == b"mfra"
    for length in (last.start, last.start + 8, last.start - 5):
        collector = PlainCollector()
        collector.feed(fragmented[:length])
        with pytest.raises(TranscodeError):
            collector.finish()


def test_samples_outside_of_their_media_are_refused(fragmented: bytes) -> None:
    moof, mdat = (next(box for box in boxes_of(fragmented) if box.type == kind) for kind in (b"moof", b"mdat"))
    shorter = (mdat.end - mdat.start - 100).to_bytes(4, "big")
    collector = PlainCollector()
    collector.feed(fragmented[: moof.end])
    with pytest.raises(TranscodeError, match="do not lie in its media"):
        collector.feed(shorter + fragmented[mdat.start + 4 :])


def slide_show(*starts: int, announced: float, last: int = 40) -> list[int]:
    """Return how long each picture is shown in a plain MP4 of pictures that begin at these ticks, by the announced seconds."""
    durations = [after - before for before, after in pairwise(starts)] + [last]
    run = Run(VIDEO, starts[0], durations, [bytes([number]) for number in range(len(starts))])
    joiner = Joiner(Durations(announced, {}))
    joiner.begin_period()
    parts = [*joiner.feed(header(VIDEO) + fragment(run)), *joiner.end_period()[0], joiner.finish()]
    collector = PlainCollector()
    collector.feed(b"".join(parts))
    assert collector.seconds == (starts[-1] - starts[0] + last) / 1000
    movie = collector.finish()
    table = read_movie(next(box for box in boxes_of(movie.bytes.head) if box.type == b"moov")).tracks[0].sample_table
    assert movie.seconds == pytest.approx(sum(_durations(table)) / 1000)
    return _durations(table)


def _durations(table: Box) -> list[int]:
    """Read `stts` (ISO/IEC 14496-12, 8.6.1.2)."""
    content = table.require(b"stts").content
    rows = struct.iter_unpack(">II", content[8:])
    return [length for count, length in rows for _ in range(count)]


@pytest.mark.parametrize(
    ("starts", "announced", "last"),
    [
        pytest.param((0,), 5.0, 5000, id="the only picture"),
        pytest.param((700,), 5.0, 5000, id="that begins later"),
        pytest.param((0, 2000), 5.0, 3000, id="two that are apart"),
        pytest.param((3000, 5001), 5.0, 2999, id="later"),
        pytest.param((0, 1001), 5.0, 3999, id="by more than a second"),
        pytest.param((0, 1000), 5.0, 40, id="by a second: no slides"),
        pytest.param((0, 2000), 2.0, 40, id="less is announced"),
        pytest.param((0, 2000), 2.04, 40, id="as much as there is"),
        pytest.param((0, 2000, 2040), 5.0, 40, id="the last two are not apart"),
    ],
)
def test_the_last_picture_of_a_slide_show_is_shown_for_as_long_as_is_announced(starts: Sequence[int], announced: float, last: int) -> None:
    assert slide_show(*starts, announced=announced) == [*(after - before for before, after in pairwise(starts)), last]
