"""Failures that may pass by themselves, and how long to wait for that."""

import random
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from pathlib import PurePosixPath

import httpx

from transcoder.errors import BadRequestError, TranscoderError, UpstreamError, UpstreamTimeoutError

PASSING = frozenset({408, 425, 429, 500, 502, 503, 504})
"""Statuses that the next try may not meet (RFC 9110, RFC 6585, RFC 8470)."""
LONGEST_PAUSE = 10.0
"""How many seconds are waited between two tries at most, whatever a Retry-After says."""


class TransientError(Exception):
    """A try failed in a way that the next one may not."""

    def __init__(self, error: TranscoderError, *, pause: float | None = None) -> None:
        """Keep what to raise if there is no next try, and the seconds that the origin asked to be left alone."""
        super().__init__(str(error))
        self.error = error
        self.pause = pause


def resource_name(url: str) -> str:
    """Name a resource to the caller: its last path component and host, never the query, where signatures stand."""
    try:
        parts = httpx.URL(url)
    except httpx.InvalidURL:
        return "An address"
    file = PurePosixPath(parts.path).name
    return f"{file[:60]} at {parts.host}" if file else parts.host


def backoff(failed: int, first: float) -> float:
    """Return how many seconds to wait after `failed` tries: `first`, doubled each time, with jitter against many coming back at once."""
    return min(LONGEST_PAUSE, first * 2.0 ** (failed - 1)) * random.uniform(0.5, 1.5)  # noqa: S311 - no secret


def refusal(response: httpx.Response, url: str) -> TransientError | UpstreamError:
    """Turn a status that is not a success into what to raise."""
    status = response.status_code
    error = UpstreamError(
        f"{resource_name(url)}: the origin answered {status} {response.reason_phrase}".rstrip() + ".", origin_status=status
    )
    if status in PASSING:
        return TransientError(error, pause=_retry_after(response.headers.get("Retry-After", "")))
    return error


def _retry_after(text: str) -> float | None:
    """Read a Retry-After (RFC 9110, 10.2.3), seconds or a date, as seconds from now."""
    if text.isascii() and text.isdigit():
        return min(float(text), LONGEST_PAUSE)
    try:
        seconds = (parsedate_to_datetime(text) - datetime.now(UTC)).total_seconds()
    except (ValueError, TypeError):  # TypeError: a date with no zone cannot be compared
        return None
    return min(max(seconds, 0.0), LONGEST_PAUSE)


@contextmanager
def translated(url: str) -> Iterator[None]:
    """Turn what httpx raises into what the caller is told."""
    try:
        yield
    except httpx.TimeoutException as error:
        raise TransientError(UpstreamTimeoutError(f"{resource_name(url)}: the origin did not answer in time.")) from error
    except httpx.LocalProtocolError as error:
        raise BadRequestError(f"A header field given for the requests cannot be sent: {error}.") from error
    except httpx.ConnectError as error:
        raise TransientError(UpstreamError(f"{resource_name(url)}: no connection to the origin could be made.")) from error
    except httpx.TransportError as error:
        raise TransientError(UpstreamError(f"{resource_name(url)}: the origin broke off in the middle of its answer.")) from error
