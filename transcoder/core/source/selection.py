"""Selects what a job needs from a plan: media, clip, output format and maximum size."""

import math

from transcoder.core.answer.passthrough import FileHead
from transcoder.core.hls.clip import clip_plan
from transcoder.core.hls.plan import Period, Plan, Segment, Track
from transcoder.core.hls.playlist import MultivariantPlaylist
from transcoder.core.hls.variant_selection import bits_per_second
from transcoder.core.media.mp4_source.plain_file import media_comes_first, plain_file_tracks
from transcoder.core.media.streams import TrackKind
from transcoder.core.request.job import Job
from transcoder.core.request.output_format import MP3_BITS_PER_SECOND, FileFormat, OutputFormat, VideoMode
from transcoder.errors import TooLargeError, UnsupportedSourceError, UpstreamError

_ESTIMATE_MARGIN = 1.03
"""Even good estimates are off by this factor."""


def select(plan: Plan, job: Job) -> Plan:
    """Return `plan` reduced to what `job` needs, with the output format set.

    Raises:
        BadRequestError: the clip begins beyond the end.
        UnsupportedSourceError: the source does not have the requested media, or its duration is unknown.

    """
    plan, clip = _select_media(plan, job.kind), None
    if job.is_clip:
        if not plan.seconds:
            raise UnsupportedSourceError("The duration of this video is unknown, so start and end cannot be used with it.")
        plan, clip = clip_plan(plan, start=job.start, end=job.end, exact=job.exact)
    estimated = plan.estimated_bytes
    if job.format is FileFormat.MP3:
        seconds = clip.seconds if clip and clip.seconds is not None else plan.seconds
        estimated = math.ceil(seconds * MP3_BITS_PER_SECOND / 8)
    elif job.video is VideoMode.H264 or (clip and clip.exact):
        estimated = None  # the size of re-encoded video depends on its content
    return plan._replace(output_format=OutputFormat(job.format, job.video, clip, job.audio_codec), estimated_bytes=estimated)


def needs_transcoding(job: Job) -> bool:
    """Whether the job asks for more than an unchanged file."""
    return job.kind is not TrackKind.BOTH or job.is_clip or job.video is VideoMode.H264


def plan_plain_mp4(url: str, head: bytes, kind: TrackKind) -> Plan | None:
    """Return the plan for the `kind` of media in a plain MP4, which is fetched whole; None if more of its `head` is needed.

    Raises:
        UnsupportedSourceError: the file is not an MP4, or its moov is at its end, so that it cannot be read as it arrives.

    """
    try:
        tracks, moov_at_end = plain_file_tracks(head), media_comes_first(head)
    except UpstreamError as error:
        raise UnsupportedSourceError("This file is not an MP4 that can be converted; it can only be downloaded unchanged.") from error
    if tracks:
        seconds = max((one.seconds for one in tracks if one.track.medium in kind.media), default=0.0)
        track = Track(TrackKind.BOTH, (Segment(url, seconds, 0.0, None, None, None),), seconds)
        return Plan((Period((track,)),), target_seconds=seconds, estimated_bytes=None)
    if moov_at_end:
        raise UnsupportedSourceError(
            "The index (moov) of this MP4 is at its end: the file can only be downloaded unchanged, not converted."
        )
    return None


def passthrough_plan(head: FileHead, job: Job) -> Plan:
    """Return the empty plan of a file that is passed through.

    Raises:
        UnsupportedSourceError: the job needs transcoding.
        TooLargeError: the file is larger than the job allows.

    """
    if needs_transcoding(job):
        raise UnsupportedSourceError(
            f"This address is a file ({head.content_type}), which is passed through unchanged: "
            "start, end, format, mute and video work only with playlists and MP4 files, and with an MP4 file not together with fit."
        )
    if job.fit is not None and (head.length or 0) > job.fit:
        raise TooLargeError(f"fit: the limit is {job.fit / 10**6:g} MB, and the file has {(head.length or 0) / 10**6:.1f} MB.")
    return Plan((), 0.0, head.length)


def oversize_factor(plan: Plan, fit: int) -> float:
    """Return how many times larger than `fit` bytes the output may become, allowing for an imprecise estimate; 0 if it fits.

    Raises:
        UnsupportedSourceError: the size cannot be estimated.

    """
    if plan.estimated_bytes is None:
        raise UnsupportedSourceError("fit: the size of this video cannot be estimated from what the source says about it.")
    factor = plan.estimated_bytes * _ESTIMATE_MARGIN / fit
    return factor if factor > 1 else 0.0


def too_large_error(plan: Plan, fit: int, multivariant: MultivariantPlaylist | None = None) -> TooLargeError:
    """Return the error for a source without a variant that fits; its message gives the smallest possible size."""
    estimated = plan.estimated_bytes or 0
    if multivariant and plan.output_format.format is not FileFormat.MP3:
        rates = [rate for each in multivariant.variants if (rate := bits_per_second(each))]
        estimated = min(estimated, math.ceil(plan.seconds * min(rates) / 8)) if rates else estimated
    smallest = math.ceil(estimated * _ESTIMATE_MARGIN / 100_000) / 10
    return TooLargeError(f"fit: the limit is {fit / 10**6:g} MB, and the smallest available version has about {smallest:.1f} MB.")


def _select_media(plan: Plan, kind: TrackKind) -> Plan:
    """Keep the tracks that contain the requested media."""
    if kind is TrackKind.BOTH:
        return plan
    periods = []
    for period in plan.periods:
        tracks = [track for track in period.tracks if track.kind is kind]
        tracks = tracks or [track._replace(kind=kind, shares_segments=True) for track in period.tracks if track.kind is TrackKind.BOTH]
        if not tracks:
            raise UnsupportedSourceError(f"The source has no {kind.value}.")
        periods.append(Period(tuple(tracks)))
    return plan._replace(periods=tuple(periods))
