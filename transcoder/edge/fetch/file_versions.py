"""What is known of files that are fetched range by range: one that changes in between must not be put together from both versions."""

from collections.abc import Iterator
from contextlib import contextmanager

import httpx

from transcoder.edge.fetch.retry import TransientError
from transcoder.edge.fetch.transfer import Transfer
from transcoder.edge.fetch.validators import total_length
from transcoder.edge.resource_name import resource_name
from transcoder.errors import ChangedFileError


class FileVersions:
    """Remembers the length of each file by the first response that was received well, and some of its bytes, to compare all others.

    ETag and Last-Modified do not serve for this: the nodes of one network may give different ones to the same bytes.
    """

    def __init__(self) -> None:
        """Begin without any."""
        self._lengths: dict[str, int] = {}
        self._bytes_at: dict[tuple[str, int], bytes] = {}
        """The first bytes of each range, and those that were seen behind one, by file and offset."""

    def forget(self) -> None:
        """Forget everything: nothing of what was fetched before is used."""
        self._lengths.clear()
        self._bytes_at.clear()

    @contextmanager
    def checked(self, transfer: Transfer, response: httpx.Response) -> Iterator[None]:
        """Compare the file with what is known of it while the block receives the response, if a byte range of it is transferred.

        Its length is compared before, if the response tells it, and its bytes where ranges meet after.

        Raises:
            TransientError: the length differs; the bytes at the same offsets need not be the same.
            ChangedFileError: the bytes differ.

        """
        if transfer.byte_range is None:
            yield
            return
        total, known = total_length(response), self._lengths.get(transfer.url)
        if total is not None and known not in {None, total}:
            error = ChangedFileError(f"{resource_name(transfer.url)}: the file has changed: it had {known} bytes, and has {total} now.")
            raise TransientError(error)
        yield
        if total is not None:
            self._lengths[transfer.url] = total
        self._compare(transfer.url, transfer.byte_range.start, transfer.beginning)
        self._compare(transfer.url, transfer.byte_range.start + transfer.byte_range.length, transfer.following)

    def _compare(self, url: str, at: int, found: bytes) -> None:
        known = self._bytes_at.get((url, at), b"")
        length = min(len(known), len(found))
        if known[:length] != found[:length]:
            raise ChangedFileError(f"{resource_name(url)}: the file has changed: it has other bytes at offset {at} now.")
        self._bytes_at[url, at] = max(known, found, key=len)
