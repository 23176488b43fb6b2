"""What ffmpeg wrote: how much of each medium, and whether it had to squeeze samples together."""

from collections.abc import Sequence

import pytest

from transcoder.core.media.mp4.boxes import Box
from transcoder.core.media.mp4.movie import TrackDefaults
from transcoder.core.media.mp4.sample_entry import SampleEntry
from transcoder.core.media.streams import Medium
from transcoder.core.output.fragment import Fragment, TrackRun
from transcoder.core.output.header import OutputTrack
from transcoder.core.output.written_samples import WrittenSamples
from transcoder.errors import TranscodeError

VIDEO, AUDIO = Medium.VIDEO, Medium.AUDIO
BOX = Box(b"moof", b"", 0, 0, 0)
SCALES = {VIDEO: 90_000, AUDIO: 48_000}


def fragment(runs: Sequence[tuple[Medium, Sequence[int]]]) -> Fragment:
    """Return a fragment with runs of samples of these durations."""

    def run(medium: Medium, durations: Sequence[int]) -> TrackRun:
        track = OutputTrack(medium, 1, SCALES[medium], SampleEntry(BOX), TrackDefaults(0, 0, 0), None, None, None)
        nothing = [0] * len(durations)
        return TrackRun(track, 0, 0, 0, list(durations), nothing, nothing, nothing, BOX, BOX)

    return Fragment(BOX, [run(medium, durations) for medium, durations in runs])


def written(*fragments: Sequence[tuple[Medium, Sequence[int]]]) -> WrittenSamples:
    found = WrittenSamples()
    for runs in fragments:
        found.add(fragment(runs))
    return found


def test_samples_and_seconds_of_each_medium_are_summed_up() -> None:
    found = written([(VIDEO, [3600, 3600, 1800]), (AUDIO, [1024, 1024])], [(VIDEO, [90_000]), (AUDIO, [1024] * 3)])
    assert found.samples == {VIDEO: 4, AUDIO: 5}
    assert found.seconds == {VIDEO: pytest.approx(1.1), AUDIO: pytest.approx(5 * 1024 / 48_000)}


@pytest.mark.parametrize(
    "runs",
    [
        pytest.param([[3600, 1, 3600, 1, 3600]], id="in one run"),
        pytest.param([[1, 3600], [1, 3600]], id="at the beginning of each"),
        pytest.param([[3600, 1], [3600], [1, 3600]], id="with a run of others between"),
        pytest.param([[3600], [1, 3600]], id="after a run without"),
        pytest.param([[1, 2, 1, 2, 2]], id="beside samples of two ticks"),
        pytest.param([[0, 0, 1, 0, 0]], id="beside samples of none"),
    ],
)
def test_a_single_sample_of_one_tick_is_taken_for_rounding(runs: list[list[int]]) -> None:
    found = written(*([(VIDEO, run)] for run in runs))
    assert found.samples[VIDEO] == sum(map(len, runs))


@pytest.mark.parametrize(
    "runs",
    [
        pytest.param([[3600, 1, 1, 3600]], id="in one run"),
        pytest.param([[3600, 1], [1, 3600]], id="across two"),
        pytest.param([[3600], [1, 1]], id="after a run without"),
        pytest.param([[1, 3600, 1, 1]], id="after a single one"),
    ],
)
def test_samples_of_one_tick_after_one_another_are_refused(runs: list[list[int]]) -> None:
    with pytest.raises(TranscodeError, match="timestamps of the video overlap"):
        written(*([(VIDEO, run)] for run in runs))


def test_samples_of_one_tick_are_counted_by_medium() -> None:
    found = written([(VIDEO, [3600, 1]), (AUDIO, [1, 1024])])
    with pytest.raises(TranscodeError, match="timestamps of the audio overlap"):
        found.add(fragment([(VIDEO, [3600]), (AUDIO, [1, 1])]))
