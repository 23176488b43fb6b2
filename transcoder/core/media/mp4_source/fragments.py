"""What a fragment of a source brings: how many samples, and their times in seconds."""

from collections.abc import Mapping
from typing import NamedTuple

from transcoder.core.media.mp4.boxes import Box
from transcoder.core.media.mp4.fragment import TrackFragment, read_track_fragments
from transcoder.core.media.mp4.sample_columns import latest_presentation, total
from transcoder.core.media.mp4_source.tracks import SourceTrack, source_damage


class FragmentExtent(NamedTuple):
    """What one fragment brings of one track."""

    track: SourceTrack
    fragment: TrackFragment
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
    description: int = 1
    """Which of the track's sample entries its samples have, counted from 1."""


def read_fragment(moof: Box, tracks: Mapping[int, SourceTrack]) -> tuple[FragmentExtent, ...]:
    """Return what a `moof` brings of each of `tracks`, which are listed by id.

    Raises:
        UpstreamError: it is broken.
    """
    with source_damage():
        fragments = read_track_fragments(moof, lambda number: tracks[number].defaults if number in tracks else None)
        return tuple([_extent(fragment, tracks[fragment.track_id]) for fragment in fragments])


def _extent(fragment: TrackFragment, track: SourceTrack) -> FragmentExtent:
    runs = [run for run in fragment.runs if run.sizes]
    sizes = [run.sizes for run in runs]
    samples, size = sum(map(len, sizes)), sum(map(total, sizes))
    if fragment.decode_time is None or not samples:
        return FragmentExtent(track, fragment, samples, size, description=fragment.description)
    latest = clock = fragment.decode_time
    for run in runs:
        latest = max(latest, latest_presentation(clock, run.durations, run.composition_offsets))
        clock += total(run.durations)
    last_duration, first = runs[-1].durations[-1], fragment.decode_time + runs[0].composition_offsets[0]
    return FragmentExtent(
        track,
        fragment,
        samples,
        size,
        start=(first - track.shift) / track.timescale,
        # A frame that stands still is not the one that is shown last.
        end=(latest + last_duration - track.shift) / track.timescale,
        decode_start=fragment.decode_time / track.timescale,
        decode_end=clock / track.timescale,
        sample_seconds=last_duration / track.timescale,
        description=fragment.description,
    )
