"""What a fragment of a source brings: how many samples, and their times in seconds."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import accumulate
from operator import add

from transcoder.core.media.mp4.boxes import Box
from transcoder.core.media.mp4.fragment import TrackFragment, read_track_fragments
from transcoder.core.media.mp4_source.tracks import SourceTrack, source_damage


@dataclass(frozen=True, slots=True)
class FragmentExtent:
    """What one fragment brings of one track."""

    track: SourceTrack
    samples: int
    bytes: int
    """Of all samples."""
    start: float | None = None
    """First presentation time in seconds, edit list applied; None without samples or without a `tfdt`."""
    end: float | None = None
    """Latest presentation end in seconds."""
    decode_start: float | None = None
    """Decode time of the first sample in seconds, as written."""
    decode_end: float | None = None
    """Where decoding goes on after the last sample, in seconds."""
    sample_seconds: float = 0.0
    """Duration of the last sample."""
    late: float = 0.0
    """Seconds that ffmpeg adds to these times: the most negative composition offset."""
    description: int = 1
    """Which of the track's sample entries its samples have, counted from 1."""


def read_fragment(moof: Box, tracks: Mapping[int, SourceTrack]) -> tuple[FragmentExtent, ...]:
    """Return what a `moof` brings of each of `tracks`, which are listed by id.

    Raises:
        UpstreamError: it is broken.
    """

    def found() -> Iterator[FragmentExtent]:
        for fragment in read_track_fragments(moof, lambda number: tracks[number].defaults if number in tracks else None):
            yield _extent(fragment, tracks[fragment.track_id])

    with source_damage():
        return tuple(found())


def _extent(fragment: TrackFragment, track: SourceTrack) -> FragmentExtent:
    samples = sum(len(run.sizes) for run in fragment.runs)
    size = sum(sum(run.sizes) for run in fragment.runs)
    if fragment.decode_time is None or not samples:
        return FragmentExtent(track, samples, size, description=fragment.description)
    first: int | None = None
    latest = clock = fragment.decode_time
    for run in fragment.runs:
        times = list(accumulate(run.durations, initial=clock))
        if first is None and run.sizes:
            first = clock + run.composition_offsets[0]
        latest = max(latest, max(map(add, times, run.composition_offsets), default=latest))
        clock = times[-1]
    lowest = min(min(run.composition_offsets, default=0) for run in fragment.runs)
    start = None if first is None else (first - track.shift) / track.timescale
    last_duration = next((run.durations[-1] for run in reversed(fragment.runs) if run.sizes), 0)
    return FragmentExtent(
        track,
        samples,
        size,
        start=start,
        # A frame that stands still is not the one that is shown last.
        end=(latest + last_duration - track.shift) / track.timescale,
        decode_start=fragment.decode_time / track.timescale,
        decode_end=clock / track.timescale,
        sample_seconds=last_duration / track.timescale,
        late=max(0, -lowest) / track.timescale,
        description=fragment.description,
    )
