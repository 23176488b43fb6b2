"""Signed links: check them and make them."""

import time
from collections.abc import Mapping

from transcoder.app.signing_keys import SigningKeys
from transcoder.core.request.signing import check_signature, encode_query, sign
from transcoder.settings import Settings


class SignedLinks:
    """Checks and makes signed links."""

    def __init__(self, settings: Settings) -> None:
        """Use the keys of `settings`.

        Raises:
            BadRequestError: a key is too short.

        """
        self._keys = SigningKeys(settings)

    @property
    def are_required(self) -> bool:
        """Whether only signed links are served."""
        return self._keys.exist

    async def check(self, values: Mapping[str, str]) -> None:
        """Check the signature and expiry of a link; do nothing if links need not be signed.

        Raises:
            BadSignatureError: the signature is missing or wrong, or the link has expired.
            SecretError: the keys cannot be read.

        """
        if self.are_required:
            check_signature(values, keys=await self._keys.all(), now=time.time())

    async def link_query(self, values: Mapping[str, str]) -> str:
        """Return the query of a link; if links must be signed, the link expires with the request whose `values` it copies.

        Raises:
            SecretError: the keys cannot be read.

        """
        unsigned = {name: text for name, text in values.items() if name not in {"exp", "sig"}}
        if not self.are_required:
            return encode_query(unsigned)
        return encode_query(sign(unsigned, key=(await self._keys.all())[0], expires=int(values["exp"])))

    async def fresh_query(self, values: Mapping[str, str], *, seconds: int) -> str:
        """Return the query of a link that expires in so many seconds, if links must be signed.

        Raises:
            SecretError: the keys cannot be read.
            BadRequestError: a value cannot be signed.

        """
        return await self.link_query({**values, "exp": str(int(time.time()) + seconds)})
