"""The video and audio tracks of a source's `moov`, as far as they are needed to understand its fragments."""

from functools import lru_cache
from types import TracebackType
from typing import NamedTuple

from transcoder.core.media.audio_headers import AAC_CHANNELS, AAC_RATES
from transcoder.core.media.mp4.boxes import Box, Mp4Error, boxes_of
from transcoder.core.media.mp4.movie import Movie, Track, TrackDefaults, read_movie
from transcoder.core.media.mp4.sample_entry import SampleEntry
from transcoder.core.media.mp4.sample_tables import SampleTables, read_sample_tables
from transcoder.core.media.streams import Medium, Stream
from transcoder.errors import DamagedMediaError, UnsupportedSourceError

_DASH_ROLES, _AUDIO_PURPOSES = "urn:mpeg:dash:role:2011", "urn:tva:metadata:cs:AudioPurposeCS:2007"
_DESCRIPTIONS = frozenset({(_DASH_ROLES, "description"), (_DASH_ROLES, "commentary"), (_AUDIO_PURPOSES, "1")})
"""The kinds of a track that describes what is seen, or comments on it (ISO/IEC 23009-1, 5.8.5.5; DVB-DASH, 6.1.2)."""
_KEPT_SECTIONS = 4
"""So many initialization sections are not read again for each of their segments."""
_NO_DEFAULTS = TrackDefaults(0, 0, 0)


class source_damage:  # noqa: N801 - a block, as those of contextlib; it is entered for every fragment, so that it is no generator
    """Turn broken MP4 in the block into the verdict on a source: the origin sent damaged bytes.

    Raises:
        UpstreamError: in place of `Mp4Error`.
    """

    def __enter__(self) -> None:
        """Begin the block."""

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        """End the block."""
        if isinstance(error, Mp4Error):
            raise DamagedMediaError(f"A segment is damaged: {error}.") from error


class SourceTrack(NamedTuple):
    """One video or audio track of a source."""

    id: int
    medium: Medium
    codec: str
    """ffmpeg's name."""
    timescale: int
    shift: int
    """Ticks that its edit list takes off every timestamp."""
    defaults: TrackDefaults
    sample_rate: int | None
    channels: int | None
    picture_size: tuple[int, int] | None = None
    sample_entry: str = ""
    lacks_parameter_sets: bool = False
    is_description: bool = False
    parameter_sets: bytes = b""
    """What a decoder needs and the samples do not bring."""
    tables: SampleTables | None = None
    """What a plain MP4 lists; None if its samples are in fragments."""
    decodes_as_first: tuple[bool, ...] = (True,)
    """Whether each of its sample entries describes the same as the first one to a decoder."""

    def check_description(self, number: int) -> None:
        """Check that samples of the sample entry of that number, counted from 1, can be in the output, which has the first one.

        Raises:
            UpstreamError: there is no such entry.
            UnsupportedSourceError: it describes something else.
        """
        medium, count = self.medium.value, len(self.decodes_as_first)
        if not 1 <= number <= count:
            raise DamagedMediaError(f"A segment is damaged: its {medium} has sample description {number}, and the track has {count}.")
        if not self.decodes_as_first[number - 1]:
            raise UnsupportedSourceError(f"The {medium} of the source has different sample descriptions in one track.")

    def stream(self, start: float | None, *, decode_start: float | None = None) -> Stream:
        """Return what a probe says of it, with the first presentation and decode times of its samples in seconds, if they are known."""
        return Stream(
            medium=self.medium,
            codec=self.codec,
            id=self.id,
            start=start,
            decode_start=decode_start,
            sample_rate=self.sample_rate,
            channels=self.channels,
            picture_size=self.picture_size,
            sample_entry=self.sample_entry,
            lacks_parameter_sets=self.lacks_parameter_sets,
            is_description=self.is_description,
        )


@lru_cache(maxsize=_KEPT_SECTIONS)
def source_tracks(init: bytes) -> tuple[SourceTrack, ...]:
    """Return the tracks of an initialization section; none if it has no `moov`. Raises what `read_tracks` does."""
    with source_damage():
        moov = next((box for box in boxes_of(init) if box.type == b"moov"), None)
    return read_tracks(moov) if moov else ()


def read_tracks(moov: Box, *, fragmented: bool = True) -> tuple[SourceTrack, ...]:
    """Return the video and audio tracks of a `moov`, in its order.

    Raises:
        UpstreamError: it is broken.
        UnsupportedSourceError: a track is encrypted, or it should be `fragmented` and lists samples itself (a plain MP4).
    """
    with source_damage():
        movie = read_movie(moov)
        found = [(track, track.medium, read_sample_tables(track.sample_table)) for track in movie.tracks if track.medium]
        if fragmented and any(tables for _, _, tables in found):
            raise UnsupportedSourceError("The segments are plain MP4 files; only fragmented MP4 can be joined.")
        return tuple(_source_track(track, medium, tables, movie) for track, medium, tables in found)


def _source_track(track: Track, medium: Medium, tables: SampleTables | None, movie: Movie) -> SourceTrack:
    if not track.entries:
        raise Mp4Error(track.sample_table.position, "a track has no sample entry")
    if any(entry.is_protected for entry in track.entries):
        raise UnsupportedSourceError("The source is protected: its samples are encrypted.")
    entry = track.entries[0]
    is_audio = medium is Medium.AUDIO
    sample_rate, channels = _audio_format(entry) if is_audio else (None, None)
    return SourceTrack(
        id=track.id,
        medium=medium,
        codec=entry.codec,
        timescale=track.timescale or 1,
        shift=movie.edit_shift(track),
        defaults=track.defaults or _NO_DEFAULTS,
        sample_rate=sample_rate,
        channels=channels,
        picture_size=None if is_audio else entry.picture_size,
        sample_entry=entry.type.decode("latin-1"),
        lacks_parameter_sets=not is_audio and entry.lacks_parameter_sets,
        is_description=not _DESCRIPTIONS.isdisjoint(track.kinds),
        parameter_sets=entry.parameter_sets,
        tables=tables,
        decodes_as_first=tuple(each.decodes_as(entry) for each in track.entries),
    )


def _audio_format(entry: SampleEntry) -> tuple[int | None, int | None]:
    """Return sampling rate and channels; of AAC, those of its first layer, as ADTS headers give them."""
    config = entry.aac_config
    if config is None or config.rate_index >= len(AAC_RATES) or not 0 < config.channels < len(AAC_CHANNELS):
        return entry.sample_rate or None, entry.channels or None
    return AAC_RATES[config.rate_index], AAC_CHANNELS[config.channels]
