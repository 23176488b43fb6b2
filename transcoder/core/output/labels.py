"""What an output says about itself."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import NamedTuple


class Labels(NamedTuple):
    """What the output says about itself."""

    tags: Mapping[str, str]
    """By ffmpeg's names."""
    language: str | None = None
    """Of its audio, as a playlist has it."""


NO_LABELS = Labels(MappingProxyType({}))
