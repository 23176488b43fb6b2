"""The keys and initialization sections of one job, each fetched once."""

import asyncio
from collections import defaultdict

from transcoder.core.hls.plan import Init, Key
from transcoder.core.media.aes128 import KEY_BYTES, Decryptor, decrypt_resource
from transcoder.edge.fetch import Fetcher

_MORE_ATTEMPTS = 2
_MAX_KEY_BYTES = 64 * 1024
"""More than a key has: it is a web page instead."""


class KeyStore:
    """Fetches keys and initialization sections when they are first needed, and keeps them for the rest of the job."""

    def __init__(self, fetcher: Fetcher, *, max_init_bytes: int) -> None:
        """Fetch with `fetcher`, initialization sections of at most `max_init_bytes`."""
        self._fetcher = fetcher
        self._max_init_bytes = max_init_bytes
        self._keys: dict[str, bytes] = {}
        self._inits: dict[Init, bytes] = {}
        self._locks: defaultdict[str | Init, asyncio.Lock] = defaultdict(asyncio.Lock)
        """One for each resource: who needs it while it is fetched waits for that."""

    async def decryptor(self, key: Key | None) -> Decryptor | None:
        """Return what decrypts one resource under `key`; None if it is not encrypted.

        Raises:
            UpstreamError: the key cannot be fetched, or is not 16 bytes long.

        """
        if key is None:
            return None
        async with self._locks[key.url]:
            if key.url not in self._keys:
                self._keys[key.url] = await self._fetch_key(key.url)
        return Decryptor(self._keys[key.url], key.iv)

    async def _fetch_key(self, url: str) -> bytes:
        """Fetch a key, again while it has not the length of one: a proxy may answer with a page of its own."""
        for _ in range(_MORE_ATTEMPTS):
            found = await self._fetcher.small_resource(url, None, limit=_MAX_KEY_BYTES)
            if len(found) == KEY_BYTES:
                return found
        return await self._fetcher.small_resource(url, None, limit=_MAX_KEY_BYTES)

    async def initialization_section(self, init: Init | None) -> bytes:
        """Return an initialization section, decrypted; empty if there is none.

        Raises:
            UpstreamError: it or its key cannot be fetched.

        """
        if init is None:
            return b""
        async with self._locks[init]:
            if init not in self._inits:
                content = await self._fetcher.small_resource(init.url, init.range, limit=self._max_init_bytes, media=True)
                decryptor = await self.decryptor(init.key)
                self._inits[init] = decrypt_resource(decryptor, content) if decryptor else content
        return self._inits[init]
