"""What a test origin sends of a file: its ETag, a byte range, and chunks."""

import gzip
import hashlib
import os
import re
import zlib
from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path

from peers.origin_rules import Rule

CHUNK_BYTES = 16 * 1024


def etag_of(content: bytes | Path) -> str:
    if isinstance(content, Path):
        stat = content.stat()
        return f'"{stat.st_size:x}-{stat.st_mtime_ns:x}"'
    # Hashing everything would cost more than sending it; both ends and the length distinguish the test files.
    return f'"{len(content):x}-{zlib.crc32(content[:65536]):x}-{hashlib.sha256(content[-65536:]).hexdigest()[:16]}"'


@lru_cache(maxsize=8)
def compressed(content: bytes) -> bytes:
    """Compress a file; many tests ask for the same one, and compressing it takes longer than all else."""
    return gzip.compress(content, compresslevel=1)


def parse_range(text: str, size: int) -> tuple[int, int] | None:
    """Parse a single byte range (RFC 9110, 14.1.2) as start and stop; None if it cannot be satisfied."""
    match = re.fullmatch(r"bytes=(\d*)-(\d*)", text.strip())
    if match is None or match[0].endswith("=-"):
        return None
    if not match[1]:
        start, stop = max(0, size - int(match[2])), size
    else:
        start, stop = int(match[1]), min(size, int(match[2]) + 1 if match[2] else size)
    return (start, stop) if start < stop else None


def read_chunks(content: bytes | Path, start: int, stop: int, rule: Rule) -> Iterator[bytes]:
    """Yield the bytes from `start` to `stop` in chunks of the rule's size."""
    step = rule.trickle[0] if rule.trickle else CHUNK_BYTES
    if isinstance(content, bytes):
        for at in range(start, stop, step):
            yield content[at : min(at + step, stop)]
        return
    with content.open("rb") as file:
        file.seek(start, os.SEEK_SET)
        while start < stop and (chunk := file.read(min(step, stop - start))):
            start += len(chunk)
            yield chunk
