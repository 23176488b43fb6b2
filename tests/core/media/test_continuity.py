"""Where one segment continues another, and where it does not."""

import pytest

from transcoder.core.media.continuity import SegmentExtent, continues, is_truncated, same_streams
from transcoder.core.media.streams import Container, Medium, Probe, Stream
from transcoder.core.media.timestamps import WRAP_SECONDS

PICTURE, SOUND = Medium.VIDEO, Medium.AUDIO


def probe(video: float | None = None, audio: float | None = None, *, codec: str = "h264", pid: int = 256) -> Probe:
    return Probe(Container.MPEGTS, (Stream(PICTURE, codec, pid, video), Stream(SOUND, "aac", 257, audio)))


@pytest.mark.parametrize(
    ("after", "same"),
    [
        pytest.param(probe(16.0), True, id="in its place"),
        pytest.param(probe(15.6), True, id="a little early"),
        pytest.param(probe(21.9), True, id="late by less than a target duration"),
        pytest.param(probe(22.1), False, id="a leap forward"),
        pytest.param(probe(15.4), False, id="over the end of what was before"),
        pytest.param(probe(10.0), False, id="from the beginning again"),
        pytest.param(probe(16.0 + WRAP_SECONDS), True, id="on the other side of a wrap"),
        pytest.param(probe(audio=16.0), True, id="only the sound is known"),
        pytest.param(probe(audio=3.0), False, id="the sound leaps"),
        pytest.param(probe(), True, id="nothing is known"),
    ],
)
def test_a_segment_follows_another(after: Probe, same: bool) -> None:  # noqa: FBT001  # a column
    starts, ends = {PICTURE: 10.0, SOUND: 10.0}, {PICTURE: 16.0, SOUND: 16.0}
    assert continues(starts, ends, after, seconds=6.0, tolerance=6.0) is same


@pytest.mark.parametrize(("extinf", "start"), [(7.0, 16.0), (5.0, 16.0), (10.0, 16.0), (6.0, 16.04)])
def test_a_wrong_extinf_is_no_leap(extinf: float, start: float) -> None:
    assert continues({PICTURE: 10.0}, {PICTURE: 16.0}, probe(start), seconds=extinf, tolerance=6.0)


@pytest.mark.parametrize(
    ("after", "same"),
    [
        (probe(1.0, 1.0), True),
        (probe(), True),
        (probe(codec="hevc"), False),
        (probe(pid=300), False),
        (Probe(Container.FMP4, probe().streams), False),
        (Probe(Container.MPEGTS, probe().streams[:1]), True),
    ],
)
def test_one_ffmpeg_reads_what_has_the_same_streams(after: Probe, same: bool) -> None:  # noqa: FBT001  # a column
    assert same_streams(probe(0.0, 0.0), after) is same


WHOLE = SegmentExtent(samples=150, start=10.0, end=16.0)
HALF = SegmentExtent(samples=75, start=10.0, end=13.0)


@pytest.mark.parametrize(
    ("passed", "after", "short"),
    [
        pytest.param({PICTURE: WHOLE, SOUND: WHOLE}, probe(16.0, 16.0), False, id="whole"),
        pytest.param({PICTURE: HALF, SOUND: HALF}, probe(16.0, 16.0), True, id="half"),
        pytest.param({PICTURE: HALF, SOUND: HALF}, probe(13.0, 13.0), False, id="half as long as said, and all there"),
        pytest.param({PICTURE: HALF, SOUND: WHOLE}, probe(16.0, 16.0), False, id="a picture that stands still"),
        pytest.param({PICTURE: WHOLE, SOUND: HALF}, probe(16.0, 16.0), False, id="a sound that is silent"),
        pytest.param({PICTURE: HALF, SOUND: HALF}, probe(audio=16.0), True, id="told by the sound alone"),
        pytest.param({PICTURE: HALF}, probe(16.0), False, id="a picture alone may stand still"),
        pytest.param({SOUND: HALF}, probe(audio=16.0), True, id="sound alone"),
        pytest.param({SOUND: SegmentExtent(3, 10.0, 10.1)}, probe(audio=16.0), False, id="too few samples to tell"),
        pytest.param({}, probe(16.0, 16.0), False, id="nothing counted"),
    ],
)
def test_a_segment_that_is_cut_short_is_told(passed: dict[Medium, SegmentExtent], after: Probe, short: bool) -> None:  # noqa: FBT001  # a column
    assert is_truncated(passed, after, seconds=6.0) is short
