"""The keys of signed links: from the settings, and from a secret that is read again every five minutes."""

import asyncio

from transcoder.core.request.signing import encode_keys
from transcoder.errors import BadRequestError
from transcoder.settings import Settings

_CACHE_SECONDS = 300.0
"""How long keys from a secret are cached: a changed secret takes effect after that time."""


class SigningKeys:
    """All keys of signed links, the one that signs first."""

    def __init__(self, settings: Settings) -> None:
        """Use the keys in `settings`; those in a secret are read when the first link needs them.

        Raises:
            BadRequestError: a key is too short.

        """
        self._configured = encode_keys(settings.signing_keys)
        self._secret_arn = settings.signing_secret_arn
        self._from_secret: tuple[bytes, ...] = ()
        self._expire_at = 0.0

    @property
    def exist(self) -> bool:
        """Whether there are any, so that links must be signed."""
        return bool(self._configured or self._secret_arn)

    async def all(self) -> tuple[bytes, ...]:
        """Return all keys, the one that signs first.

        Raises:
            SecretError: the secret cannot be read, or a key in it is too short.

        """
        now = asyncio.get_running_loop().time()
        if self._secret_arn and now >= self._expire_at:
            self._from_secret, self._expire_at = await _read_secret(self._secret_arn), now + _CACHE_SECONDS
        return self._configured + self._from_secret


async def _read_secret(arn: str) -> tuple[bytes, ...]:
    from transcoder.edge import secrets_manager  # noqa: PLC0415  # only a service with a secret needs it

    keys = await secrets_manager.signing_keys(arn)
    try:
        return encode_keys(keys)
    except BadRequestError as error:
        # A bad key is the operator's mistake, not the caller's, so it must not become a 400.
        raise secrets_manager.SecretError("The keys of signed links cannot be used.") from error
