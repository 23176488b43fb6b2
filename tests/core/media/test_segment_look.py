"""A segment that was looked at as a whole is what a probe finds that knows the segment before it, or nothing is said of it."""

from itertools import pairwise
from typing import Any

import pytest
from make_media import media
from peers.segment_inspection import read_segments

from transcoder.core.media.probe import probe
from transcoder.core.media.segment_look import look_at
from transcoder.core.media.streams import Medium, Probe, Stream

SETS = ["ts-muxed", "ts-ac3", "ts-mp2", "ts-wrap", "faults-ts-muxed", "faults-ts-camera", "faults-ts-hevc"]
CHANGES = ["join-ts-channels", "join-ts-sample-rate", "join-ts-audio-codec", "join-ts-no-audio-first", "join-ts-no-audio-second"]


FRAGMENTED = ["fmp4-muxed", "fmp4-audio-only", "fmp4-video-only", "fmp4-edit-lists", "fmp4-opus", "faults-fragments"]


def probed(segment: bytes, previous: Probe | None, *, init: bytes = b"") -> Probe:
    found = probe(segment, init=init, whole=True, previous=previous)
    assert found is not None
    return found


def looked_at(segment: bytes, *, init: bytes = b"") -> Probe:
    found = look_at(segment, init=init).probe
    assert found is not None
    return found


def about_output(found: Probe) -> list[Stream | None]:
    """Return the streams that the output takes, without what only the first segment of a timeline is asked for."""
    return [stream and stream._replace(is_headless=False) for stream in map(found.main, Medium)]


@pytest.mark.parametrize("name", SETS + FRAGMENTED)
def test_a_look_says_what_a_probe_after_the_segment_before_says(name: str) -> None:
    previous = None
    init, segments = read_segments(media(name))
    for segment in segments:
        expected = probed(segment, previous, init=init)
        if previous is not None:
            known = looked_at(segment, init=init).known_to_continue(previous)
            assert known is not None
            assert about_output(known) == about_output(expected)
            assert (known.container, known.skip, known.tables, known.preferred) == expected[:1] + expected[2:]
        previous = expected


@pytest.mark.parametrize("name", CHANGES)
def test_where_the_format_or_the_streams_change_a_look_says_nothing(name: str) -> None:
    known = []
    for before, after in pairwise(read_segments(media(name))[1]):
        expected = probed(after, probed(before, None))
        found = looked_at(after).known_to_continue(probed(before, None))
        known.append(found is not None)
        assert found is None or about_output(found) == about_output(expected)
    assert known.count(False) == 1


@pytest.mark.parametrize("change", [{"id": 300}, {"start": None}, {"codec": "mp3"}, {"sample_rate": 22_050}, {"channels": 6}], ids=str)
def test_a_stream_that_is_not_as_before_is_not_known_to_continue(change: dict[str, Any]) -> None:
    first, second = read_segments(media("faults-ts-muxed"))[1][:2]
    previous, found = probed(first, None), looked_at(second)
    assert found.known_to_continue(previous)
    streams = tuple(each._replace(**change) if each.medium is Medium.AUDIO else each for each in found.streams)
    assert found._replace(streams=streams).known_to_continue(previous) is None
    assert found._replace(streams=found.streams[:1]).known_to_continue(previous) is None
    assert found.known_to_continue(previous._replace(streams=previous.streams[:1])) is None
