"""Every error that a caller can get, with its HTTP status, its slug, and a message written for the caller."""

from collections.abc import Iterator
from contextlib import contextmanager
from http import HTTPStatus
from typing import ClassVar


class TranscoderError(Exception):
    """An error that is reported to the caller; `str(error)` is the message for them."""

    status: ClassVar[HTTPStatus] = HTTPStatus.INTERNAL_SERVER_ERROR
    slug: ClassVar[str] = "internal-error"
    headers: ClassVar[tuple[tuple[str, str], ...]] = ()
    """What HTTP wants in the response beside the problem document."""


class BadRequestError(TranscoderError):
    """The request is invalid."""

    status = HTTPStatus.BAD_REQUEST
    slug = "bad-request"


class ContradictionError(BadRequestError):
    """Parameters that do not go together, or one that is of no use here."""

    def __init__(self, message: str, *names: str) -> None:
        """Keep the names of parameters: that of the first, and of those that it does not go with; none of these: it is of no use."""
        super().__init__(message)
        self.names = names


class ForbiddenSourceError(TranscoderError):
    """The address, or one that it redirects or refers to, may not be fetched."""

    status = HTTPStatus.FORBIDDEN
    slug = "forbidden-source"


class DeniedSourceError(TranscoderError):
    """The operator has excluded the address, or one that it leads to."""

    status = HTTPStatus.UNAVAILABLE_FOR_LEGAL_REASONS
    slug = "denied-source"


class NotFoundError(TranscoderError):
    """There is nothing at that path."""

    status = HTTPStatus.NOT_FOUND
    slug = "not-found"


class MethodNotAllowedError(TranscoderError):
    """The path exists, but does not support that method."""

    status = HTTPStatus.METHOD_NOT_ALLOWED
    slug = "method-not-allowed"
    headers = (("allow", "GET, HEAD"),)
    """RFC 9110, section 15.5.6."""


class TooLargeError(TranscoderError):
    """The response would be larger than can be sent."""

    status = HTTPStatus.REQUEST_ENTITY_TOO_LARGE
    slug = "too-large"


class RangeNotSatisfiableError(TranscoderError):
    """The requested range has none of the file's bytes."""

    status = HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE
    slug = "range-not-satisfiable"


class StorageError(TranscoderError):
    """A temporary file cannot be written."""

    status = HTTPStatus.INSUFFICIENT_STORAGE
    slug = "no-storage"


class DailyLimitError(TranscoderError):
    """The service has sent as many bytes today as its operator allows."""

    status = HTTPStatus.SERVICE_UNAVAILABLE
    slug = "daily-limit"


class UnsupportedSourceError(TranscoderError):
    """The source cannot be made into an MP4: protected, live, not a video, or a broken playlist."""

    status = HTTPStatus.UNPROCESSABLE_ENTITY
    slug = "unsupported-source"


class UnexpectedMediaError(UnsupportedSourceError):
    """A track has not the media that its playlist is listed for."""


class PlainLayoutError(UnsupportedSourceError):
    """The output cannot be a plain MP4, or not one whose `moov` could be written before its media is read."""

    def __init__(self, reason: str) -> None:
        """Say why, in words that follow a colon."""
        super().__init__(f"layout: this source cannot be sent as a plain MP4: {reason}.")


class TranscodeError(TranscoderError):
    """ffmpeg failed, or its output does not have the samples of its input."""

    slug = "transcode-failed"


class UpstreamError(TranscoderError):
    """The origin failed, or sent invalid bytes."""

    status = HTTPStatus.BAD_GATEWAY
    slug = "upstream-failed"

    def __init__(self, message: str, *, origin_status: int | None = None) -> None:
        """Keep the HTTP status of the origin's response, if there was one."""
        super().__init__(message)
        self.origin_status = origin_status


class DamagedMediaError(UpstreamError):
    """What an origin sent as media is damaged, or is not what belongs in its place; the next time it may send something else."""

    resource: str = ""
    """The name of what it is about, where the message has none."""

    def __str__(self) -> str:
        """Return the message, with that name before it."""
        return f"{self.resource}: {super().__str__()}" if self.resource else super().__str__()


class MisplacedMediaError(DamagedMediaError):
    """An origin sent a segment twice, in part or in whole, or another one in its place."""

    def __init__(self, message: str) -> None:
        """Add what the caller can do."""
        super().__init__(f"{message} Try again later; if it stays so, only the time before and after it can be had (start, end).")


class EmptyResourceError(DamagedMediaError):
    """A resource has no bytes at all."""


class ChangedFileError(DamagedMediaError):
    """A file changed between the requests for two byte ranges of it, so that everything that was fetched of it is in doubt."""


class ProgramChangedError(DamagedMediaError):
    """A segment announces other streams than the segments before it, so a new period must begin with it."""


class ProxyFailedError(UpstreamError):
    """The proxy that the user of the command line named failed, so that no origin was asked at all."""


class UpstreamBlockedError(UpstreamError):
    """The origin works, but refuses requests from this network."""

    slug = "upstream-blocked"

    def __init__(self, message: str, *, origin_status: int | None = None, steps: str = "") -> None:
        """Keep what was asked of the origin, with the answer of each, for the log."""
        super().__init__(message, origin_status=origin_status)
        self.steps = steps


class BadSignatureError(TranscoderError):
    """Links must be signed, and this one has no valid signature."""

    status = HTTPStatus.FORBIDDEN
    slug = "bad-signature"


class UpstreamTimeoutError(TranscoderError):
    """The origin did not respond in time."""

    status = HTTPStatus.GATEWAY_TIMEOUT
    slug = "upstream-timeout"


class DeadlineError(TranscoderError):
    """The invocation has used up its time."""

    status = HTTPStatus.GATEWAY_TIMEOUT
    slug = "deadline"


class InvocationError(TranscoderError):
    """A function that `transcoder invoke` called failed, or its response is not whole; callers of the service never get this error."""

    status = HTTPStatus.BAD_GATEWAY
    slug = "invocation-failed"


class BrokenOffError(InvocationError):
    """The transport of a response failed, so that it is incomplete; another request may continue it."""


class ThrottledError(BrokenOffError):
    """All execution environments of the function are busy (429)."""


class OutputError(TranscoderError):
    """An output of the command line or of a program in Python cannot be written; callers of the service never get this error."""

    slug = "output-failed"


class OutputExistsError(OutputError):
    """There is a file already where the output would be, and nobody has said that it may be replaced."""


class ReaderLeftError(OutputError):
    """The reader of a pipe has closed it, as `head` does once it has what it wants."""

    slug = "reader-left"


@contextmanager
def single_error() -> Iterator[None]:
    """Raise the first exception of a task group itself, without the exception group around it.

    A `TaskGroup` lists its exceptions in the order in which they were raised, so the first is the cause and the rest follow from it.
    """
    try:
        yield
    except BaseExceptionGroup as group:
        first: BaseException = group
        while isinstance(first, BaseExceptionGroup):
            first = first.exceptions[0]
        raise first from first.__cause__
