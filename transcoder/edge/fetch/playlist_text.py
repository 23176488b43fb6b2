"""A playlist as it was fetched."""

from typing import NamedTuple


class PlaylistText(NamedTuple):
    """A playlist as it was fetched."""

    url: str
    """Its address after redirects, which relative addresses in it are resolved against."""
    body: bytes
    """As it was sent, but decompressed."""

    @property
    def text(self) -> str:
        """Its text without byte order mark; invalid UTF-8 is replaced."""
        return self.body.decode("utf-8-sig", "replace")
