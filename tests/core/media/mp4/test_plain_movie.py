"""A plain MP4 over fragments has the packets and the times that ffmpeg's remux has, and any part of it is a part of the whole."""

import random
from collections.abc import Callable, Sequence
from itertools import pairwise
from pathlib import Path

import pytest
from generated_video import run_ffmpeg
from hypothesis import given
from hypothesis import strategies as st
from peers import media_reader
from peers.plain_movies import plain_movie_of, whole_file

from transcoder.core.media.mp4.boxes import Box, boxes_of
from transcoder.core.media.mp4.byte_map import ByteMap, Extent
from transcoder.core.media.mp4.fragment import NOT_SYNC, SampleRun
from transcoder.core.media.mp4.language import pack_language
from transcoder.core.media.mp4.movie import read_movie
from transcoder.core.media.mp4.sample_columns import Repeated
from transcoder.core.media.mp4.sample_tables import read_chunk_spans, read_sample_tables, write_chunk_offsets, write_sample_tables
from transcoder.core.media.mp4.track_samples import Place, SampleOverlapError, TrackSamples

SETS = ["fmp4-muxed", "fmp4-byterange", "fmp4-audio-only", "fmp4-video-only", "fmp4-edit-lists", "fmp4-hevc", "fmp4-av1", "fmp4-vp9"]
SETS += [f"fmp4-{codec}" for codec in ("mp3", "ac3", "eac3", "opus", "flac")]


def relative_times(file: Path) -> dict[str, list[float]]:
    found = media_reader.presentation_times(file)
    zero = min(min(times) for times in found.values())
    return {medium: [time - zero for time in times] for medium, times in found.items()}


def remux(playlist: Path, into: Path) -> Path:
    """Return the fragments as one plain MP4 that ffmpeg has made."""
    source = media_reader.concatenate(playlist, into.with_suffix(".source"))
    run_ffmpeg("-i", source, *media_reader.FIRST_STREAMS, "-c", "copy", into)
    return into


@pytest.mark.parametrize("name", SETS)
def test_packets_and_times_are_those_of_the_remux(name: str, media: Callable[[str], Path], tmp_path: Path) -> None:
    playlist = media(name) / "main.m3u8"
    movie, resources = plain_movie_of(playlist)
    made, expected = tmp_path / "made.mp4", remux(playlist, tmp_path / "remux.mp4")
    made.write_bytes(whole_file(movie.bytes, resources))
    assert media_reader.hashes(made) == media_reader.hashes(expected)
    ours, theirs = relative_times(made), relative_times(expected)
    assert ours.keys() == theirs.keys()
    for medium, times in ours.items():
        assert times == pytest.approx(theirs[medium], abs=0.0001)
    assert [box.type for box in boxes_of(made.read_bytes())] == [b"ftyp", b"moov", b"mdat"]
    assert media_reader.decode_times_increase(made)
    assert media_reader.header_duration(made) == pytest.approx(movie.seconds, abs=0.001)


def test_every_chunk_lies_in_the_media(media: Callable[[str], Path]) -> None:
    folder = media("fmp4-separate-audio")
    movie, resources = plain_movie_of(folder / "large.m3u8", folder / "audio.m3u8")
    data = whole_file(movie.bytes, resources)
    moov, mdat = (next(box for box in boxes_of(data) if box.type == kind) for kind in (b"moov", b"mdat"))
    spans = sorted(span for track in read_movie(moov).tracks for span in read_chunk_spans(track.sample_table))
    assert spans[0][0] == mdat.body
    assert spans[-1][1] == mdat.end == len(data)
    assert all(before[1] == after[0] for before, after in pairwise(spans))


def test_any_part_is_a_part_of_the_whole(media: Callable[[str], Path]) -> None:
    folder = media("fmp4-separate-audio")
    movie, resources = plain_movie_of(folder / "large.m3u8", folder / "audio.m3u8")
    data, chosen = whole_file(movie.bytes, resources), random.Random(1)  # noqa: S311 - nothing secret
    for _ in range(200):
        start, stop = sorted(chosen.sample(range(movie.bytes.length + 1), 2))
        assert whole_file(movie.bytes, resources, start, stop) == data[start:stop]


runs = st.lists(st.tuples(st.integers(1, 1000), st.integers(0, 50), st.sampled_from([0, NOT_SYNC]), st.integers(-900, 900)), max_size=6)


def columns_of(row: list[tuple[int, int, int, int]]) -> tuple[list[int], list[int], list[int], list[int]]:
    """Return the durations, sizes, flags and composition offsets of samples."""
    durations, sizes, flags, offsets = ([each[index] for each in row] for index in range(4))
    return durations, sizes, flags, offsets


