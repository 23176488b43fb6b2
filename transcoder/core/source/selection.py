"""What a job wants of a plan: which media, which part, in which form, how large at most."""

import math
from dataclasses import replace

from transcoder.core.answer.passthrough import FileHead
from transcoder.core.hls.clip import clip_plan, length
from transcoder.core.hls.plan import Period, Plan, Segment, Track
from transcoder.core.hls.playlist import Multivariant
from transcoder.core.hls.variant_selection import bits_per_second
from transcoder.core.media.mp4_source.plain_file import media_comes_first, plain_file_tracks
from transcoder.core.media.streams import TrackKind
from transcoder.core.request.job import Job
from transcoder.core.request.output_format import MP3_BITS, FileFormat, OutputFormat, VideoMode
from transcoder.errors import TooLargeError, UnsupportedSourceError, UpstreamError

_MARGIN = 1.03
"""Estimates are off by so much where they are good."""


def select(plan: Plan, job: Job) -> Plan:
    """Return what of `plan` is to be fetched for `job`, and what is to be made of it.

    Raises:
        BadRequestError: the part that is wanted lies beyond the end.
        UnsupportedSourceError: what is wanted is not there, or its length is not known.

    """
    plan, clip = _only(plan, job.kind), None
    if job.is_part:
        if not length(plan):
            raise UnsupportedSourceError("How long this video is cannot be told, so no part of it can be had by start and end.")
        plan, clip = clip_plan(plan, start=job.start, end=job.end, exact=job.exact)
    estimated = plan.estimated_bytes
    if job.format is FileFormat.MP3:
        seconds = clip.seconds if clip and clip.seconds is not None else length(plan)
        estimated = math.ceil(seconds * MP3_BITS / 8)
    elif job.video is VideoMode.H264 or (clip and clip.exact):
        estimated = None  # how many bits a picture takes that is encoded anew depends on what is to be seen
    return replace(plan, output_format=OutputFormat(job.format, job.video, clip), estimated_bytes=estimated)


def needs_transcoding(job: Job) -> bool:
    """Tell whether a file as it is would not do."""
    return job.kind is not TrackKind.BOTH or job.is_part or job.video is VideoMode.H264


def plan_plain_mp4(url: str, head: bytes, kind: TrackKind) -> Plan | None:
    """Plan what is made of the `kind` of media in an ordinary MP4 file, which is fetched whole; None if more of its `head` is needed.

    Raises:
        UnsupportedSourceError: its moov stands at its end, so that it cannot be read as it comes, or it is no such file.

    """
    try:
        tracks, behind = plain_file_tracks(head), media_comes_first(head)
    except UpstreamError as error:
        raise UnsupportedSourceError("This file is no MP4 that something could be made of; it can be had as it is.") from error
    if tracks:
        seconds = max((one.seconds for one in tracks if one.track.medium in kind.media), default=0.0)
        track = Track(TrackKind.BOTH, (Segment(url, seconds, 0.0, None, None, None),), seconds)
        return Plan((Period((track,)),), target_seconds=seconds, estimated_bytes=None)
    if behind:
        raise UnsupportedSourceError("The index of this MP4 stands at its end: it can be had as it is, but nothing can be made of it.")
    return None


def passthrough_plan(head: FileHead, job: Job) -> Plan:
    """Return the empty plan of a file that is passed on as it is.

    Raises:
        UnsupportedSourceError: something is to be made of it.
        TooLargeError: it is larger than it may be.

    """
    if needs_transcoding(job):
        raise UnsupportedSourceError(
            f"This address is a file ({head.content_type}), which is passed on as it is: "
            "start, end, format, mute and video go with playlists and MP4 files alone, and fit not with a part of one."
        )
    if job.fit is not None and (head.length or 0) > job.fit:
        raise TooLargeError(f"fit: at most {job.fit / 10**6:g} MB are wanted, and the file has {(head.length or 0) / 10**6:.1f} MB.")
    return Plan((), 0.0, head.length)


def excess(plan: Plan, fit: int) -> float:
    """Return how many times as large as `fit` bytes the film may become, or 0 if it fits, even where the estimate is a bit off.

    Raises:
        UnsupportedSourceError: the source does not tell how large it is.

    """
    if plan.estimated_bytes is None:
        raise UnsupportedSourceError("fit: the source does not tell how large this would become.")
    over = plan.estimated_bytes * _MARGIN / fit
    return over if over > 1 else 0.0


def too_large_error(plan: Plan, fit: int, multivariant: Multivariant | None = None) -> TooLargeError:
    """Return what to raise where nothing fits: with the least that would."""
    estimated = plan.estimated_bytes or 0
    if multivariant and plan.output_format.format is not FileFormat.MP3:
        rates = [rate for each in multivariant.variants if (rate := bits_per_second(each))]
        estimated = min(estimated, math.ceil(length(plan) * min(rates) / 8)) if rates else estimated
    smallest = math.ceil(estimated * _MARGIN / 100_000) / 10
    return TooLargeError(f"fit: at most {fit / 10**6:g} MB are wanted, and the smallest that can be had is about {smallest:.1f} MB.")


def _only(plan: Plan, kind: TrackKind) -> Plan:
    """Keep the tracks that bring what is wanted."""
    if kind is TrackKind.BOTH:
        return plan
    periods = []
    for period in plan.periods:
        tracks = [track for track in period.tracks if track.kind is kind]
        tracks = tracks or [replace(track, kind=kind) for track in period.tracks if track.kind is TrackKind.BOTH]
        if not tracks:
            raise UnsupportedSourceError(f"The source has {'no sound' if kind is TrackKind.AUDIO else 'no picture'}.")
        periods.append(Period(tuple(tracks)))
    return replace(plan, periods=tuple(periods))
