"""Which streams of a segment go into the output, given those of the segments beside it."""

import pytest

from transcoder.core.media.streams import Container, Medium, Probe, Stream

VIDEO, AUDIO = Stream(Medium.VIDEO, "h264", 256, 1.0, decode_start=0.9), Stream(Medium.AUDIO, "aac", 257, 1.0, decode_start=1.0)
PAUSING = AUDIO._replace(start=None, decode_start=None)


@pytest.mark.parametrize(
    ("before", "container", "streams", "expected"),
    [
        pytest.param((VIDEO, AUDIO), Container.MPEGTS, (VIDEO,), (VIDEO, PAUSING), id="the audio pauses"),
        pytest.param((VIDEO, AUDIO), Container.MPEGTS, (VIDEO, AUDIO), (VIDEO, AUDIO), id="it goes on"),
        pytest.param((VIDEO,), Container.MPEGTS, (VIDEO,), (VIDEO,), id="there was none"),
        pytest.param((VIDEO, AUDIO), Container.FMP4, (VIDEO,), (VIDEO,), id="another container"),
    ],
)
def test_a_stream_that_a_segment_does_not_list_may_pause(
    before: tuple[Stream, ...], container: Container, streams: tuple[Stream, ...], expected: tuple[Stream, ...]
) -> None:
    found = Probe(container, streams).with_pausing(Medium.AUDIO, Probe(Container.MPEGTS, before))
    assert found.streams == expected


@pytest.mark.parametrize(
    ("streams", "preferred", "main"),
    [
        pytest.param([(1, 0.0, False), (2, 0.0, False)], (), 1, id="the first one"),
        pytest.param([(1, None, False), (2, 0.0, False)], (), 2, id="one that has begun"),
        pytest.param([(1, 0.0, True), (2, 0.0, False)], (), 2, id="no description"),
        pytest.param([(1, None, False), (2, 0.0, True)], (), 2, id="a description rather than what has not begun"),
        pytest.param([(1, 0.0, False), (2, None, True)], (2,), 2, id="the one of the segment before"),
        pytest.param([(1, 0.0, False)], (2,), 1, id="another one, if that is gone"),
        pytest.param([], (), None, id="none"),
    ],
)
def test_the_main_stream(streams: list[tuple[int, float | None, bool]], preferred: tuple[int, ...], main: int | None) -> None:
    found = [Stream(Medium.AUDIO, "aac", number, start, is_description=is_description) for number, start, is_description in streams]
    stream = Probe(Container.MPEGTS, (VIDEO, *found), preferred=frozenset(preferred)).main(Medium.AUDIO)
    assert (stream and stream.id) == main


@pytest.mark.parametrize(
    ("one", "other", "has"),
    [
        ({}, {}, True),
        ({"sample_rate": 48_000}, {}, True),
        ({"sample_rate": 48_000}, {"sample_rate": 44_100}, False),
        ({"channels": 2}, {"channels": 6}, False),
        ({"channels": 2}, {"channels": 2}, True),
        ({"codec": "ac3"}, {}, False),
    ],
)
def test_one_track_can_have_streams_of_the_same_format_as_far_as_it_is_known(
    one: dict[str, object], other: dict[str, object], *, has: bool
) -> None:
    first, second = AUDIO._replace(**one), AUDIO._replace(**other)  # type: ignore[arg-type]  # members by name
    assert first.has_format_of(second) is second.has_format_of(first) is has
