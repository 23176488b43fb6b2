"""Every failure a caller can meet: its HTTP status, its slug, and a sentence written for the caller."""

from collections.abc import Iterator
from contextlib import contextmanager
from http import HTTPStatus
from typing import ClassVar


class TranscoderError(Exception):
    """A failure that the caller is told about; `str(error)` is the sentence for them."""

    status: ClassVar[HTTPStatus] = HTTPStatus.INTERNAL_SERVER_ERROR
    slug: ClassVar[str] = "internal-error"


class BadRequestError(TranscoderError):
    """The request makes no sense as it stands."""

    status = HTTPStatus.BAD_REQUEST
    slug = "bad-request"


class ForbiddenSourceError(TranscoderError):
    """The address, or one that it leads to, may not be fetched."""

    status = HTTPStatus.FORBIDDEN
    slug = "forbidden-source"


class NotFoundError(TranscoderError):
    """Nothing is served under that path."""

    status = HTTPStatus.NOT_FOUND
    slug = "not-found"


class MethodNotAllowedError(TranscoderError):
    """The path is served, but not by that method."""

    status = HTTPStatus.METHOD_NOT_ALLOWED
    slug = "method-not-allowed"


class TooLargeError(TranscoderError):
    """The answer would be larger than can be sent."""

    status = HTTPStatus.REQUEST_ENTITY_TOO_LARGE
    slug = "too-large"


class UnsupportedSourceError(TranscoderError):
    """The source cannot be made into an MP4: protected, live, not a video, or a broken playlist."""

    status = HTTPStatus.UNPROCESSABLE_ENTITY
    slug = "unsupported-source"


class TranscodeError(TranscoderError):
    """ffmpeg failed, or what came out is not what went in."""

    slug = "transcode-failed"


class UpstreamError(TranscoderError):
    """The origin failed, or sent bytes that are not what they should be."""

    status = HTTPStatus.BAD_GATEWAY
    slug = "upstream-failed"

    def __init__(self, message: str, *, origin_status: int | None = None) -> None:
        """Keep the status that the origin answered with, where it answered."""
        super().__init__(message)
        self.origin_status = origin_status


class ProgramChangedError(UpstreamError):
    """A segment announces other streams than the segments before it: what follows can only be a new period."""


class UpstreamBlockedError(UpstreamError):
    """The origin is there and well, and does not talk to this network."""

    slug = "upstream-blocked"


class BadSignatureError(TranscoderError):
    """Only signed links are served here, and this is none that holds."""

    status = HTTPStatus.FORBIDDEN
    slug = "bad-signature"


class UpstreamTimeoutError(TranscoderError):
    """The origin did not answer in time."""

    status = HTTPStatus.GATEWAY_TIMEOUT
    slug = "upstream-timeout"


class DeadlineError(TranscoderError):
    """The time that the invocation may take is over."""

    status = HTTPStatus.GATEWAY_TIMEOUT
    slug = "deadline"


class InvocationError(TranscoderError):
    """A function that was called failed, or what it sent is not whole; nothing that a caller of our own meets."""

    status = HTTPStatus.BAD_GATEWAY
    slug = "invocation-failed"


@contextmanager
def single_error() -> Iterator[None]:
    """Take the exception group of a task group off again: raise the failure that stopped the others.

    A `TaskGroup` lists its failures in the order in which they happened, so the first is the cause and the rest are its echo.
    """
    try:
        yield
    except BaseExceptionGroup as group:
        first: BaseException = group
        while isinstance(first, BaseExceptionGroup):
            first = first.exceptions[0]
        raise first from first.__cause__
