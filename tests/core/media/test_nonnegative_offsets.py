"""Fragments with negative composition offsets, as they are passed on to ffmpeg: presented when the source says, decoded before that."""

import struct
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import accumulate, pairwise
from pathlib import Path

import pytest
from fuzz.media_pieces import INIT, u32
from generated_video import GeneratedVideo, encoder_arguments, run_ffmpeg
from hypothesis import given
from hypothesis import strategies as st
from peers.segment_inspection import copy_with_ffmpeg, inspect_segments

from transcoder.core.media.inspector import inspector_for
from transcoder.core.media.mp4.boxes import Box, box, boxes_of, full_box
from transcoder.core.media.mp4.fragment import read_track_fragments
from transcoder.core.media.mp4.movie import TrackDefaults
from transcoder.core.media.mp4.sample_places import read_placed_runs
from transcoder.core.media.probe import probe
from transcoder.core.media.streams import Medium
from transcoder.errors import DamagedMediaError, UnsupportedSourceError

FRAME = 3600
DEFAULTS = TrackDefaults(3000, 100, 0)
"""Those of the `trex` in INIT."""
FLAT, PYRAMID = (2, 0, 1), (3, 1, 0, 2)


@dataclass(frozen=True)
class Frame:
    """One sample, and what `Form` says of its fragment."""

    decoded: int
    presented: int
    content: bytes
    duration: int = FRAME


@dataclass(frozen=True)
class Form:
    """How a fragment is written."""

    time: int | None = 1
    """The version of its `tfdt`; None: it has none."""
    run: int = 1
    """The version of its `trun`."""
    base: str = "moof"
    """What its data offsets count from: the `moof`, the `stream`, or whatever has no base of its own."""
    has_defaults: bool = False
    """Durations and flags are those of the `tfhd`, and the first sample has flags of its own."""
    other_track: bool = False
    """Another track, which no `moov` lists, comes first."""
    several_runs: bool = False


