"""Whether fragments end between a frame and those that are decoded after it and presented before it."""

from transcoder.core.media.mp4.fragment import TrackFragment
from transcoder.core.media.mp4.sample_columns import latest_presentation, total


class FrameOrder:
    """Takes the fragments of one track in order."""

    def __init__(self) -> None:
        """Begin before the first fragment."""
        self._end: int | None = None
        """Where decoding goes on."""
        self._latest: int | None = None
        """When the frame is presented that is presented last so far."""
        self._lead: int | None = None
        """How far presentation is ahead of decoding where no frame is missing, as far as is known."""

    def is_complete_with(self, fragment: TrackFragment) -> bool:
        """Take the next fragment, and return whether all frames that are presented before its last one are there.

        As long as some are missing, presentation is further ahead of decoding than it was at the first frame.
        """
        clock = self._end if fragment.decode_time is None else fragment.decode_time
        runs = [run for run in fragment.runs if run.sizes]
        if clock is None or not runs:
            return True
        latest, duration = self._latest, runs[-1].durations[-1]
        for run in runs:
            presented = latest_presentation(clock, run.durations, run.composition_offsets)
            latest = presented if latest is None else max(latest, presented)
            clock += total(run.durations)
        self._end, self._latest = clock, latest
        lead = (latest or 0) + duration - clock
        self._lead = min(lead, runs[0].composition_offsets[0] if self._lead is None else self._lead)
        return lead - self._lead <= duration // 2
