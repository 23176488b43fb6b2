"""The keys of signed links: read once, kept for a while, asked for each link."""

import asyncio
import time
from collections.abc import Mapping

from transcoder.core.request.signing import check_signature, encode_keys, encode_query, sign
from transcoder.edge import secrets_manager
from transcoder.errors import BadRequestError
from transcoder.settings import Settings

_KEPT_SECONDS = 300.0
"""A secret that was changed is good after so many seconds."""


class Links:
    """Checks links, and makes them."""

    def __init__(self, settings: Settings) -> None:
        """Use the keys of `settings`; those that a secret holds are read for the first link.

        Raises:
            BadRequestError: a key is too short.

        """
        self._own = encode_keys(settings.signing_keys)
        self._arn = settings.signing_secret_arn
        self._read: tuple[bytes, ...] = ()
        self._read_until = 0.0

    @property
    def needed(self) -> bool:
        """Must links be signed."""
        return bool(self._own or self._arn)

    async def keys(self) -> tuple[bytes, ...]:
        """Return all keys, the one that signs first.

        Raises:
            SecretError: the secret cannot be read, or a key in it is too short.

        """
        now = asyncio.get_running_loop().time()
        if self._arn and now >= self._read_until:
            self._read, self._read_until = await _usable(self._arn), now + _KEPT_SECONDS
        return self._own + self._read

    async def check(self, values: Mapping[str, str]) -> None:
        """Let pass what was signed, or anything where links need no signature.

        Raises:
            BadSignatureError: it was not signed, or has expired.
            SecretError: the keys cannot be read.

        """
        if self.needed:
            check_signature(values, keys=await self.keys(), now=time.time())

    async def query(self, values: Mapping[str, str]) -> str:
        """Write a link's query; where links must be signed, with the expiry of the request that it answers.

        Raises:
            SecretError: the keys cannot be read.

        """
        plain = {name: text for name, text in values.items() if name not in {"exp", "sig"}}
        if not self.needed:
            return encode_query(plain)
        return encode_query(sign(plain, key=(await self.keys())[0], expires=int(values["exp"])))


async def _usable(arn: str) -> tuple[bytes, ...]:
    keys = await secrets_manager.signing_keys(arn)
    try:
        return encode_keys(keys)
    except BadRequestError as error:
        # Whoever asked for a link has done nothing wrong.
        raise secrets_manager.SecretError("The keys of signed links cannot be used.") from error
