"""What is wanted: one film, as a request or a command line says it."""

import re
from dataclasses import dataclass
from urllib.parse import urlsplit

from transcoder.core.media.streams import TrackKind
from transcoder.core.request.output_format import FileFormat, VideoMode
from transcoder.errors import BadRequestError

MAX_URL_CHARACTERS = 8192


@dataclass(frozen=True, slots=True)
class Job:
    """One film that somebody wants; each field but `url` is a parameter in `transcoder.core.request.parameters`."""

    url: str
    height: int | None = None
    """A cap on the short side of the picture, in pixels."""
    audio: str | None = None
    """The language or the name of the sound; None takes the source's default."""
    item: int | None = None
    """Which of several videos behind one address, counted from 1; None takes the first."""
    filename: str | None = None
    """What the caller wants the file to be called, as they wrote it."""
    format: FileFormat = FileFormat.MP4
    mute: bool = False
    """The picture alone is wanted."""
    start: float = 0.0
    """Where the part that is wanted begins, in seconds."""
    end: float | None = None
    """Where it ends; None is the film's end."""
    exact: bool = False
    """It is to begin exactly there, whatever that costs."""
    fit: int | None = None
    """How many bytes the file may have, as far as that can be told."""
    video: VideoMode = VideoMode.COPY

    @property
    def kind(self) -> TrackKind:
        """Which media are wanted."""
        if self.format is not FileFormat.MP4:
            return TrackKind.AUDIO
        return TrackKind.VIDEO if self.mute else TrackKind.BOTH

    @property
    def is_part(self) -> bool:
        """Whether a part of the film is wanted, and not all of it."""
        return self.start > 0 or self.end is not None


def checked_job(job: Job) -> Job:
    """Return `job` if its parameters do not contradict each other.

    Raises:
        BadRequestError: they do.

    """
    if job.end is not None and job.start >= job.end:
        raise BadRequestError(f"start: {job.start:g} s is not before the end at {job.end:g} s.")
    if job.format is not FileFormat.MP4 and (job.mute or job.video is VideoMode.H264):
        raise BadRequestError(f"format: {job.format.value} has no picture, so mute=1 and video=h264 make no sense with it.")
    if job.fit is not None and (job.video is VideoMode.H264 or (job.exact and job.is_part)):
        raise BadRequestError("fit: how large a picture becomes that is encoded anew (exact=1, video=h264) cannot be told in advance.")
    return job


def checked_url(url: str) -> str:
    """Return `url` if it is an http(s) address with a host, or `s3://bucket/key`.

    Raises:
        BadRequestError: it is not, or it is longer than `MAX_URL_CHARACTERS`.

    """
    if len(url) > MAX_URL_CHARACTERS:
        raise BadRequestError(f"url: longer than {MAX_URL_CHARACTERS} characters.")
    try:
        parts = urlsplit(url)
        host, _ = parts.hostname, parts.port
    except ValueError as error:
        raise BadRequestError(f"url: {url!r} is not an address.") from error
    if parts.scheme == "s3" and re.fullmatch(r"s3://[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]/[^\x00-\x1f\x7f]+", url):
        return url
    if parts.scheme.lower() not in {"http", "https"}:
        raise BadRequestError(f"url: {url!r} is not an http or https address.")
    if not host or re.search(r"[\x00-\x20\x7f]", url):
        raise BadRequestError(f"url: {url!r} is not an address.")
    return url
