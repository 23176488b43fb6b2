"""The exit codes, which tell a script how a command ended."""

import signal
from collections.abc import Mapping
from enum import IntEnum
from types import MappingProxyType
from typing import Self

from transcoder.errors import (
    BadRequestError,
    DeadlineError,
    DeniedSourceError,
    ForbiddenSourceError,
    InvocationError,
    NotFoundError,
    OutputError,
    StorageError,
    TooLargeError,
    TranscodeError,
    TranscoderError,
    UnsupportedSourceError,
    UpstreamError,
    UpstreamTimeoutError,
)


class ExitCode(IntEnum):
    """How a command ended."""

    SUCCESS = 0
    INTERNAL_ERROR = 1
    INVALID_COMMAND = 2
    SOURCE_REFUSED = 3
    ORIGIN_FAILED = 4
    TRANSCODE_FAILED = 5
    OUTPUT_FAILED = 6
    FUNCTION_FAILED = 7
    HUNG_UP = 128 + signal.SIGHUP
    INTERRUPTED = 128 + signal.SIGINT
    TERMINATED = 128 + signal.SIGTERM

    @classmethod
    def of_signal(cls, number: signal.Signals) -> Self:
        """Return the code that shells expect of a program that a signal has ended."""
        return cls(128 + number)


DESCRIPTIONS: Mapping[ExitCode, str] = MappingProxyType({
    ExitCode.SUCCESS: "success: what was asked for was printed, or written whole",
    ExitCode.INTERNAL_ERROR: "internal error: a bug in this program",
    ExitCode.INVALID_COMMAND: "the command line, an address in it or a setting is invalid",
    ExitCode.SOURCE_REFUSED: "the source is missing, forbidden, denied or too large, or cannot become an MP4 (protected, live, no video)",
    ExitCode.ORIGIN_FAILED: "the origin or the proxy failed, or sent invalid data",
    ExitCode.TRANSCODE_FAILED: "ffmpeg failed or stood still, or its output does not match the source",
    ExitCode.OUTPUT_FAILED: "the output exists already (see --force) or cannot be written, its reader left, or the port is taken",
    ExitCode.FUNCTION_FAILED: "the function failed or could not be reached, or its response is not whole (invoke, get --via)",
    ExitCode.HUNG_UP: "the terminal was closed (SIGHUP)",
    ExitCode.INTERRUPTED: "interrupted (Ctrl-C)",
    ExitCode.TERMINATED: "terminated (SIGTERM)",
})  # fmt: skip

_CODES: tuple[tuple[type[TranscoderError], ExitCode], ...] = (
    (BadRequestError, ExitCode.INVALID_COMMAND),
    (UnsupportedSourceError, ExitCode.SOURCE_REFUSED),
    (ForbiddenSourceError, ExitCode.SOURCE_REFUSED),
    (DeniedSourceError, ExitCode.SOURCE_REFUSED),
    (NotFoundError, ExitCode.SOURCE_REFUSED),
    (TooLargeError, ExitCode.SOURCE_REFUSED),
    (UpstreamError, ExitCode.ORIGIN_FAILED),
    (UpstreamTimeoutError, ExitCode.ORIGIN_FAILED),
    (TranscodeError, ExitCode.TRANSCODE_FAILED),
    (DeadlineError, ExitCode.TRANSCODE_FAILED),
    (InvocationError, ExitCode.FUNCTION_FAILED),
    (StorageError, ExitCode.OUTPUT_FAILED),
    (OutputError, ExitCode.OUTPUT_FAILED),
)


class TerminatedError(Exception):
    """A signal has ended the command, which has cleaned up."""

    def __init__(self, number: signal.Signals) -> None:
        """Keep the signal."""
        super().__init__(number.name)
        self.number = number


def exit_code(error: TranscoderError) -> ExitCode:
    """Return the exit code that stands for `error`."""
    return next((code for kind, code in _CODES if isinstance(error, kind)), ExitCode.INTERNAL_ERROR)


def help_text() -> str:
    """Return the list of exit codes for `--help`."""
    return "exit codes:\n" + "\n".join(f"  {code.value:>3}  {description}" for code, description in DESCRIPTIONS.items())
