"""What was read of a stream must have been written."""

import math
from collections import Counter, defaultdict

import pytest
from make_media import media
from peers.segment_inspection import inspect_segments, probe_segment, read_segments

from transcoder.core.media.inspector import Inspector
from transcoder.core.media.streams import Medium, Stream
from transcoder.core.media.timestamps import WRAP_SECONDS
from transcoder.core.output.accounting import missing_samples, source_seconds
from transcoder.core.output.written_samples import WrittenSamples
from transcoder.core.request.output_format import WHOLE_PERIOD, TimeWindow

VIDEO, AUDIO = Medium.VIDEO, Medium.AUDIO


@pytest.fixture(scope="module")
def read() -> Inspector:
    return inspect_segments(read_segments(media("ts-muxed"))[1])[0]


@pytest.fixture(scope="module")
def streams() -> dict[Medium, Stream]:
    _, segments = read_segments(media("ts-muxed"))
    return {stream.medium: stream for stream in probe_segment(segments[0]).streams}


def written(samples: int, medium: Medium, *, seconds: float = 0.0) -> WrittenSamples:
    found = WrittenSamples()
    found.samples, found.seconds = Counter({medium: samples}), defaultdict(float, {medium: seconds})
    return found


@pytest.mark.parametrize("medium", Medium)
@pytest.mark.parametrize("more", [-1, 0, 1])
def test_a_copy_has_as_many_samples_as_were_read(medium: Medium, more: int, read: Inspector, streams: dict[Medium, Stream]) -> None:
    count = read.samples[medium]
    found = missing_samples(streams[medium], read, written(count + more, medium), window=None)
    assert found == (f"{count + more} of {count} {medium.value} samples of the source came out of ffmpeg" if more else None)


def test_samples_that_cannot_be_counted_are_not_missed(read: Inspector, streams: dict[Medium, Stream]) -> None:
    (audio,) = (probe_segment(read_segments(media("ts-audio-only"))[1][0])).streams
    video_only, _ = inspect_segments(read_segments(media("ts-video-only"))[1])
    assert missing_samples(audio, video_only, WrittenSamples(), window=None) is None
    assert source_seconds(audio, video_only, WHOLE_PERIOD) is None
    assert missing_samples(audio, video_only, WrittenSamples(), window=WHOLE_PERIOD) is None
    assert source_seconds(streams[AUDIO]._replace(start=None), read, WHOLE_PERIOD) is None


@pytest.mark.parametrize(
    ("begin", "end", "inside"),
    [(None, None, None), (1.0, None, -1.0), (None, 2.0, 2.0), (1.0, 2.0, 1.0), (-5.0, 2.0, 2.0), (100.0, None, 0.0)],
)
def test_the_part_of_a_stream_within_a_window(
    begin: float | None, end: float | None, inside: float | None, read: Inspector, streams: dict[Medium, Stream]
) -> None:
    """Times are counted from the start of the stream; a part below zero is what is left of the whole."""
    start = streams[VIDEO].start
    assert start is not None
    whole = read.ends[VIDEO] - start
    window = TimeWindow(None if begin is None else start + begin, None if end is None else start + end)
    expected = whole if inside is None else whole + inside if inside < 0 else inside
    assert source_seconds(streams[VIDEO], read, window) == pytest.approx((whole, expected))


@pytest.mark.parametrize("medium", Medium)
@pytest.mark.parametrize(("short", "is_missing"), [(0.0, False), (0.49, False), (0.5, False), (0.51, True)])
def test_what_was_encoded_is_as_long_as_its_source_to_half_a_second(
    medium: Medium, short: float, *, is_missing: bool, read: Inspector, streams: dict[Medium, Stream]
) -> None:
    found = source_seconds(streams[medium], read, WHOLE_PERIOD)
    assert found
    output = written(read.samples[medium], medium, seconds=found[1] - short)
    says = missing_samples(streams[medium], read, output, window=WHOLE_PERIOD)
    assert says == (f"{found[1] - short:.3f} of {found[1]:.3f} s of {medium.value} came out of ffmpeg" if is_missing else None)


@pytest.mark.parametrize("share", [1.0, 0.5])
@pytest.mark.parametrize(("fewer", "is_missing"), [(0, False), (1, True)])
def test_video_that_was_encoded_lacks_at_most_eight_frames_and_a_tenth(
    share: float, fewer: int, *, is_missing: bool, read: Inspector, streams: dict[Medium, Stream]
) -> None:
    count, start = read.samples[VIDEO], streams[VIDEO].start
    assert start is not None
    whole = read.ends[VIDEO] - start
    window, least = TimeWindow(start, start + share * whole), math.ceil(0.9 * share * count - 8 - 1e-6)
    says = missing_samples(streams[VIDEO], read, written(least - fewer, VIDEO, seconds=share * whole), window=window)
    assert (says is not None) is is_missing
    if is_missing:
        assert says == f"{least - fewer} of about {share * count:.0f} video frames came out of ffmpeg"


def test_frames_that_nothing_can_decode_are_not_missed() -> None:
    """A transport stream that begins in the middle of a group of pictures: its tables, and what comes after the first picture."""
    _, (first, *_) = read_segments(media("ts-muxed"))
    tables, rest = first[: 3 * 188], first[3 * 188 :]
    cut = tables + rest[40 * 188 :]
    found, _ = inspect_segments([cut])
    (stream,) = [each for each in probe_segment(cut).streams if each.medium is VIDEO]
    lost = found.undecodable[VIDEO]
    assert 0 < lost < found.samples[VIDEO]
    for more in (-1, 0, 1):
        says = missing_samples(stream, found, written(found.samples[VIDEO] - lost + more, VIDEO), window=None)
        assert (says is None) is (more == 0)


def test_of_fragments_each_sample_is_counted() -> None:
    init, segments = read_segments(media("fmp4-muxed"))
    found, _ = inspect_segments(segments, init=init)
    for stream in probe_segment(segments[0], init=init).streams:
        count = found.samples[stream.medium]
        for more in (-1, 0, 1):
            says = missing_samples(stream, found, written(count + more, stream.medium), window=None)
            assert (says is None) is (more == 0)


@pytest.mark.parametrize("wraps", [-1, 0, 1])
@pytest.mark.parametrize("edge", ["start", "end"])
def test_a_window_may_be_on_the_other_side_of_a_wrap(wraps: int, edge: str, read: Inspector, streams: dict[Medium, Stream]) -> None:
    start = streams[VIDEO].start
    assert start is not None
    whole, at = read.ends[VIDEO] - start, start + 1.0 + wraps * WRAP_SECONDS
    window = TimeWindow(at, None) if edge == "start" else TimeWindow(None, at)
    assert source_seconds(streams[VIDEO], read, window) == pytest.approx((whole, whole - 1.0 if edge == "start" else 1.0))


def test_of_a_stream_without_any_time_no_frames_are_missed(read: Inspector, streams: dict[Medium, Stream]) -> None:
    still = streams[VIDEO]._replace(start=read.ends[VIDEO])
    assert missing_samples(still, read, written(0, VIDEO), window=WHOLE_PERIOD) is None
