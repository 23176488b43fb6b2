"""When one segment continues another, and when it does not."""

import pytest

from transcoder.core.media.streams import Container, Medium, Probe, Stream
from transcoder.core.media.timeline_continuity import continues, reaches_back, same_streams
from transcoder.core.media.timestamps import WRAP_SECONDS

VIDEO, AUDIO = Medium.VIDEO, Medium.AUDIO


def probe(video: float | None = None, audio: float | None = None, *, codec: str = "h264", pid: int = 256) -> Probe:
    return Probe(Container.MPEGTS, (Stream(VIDEO, codec, pid, video), Stream(AUDIO, "aac", 257, audio)))


@pytest.mark.parametrize(
    ("after", "same"),
    [
        pytest.param(probe(16.0), True, id="at its expected time"),
        pytest.param(probe(15.6), True, id="a little early"),
        pytest.param(probe(21.9), True, id="late by less than a target duration"),
        pytest.param(probe(22.1), False, id="a jump forward"),
        pytest.param(probe(15.4), False, id="overlaps the end of the segment before"),
        pytest.param(probe(10.0), False, id="starts from the beginning again"),
        pytest.param(probe(16.0 + WRAP_SECONDS), True, id="after a wrap of the clock"),
        pytest.param(probe(audio=16.0), True, id="only the audio is known"),
        pytest.param(probe(audio=3.0), False, id="only the audio is known, and it jumps back"),
        pytest.param(probe(), True, id="nothing is known"),
    ],
)
def test_segment_continues_another_at_its_expected_time(after: Probe, same: bool) -> None:  # noqa: FBT001  # a column
    starts, ends = {VIDEO: 10.0, AUDIO: 10.0}, {VIDEO: 16.0, AUDIO: 16.0}
    assert continues(starts, ends, after, seconds=6.0, tolerance=6.0) is same


@pytest.mark.parametrize(("extinf", "start"), [(7.0, 16.0), (5.0, 16.0), (10.0, 16.0), (6.0, 16.04)])
def test_wrong_extinf_is_not_a_discontinuity(extinf: float, start: float) -> None:
    assert continues({VIDEO: 10.0}, {VIDEO: 16.0}, probe(start), seconds=extinf, tolerance=6.0)


@pytest.mark.parametrize(
    ("after", "same"),
    [
        (probe(1.0, 1.0), True),
        (probe(), True),
        (probe(codec="hevc"), False),
        (probe(pid=300), True),  # its packets are renamed
        (Probe(Container.FMP4, probe().streams), False),
        (Probe(Container.MPEGTS, probe().streams[:1]), True),
    ],
)
def test_one_ffmpeg_reads_segments_with_the_same_streams(after: Probe, same: bool) -> None:  # noqa: FBT001  # a column
    assert same_streams(probe(0.0, 0.0), after) is same


@pytest.mark.parametrize(
    ("start", "sample_seconds", "back"),
    [
        pytest.param(20.020, 0.02, False, id="right after a frame"),
        pytest.param(20.0, 0.02, True, id="with the same frame"),
        pytest.param(20.003, 0.02, True, id="with the same frame, to within a few milliseconds"),
        pytest.param(19.5, 0.02, True, id="before it"),
        pytest.param(20.0026667, 128 / 48_000, False, id="right after a short block of Vorbis"),
        pytest.param(20.0025, 0.0025, False, id="right after a short frame of Opus"),
        pytest.param(20.0, 0.0025, True, id="with the same short frame"),
        pytest.param(20.003, None, True, id="after a sample of unknown duration"),
    ],
)
def test_a_segment_reaches_back_if_it_is_decoded_before_the_end_of_the_last_sample(
    start: float, sample_seconds: float | None, *, back: bool
) -> None:
    after = Probe(Container.FMP4, (Stream(AUDIO, "vorbis", 2, start, decode_start=start),))
    known = {AUDIO: sample_seconds} if sample_seconds else {}
    assert reaches_back({AUDIO: 20.0}, after, sample_seconds=known) == back


@pytest.mark.parametrize(
    ("container", "overlap", "back"),
    [
        pytest.param(Container.MPEGTS, 0.01, False, id="less than a frame"),
        pytest.param(Container.MPEGTS, 0.022, True, id="a frame"),
        pytest.param(Container.ADTS, 0.045, False, id="packed audio with the frames that an encoder adds"),
        pytest.param(Container.ADTS, 0.06, True, id="packed audio with more"),
        pytest.param(Container.ADTS, -3.0, False, id="packed audio after a hole"),
    ],
)
def test_a_segment_may_begin_a_little_before_the_end_of_the_one_before_it(container: Container, overlap: float, *, back: bool) -> None:
    end, frame = 16.0, 1024 / 48_000
    after = Probe(container, (Stream(AUDIO, "aac", 0, end - overlap, decode_start=end - overlap),))
    assert reaches_back({AUDIO: end - frame}, after, sample_seconds={AUDIO: frame}) is back
