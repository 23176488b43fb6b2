"""The header of the output: what ffmpeg's `moov` says of its tracks, and the output's own with edit lists and true durations."""

import math
from collections.abc import Mapping
from typing import NamedTuple

from transcoder.core.media.mp4.boxes import Box, box
from transcoder.core.media.mp4.movie import (
    EMPTY_EDIT,
    MOVIE_TIMESCALE,
    Edit,
    Movie,
    Track,
    TrackDefaults,
    read_movie,
    with_duration,
    write_edits,
    write_fragment_duration,
)
from transcoder.core.media.mp4.sample_entry import SampleEntry
from transcoder.core.media.streams import Medium
from transcoder.core.output.output_boxes import broken_as, check_inner_boxes
from transcoder.errors import TranscodeError

_SILENCE = {1: bytes.fromhex("00c800802380"), 2: bytes.fromhex("210049900219002380")}
"""An AAC frame (a raw_data_block) of silence, by channel configuration."""
_AAC_OBJECT_TYPES = frozenset({2, 5, 29})
"""AAC-LC, SBR and PS: their first layer is AAC-LC."""
_EXPLICIT_RATE = 15
"""The sampling rate index that says that the rate itself follows."""


class Durations(NamedTuple):
    """What the header announces, in seconds."""

    total: float
    tracks: Mapping[Medium, float]
    """Each track's own duration, from its first presentation time to its end; the total where one is missing."""


class OutputTrack(NamedTuple):
    """One video or audio track, as ffmpeg's `trak` and `trex` describe it."""

    medium: Medium
    id: int
    timescale: int
    entry: SampleEntry
    defaults: TrackDefaults
    sample_rate: int | None
    """What a decoder uses: for AAC the index, since one rate may have two; None for video."""
    channels: int | None
    silence: bytes | None
    """A silent frame, if one is known."""

    @property
    def parameter_sets(self) -> bytes:
        """What must be the same in all periods because it is nowhere but in the sample entry; empty where it is in the samples, too.

        That is all of an hvc1 entry (ISO/IEC 14496-15, 8.3.3), and block size and sample format of FLAC.
        """
        if self.entry.type == b"hvc1":
            return self.entry.box.content
        return self.entry.flac_format


class OutputHeader(NamedTuple):
    """A `moov` with at most one video and one audio track."""

    movie: Movie
    tracks: tuple[OutputTrack, ...]

    def track(self, track_id: int) -> OutputTrack:
        """Return the track with that id.

        Raises:
            TranscodeError: there is none.
        """
        for track in self.tracks:
            if track.id == track_id:
                return track
        raise TranscodeError(f"A fragment belongs to track {track_id}, which the header does not list.")


def read_header(moov: Box) -> OutputHeader:
    """Read the tracks of a whole `moov`.

    Raises:
        TranscodeError: it is broken, has no track, has one that is neither video nor audio, or has two of one medium.
    """
    with broken_as("The header of the MP4"):
        check_inner_boxes(moov)
        movie = read_movie(moov)
        tracks = tuple(_output_track(track) for track in movie.tracks)
    if not tracks or len({track.medium for track in tracks}) < len(tracks):
        raise TranscodeError("The MP4 does not have exactly one track of each medium.")
    return OutputHeader(movie, tracks)


def _output_track(track: Track) -> OutputTrack:
    if track.medium is None or not track.timescale or not track.entries:
        raise TranscodeError("The MP4 has a track that is neither video nor audio.")
    if track.defaults is None:
        raise TranscodeError(f"The MP4 has no fragments of track {track.id}.")
    entry = track.entries[0]
    rate, channels, silence = _audio_format(entry) if track.medium is Medium.AUDIO else (None, None, None)
    return OutputTrack(track.medium, track.id, track.timescale, entry, track.defaults, rate, channels, silence)


def _audio_format(entry: SampleEntry) -> tuple[int, int, bytes | None]:
    """Return sampling rate, channels and, if known, a silent frame of an audio entry."""
    config = entry.aac_config
    if config is None:
        return entry.sample_rate, entry.channels, None
    known = config.object_type in _AAC_OBJECT_TYPES and config.rate_index != _EXPLICIT_RATE
    return config.rate_index, config.channels, _SILENCE.get(config.channels) if known else None


def write_header(header: OutputHeader, durations: Durations, media_start: Mapping[Medium, int]) -> bytes:
    """Write the output's `moov`: ffmpeg's, with all four durations and edit lists.

    `media_start` is, for each medium, the media time at which the output begins. A duration is never rounded down: one reader stops where
    the header says that the MP4 ends.
    """
    moov = _with_hvc1(header)
    total = math.ceil(durations.total * MOVIE_TIMESCALE)
    tracks = iter(header.tracks)
    parts = []
    for child in moov.children():
        if child.type == b"mvhd":
            parts.append(with_duration(child, total, timescale=MOVIE_TIMESCALE))
        elif child.type == b"trak":
            track = next(tracks)
            # A track that begins later than was announced is so much shorter.
            most = durations.total + min(0, media_start[track.medium]) / track.timescale
            length = math.ceil(min(durations.tracks.get(track.medium, durations.total), most) * track.timescale)
            parts.append(_write_trak(child, total=total, length=length, edits=_edits(media_start[track.medium], track.timescale)))
        elif child.type == b"mvex":
            kept = (inner.raw for inner in child.children() if inner.type != b"mehd")
            parts.append(box(b"mvex", write_fragment_duration(total), *kept))
        else:
            parts.append(child.raw)
    return box(b"moov", *parts)


def _with_hvc1(header: OutputHeader) -> Box:
    """Return the `moov` with HEVC named as Apple's players expect it; parameter sets in the samples do them no harm."""
    moov = header.movie.box
    data = moov.data
    for track in header.tracks:
        if track.entry.type == b"hev1":
            at = track.entry.box.start + 4
            data = data[:at] + b"hvc1" + data[at + 4 :]
    return moov._replace(data=data)


def _write_trak(trak: Box, *, total: int, length: int, edits: bytes) -> bytes:
    """Write a `trak` with its durations, and with `edits` in place of any other edit list."""
    parts = []
    for child in trak.children():
        if child.type == b"tkhd":
            parts += [with_duration(child, total), edits]
        elif child.type == b"mdia":
            inside = (with_duration(inner, length) if inner.type == b"mdhd" else inner.raw for inner in child.children())
            parts.append(box(b"mdia", *inside))
        elif child.type != b"edts":
            parts.append(child.raw)
    return box(b"trak", *parts)


def _edits(media_start: int, timescale: int) -> bytes:
    """Write the `edts` of a track: the output begins at its media time `media_start`; below 0, the track begins that much later (8.6.6)."""
    delay = [Edit(round(-media_start * MOVIE_TIMESCALE / timescale), EMPTY_EDIT)] if media_start < 0 else []
    # A duration of 0 reaches over all fragments.
    return box(b"edts", write_edits([*delay, Edit(0, max(0, media_start))]))
