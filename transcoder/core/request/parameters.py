"""The one table of parameters: the same words in a query and, with two hyphens before them, on a command line."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

from transcoder.core.request.job import Job, checked_job
from transcoder.core.request.output_format import FileFormat, VideoMode
from transcoder.core.request.values import byte_count, moment, one_of
from transcoder.errors import BadRequestError

_MAX_TEXT_CHARACTERS = 500
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")


@dataclass(frozen=True, slots=True)
class Parameter:
    """One thing that a caller may choose."""

    name: str
    metavar: str | None
    """What stands for its value in the help; None makes it a switch: `name=1` in a query, `--name` alone on a command line."""
    help: str
    apply: Callable[[Job, str], Job]
    """Put the value, as it was written, into the job; raises BadRequestError with a sentence that begins with the name."""


def make_job(url: str, values: Mapping[str, str]) -> Job:
    """Make a job of an address and the parameters beside it, by their names.

    Raises:
        BadRequestError: a name is unknown, a value makes no sense, or they contradict each other.

    """
    job = Job(url)
    for name, text in values.items():
        if name not in BY_NAME:
            raise BadRequestError(f"{name[:100]!r} is not a parameter; known are url, {', '.join(BY_NAME)}.")
        job = BY_NAME[name].apply(job, text)
    return checked_job(job)


def whole_number(name: str, text: str, what: str) -> int:
    """Read a number above 0 of at most five digits.

    Raises:
        BadRequestError: it is none; the sentence says that it is not `what`.

    """
    if not re.fullmatch(r"[0-9]{1,5}", text) or int(text) == 0:
        raise BadRequestError(f"{name}: {text[:100]!r} is not {what}.")
    return int(text)


def words(name: str, text: str) -> str:
    """Read a short text of one line.

    Raises:
        BadRequestError: it is empty, long, or has control characters.

    """
    if not text.strip() or len(text) > _MAX_TEXT_CHARACTERS or _CONTROL.search(text):
        raise BadRequestError(f"{name}: a text of one line is wanted, of at most {_MAX_TEXT_CHARACTERS} characters.")
    return text.strip()


def switch(name: str, text: str) -> bool:
    """Read a switch: `1` or `0`.

    Raises:
        BadRequestError: it is neither.

    """
    if text not in {"0", "1"}:
        raise BadRequestError(f"{name}: {text[:100]!r} is neither 1 nor 0.")
    return text == "1"


PARAMETERS = (
    Parameter(
        "height",
        "N",
        "the short side of the picture has at most N pixels",
        lambda job, text: replace(job, height=whole_number("height", text, "a number of pixels")),
    ),
    Parameter(
        "audio",
        "LANGUAGE",
        "the sound of that language (de, en-US) or name",
        lambda job, text: replace(job, audio=words("audio", text)),
    ),
    Parameter(
        "format",
        "FORMAT",
        "mp4; m4a or mp3 is the sound alone",
        lambda job, text: replace(job, format=one_of(FileFormat, "format", text)),
    ),
    Parameter("mute", None, "the picture alone", lambda job, text: replace(job, mute=switch("mute", text))),
    Parameter("start", "TIME", "begin there: seconds, or h:mm:ss", lambda job, text: replace(job, start=moment("start", text))),
    Parameter("end", "TIME", "end there", lambda job, text: replace(job, end=moment("end", text))),
    Parameter(
        "exact",
        None,
        "begin exactly at start, by encoding anew, and not at the key picture before it",
        lambda job, text: replace(job, exact=switch("exact", text)),
    ),
    Parameter(
        "fit",
        "SIZE",
        "the best variant that makes a file of at most that size, as in 8MB (10^6 bytes)",
        lambda job, text: replace(job, fit=byte_count("fit", text)),
    ),
    Parameter(
        "video",
        "CODEC",
        "copy, or h264: encode a picture anew that is not H.264",
        lambda job, text: replace(job, video=one_of(VideoMode, "video", text)),
    ),
    Parameter(
        "item",
        "N",
        "the N-th of several videos behind one address",
        lambda job, text: replace(job, item=whole_number("item", text, "the number of a video, counted from 1")),
    ),
    Parameter(
        "filename",
        "NAME",
        "what the file is called; its ending is given by the format",
        lambda job, text: replace(job, filename=words("filename", text)),
    ),
)
BY_NAME = {parameter.name: parameter for parameter in PARAMETERS}
