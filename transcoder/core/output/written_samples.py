"""What ffmpeg wrote for one period."""

from collections import Counter, defaultdict
from collections.abc import Sequence

from transcoder.core.media.streams import Medium
from transcoder.core.output.fragment import Fragment
from transcoder.errors import TranscodeError

_MAX_ONE_TICK = 2
"""So many samples of one tick, one after another, are no rounding."""


class WrittenSamples:
    """What ffmpeg wrote for one period, whatever was dropped or inserted afterwards."""

    def __init__(self) -> None:
        """Begin with nothing."""
        self.samples: Counter[Medium] = Counter()
        self.seconds: defaultdict[Medium, float] = defaultdict(float)
        """Sum of their durations."""
        self._one_tick: Counter[Medium] = Counter()
        """How many samples of one tick have come last, one after another."""

    def add(self, fragment: Fragment) -> None:
        """Count a fragment as ffmpeg wrote it.

        Raises:
            TranscodeError: samples have been squeezed together, because their timestamps overlap.
        """
        for run in fragment.runs:
            self._refuse_one_tick(run.track.medium, run.durations)
            self.samples[run.track.medium] += len(run.sizes)
            self.seconds[run.track.medium] += sum(run.durations) / run.track.timescale

    def _refuse_one_tick(self, medium: Medium, durations: Sequence[int]) -> None:
        """Refuse a run of samples of one tick, which ffmpeg makes where the timestamps do not rise."""
        if 1 not in durations:
            self._one_tick[medium] = 0
            return
        for duration in durations:
            self._one_tick[medium] = self._one_tick[medium] + 1 if duration == 1 else 0
            if self._one_tick[medium] >= _MAX_ONE_TICK:
                raise TranscodeError(
                    f"The timestamps of the {medium.value} overlap: its samples would follow one another without any time."
                )
