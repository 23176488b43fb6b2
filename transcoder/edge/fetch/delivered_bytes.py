"""What was passed on of a resource, so that a body that begins before its end can be compared with it."""

import hashlib

OVERLAP_BYTES = 1024
"""So many bytes are asked for again, and compared, where an origin names no version of the resource that a range could be tied to."""

_UNHASHED_BYTES = 4 * 1024 * 1024
"""So many bytes wait to be hashed: most transfers end before that, and need no hash. Who has received them keeps them meanwhile, too."""
_UNHASHED_CHUNKS = 256
"""A short chunk takes more than its bytes."""

EDGE_BYTES = 64
"""So many bytes are kept of where a range begins and of what stands behind it, to compare them with those of other ranges."""


class DeliveredBytes:
    """The number of bytes that were passed on, their hash, and the last few of them. Needs limited memory for any number."""

    def __init__(self) -> None:
        """Begin with nothing."""
        self.count = 0
        self.beginning = b""
        """The first `EDGE_BYTES`, or fewer if fewer were passed on."""
        self.end = b""
        """The last `OVERLAP_BYTES`, or fewer if fewer were passed on."""
        # SHA-256 has instructions of its own on the processors of Lambda, and is faster there than BLAKE2.
        self._hash = hashlib.sha256()
        self._unhashed: list[bytes] = []
        self._unhashed_bytes = 0

    def add(self, chunk: bytes) -> None:
        """Count bytes that were passed on."""
        self.count += len(chunk)
        if len(self.beginning) < EDGE_BYTES:
            self.beginning += chunk[: EDGE_BYTES - len(self.beginning)]
        self.end = (self.end + chunk[-OVERLAP_BYTES:])[-OVERLAP_BYTES:]
        self._unhashed.append(chunk)
        self._unhashed_bytes += len(chunk)
        if self._unhashed_bytes > _UNHASHED_BYTES or len(self._unhashed) > _UNHASHED_CHUNKS:
            self._hash_all()

    def _hash_all(self) -> None:
        for chunk in self._unhashed:
            self._hash.update(chunk)
        self._unhashed, self._unhashed_bytes = [], 0

    def repeated(self, *, overlap: int | None = None) -> "RepeatedBytes":
        """Return what compares a body that begins with the last `overlap` of these bytes, or with all of them."""
        if overlap is None or overlap == self.count:
            self._hash_all()
            return RepeatedBytes(self.count, self._hash.digest())
        return RepeatedBytes(overlap, hashlib.sha256(self.end[len(self.end) - overlap :]).digest())


class RepeatedBytes:
    """Removes from a body what was passed on before, and compares it."""

    def __init__(self, count: int, digest: bytes) -> None:
        """Expect the SHA-256 `digest` of the first `count` bytes."""
        self.remaining = count
        """How many bytes are still to be compared."""
        self._digest = digest
        self._hash = hashlib.sha256()

    def remove_from(self, chunk: bytes) -> bytes | None:
        """Return the new bytes in the next chunk of the body; None if those before them are not the ones that were passed on."""
        if not self.remaining:
            return chunk
        repeated = chunk[: self.remaining]
        self.remaining -= len(repeated)
        self._hash.update(repeated)
        if not self.remaining and self._hash.digest() != self._digest:
            return None
        return chunk[len(repeated) :]
