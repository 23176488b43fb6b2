"""Fragments whose `moov` says what their samples lack, and heads of a segment that end anywhere."""

import struct

import pytest
from fuzz.media_pieces import INIT, moof, trun, u32
from make_media import media
from peers.segment_inspection import read_segments

from transcoder.core.media.inspector import Inspector, inspector_for
from transcoder.core.media.mp4.boxes import Box, Mp4Error, box, boxes_of, full_box
from transcoder.core.media.mp4.fragment import MAX_RUNS, read_track_fragments
from transcoder.core.media.mp4.movie import MAX_EDITS, MAX_TRACKS, Edit, TrackDefaults, read_edits, read_movie, write_edits
from transcoder.core.media.mp4_source.probe import fragment_ends, has_no_samples, probe_fragments
from transcoder.core.media.streams import Medium, Probe
from transcoder.errors import UpstreamError

DURATION, SIZE = 3000, 100
"""What the `trex` of `INIT` gives to each sample: in a clock of 90 kHz a thirtieth of a second."""


def segment(count: int = 4, *, time: int = 0) -> bytes:
    return moof(trun(count), time=time) + box(b"mdat", bytes(SIZE * count))


def inspect(found: Probe, *bodies: bytes) -> Inspector:
    inspector = inspector_for(found, init=INIT)
    for body in bodies:
        inspector.begin()
        inspector.feed(body)
        inspector.end()
    return inspector


def test_durations_and_sizes_may_stand_in_the_trex_alone() -> None:
    body = segment(4, time=9000)
    found = probe_fragments(body, init=INIT, whole=True)
    assert found
    assert fragment_ends(body, found, init=INIT) == {Medium.VIDEO: pytest.approx(0.1 + 4 * DURATION / 90_000)}
    inspector = inspect(found, body)
    assert inspector.samples == {Medium.VIDEO: 4}
    assert inspector.ends == {Medium.VIDEO: pytest.approx(0.1 + 4 * DURATION / 90_000)}
    assert inspector.sample_seconds == {Medium.VIDEO: pytest.approx(DURATION / 90_000)}


@pytest.mark.parametrize("missing", [1, SIZE, 4 * SIZE])
def test_media_shorter_than_the_sizes_in_the_trex_are_refused(missing: int) -> None:
    body = moof(trun(4)) + box(b"mdat", bytes(4 * SIZE - missing))
    found = probe_fragments(body, init=INIT, whole=True)
    assert found
    with pytest.raises(UpstreamError):
        inspect(found, body)


@pytest.mark.parametrize("order", [(b"trex",), (b"mehd", b"trex"), (b"trex", b"mehd")])
def test_each_track_has_the_defaults_of_its_own_trex(order: tuple[bytes, ...]) -> None:
    moov = next(each for each in boxes_of(INIT) if each.type == b"moov")
    extra = {
        b"trex": full_box(b"trex", 0, 0, u32(9, 2, 7, 8, 0x10000)) + full_box(b"trex", 0, 0, u32(1, 3, 4, 5, 6)),
        b"mehd": full_box(b"mehd", 1, 0, struct.pack(">Q", 5)),
    }
    children = [each.raw for each in moov.children() if each.type != b"mvex"]
    written = Box.whole(box(b"moov", *children, box(b"mvex", *(extra[name] for name in order))))
    (track,) = read_movie(written).tracks
    assert track.defaults == TrackDefaults(duration=4, size=5, flags=6, description=3)


@pytest.mark.parametrize("flags", range(0, 0x40, 2))
def test_a_tfhd_replaces_what_it_has_and_keeps_the_rest(flags: int) -> None:
    fields = {0x02: 21, 0x08: 22, 0x10: 23, 0x20: 24}
    values = [value for flag, value in fields.items() if flags & flag]
    for base in (b"", struct.pack(">Q", 77)):
        tfhd = full_box(b"tfhd", 0, flags & 0x3A | (1 if base else 0), u32(1), base, u32(*values))
        written = Box.whole(box(b"moof", box(b"traf", tfhd, trun(2))))
        (fragment,) = read_track_fragments(written, lambda _: TrackDefaults(1, 2, 3, 4))
        (run,) = fragment.runs
        got = (fragment.description, *(column[-1] for column in (run.durations, run.sizes, run.flags)))
        assert got == tuple(fields[flag] if flags & flag else default for flag, default in zip(fields, (4, 1, 2, 3), strict=True))
        assert fragment.base_data_offset == (77 if base else None)


def test_a_head_cut_at_any_byte_says_the_same_as_the_whole_or_nothing() -> None:
    body = segment(3) + segment(2, time=9000)
    whole = probe_fragments(body, init=INIT, whole=True)
    answers = [probe_fragments(body[:size], init=INIT, whole=False) for size in range(len(body))]
    first = next(size for size, answer in enumerate(answers) if answer)
    assert first == len(moof(trun(3))), "the first `moof` says all"
    assert answers[:first] == [None] * first
    assert answers[first:] == [whole] * (len(body) - first)


