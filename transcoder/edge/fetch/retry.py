"""Retries: which failures are transient, how long to wait between attempts, and what to ask for after a 403."""

import asyncio
import random
from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import TypeVar

import httpx

from transcoder.edge.connection_failure import why_no_connection
from transcoder.edge.resource_name import resource_name
from transcoder.errors import BadRequestError, TranscoderError, UpstreamError, UpstreamTimeoutError
from transcoder.settings import Settings

TRANSIENT_STATUSES = frozenset({408, 425, 429, 500, 502, 503, 504})
"""Statuses that the next attempt may not meet (RFC 9110, RFC 6585, RFC 8470)."""
MAX_PAUSE_SECONDS = 10.0
"""The longest pause between two attempts, whatever Retry-After says."""
LATE_STATUSES = frozenset({403, 404, 410})
"""Statuses of a file that has not reached a server of a CDN yet; S3 answers 403 to those who may not list what there is."""
LATE_PAUSES = (4.0, 8.0)
"""How many times the first pause to wait before each late attempt: with the default settings, one second and two."""
PROGRESS_BYTES = 1024 * 1024
"""An attempt that delivered this much resets the count of failures: an origin may hang up on a slow reader as often as it likes."""

PROXY_NAME = "proxy"
"""Key in the extensions of a response to a request that a proxy forwarded: the proxy, which may have answered in place of the origin."""

_MOST_DOUBLINGS = 100
"""A thousand would be more than a number can hold, and the pause is at its longest by then."""

T = TypeVar("T")


class TransientError(Exception):
    """A transient failure; the request may be retried."""

    def __init__(self, error: TranscoderError, *, pause: float | None = None) -> None:
        """Keep the error to raise when there is no further attempt, and the seconds from Retry-After if the origin sent it."""
        super().__init__(str(error))
        self.error = error
        self.pause = pause


class ShortRangeError(TransientError):
    """A 206 ended before the requested range did. No failure: the client asks for the rest (RFC 9110, 15.3.7)."""


class EndsEarlyError(TransientError):
    """The resource ends before the requested range does, as the origin says. It may grow, or the playlist asks for more than there is."""


async def retry(
    attempt: Callable[[], Awaitable[T]], settings: Settings, *, on_retry: Callable[[], None], delivered: Callable[[], int] = int
) -> T:
    """Await `attempt()` until it succeeds, and return its result.

    Args:
        attempt: sends the request once; raises `TransientError` if it may be retried.
        settings: how many attempts may fail in a row, and the first pause.
        on_retry: called before each further attempt.
        delivered: returns how many bytes all attempts have delivered so far.

    Raises:
        TranscoderError: the last attempt's error, after `attempts` failures in a row without `PROGRESS_BYTES` in between.
    """
    failures = 0
    while True:
        before = delivered()
        try:
            return await attempt()
        except TransientError as failure:
            if isinstance(failure, ShortRangeError) and delivered() > before:
                failures = 0
                continue
            failures = 1 if delivered() - before >= PROGRESS_BYTES else failures + 1
            if failures >= settings.attempts:
                raise failure.error from failure.__cause__
            on_retry()
            await asyncio.sleep(_backoff_seconds(failures, settings.retry_seconds) if failure.pause is None else failure.pause)


async def retry_late(
    attempt: Callable[[], Awaitable[T]],
    settings: Settings,
    *,
    on_retry: Callable[[], None],
    delivered: Callable[[], int] = int,
    pauses: Sequence[float] = LATE_PAUSES,
) -> T:
    """Do what `retry` does, and once more after each of the `pauses` if the origin answered that it does not have the resource.

    A playlist can name a file before all servers of a CDN have it. Use this only for resources that others of the same origin promise.

    Raises:
        TranscoderError: the last attempt's error.
    """
    for pause in pauses:
        try:
            return await retry(attempt, settings, on_retry=on_retry, delivered=delivered)
        except UpstreamError as error:
            if error.origin_status not in LATE_STATUSES:
                raise
        on_retry()
        await asyncio.sleep(min(MAX_PAUSE_SECONDS, pause * settings.retry_seconds))
    return await retry(attempt, settings, on_retry=on_retry, delivered=delivered)


def _backoff_seconds(failures: int, first: float) -> float:
    """Return the pause after so many failures: `first`, doubled each time, with jitter so that many clients do not return at once."""
    return min(MAX_PAUSE_SECONDS, first * 2.0 ** min(failures - 1, _MOST_DOUBLINGS)) * random.uniform(0.5, 1.5)  # noqa: S311 - no secret


def url_after_403(response: httpx.Response) -> str | None:
    """Return the URL to ask for after a 403: the same one without its query; None if `response` is no 403 or had no query.

    Some origins refuse an old signature in the query, but serve the file to everybody without one.
    """
    if response.status_code != httpx.codes.FORBIDDEN or not response.url.query:
        return None
    return str(response.url.copy_with(query=None))


def error_for_status(response: httpx.Response, url: str) -> TransientError | UpstreamError:
    """Return the error for an unsuccessful status; it is transient for `TRANSIENT_STATUSES`."""
    status = response.status_code
    proxy = response.extensions.get(PROXY_NAME)
    who = "the origin" if proxy is None else f"the origin or the proxy {proxy}"
    message = f"{resource_name(url)}: {who} answered {status} {response.reason_phrase}".rstrip() + "."
    error = UpstreamError(message, origin_status=status)
    if status in TRANSIENT_STATUSES:
        pause = retry_after_seconds(response.headers.get("Retry-After", ""))
        return TransientError(error, pause=None if pause is None else min(pause, MAX_PAUSE_SECONDS))
    return error


def retry_after_seconds(value: str) -> float | None:
    """Read a Retry-After (RFC 9110, 10.2.3), which is seconds or a date, as seconds from now; None if it is invalid."""
    if value.isascii() and value.isdigit():
        return float(value)
    try:
        seconds = (parsedate_to_datetime(value) - datetime.now(UTC)).total_seconds()
    except (ValueError, TypeError, OverflowError):  # TypeError: a date without a time zone cannot be compared
        return None
    return max(seconds, 0.0)


@contextmanager
def httpx_errors_translated(url: httpx.URL) -> Iterator[None]:
    """Raise httpx's exceptions from the block as `TransientError`, or as `BadRequestError` for a header that cannot be sent."""
    try:
        yield
    except httpx.ConnectTimeout as error:
        raise TransientError(UpstreamTimeoutError(f"{_name(url)}: the origin did not accept a connection in time.")) from error
    except httpx.TimeoutException as error:
        raise TransientError(UpstreamTimeoutError(f"{_name(url)}: the origin did not respond in time.")) from error
    except httpx.LocalProtocolError as error:
        raise BadRequestError(f"A request header cannot be sent: {error}.") from error
    except httpx.ConnectError as error:
        raise TransientError(UpstreamError(f"{_name(url)}: {why_no_connection(error, 'the origin')}.")) from error
    except httpx.RemoteProtocolError as error:
        raise TransientError(UpstreamError(f"{_name(url)}: the origin's response ended early or is not valid HTTP.")) from error
    except httpx.TransportError as error:
        raise TransientError(UpstreamError(f"{_name(url)}: the connection to the origin failed.")) from error


def _name(url: httpx.URL) -> str:
    """Name a resource, which takes time that only a failure is worth."""
    return resource_name(str(url))
