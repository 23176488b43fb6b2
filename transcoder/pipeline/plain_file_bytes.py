"""The index of a plain MP4 as bytes, for other execution environments: a line of JSON, the first bytes of the file, and its extents."""

import hashlib
import json
import struct

from transcoder.core.media.mp4.byte_map import ByteMap, Extent
from transcoder.core.media.mp4.plain_movie import PlainMovie
from transcoder.core.media.mp4.track_samples import Place
from transcoder.core.media.streams import Medium
from transcoder.edge.fetch import Validators
from transcoder.pipeline.plain_file import RECIPE, PlainFile

_EXTENT = struct.Struct("<QQQ")
"""Resource, offset in it, and length."""


def to_bytes(file: PlainFile) -> bytes:
    """Return an index as bytes that `from_bytes` reads."""
    movie, head = file.movie, file.movie.bytes.head
    extents = [part for part in movie.bytes.part(len(head), movie.bytes.length) if not isinstance(part, bytes)]
    body = head + b"".join(_EXTENT.pack(*place, length) for place, length in extents)
    described = {
        "recipe": RECIPE,
        "sha256": hashlib.sha256(body).hexdigest(),
        "seconds": movie.seconds,
        "samples": {medium.value: count for medium, count in movie.samples.items()},
        "resources": [[url, *validators] for url, validators in file.resources],
        "heads": [file.heads, file.head_bytes],
        "head": len(head),
    }
    return json.dumps(described).encode() + b"\n" + body


def from_bytes(data: bytes) -> PlainFile:
    """Return the index that `to_bytes` wrote.

    Raises:
        ValueError: the bytes are none, not whole, or written by another version of the program.
    """
    line, _, body = data.partition(b"\n")
    described = json.loads(line)
    try:
        if (described["recipe"], described["sha256"]) != (RECIPE, hashlib.sha256(body).hexdigest()):
            raise ValueError("These bytes are the index of another version, or not all of one.")
        head, (heads, head_bytes) = body[: described["head"]], described["heads"]
        extents = [Extent(Place(resource, offset), length) for resource, offset, length in _EXTENT.iter_unpack(body[len(head) :])]
        samples = {Medium(name): int(count) for name, count in described["samples"].items()}
        resources = [(str(url), Validators(*validators)) for url, *validators in described["resources"]]
        movie = PlainMovie(ByteMap(head, extents), float(described["seconds"]), samples)
        return PlainFile.of(movie, resources, heads=heads, head_bytes=head_bytes)
    except (KeyError, TypeError, struct.error) as error:
        raise ValueError("These bytes are no index.") from error