def stream(*orders: Sequence[int], start: int = 0) -> list[Frame]:
    """Write groups of frames; each order says when each is presented, by frames from the first one of the group."""
    found = list[Frame]()
    for order in orders:
        first = len(found)
        for place in order:
            number = len(found)
            content = bytes([number % 256, number // 256]) * (1 + number % 3)
            found.append(Frame(start + FRAME * number, start + FRAME * (first + place), content))
    return found


def fragment(frames: Sequence[Frame], form: Form = Form(), *, number: int = 1, at: int = 0) -> bytes:
    """Write a fragment that lies `at` so many bytes behind the beginning of the stream."""
    content = b"".join(frame.content for frame in frames)
    other = b"other" if form.other_track else b""
    length = len(_moof(frames, form, number, 0, at))
    return _moof(frames, form, number, length + 8, at) + box(b"mdat", other, content)


def _moof(frames: Sequence[Frame], form: Form, number: int, data_at: int, at: int) -> bytes:
    """Write a `moof` whose media begins at `data_at`."""
    header = full_box(
        b"tfhd",
        0,
        {"stream": 0x000001, "moof": 0x020000, "": 0}[form.base] | (0x28 if form.has_defaults else 0),
        u32(1),
        struct.pack(">Q", at) if form.base == "stream" else b"",
        u32(FRAME, 0x10000) if form.has_defaults else b"",
    )
    start = frames[0].decoded
    time = b"" if form.time is None else full_box(b"tfdt", form.time, 0, struct.pack(">q" if form.time else ">I", start))
    other = box(b"traf", full_box(b"tfhd", 0, 0x020000, u32(9)), full_box(b"trun", 0, 0x201, u32(1, data_at, 5)))
    if form.other_track:
        data_at = data_at + 5 if form.base else 0  # counted from where the other track ends
    parts = [frames[: len(frames) // 2], frames[len(frames) // 2 :]] if form.several_runs and len(frames) > 1 else [frames]
    runs = []
    for part in parts:
        runs.append(_trun(part, form, data_at))
        data_at += sum(len(frame.content) for frame in part)
    track = box(b"traf", header, time, *runs, full_box(b"sbgp", 0, 0, bytes(8)))
    return box(b"moof", full_box(b"mfhd", 0, 0, u32(number)), *([other] if form.other_track else []), track)


def _trun(frames: Sequence[Frame], form: Form, data_at: int) -> bytes:
    offsets = [frame.presented - frame.decoded for frame in frames]
    flags = 0x201 | (0x004 if form.has_defaults else 0x500) | (0x800 if any(offsets) else 0)
    samples = [
        (b"" if form.has_defaults else u32(frame.duration))
        + u32(len(frame.content))
        + (b"" if form.has_defaults else u32(0x10000))
        + (struct.pack(">i", offset) if any(offsets) else b"")
        for frame, offset in zip(frames, offsets, strict=True)
    ]
    first_flags = u32(0x2000000) if form.has_defaults else b""
    return full_box(b"trun", form.run, flags, struct.pack(">Ii", len(frames), data_at), first_flags, *samples)


def pass_on(*segments: bytes, piece: int = 1 << 20) -> bytes:
    """Return what an inspector passes on of segments."""
    found = probe(segments[0], init=INIT, whole=True)
    assert found is not None
    inspector, passed = inspector_for(found, init=INIT), b""
    for segment in segments:
        inspector.begin()
        passed += b"".join(inspector.feed(segment[at : at + piece]) for at in range(0, len(segment), piece)) + inspector.end()
    return passed


def frames_of(passed: bytes) -> Iterator[Frame]:
    """Iterate over the samples of track 1, with the bytes where the boxes say that they are."""
    for each in boxes_of(passed):
        if each.type == b"moof":
            yield from _frames_in(each, passed)


def _frames_in(moof: Box, data: bytes) -> Iterator[Frame]:
    clock = None
    for placed in read_placed_runs(moof, lambda _: DEFAULTS):
        if placed.fragment.track_id != 1:
            assert data[placed.offset : placed.end] == b"other"
            continue
        # What counts from the beginning of the stream counts from its initialization section.
        at = placed.offset - (len(INIT) if placed.fragment.base_data_offset is not None else 0)
        clock = placed.decode_time if clock is None else clock
        assert clock is not None
        for duration, size, offset in zip(placed.run.durations, placed.run.sizes, placed.run.composition_offsets, strict=True):
            yield Frame(clock, clock + offset, data[at : at + size], duration)
            clock, at = clock + duration, at + size


def check(passed: bytes, frames: Sequence[Frame]) -> list[Frame]:
    """Check that frames are presented as they are written, and decoded one after another and before that; return them."""
    found = list(frames_of(passed))
    assert [(each.presented, each.content) for each in found] == [(each.presented, each.content) for each in frames]
    assert all(each.decoded <= each.presented for each in found)
    assert all(before.decoded < after.decoded for before, after in pairwise(found))
    return found


def fragments_of(frames: Sequence[Frame], sizes: Iterable[int], form: Form = Form()) -> bytes:
    """Cut frames into fragments of so many frames."""
    written, at = b"", 0
    for number, size in enumerate(sizes, 1):
        if frames[at : at + size]:
            written += fragment(frames[at : at + size], form, number=number, at=len(INIT) + len(written))
        at += size
    return written


FORMS = [
    pytest.param(Form(), id="usual"),
    pytest.param(Form(time=0), id="a short time"),
    pytest.param(Form(run=0), id="an older version"),
    pytest.param(Form(base="stream"), id="counted from the beginning of the stream"),
    pytest.param(Form(base=""), id="without a base"),
    pytest.param(Form(has_defaults=True), id="with defaults"),
    pytest.param(Form(other_track=True), id="with another track"),
    pytest.param(Form(other_track=True, base=""), id="with another track and without a base"),
    pytest.param(Form(several_runs=True, has_defaults=True), id="several runs"),
]


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("start", [0, 7 * FRAME])
def test_frames_are_decoded_earlier_by_the_most_negative_offset(form: Form, start: int) -> None:
    frames = stream(FLAT, (0,), PYRAMID, *[(0,)] * 20, FLAT, start=start)
    found = check(pass_on(fragments_of(frames, [28, 3], form)), frames)
    assert [each.decoded for each in found] == [each.decoded - 2 * FRAME for each in frames]


@pytest.mark.parametrize("form", FORMS)
def test_a_fragment_with_other_times_keeps_all_its_other_boxes(form: Form) -> None:
    written = fragments_of(stream(FLAT, (0,), PYRAMID, start=7 * FRAME), [5, 3], form)
    kept, expected = ([other_boxes(moof) for moof in boxes_of(data) if moof.type == b"moof"] for data in (pass_on(written), written))
    assert len(kept) == 2
    assert kept == expected
    times = [each for moof in boxes_of(pass_on(written)) if moof.type == b"moof" for each in moof.require(b"traf").children()]
    assert {each.version for each in times if each.type == b"tfdt"} <= {0, 1}


def other_boxes(moof: Box) -> list[bytes]:
    """Return what says nothing about times or places."""
    inside = [each for child in moof.children() if child.type == b"traf" for each in child.children()]
    return [each.raw for each in (*moof.children(), *inside) if each.type not in {b"traf", b"tfhd", b"tfdt", b"trun"}]


@pytest.mark.parametrize("form", FORMS)
def test_what_has_no_negative_offset_passes_as_it_is(form: Form) -> None:
    frames = [replace(each, presented=each.presented + 2 * FRAME) for each in stream(FLAT, PYRAMID, PYRAMID, FLAT)]
    written = fragments_of(frames, [3, 8, 3], form)
    assert pass_on(written, piece=100) == written


def test_a_fragment_without_a_time_goes_on_where_the_one_before_it_ends() -> None:
    frames = stream(FLAT, *[(0,)] * 20, PYRAMID)
    first, second = fragment(frames[:23]), fragment(frames[23:], Form(time=None), number=2)
    found = check(pass_on(first + second), frames)
    assert found[-1].decoded == frames[-1].decoded - 2 * FRAME


@pytest.mark.parametrize("form", FORMS)
def test_decode_times_catch_up_where_offsets_become_more_negative(form: Form) -> None:
    frames = stream(*[(0,)] * 20, FLAT, *[(0,)] * 20, PYRAMID, PYRAMID, *[(0,)] * 12)
    passed = pass_on(fragments_of(frames, [20, 43], form))
    found = check(passed, frames)
    assert [each.decoded for each in found[:20]] == [each.decoded for each in frames[:20]]
    assert [each.decoded for each in found[24:]] == [each.decoded - 2 * FRAME for each in frames[24:]]
    steps = [after.decoded - before.decoded for before, after in pairwise(found)]
    assert min(steps) >= FRAME // 8


@pytest.mark.parametrize("first", [2, 9, 16, 17])
def test_a_fragment_waits_for_those_behind_it_to_show_the_order(first: int) -> None:
    """It ends with a frame before which three others are presented, and these are decoded after it."""
    frames = stream(*[(0,)] * (first - 1), PYRAMID, *[(0,)] * 20)
    found = check(pass_on(fragments_of(frames, [first, 40])), frames)
    assert [each.decoded for each in found] == [each.decoded - 2 * FRAME for each in frames]


def test_fragments_of_one_frame_show_the_order_together() -> None:
    frames = stream((0,), PYRAMID, PYRAMID, *[(0,)] * 30, PYRAMID, (0,))
    check(pass_on(fragments_of(frames, [1] * len(frames))), frames)


@given(
    groups=st.lists(st.sampled_from([(0,), (1, 0), FLAT, PYRAMID, (7, 3, 1, 0, 2, 5, 4, 6), (3, 0, 1, 2)]), min_size=1, max_size=30),
    sizes=st.lists(st.integers(1, 30), min_size=1, max_size=12),
    segment=st.integers(1, 20),
    piece=st.sampled_from([16, 1000, 1 << 20]),
)
def test_any_order_in_any_fragments(groups: list[tuple[int, ...]], sizes: list[int], segment: int, piece: int) -> None:
    """Segments begin with a group of frames, fragments anywhere."""
    parts, frames = list[list[Frame]](), stream(*groups)
    starts = list(accumulate(map(len, groups), initial=0))
    for first in range(0, len(groups), segment):
        parts.append(frames[starts[first] : starts[min(first + segment, len(groups))]])
    segments = [fragments_of(part, sizes * len(part)) for part in parts]
    check(pass_on(*segments, piece=piece), frames)


@pytest.mark.parametrize("codec", ["h264", "hevc"])
def test_ffmpeg_presents_what_is_passed_on_when_the_source_says(codec: str, tmp_path: Path) -> None:
    arguments = encoder_arguments(GeneratedVideo(seconds=3, video_codec=codec, audio_codec=None, b_frames=3, timestamp_offset=0))
    run_ffmpeg(*arguments, "-movflags", "+frag_keyframe+negative_cts_offsets+empty_moov+default_base_moof", tmp_path / "video.mp4")
    data = (tmp_path / "video.mp4").read_bytes()
    inspector, passed = inspect_segments([data])
    assert (inspector.starts, inspector.ends) == ({Medium.VIDEO: 0}, {Medium.VIDEO: 3})
    found, as_it_is = (copy_with_ffmpeg(each, "mov")[Medium.VIDEO] for each in (passed, data))
    assert (found.start, found.end, found.samples) == (0, 3, 75)
    assert as_it_is.start >= 0.04  # what all this is for


@pytest.mark.parametrize("long", [0, 9, 10])
def test_decode_times_go_on_from_the_last_frame_of_a_fragment_however_long_others_are(long: int) -> None:
    usual = stream(*[(0,)] * 20, PYRAMID, *[(0,)] * 20)
    later = [replace(each, decoded=each.decoded + FRAME, presented=each.presented + FRAME) for each in usual[long + 1 :]]
    frames = [*usual[:long], replace(usual[long], duration=2 * FRAME), *later]
    check(pass_on(fragments_of(frames, [20, 24], Form(several_runs=True))), frames)


@pytest.mark.parametrize("second", [1, 11])
def test_a_fragment_leaves_time_for_the_frames_behind_it(second: int) -> None:
    """Of twelve frames, the last one is presented first."""
    frames = stream(*[(0,)] * 20, tuple(reversed(range(12))), *[(0,)] * 20)
    check(pass_on(fragments_of(frames, [20, second, 32 - second])), frames)


@pytest.mark.parametrize("order", [(0, 1, 2), PYRAMID])
def test_fragments_pass_as_they_are_as_long_as_none_has_had_a_time(order: Sequence[int]) -> None:
    written = fragment(stream(order), Form(time=None))
    assert pass_on(written) == written


def test_frames_that_can_no_longer_be_decoded_in_time_are_refused() -> None:
    """The frames of a group are in two segments, and none before them has shown that some are presented early."""
    frames = stream(*[(0,)] * 20, FLAT, *[(0,)] * 20)
    with pytest.raises(UnsupportedSourceError, match="before they are decoded"):
        pass_on(fragment(frames[:21]), fragment(frames[21:], number=2))


@pytest.mark.parametrize(("latest", "is_damage"), [(2**31 - 1 - FRAME, False), (2**31 - FRAME, True), (2**31 - 1, True)])
def test_offsets_that_are_too_far_apart_are_damage(latest: int, *, is_damage: bool) -> None:
    frames = [Frame(0, -FRAME, b"a"), Frame(FRAME, FRAME + latest, b"b")]
    if is_damage:
        with pytest.raises(DamagedMediaError, match="too far apart"):
            pass_on(fragment(frames))
    else:
        check(pass_on(fragment(frames)), frames)


def test_times_that_are_too_large_are_damage() -> None:
    first, second = Frame(2**63 - 10 * FRAME, 2**63 - 10 * FRAME, b"a"), Frame(2**63 - FRAME, 2**63 - 3 * FRAME, b"b")
    with pytest.raises(DamagedMediaError, match="too large"):
        pass_on(fragment([first]), fragment([second], number=2))


def test_many_samples_of_which_nothing_is_listed_are_refused_beside_negative_offsets() -> None:
    """Written again, each takes bytes."""
    count = 100_000
    run = full_box(b"trun", 0, 0x001, u32(count, 0))
    track = box(b"traf", full_box(b"tfhd", 0, 0x020010, u32(1, 1)), full_box(b"tfdt", 1, 0, struct.pack(">Q", 2 * FRAME)), run)
    many = box(b"moof", full_box(b"mfhd", 0, 0, u32(2)), track) + box(b"mdat", bytes(count))
    frames = stream((1, 0))
    with pytest.raises(DamagedMediaError, match="lists nothing"):
        pass_on(fragment(frames) + many)
    usual = [replace(each, presented=each.presented + FRAME) for each in frames]
    assert pass_on(fragment(usual) + many) == fragment(usual) + many


def test_track_fragments_know_how_many_samples_they_have() -> None:
    moof = next(boxes_of(fragment(stream(FLAT, PYRAMID), Form(several_runs=True))))
    assert [each.samples for each in read_track_fragments(moof, lambda _: DEFAULTS)] == [7]
