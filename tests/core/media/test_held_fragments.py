"""How long fragments are held back until others show the order of their frames, and which numbers they go on with."""

from collections import Counter

import pytest
from fuzz.media_pieces import INIT, u32
from hypothesis import given, settings
from hypothesis import strategies as st
from peers.drawn_inputs import examples
from peers.two_tracks import AUDIO, MOVIE, Part, fragment, moof

from transcoder.core.media.mp4.boxes import box, full_box
from transcoder.core.media.mp4_source.inspector import FragmentInspector
from transcoder.core.media.mp4_source.nonnegative_offsets import MAX_HELD_BYTES, MAX_HELD_FRAGMENTS, MAX_UNLISTED_SAMPLES
from transcoder.core.media.mp4_source.probe import probe_fragments
from transcoder.core.media.mp4_source.sequence_numbers import SequenceNumbers
from transcoder.errors import DamagedMediaError

FIRST = moof(Part(0, [40]))
"""One frame, which does not show the order."""
SOUND = fragment(Part(0, [10], AUDIO))


def begun(init: bytes = MOVIE) -> FragmentInspector:
    found = probe_fragments(FIRST + SOUND, init=init, whole=True)
    assert found
    inspector = FragmentInspector(found, init=init)
    inspector.begin()
    return inspector


def sound(number: int) -> bytes:
    return fragment(Part(10 * number, [10], AUDIO), number=number)


def frames(first: int, count: int) -> bytes:
    return b"".join(fragment(Part(40 * number, [40]), number=number) for number in range(first, first + count))


def test_no_more_than_a_hundred_fragments_are_held_back() -> None:
    inspector = begun()
    media, others = box(b"mdat", b"a"), [sound(number) for number in range(1, MAX_HELD_FRAGMENTS + 1)]
    assert not any(inspector.feed(piece) for piece in (FIRST, media, *others[:-1]))
    assert inspector.feed(others[-1]) == FIRST + media + b"".join(others)
    assert inspector.feed(sound(101)) == sound(101), "nothing is held now, and sound needs no order"
    assert inspector.end() == b""


def test_no_more_than_four_mebibytes_are_held_back() -> None:
    """What is passed on is not counted any more."""
    inspector = begun()
    for number, held in enumerate((FIRST, moof(Part(40, [40], offsets=[400])))):
        media = box(b"mdat", bytes(MAX_HELD_BYTES - len(held) - 7))
        assert inspector.feed(held) + inspector.feed(media[:8]) + inspector.feed(media[8:-1]) == b""
        assert inspector.feed(media[-1:]) == held + media
        assert inspector.feed(sound(number)) == sound(number)


def test_seventeen_frames_show_the_order_of_the_first_ones_and_each_later_fragment_its_own() -> None:
    inspector = begun()
    assert inspector.feed(frames(0, 16)) == b""
    assert inspector.feed(frames(16, 1)) == frames(0, 17)
    assert inspector.feed(frames(17, 1)) == frames(17, 1)
    assert inspector.end() == b""
    inspector.begin()
    assert inspector.feed(frames(18, 1)) == frames(18, 1), "nor does a later segment show it anew"


def test_a_frame_that_is_shown_after_missing_ones_waits_for_seventeen_frames_behind_it() -> None:
    inspector = begun()
    inspector.feed(frames(0, 17))
    early = fragment(Part(680, [40], offsets=[400]), number=17)
    assert inspector.feed(early) + inspector.feed(frames(18, 16)) == b""
    assert inspector.feed(frames(34, 1)) == early


def test_the_end_of_a_segment_shows_that_nothing_follows() -> None:
    inspector = begun()
    assert inspector.feed(frames(0, 3)) == b""
    assert inspector.end() == frames(0, 3)


@pytest.mark.parametrize(("count", "is_refused"), [(MAX_UNLISTED_SAMPLES, False), (MAX_UNLISTED_SAMPLES + 1, True)])
@pytest.mark.parametrize("place", ["in it", "before it", "behind it"])
def test_so_many_samples_of_which_nothing_is_listed_may_be_beside_negative_offsets(count: int, place: str, *, is_refused: bool) -> None:
    def track(time: int, *runs: bytes) -> bytes:
        return box(b"traf", full_box(b"tfhd", 0, 0x020018, u32(1, 40, 1)), full_box(b"tfdt", 0, 0, u32(time)), *runs)

    early = full_box(b"trun", 1, 0xF00, u32(1, 40, 1, 0, 2**32 - 1))
    many = full_box(b"trun", 0, 0, u32(count // 2)), full_box(b"trun", 0, 0, u32(count - count // 2))
    tracks = {
        "in it": [track(100, *many, early)],
        "before it": [track(60, early), track(100, *many)],
        "behind it": [track(100, *many), track(100 + 40 * count, early)],
    }
    body = box(b"moof", full_box(b"mfhd", 0, 0, u32(1)), *tracks[place]) + box(b"mdat", bytes(count + 1))
    found = probe_fragments(body, init=INIT, whole=True)
    assert found
    inspector = FragmentInspector(found, init=INIT)
    inspector.begin()
    if is_refused:
        with pytest.raises(DamagedMediaError, match=f"lists nothing of more than {MAX_UNLISTED_SAMPLES} samples"):
            inspector.feed(body)
    else:
        assert len(inspector.feed(body)) > 4 * count


@settings(max_examples=examples(40))
@given(st.lists(st.lists(st.integers(1, 5), min_size=1, max_size=6), min_size=1, max_size=4), st.integers(0, 5))
def test_numbers_go_on_by_the_step_that_is_most_frequent_and_of_several_came_first(segments: list[list[int]], last: int) -> None:
    numbers, counts, at = SequenceNumbers(), Counter[int](), 0
    for segment in segments:
        numbers.begin_segment()
        for step in segment:
            at += step
            numbers.add(at, after_gap=False)
            counts[step] += 1
    counts.subtract([segments[0][0]])  # the first number has none before it
    steps = [step for number, step in enumerate(step for segment in segments for step in segment) if number]
    usual = max(dict.fromkeys(steps), key=steps.count, default=1)
    numbers.begin_segment()
    assert numbers.goes_on is None
    numbers.add(at + last, after_gap=False)
    assert numbers.goes_on == (last == usual)
    numbers.add(at + last + 100, after_gap=True)
    assert numbers.has_jumped
    numbers.begin_segment()
    assert not numbers.has_jumped
