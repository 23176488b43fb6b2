"""The lengths of files that are fetched range by range: a file that changes between two requests must not be put together from both."""

from collections.abc import Iterator
from contextlib import contextmanager

import httpx

from transcoder.edge.fetch.content_encoding import BodyDecoder
from transcoder.edge.fetch.resource_name import resource_name
from transcoder.edge.fetch.retry import TransientError
from transcoder.edge.fetch.transfer import Transfer
from transcoder.edge.fetch.validators import ContentRange, content_length
from transcoder.errors import ChangedFileError


class FileLengths:
    """Remembers the length of each file by the first response that was received well, and compares that of every other one.

    ETag and Last-Modified do not serve for this: the nodes of one network may give different ones to the same bytes.
    """

    def __init__(self) -> None:
        """Begin without any."""
        self._known: dict[str, int] = {}

    def forget(self) -> None:
        """Begin anew: nothing of what was fetched before is used."""
        self._known.clear()

    @contextmanager
    def checked(self, transfer: Transfer, response: httpx.Response) -> Iterator[None]:
        """Compare the length of the file before the block receives the response, and remember it if it was received well.

        That is done if a byte range of the file is transferred, and the response tells the length.

        Raises:
            TransientError: it differs; the bytes at the same offsets need not be the same.
        """
        total, known = _length(response) if transfer.byte_range else None, self._known.get(transfer.url)
        if total is not None and known not in {None, total}:
            error = ChangedFileError(f"{resource_name(transfer.url)}: the file has changed: it had {known} bytes, and has {total} now.")
            raise TransientError(error)
        yield
        if total is not None:
            self._known[transfer.url] = total


def _length(response: httpx.Response) -> int | None:
    """Return the length of the whole resource, uncompressed; None if the response does not tell it."""
    if BodyDecoder(response).is_compressed:
        return None
    if response.status_code == httpx.codes.PARTIAL_CONTENT:
        served = ContentRange.of(response)
        return served.total if served else None
    return content_length(response) if response.status_code == httpx.codes.OK else None
