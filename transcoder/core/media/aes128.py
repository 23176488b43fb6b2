"""Takes AES-128 off a segment (RFC 8216, 4.3.2.4): CBC over the whole of it, PKCS #7 padding at its end."""

from cryptography.hazmat.primitives.ciphers import Cipher
from cryptography.hazmat.primitives.ciphers.algorithms import AES
from cryptography.hazmat.primitives.ciphers.modes import CBC
from cryptography.hazmat.primitives.padding import PKCS7

from transcoder.errors import UpstreamError

KEY_BYTES = 16


class Decryptor:
    """Decrypts one segment that comes in any pieces."""

    def __init__(self, key: bytes, iv: bytes) -> None:
        """Begin a segment; raises UpstreamError if the key is not 16 bytes long. `iv` has 16 bytes."""
        if len(key) != KEY_BYTES:
            raise UpstreamError("The key of an encrypted segment is not 16 bytes long.")
        self._cipher = Cipher(AES(key), CBC(iv)).decryptor()
        self._padding = PKCS7(AES.block_size).unpadder()

    def feed(self, piece: bytes) -> bytes:
        """Take the next encrypted bytes, return the clear ones that are certain; the last block waits for `end`."""
        return self._padding.update(self._cipher.update(piece))

    def end(self) -> bytes:
        """Return the last clear bytes; raises UpstreamError if the segment is cut off or the key is not the right one."""
        try:
            return self._padding.update(self._cipher.finalize()) + self._padding.finalize()
        except ValueError:
            raise UpstreamError("An encrypted segment does not decrypt: it is cut off, or the key is not its own.") from None
