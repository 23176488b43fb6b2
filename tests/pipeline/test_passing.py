"""What is known of a segment that has passed: where the next one must continue it, and what it brought."""

import itertools
from typing import NamedTuple

import pytest
from generated_video import GeneratedVideo
from packager import pack_ts
from peers.segment_inspection import inspect_segments, probe_segment

from transcoder.core.hls.plan import Segment
from transcoder.core.media.passed_segment import PassedSegment
from transcoder.core.media.segment_sequence import SegmentSequence
from transcoder.core.media.streams import Medium, Probe
from transcoder.errors import DamagedMediaError
from transcoder.pipeline.passing import add_passed, ends_before, passed_segment

FILM = GeneratedVideo(seconds=6, size="160x90")
"""Its pictures are shown two frames after the first of them is decoded."""

UNIT_START_OF_VIDEO = b"\x41\x00"
"""The flag and the PID in the header of a transport packet."""


class Located(NamedTuple):
    period: int
    segment: Segment
    probe: Probe


def listed(number: int) -> Segment:
    return Segment(f"http://a.example/{number}.ts", 2.0, 2.0 * number, None, None, None)


@pytest.fixture(scope="module")
def bodies(tmp_path_factory: pytest.TempPathFactory) -> list[bytes]:
    folder = tmp_path_factory.mktemp("film")
    return [(folder / segment.uri).read_bytes() for segment in pack_ts(folder, "film", FILM).segments]


@pytest.mark.parametrize("number", [1, 2])
def test_a_segment_of_one_encoder_begins_where_those_before_it_end(number: int, bodies: list[bytes]) -> None:
    inspector, _ = inspect_segments(bodies[:number])
    following = Located(0, listed(number), probe_segment(bodies[number]))
    ends = ends_before(following, inspector)
    for medium in Medium:
        stream = following.probe.main(medium)
        assert stream is not None
        assert ends[medium] == pytest.approx(stream.start, abs=0.001)


def test_what_is_decoded_last_decides_and_not_what_is_shown_last(bodies: list[bytes]) -> None:
    """Without its last pictures to be decoded, which are shown earlier, a segment seems to be as long as before."""
    starts = [at for at in range(0, len(bodies[0]), 188) if bodies[0][at + 1 : at + 3] == UNIT_START_OF_VIDEO]
    body, following = bodies[0][: starts[-1]], Located(0, listed(1), probe_segment(bodies[1]))
    whole, cut = (inspect_segments([each])[0] for each in (bodies[0], body))
    whole_end, cut_end = (ends_before(following, each)[Medium.VIDEO] for each in (whole, cut))
    assert whole.last_decode_times[Medium.VIDEO] - cut.last_decode_times[Medium.VIDEO] == pytest.approx(0.04, abs=0.001)
    assert whole_end - cut_end == pytest.approx(0.04, abs=0.001)


def test_a_segment_without_decode_times_continues_what_is_shown(bodies: list[bytes]) -> None:
    inspector, _ = inspect_segments(bodies[:1])
    probe = probe_segment(bodies[1])
    untimed = probe._replace(streams=tuple(stream._replace(decode_start=None) for stream in probe.streams))
    assert ends_before(Located(0, listed(1), untimed), inspector) == inspector.ends


def passed(bodies: list[bytes], number: int) -> PassedSegment:
    """Let the segments up to that number pass, and return what the last of them brought."""
    inspector, _ = inspect_segments(bodies[:number] or bodies[:1])
    before = dict(inspector.samples) if number else {}
    if number:
        inspector.begin()
        inspector.feed(bodies[number])
        inspector.end()
    return passed_segment(Located(0, listed(number), probe_segment(bodies[number])), inspector, before, bodies[number][:100])


def test_what_a_segment_brought_is_counted_from_its_own_beginning(bodies: list[bytes]) -> None:
    found = [passed(bodies, number) for number in range(3)]
    assert [each.extents[Medium.VIDEO].samples for each in found] == [50, 50, 50]
    assert [each.at for each in found] == [0.0, 2.0, 4.0]
    assert [each.identity for each in found] == [(f"http://a.example/{number}.ts", None) for number in range(3)]
    for each in found:
        assert each.extents[Medium.VIDEO].seconds == pytest.approx(2.0, abs=0.001)
        assert each.extents[Medium.VIDEO].sample_seconds == pytest.approx(0.04, abs=0.001)
        assert not each.guessed
    for before, after in itertools.pairwise(found):
        assert after.extents[Medium.VIDEO].start == pytest.approx(before.extents[Medium.VIDEO].end, abs=0.001)
    assert found[0].fingerprint != found[1].fingerprint


def test_a_failure_about_what_passed_names_the_segment(bodies: list[bytes]) -> None:
    sequence, first = SegmentSequence({}, from_start=True), passed(bodies, 0)
    add_passed(sequence, first)
    other = first._replace(at=2.0, identity=("http://a.example/film/1.ts", None))
    with pytest.raises(DamagedMediaError, match=r"1\.ts"):
        add_passed(sequence, other)
