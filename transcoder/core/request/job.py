"""The job: one requested output, with all parameters checked."""

import re
from typing import NamedTuple
from urllib.parse import urlsplit

from transcoder.core.media.streams import TrackKind
from transcoder.core.request.output_format import AudioMode, Deliver, FileFormat, Layout, VideoMode
from transcoder.errors import BadRequestError, ContradictionError

MAX_URL_CHARACTERS = 8192
_OBJECT = r"s3://[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]/[^\x00-\x1f\x7f\ud800-\udfff]+"


class Job(NamedTuple):
    """One requested output; each field but `url` is a parameter in `transcoder.core.request.parameters`."""

    url: str
    height: int | None = None
    """The maximum of the video's short side, in pixels."""
    audio: str | None = None
    """The language or the name of the audio; None selects the source's default."""
    item: int | None = None
    """Which of several videos at one address, counted from 1; None selects the first."""
    filename: str | None = None
    """The caller's name for the file, as it was written."""
    page: str | None = None
    """The web page that the caller found `url` on."""
    format: FileFormat = FileFormat.MP4
    mute: bool = False
    """The output has no audio."""
    start: float = 0.0
    """Where the clip begins, in seconds."""
    end: float | None = None
    """Where the clip ends, in seconds; None is the end of the source."""
    exact: bool = False
    """The clip begins exactly at `start`, which requires re-encoding."""
    fit: int | None = None
    """The maximum size of the file in bytes, by the estimate."""
    video: VideoMode = VideoMode.COPY
    audio_codec: AudioMode = AudioMode.AUTO
    layout: Layout = Layout.AUTO
    deliver: Deliver = Deliver.AUTO
    embed_source: bool = False
    """The file says which address it was made of."""

    @property
    def kind(self) -> TrackKind:
        """Which media the output has."""
        if self.format in {FileFormat.M4A, FileFormat.MP3}:
            return TrackKind.AUDIO
        return TrackKind.VIDEO if self.mute else TrackKind.BOTH

    @property
    def is_clip(self) -> bool:
        """Whether only a part of the source is requested."""
        return self.start > 0 or self.end is not None


def checked_job(job: Job) -> Job:
    """Return `job` if its parameters do not contradict each other.

    Raises:
        ContradictionError: they contradict each other.

    """
    if job.end is not None and job.start >= job.end:
        raise ContradictionError(f"start: {job.start:g} s is not before the end at {job.end:g} s.", "start", "end")
    if job.format is FileFormat.FILE:
        return _checked_for_file(job)
    if job.format is not FileFormat.MP4:
        _check_audio_only(job)
    is_mp3 = job.format is FileFormat.MP3
    if job.deliver is Deliver.S3 and (is_mp3 or job.layout is Layout.FRAGMENTED):
        message = "deliver: s3 is about plain MP4s; it cannot be combined with format=mp3 or layout=fragmented."
        raise ContradictionError(message, "deliver", "format" if is_mp3 else "layout")
    if job.layout is Layout.PLAIN and is_mp3:
        raise ContradictionError("layout: plain is about MP4s; it cannot be combined with format=mp3.", "layout", "format")
    if job.fit is not None and (job.video is VideoMode.H264 or (job.exact and job.is_clip)):
        message = "fit: the size of re-encoded video (exact=1, video=h264) cannot be estimated in advance."
        raise ContradictionError(message, "fit", "video" if job.video is VideoMode.H264 else "exact")
    return job


def _check_audio_only(job: Job) -> None:
    video = {"mute": job.mute, "video": job.video is VideoMode.H264}
    if about_video := [name for name, is_given in video.items() if is_given]:
        message = f"format: {job.format.value} has no video, so it cannot be combined with mute=1 or video=h264."
        raise ContradictionError(message, "format", *about_video)
    if job.audio_codec is AudioMode.COPY:
        message = f"audio_codec: copy is about MP4; format={job.format.value} re-encodes whatever else the source has."
        raise ContradictionError(message, "audio_codec", "format")


def _checked_for_file(job: Job) -> Job:
    if job.deliver is Deliver.S3:
        raise ContradictionError("deliver: s3 is about plain MP4s; it cannot be combined with format=file.", "deliver", "format")
    changing = {
        "start": job.start > 0,
        "end": job.end is not None,
        "exact": job.exact,
        "mute": job.mute,
        "height": job.height,
        "audio": job.audio,
        "video": job.video is VideoMode.H264,
        "audio_codec": job.audio_codec is AudioMode.COPY,
    }
    if given := [name for name, is_given in changing.items() if is_given]:
        message = "format: file sends a file as it is, so it cannot be combined with parameters that change the video."
        raise ContradictionError(message, "format", *given)
    return job


def checked_url(url: str, *, credentials: bool = False) -> str:
    """Return `url` if it is an http(s) address with a host, or `s3://bucket/key`; `credentials` allows a user name and a password in it.

    Raises:
        BadRequestError: it is something else, or it is longer than `MAX_URL_CHARACTERS`.

    """
    is_object = url.startswith("s3:") and len(url) <= MAX_URL_CHARACTERS and re.fullmatch(_OBJECT, url)
    return url if is_object else checked_web_address("url", url, credentials=credentials)


def checked_web_address(name: str, url: str, *, credentials: bool = False) -> str:
    """Return `url` if it is an http(s) address with a host; `credentials` allows a user name and a password in it.

    Raises:
        BadRequestError: it is something else, or longer than `MAX_URL_CHARACTERS`; the message begins with `name`.

    """
    if len(url) > MAX_URL_CHARACTERS:
        raise BadRequestError(f"{name}: longer than {MAX_URL_CHARACTERS} characters.")
    try:
        parts = urlsplit(url)
        host, _ = parts.hostname, parts.port
    except ValueError as error:
        raise BadRequestError(f"{name}: {url!r} is not an address.") from error
    if parts.scheme.lower() not in {"http", "https"}:
        raise BadRequestError(f"{name}: {url!r} is not an http or https address.")
    # Compiling the expression takes a millisecond of the first request, and hardly any address needs it.
    is_plain = url.isascii() and url.isprintable() and " " not in url
    if not host or "\\" in parts.netloc or (not is_plain and re.search(r"[\x00-\x20\x7f\ud800-\udfff]", url)):
        raise BadRequestError(f"{name}: {url!r} is not an address.")
    if "@" in parts.netloc and not credentials:
        raise BadRequestError(f"{name}: an address with a user name or a password is not fetched.")
    return url
