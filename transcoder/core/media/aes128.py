"""Decryption of AES-128 segments (RFC 8216, 4.3.2.4): CBC over the whole segment, with PKCS #7 padding."""

from transcoder.core.media.mpegts.packets import PACKET_BYTES, SYNC
from transcoder.errors import DamagedMediaError

KEY_BYTES = 16
BLOCK_BYTES = 16


class Decryptor:
    """Decrypts one segment, given in pieces of any size."""

    def __init__(self, key: bytes, iv: bytes) -> None:
        """Begin a segment. `iv` has 16 bytes. Raises UpstreamError if the key does not have 16 bytes."""
        if len(key) != KEY_BYTES:
            raise DamagedMediaError(f"The key of an encrypted segment has {len(key)} bytes. An AES-128 key has 16 bytes.")
        # It takes eight megabytes of memory, and most sources are not encrypted.
        from cryptography.hazmat.primitives.ciphers import Cipher  # noqa: PLC0415
        from cryptography.hazmat.primitives.ciphers.algorithms import AES  # noqa: PLC0415
        from cryptography.hazmat.primitives.ciphers.modes import CBC  # noqa: PLC0415

        self._cipher = Cipher(AES(key), CBC(iv)).decryptor()
        self._last_block = b""
        self._first_byte = b""
        self._length = 0
        self.is_padded = True
        """False once `end` has found no padding. Some packagers write none; otherwise the segment is cut off, or its key is wrong."""

    def feed(self, piece: bytes) -> bytes:
        """Take the next encrypted bytes and return decrypted ones; the last block, which may be padding, is held back for `end`."""
        clear = self._cipher.update(piece)
        if not clear:
            return b""
        self._first_byte = self._first_byte or clear[:1]
        self._length += len(clear)
        before, self._last_block = self._last_block, clear[-BLOCK_BYTES:]
        return before + clear[:-BLOCK_BYTES]

    def end(self) -> bytes:
        """Return the last decrypted bytes, without the padding if there is any.

        Raises UpstreamError if the segment is empty, or cut off inside a block.
        """
        try:
            self._cipher.finalize()
        except ValueError:
            raise DamagedMediaError("An encrypted segment does not decrypt: it is cut off.") from None
        if not self._last_block:
            raise DamagedMediaError("An encrypted segment does not decrypt: it is empty.")
        count = self._last_block[-1]
        is_padding = 1 <= count <= BLOCK_BYTES and self._last_block.endswith(count * self._last_block[-1:])
        # Where all of it is whole transport packets, no part of them is padding, whatever it looks like.
        self.is_padded = is_padding and not (self._first_byte == SYNC and self._length % PACKET_BYTES == 0)
        return self._last_block[:-count] if self.is_padded else self._last_block


def decrypt_resource(decryptor: Decryptor, content: bytes) -> bytes:
    """Decrypt a whole resource that is no segment: nothing shows that it is whole but its padding.

    Raises UpstreamError if it has none.
    """
    clear = decryptor.feed(content) + decryptor.end()
    if not decryptor.is_padded:
        raise DamagedMediaError("An encrypted initialization section does not decrypt: it is cut off, or its key is wrong.")
    return clear
