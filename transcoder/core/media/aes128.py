"""Decryption of AES-128 segments (RFC 8216, 4.3.2.4): CBC over the whole segment, with PKCS #7 padding."""

from cryptography.hazmat.primitives.ciphers import Cipher
from cryptography.hazmat.primitives.ciphers.algorithms import AES
from cryptography.hazmat.primitives.ciphers.modes import CBC
from cryptography.hazmat.primitives.padding import PKCS7

from transcoder.errors import DamagedMediaError

KEY_BYTES = 16


class Decryptor:
    """Decrypts one segment, given in pieces of any size."""

    def __init__(self, key: bytes, iv: bytes) -> None:
        """Begin a segment. `iv` has 16 bytes. Raises UpstreamError if the key does not have 16 bytes."""
        if len(key) != KEY_BYTES:
            raise DamagedMediaError(f"The key of an encrypted segment has {len(key)} bytes. An AES-128 key has 16 bytes.")
        self._cipher = Cipher(AES(key), CBC(iv)).decryptor()
        self._padding = PKCS7(AES.block_size).unpadder()

    def feed(self, piece: bytes) -> bytes:
        """Take the next encrypted bytes and return decrypted ones; the last block, which may be padding, is held back for `end`."""
        return self._padding.update(self._cipher.update(piece))

    def end(self) -> bytes:
        """Return the last decrypted bytes. Raises UpstreamError if the segment is cut off, or if the key is wrong."""
        try:
            return self._padding.update(self._cipher.finalize()) + self._padding.finalize()
        except ValueError:
            raise DamagedMediaError("An encrypted segment does not decrypt: it is cut off, or its key is wrong.") from None
