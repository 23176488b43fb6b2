"""Short pieces of audio and video that ffmpeg generates, as bytes; each is encoded once, and kept with those of the fixtures."""

from pathlib import Path
from tempfile import TemporaryDirectory

from encoded_once import PLACEHOLDER, encode


def encoded(*arguments: str) -> bytes:
    """Return what ffmpeg writes with arguments that name neither an input nor the output."""
    with TemporaryDirectory() as folder:
        encode(Path(folder), "piece", *arguments, PLACEHOLDER)
        return Path(folder, "piece").read_bytes()
