"""The table of parameters: names in a query, and, with hyphens (`--audio-codec`), options on a command line."""

from collections.abc import Callable, Mapping
from typing import NamedTuple

from transcoder.core.request.job import Job, checked_job, checked_web_address
from transcoder.core.request.output_format import AudioMode, Deliver, FileFormat, Layout, VideoMode
from transcoder.core.request.pasted_text import find_address
from transcoder.core.request.values import (
    choices,
    parse_choice,
    parse_flag,
    parse_height,
    parse_positive_int,
    parse_size,
    parse_text,
    parse_time,
)
from transcoder.errors import BadRequestError


class Parameter(NamedTuple):
    """One parameter of a job."""

    name: str
    metavar: str | None
    """The placeholder for its value in the help. None makes it a flag: `name=1` in a query, `--name` alone on a command line."""
    help: str
    apply: Callable[[Job, str], Job]
    """Returns the job with the parsed value set; raises BadRequestError with a message that begins with the name."""


def make_job(url: str, values: Mapping[str, str]) -> Job:
    """Return the job for an address and its other parameters, given by name.

    Raises:
        BadRequestError: a name is unknown, a value is invalid, or parameters contradict each other.

    """
    job = Job(url)
    for name, text in values.items():
        if name not in BY_NAME:
            raise BadRequestError(f"{name[:100]!r} is not a parameter; the parameters are url, {', '.join(BY_NAME)}.")
        job = BY_NAME[name].apply(job, text)
    return checked_job(job)


PARAMETERS = (
    Parameter(
        "height",
        "N",
        "limit the short side of the video to N pixels (720 or 720p); if every variant is larger, the smallest is used",
        lambda job, text: job._replace(height=parse_height("height", text)),
    ),
    Parameter(
        "audio",
        "LANGUAGE",
        "select the audio by language (de, en-US) or by name",
        lambda job, text: job._replace(audio=parse_text("audio", text)),
    ),
    Parameter(
        "format",
        choices(FileFormat),
        "output format: mp4 (default), audio only as m4a or mp3, or file for a file as it is",
        lambda job, text: job._replace(format=parse_choice(FileFormat, "format", text)),
    ),
    Parameter("mute", None, "leave out the audio", lambda job, text: job._replace(mute=parse_flag("mute", text))),
    Parameter(
        "start",
        "TIME",
        "begin at TIME, in seconds or as h:mm:ss; without --exact, at the key frame before it",
        lambda job, text: job._replace(start=parse_time("start", text)),
    ),
    Parameter("end", "TIME", "end at TIME", lambda job, text: job._replace(end=parse_time("end", text))),
    Parameter(
        "exact",
        None,
        "begin exactly at the start time, by re-encoding video and audio",
        lambda job, text: job._replace(exact=parse_flag("exact", text)),
    ),
    Parameter(
        "fit",
        "SIZE",
        "use the best variant with an estimated size of at most SIZE, such as 8MB (10^6 bytes) or 8MiB (2^20)",
        lambda job, text: job._replace(fit=parse_size("fit", text)),
    ),
    Parameter(
        "video",
        choices(VideoMode),
        "copy (default) keeps the video codec; h264 re-encodes video that is not H.264",
        lambda job, text: job._replace(video=parse_choice(VideoMode, "video", text)),
    ),
    Parameter(
        "audio_codec",
        choices(AudioMode),
        "auto (default) re-encodes audio that MP4 cannot hold, or that changes its format; copy refuses it",
        lambda job, text: job._replace(audio_codec=parse_choice(AudioMode, "audio_codec", text)),
    ),
    Parameter(
        "layout",
        choices(Layout),
        "plain: an MP4 with a length, of which any range can be fetched; fragmented: one that is streamed while it is made; "
        "auto (default): get makes a file of up to 6 hours plain; all else is plain where the source allows it at little cost",
        lambda job, text: job._replace(layout=parse_choice(Layout, "layout", text)),
    ),
    Parameter(
        "deliver",
        choices(Deliver),
        "how the function delivers: stream (in its response); s3 (a plain MP4 in its bucket, which it redirects to); "
        "auto (default): stream what a response can have",
        lambda job, text: job._replace(deliver=parse_choice(Deliver, "deliver", text)),
    ),
    Parameter(
        "embed_source",
        None,
        "write the address of the source into the file, without its query",
        lambda job, text: job._replace(embed_source=parse_flag("embed_source", text)),
    ),
    Parameter(
        "item",
        "N",
        "select the Nth video of a post that has several (default: 1)",
        lambda job, text: job._replace(item=parse_positive_int("item", text, "the number of a video, counted from 1")),
    ),
    Parameter(
        "filename",
        "NAME",
        "name of the file; the extension is set by the format",
        lambda job, text: job._replace(filename=parse_text("filename", text)),
    ),
    Parameter(
        "page",
        "PAGE",
        "the Reddit post that the address was found in; its title names the file",
        lambda job, text: job._replace(page=checked_web_address("page", find_address(text))),
    ),
)
BY_NAME = {parameter.name: parameter for parameter in PARAMETERS}
