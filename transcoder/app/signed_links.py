"""Signed links: check them, make them, and read the keys that sign them."""

import asyncio
import time
from collections.abc import Mapping

from transcoder.core.request.signing import check_signature, encode_keys, encode_query, sign
from transcoder.edge import secrets_manager
from transcoder.errors import BadRequestError
from transcoder.settings import Settings

_SECRET_CACHE_SECONDS = 300.0
"""How long keys from a secret are cached: a changed secret takes effect after that time."""


class SignedLinks:
    """Checks and makes signed links."""

    def __init__(self, settings: Settings) -> None:
        """Use the keys in `settings`; those in a secret are read when the first link needs them.

        Raises:
            BadRequestError: a key is too short.

        """
        self._configured_keys = encode_keys(settings.signing_keys)
        self._secret_arn = settings.signing_secret_arn
        self._secret_keys: tuple[bytes, ...] = ()
        self._secret_expires_at = 0.0

    @property
    def required(self) -> bool:
        """Whether links must be signed."""
        return bool(self._configured_keys or self._secret_arn)

    async def keys(self) -> tuple[bytes, ...]:
        """Return all keys, the one that signs first.

        Raises:
            SecretError: the secret cannot be read, or a key in it is too short.

        """
        now = asyncio.get_running_loop().time()
        if self._secret_arn and now >= self._secret_expires_at:
            self._secret_keys, self._secret_expires_at = await _read_secret_keys(self._secret_arn), now + _SECRET_CACHE_SECONDS
        return self._configured_keys + self._secret_keys

    async def check(self, values: Mapping[str, str]) -> None:
        """Check the signature and expiry of a link; do nothing if links need not be signed.

        Raises:
            BadSignatureError: the signature is missing or wrong, or the link has expired.
            SecretError: the keys cannot be read.

        """
        if self.required:
            check_signature(values, keys=await self.keys(), now=time.time())

    async def link_query(self, values: Mapping[str, str]) -> str:
        """Return the query of a link; if links must be signed, the link expires with the request whose `values` it copies.

        Raises:
            SecretError: the keys cannot be read.

        """
        unsigned = {name: text for name, text in values.items() if name not in {"exp", "sig"}}
        if not self.required:
            return encode_query(unsigned)
        return encode_query(sign(unsigned, key=(await self.keys())[0], expires=int(values["exp"])))


async def _read_secret_keys(arn: str) -> tuple[bytes, ...]:
    keys = await secrets_manager.signing_keys(arn)
    try:
        return encode_keys(keys)
    except BadRequestError as error:
        # A bad key is the operator's mistake, not the caller's, so it must not become a 400.
        raise secrets_manager.SecretError("The keys of signed links cannot be used.") from error