@pytest.mark.parametrize("name", ["fmp4-muxed", "fmp4-video-only"])
def test_a_head_of_a_packagers_fragment_cut_at_any_byte_says_the_same_as_the_whole_or_nothing(name: str) -> None:
    init, (body, *_) = read_segments(media(name))
    whole = probe_fragments(body, init=init, whole=True)
    moof_end = next(each.end for each in boxes_of(body) if each.type == b"moof")
    assert whole
    for size in [*range(moof_end), *range(moof_end, len(body), 997)]:
        assert probe_fragments(body[:size], init=init, whole=False) in {None, whole}, size
    assert probe_fragments(body[:moof_end], init=init, whole=False) == whole


def test_a_later_segment_with_neither_video_nor_audio_is_refused() -> None:
    other_track = moof(trun(3), track=9, time=5) + box(b"mdat", bytes(300))
    found = probe_fragments(other_track, init=INIT, whole=True)
    assert found
    assert [(each.medium, each.start) for each in found.streams] == [(Medium.VIDEO, None)]
    assert fragment_ends(other_track, found, init=INIT) == {}
    assert not has_no_samples(other_track, init=INIT), "there are media that nobody knows"
    assert has_no_samples(moof(trun(0), time=5) + box(b"mdat"), init=INIT)
    assert not has_no_samples(segment(1), init=INIT)
    with pytest.raises(UpstreamError, match="neither video nor audio"):
        inspect(found, segment(2), other_track)


def one_too_many(count: int) -> bytes:
    moov = next(each for each in boxes_of(INIT) if each.type == b"moov")
    track = moov.require(b"trak").raw
    children = [each.raw for each in moov.children() if each.type != b"trak"]
    return box(b"moov", *children, *[track] * count)


def test_exactly_as_many_tracks_runs_and_edits_as_allowed_are_read() -> None:
    assert len(read_movie(Box.whole(one_too_many(MAX_TRACKS))).tracks) == MAX_TRACKS
    with pytest.raises(Mp4Error, match=f"more than {MAX_TRACKS} tracks"):
        read_movie(Box.whole(one_too_many(MAX_TRACKS + 1)))
    halves = [box(b"traf", full_box(b"tfhd", 0, 0, u32(1)), *[trun(0)] * (MAX_RUNS // 2 + more)) for more in (0, 1)]
    found = read_track_fragments(Box.whole(box(b"moof", halves[0], halves[0])), lambda _: TrackDefaults(0, 0, 0))
    assert sum(len(fragment.runs) for fragment in found) == MAX_RUNS
    with pytest.raises(Mp4Error, match=f"more than {MAX_RUNS} boxes trun"):
        list(read_track_fragments(Box.whole(box(b"moof", *halves)), lambda _: TrackDefaults(0, 0, 0)))
    edits = [Edit(1, 2)] * MAX_EDITS
    assert read_edits(Box.whole(write_edits(edits))) == tuple(edits)
    with pytest.raises(Mp4Error, match=f"more than {MAX_EDITS} entries"):
        read_edits(Box.whole(write_edits([*edits, Edit(1, 2)])))


@pytest.mark.parametrize("duration", [0, 5, 2**32 - 1, 2**32])
def test_durations_and_timescales_are_read_in_32_and_64_bits(duration: int) -> None:
    def header(kind: bytes) -> bytes:
        wide = duration >= 2**32
        dates = struct.pack(">QQ" if wide else ">II", 1, 2)
        return full_box(kind, int(wide), 0, dates, u32(600), struct.pack(">Q" if wide else ">I", duration), bytes(80))

    moov = next(each for each in boxes_of(INIT) if each.type == b"moov")
    trak = moov.require(b"trak")
    media_box = box(b"mdia", header(b"mdhd"), *[each.raw for each in trak.require(b"mdia").children() if each.type != b"mdhd"])
    tracks = box(b"trak", *[media_box if each.type == b"mdia" else each.raw for each in trak.children()])
    movie = read_movie(Box.whole(box(b"moov", header(b"mvhd"), tracks)))
    assert (movie.timescale, movie.duration) == (600, duration)
    assert [(track.timescale, track.duration) for track in movie.tracks] == [(600, duration)]


def test_a_track_that_does_not_begin_is_awaited_for_a_mebibyte_of_fragments_and_for_more_before_the_first() -> None:
    init, (first, *_) = read_segments(media("fmp4-muxed"))
    at = first.index(b"traf", first.index(b"traf") + 4)
    of_one_track = first[:at] + b"free" + first[at + 4 : first.index(b"mdat") - 4]
    mebibyte = of_one_track + box(b"free", bytes(1024 * 1024 - len(of_one_track) - 8))
    found = probe_fragments(mebibyte, init=init, whole=False)
    assert found
    assert sorted(stream.start is None for stream in found.streams) == [False, True]
    assert probe_fragments(mebibyte[:-1], init=init, whole=False) is None
    assert probe_fragments(box(b"free", bytes(1024 * 1024)), init=init, whole=False) is None
