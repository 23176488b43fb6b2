"""Exit codes: what a script learns of how a command ended."""

import signal
from collections.abc import Mapping
from enum import IntEnum
from types import MappingProxyType

from transcoder.errors import (
    BadRequestError,
    DeadlineError,
    ForbiddenSourceError,
    InvocationError,
    NotFoundError,
    TooLargeError,
    TranscodeError,
    TranscoderError,
    UnsupportedSourceError,
    UpstreamError,
    UpstreamTimeoutError,
)


class Exit(IntEnum):
    """How a command ended."""

    WHOLE = 0
    BUG = 1
    USAGE = 2
    REFUSED = 3
    ORIGIN = 4
    TRANSCODE = 5
    OUTPUT = 6
    FUNCTION = 7
    INTERRUPTED = 128 + signal.SIGINT
    TERMINATED = 128 + signal.SIGTERM


MEANINGS: Mapping[Exit, str] = MappingProxyType({
    Exit.WHOLE: "the MP4 is whole",
    Exit.BUG: "an error of this program",
    Exit.USAGE: "the command line or an address in it makes no sense, or the output exists",
    Exit.REFUSED: "the source cannot be made into an MP4 (protected, live, not a video), is not there, or may not be fetched",
    Exit.ORIGIN: "the origin failed, or sent bytes that are not what they should be",
    Exit.TRANSCODE: "ffmpeg failed, or what came out is not what went in",
    Exit.OUTPUT: "the output could not be written, or its reader left",
    Exit.FUNCTION: "the function failed, could not be reached, or what it sent is not whole",
    Exit.INTERRUPTED: "interrupted (Ctrl-C)",
    Exit.TERMINATED: "terminated",
})  # fmt: skip

_CODES: tuple[tuple[type[TranscoderError], Exit], ...] = (
    (BadRequestError, Exit.USAGE),
    (UnsupportedSourceError, Exit.REFUSED),
    (ForbiddenSourceError, Exit.REFUSED),
    (NotFoundError, Exit.REFUSED),
    (TooLargeError, Exit.REFUSED),
    (UpstreamError, Exit.ORIGIN),
    (UpstreamTimeoutError, Exit.ORIGIN),
    (TranscodeError, Exit.TRANSCODE),
    (DeadlineError, Exit.TRANSCODE),
    (InvocationError, Exit.FUNCTION),
)


class OutputError(Exception):
    """The output could not be written; the message is for the user."""


def exit_code(error: TranscoderError) -> Exit:
    """Return the exit code for a failure."""
    return next((code for kind, code in _CODES if isinstance(error, kind)), Exit.BUG)


def table() -> str:
    """Return the exit codes as lines of text for `--help`."""
    return "exit codes:\n" + "\n".join(f"  {code.value:>3}  {meaning}" for code, meaning in MEANINGS.items())
