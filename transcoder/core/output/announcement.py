"""What the output will be, before its first byte: its streams, its duration, and a refusal of what cannot become one MP4."""

from collections.abc import Collection, Mapping, Sequence
from itertools import pairwise
from typing import NamedTuple

from transcoder.core.hls.plan import Plan
from transcoder.core.media.streams import Medium, Stream, TrackKind
from transcoder.core.media.timestamps import unwrap
from transcoder.core.output.ffmpeg_command import Silence
from transcoder.core.output.formats import formats_of, output_formats, reencoded_audio
from transcoder.core.output.lengths import output_durations
from transcoder.core.output.probed_track import LATER_SEGMENTS, ProbedTrack
from transcoder.core.output.track_ends import media_spans
from transcoder.core.request.output_format import COPY_EVERYTHING, OutputFormat, audio_encoder
from transcoder.errors import DamagedMediaError, UnexpectedMediaError, UnsupportedSourceError

_APART_SECONDS = 0.5
"""Besides a segment, clocks may be so far apart: audio may begin a little before its video."""


class Announcement(NamedTuple):
    """What is announced before the first byte."""

    seconds: float
    media: Mapping[Medium, float]
    """How long its video and its audio are, in seconds."""
    estimated_bytes: int | None
    audio: Stream | None = None
    """The format of its audio: for a period that has another one it is re-encoded, for one that has none silence is generated."""
    reencoded: tuple[str, ...] = ()
    """The codecs of audio that is re-encoded although nobody asked for it: MP4 cannot hold it, or its format changes."""
    encodes_video: bool = False
    """Its video is re-encoded."""


def announce(
    periods: Sequence[Sequence[ProbedTrack]], *, estimated_bytes: int | None, output_format: OutputFormat = COPY_EVERYTHING
) -> Announcement:
    """Return what the output of all periods is in that format.

    Raises:
        UnsupportedSourceError: MP4 cannot hold a codec, there is neither video nor audio, or a later period differs in a way that only
            re-encoding could even out.

    """
    formats = output_formats(periods, output_format)
    joined = output_format.after(formats.get(Medium.AUDIO))
    durations = output_durations(periods, joined)
    return Announcement(
        seconds=durations.total,
        media=durations.tracks,
        estimated_bytes=estimated_bytes,
        audio=formats.get(Medium.AUDIO),
        reencoded=reencoded_audio(periods, joined),
        encodes_video=any(
            stream.medium is Medium.VIDEO and joined.encoder(stream) for tracks in periods for track in tracks for stream in track.streams
        ),
    )


def announce_plan(plan: Plan, periods: Sequence[Sequence[ProbedTrack]]) -> Announcement:
    """Return what the output of a plan is, whose periods have been probed.

    Raises:
        UnsupportedSourceError: as `announce` does, or the clocks of video and audio lie apart, or the audio is missing.
        DamagedMediaError: the origin sent another variant.

    """
    if plan.resolution:
        refuse_other_variant(periods, resolution=plan.resolution, others=plan.other_resolutions)
    refuse_clocks_apart(periods, target_seconds=plan.target_seconds)
    announcement = announce(periods, estimated_bytes=plan.estimated_bytes, output_format=plan.output_format)
    if plan.names_audio:
        refuse_missing_audio(announcement)
    return announcement


def refuse_clocks_apart(periods: Sequence[Sequence[ProbedTrack]], *, target_seconds: float) -> None:
    """Refuse renditions whose timestamps lie further apart than their playlists say, by more than a segment can last.

    Nothing shows what belongs together then: the playlists say it only to within a segment.

    Raises:
        UnsupportedSourceError: they do.

    """
    for tracks in periods:
        places = [
            (stream.start - track.track.segments[0].at, target_seconds + _late_seconds(track))
            for track in tracks
            for stream in track.streams
            if stream.start is not None
        ]
        for (one, tolerance), (other, other_tolerance) in pairwise(places):
            apart = abs(unwrap(other, near=one) - one)
            if apart > max(tolerance, other_tolerance) + _APART_SECONDS:
                raise UnsupportedSourceError(
                    f"The clocks of video and audio are {apart:.1f} s apart, although the playlists put both in one place."
                )


def _late_seconds(track: ProbedTrack) -> float:
    """Return how much later than the other one a stream may begin: where both share segments, it is searched for in several of them."""
    if track.track.kind is not TrackKind.BOTH:
        return 0.0
    return sum(segment.seconds for segment in track.track.segments[: LATER_SEGMENTS + 1])


def refuse_missing_audio(announcement: Announcement) -> None:
    """Refuse an output without audio although the variant names an audio group.

    Its CODECS are no such evidence: many playlists give audio codecs for silent videos.

    Raises:
        UnsupportedSourceError: the output has no audio.

    """
    if announcement.audio is None:
        raise UnexpectedMediaError("The playlist names audio for this video, but its segments contain none; mute=1 accepts that.")


def refuse_other_variant(
    periods: Sequence[Sequence[ProbedTrack]], *, resolution: tuple[int, int], others: Collection[tuple[int, int]]
) -> None:
    """Refuse media whose pictures are as large as another variant says, and not as their own does: the origin sent one for the other.

    A size that no variant names proves nothing: many playlists are inexact. Nor does one of several periods: an advertisement has its own.

    Raises:
        DamagedMediaError: they are.

    """
    if len(periods) > 1:
        return
    for stream in (stream for track in periods[0] for stream in track.streams):
        if stream.picture_size and stream.picture_size in others:
            found, expected = ("x".join(map(str, size)) for size in (stream.picture_size, resolution))
            raise DamagedMediaError(f"The origin sent media of another variant: its pictures have {found} pixels instead of {expected}.")


def silence_for_period(tracks: Sequence[ProbedTrack], audio: Stream | None) -> Silence | None:
    """Return the silence that a period needs in an output with that audio; None if it has audio itself, or the output has none."""
    if audio is None or Medium.AUDIO in formats_of(tracks, COPY_EVERYTHING):
        return None
    spans = media_spans(tracks)
    start, end = spans.get(Medium.VIDEO) or spans[Medium.AUDIO]
    return Silence(audio_encoder(audio), audio.sample_rate or 0, audio.channels or 0, start, end - start)