@given(st.lists(runs, min_size=1, max_size=5))
def test_sample_tables_are_read_as_they_are_written(rows: list[list[tuple[int, int, int, int]]]) -> None:
    samples, at = TrackSamples(), 0
    for row in rows:
        columns = columns_of(row)
        samples.add(SampleRun(None, *columns), Place(0, at), decode_time=samples.end)
        at += sum(columns[1]) + 7
    offsets = [chunk.place.offset for chunk in samples.chunks]
    tables = write_sample_tables(samples, has_sync=True)
    for wide in (False, True):
        stbl = Box(b"stbl", content := tables + write_chunk_offsets(offsets, wide=wide), 0, 0, len(content))
        found = read_sample_tables(stbl)
        if found is not None:
            assert (found.samples, found.bytes, found.ticks) == (len(samples.sizes), sum(samples.sizes), samples.end)
        assert list(read_chunk_spans(stbl)) == [(chunk.place.offset, chunk.place.offset + chunk.bytes) for chunk in samples.chunks]


@given(runs, st.data())
def test_what_is_kept_of_samples_keeps_its_times_and_bytes(row: list[tuple[int, int, int, int]], data: st.DataObject) -> None:
    columns = columns_of(row)
    samples = TrackSamples()
    samples.add(SampleRun(None, *columns), Place(3, 100), decode_time=50)
    kept = data.draw(st.lists(st.booleans(), min_size=len(row), max_size=len(row)))
    found = samples.kept(kept)
    times = list(samples.presentation_times)
    assert list(found.presentation_times) == [time for time, keep in zip(times, kept, strict=True) if keep]
    decoded = [(at, at + length) for at, length, keep in zip(samples.decode_times, columns[0], kept, strict=False) if keep]
    assert not decoded or (found.start, found.end) == (decoded[0][0], decoded[-1][1])
    ends = [100 + sum(columns[1][: index + 1]) for index in range(len(row))]
    wanted = [byte for end, size, keep in zip(ends, columns[1], kept, strict=True) if keep for byte in range(end - size, end)]
    assert [byte for chunk in found.chunks for byte in range(chunk.place.offset, chunk.place.offset + chunk.bytes)] == wanted
    assert sum(chunk.samples for chunk in found.chunks) == sum(kept)


@given(st.lists(st.tuples(st.integers(0, 2), st.integers(0, 20), st.integers(0, 20)), max_size=8), st.binary(max_size=9), st.data())
def test_a_byte_map(rows: list[tuple[int, int, int]], head: bytes, data: st.DataObject) -> None:
    resources = [bytes(range(number * 60, number * 60 + 50)) for number in range(3)]
    mapped = ByteMap(head, [Extent(Place(resource, offset), length) for resource, offset, length in rows])
    whole = head + b"".join(resources[resource][offset : offset + length] for resource, offset, length in rows)
    assert mapped.length == len(whole)
    start = data.draw(st.integers(0, len(whole)))
    stop = data.draw(st.integers(start, len(whole)))
    assert whole_file(mapped, resources, start, stop) == whole[start:stop]


def test_a_gap_goes_into_the_sample_before_and_an_overlap_is_no_plain_layout() -> None:
    samples, run = TrackSamples(), SampleRun(None, [10, 10], [1, 1], [0, 0], [0, 0])
    samples.add(run, Place(0, 0), decode_time=100)
    samples.add(run, Place(0, 2), decode_time=125)
    samples.add(run, Place(0, 4), decode_time=142)
    assert list(samples.durations) == [10, 15, 10, 7, 10, 10]
    with pytest.raises(SampleOverlapError):
        samples.add(run, Place(0, 6), decode_time=152)


@pytest.mark.parametrize("durations", [[10, 0, 20], [10, 20, 0], [20, 10, 0, 0]])
def test_a_sample_may_have_no_time_of_its_own(durations: list[int]) -> None:
    assert list(samples_of(durations).durations) == durations


@pytest.mark.parametrize("durations", [[10, 0, 0, 20], Repeated(0, 3)])
def test_several_samples_in_a_row_without_time_are_no_plain_layout(durations: Sequence[int]) -> None:
    with pytest.raises(SampleOverlapError):
        samples_of(durations)


def samples_of(durations: Sequence[int]) -> TrackSamples:
    samples, same = TrackSamples(), Repeated(1, len(durations))
    samples.add(SampleRun(None, durations, same, same, same), Place(0, 0), decode_time=0)
    return samples


@pytest.mark.parametrize(("tag", "letters"), [("de", "deu"), ("en-US", "eng"), ("deu", "deu"), ("x", None), (None, None), ("zzzz", None)])
def test_languages_are_packed(tag: str | None, letters: str | None) -> None:
    packed = pack_language(tag)
    found = None if packed is None else "".join(chr((packed >> shift & 31) + 0x60) for shift in (10, 5, 0))
    assert found == letters


def test_the_next_track_would_have_an_identifier_of_its_own(media: Callable[[str], Path]) -> None:
    """ISO/IEC 14496-12, 8.2.2.3: `next_track_ID` is larger than the largest one in use."""
    for name, count in (("fmp4-muxed", 2), ("fmp4-video-only", 1)):
        movie, resources = plain_movie_of(media(name) / "main.m3u8")
        data = whole_file(movie.bytes, resources)
        moov = next(each for each in boxes_of(data) if each.type == b"moov")
        header = moov.require(b"mvhd")
        identifiers = [track.id for track in read_movie(moov).tracks]
        assert (len(identifiers), header.content[-4:]) == (count, (max(identifiers) + 1).to_bytes(4))
