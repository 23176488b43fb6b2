"""What ffmpeg wrote for one period."""

from collections import Counter, defaultdict
from dataclasses import dataclass, field

from transcoder.core.media.streams import Medium
from transcoder.core.output.fragment import Fragment


@dataclass(frozen=True, slots=True)
class WrittenSamples:
    """What ffmpeg wrote for one period, whatever was dropped or inserted afterwards."""

    samples: Counter[Medium] = field(default_factory=Counter)
    seconds: defaultdict[Medium, float] = field(default_factory=lambda: defaultdict(float))
    """Sum of their durations."""

    def add(self, fragment: Fragment) -> None:
        """Count a fragment as ffmpeg wrote it."""
        for run in fragment.runs:
            self.samples[run.track.medium] += len(run.sizes)
            self.seconds[run.track.medium] += sum(run.durations) / run.track.timescale
